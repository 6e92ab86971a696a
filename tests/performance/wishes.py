"""What the patients of the bench wish: as many different Consents as asked for, each of nine provisions.

All open their dossier to one practice, for treatment, with exceptions by label, by class and by code, and speak of
others besides. https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

Json = dict[str, Any]

PRACTICE: Final = "Organization/bench-practice"
PROFESSIONAL: Final = "PractitionerRole/bench-professional"
KEPT_BACK: Final = ("Claim", "ExplanationOfBenefit")
_THO: Final = "http://terminology.hl7.org/CodeSystem/"
_TYPES: Final = "http://hl7.org/fhir/resource-types"


def directory() -> list[Json]:
    """A professional at the practice, and the practice in its group."""
    return [
        {"resourceType": "Organization", "id": "bench-group", "name": "Zorggroep"},
        {
            "resourceType": "Organization",
            "id": "bench-practice",
            "name": "Praktijk",
            "partOf": {"reference": "Organization/bench-group"},
        },
        {"resourceType": "Practitioner", "id": "bench-professional"},
        {
            "resourceType": "PractitionerRole",
            "id": "bench-professional",
            "practitioner": {"reference": "Practitioner/bench-professional"},
            "organization": {"reference": PRACTICE},
        },
    ]


def exceptions(codes: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """So many different sets of `system|code` to make an exception of; fewer if there are too few codes."""
    found = [several for size in (2, 1, 3) for several in combinations(codes, size)]
    return found[:count]


def consent(patient: str, kept_back: Sequence[str], *, status: str = "active") -> Json:
    """The patient's Consent; `kept_back` are `system|code` of what the practice does not see."""
    practice = _provision(
        "permit",
        actor=[_recipient(PRACTICE)],
        purpose=[_reason("TREAT")],
        provision=[
            _provision("deny", securityLabel=[_coding(_THO + "v3-ActCode", "PSY")]),
            _provision("deny", **{"class": [_coding(_TYPES, name) for name in KEPT_BACK]}),
            _provision("deny", code=[{"coding": [_coding(*one.split("|"))]} for one in kept_back]),
        ],
    )
    pharmacy = _provision(
        "permit",
        actor=[_recipient("Organization/bench-pharmacy")],
        **{"class": [_coding(_TYPES, "MedicationRequest")]},
    )
    hospital = _provision(
        "permit",
        actor=[_recipient("Organization/bench-hospital")],
        purpose=[_reason("ETREAT")],
        dataPeriod={"start": "2010"},
    )
    return {
        "resourceType": "Consent",
        "id": consent_id(patient),
        "status": status,
        "scope": {"coding": [_coding(_THO + "consentscope", "patient-privacy")]},
        "category": [{"coding": [_coding("http://loinc.org", "59284-0")]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": "2026-01-01",
        "policyRule": {"coding": [_coding(_THO + "v3-ActCode", "OPTOUT")]},
        "provision": {
            "provision": [
                practice,
                pharmacy,
                hospital,
                _provision("deny", purpose=[_reason("HMARKT")]),
                _provision("deny", actor=[_recipient("Organization/bench-insurer")]),
            ]
        },
    }


def consent_id(patient: str) -> str:
    return f"c-{patient}"


def _provision(type: str, **elements: Any) -> Json:
    return {"type": type, **elements}


def _recipient(reference: str) -> Json:
    return {
        "role": {"coding": [_coding(_THO + "v3-ParticipationType", "IRCP")]},
        "reference": {"reference": reference},
    }


def _reason(code: str) -> Json:
    return _coding(_THO + "v3-ActReason", code)


def _coding(system: str, code: str) -> Json:
    return {"system": system, "code": code}

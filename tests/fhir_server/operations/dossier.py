"""A dossier to ask about: Consents in few words, a directory with a practice, and what an operation answered by name."""

from collections.abc import Sequence
from typing import Any

from tests.fhir_server.inprocess import Answer, House, observation, organization, patient

THO = "http://terminology.hl7.org/CodeSystem/"
CODES = "http://test/codes"


def ref(text: str) -> dict[str, str]:
    return {"reference": text}


def labelled(code: str) -> dict[str, Any]:
    return {"meta": {"security": [{"system": THO + "v3-Confidentiality", "code": code}]}}


def coded(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": CODES, "code": code}]}]


def purposes(*codes: str) -> list[dict[str, str]]:
    return [{"system": THO + "v3-ActReason", "code": code} for code in codes]


def types(*names: str) -> list[dict[str, str]]:
    return [{"system": "http://hl7.org/fhir/resource-types", "code": name} for name in names]


def recipients(*references: str) -> list[dict[str, Any]]:
    role = {"coding": [{"system": THO + "v3-ParticipationType", "code": "PRCP"}]}
    return [{"role": role, "reference": ref(reference)} for reference in references]


def consent(id: str, patient_id: str = "p", status: str = "active", **provision: Any) -> dict[str, Any]:
    """A Consent of the patient's own; `class_` is class."""
    if "class_" in provision:
        provision["class"] = provision.pop("class_")
    return {
        "resourceType": "Consent",
        "id": id,
        "status": status,
        "scope": {"coding": [{"system": THO + "consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": ref(f"Patient/{patient_id}"),
        "performer": [ref(f"Patient/{patient_id}")],
        "policyRule": {"coding": [{"system": THO + "v3-ActCode", "code": "OPTIN"}]},
        "provision": provision,
    }


def practitioner(id: str, family: str) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": id, "name": [{"prefix": ["dr."], "family": family}]}


def role(id: str, person: str, organisation: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": ref(f"Practitioner/{person}"),
        "organization": ref(f"Organization/{organisation}"),
        **more,
    }


DIRECTORY: Sequence[dict[str, Any]] = (
    organization("practice", name="Praktijk Zuid"),
    practitioner("acht", "Acht"),
    practitioner("negen", "Negen"),
    role("acht-in-practice", "acht", "practice"),
)


async def furnish(house: House) -> None:
    """Patient p: two weights, one of them restricted, and a height; q: a weight of their own."""
    await house.given(
        *DIRECTORY,
        patient("p", name=[{"family": "Pee"}]),
        observation("usual", "p"),
        observation("restricted", "p", **labelled("R")),
        observation("height", "p", "height"),
        patient("q", name=[{"family": "Kuu"}]),
        observation("of-q", "q"),
    )


def parameters(**given: Any) -> dict[str, Any]:
    """A Parameters resource: a str with a slash is a Reference, an int an integer, a dict a resource."""
    parts: list[dict[str, Any]] = []
    for name, value in given.items():
        if isinstance(value, dict):
            parts.append({"name": name, "resource": value})
        elif isinstance(value, int):
            parts.append({"name": name, "valueInteger": value})
        else:
            parts.append({"name": name, **({"valueReference": ref(value)} if "/" in value else {"valueCode": value})})
    return {"resourceType": "Parameters", "parameter": parts}


def told(answer: Answer) -> dict[str, list[Any]]:
    """The parameters of an answer by name: of one with parts these by name again, of any other its value."""
    assert answer.status == 200, answer.text
    return by_name(answer.json["parameter"])


def by_name(parts: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in parts:
        value = by_name(part["part"]) if "part" in part else next(v for k, v in part.items() if k != "name")
        found.setdefault(part["name"], []).append(value)
    return found


def sentences(said: dict[str, list[Any]], language: str) -> str:
    """All sentences in the language, as one text."""
    return " ".join(
        sentence for text in said["text"] if text["language"] == [language] for sentence in text["sentence"]
    )

"""What the wijk has agreed: the Wijkcontract Gezondheid, the groups it speaks of, and a first result.

https://hl7.org/fhir/R4/contract.html, https://hl7.org/fhir/R4/group.html, https://hl7.org/fhir/R4/measurereport.html
"""

from decimal import Decimal
from typing import Any

from examples.author.elements import BASE, THEME, THO, Json, coding, concept, period, ref, refs, resource

_CODES = f"{BASE}/CodeSystem/wijkcontract"
_PARTIES = (
    ("gemeente-heerlen", "GRANTOR"),
    ("zorgverzekeraar-de-steun", "GRANTOR"),
    ("thuiszorg-de-gaard", "GRANTEE"),
    ("gp-de-esdoorn", "GRANTEE"),
    ("welzijn-wijkwerk", "GRANTEE"),
    ("wijkraad-hoensbroek", "COPART"),
    ("zorgcooperatie-hoensbroek", "COPART"),
)


def resources() -> list[Json]:
    return [*_groups(), _contract(), _result(), _evaluation()]


def _groups() -> list[Json]:
    residents = resource(
        "Group",
        "bewoners-hoensbroek",
        active=True,
        type_="person",
        actual=False,
        name="Bewoners van Hoensbroek (6431-6433)",
        managingEntity=ref("Organization/wijknetwerk-hoensbroek"),
        characteristic=[
            {
                "code": concept(THEME, "postcode", "Postcode (vier cijfers)"),
                "valueRange": {"low": {"value": 6431}, "high": {"value": 6433}},
                "exclude": False,
            }
        ],
    )
    diabetes = resource(
        "Group",
        "ketenzorg-diabetes-esdoorn",
        active=True,
        type_="person",
        actual=True,
        name="Ketenzorg diabetes De Esdoorn",
        quantity=2,
        managingEntity=ref("Organization/gp-de-esdoorn"),
        member=[
            {"entity": ref("Patient/bewoner-01"), "period": period("2008-06-01")},
            {"entity": ref("Patient/bewoner-12"), "period": period("2014-04-01")},
        ],
    )
    return [residents, diabetes]


def _contract() -> Json:
    organizations = [f"Organization/{name}" for name, _ in _PARTIES]
    return resource(
        "Contract",
        "wijkcontract-hoensbroek",
        text="Wijkcontract Gezondheid Hoensbroek, 2026 tot en met 2028.",
        identifier=[{"system": f"{BASE}/NamingSystem/wijkcontract", "value": "hoensbroek-2026"}],
        status="executed",
        issued="2025-12-15T15:00:00+01:00",
        applies=period("2026-01-01", "2028-12-31"),
        subject=refs("Group/bewoners-hoensbroek"),
        authority=refs("Organization/gemeente-heerlen"),
        domain=refs("Location/wijk-hoensbroek"),
        site=refs("Location/mfa-de-stip"),
        name="WijkcontractGezondheidHoensbroek",
        title="Wijkcontract Gezondheid Hoensbroek",
        author=ref("Organization/wijknetwerk-hoensbroek"),
        type_=concept(_CODES, "wijkcontract", "Wijkcontract Gezondheid"),
        term=[
            _term(
                "afbakening",
                "De wijk is het gebied binnen de grens op de kaart, postcodes 6431 tot en met 6433.",
                organizations,
            ),
            _term("zeggenschap", "De wijkraad en de zorgcoöperatie beslissen mee, ieder met één stem.", organizations),
            _term(
                "regie", "Thuiszorg De Gaard is procesverantwoordelijke voor gezondheid, zorg en ICT.", organizations
            ),
            _term(
                "werktijd",
                "Professionals mogen vijftien procent van hun werktijd inzetten voor de wijk.",
                organizations,
                action=[
                    {
                        "type": concept(_CODES, "inzetten", "Werktijd inzetten"),
                        "subject": [{"reference": refs(*organizations[2:5])}],
                        "intent": concept(_CODES, "ontwikkelen", "Ontwikkeling, implementatie en innovatie"),
                        "status": concept(_CODES, "loopt", "Loopt"),
                        "occurrencePeriod": period("2026-01-01", "2028-12-31"),
                        "note": [{"text": "Hooguit 15 procent van de contracturen, per kwartaal geteld."}],
                    }
                ],
            ),
            _term(
                "bekostiging",
                "Besparing door minder opnames wordt voor de helft in de wijk geïnvesteerd.",
                organizations,
                asset=[
                    {
                        "valuedItem": [
                            {
                                "entityCodeableConcept": concept(_CODES, "bekostiging", "Wijkbekostiging"),
                                "effectiveTime": "2026-01-01T00:00:00+01:00",
                                "net": {"value": Decimal("120000.00"), "currency": "EUR"},
                                "responsible": ref("Organization/zorgverzekeraar-de-steun"),
                                "recipient": ref("Organization/wijknetwerk-hoensbroek"),
                            }
                        ]
                    }
                ],
            ),
        ],
        supportingInfo=refs(
            "Location/wijk-hoensbroek", "PlanDefinition/integrale-wijkaanpak", "Measure/gesloten-verwijzingen"
        ),
        signer=[_signer(name, role) for name, role in _PARTIES],
        friendly=[
            {
                "contentAttachment": {
                    "contentType": "text/html",
                    "language": "nl",
                    "url": "https://wijkcontract.wijkdossier.example/hoensbroek-2026",
                    "title": "Het wijkcontract in gewone taal",
                }
            }
        ],
    )


def _term(code: str, text: str, parties: list[str], **more: Any) -> Json:
    return {
        "identifier": {"system": f"{BASE}/NamingSystem/wijkcontract", "value": f"hoensbroek-2026-{code}"},
        "type": concept(_CODES, code),
        "text": text,
        "offer": {
            "party": [
                {
                    "reference": refs(*parties),
                    "role": concept(f"{THO}/contractsignertypecodes", "COPART", "Contractpartner"),
                }
            ],
            "text": text,
        },
        **more,
    }


def _signer(name: str, role: str) -> Json:
    return {
        "type": coding(f"{THO}/contractsignertypecodes", role),
        "party": ref(f"Organization/{name}"),
        "signature": [
            {
                "type": [coding("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.1", "Author's Signature")],
                "when": "2025-12-15T15:00:00+01:00",
                "who": ref(f"Organization/{name}"),
            }
        ],
    }


def _result() -> Json:
    """The referrals to an offer in these files, and how many came back with an answer."""
    counts = (("initial-population", 10), ("denominator", 10), ("numerator", 4))
    return resource(
        "MeasureReport",
        "gesloten-verwijzingen-2026",
        status="complete",
        type_="summary",
        measure=f"{BASE}/Measure/gesloten-verwijzingen",
        subject=ref("Location/wijk-hoensbroek"),
        date="2026-11-15",
        reporter=ref("Organization/werkgroep-scholing"),
        period=period("2025-01-01", "2026-10-31"),
        group=[
            {
                "population": [
                    {"code": concept(f"{THO}/measure-population", code), "count": count} for code, count in counts
                ],
            }
        ],
    )


def _evaluation() -> Json:
    """The steering group's self-evaluation: parts A to D, about the network as an organization."""
    answers = {
        "A": {"inloop": True, "afspraken": True, "leerplek": True},
        "B": {"een-dak": True, "wijkanalyse": False, "vaardigheden": True},
        "C": {"teams": True, "vijftien-procent": False, "evaluatie": False},
        "D": {"regie": True, "sociale-kaart": True, "eigen-dossier": True},
    }
    return resource(
        "QuestionnaireResponse",
        "zelfevaluatie-2026",
        questionnaire=f"{BASE}/Questionnaire/zelfevaluatie-wijk",
        status="completed",
        subject=ref("Organization/wijknetwerk-hoensbroek"),
        authored="2026-10-08T16:00:00+02:00",
        author=ref("Organization/stuurgroep-wijkaanpak"),
        item=[
            {
                "linkId": part,
                "item": [
                    {"linkId": f"{part}.{key}", "answer": [{"valueBoolean": value}]} for key, value in questions.items()
                ],
            }
            for part, questions in answers.items()
        ],
    )

"""Consents that can't be enforced are refused as they are written, with the element named, and nothing is stored."""

from typing import Any

import pytest

from consent.parse import NESTING_MAX
from tests.fhir_server.gateway.test_consent_policy import SCOPE, THO, consent, total, wijk
from tests.fhir_server.inprocess import House

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
P = "Consent.provision"


def nested(depth: int) -> Json:
    tree: Json = {"type": "deny"}
    for _ in range(depth):
        tree = {"type": "permit", "provision": [tree]}
    return tree


def coding(system: str, code: str) -> Json:
    return {"system": THO + system, "code": code}


def about(reference: str) -> Json:
    return {"data": [{"meaning": "related", "reference": {"reference": reference}}]}


@pytest.mark.parametrize(
    "provision, expression",
    [
        ({"provision": [{"type": "permit"}] * 10_000}, P),
        (nested(NESTING_MAX + 1), P + ".provision[0]" * NESTING_MAX + ".provision"),
        ({"purpose": [coding("v3-ActReason", "NOSUCH")]}, f"{P}.purpose[0]"),
        ({"securityLabel": [coding("v3-Confidentiality", "X")]}, f"{P}.securityLabel[0]"),
        ({"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Cake"}]}, f"{P}.class[0]"),
        ({"code": [{"text": "everything"}]}, f"{P}.code[0]"),
        ({"period": {"start": "2026-02-01", "end": "2026-01-01"}}, f"{P}.period"),
        ({"dataPeriod": {"start": "2027", "end": "2026"}}, f"{P}.dataPeriod"),
        (about("Consent/other"), f"{P}.data[0].reference"),
        (about("Observation/never"), f"{P}.data"),
    ],
    ids=["too many", "too deep", "purpose", "label", "class", "code", "period", "dataPeriod", "circle", "never there"],
)
async def test_a_consent_that_cannot_be_enforced_is_refused(house: House, provision: Json, expression: str) -> None:
    await wijk(house)
    resident = await house.caller("Patient/p", SCOPE)
    refused = await resident.post("Consent", consent("", {"type": "permit"} | provision))
    assert (refused.status, refused.issue["expression"]) == (422, [expression])
    assert await total(resident, "Consent?patient=p") == 0


@pytest.mark.parametrize(
    "provision, status, expression",
    [(nested(200), 422, "provision.provision[0]"), ([{"type": "permit"}], 400, P)],
    ids=["200 deep", "an array"],
)
async def test_what_is_no_consent_at_all_is_refused(house: House, provision: Any, status: int, expression: str) -> None:
    """200 levels are more than any body may have, and an array in the place of an object is not FHIR."""
    await wijk(house)
    resident = await house.caller("Patient/p", SCOPE)
    refused = await resident.post("Consent", consent("", provision))
    assert refused.status == status
    assert refused.issue["expression"][0].startswith(expression)
    assert await total(resident, "Consent?patient=p") == 0

"""Who a resource is about. https://hl7.org/fhir/R4/compartmentdefinition-patient.html"""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_server.gateway.ownership import Ownership, local_reference
from fhir_server.search.index import Indexer
from fhir_server.search.parameters import SearchParameters
from profiles import registry

pytestmark = pytest.mark.anyio

INDEXER = Indexer(SearchParameters(registry.load()), ZoneInfo("Europe/Amsterdam"), ("https://wijk.test/fhir",))
OWNERSHIP = Ownership(registry.load(), INDEXER.extract)
STORED = {
    ("Observation", "a"): ("p",),
    ("Observation", "b"): ("q",),
    ("Observation", "nobody"): (),
    ("Organization", "o"): (),
}


async def find(type: str, id: str) -> tuple[str, ...] | None:
    return STORED.get((type, id))


def ref(text: str) -> dict[str, Any]:
    return {"reference": text}


P, Q = ref("Patient/p"), ref("Patient/q")
BORROWED = [
    ({"resourceType": "Provenance", "target": [ref("Observation/a")]}, ("p",)),
    ({"resourceType": "Provenance", "target": [ref("Observation/a/_history/1"), ref("Observation/b")]}, ("p", "q")),
    ({"resourceType": "Provenance", "target": [ref("Observation/a"), ref("Observation/absent")]}, ()),
    ({"resourceType": "Provenance", "target": [ref("Observation/a"), ref("Observation/nobody")]}, ()),
    ({"resourceType": "Provenance", "target": [ref("Observation/a"), ref("Organization/o")]}, ("p",)),
    ({"resourceType": "Provenance", "target": [ref("Observation/a"), {"display": "something"}]}, ()),
    ({"resourceType": "Provenance", "target": [P]}, ("p",)),
    ({"resourceType": "Provenance", "target": [ref("Organization/o")]}, ()),
    ({"resourceType": "Binary", "contentType": "text/plain", "securityContext": P}, ("p",)),
    ({"resourceType": "Binary", "contentType": "text/plain", "securityContext": ref("Observation/b")}, ("q",)),
    ({"resourceType": "Binary", "contentType": "text/plain"}, ()),
]


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


ABOUT_P = {"resourceType": "Observation", "subject": P}
ABOUT_Q = {"resourceType": "Condition", "subject": Q}


@pytest.mark.parametrize(
    ("resource", "owners"),
    [
        ({"resourceType": "Patient", "id": "p"}, ("p",)),
        ({"resourceType": "Patient", "id": "p", "link": [{"other": Q, "type": "seealso"}]}, ("p", "q")),
        (ABOUT_P, ("p",)),
        ({**ABOUT_P, "performer": [Q]}, ("p", "q")),
        ({**ABOUT_P, "focus": [Q]}, ("p",)),
        ({"resourceType": "Observation", "subject": ref("Patient/p/_history/3")}, ("p",)),
        ({"resourceType": "Observation", "subject": ref("https://wijk.test/fhir/Patient/p")}, ("p",)),
        ({"resourceType": "Observation", "subject": ref("https://elsewhere/Patient/p")}, ()),
        ({**ABOUT_P, "performer": [ref("https://elsewhere/Patient/z")]}, ()),
        ({"resourceType": "Observation", "subject": {"type": "Patient", "identifier": {"value": "1"}}}, ()),
        ({"resourceType": "Observation", "subject": ref("Group/p")}, ()),
        ({"resourceType": "Observation", "status": "final"}, ()),
        ({"resourceType": "Task", "for": P}, ("p",)),
        ({"resourceType": "Device", "patient": P}, ("p",)),
        ({"resourceType": "Contract", "subject": [P, Q]}, ("p", "q")),
        ({"resourceType": "GuidanceResponse", "subject": P}, ("p",)),
        ({"resourceType": "Group", "member": [{"entity": P}, {"entity": Q}]}, ("p", "q")),
        ({"resourceType": "Appointment", "participant": [{"actor": P}, {"actor": ref("Practitioner/p")}]}, ("p",)),
        ({"resourceType": "Schedule", "actor": [P]}, ("p",)),
        ({"resourceType": "Schedule", "actor": [ref("Location/p")]}, ()),
        ({"resourceType": "Organization"}, ()),
        (bundle(ABOUT_P), ("p",)),
        (bundle(ABOUT_P, ABOUT_Q), ("p", "q")),
        (bundle(ABOUT_P, {"resourceType": "Organization"}), ("p",)),
        (bundle(ABOUT_P, {"resourceType": "Observation"}), ()),
        (bundle(bundle(ABOUT_P)), ("p",)),
        (bundle(), ()),
        ({"resourceType": "AuditEvent", "agent": [{"who": Q}], "entity": [{"what": P}]}, ("p",)),
        ({"resourceType": "AuditEvent", "agent": [{"who": Q}]}, ()),
        ({"resourceType": "AuditEvent", "entity": [{"what": P, "role": {"code": "1"}}, {"what": Q}]}, ("p",)),
        *BORROWED,
    ],
)
async def test_who_it_is_about(resource: dict[str, Any], owners: tuple[str, ...]) -> None:
    assert await OWNERSHIP.owners(resource, INDEXER.extract(resource), find) == owners


async def test_bundles_in_bundles_end_somewhere() -> None:
    nested = bundle(ABOUT_P)
    for _ in range(10):
        nested = bundle(nested)
    assert await OWNERSHIP.owners(nested, INDEXER.extract(nested), find) == ()


def test_only_a_relative_literal_reference_is_local() -> None:
    assert local_reference("Patient/1") == ("Patient", "1")
    assert local_reference("Patient/1/_history/2") == ("Patient", "1")
    for text in ("", "Patient", "#p", "urn:uuid:1", "http://a/Patient/1", "Patient/", "/1", "Patient/1/x/2"):
        assert local_reference(text) is None, text

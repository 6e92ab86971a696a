"""What a patient reads in their log of decisions about their dossier: the Consent, the role, the organisation. NEN 7513"""

from typing import Any

import pytest

from fhir_server.gateway.verification import verify
from tests.fhir_server.gateway.test_consent_policy import SCOPE, by, consent, of_type, permit, wijk
from tests.fhir_server.inprocess import Caller, House, observation, opened

pytestmark = pytest.mark.anyio


async def log(caller: Caller) -> list[dict[str, Any]]:
    """What others did, oldest first."""
    answer = await caller.get("AuditEvent?_count=1000&_sort=date")
    assert answer.status == 200, answer.text
    return [event for event in answer.resources if event["agent"][0]["who"]["display"] == "his"]


def details(event: dict[str, Any], reference: str) -> list[tuple[str, str]]:
    (entity,) = (one for one in event["entity"] if one.get("what", {}).get("reference") == reference)
    return [(one["type"], one["valueString"]) for one in entity.get("detail", [])]


def consents(event: dict[str, Any]) -> list[str]:
    return [one["what"]["reference"] for one in event["entity"] if one.get("type", {}).get("code") == "Consent"]


async def test_the_version_and_provision_that_opened_it_and_the_one_that_closed_it(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"), **{"class": of_type("Observation")})))
    doctor = await house.caller("Practitioner/doctor", SCOPE, client="his", purpose="TREAT")
    assert (await doctor.get("Observation/p1")).status == 200
    nobody = {"provision": [{"type": "deny", "actor": [by("Practitioner/doctor")]}]}
    await house.given(consent("c", nobody))
    assert (await doctor.get("Observation/p1")).status == 404
    opened, closed = await log(await house.caller("Patient/p", "patient/*.rs"))
    assert (opened["outcome"], closed["outcome"]) == ("0", "4")
    assert details(opened, "Consent/c/_history/1") == [
        ("provision", "Consent.provision.provision[0]"),
        ("rule", "consent"),
        ("effect", "permit"),
    ]
    assert consents(closed) == ["Consent/c/_history/2"]
    assert ("effect", "deny") in details(closed, "Consent/c/_history/2")
    assert details(closed, "Patient/p") == [("rule", "consent")]


async def test_where_no_consent_spoke_the_rule_is_told(house: House) -> None:
    await wijk(house)
    doctor = await house.caller("Practitioner/doctor", SCOPE, client="his")
    await doctor.get("Observation/p1")
    me = await house.caller("Patient/p", "patient/*.rs", client="his")
    await me.get("Observation/p1")
    refused, own = await log(me)
    assert (refused["outcome"], details(refused, "Patient/p")) == ("4", [("rule", "base")])
    assert (own["outcome"], details(own, "Patient/p")) == ("0", [("rule", "own")])
    assert consents(refused) == consents(own) == []


async def test_a_search_names_what_decided_once_and_in_each_log_only_its_own(house: House) -> None:
    await wijk(house)
    await house.given(
        consent("cp", permit(by("Practitioner/doctor"))), consent("cq", permit(by("Practitioner/doctor")), "q")
    )
    doctor = await house.caller("Practitioner/doctor", SCOPE, client="his")
    assert len((await doctor.get("Observation")).resources) == 4
    for who in ("p", "q"):
        (event,) = await log(await house.caller(f"Patient/{who}", "patient/*.rs"))
        assert consents(event) == [f"Consent/c{who}/_history/1"]


async def test_the_role_and_the_organisations_are_those_of_the_login(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Organization/group"))))
    doctor = await house.caller("PractitionerRole/gp", SCOPE, client="his")
    assert (await doctor.get("Observation/p1")).status == 200
    (event,) = await log(await house.caller("Patient/p", "patient/*.rs"))
    _, user, *organisations = event["agent"]
    assert user["who"] == {"reference": "PractitionerRole/gp"}
    assert [role["text"] for role in user["role"]] == ["Practitioner/doctor"]
    assert {one["who"]["reference"] for one in organisations} == {"Organization/practice", "Organization/group"}


async def test_an_emergency_is_marked_and_found_as_one(house: House) -> None:
    await wijk(house)
    terms = {"purpose": "BTG", "reason": "bewusteloos", "issued": house.clock.now, "patient": "p", "client": "his"}
    doctor = await house.caller("Practitioner/doctor", "patient/*.rs", **terms)
    assert (await doctor.get("Observation/p1")).status == 200
    me = await house.caller("Patient/p", "patient/*.rs")
    found = (await me.get("AuditEvent?subtype=http://dicom.nema.org/resources/ontology/DCM|110127")).resources
    (event,) = found
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "BTG"
    assert event["purposeOfEvent"][0]["text"] == "bewusteloos"
    assert ("rule", "emergency") in details(event, "Patient/p")
    (told,) = (await me.get("Communication")).resources
    (provenance,) = (await me.get(f"Provenance?target=Communication/{told['id']}")).resources
    assert provenance["activity"]["coding"][0]["code"] == "CREATE"


async def test_what_a_professional_writes_has_a_provenance_for_their_organisation(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Organization/practice"))))
    doctor = await house.caller("PractitionerRole/gp", SCOPE, client="his", purpose="TREAT")
    weight = observation("", "p", performer=[{"reference": "PractitionerRole/gp"}])
    del weight["id"]
    written = await doctor.post("Observation", weight)
    assert written.status == 201, written.text
    me = await house.caller("Patient/p", "patient/*.rs")
    target = f"Observation/{written.json['id']}"
    (provenance,) = (await me.get(f"Provenance?target={target}")).resources
    author, client = provenance["agent"]
    assert author["who"] == {"reference": "PractitionerRole/gp"}
    assert author["onBehalfOf"]["reference"] in ("Organization/practice", "Organization/group")
    assert client["who"]["display"] == "his"
    assert (await doctor.get(f"Provenance?target={target}")).resources == [], "it is for the patient"
    assert (await verify(house.store)).faults == []


async def test_an_attempt_to_write_what_is_hidden_tells_by_which_rule_it_was_hidden(house: House) -> None:
    await wijk(house)
    doctor = await house.caller("Practitioner/doctor", SCOPE, client="his")
    assert (await doctor.put("Observation/p1", observation("p1", "p"))).status == 404
    assert (await doctor.delete("Observation/p1")).status == 404
    for event in await log(await house.caller("Patient/p", "patient/*.rs")):
        assert (event["outcome"], details(event, "Patient/p")) == ("4", [("rule", "base")])


async def test_the_server_names_itself_by_its_public_address() -> None:
    async with opened(base_url="https://wijk.example/fhir") as house:
        await wijk(house)
        me = await house.caller("Patient/p", "patient/*.rs", client="his")
        await me.get("Observation/p1")
        (event,) = await log(me)
        assert event["source"]["observer"] == {"display": "https://wijk.example/fhir"}
        assert (await verify(house.store)).faults == []


async def test_what_was_denied_stands_in_nobody_elses_log(house: House) -> None:
    await wijk(house)
    other = await house.caller("Patient/q", "patient/*.cruds user/*.cruds", client="his")
    await other.get("Observation/p1")
    await other.get("Observation?_id=p1")
    (event,) = (e for e in await log(await house.caller("Patient/p", "patient/*.rs")))
    assert event["outcome"] == "4"
    told = await log(await house.caller("Patient/q", "patient/*.rs"))
    assert "p1" not in str([event["entity"] for event in told])

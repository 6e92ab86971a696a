"""Every interaction leaves a trace that the patient can read. NEN 7513, https://profiles.ihe.net/ITI/BALP/"""

import json
from base64 import b64decode
from typing import Any

import pytest

from profiles import registry
from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Answer, Caller, House, observation, organization, patient

pytestmark = pytest.mark.anyio


async def log(caller: Caller) -> list[dict[str, Any]]:
    """The AuditEvents that the caller may read, without those about reading AuditEvents or preparing the test."""
    answer = await caller.get("AuditEvent?_count=1000&_sort=date")
    assert answer.status == 200, answer.text
    return [
        e
        for e in answer.resources
        if e["agent"][0]["who"]["display"] == "app" and "AuditEvent" not in json.dumps(e.get("entity", ""))
    ]


def line(event: dict[str, Any]) -> str:
    return f"{event['subtype'][0]['code']} {event['outcome']}"


def mentioned(event: dict[str, Any]) -> list[str]:
    return [entity["what"]["reference"] for entity in event.get("entity", []) if "what" in entity]


async def test_each_patient_sees_their_own_part_of_a_search(permissive: House) -> None:
    await permissive.given(patient("p"), patient("q"), observation("a", "p"), observation("b", "q"), organization("o"))
    doctor = await permissive.caller("Practitioner/d", "user/*.rs")
    assert len((await doctor.get("Observation?status=final")).resources) == 2
    for who, other, what in (("p", "q", "Observation/a/_history/1"), ("q", "p", "Observation/b/_history/1")):
        reader = await permissive.caller(f"Patient/{who}", "patient/*.rs", client="mine")
        (event,) = await log(reader)
        assert line(event) == "search-type 0"
        assert mentioned(event) == [f"Patient/{who}", what]
        assert event["agent"][1]["who"] == {"reference": "Practitioner/d"}
        assert f"Patient/{other}" not in json.dumps(event)


async def test_reads_writes_and_histories_are_logged_with_what_they_touched(house: House) -> None:
    await house.given(patient("p"), observation("a", "p"))
    me = await house.caller("Patient/p", "patient/*.cruds", purpose="PATRQT", reason="curious")
    await me.get("Observation/a")
    await me.get("Observation/a/_history/1")
    await me.get("Observation/a/_history")
    await me.put("Observation/a", observation("a", "p"))
    await me.delete("Observation/a")
    events = await log(me)
    assert [line(e) for e in events] == ["read 0", "vread 0", "history-instance 0", "update 0", "delete 0"]
    assert [e["action"] for e in events] == ["R", "R", "R", "U", "D"]
    assert mentioned(events[3]) == ["Patient/p", "Observation/a/_history/2"]
    assert events[0]["purposeOfEvent"][0]["coding"][0]["code"] == "PATRQT"
    assert events[0]["purposeOfEvent"][0]["text"] == "curious"


async def test_a_refused_attempt_is_in_the_log_of_whom_it_was_about_and_in_no_other(house: House) -> None:
    await house.given(patient("p"), patient("q"), observation("b", "q"))
    curious = await house.caller("Patient/p", "patient/*.cruds user/*.cruds")
    assert (await curious.get("Observation/b")).status == 404
    assert (await curious.get("Observation/none")).status == 404
    target = await house.caller("Patient/q", "patient/*.rs", client="mine")
    (event,) = await log(target)
    assert (line(event), mentioned(event)) == ("read 4", ["Patient/q", "Observation/b/_history/1"])
    assert await log(curious) == []


async def test_a_refused_write_is_in_the_log_of_whom_it_was_about(house: House) -> None:
    await house.given(patient("p"), patient("q"), observation("b", "q"))
    curious = await house.caller("Patient/p", "patient/*.cruds")
    await curious.put("Observation/b", observation("b", "p"))
    await curious.delete("Observation/b")
    await curious("PATCH", "Observation/b", b"[]", content_type="application/json-patch+json")
    entry = {"request": {"method": "DELETE", "url": "Observation/b"}}
    await curious.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    target = await house.caller("Patient/q", "patient/*.rs", client="mine")
    events = await log(target)
    assert [line(e) for e in events] == ["update 4", "delete 4", "patch 4", "transaction 4"]
    assert {tuple(mentioned(e)) for e in events} == {("Patient/q", "Observation/b/_history/1")}
    assert await log(curious) == []


async def test_a_resource_about_two_is_in_no_log_of_one(permissive: House) -> None:
    await permissive.given(
        patient("p"), patient("q"), {**observation("ab", "p"), "performer": [{"reference": "Patient/q"}]}
    )
    doctor = await permissive.caller("Practitioner/d", "user/*.rs")
    assert (await doctor.get("Observation/ab")).status == 200
    me = await permissive.caller("Patient/p", "patient/*.rs", client="mine")
    assert await log(me) == []


async def test_missing_tokens_and_scopes_are_logged_for_the_operator(house: House) -> None:
    await house.anonymous().get("Patient/p")
    await house.bearer("Bearer unknown").get("Patient/p")
    narrow = await house.caller("Practitioner/d", "user/Organization.r")
    await narrow.get("Observation/x")
    operator = await house.caller("system", "system/AuditEvent.rs", client="op")
    events = [e for e in (await operator.get("AuditEvent?_count=100&_sort=date")).resources if e["outcome"] == "4"]
    assert [(line(e), e["outcomeDesc"]) for e in events] == [
        ("read 4", "login"),
        ("login 4", "unknown"),
        ("read 4", "forbidden"),
    ]


async def test_what_never_reached_the_session_is_logged_too(house: House) -> None:
    me = await house.caller("Patient/p", "patient/*.rs")
    await me.get("Nothing/1")
    await me.get("Observation?colour=red")
    await me("PATCH", "metadata")
    operator = await house.caller("system", "system/AuditEvent.rs", client="op")
    events = [e for e in (await operator.get("AuditEvent?_count=100&_sort=date")).resources if e["outcome"] == "4"]
    assert [e["subtype"][0]["code"] for e in events] == ["read", "search-type", "unknown"]


async def test_the_query_is_kept_without_citizen_service_numbers(house: House) -> None:
    await house.given(
        patient("p", identifier=[{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "999990019"}])
    )
    me = await house.caller("Patient/p", "patient/*.rs")
    await me.get("Patient?identifier=http://fhir.nl/fhir/NamingSystem/bsn|999990019&_total=accurate")
    (event,) = await log(me)
    (query,) = [b64decode(entity["query"]).decode() for entity in event["entity"] if "query" in entity]
    assert query == "identifier=http://fhir.nl/fhir/NamingSystem/bsn|redacted&_total=accurate"


async def test_one_transaction_is_one_event_for_each_patient(permissive: House) -> None:
    operator = await permissive.caller()
    await permissive.given(patient("p"), patient("q"))
    entries = [
        {"request": {"method": "PUT", "url": f"Observation/{id}"}, "resource": observation(id, who)}
        for id, who in (("a", "p"), ("b", "p"), ("c", "q"))
    ]
    answer = await operator.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status == 200, answer.text
    me = await permissive.caller("Patient/p", "patient/*.rs", client="mine")
    (event,) = await log(me)
    assert line(event) == "transaction 0"
    assert mentioned(event) == ["Patient/p", "Observation/a/_history/1", "Observation/b/_history/1"]


async def test_whose_resource_it_was_before_sees_that_it_left(permissive: House) -> None:
    operator = await permissive.caller()
    await permissive.given(patient("p"), patient("q"), observation("a", "p"))
    await operator.put("Observation/a", observation("a", "q"))
    for who in ("p", "q"):
        me = await permissive.caller(f"Patient/{who}", "patient/*.rs", client="mine")
        (event,) = await log(me)
        assert mentioned(event) == [f"Patient/{who}", "Observation/a/_history/2"]


async def test_every_event_is_a_valid_audit_event_with_the_owners_it_was_given(permissive: House) -> None:
    await permissive.given(patient("p"), patient("q"), observation("a", "p"), organization("o"))
    doctor = await permissive.caller("Practitioner/d", "user/*.rs", purpose="TREAT")
    for url in (
        "Observation/%00",
        "Observation/" + "x" * 65,
        "Patient/é%20%2F",
        "Nothing/x",
        "Observation/a",
        "Observation",
        "Observation/none",
        "Patient/none",
        "Organization/o",
        "_history",
        "metadata",
        "?_id=a",
    ):
        await doctor.get(url)
    operator = await permissive.caller()
    events = (await operator.get("AuditEvent?_count=1000")).resources
    assert len(events) > 12
    for event in events:
        errors = [i for i in iter_issues(event, registry.load()) if i.severity == "error"]
        assert not errors, (errors, event)
        tools = permissive.gateway.tools

        async def nobody(type: str, id: str) -> None:
            return None

        async with permissive.store.snapshot() as snapshot:
            stored = await snapshot.read("AuditEvent", event["id"])
        assert stored is not None
        assert stored.owners == await tools.ownership.owners(event, tools.extract(event), nobody), event


async def test_an_event_is_found_by_its_search_parameters(house: House) -> None:
    await house.given(patient("p"), observation("a", "p"))
    me = await house.caller("Patient/p", "patient/*.rs")
    await me.get("Observation/a")
    found: Answer = await me.get("AuditEvent?entity=Observation/a&action=R&subtype=read&patient=Patient/p")
    assert len(found.resources) == 1


async def test_a_bsn_in_the_place_of_an_id_stays_out_of_the_log(house: House) -> None:
    """Who looks somebody up by putting their number in the path finds nobody, and the log keeps no number."""
    operator = await house.caller()
    await operator.get("Patient/999999990")
    await operator.get("Observation/999999990/_history")
    events = await log(operator)
    assert [line(e) for e in events] == ["read 4", "history-instance 4"]
    assert "999999990" not in json.dumps(events)
    assert "redacted" in json.dumps(events)


async def test_criteria_on_audit_events_find_what_was_just_logged(house: House) -> None:
    """The trail is unfolded for whoever looks at it, through a reverse chain too."""
    await house.given(patient("p"), observation("a", "p"))
    me = await house.caller("Patient/p", "patient/*.rs")
    await me.get("Observation/a")
    assert (await me.get("Patient?_has:AuditEvent:patient:action=R")).ids == ["p"]

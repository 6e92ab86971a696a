"""Patient/$access-log: what a resident reads of who looked. NEN 7513, Wabvpz 15e"""

from typing import Any

import pytest

from profiles import registry
from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Answer, Caller, House, observation, opened, organization, patient

pytestmark = pytest.mark.anyio


async def read(caller: Caller, query: str = "", patient: str = "p") -> Answer:
    answer = await caller.get(f"Patient/{patient}/$access-log{query}")
    assert answer.status == 200, answer.text
    assert not [one for one in iter_issues(answer.json, registry.load()) if one.severity == "error"]
    return answer


def parts(parameter: dict[str, Any]) -> dict[str, Any]:
    """The parts by name; of a name that is repeated, a list."""
    found: dict[str, Any] = {}
    for part in parameter["part"]:
        value = part.get("part") or next(value for key, value in part.items() if key.startswith("value"))
        found[part["name"]] = [*found[part["name"]], value] if isinstance(found.get(part["name"]), list) else value
        if part["name"] in ("what", "text", "rule", "consent", "role", "organization"):
            found[part["name"]] = found[part["name"]] if isinstance(found[part["name"]][0], list) else [value]
    return found


def events(answer: Answer) -> list[dict[str, Any]]:
    return [parts(one) for one in answer.json.get("parameter", []) if one["name"] == "event"]


def of(answer: Answer, client: str) -> list[dict[str, Any]]:
    """Without what the reader themself did."""
    return [event for event in events(answer) if event["client"] == client]


def said(event: dict[str, Any]) -> dict[str, str]:
    return {text[0]["valueCode"]: text[1]["valueString"] for text in event["text"]}


def next_page(answer: Answer) -> str:
    return next((one["valueUri"] for one in answer.json["parameter"] if one["name"] == "next"), "")


async def practice(house: House) -> Caller:
    """A doctor whom the directory knows, at work in a dossier."""
    await house.given(
        organization("h", name="Praktijk Aan de Markt"),
        {
            "resourceType": "Practitioner",
            "id": "d",
            "name": [{"given": ["Karin"], "family": "Vermeulen"}],
        },
        patient("p"),
        patient("q"),
        observation("a", "p"),
        observation("b", "p"),
        observation("c", "q"),
    )
    return await house.caller("Practitioner/d", "user/*.rs", client="his", purpose="TREAT", reason="spreekuur")


async def test_it_tells_when_who_what_and_to_what_end_with_names_from_the_directory(house: House) -> None:
    doctor = await practice(house)
    await doctor.get("Observation?patient=Patient/p")
    me = await house.caller("Patient/p", "patient/*.rs", client="mine")
    (event,) = of(await read(me), "his")
    assert event["who"] == {"reference": "Practitioner/d", "display": "Karin Vermeulen"}
    assert (event["interaction"], event["outcome"], event["emergency"]) == ("search-type", "permitted", False)
    assert (event["purpose"], event["reason"]) == ("TREAT", "spreekuur")
    assert event["what"] == [
        [{"name": "type", "valueCode": "Observation"}, {"name": "count", "valueInteger": 2}],
    ]
    assert event["rule"] == ["base"]
    told = said(event)
    assert told["nl"].startswith("Karin Vermeulen heeft op 21 september 2026 om 16:13 uur 2 metingen opgezocht, ")
    assert "met als doel behandeling; dat mocht, want" in told["nl"]
    assert told["en"].startswith(
        "Karin Vermeulen looked up 2 measurements on 21 September 2026 at 16:13, for treatment;"
    )


async def test_it_is_newest_first_and_comes_in_pages_that_neither_repeat_nor_skip(house: House) -> None:
    doctor = await practice(house)
    for _ in range(5):
        await doctor.get("Observation/a")
    me = await house.caller("Patient/p", "patient/*.rs", client="mine")
    whole = [event["event"]["reference"] for event in of(await read(me, "?_count=1000"), "his")]
    assert len(whole) == 5
    recorded = [event["recorded"] for event in events(await read(me, "?_count=1000"))]
    assert recorded == sorted(recorded, reverse=True)
    seen: list[str] = []
    url = "Patient/p/$access-log?_count=2&language=nl"
    while url:
        answer = await me.get(url)
        assert len(events(answer)) <= 2
        assert all(set(said(event)) == {"nl"} for event in events(answer)), "the next page is asked for in the same way"
        seen += [event["event"]["reference"] for event in of(answer, "his")]
        url = next_page(answer)
    assert seen == whole


async def test_it_is_bounded_by_start_and_end(house: House) -> None:
    doctor = await practice(house)
    await doctor.get("Observation/a")
    await doctor.get("Observation/b")
    me = await house.caller("Patient/p", "patient/*.rs", client="mine")
    later, earlier = of(await read(me), "his")
    assert [e["event"] for e in of(await read(me, f"?start={later['recorded']}"), "his")] == [later["event"]]
    assert [e["event"] for e in of(await read(me, f"?end={earlier['recorded']}"), "his")] == [earlier["event"]]
    assert events(await read(me, "?start=2090")) == []
    for bad in ("start=gisteren", "start=2026,2027", "language=de", "_count=x", "colour=red", "start=2026&start=2027"):
        assert (await me.get(f"Patient/p/$access-log?{bad}")).status == 400, bad


async def test_a_refusal_is_told_to_whom_it_was_about(house: House) -> None:
    async with opened() as closed:
        doctor = await practice(closed)
        assert (await doctor.get("Observation/a")).status == 404
        me = await closed.caller("Patient/p", "patient/*.rs", client="mine")
        (event,) = of(await read(me), "his")
        assert (event["outcome"], event["rule"]) == ("refused", ["base"])
        assert said(event)["nl"].endswith(
            "1 meting lezen, met als doel behandeling; dat is geweigerd, want u hebt daar geen toestemming voor gegeven."
        )
        other = await closed.caller("Patient/q", "patient/*.rs", client="mine")
        assert of(await read(other, patient="q"), "his") == []


async def test_only_what_is_about_this_patient_is_in_it(house: House) -> None:
    """Also not what they did, as somebody's proxy or otherwise, in the dossier of another."""
    doctor = await practice(house)
    await doctor.get("Observation")
    me = await house.caller("Patient/p", "patient/*.rs user/*.rs", client="mine")
    assert (await me.get("Observation/c")).status in (200, 404)
    auditor = await house.caller("system", "system/*.rs", client="auditor")
    of_p = {event["event"]["reference"] for event in events(await read(auditor))}
    of_q = {
        event["event"]["reference"]: event["who"]["reference"] for event in of(await read(auditor, "", "q"), "mine")
    }
    assert set(of_q.values()) == {"Patient/p"}
    assert not of_p & set(of_q)
    (event,) = of(await read(me), "his")
    assert event["what"][0][1]["valueInteger"] == 2


async def test_whoever_may_not_read_the_log_learns_nothing(house: House) -> None:
    doctor = await practice(house)
    await doctor.get("Observation/a")
    assert events(await read(doctor)) == []
    stranger = await house.caller("Patient/q", "patient/*.rs")
    hidden, absent = await stranger.get("Patient/p/$access-log"), await stranger.get("Patient/x/$access-log")
    assert (hidden.status, hidden.text) == (absent.status, absent.text)
    assert hidden.status == 404
    narrow = await house.caller("Patient/p", "patient/Patient.rs")
    assert (await narrow.get("Patient/p/$access-log")).status == 403
    assert (await house.anonymous().get("Patient/p/$access-log")).status == 401


async def test_reading_the_log_stands_in_it(house: House) -> None:
    await practice(house)
    me = await house.caller("Patient/p", "patient/*.rs", client="mine")
    await read(me)
    asked = [event for event in events(await read(me)) if event["interaction"] == "operation"]
    assert len(asked) == 1
    assert said(asked[0])["nl"].startswith("U hebt op ")
    assert asked[0]["rule"] == ["own"]


async def test_a_cursor_is_for_whom_it_was_given(house: House) -> None:
    doctor = await practice(house)
    await doctor.get("Observation/a")
    me = await house.caller("Patient/p", "patient/*.rs", client="mine")
    url = next_page(await read(me, "?_count=1"))
    assert (await me.get(url)).status == 200
    other = await house.caller("Patient/q", "patient/*.rs", client="mine")
    assert (await other.get(url)).status == 400
    assert (await me.get(url.replace("Patient/p/", "Patient/q/"))).status == 400


async def test_an_app_is_called_by_its_name_and_a_device_of_a_patient_by_none(house: House) -> None:
    """The Device of a registered app is about nobody; a thing that a patient wears may bear the same number."""
    app = {
        "resourceType": "Device",
        "identifier": [{"value": "pressure"}],
        "deviceName": [{"name": "Mijn bloeddruk", "type": "user-friendly-name"}],
    }
    worn = {
        "resourceType": "Device",
        "identifier": [{"value": "watch"}],
        "deviceName": [{"name": "Mijn horloge", "type": "user-friendly-name"}],
    }
    await house.given(
        patient("p"),
        observation("a", "p"),
        {**app, "id": "app-pressure"},
        {**worn, "id": "w", "patient": {"reference": "Patient/p"}},
    )
    for client in ("pressure", "watch"):
        me = await house.caller("Patient/p", "patient/*.rs", client=client)
        await me.get("Observation/a")
    told = {event["client"]: said(event)["nl"] for event in events(await read(me))}
    assert told["pressure"].startswith("U hebt met de app Mijn bloeddruk op ")
    assert told["watch"].startswith("U hebt op ")

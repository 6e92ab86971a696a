"""Of each write the server says who made it, for the patient alone. https://hl7.org/fhir/R4/provenance.html"""

from typing import Any

import pytest

from fhir_server.gateway.provenance import server_made
from profiles import json, registry
from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Caller, House, observation, organization, patient

pytestmark = pytest.mark.anyio

TAG = {"system": "https://wijkdossier.nl/fhir/CodeSystem/server-made", "code": "provenance"}


async def made(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    """The server's Provenances that the caller may read, oldest first."""
    answer = await caller.get(f"Provenance?_count=1000&_sort=recorded{query}")
    assert answer.status == 200, answer.text
    return [one for one in answer.resources if server_made(one)]


def told(provenance: dict[str, Any]) -> tuple[str, list[str]]:
    return provenance["activity"]["coding"][0]["code"], [one["reference"] for one in provenance["target"]]


async def test_every_kind_of_write_leaves_one_with_what_was_done_and_by_whom(house: House) -> None:
    await house.given(patient("p"))
    me = await house.caller("Patient/p", "patient/*.cruds", client="my-app", purpose="PATRQT")
    weight = {**observation("", "p")}
    del weight["id"]
    written = (await me.post("Observation", weight)).json["id"]
    await me.put(f"Observation/{written}", observation(written, "p", "other"))
    patch = b'[{"op":"replace","path":"/status","value":"amended"}]'
    await me("PATCH", f"Observation/{written}", patch, content_type="application/json-patch+json")
    await me.delete(f"Observation/{written}")
    loaded, *mine = await made(me)
    assert told(loaded) == ("CREATE", ["Patient/p/_history/1"])
    assert [told(one) for one in mine] == [
        ("CREATE", [f"Observation/{written}/_history/1"]),
        ("UPDATE", [f"Observation/{written}/_history/2"]),
        ("UPDATE", [f"Observation/{written}/_history/3"]),
        ("DELETE", [f"Observation/{written}/_history/4"]),
    ]
    author, client = mine[0]["agent"]
    assert (author["type"]["coding"][0]["code"], author["who"]) == ("author", {"reference": "Patient/p"})
    assert (client["type"]["coding"][0]["code"], client["who"]["display"]) == ("transmitter", "my-app")
    assert mine[0]["reason"][0]["coding"][0]["code"] == "PATRQT"
    assert all(one["meta"]["tag"] == [TAG] for one in mine)


async def test_each_is_valid_and_has_the_owners_that_its_text_gives_it(permissive: House) -> None:
    both = {**observation("ab", "p"), "performer": [{"reference": "Patient/q"}]}
    await permissive.given(patient("p"), patient("q"), observation("a", "p"), organization("o"), both)
    operator = await permissive.caller()
    await operator.get("Provenance")
    tools = permissive.gateway.tools

    async def nobody(type: str, id: str) -> None:
        return None

    async with permissive.store.snapshot() as snapshot:
        found = [
            stored
            for stored in [await snapshot.read("Provenance", id) for id in [one["id"] for one in await made(operator)]]
            if stored is not None
        ]
    assert {stored.owners for stored in found} == {("p",), ("q",), ("p", "q"), ()}
    for stored in found:
        resource = json.parse(stored.body)
        assert not [issue for issue in iter_issues(resource, registry.load()) if issue.severity == "error"]
        assert await tools.ownership.owners(resource, tools.extract(resource), nobody) == stored.owners


async def test_a_transaction_leaves_one_for_each_patient_and_kind_of_change(permissive: House) -> None:
    await permissive.given(patient("p"), patient("q"), observation("old", "p"))
    writer = await permissive.caller()
    entries = [
        {"request": {"method": "PUT", "url": f"Observation/{id}"}, "resource": observation(id, who)}
        for id, who in (("a", "p"), ("b", "p"), ("c", "q"))
    ]
    entries.append({"request": {"method": "DELETE", "url": "Observation/old"}})
    answer = await writer.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status == 200, answer.text
    found = [told(one) for one in await made(await permissive.caller())][3:]
    assert sorted(found) == [
        ("CREATE", ["Observation/a/_history/1", "Observation/b/_history/1"]),
        ("CREATE", ["Observation/c/_history/1"]),
        ("DELETE", ["Observation/old/_history/2"]),
    ]


async def test_reading_leaves_none(house: House) -> None:
    await house.given(patient("p"))
    me = await house.caller("Patient/p", "patient/*.rs")
    before = await made(me)
    await me.get("Patient/p")
    await me.get("Observation")
    assert await made(me) == before


async def test_it_is_for_the_patient_alone_whatever_the_base_policy(permissive: House) -> None:
    await permissive.given(patient("p"), patient("q"), observation("a", "p"))
    me = await permissive.caller("Patient/p", "patient/*.rs")
    assert len(await made(me)) == 2
    doctor = await permissive.caller("Practitioner/d", "user/*.rs")
    assert (await doctor.get("Observation/a")).status == 200
    assert await made(doctor) == []
    found = await doctor.get("Observation?_revinclude=Provenance:target")
    assert [one["resourceType"] for one in found.resources] == ["Observation"]
    assert (await doctor.get(f"Provenance/{(await made(me))[0]['id']}")).status == 404


async def test_nobody_changes_or_removes_one(permissive: House) -> None:
    await permissive.given(patient("p"))
    for who, scope in (("Patient/p", "patient/*.cruds"), ("system", "system/*.cruds")):
        caller = await permissive.caller(who, scope)
        (one,) = await made(caller, "&target=Patient/p")
        changed = await caller.put(f"Provenance/{one['id']}", {**one, "recorded": "2020-01-01T00:00:00Z"})
        assert changed.status in (403, 404), changed.text
        assert (await caller.delete(f"Provenance/{one['id']}")).status in (403, 404)
        assert await made(caller, "&target=Patient/p") == [one]


async def test_nobody_can_make_one_look_like_the_servers(house: House) -> None:
    await house.given(patient("p"))
    me = await house.caller("Patient/p", "patient/*.cruds")
    claimed = {
        "resourceType": "Provenance",
        "meta": {"tag": [TAG, {"system": "http://x", "code": "mine"}]},
        "target": [{"reference": "Patient/p"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Patient/p"}}],
    }
    stored = await me.post("Provenance", claimed)
    assert stored.status == 201, stored.text
    assert stored.json["meta"]["tag"] == [{"system": "http://x", "code": "mine"}]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG]}}]}
    await me.post(f"Provenance/{stored.json['id']}/$meta-add", parameters)
    kept = await me.get(f"Provenance/{stored.json['id']}")
    assert kept.json["meta"]["tag"] == [{"system": "http://x", "code": "mine"}]


async def test_reindexing_leaves_them_whose_they_were(permissive: House) -> None:
    """A Provenance of a client follows its targets; one of the server stays with whom the change was about."""
    await permissive.given(patient("p"), patient("q"), observation("a", "p"))
    operator = await permissive.caller()
    await operator.put("Observation/a", observation("a", "q"))
    me = await permissive.caller("Patient/p", "patient/*.rs")
    before = [told(one) for one in await made(me)]
    assert ("CREATE", ["Observation/a/_history/1"]) in before
    await permissive.maintenance.reindex(lambda _: None)
    assert [told(one) for one in await made(me)][: len(before)] == before
    doctor = await permissive.caller("Practitioner/d", "user/*.rs")
    assert await made(doctor) == []

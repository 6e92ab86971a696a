"""The operator's import. https://hl7.org/fhir/R4/bundle.html"""

from typing import Any

import pytest

from fhir_server.interactions.load import CHUNK_SIZE, Loaded, load, load_resources
from tests.fhir_server.inprocess import House, observation, opened, organization, patient

pytestmark = pytest.mark.anyio

URN = "urn:uuid:11111111-1111-4111-8111-111111111111"


def bundle(type: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


async def test_a_resource_keeps_its_id_and_a_second_load_is_a_new_version(house: House) -> None:
    for version in ("1", "2"):
        loaded = await load(house.maintenance, organization("o"))
        assert (loaded.stored, loaded.refused) == ({"Organization": 1}, [])
        found = await (await house.caller()).get("Organization/o")
        assert found.json["meta"]["versionId"] == version


async def test_a_collection_is_taken_apart_and_its_references_follow_the_ids(house: House) -> None:
    about = {**observation("a", ""), "subject": {"reference": URN}}
    loaded = await load(
        house.maintenance,
        bundle("collection", {"resource": about}, {"fullUrl": URN, "resource": patient("p")}),
    )
    assert loaded.stored == {"Observation": 1, "Patient": 1}
    found = await (await house.caller()).get("Observation/a")
    assert found.json["subject"]["reference"] == "Patient/p"


async def test_a_document_is_one_resource(house: House) -> None:
    loaded = await load(house.maintenance, {**bundle("document"), "id": "d"})
    assert set(loaded.stored) <= {"Bundle"}


async def test_in_a_collection_each_resource_stands_or_falls_by_itself(house: House) -> None:
    loaded = await load(
        house.maintenance,
        bundle("collection", {"resource": patient("bad", gender="x")}, {"resource": patient("good")}, {"resource": {}}),
    )
    assert loaded.stored == {"Patient": 1}
    assert [refused.name for refused in loaded.refused] == ["Patient/bad", "/"]
    assert "gender" in str(loaded.refused[0].error.issues)


async def test_a_transaction_stands_or_falls_as_one(house: House) -> None:
    def entry(resource: dict[str, Any]) -> dict[str, Any]:
        return {"request": {"method": "POST", "url": resource["resourceType"]}, "resource": resource}

    bad = await load(house.maintenance, bundle("transaction", entry(patient("p")), entry(patient("q", gender="x"))))
    assert (bad.stored, len(bad.refused)) == ({}, 1)
    assert "Bundle.entry[1]" in bad.refused[0].error.diagnostics
    good = await load(house.maintenance, bundle("transaction", entry(patient("p")), entry(organization("o"))))
    assert good.stored == {"Patient": 1, "Organization": 1}
    batch = await load(house.maintenance, bundle("batch", entry(patient("p")), entry(patient("q", gender="x"))))
    assert (batch.stored, [one.name for one in batch.refused]) == ({"Patient": 1}, ["Bundle.entry[1]"])


async def test_dangling_references_are_reported_or_refused(house: House) -> None:
    loaded = await load(house.maintenance, observation("a", "nobody"))
    assert loaded.stored == {"Observation": 1}
    assert await house.maintenance.absent(sorted(loaded.references)) == [("Patient", "nobody")]
    strict = await load(house.maintenance, observation("b", "nobody"), strict_references=True)
    assert (strict.stored, strict.refused[0].error.category.status) == ({}, 422)
    entry = {"request": {"method": "PUT", "url": "Observation/c"}, "resource": observation("c", "nobody")}
    strict = await load(house.maintenance, bundle("transaction", entry), strict_references=True)
    assert "Bundle.entry[0]" in strict.refused[0].error.diagnostics
    known = {"request": {"method": "PUT", "url": "Patient/nobody"}, "resource": patient("nobody")}
    assert not (await load(house.maintenance, bundle("transaction", entry, known), strict_references=True)).refused


async def test_lines_are_stored_in_chunks_even_if_one_comes_twice(house: House) -> None:
    loaded = Loaded()
    lines = [organization(f"o{n}") for n in range(CHUNK_SIZE + 5)] + [organization("o1"), organization("o1")]
    await load_resources(house.maintenance, lines, loaded)
    assert loaded.stored == {"Organization": CHUNK_SIZE + 7}
    assert (await (await house.caller()).get("Organization/o1")).json["meta"]["versionId"] == "3"


async def test_what_is_loaded_belongs_to_its_patient_and_is_in_their_log() -> None:
    async with opened() as house:
        provenance = {
            "resourceType": "Provenance",
            "id": "v",
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"display": "x"}}],
            "target": [{"reference": "Observation/a"}],
        }
        await load(
            house.maintenance,
            bundle(
                "collection", {"resource": provenance}, {"resource": observation("a", "p")}, {"resource": patient("p")}
            ),
        )
        me = await house.caller("Patient/p", "patient/*.rs")
        for url in ("Patient/p", "Observation/a", "Provenance/v"):
            assert (await me.get(url)).status == 200, url
        log = (await me.get("AuditEvent?subtype=batch")).resources
        assert log
        assert log[0]["agent"][0]["who"]["display"] == "test"


async def test_reindexing_keeps_owners_and_finds_everything_again() -> None:
    async with opened() as house:
        await house.given(patient("p"), observation("a", "p"), organization("o"))
        me = await house.caller("Patient/p", "patient/*.rs")
        before = [(await me.get(url)).ids for url in ("Observation?code=weight", "AuditEvent?subtype=batch")]
        told: list[int] = []
        assert await house.maintenance.reindex(told.append) > 3
        after = [(await me.get(url)).ids for url in ("Observation?code=weight", "AuditEvent?subtype=batch")]
        assert before == after
        assert told

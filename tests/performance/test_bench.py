"""The bench runs, in little, and its populations are what they pass for."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from examples import bundle_paths
from fhir_server.gateway.filing import Filing, decode, filed, span
from fhir_server.search.query import EVERYTHING, And, Ids, OwnedBy, Query, Reference
from fhir_server.store.protocol import StoredVersion, Write
from fhir_server.store.sqlite import open_store
from profiles import json
from profiles import registry as definitions
from tests.fhir_server.inprocess import opened
from tests.performance import bench, population, samples, searching, stores
from tests.performance.measure import TINY, Cost
from tests.performance.population import Dossiers, copied_id, fill
from tests.performance.searching import Found
from tests.performance.wishes import consent_id

REGISTRY = definitions.load()


def test_every_part_of_the_bench_measures_something(tmp_path: Path) -> None:
    lines = list(bench.run(tmp_path, tmp_path / "cache", REGISTRY, TINY, million=False))
    measured = [line for line in lines if "met" in line or "FALLS SHORT" in line]
    for what in ("validation of Patient", "validation of Consent", "cold start", "memory", "import", "audited read"):
        assert any(line.startswith(what) for line in measured), what
    assert sum(line.startswith("consent's share of") for line in measured) == 9
    assert any(line.startswith("a Consent revoked") and "met" in line for line in measured)
    assert any(line.startswith("search mix") for line in measured)
    assert sum(line.startswith("the bearer check's share") for line in measured) == 2
    assert any(line.startswith("a token for an RS384 assertion") and "µs" in line for line in lines)
    assert [kind for kind in samples.KINDS if any(line.strip().startswith(f"{kind}: p50") for line in lines)] == list(
        samples.KINDS
    )


@pytest.fixture(scope="module")
def residents() -> Dossiers:
    """The social map and two residents of the example wijk."""
    dossiers = Dossiers([bundle_paths()[0], *bundle_paths()[2:4]], REGISTRY)
    asyncio.run(dossiers.extract())
    return dossiers


async def _about(data: Path, dossiers: Dossiers, copies: int, patient: str) -> list[tuple[StoredVersion, ...]]:
    """What is about the patient, and what refers to them by `patient`, in each copy."""
    store = await open_store(data)
    try:
        assert await fill(store, dossiers, copies * len(dossiers.templates)) == copies
        found = []
        async with store.snapshot() as snapshot:
            for number in range(copies):
                renamed = copied_id(patient, number)
                owned = OwnedBy((renamed,))
                refers = And((owned, Reference("patient", type="Patient", id=renamed)))
                for types, where in ((("Patient",), And((owned, Ids((renamed,))))), (("Observation",), refers)):
                    found.append((await snapshot.search(Query(types, where), count=500)).rows)
        return found
    finally:
        await store.close()


def test_copies_of_a_dossier_are_found_by_their_own_ids_and_by_no_other(tmp_path: Path, residents: Dossiers) -> None:
    patient = next(one.id for one in residents.templates if one.type == "Patient")
    expected = sum(
        one["resourceType"] == "Observation" and one["subject"]["reference"] == f"Patient/{patient}"
        for one in residents.resources
    )
    assert expected > 0
    first, first_observations, second, second_observations = asyncio.run(_about(tmp_path, residents, 2, patient))
    assert [row.id for row in first] == [copied_id(patient, 0)]
    assert [row.id for row in second] == [copied_id(patient, 1)]
    assert len(first_observations) == len(second_observations) == expected
    for row in second_observations:
        assert json.parse(row.body)["subject"]["reference"] == f"Patient/{copied_id(patient, 1)}"


def test_no_reference_in_a_copy_leads_to_an_original(residents: Dossiers) -> None:
    originals = set(residents.ids)
    for write in residents.copy(3):
        assert write.rows is not None
        assert not {row.id for row in write.rows.references} & originals
        assert write.id not in originals
        assert not set(write.owners) & originals
        assert write.body is not None
        text = write.body.head + b'"versionId":"1"' + write.body.tail
        assert json.parse(text)["id"] == write.id


def _literal(write: Write) -> dict[str, Any]:
    """The resource as somebody would send it."""
    assert write.body is not None
    found: dict[str, Any] = json.parse(write.body.head + b'"versionId":"1"' + write.body.tail)
    return found


def _timeless(filing: Filing) -> Filing:
    """Without its time if that is the millisecond of its import: the resource tells none."""
    low, high = filing.facts.interval or (0, 0)
    return filing if high - low > 1_000 else Filing(replace(filing.facts, interval=None), filing.recorded)


def test_what_is_filed_with_a_copy_is_what_an_import_of_it_files(residents: Dossiers) -> None:
    async def imported(writes: list[Write]) -> list[Filing]:
        async with opened() as house:
            await house.given(*map(_literal, writes))
            async with house.store.snapshot() as snapshot:
                stored = [await snapshot.read(write.type, write.id) for write in writes]
        return [decode(one.facts) for one in stored if one is not None]

    writes = list(residents.copy(3))
    filings = asyncio.run(imported(writes))
    assert len(filings) == len(writes)
    for write, expected in zip(writes, filings, strict=True):
        found = decode(write.facts)
        assert _timeless(found) == _timeless(expected), (write.type, write.id)
        assert write.rows is not None
        assert set(write.rows.filed) == set(filed(expected.facts))
        assert write.rows.span == span(found.facts.interval)


def test_searches_are_the_same_in_every_run_and_name_what_is_there(residents: Dossiers) -> None:
    known = samples.take(residents, 2)
    assert known == samples.take(residents, 2)
    assert known.resources == 2 * len(residents.templates)
    people = {copied_id(one.id, n) for one in residents.templates if one.type == "Patient" for n in range(2)}
    assert {person for person, _ in known.people} <= people
    for kind in samples.KINDS:
        asked = samples.urls(known, kind, of_one_patient=True)
        assert asked == samples.urls(known, kind, of_one_patient=True)
        assert all(any(person in url for person in people) for url in asked)


def test_the_wijk_is_there_twice_and_each_patient_has_a_wish(tmp_path: Path) -> None:
    scale = replace(TINY, patients=5)
    found = stores.wijk(tmp_path, bundle_paths()[2:5], REGISTRY, scale)

    async def everything(data: Path) -> set[tuple[str, str]]:
        store = await open_store(data)
        try:
            async with store.snapshot() as snapshot:
                page = await snapshot.search(Query(REGISTRY.resource_types, EVERYTHING), count=10_000)
            return {(row.type, row.id) for row in page.rows}
        finally:
            await store.close()

    silent, ruled = (asyncio.run(everything(data)) for data in (found.silent, found.ruled))
    assert not [id for type, id in silent if type == "Consent"]
    assert {id for type, id in silent if type == "Patient"} == set(found.patients)
    assert len(found.patients) == 6
    assert ruled - silent == {("Consent", consent_id(patient)) for patient in found.patients}
    assert silent < ruled
    wishes = {str(found.consent(patient)["provision"]) for patient in found.patients}
    assert len(wishes) == found.policies == 6
    assert stores.wijk(tmp_path, bundle_paths()[2:5], REGISTRY, scale) == found


def test_growth_is_that_of_the_kind_that_grows_most() -> None:
    def found(**cpu_us: float) -> Found:
        costs = {kind: Cost(cpu_us.get(kind, 100.0), 10.0, 1.0) for kind in samples.KINDS}
        return Found(costs, {}, Cost(1.0, 1.0, 1.0))

    (row,) = searching.growth_rows(found(), found(token=300.0, date=120.0), 1_000_000)
    assert "(token)" in row.what
    assert row.measured == "3.00 ×"
    assert row.reached == pytest.approx(0.5)


def test_the_sources_are_there() -> None:
    assert population.source_files()

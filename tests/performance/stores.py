"""The stores that are measured: built once, and kept in a cache for the next run if there is one."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import time_ns

from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.interactions.load import Loaded, load_resources
from fhir_server.settings import Settings
from fhir_server.store.sqlite import open_store
from profiles.registry import Registry
from tests.performance import population, samples, wishes
from tests.performance.measure import Scale
from tests.performance.population import ROOT, Dossiers
from tests.performance.samples import Samples

POLICIES = 50  # different Consents
_DOSSIERS = 2  # that the patients with a Consent are copies of
_OBSERVATIONS_MIN = 16


@dataclass(frozen=True, slots=True)
class Store:
    data: Path
    known: Samples


@dataclass(frozen=True, slots=True)
class Wijk:
    """The same patients twice: in `silent` no Consent speaks, in `ruled` each patient has one.

    `patients` are their ids, `policies` how many different Consents there are.
    """

    silent: Path
    ruled: Path
    known: Samples
    patients: tuple[str, ...]
    policies: int

    def consent(self, patient: str, *, status: str = "active") -> wishes.Json:
        """The Consent of this patient; every fiftieth wishes the same."""
        different = wishes.exceptions(self.known.codes, POLICIES)
        number = self.patients.index(patient) % len(different)
        return wishes.consent(patient, different[number], status=status)


def store(cache: Path, files: list[Path], registry: Registry, scale: Scale) -> Store:
    """A store with at least `scale.resources` resources. One that was built before is taken as it is."""
    data = cache / f"population-{_form(files)}-{scale.resources}"
    listing = data / "samples.json"
    if not listing.exists():
        dossiers = Dossiers(files, registry)
        asyncio.run(_fill(data, dossiers, scale.resources, listing))
    return Store(data, samples.load(listing))


def wijk(cache: Path, files: list[Path], registry: Registry, scale: Scale) -> Wijk:
    """A store of `scale.patients` small dossiers, with Consents and without."""
    folder = cache / f"wijk-{_form(files)}-{scale.patients}"
    silent, ruled = folder / "silent", folder / "ruled"
    dossiers = Dossiers(small(files, _DOSSIERS), registry, apart_from=("Consent",))
    residents = [one["id"] for one in dossiers.resources if one["resourceType"] == "Patient"]
    copies = -(-scale.patients // len(residents))
    listing = silent / "samples.json"
    finished = ruled / "finished"
    if not finished.exists():
        shutil.rmtree(folder, ignore_errors=True)
        asyncio.run(_fill(silent, dossiers, copies * len(dossiers.resources), listing))
        asyncio.run(_import(silent, registry, wishes.directory()))
    patients = tuple(population.copied_id(one, number) for number in range(copies) for one in residents)
    known = samples.load(listing)
    policies = min(len(patients), len(wishes.exceptions(known.codes, POLICIES)))
    found = Wijk(silent, ruled, known, patients, policies)
    if not finished.exists():
        shutil.copytree(silent, ruled)
        asyncio.run(_import(ruled, registry, [found.consent(patient) for patient in patients]))
        finished.touch()
    return found


def small(files: Sequence[Path], count: int) -> list[Path]:
    """The smallest of the Bundles that are one patient's dossier with some measurements."""
    sizes: list[tuple[int, Path]] = []
    for file in files:
        types = [entry["resource"]["resourceType"] for entry in population.read_bundle(file)["entry"]]
        if types.count("Patient") == 1 and types.count("Observation") >= _OBSERVATIONS_MIN:
            sizes.append((len(types), file))
    return [file for _, file in sorted(sizes)[:count]]


def _form(files: Sequence[Path]) -> str:
    """Names the sources and how they are filed, so that no population of an older form is measured."""
    patterns = (
        *("consent/*.py", "fhir_server/search/**/*.py", "fhir_server/store/sqlite/*.py"),
        *("fhir_server/gateway/filing.py", "tests/performance/population.py", "tests/performance/wishes.py"),
    )
    sources = [file for pattern in patterns for file in ROOT.glob(pattern)]
    digest = sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()[:12]
    return f"{files[0].suffix[1:]}-{len(files)}-{digest}"


async def _fill(data: Path, dossiers: Dossiers, count: int, listing: Path) -> None:
    """Whole copies of the dossiers, at least `count` resources."""
    opened = await open_store(data)
    try:
        await dossiers.extract()
        copies = await population.fill(opened, dossiers, count)
        # Written last: a folder without it is unfinished.
        samples.take(dossiers, copies).save(listing)
    finally:
        await opened.close()


async def _import(data: Path, registry: Registry, resources: Sequence[wishes.Json]) -> None:
    """Raises RuntimeError if anything is refused."""
    opened = await open_store(data)
    try:
        settings = Settings(data=data)
        gateway = Gateway(opened, registry, settings, clock=lambda: time_ns() // 1_000, cursor_key=bytes(32))
        loaded = Loaded()
        await load_resources(Maintenance(gateway, "bench"), resources, loaded)
    finally:
        await opened.close()
    if loaded.refused:
        raise RuntimeError(f"{len(loaded.refused)} refused: {loaded.refused[0].error.diagnostics}")

"""All parts of the bench in turn, and the lines of its table."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from fhir_server.store.sqlite import open_store
from profiles.registry import Registry
from tests.performance import importing, population, reading, samples, searching, starting, validating
from tests.performance.measure import Row, Scale, put_token
from tests.performance.population import ROOT
from tests.performance.samples import Samples

MILLION = 1_000_000
CRASH_TEST = "tests/fhir_server/store/test_crash.py"
_WIDTHS = (84, 15, 34, 7)


def run(folder: Path, cache: Path, registry: Registry, scale: Scale, *, million: bool) -> Iterator[str]:
    """Yield the lines of the table as they are measured. `folder` is for what need not stay, `cache` for what may."""
    files = population.source_files()[: scale.bundles]
    yield _line("what", "target", "measured", "reached")
    yield "-" * sum(_WIDTHS)
    yield from _lines(validating.rows(registry, scale))
    yield from _lines(starting.rows(folder / "empty"))
    yield from _lines(importing.rows(files, folder / "imported"))
    data, known = built(cache, files, registry, scale)
    yield from _lines(reading.rows(data, known, registry, scale))
    found = searching.measure(data, known, scale)
    yield from _lines(searching.rows(known, found))
    if million:
        data, known = built(cache, files, registry, replace(scale, resources=MILLION))
        large = searching.measure(data, known, scale)
        yield from _lines(searching.growth_rows(found, large, known.resources))
    else:
        yield _line(
            "p50 at 1,000,000 resources against 100,000", "≤ 1.5 ×", "WIJKDOSSIER_BENCH_MILLION=1 measures it", ""
        )
    yield _line("kill -9 at any moment", "nothing lost", f"see {CRASH_TEST}", "")


def built(cache: Path, files: list[Path], registry: Registry, scale: Scale) -> tuple[Path, Samples]:
    """The folder of a store with at least `scale.resources` resources and tokens to read it with, and what is in it.

    A store that was built before is taken as it is.
    """
    data = cache / f"population-{files[0].suffix[1:]}-{len(files)}-{scale.resources}-{_form()}"
    listing = data / "samples.json"
    asyncio.run(_build(data, files, registry, scale.resources, listing if not listing.exists() else None))
    return data, samples.load(listing)


def _form() -> str:
    """What changes when resources are filed in another way, so that no population of an older form is measured."""
    patterns = (
        *("consent/*.py", "fhir_server/search/**/*.py", "fhir_server/store/sqlite/*.py"),
        *("fhir_server/gateway/filing.py", "tests/performance/population.py"),
    )
    sources = [file for pattern in patterns for file in ROOT.glob(pattern)]
    return sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()[:12]


async def _build(data: Path, files: list[Path], registry: Registry, count: int, listing: Path | None) -> None:
    store = await open_store(data)
    try:
        if listing is not None:
            dossiers = population.Dossiers(files, registry)
            await dossiers.extract()
            copies = await population.fill(store, dossiers, count)
            # Written last: a folder without it is unfinished.
            samples.take(dossiers, copies).save(listing)
        await put_token(store, searching.TOKEN, "Practitioner/bench", "user/*.rs")
    finally:
        await store.close()


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        reached = "" if row.reached is None else f"{row.reached:.2f}"
        yield _line(row.what, row.target, row.measured, reached, _verdict(row))


def _verdict(row: Row) -> str:
    met = "" if row.reached is None else "met" if row.reached >= 1 else "FALLS SHORT"
    return "; ".join(part for part in (met, row.note) if part)


def _line(what: str, target: str, measured: str, reached: str, verdict: str = "") -> str:
    cells = "".join(text.ljust(width) for text, width in zip((what, target, measured, reached), _WIDTHS, strict=True))
    return f"{cells} {verdict}".rstrip()

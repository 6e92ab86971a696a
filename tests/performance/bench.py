"""All parts of the bench in turn, and the lines of its table."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from profiles.registry import Registry
from tests.performance import (
    authorizing,
    consenting,
    deciding,
    granting,
    importing,
    population,
    reading,
    revoking,
    searching,
    starting,
    stores,
    validating,
)
from tests.performance.measure import Row, Scale

MILLION = 1_000_000
CRASH_TEST = "tests/fhir_server/store/test_crash.py"
_WIDTHS = (86, 15, 34, 7)


def run(folder: Path, cache: Path, registry: Registry, scale: Scale, *, million: bool) -> Iterator[str]:
    """Yield the lines of the table as they are measured. `folder` is for what need not stay, `cache` for what may."""
    files = population.source_files()[: scale.bundles]
    yield _line("what", "target", "measured", "reached")
    yield "-" * sum(_WIDTHS)
    yield from _lines(validating.rows(registry, scale))
    yield from _lines(starting.rows(folder / "empty"))
    yield from _lines(importing.rows(files, folder / "imported"))
    store = stores.store(cache, files, registry, scale)
    yield from _lines(reading.rows(store.data, store.known, registry, scale))
    yield from _lines(authorizing.rows(store.data, store.known, scale))
    yield from _lines(granting.rows(folder / "granting", scale))
    yield from _lines(deciding.rows(scale))
    wijk = stores.wijk(cache, files, registry, scale)
    yield from _lines(consenting.rows(wijk, scale))
    yield from _lines(revoking.rows(wijk, scale))
    found = searching.measure(store, scale)
    yield from _lines(searching.rows(store.known, found))
    if million:
        larger = stores.store(cache, files, registry, replace(scale, resources=MILLION))
        large = searching.measure(larger, scale)
        yield from _lines(searching.growth_rows(found, large, larger.known.resources))
    else:
        yield _line(
            "p50 at 1,000,000 resources against 100,000", "≤ 1.5 ×", "WIJKDOSSIER_BENCH_MILLION=1 measures it", ""
        )
    yield _line("kill -9 at any moment", "nothing lost", f"see {CRASH_TEST}", "")


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

"""What it takes to hold one resource against the base specification, every invariant included."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import process_time_ns
from typing import Any

from examples import bundle_paths
from profiles import json
from profiles.registry import Registry
from profiles.validate import iter_issues
from tests.performance.measure import Row, Scale
from tests.performance.population import ROOT, read_bundle

TARGETS_US = {"Patient": 60, "Consent": 400}
_EXAMPLES = {"Patient": "Patient-example.json", "Consent": "Consent-consent-example-basic.json"}
_ROUND = 10  # long enough for the clock, and short enough that one of many is undisturbed


def rows(registry: Registry, scale: Scale) -> list[Row]:
    return [_row(type, registry, scale) for type in TARGETS_US]


def _row(type: str, registry: Registry, scale: Scale) -> Row:
    resource, name = _example(type)
    assert not [issue for issue in iter_issues(resource, registry) if issue.severity == "error"], name
    best = _best_us(lambda: list(iter_issues(resource, registry)), scale)
    target = TARGETS_US[type]
    return Row(f"validation of {type} ({name})", f"≤ {target} µs", f"{best:.0f} µs", target / best)


def _best_us(task: Callable[[], object], scale: Scale) -> float:
    """The least CPU time of a round, for each repetition in it."""
    best = 1e18
    for _ in range(max(scale.repeats // _ROUND, 2)):
        started = process_time_ns()
        for _ in range(_ROUND):
            task()
        best = min(best, (process_time_ns() - started) / 1000 / _ROUND)
    return best


def _example(type: str) -> tuple[Mapping[str, Any], str]:
    """The official example if the definition packages are at hand, else the first of the example wijk."""
    folder = Path(os.environ.get("WIJKDOSSIER_PACKAGES", ROOT / "build" / "packages"))
    official = folder / "hl7.fhir.r4.examples-4.0.1" / "package" / _EXAMPLES[type]
    if official.exists():
        return json.parse(official.read_bytes()), "official example"
    resource = next(one for one in _of_the_wijk() if one["resourceType"] == type)
    return resource, f"{resource['id']} of the example wijk"


def _of_the_wijk() -> Iterator[Mapping[str, Any]]:
    for path in bundle_paths():
        for entry in read_bundle(path)["entry"]:
            yield entry["resource"]

"""`wijkdossier load` on one core: every resource validated, indexed and audited."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.performance.measure import Row
from tests.performance.population import ROOT, resource_count

RATE_TARGET = 1_500
LOAD_SECONDS_MAX = 180


def rows(files: Sequence[Path], data: Path) -> list[Row]:
    """Load the files into the new store `data`. Raises RuntimeError if anything was refused."""
    count = resource_count(files)
    cpu, wall = _load(files, data)
    rate = count / cpu
    return [
        Row(
            f"import of {count:,} resources ({_origin(files)}), a second of CPU on one core",
            f"≥ {RATE_TARGET:,}/s",
            f"{rate:,.0f}/s",
            rate / RATE_TARGET,
            f"by the wall {count / wall:,.0f}/s, start of the program included",
        )
    ]


def _load(files: Sequence[Path], data: Path) -> tuple[float, float]:
    """Seconds of CPU, as the kernel counts them for the process, and seconds by the wall."""
    core = min(os.sched_getaffinity(0))
    pinned = (
        f"import os, sys; os.sched_setaffinity(0, [{core}]); from fhir_server.cli.main import main; sys.exit(main())"
    )
    started = time.perf_counter()
    before = os.times()
    process = subprocess.run(
        [sys.executable, "-c", pinned, "load", "--data", str(data), *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        timeout=LOAD_SECONDS_MAX,
    )
    wall = time.perf_counter() - started
    after = os.times()
    if process.returncode:
        raise RuntimeError(f"load ended with {process.returncode}: {process.stderr.decode()[-400:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, wall


def _origin(files: Sequence[Path]) -> str:
    return "Synthea" if files[0].suffix == ".gz" else "the example wijk"

"""From the start of the process to the first answer, and the memory it then holds, with every R4 type loaded."""

from pathlib import Path

from tests.performance.measure import METADATA, Row, serve_arguments
from tests.performance.server_process import serving

START_TARGET_SECONDS = 1.0
RESIDENT_TARGET_MB = 120
STARTS = 3


def rows(data: Path) -> list[Row]:
    """Start a server on the store `data` a few times; the capability statement is the first answer."""
    seconds: list[float] = []
    cpu: list[float] = []
    resident: list[int] = []
    for _ in range(STARTS):
        with serving(serve_arguments(data, "deny"), METADATA) as server:
            seconds.append(server.start_seconds)
            cpu.append(server.cpu_seconds())
            resident.append(server.resident_bytes())
    start, megabytes = min(seconds), max(resident) / 1e6
    return [
        Row(
            "cold start to the first answer (/metadata)",
            f"≤ {START_TARGET_SECONDS} s",
            f"{start:.2f} s",
            START_TARGET_SECONDS / start,
            f"the best of {STARTS}; CPU {min(cpu):.2f} s",
        ),
        Row(
            "memory of an idle worker, all R4 types loaded",
            f"≤ {RESIDENT_TARGET_MB} MB",
            f"{megabytes:.0f} MB",
            RESIDENT_TARGET_MB / megabytes,
        ),
    ]

"""What a run of the bench needs everywhere: how much of it, rows of the table, tokens, and the cost of a load."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Final

import uvloop

from fhir_server.store.auth import AccessToken
from fhir_server.store.protocol import ResourceStore
from tests.performance import load_client
from tests.performance.server_process import ServerProcess

SERVE: Final = ("-m", "fhir_server.cli.main", "serve")
METADATA: Final = "/fhir/metadata"
LOAD_SECONDS_MAX: Final = 60.0
_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How much to do: the bench proper, or the few seconds of it that a test can spend."""

    bundles: int  # of the source files, to copy and to import
    resources: int  # in the searched population, at least
    rounds: int  # of each competitor in turn
    requests: int  # a round
    connections: int
    repeats: int  # of what is timed within this process
    patients: int  # with a Consent
    revocations: int


FULL: Final = Scale(
    bundles=1000,
    resources=100_000,
    rounds=10,
    requests=2_000,
    connections=32,
    repeats=400,
    patients=1_000,
    revocations=50,
)
TINY: Final = Scale(bundles=2, resources=1, rounds=2, requests=60, connections=4, repeats=3, patients=4, revocations=2)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `reached`: measured against target, so that 1 or more is met; None where nothing is to be
    reached, or it was not measured."""

    what: str
    target: str
    measured: str
    reached: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the requests of one load: `cpu_us` what the kernel counted for the server, each; `rate` a second by the wall
    clock; `p50_ms` of the time an answer took."""

    cpu_us: float
    rate: float
    p50_ms: float


def load(server: ServerProcess, requests: Sequence[bytes], *, count: int, connections: int) -> Cost:
    """Send `count` requests and count what they cost the server. Raises RuntimeError if an answer is not 200."""
    before = server.cpu_seconds()
    outcome = uvloop.run(_bounded(server, requests, count, connections))
    cpu = server.cpu_seconds() - before
    if outcome.failures or len(outcome.latencies) != count:
        raise RuntimeError(f"{outcome.failures} of {count} answers were not 200")
    return Cost(cpu / count * 1e6, outcome.rate, outcome.p50_ms)


async def _bounded(
    server: ServerProcess, requests: Sequence[bytes], count: int, connections: int
) -> load_client.Outcome:
    run = load_client.run(server.host, server.port, requests, count=count, connections=connections)
    return await asyncio.wait_for(run, LOAD_SECONDS_MAX)


def mean(costs: Sequence[Cost]) -> Cost:
    """Of rounds of the same length."""
    count = len(costs)
    return Cost(
        sum(cost.cpu_us for cost in costs) / count,
        count / sum(1 / cost.rate for cost in costs),
        sum(cost.p50_ms for cost in costs) / count,
    )


def interleaved(
    competitors: Sequence[tuple[ServerProcess, Sequence[bytes]]], *, rounds: int, count: int, connections: int
) -> list[Cost]:
    """The mean cost of each; one round of each in turn, so that a busy moment of the machine hits all alike."""
    costs: list[list[Cost]] = [[] for _ in competitors]
    for server, requests in competitors:
        load(server, requests, count=max(count // 4, 1), connections=connections)
    for _ in range(rounds):
        for found, (server, requests) in zip(costs, competitors, strict=True):
            found.append(load(server, requests, count=count, connections=connections))
    return [mean(found) for found in costs]


async def put_token(store: ResourceStore, token: str, user: str, scope: str, purpose: str = "") -> None:
    """Make `token` good for an hour."""
    now = time_ns() // 1_000
    terms = AccessToken("bench", user, scope, now, now + _HOUR_US, purpose=purpose)
    await store.commit_auth(issue=[(sha256(token.encode()).digest(), terms)])


def serve_arguments(data: Path, base_policy: str) -> list[str]:
    return [*SERVE, "--data", str(data), "--base-policy", base_policy]

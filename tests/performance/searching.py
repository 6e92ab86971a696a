"""The search mix over HTTP: every kind of parameter, on one dossier and on everybody's."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from fhir_server.store.sqlite import open_store
from tests.performance import samples
from tests.performance.load_client import request_bytes
from tests.performance.measure import METADATA, Cost, Row, Scale, load, mean, put_token, serve_arguments
from tests.performance.samples import Samples
from tests.performance.server_process import serving
from tests.performance.stores import Store

RATE_TARGET = 1_500
GROWTH_TARGET = 1.5
TOKEN = "bench-practitioner"  # good for an hour, in a store of the bench only


@dataclass(frozen=True, slots=True)
class Found:
    """Costs by kind, on one dossier and on all, each asked one at a time; and of all kinds together."""

    of_one_patient: dict[str, Cost]
    of_all: dict[str, Cost]
    mix: Cost


def measure(store: Store, scale: Scale) -> Found:
    """Serve the store with a token that opens everything, and search it."""
    asyncio.run(_open(store.data))
    with serving(serve_arguments(store.data, "permit"), METADATA) as server:
        asked = {
            (kind, one): [request_bytes(url, TOKEN) for url in samples.urls(store.known, kind, of_one_patient=one)]
            for one in (True, False)
            for kind in samples.KINDS
        }
        mixed = [request for requests in asked.values() for request in requests]
        random.Random(7).shuffle(mixed)
        load(server, mixed, count=len(mixed), connections=scale.connections)
        costs = {
            key: load(server, requests, count=min(2 * len(requests), scale.requests), connections=1)
            for key, requests in asked.items()
        }
        rounds = [
            load(server, mixed, count=min(2 * len(mixed), scale.requests), connections=scale.connections)
            for _ in range(scale.rounds)
        ]
    return Found(
        {kind: cost for (kind, one), cost in costs.items() if one},
        {kind: cost for (kind, one), cost in costs.items() if not one},
        mean(rounds),
    )


async def _open(data: Path) -> None:
    store = await open_store(data)
    try:
        await put_token(store, TOKEN, "Practitioner/bench", "user/*.rs")
    finally:
        await store.close()


def rows(known: Samples, found: Found) -> list[Row]:
    rate = 1e6 / found.mix.cpu_us
    table = [
        Row(
            f"search mix, {known.resources:,} resources, a second of a worker's CPU",
            f"≥ {RATE_TARGET:,} req/s",
            f"{rate:,.0f} req/s",
            rate / RATE_TARGET,
            f"by the wall {found.mix.rate:,.0f} req/s",
        )
    ]
    for kind in samples.KINDS:
        one, everybody = found.of_one_patient[kind], found.of_all[kind]
        table.append(
            Row(
                f"  {kind}: p50 of one dossier, of all",
                "",
                f"{one.p50_ms:.2f} ms, {everybody.p50_ms:.2f} ms",
                None,
                f"CPU {one.cpu_us:,.0f} µs, {everybody.cpu_us:,.0f} µs",
            )
        )
    return table


def growth_rows(small: Found, large: Found, resources: int) -> list[Row]:
    """How much dearer the searches of one dossier become in a population that is so much larger."""
    cpu, wall = ({kind: _growth(small, large, kind, cost) for kind in samples.KINDS} for cost in ("cpu_us", "p50_ms"))
    worst = max(samples.KINDS, key=lambda kind: cpu[kind])
    return [
        Row(
            f"{resources:,} resources against fewer, one dossier, CPU, worst kind ({worst})",
            f"≤ {GROWTH_TARGET} ×",
            f"{cpu[worst]:.2f} ×",
            GROWTH_TARGET / cpu[worst],
            "p50 by the wall: " + ", ".join(f"{kind} {wall[kind]:.2f}" for kind in samples.KINDS),
        )
    ]


def _growth(small: Found, large: Found, kind: str, cost: str) -> float:
    grown: float = getattr(large.of_one_patient[kind], cost) / getattr(small.of_one_patient[kind], cost)
    return grown

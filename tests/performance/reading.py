"""Reads and searches by the patient themself, against a bare application, and base policy deny against permit."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from fhir_server.search.query import OwnedBy, Query
from fhir_server.store.protocol import StoredVersion
from fhir_server.store.sqlite import open_store
from profiles.registry import Registry
from tests.performance import samples
from tests.performance.load_client import request_bytes
from tests.performance.measure import METADATA, Cost, Row, Scale, load, mean, put_token, serve_arguments
from tests.performance.samples import Samples
from tests.performance.server_process import ServerProcess, serving

READ_TARGET = 0.45
READ_SHARE_TARGET = 0.10
SEARCH_SHARE_TARGET = 0.15
SIZE_BYTES = 2_000
TOKEN = "bench-patient"  # good for an hour, in a store of the bench only
_BARE = str(Path(__file__).with_name("bare.py"))
_NOT_YET = "scope, compartment and base rule; the consent engine is the next issue"


def rows(data: Path, known: Samples, registry: Registry, scale: Scale) -> list[Row]:
    """Reading against the yardstick, and what deny costs more than permit."""
    patient, stored = asyncio.run(_prepare(data, known, registry))
    reads = [request_bytes(f"/fhir/{one.type}/{one.id}", TOKEN) for one in stored]
    kinds = ("date", "token", "composite", "reference")
    searches = [
        request_bytes(url.replace(other, patient), TOKEN)
        for kind in kinds
        for url in samples.urls(known, kind, of_one_patient=True)
        for other in [_person(url)]
    ]
    body = stored[len(stored) // 2].body
    with tempfile.NamedTemporaryFile() as file, ExitStack() as stack:
        file.write(body)
        file.flush()
        bare = stack.enter_context(serving([_BARE, file.name], "/"))
        deny = stack.enter_context(serving(serve_arguments(data, "deny"), METADATA))
        permit = stack.enter_context(serving(serve_arguments(data, "permit"), METADATA))
        yardstick, read, open_read = _interleaved([(bare, reads), (deny, reads), (permit, reads)], scale)
        search, open_search = _interleaved([(deny, searches), (permit, searches)], scale)
    ratio = yardstick.cpu_us / read.cpu_us
    return [
        Row(
            f"audited read of {len(body) / 1000:.1f} kB against a bare ASGI application, CPU a request",
            f"≥ {READ_TARGET}",
            f"{ratio:.2f} ({read.cpu_us:.0f} against {yardstick.cpu_us:.0f} µs)",
            ratio / READ_TARGET,
            f"by the wall {read.rate / yardstick.rate:.2f} ({read.rate:,.0f} against {yardstick.rate:,.0f} req/s)",
        ),
        _share("a read", read, open_read, READ_SHARE_TARGET),
        _share("a patient search", search, open_search, SEARCH_SHARE_TARGET),
    ]


def _share(what: str, deny: Cost, permit: Cost, target: float) -> Row:
    share = (deny.cpu_us - permit.cpu_us) / permit.cpu_us
    return Row(
        f"base policy deny over permit, share of {what}",
        f"≤ {target:.0%}",
        f"{share:+.1%} ({deny.cpu_us:.0f} against {permit.cpu_us:.0f} µs)",
        # A share of nothing or less is noise around nothing.
        target / max(share, target / 10),
        _NOT_YET,
    )


def _interleaved(competitors: list[tuple[ServerProcess, list[bytes]]], scale: Scale) -> list[Cost]:
    """The mean cost of each; one round of each in turn, so that a busy moment of the machine hits all alike."""
    costs: list[list[Cost]] = [[] for _ in competitors]
    for server, requests in competitors:
        load(server, requests, count=scale.requests // 4, connections=scale.connections)
    for _ in range(scale.rounds):
        for found, (server, requests) in zip(costs, competitors, strict=True):
            found.append(load(server, requests, count=scale.requests, connections=scale.connections))
    return [mean(found) for found in costs]


async def _prepare(data: Path, known: Samples, registry: Registry) -> tuple[str, list[StoredVersion]]:
    """A patient with a token, and the resources about them that are nearest to 2 kB."""
    store = await open_store(data)
    try:
        patient = known.people[0][0]
        await put_token(store, TOKEN, f"Patient/{patient}", "patient/*.rs")
        types = tuple(name for name in registry.compartment("Patient") if name in registry.resource_types)
        async with store.snapshot() as snapshot:
            page = await snapshot.search(Query(types, OwnedBy((patient,))), count=2_000)
        nearest = sorted(page.rows, key=lambda row: abs(len(row.body) - SIZE_BYTES))[:50]
        return patient, sorted(nearest, key=lambda row: len(row.body))
    finally:
        await store.close()


def _person(url: str) -> str:
    return url.partition("patient=")[2].partition("&")[0]

"""Audited reads by the patient themself, against a bare application on the same server."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from fhir_server.gateway.unfolding import UNFOLDED
from fhir_server.search.query import OwnedBy, Query
from fhir_server.store.protocol import StoredVersion
from fhir_server.store.sqlite import open_store
from profiles.registry import Registry
from tests.performance.load_client import request_bytes
from tests.performance.measure import METADATA, Row, Scale, interleaved, put_token, serve_arguments
from tests.performance.samples import Samples
from tests.performance.server_process import serving

READ_TARGET = 0.45
SIZE_BYTES = 2_000
TOKEN = "bench-patient"  # good for an hour, in a store of the bench only
_BARE = str(Path(__file__).with_name("bare.py"))


def rows(data: Path, known: Samples, registry: Registry, scale: Scale) -> list[Row]:
    stored = asyncio.run(_prepare(data, known, registry))
    reads = [request_bytes(f"/fhir/{one.type}/{one.id}", TOKEN) for one in stored]
    body = stored[len(stored) // 2].body
    with tempfile.NamedTemporaryFile() as file, ExitStack() as stack:
        file.write(body)
        file.flush()
        bare = stack.enter_context(serving([_BARE, file.name], "/"))
        server = stack.enter_context(serving(serve_arguments(data, "deny"), METADATA))
        yardstick, read = interleaved(
            [(bare, reads), (server, reads)], rounds=scale.rounds, count=scale.requests, connections=scale.connections
        )
    ratio = yardstick.cpu_us / read.cpu_us
    return [
        Row(
            f"audited read of {len(body) / 1000:.1f} kB against a bare ASGI application, CPU a request",
            f"≥ {READ_TARGET}",
            f"{ratio:.2f} ({read.cpu_us:.0f} against {yardstick.cpu_us:.0f} µs)",
            ratio / READ_TARGET,
            f"by the wall {read.rate / yardstick.rate:.2f} ({read.rate:,.0f} against {yardstick.rate:,.0f} req/s)",
        )
    ]


async def _prepare(data: Path, known: Samples, registry: Registry) -> list[StoredVersion]:
    """The resources about a patient with a token that are nearest to 2 kB."""
    store = await open_store(data)
    try:
        patient = known.people[0][0]
        await put_token(store, TOKEN, f"Patient/{patient}", "patient/*.rs")
        # What an earlier run left on the audit trail is made on demand, and is no dossier.
        types = tuple(sorted({*registry.compartment("Patient")} & {*registry.resource_types} - {*UNFOLDED}))
        async with store.snapshot() as snapshot:
            page = await snapshot.search(Query(types, OwnedBy((patient,))), count=2_000)
        nearest = sorted(page.rows, key=lambda row: abs(len(row.body) - SIZE_BYTES))[:50]
        return sorted(nearest, key=lambda row: len(row.body))
    finally:
        await store.close()

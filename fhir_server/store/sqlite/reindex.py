"""Indexing anew what is stored, a chunk at a time, while reads and writes go on."""

import asyncio
from collections.abc import Callable

from fhir_server.store.protocol import ExtractAll
from fhir_server.store.sqlite.body import unpack
from fhir_server.store.sqlite.jobs import Reindex
from fhir_server.store.sqlite.pool import Pool
from fhir_server.store.sqlite.writer import Writer

CHUNK_SIZE = 100

_CHUNK = """
SELECT r.rid, r.seq, v.body, v.facts FROM resource r JOIN version v ON v.seq = r.seq
WHERE r.rid > ? AND NOT r.deleted ORDER BY r.rid LIMIT ?
"""


async def reindex(
    pool: Pool,
    writer: Writer,
    extract: ExtractAll,
    progress: Callable[[int], None],
) -> int:
    """How many resources were filed anew. One that is written meanwhile is left alone: its writer has indexed it."""
    done = last = 0
    while True:
        chunk = pool.rows(_CHUNK, (last, CHUNK_SIZE))
        if not chunk:
            return done
        filed = []
        for rid, seq, body, known in chunk:
            rows, owners, facts = await extract(unpack(body), known)
            filed.append((rid, seq, rows, owners, facts))
            # Extraction takes its time; others get their turn in between.
            await asyncio.sleep(0)
        job = Reindex(filed, writer.future())
        writer.submit(job)
        done += await job.future
        last = chunk[-1][0]
        progress(done)

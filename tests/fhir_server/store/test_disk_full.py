"""A disk that takes no more: the write is refused as 503, nothing of it is stored, and the store goes on when it can."""

import secrets
from pathlib import Path

import pytest

from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import AuditEntry, Body, StoreUnavailable, Write
from fhir_server.store.sqlite import open_store

PAGES_MAX = 64


def write(logical_id: str, size: int) -> Write:
    body = Body(b'{"resourceType":"Basic","id":"%s","meta":{' % logical_id.encode(), b'},"x":"%s"}' % _noise(size))
    return Write("create", "Basic", logical_id, 0, body, (), b"", IndexRows())


def _noise(size: int) -> bytes:
    """Text that does not compress."""
    return secrets.token_hex(size // 2).encode()


@pytest.mark.anyio
async def test_a_full_disk_refuses_the_write_and_keeps_the_rest(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    try:
        await store.commit((write("first", 100),))
        # The one honest way to a full disk in a test: SQLite's own limit on the size of the file.
        connection = store._writer._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + PAGES_MAX}")
        with pytest.raises(StoreUnavailable) as refusal:
            await store.commit((write("second", 10_000_000),), audit=(AuditEntry("a", 1, b"x"),))
        assert refusal.value.category.status == 503
        async with store.snapshot() as snapshot:
            assert await snapshot.read("Basic", "second") is None
            assert await snapshot.read("Basic", "first") is not None
        connection.execute("PRAGMA max_page_count = 1000000000")
        await store.commit((write("second", 10_000_000),))
        async with store.snapshot() as snapshot:
            assert await snapshot.read("Basic", "second") is not None
    finally:
        await store.close()

"""The SQLite store: reads on pooled connections in the event loop, writes through the writer thread."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

from fhir_server.store.auth import AccessToken, AuthRecord, AuthWrite
from fhir_server.store.protocol import (
    AuditEntry,
    AuditInspection,
    Capabilities,
    Committed,
    ExtractAll,
    Guard,
    Refile,
    Write,
)
from fhir_server.store.sqlite import audit, auth, backup, inspection, reindex
from fhir_server.store.sqlite.connection import FILE_NAME, JOURNAL_NAME, connect, create_file
from fhir_server.store.sqlite.jobs import Commit, CommitAuth, Job
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.pool import Pool
from fhir_server.store.sqlite.schema import JOURNAL_STEPS, STEPS, migrate
from fhir_server.store.sqlite.snapshot import SqliteSnapshot
from fhir_server.store.sqlite.writer import Writer

CAPABILITIES = Capabilities(
    transactions=True,
    full_text=True,
    sort=frozenset(("string", "token", "date", "number", "quantity", "uri", "reference", "id", "updated", "near")),
    online_backup=True,
)


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1_000


async def open_store(directory: Path, *, clock: Callable[[], int] = now) -> "SqliteStore":
    """The store in `directory`, made or brought up to date if need be; `clock` gives microseconds since 1970.

    Raises NewerSchema if a newer program made it, OSError if the directory can't be used.
    """
    file = create_file(directory, FILE_NAME)
    journal = create_file(directory, JOURNAL_NAME)
    with closing(connect(file)) as connection, closing(connect(journal)) as journal_connection:
        migrate(connection, STEPS)
        migrate(journal_connection, JOURNAL_STEPS)
        audit.number_on(connection, journal_connection)
    return SqliteStore(file, journal, clock)


class SqliteStore:
    """See ResourceStore; made by `open_store`, within the event loop that uses it."""

    def __init__(self, file: Path, journal: Path, clock: Callable[[], int]) -> None:
        self.capabilities = CAPABILITIES
        # Copied in this order: a copy of the journal then holds all that the copy of the main file was unfolded from.
        self._files = (file, journal)
        self._names = Names()
        self._pool = Pool(file, self._names.judges.register)
        self._journal_pool = Pool(journal)
        self._tokens = auth.Tokens(self._pool)
        self._writer = Writer(file, journal, clock)
        self._unfolding = asyncio.Lock()

    def snapshot(self) -> SqliteSnapshot:
        return SqliteSnapshot(self._pool, self._names)

    async def commit(
        self,
        writes: Sequence[Write],
        guards: Sequence[Guard] = (),
        audit: Sequence[AuditEntry] = (),
        refile: Sequence[Refile] = (),
    ) -> tuple[Committed, ...]:
        writer = self._writer
        job = Commit(writes, guards, audit, refile, writer.future())
        writer.submit(job)
        committed: tuple[Committed, ...] = await job.future
        return committed

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        writer = self._writer
        job = Job(entries, writer.future())
        writer.submit(job)
        await job.future

    async def unfold_audit(self, expand: Callable[[AuditEntry], Sequence[Write]]) -> int:
        async with self._unfolding:
            return await audit.unfold(self._pool, self._journal_pool, self._writer, expand)

    def inspect_audit(self) -> AbstractAsyncContextManager[AuditInspection]:
        return inspection.inspecting(self._pool, self._journal_pool, self._names)

    async def reindex(self, extract: ExtractAll, progress: Callable[[int], None]) -> int:
        return await reindex.reindex(self._pool, self._writer, extract, progress)

    async def backup(self, target: Path) -> None:
        await asyncio.to_thread(backup.copy, self._files, target)

    async def token(self, digest: bytes) -> AccessToken | None:
        return self._tokens.get(digest)

    async def record(self, kind: str, key: str) -> AuthRecord | None:
        return auth.record(self._pool, kind, key)

    async def records(self, kind: str, subject: str | None = None) -> tuple[AuthRecord, ...]:
        return auth.records(self._pool, kind, subject)

    async def commit_auth(
        self,
        writes: Sequence[AuthWrite] = (),
        *,
        issue: Sequence[tuple[bytes, AccessToken]] = (),
        revoke: Sequence[bytes] = (),
        revoke_grants: Sequence[str] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> None:
        job = CommitAuth(writes, issue, revoke, revoke_grants, audit, self._writer.future())
        self._writer.submit(job)
        await job.future

    async def close(self) -> None:
        await self._writer.close()
        self._pool.close()
        self._journal_pool.close()

"""The audit trail as it lies in the files, held against its chains; nothing is written.

The main file is looked at first: whatever was unfolded into it by then stood in the journal already.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from sqlite3 import Connection
from typing import Final, TypeAlias

import msgspec

from fhir_server.store.protocol import AuditBatch, AuditBreak, AuditEntry, Snapshot
from fhir_server.store.sqlite import batches, chain
from fhir_server.store.sqlite.chain import File, Start
from fhir_server.store.sqlite.connection import FILE_NAME, JOURNAL_NAME
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.pool import Pool
from fhir_server.store.sqlite.snapshot import SqliteSnapshot

FILE_NAMES: Final[dict[File, str]] = {"main": FILE_NAME, "journal": JOURNAL_NAME}

# Whoever can write the file can store anything in it.
_ROWS: Final = """
SELECT num, CAST(entries AS BLOB), CAST(hash AS BLOB), typeof(entries) = 'blob' AND typeof(hash) = 'blob'
FROM audit_batch ORDER BY num
"""
_OTHERS: Final = "SELECT num, CAST(entries AS BLOB), CAST(hash AS BLOB) FROM audit_batch WHERE num <> ? ORDER BY num"
_INSERTED: Final = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_batch'), 0)"
_MARK: Final = "SELECT unfolded FROM audit_mark WHERE file = ?"

Found: TypeAlias = AuditBatch | AuditBreak


class Inspection:
    """See AuditInspection."""

    def __init__(self, snapshot: Snapshot, main: Connection, journal: Connection) -> None:
        self.snapshot = snapshot
        start = chain.started(main)
        self.since = start.since
        self._start = start
        self._connections: dict[File, Connection] = {"main": main, "journal": journal}
        self._marks = {file: main.execute(_MARK, (file,)).fetchone()[0] for file in chain.FILES}

    def batches(self) -> Iterator[Found]:
        for file, connection in self._connections.items():
            yield from _walk(connection, file, self._start, self._marks[file])


@asynccontextmanager
async def inspecting(main: Pool, journal: Pool, names: Names) -> AsyncIterator[Inspection]:
    async with SqliteSnapshot(main, names) as snapshot:
        connection = snapshot.connection
        chain.started(connection)  # the first read: from here on this connection sees one moment
        turn, other = journal.turn, journal.take()
        try:
            yield Inspection(snapshot, connection, other)
        finally:
            journal.give_back(other, turn)


def _walk(connection: Connection, file: File, start: Start, mark: int) -> Iterator[Found]:
    """The batches of one file; before the first that is not what was written there, a break that says so."""
    name = FILE_NAMES[file]
    before = chain.origin(file, start if file == "main" else None)
    last: int = start.main if file == "main" else start.journal
    whole = True
    first = True
    for num, content, stored, typed in connection.execute(_ROWS):
        if first:
            last, first = min(last, num - 1), False
        if whole:
            what = _wrong(connection, before, last, num, content, stored) if typed else _CHANGED
            if what:
                whole = False
                yield AuditBreak(name, num, what)
        # Only batches that were written since everything is kept have their resources beside them.
        kept = num > (start.main if file == "main" else start.journal)
        yield AuditBatch(name, num, stored, _entries(content), kept and num <= mark, kept)
        before, last = stored, num
    (inserted,) = connection.execute(_INSERTED).fetchone()
    if whole and inserted != last and not (first and inserted < last):
        yield AuditBreak(name, last + 1, f"{_several(last + 1, inserted)} missing" if inserted > last else _COUNT)


_CHANGED: Final = "it is not what was written: its content or its hash was changed"
_COUNT: Final = "there are more batches than were counted when they were written"


def _wrong(connection: Connection, before: bytes, last: int, num: int, content: bytes, stored: bytes) -> str:
    """What is wrong with this batch as the one that follows on number `last` and hash `before`, '' if nothing."""
    if num > last + 1 and content != chain.NOTHING:
        return f"{_several(last + 1, num - 1)} missing"
    if chain.link(before, num, content) == stored:
        return ""
    for elsewhere, other, its_hash in connection.execute(_OTHERS, (num,)):
        if chain.link(before, num, other) == its_hash:
            return f"the order was changed: what belongs here stands at number {elsewhere}"
    return _CHANGED


def _several(first: int, last: int) -> str:
    return f"batch {first} is" if first == last else f"batches {first} to {last} are"


def _entries(content: bytes) -> tuple[AuditEntry, ...]:
    """() for what can't be read: the chain names it."""
    try:
        return tuple(batches.decode(content))
    except msgspec.MsgspecError:
        return ()

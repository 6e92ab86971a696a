"""Reading: a transaction on a connection of its own, begun by the first read, answered in the event loop.

A read from SQLite takes a few microseconds, a hop to another thread and back ten times as many: nothing here awaits.
https://www.sqlite.org/isolation.html
"""

import json
from collections.abc import Sequence
from sqlite3 import Connection
from types import TracebackType
from typing import Any

import msgspec

from fhir_server.search.query import Predicate, Query
from fhir_server.store.protocol import Changes, Link, Page, StoredVersion, Wanted, always
from fhir_server.store.sqlite import changes
from fhir_server.store.sqlite import query as compiled
from fhir_server.store.sqlite.body import unpack
from fhir_server.store.sqlite.history import Asked, pack_cursor, rows, unpack_cursor
from fhir_server.store.sqlite.index_names import NO_OWNER, SEVERAL_OWNERS
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.pool import Pool
from fhir_server.store.sqlite.transaction import METHODS

# A body of more bytes than this is fetched when it is known to be wanted; the length stands in the row's own page.
_INLINE_BYTES_MAX = 2048
_COLUMNS = f"""
SELECT v.seq, v.version, v.updated, v.method, v.owner,
    CASE WHEN length(v.body) <= {_INLINE_BYTES_MAX} THEN v.body END, v.facts
"""
_READ = f"""{_COLUMNS}
FROM resource r JOIN version v ON v.seq = r.seq WHERE r.type = ? AND r.id = ?
"""
_VREAD = f"""{_COLUMNS}
FROM resource r JOIN version v ON v.rid = r.rid WHERE r.type = ? AND r.id = ? AND v.version = ?
"""
_FOUND = """
SELECT r.rid, v.seq, v.type, r.id, v.version, v.updated, v.method, v.owner, v.body, v.facts
FROM json_each(?) found CROSS JOIN resource r ON r.rid = found.value CROSS JOIN version v ON v.seq = r.seq
"""
_OWNERS = """
SELECT owner.patient FROM version_owner JOIN owner ON owner.num = version_owner.num WHERE version_owner.seq = ?
ORDER BY owner.patient
"""


class SqliteSnapshot:
    """A view of the moment of its first read."""

    __slots__ = ("_connection", "_names", "_pool", "_turn")

    def __init__(self, pool: Pool, names: Names) -> None:
        self._pool = pool
        self._names = names
        self._connection: Connection | None = None

    async def __aenter__(self) -> "SqliteSnapshot":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._pool.give_back(self._connection, self._turn)
            self._connection = None

    @property
    def connection(self) -> Connection:
        """The connection with the transaction of this view."""
        return self._connection or self._open()

    @property
    def epoch(self) -> int:
        return self._pool.epoch(self._connection or self._open())

    async def changes(self, since: int, apart_from: Sequence[str] = ()) -> Changes:
        return changes.since(self._connection or self._open(), self._names, since, apart_from)

    async def sharers(self, patients: Sequence[str]) -> frozenset[str]:
        return changes.sharers(self._connection or self._open(), self._names, patients)

    async def read(self, type: str, id: str, wanted: Wanted = always) -> StoredVersion | None:
        connection = self._connection or self._open()
        row = connection.execute(_READ, (self._names.type_num(connection, type), id)).fetchone()
        return None if row is None else self._with_body(connection, type, id, row, wanted)

    async def vread(self, type: str, id: str, version: int, wanted: Wanted = always) -> StoredVersion | None:
        connection = self._connection or self._open()
        row = connection.execute(_VREAD, (self._names.type_num(connection, type), id, version)).fetchone()
        return None if row is None else self._with_body(connection, type, id, row, wanted)

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        where: Predicate,
        since: int | None,
        at: tuple[int, int] | None,
        count: int,
        cursor: bytes = b"",
    ) -> Page:
        connection = self._connection or self._open()
        asked = Asked(type, id, where, since, at)
        before = unpack_cursor(cursor, asked) if cursor else None
        if count == 0:
            return Page((), b"")
        found = rows(connection, self._names, asked, before, count + 1)
        more = len(found) > count
        page = found[:count]
        return Page(
            tuple([self._row(connection, row) for row in page]),
            pack_cursor(page[-1][0], asked) if more else b"",
        )

    async def search(self, query: Query, *, count: int, cursor: bytes = b"") -> Page:
        connection = self._connection or self._open()
        rids, next_cursor = compiled.page(connection, self._names, query, count, cursor)
        by_rid = {rid: row for rid, *row in connection.execute(_FOUND, (json.dumps(rids),))}
        return Page(tuple([self._row(connection, by_rid[rid]) for rid in rids]), next_cursor)

    async def total(self, query: Query) -> int:
        return compiled.total(self._connection or self._open(), self._names, query)

    async def links(self, sources: Sequence[tuple[str, str]], param: str, target: str | None) -> tuple[Link, ...]:
        return compiled.links(self._connection or self._open(), self._names, sources, param, target)

    def _open(self) -> Connection:
        connection = self._connection = self._pool.take()
        self._turn = self._pool.turn
        return connection

    def _with_body(
        self, connection: Connection, type: str, id: str, row: Sequence[Any], wanted: Wanted
    ) -> StoredVersion:
        seq, version, updated, method, owner, body, facts = row
        if body is not None:
            return self._version(connection, type, id, seq, version, updated, method, owner, body, facts)
        found = self._version(connection, type, id, seq, version, updated, method, owner, b"", facts)
        if not wanted(found):
            return found
        (body,) = connection.execute("SELECT body FROM version WHERE seq = ?", (seq,)).fetchone()
        return msgspec.structs.replace(found, body=unpack(body))

    def _row(self, connection: Connection, row: Sequence[Any]) -> StoredVersion:
        seq, type_num, id, *rest = row
        return self._version(connection, self._names.type_name(connection, type_num), id, seq, *rest)

    def _version(
        self,
        connection: Connection,
        type: str,
        id: str,
        seq: int,
        version: int,
        updated: int,
        method: int,
        owner: int,
        body: bytes,
        facts: bytes,
    ) -> StoredVersion:
        if owner == NO_OWNER:
            owners: tuple[str, ...] = ()
        elif owner == SEVERAL_OWNERS:
            owners = tuple([patient for (patient,) in connection.execute(_OWNERS, (seq,))])
        else:
            owners = (self._names.patient(connection, owner),)
        return StoredVersion(type, id, version, updated, METHODS[method], unpack(body), owners, facts)

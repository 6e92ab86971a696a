"""Connections for reading, as many as there are snapshots open at once.

To begin and end a read transaction costs SQLite several system calls, about as much as the read itself. So reads that
begin in the same turn of the event loop share one: whoever finishes leaves the transaction open for the next, until the
turn is over.

INVARIANT: a snapshot sees every commit that anybody was told of before it began. What tells them (the writer's answer,
a request that comes in) reaches a task by way of the event loop's queue, and there it stands behind `_end_turn`, which
was queued when the shared transaction began.

An epoch is a number for what a transaction sees: two that have the same one see the same, and a new one begins when a
connection notices a commit, by whichever process. It holds although each connection notices by itself: a transaction
begun later never sees less, so that a connection which sees what it saw before proves that nothing was new in between,
to itself or to any other. A transaction that is passed on keeps the epoch that it began in.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from fhir_server.store.sqlite.connection import connect

# More than these are closed when they come back: they hold a page cache each.
IDLE_MAX = 16


class Pool:
    """Belongs to the event loop's thread. The connection last given back is the first one taken: its cache is warm."""

    def __init__(self, file: Path, prepare: Callable[[Connection], None] | None = None) -> None:
        """`prepare` gives a new connection what statements may need of it."""
        self._file = file
        self._prepare = prepare
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []
        self._shared: Connection | None = None
        self._ending = False
        self._closed = False
        self._data_versions: dict[int, int] = {}
        self._epochs: dict[int, int] = {}
        self._epoch = 0
        self.turn = 0

    def take(self) -> Connection:
        """A connection in a transaction of this turn, to be read from at once."""
        connection = self._shared
        if connection is not None:
            self._shared = None
            return connection
        connection = self._idle.pop() if self._idle else self._connect()
        connection.execute("BEGIN")
        self._notice_changes(connection)
        if not self._ending:
            self._ending = True
            self._loop.call_soon(self._end_turn)
        return connection

    def epoch(self, connection: Connection) -> int:
        """The epoch of the transaction that the connection, which was taken, is in."""
        return self._epochs[id(connection)]

    def give_back(self, connection: Connection, turn: int) -> None:
        """`turn` is the one that the connection was taken in."""
        if turn == self.turn and self._shared is None:
            self._shared = connection
        else:
            self._end(connection)

    def rows(self, sql: str, params: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of one statement."""
        connection = self.take()
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            self.give_back(connection, self.turn)

    def close(self) -> None:
        self._closed = True
        self._end_turn()
        while self._idle:
            self._idle.pop().close()

    def _notice_changes(self, connection: Connection) -> None:
        """Begin an epoch if anybody, in this process or another, has committed since this connection last looked.

        https://www.sqlite.org/pragma.html#pragma_data_version
        """
        ((data_version,),) = connection.execute("PRAGMA data_version")
        if self._data_versions.get(id(connection)) != data_version:
            self._data_versions[id(connection)] = data_version
            self._epoch += 1
        self._epochs[id(connection)] = self._epoch

    def _connect(self) -> Connection:
        if self._closed:
            raise RuntimeError("the store is closed")
        connection = connect(self._file)
        connection.execute("PRAGMA query_only = ON")
        if self._prepare is not None:
            self._prepare(connection)
        return connection

    def _end_turn(self) -> None:
        self._ending = False
        self.turn += 1
        if self._shared is not None:
            self._end(self._shared)
            self._shared = None

    def _end(self, connection: Connection) -> None:
        connection.execute("COMMIT")
        if self._closed or len(self._idle) >= IDLE_MAX:
            # Another connection may come to have the same id.
            del self._data_versions[id(connection)], self._epochs[id(connection)]
            connection.close()
        else:
            self._idle.append(connection)

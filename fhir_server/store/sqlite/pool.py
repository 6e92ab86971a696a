"""Connections for reading, as many as there are snapshots open at once.

To begin and end a read transaction costs SQLite several system calls, about as much as the read itself. So reads that
begin in the same turn of the event loop share one: whoever finishes leaves the transaction open for the next, until the
turn is over.

INVARIANT: a snapshot sees every commit that anybody was told of before it began. What tells them (the writer's answer,
a request that comes in) reaches a task by way of the event loop's queue, and there it stands behind `_end_turn`, which
was queued when the shared transaction began.

`epoch` changes with every commit to the file, by whichever process: what was read in an epoch is true for as long as it
lasts. It counts from the last `take`.
"""

import asyncio
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from fhir_server.store.sqlite.connection import connect

# More than these are closed when they come back: they hold a page cache each.
IDLE_MAX = 16


class Pool:
    """Belongs to the event loop's thread. The connection last given back is the first one taken: its cache is warm."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []
        self._shared: Connection | None = None
        self._ending = False
        self._closed = False
        self._data_versions: dict[int, int] = {}
        self.turn = 0
        self.epoch = 0

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
        """Raise the epoch if anybody, in this process or another, has committed since this connection last looked.

        https://www.sqlite.org/pragma.html#pragma_data_version
        """
        ((data_version,),) = connection.execute("PRAGMA data_version")
        if self._data_versions.get(id(connection)) != data_version:
            self._data_versions[id(connection)] = data_version
            self.epoch += 1

    def _connect(self) -> Connection:
        if self._closed:
            raise RuntimeError("the store is closed")
        connection = connect(self._file)
        connection.execute("PRAGMA query_only = ON")
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
            self._data_versions.pop(id(connection), None)
            connection.close()
        else:
            self._idle.append(connection)

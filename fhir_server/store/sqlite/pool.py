"""Connections for reading, as many as there are snapshots open at once."""

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
        self._idle: list[Connection] = []
        self._closed = False

    def take(self) -> Connection:
        if self._idle:
            return self._idle.pop()
        if self._closed:
            raise RuntimeError("the store is closed")
        connection = connect(self._file)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def give_back(self, connection: Connection) -> None:
        if self._closed or len(self._idle) >= IDLE_MAX:
            connection.close()
        else:
            self._idle.append(connection)

    def rows(self, sql: str, params: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of one statement, which needs no snapshot to agree with itself."""
        connection = self.take()
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            self.give_back(connection)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

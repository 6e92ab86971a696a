"""A database in memory with resources as rows, for tests of search that need no bodies and no writer."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from sqlite3 import Connection

from fhir_server.store.sqlite import index_tables
from fhir_server.store.sqlite.index_names import NO_OWNER, SEVERAL_OWNERS
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.schema import STEPS, migrate
from tests.fhir_server.store.reference_evaluator import Key, Stored


@cache
def _empty() -> bytes:
    """A database with its tables and nothing in them, which takes longer to make than to copy."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, STEPS)
        return connection.serialize()


class Database:
    def __init__(self, resources: Iterable[Stored] = ()) -> None:
        self.connection: Connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self.connection.deserialize(_empty())
        self.names = Names()
        self.names.judges.register(self.connection)
        self.rids: dict[Key, int] = {}
        self.keys: dict[int, Key] = {}
        self.connection.execute("BEGIN")
        for resource in resources:
            self.put(resource)
        self.connection.execute("COMMIT")

    def put(self, r: Stored) -> None:
        """Create or update."""
        connection, cursor = self.connection, self.connection.cursor()
        type_num = self.names.intern_type(connection, r.type)
        owners = sorted(set(r.owners))
        if not owners:
            owner = NO_OWNER
        elif len(owners) == 1:
            owner = self.names.intern_owner(connection, owners[0])
        else:
            owner = SEVERAL_OWNERS
        key = (r.type, r.id)
        rid = self.rids.get(key)
        if rid is None:
            rid = self.rids[key] = len(self.rids) + 1
            self.keys[rid] = key
            cursor.execute(
                "INSERT INTO resource VALUES (?, ?, ?, 1, ?, ?, 0, ?)", (rid, type_num, r.id, r.updated, owner, rid)
            )
        else:
            index_tables.delete_rows(cursor, rid)
            cursor.execute(
                "UPDATE resource SET updated = ?, owner = ?, deleted = 0 WHERE rid = ?", (r.updated, owner, rid)
            )
        cursor.execute("DELETE FROM version WHERE seq = ?", (rid,))
        cursor.execute("DELETE FROM version_owner WHERE seq = ?", (rid,))
        if owner == SEVERAL_OWNERS:
            nums = sorted(self.names.intern_owner(connection, patient) for patient in owners)
            cursor.executemany("INSERT INTO version_owner VALUES (?, ?)", [(rid, num) for num in nums])
            cursor.execute("INSERT INTO version VALUES (?, ?, ?, 1, 0, 0, -1, '', '')", (rid, rid, type_num))
        index_tables.write_rows(cursor, rid, type_num, owner, r.rows, self.names)

    def delete(self, key: Key) -> None:
        rid = self.rids[key]
        index_tables.delete_rows(self.connection.cursor(), rid)
        self.connection.execute("UPDATE resource SET deleted = 1 WHERE rid = ?", (rid,))

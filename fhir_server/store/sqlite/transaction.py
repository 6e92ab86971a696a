"""One write transaction: what the commits of a group have in common, and the rows they add.

A job first checks, and refuses by raising, and only then writes: so jobs in one transaction stand or fall apart without
a savepoint each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import AuditEntry, Committed, Method, Refile, Write
from fhir_server.store.sqlite import batches, chain, index_tables
from fhir_server.store.sqlite.body import Packer, instant, text
from fhir_server.store.sqlite.index_names import NO_OWNER, SEVERAL_OWNERS
from fhir_server.store.sqlite.names import Names

METHODS: tuple[Method, ...] = ("create", "update", "delete")
METHOD_NUMS = {method: num for num, method in enumerate(METHODS)}

MILLISECOND = 1_000

_LAST = """
SELECT coalesce((SELECT max(rid) FROM resource), 0), coalesce((SELECT max(seq) FROM version), 0),
       coalesce((SELECT updated FROM version ORDER BY seq DESC LIMIT 1), 0)
"""
_CURRENT = "SELECT rid, version, seq, owner FROM resource WHERE type = ? AND id = ?"
_PUT_RESOURCE = """
INSERT INTO resource (rid, type, id, version, updated, owner, deleted, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (rid) DO UPDATE SET version = excluded.version, updated = excluded.updated, owner = excluded.owner,
                                deleted = excluded.deleted, seq = excluded.seq
"""
_ADD_VERSION = """
INSERT INTO version (seq, rid, type, version, updated, method, owner, body, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(slots=True)
class Current:
    """The current version of a resource as this transaction sees it, deletions included."""

    rid: int
    version: int
    seq: int
    owner: int


class Transaction:
    """An open write transaction on the writer's connection; lives on the writer's thread.

    INVARIANT: nothing that is in `_resources` and `_versions` is read from the tables before `flush`.
    """

    def __init__(self, connection: Connection, names: Names, packer: Packer, clock: Callable[[], int]) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self.names = names
        self._packer = packer
        self._current: dict[tuple[str, str], Current | None] = {}
        self._resources: list[tuple[int, int, str, int, int, int, int, int]] = []
        self._versions: list[tuple[int, int, int, int, int, int, int, bytes, bytes]] = []
        connection.execute("BEGIN IMMEDIATE")
        self._rid, self._seq, last = connection.execute(_LAST).fetchone()
        # Read under the write lock, so that no process whose clock is behind makes time run backwards.
        self.now: int = max(clock() // MILLISECOND * MILLISECOND, last)
        self._instant = instant(self.now)

    def current_version(self, type: str, id: str) -> int:
        """The number of the current version, deletions count; 0 if there never was one."""
        current = self._find(type, id)
        return current.version if current else 0

    def write(self, write: Write) -> Committed:
        """Add a version to whatever is current: the check was before."""
        key = (write.type, write.id)
        connection = self.connection
        type_num = self.names.intern_type(connection, write.type)
        before = self._find(*key)
        if before is None:
            self._rid += 1
            rid, version = self._rid, 1
        else:
            rid, version = before.rid, before.version + 1
            index_tables.delete_rows(self._cursor, rid)
        self._seq += 1
        seq = self._seq
        deleted = write.body is None
        if write.body is None and before is not None:
            owner, facts = self._carry_over(before, seq)
        else:
            owner, facts = self._own(seq, write.owners), write.facts
        body = b"" if write.body is None else self._packer.pack(text(write.body, version, self._instant))
        self._resources.append((rid, type_num, write.id, version, self.now, owner, int(deleted), seq))
        self._versions.append((seq, rid, type_num, version, self.now, METHOD_NUMS[write.method], owner, body, facts))
        if write.rows is not None:
            index_tables.write_rows(self._cursor, rid, type_num, owner, write.rows, self.names)
        self._current[key] = Current(rid, version, seq, owner)
        return Committed(version, self.now)

    def flush(self) -> None:
        """Put the collected rows into their tables, a statement each."""
        if self._versions:
            self._cursor.executemany(_PUT_RESOURCE, self._resources)
            self._cursor.executemany(_ADD_VERSION, self._versions)
            self._resources.clear()
            self._versions.clear()

    def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        if entries:
            end = chain.end(self.connection, "main")
            self._cursor.executemany(chain.INSERT, chain.rows(end, batches.encoded(entries)))

    def reindex(self, rid: int, seq: int, owners: tuple[str, ...], facts: bytes, rows: IndexRows) -> bool:
        """File the resource anew, unless `seq` is no longer its current version; whether it was done. Flush first."""
        cursor = self._cursor
        row = cursor.execute("SELECT type, seq FROM resource WHERE rid = ? AND NOT deleted", (rid,)).fetchone()
        if row is None or row[1] != seq:
            return False
        cursor.execute("DELETE FROM version_owner WHERE seq = ?", (seq,))
        owner = self._own(seq, owners)
        cursor.execute("UPDATE resource SET owner = ? WHERE rid = ?", (owner, rid))
        cursor.execute("UPDATE version SET owner = ?, facts = ? WHERE seq = ?", (owner, facts, seq))
        index_tables.delete_rows(cursor, rid)
        index_tables.write_rows(cursor, rid, row[0], owner, rows, self.names)
        self._current.clear()
        return True

    def refile(self, refile: Refile) -> bool:
        """File the resource anew, unless it has got another version or is deleted; whether it was done."""
        current = self._find(refile.type, refile.id)
        if current is None or current.version != refile.version:
            return False
        self.flush()
        return self.reindex(current.rid, current.seq, refile.owners, refile.facts, refile.rows)

    def _find(self, type: str, id: str) -> Current | None:
        key = (type, id)
        if key not in self._current:
            type_num = self.names.type_num(self.connection, type)
            row = self._cursor.execute(_CURRENT, (type_num, id)).fetchone()
            self._current[key] = Current(*row) if row else None
        return self._current[key]

    def _own(self, seq: int, owners: tuple[str, ...]) -> int:
        """The owner number for these patients; several are listed with the version."""
        if not owners:
            return NO_OWNER
        nums = sorted({self.names.intern_owner(self.connection, patient) for patient in owners})
        if len(nums) == 1:
            return nums[0]
        self._cursor.executemany("INSERT INTO version_owner (seq, num) VALUES (?, ?)", [(seq, num) for num in nums])
        return SEVERAL_OWNERS

    def _carry_over(self, before: Current, seq: int) -> tuple[int, bytes]:
        """Owner and facts of the version before, for the deletion that ends it."""
        self.flush()
        (facts,) = self._cursor.execute("SELECT facts FROM version WHERE seq = ?", (before.seq,)).fetchone()
        if before.owner == SEVERAL_OWNERS:
            self._cursor.execute(
                "INSERT INTO version_owner (seq, num) SELECT ?, num FROM version_owner WHERE seq = ?", (seq, before.seq)
            )
        return before.owner, facts

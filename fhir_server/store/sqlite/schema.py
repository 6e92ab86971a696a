"""The tables, and how a file of an older version becomes one of this version.

`PRAGMA user_version` counts the steps that a file has had. A step, once released, never changes: a new wish is a new
step.
https://www.sqlite.org/pragma.html#pragma_user_version
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from sqlite3 import Connection

from fhir_server.store.sqlite import auth, chain, filed, index_tables

Step = Callable[[Connection], None]

# A resource's row points to its current version; `owner` is 0 for none, a patient's number, or -1 for several, who are
# then listed in version_owner. The rowid of a version (`seq`) is the order of commits.
RESOURCES = """
CREATE TABLE type_name (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE owner (num INTEGER PRIMARY KEY, patient TEXT NOT NULL UNIQUE);
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    UNIQUE (type, id)
);
CREATE TABLE version (
    seq INTEGER PRIMARY KEY,
    rid INTEGER NOT NULL,
    type INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    method INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    body BLOB NOT NULL,
    facts BLOB NOT NULL
);
CREATE UNIQUE INDEX version_of_resource ON version (rid, version);
CREATE INDEX version_by_type ON version (type, seq);
CREATE INDEX version_by_owner ON version (owner, seq);
CREATE TABLE version_owner (seq INTEGER NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (seq, num)) WITHOUT ROWID;
"""

# audit_batch is for entries that stand or fall with a commit, audit_journal says up to which batch the other file is
# unfolded. AUTOINCREMENT: the number of a batch is never used again, so that whoever has read one can tell, in the
# transaction that unfolds it, whether somebody else was first.
ACCESS = """
CREATE TABLE audit_batch (num INTEGER PRIMARY KEY AUTOINCREMENT, entries BLOB NOT NULL);
CREATE TABLE audit_journal (unfolded INTEGER NOT NULL);
INSERT INTO audit_journal VALUES (0);
CREATE TABLE access_token (digest BLOB PRIMARY KEY, expires INTEGER NOT NULL, token BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX access_token_by_expiry ON access_token (expires);
"""

# The other file: what was read and by whom. See audit.py.
JOURNAL = """
CREATE TABLE audit_batch (num INTEGER PRIMARY KEY AUTOINCREMENT, entries BLOB NOT NULL);
"""

# The versions of which a patient is one of several owners.
SHARING = "CREATE INDEX version_owner_num ON version_owner (num, seq);\n"

# From here on batches stay, in both files, and each carries a hash of all before it: see chain.py. `audit_mark` says up
# to which batch each file is unfolded, `audit_start` from when on (and above which numbers) everything is kept.
CHAINED = """
ALTER TABLE audit_batch ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
"""
MARKS = """
CREATE TABLE audit_mark (file TEXT PRIMARY KEY, unfolded INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO audit_mark SELECT 'main', coalesce(
    (SELECT min(num) - 1 FROM audit_batch), (SELECT seq FROM sqlite_sequence WHERE name = 'audit_batch'), 0);
INSERT INTO audit_mark SELECT 'journal', unfolded FROM audit_journal;
DROP TABLE audit_journal;
CREATE TABLE audit_start (since INTEGER NOT NULL, main INTEGER NOT NULL, journal INTEGER NOT NULL);
INSERT INTO audit_start SELECT
    coalesce((SELECT updated FROM version ORDER BY seq DESC LIMIT 1), 0),
    (SELECT unfolded FROM audit_mark WHERE file = 'main'),
    (SELECT unfolded FROM audit_mark WHERE file = 'journal');
"""
# Against mistakes, of ours and of whoever opens the file: malice is what the chain is for.
STAYS = """
CREATE TRIGGER audit_batch_is_not_changed BEFORE UPDATE ON audit_batch
BEGIN SELECT RAISE(ABORT, 'the audit log is not changed'); END;
CREATE TRIGGER audit_batch_is_not_removed BEFORE DELETE ON audit_batch
BEGIN SELECT RAISE(ABORT, 'the audit log is not changed'); END;
"""


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit the transaction that it is run in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _resources(connection: Connection) -> None:
    for script in (RESOURCES, index_tables.DDL):
        for statement in statements(script):
            connection.execute(statement)


def _access(connection: Connection) -> None:
    for statement in statements(ACCESS):
        connection.execute(statement)


def _filed(connection: Connection) -> None:
    for statement in statements(SHARING + filed.DDL):
        connection.execute(statement)


def _chained(connection: Connection) -> None:
    for statement in statements(CHAINED + MARKS):
        connection.execute(statement)
    chain.chain_what_is_there(connection, chain.origin("main", chain.started(connection)))
    for statement in statements(STAYS):
        connection.execute(statement)


def _auth(connection: Connection) -> None:
    for statement in statements(auth.DDL):
        connection.execute(statement)


def _journal(connection: Connection) -> None:
    for statement in statements(JOURNAL):
        connection.execute(statement)


def _journal_chained(connection: Connection) -> None:
    for statement in statements(CHAINED):
        connection.execute(statement)
    chain.chain_what_is_there(connection, chain.origin("journal"))
    for statement in statements(STAYS):
        connection.execute(statement)


STEPS: Sequence[Step] = (_resources, _access, _filed, _chained, _auth)
JOURNAL_STEPS: Sequence[Step] = (_journal, _journal_chained)


class NewerSchema(Exception):
    """The file was made by a newer wijkdossier than this one."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"the data has schema version {found}, this program knows versions up to {known}: upgrade it")


def migrate(connection: Connection, steps: Sequence[Step]) -> None:
    """Take the steps that the file has not had, all or none; safe when several processes open it at once.

    Raises NewerSchema.
    """
    if _version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have done it all meanwhile.
        found = _version(connection)
        if found > len(steps):
            raise NewerSchema(found, len(steps))
        for step in steps[found:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)

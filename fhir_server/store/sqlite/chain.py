"""The chain of audit batches: each row carries the hash of its own content and of every batch before it in its file.

Whoever changes, removes, adds or moves a row breaks the chain there, unless they write all later hashes anew; so an
operator who has noted the last hash somewhere else can tell that nobody did. NEN 7513 asks for a log that is kept as
it was written.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from sqlite3 import Connection
from typing import Final, Literal, NamedTuple, TypeAlias

File: TypeAlias = Literal["main", "journal"]
FILES: Final[tuple[File, File]] = ("main", "journal")

# Stands for numbers that were passed over: an empty list of entries.
NOTHING: Final = b"\x90"

INSERT: Final = "INSERT INTO audit_batch (num, entries, hash) VALUES (?, ?, ?)"
INSERT_AFTER: Final = """
INSERT INTO audit_batch (num, entries, hash) SELECT ?, ?, ?
WHERE coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_batch'), 0) = ?
"""
"""Inserts nothing if the last batch ever inserted is another one than the number given last."""
_END: Final = """
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_batch'), 0),
       (SELECT hash FROM audit_batch ORDER BY num DESC LIMIT 1)
"""
_START: Final = "SELECT since, main, journal FROM audit_start"
_UNCHAINED: Final = "SELECT num, entries FROM audit_batch ORDER BY num"

Row: TypeAlias = tuple[int, bytes, bytes]
"""Number, content, hash."""


class End(NamedTuple):
    """The last batch of a chain: what the next one is linked to."""

    num: int
    hash: bytes


class Start(NamedTuple):
    """From when on everything is kept: after `since` (microseconds since 1970), above these numbers in the files."""

    since: int
    main: int
    journal: int


def started(main: Connection) -> Start:
    return Start(*main.execute(_START).fetchone())


def origin(file: File, start: Start | None = None) -> bytes:
    """What the first batch of a file is linked to. That of the main file (give its `start`) vouches for the start."""
    return sha256(f"wijkdossier audit {file} {tuple(start) if start else ''}".encode()).digest()


def link(before: bytes, num: int, content: bytes) -> bytes:
    """SHA-256 of the hash before, the number and the content; each has its length fixed or told."""
    digest = sha256(before + num.to_bytes(8) + len(content).to_bytes(8))
    digest.update(content)
    return digest.digest()


def end(connection: Connection, file: File) -> End:
    """Where the file's chain ends; to be read under the write lock by whoever is going to append."""
    num, last = connection.execute(_END).fetchone()
    if last is None:
        last = origin(file, started(connection) if file == "main" else None)
    return End(num, last)


def rows(after: End, contents: Sequence[bytes]) -> Iterator[Row]:
    """What to INSERT for these contents, in their order."""
    num, last = after
    for content in contents:
        num += 1
        last = link(last, num, content)
        yield num, content, last


def pass_over(connection: Connection, file: File, num: int) -> None:
    """Let the next batch be numbered above `num`."""
    connection.execute("BEGIN IMMEDIATE")
    last = end(connection, file)
    if last.num < num:
        connection.execute(INSERT, (num, NOTHING, link(last.hash, num, NOTHING)))
    connection.execute("COMMIT")


def chain_what_is_there(connection: Connection, before: bytes) -> None:
    """Give every batch of a file that had no chain its hash."""
    for num, content in connection.execute(_UNCHAINED).fetchall():
        before = link(before, num, content)
        connection.execute("UPDATE audit_batch SET hash = ? WHERE num = ?", (before, num))

"""What the gateway filed with a resource, as one row: its span of time and the numbers of its values.

Conditions on it are asked of a candidate and never lead to one (see judges), so that it is kept whole, by rid: a row
that is appended costs an import next to nothing, and a look at it is one seek.
"""

import struct
from sqlite3 import Cursor
from typing import NamedTuple

from fhir_server.search.rows import IndexRows
from fhir_server.store.sqlite.index_names import IndexNames

DDL = """
CREATE TABLE filed_value (
  num INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, value));
CREATE TABLE filed (rid INTEGER PRIMARY KEY, content BLOB NOT NULL);
"""

DELETE = "DELETE FROM filed WHERE rid = ?"
_INSERT = "INSERT INTO filed (rid, content) VALUES (?, ?)"

# low and high of the span in microseconds, then the numbers, each four bytes.
_SPAN_BYTES = 16
_NO_SPAN = (0, -1)


class Content(NamedTuple):
    """[low, high), where high below low says that no time is known."""

    low: int
    high: int
    values: frozenset[int]


NOTHING_FILED = Content(*_NO_SPAN, frozenset())


def write(cursor: Cursor, rid: int, rows: IndexRows, names: IndexNames) -> None:
    """File it for a resource that has no row. Nothing to file makes a row too: only what was never filed has none."""
    nums = sorted({names.intern_filed(cursor, row) for row in rows.filed})
    low, high = _NO_SPAN if rows.span is None else rows.span
    cursor.execute(_INSERT, (rid, struct.pack(f"<qq{len(nums)}I", low, high, *nums)))


def read(content: bytes) -> Content:
    """What `write` filed."""
    low, high, *nums = struct.unpack(f"<qq{(len(content) - _SPAN_BYTES) // 4}I", content)
    return Content(low, high, frozenset(nums))

"""The SQL of history: which versions, newest first, from where on.

https://hl7.org/fhir/R4/http.html#history
"""

import json
import struct
import zlib
from sqlite3 import Connection
from typing import Any

from fhir_server.search.query import And, Ids, Not, Or, OwnedBy, Predicate, TypeIn, Unowned
from fhir_server.store.protocol import BadCursor

SELECT = """
SELECT v.seq, v.type, r.id, v.version, v.updated, v.method, v.owner, v.body, v.facts
FROM version v JOIN resource r ON r.rid = v.rid
"""

_THE_PATIENT = "= (SELECT num FROM owner WHERE patient = ?)"
_AMONG_PATIENTS = "IN (SELECT num FROM owner WHERE patient IN (SELECT value FROM json_each(?)))"
_AMONG_TYPES = "IN (SELECT num FROM type_name WHERE name IN (SELECT value FROM json_each(?)))"

# seq of the last row of the page, and a checksum of what was asked.
_CURSOR = struct.Struct(">qI")


def history_sql(
    connection: Connection,
    type: str | None,
    id: str | None,
    where: Predicate,
    since: int | None,
    at: tuple[int, int] | None,
    before: int | None,
    count: int,
) -> tuple[str, list[Any]]:
    """Rows as in SELECT; `before` is the seq that all must be below."""
    conditions = []
    params: list[Any] = []
    if id is not None:
        conditions.append(
            "v.rid = (SELECT rid FROM resource WHERE type = (SELECT num FROM type_name WHERE name = ?) AND id = ?)"
        )
        params += [type, id]
    elif type is not None:
        conditions.append("v.type = (SELECT num FROM type_name WHERE name = ?)")
        params.append(type)
    # The owners of a version and those of the current one must both be in view: what was filed under the wrong patient
    # and set right is shown to neither. The current row of a deleted resource keeps the owners of its last content.
    for owner in ("v.owner", "r.owner"):
        condition, values = _holds(where, owner)
        conditions.append(condition)
        params += values
    if since is not None:
        conditions.append("v.seq >= ?")
        params.append(_first_since(connection, since))
    if at is not None:
        low, high = at
        conditions.append("v.updated < ?")
        conditions.append(
            "NOT EXISTS (SELECT 1 FROM version n WHERE n.rid = v.rid AND n.version = v.version + 1 AND n.updated <= ?)"
        )
        params += [high, low]
    if before is not None:
        conditions.append("v.seq < ?")
        params.append(before)
    params.append(count)
    return f"{SELECT} WHERE {' AND '.join(conditions)} ORDER BY v.seq DESC LIMIT ?", params


def pack_cursor(seq: int, asked: object) -> bytes:
    return _CURSOR.pack(seq, _checksum(asked))


def unpack_cursor(cursor: bytes, asked: object) -> int:
    """The seq in it. Raises BadCursor."""
    if len(cursor) != _CURSOR.size:
        raise BadCursor
    seq, checksum = _CURSOR.unpack(cursor)
    if checksum != _checksum(asked):
        raise BadCursor
    return int(seq)


def _checksum(asked: object) -> int:
    return zlib.crc32(repr(asked).encode())


def _holds(where: Predicate, owner: str) -> tuple[str, list[Any]]:
    """`where` as a condition on the version `v` of the resource `r`, of which `owner` is the owner column."""
    match where:
        case And(children) | Or(children):
            parts = [_holds(child, owner) for child in children]
            conjunction = isinstance(where, And)
            if not parts:
                return ("1" if conjunction else "0"), []
            condition = (" AND " if conjunction else " OR ").join(part for part, _ in parts)
            return f"({condition})", [value for _, values in parts for value in values]
        case Not(child):
            condition, values = _holds(child, owner)
            return f"NOT {condition}", values
        case Unowned():
            return f"{owner} = 0", []
        case OwnedBy((patient,)):
            return f"{owner} {_THE_PATIENT}", [patient]
        case OwnedBy(patients):
            return f"{owner} {_AMONG_PATIENTS}", [json.dumps(patients)]
        case TypeIn(types):
            return f"v.type {_AMONG_TYPES}", [json.dumps(types)]
        case Ids(ids):
            return "r.id IN (SELECT value FROM json_each(?))", [json.dumps(ids)]
    raise TypeError(f"history can't be narrowed by {type(where).__name__}")


def _first_since(connection: Connection, since: int) -> int:
    """The first seq whose version was updated at `since` or later; one past the last if there is none.

    Update times never run backwards along seq, so that halving finds it, and no index of times is needed.
    """
    low, high = connection.execute("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) + 1 FROM version").fetchone()
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT seq, updated FROM version WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        if row[1] >= since:
            high = middle
        else:
            low = row[0] + 1
    return int(low)

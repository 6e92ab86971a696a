"""History: which versions, newest first, from where on.

https://hl7.org/fhir/R4/http.html#history
"""

import heapq
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from sqlite3 import Connection
from typing import Any

from fhir_server.search.query import And, ByOwner, Ids, Not, Or, OwnedBy, Predicate, TypeIn, Unowned
from fhir_server.store.protocol import BadCursor
from fhir_server.store.sqlite.index_names import NO_OWNER, SEVERAL_OWNERS
from fhir_server.store.sqlite.judges import owner_key
from fhir_server.store.sqlite.names import Names

_SELECT = """
SELECT v.seq, v.type, r.id, v.version, v.updated, v.method, v.owner, v.body, v.facts
FROM version v JOIN resource r ON r.rid = v.rid
"""

_THE_PATIENT = "= (SELECT num FROM owner WHERE patient = ?)"
_AMONG_PATIENTS = "IN (SELECT num FROM owner WHERE patient IN (SELECT value FROM json_each(?)))"
_AMONG_TYPES = "IN (SELECT num FROM type_name WHERE name IN (SELECT value FROM json_each(?)))"

# Owners whose versions are walked side by side; of more, all versions are looked through.
WALKS_MAX = 16

# seq of the last row of the page, and a checksum of what was asked.
_CURSOR = struct.Struct(">qI")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a history is of; see Snapshot.history."""

    type: str | None
    id: str | None
    where: Predicate
    since: int | None
    at: tuple[int, int] | None

    def checksum(self) -> int:
        """Without `where`: consent may change from one page to the next, and the place to go on from is the same."""
        return zlib.crc32(repr((self.type, self.id, self.since, self.at)).encode())


def rows(connection: Connection, names: Names, asked: Asked, before: int | None, limit: int) -> list[tuple[Any, ...]]:
    """At most `limit` rows as in _SELECT, newest first; `before` is the seq that all must be below."""
    names.judges.begin(connection)
    conditions = []
    params: list[Any] = []
    if asked.id is not None:
        conditions.append(
            "v.rid = (SELECT rid FROM resource WHERE type = (SELECT num FROM type_name WHERE name = ?) AND id = ?)"
        )
        params += [asked.type, asked.id]
    elif asked.type is not None:
        conditions.append("v.type = (SELECT num FROM type_name WHERE name = ?)")
        params.append(asked.type)
    # The owners of a version and those of the current one must both be in view: what was filed under the wrong patient
    # and set right is shown to neither. The current row of a deleted resource keeps the owners of its last content.
    for of in ("v", "r"):
        condition, values = _holds(names, asked.where, of)
        conditions.append(condition)
        params += values
    if asked.since is not None:
        conditions.append("v.seq >= ?")
        params.append(_first_since(connection, asked.since))
    if asked.at is not None:
        low, high = asked.at
        conditions.append("v.updated < ?")
        conditions.append(
            "NOT EXISTS (SELECT 1 FROM version n WHERE n.rid = v.rid AND n.version = v.version + 1 AND n.updated <= ?)"
        )
        params += [high, low]
    if before is not None:
        conditions.append("v.seq < ?")
        params.append(before)
    owners = None if asked.id is not None else _owners(connection, names, asked.where)
    if owners is None or len(owners) > WALKS_MAX:
        return connection.execute(_sql(conditions), (*params, limit)).fetchall()
    # The versions of one owner lie in order: a walk each, cut off at the limit, needs no sorting of all there is.
    one_owner = _sql(["v.owner = ?", *conditions])
    walks = [connection.execute(one_owner, (num, *params, limit)) for num in sorted(owners)]
    return list(islice(heapq.merge(*walks, key=lambda row: row[0], reverse=True), limit))


def _sql(conditions: Sequence[str]) -> str:
    return f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY v.seq DESC LIMIT ?"


def _owners(connection: Connection, names: Names, where: Predicate) -> set[int] | None:
    """Owner numbers of which one must hold for `where` to hold; None if any owner may do."""
    match where:
        case Unowned():
            return {NO_OWNER}
        case OwnedBy(patients) if len(patients) <= WALKS_MAX:
            return {num for patient in patients if (num := names.owner_num(connection, patient))}
        case ByOwner() if (only := names.judges.groups(where).only) is not None and len(only) < WALKS_MAX:
            nums = {num for patient in only if (num := names.owner_num(connection, patient))}
            return nums | {SEVERAL_OWNERS} if len(only) > 1 else nums
        case And(children):
            known = [found for child in children if (found := _owners(connection, names, child)) is not None]
            return set.intersection(*known) if known else None
        case Or(children):
            each = [_owners(connection, names, child) for child in children]
            return None if None in each else set().union(*[found for found in each if found is not None])
    return None


def pack_cursor(seq: int, asked: Asked) -> bytes:
    return _CURSOR.pack(seq, asked.checksum())


def unpack_cursor(cursor: bytes, asked: Asked) -> int:
    """The seq in it. Raises BadCursor."""
    if len(cursor) != _CURSOR.size:
        raise BadCursor
    seq, checksum = _CURSOR.unpack(cursor)
    if checksum != asked.checksum():
        raise BadCursor
    return int(seq)


def _holds(names: Names, where: Predicate, of: str) -> tuple[str, list[Any]]:
    """`where` as a condition on the version `v` of the resource `r`, with the owners of one `of` these."""
    owner = f"{of}.owner"
    match where:
        case And(children) | Or(children):
            parts = [_holds(names, child, of) for child in children]
            conjunction = isinstance(where, And)
            if not parts:
                return ("1" if conjunction else "0"), []
            condition = (" AND " if conjunction else " OR ").join(part for part, _ in parts)
            return f"({condition})", [value for _, values in parts for value in values]
        case Not(child):
            condition, values = _holds(names, child, of)
            return f"NOT {condition}", values
        case Unowned():
            return f"{owner} = 0", []
        case ByOwner():
            judge = names.judges.of(where, "")
            if judge.asks_content:
                raise TypeError("history can't be narrowed by what is filed with current versions only")
            return f"judged_version(?, v.type, {owner_key(owner, f'{of}.seq')}, r.id)", [judge.num]
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

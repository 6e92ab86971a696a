"""Page cursors: where the last row of a page stood, bound to the query, so that the next page starts right behind it.

Not a count of rows to skip: what others insert or delete meanwhile shifts nothing.
"""

from hashlib import blake2b

import msgspec

from fhir_server.search.query import Query
from fhir_server.store.protocol import BadCursor

DIGEST_BYTES = 8

Value = int | float | str | None


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The place of a row: its type (0 in a sorted search), its sort values, its owner and rid."""

    digest: bytes
    type_num: int
    values: tuple[Value, ...]
    owner: int
    rid: int


_DECODER = msgspec.msgpack.Decoder(Position)
# Numbers beyond what SQLite can bind.
_INT_MAX = 2**63 - 1


def digest(query: Query) -> bytes:
    return blake2b(repr(query).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def pack(query: Query, type_num: int, values: tuple[Value, ...], owner: int, rid: int) -> bytes:
    return msgspec.msgpack.encode(Position(digest(query), type_num, values, owner, rid))


def unpack(cursor: bytes, query: Query) -> Position:
    """Raises BadCursor."""
    try:
        position = _DECODER.decode(cursor)
    except (msgspec.MsgspecError, RecursionError):
        raise BadCursor("not a cursor of this store") from None
    numbers = [v for v in (position.type_num, position.owner, position.rid, *position.values) if isinstance(v, int)]
    if len(position.values) != len(query.sort) or any(abs(number) > _INT_MAX for number in numbers):
        raise BadCursor("not a cursor of this store")
    if position.digest != digest(query):
        raise BadCursor("a cursor of another query")
    return position

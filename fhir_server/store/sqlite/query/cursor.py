"""Page cursors: where the last row of a page stood, bound to the query, so that the next page starts right behind it.

Not a count of rows to skip: what others insert or delete meanwhile shifts nothing.
"""

from hashlib import blake2b

import msgspec

from fhir_server.search import query as ast
from fhir_server.search.query import Predicate, Query
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
    asked = (query.types, _asked(query.where), query.sort)
    return blake2b(repr(asked).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _asked(predicate: Predicate) -> object:
    """What the client asks, without what only the gateway adds: that may change from one page to the next."""
    match predicate:
        case ast.And(children) | ast.Or(children):
            parts = [part for child in children if (part := _asked(child)) is not None]
            return (type(predicate).__name__, parts) if len(parts) > 1 else parts[0] if parts else None
        case ast.Not(child):
            part = _asked(child)
            return None if part is None else ("Not", part)
        case ast.Chain(param, target, child):
            return ("Chain", param, target, _asked(child))
        case ast.Has(source, param, child):
            return ("Has", source, param, _asked(child))
        case ast.OwnedBy() | ast.Unowned() | ast.ByOwner() | ast.Filed() | ast.FiledSpan() | ast.TypeIn():
            return None
    return predicate


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

"""Several queries answered as one list, page after page: what `$everything` and a plain search have in common.

https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Sequence

import msgspec

from fhir_server.search.query import NOTHING, Query
from fhir_server.store.protocol import BadCursor, Snapshot, StoredVersion


class _Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: in which query, and the store's own cursor in it."""

    query: int
    cursor: bytes


_DECODER = msgspec.msgpack.Decoder(_Position)


async def listing(
    snapshot: Snapshot, queries: Sequence[Query], count: int, position: bytes
) -> tuple[list[StoredVersion], bytes]:
    """`count` rows from `position` on, and the position after them: b"" if nothing follows. Raises BadCursor."""
    current, cursor = 0, b""
    if position:
        try:
            start = _DECODER.decode(position)
        except msgspec.MsgspecError:
            raise BadCursor("not a position in a listing") from None
        current, cursor = start.query, start.cursor
    rows: list[StoredVersion] = []
    while count and current < len(queries):
        query = queries[current]
        if query.where != NOTHING:
            if len(rows) == count:
                # The page is full. Whether a next link is due depends on there being anything behind it.
                peek = await snapshot.search(query, count=1)
                if peek.rows:
                    return rows, msgspec.msgpack.encode(_Position(current, b""))
                current += 1
                continue
            page = await snapshot.search(query, count=count - len(rows), cursor=cursor)
            rows += page.rows
            cursor = page.next_cursor
            if cursor:
                return rows, msgspec.msgpack.encode(_Position(current, cursor))
        current, cursor = current + 1, b""
    return rows, b""

"""Pages of a history that the store's query cannot decide in full: each version is decided, and its resource as it is.

Whatever is withheld must not be felt in the page: not by a page that is shorter for it, and not by a next link behind
which there is nothing. https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from fhir_server.outcome import Category, FhirError
from fhir_server.store.protocol import Page, StoredVersion

Fetch: TypeAlias = Callable[[int, bytes], Awaitable[Page]]
"""So many versions from a cursor on."""
Permits: TypeAlias = Callable[[StoredVersion], Awaitable[bool]]

_CHUNK_COUNT: Final = 200
# Beyond this a history is a report. What the query itself leaves out does not count.
EXAMINED_MAX: Final = 50_000


async def thinned(fetch: Fetch, permits: Permits, count: int, position: bytes) -> tuple[list[StoredVersion], bytes]:
    """`count` permitted versions from `position` on, and the position after them: b"" if no permitted one follows.

    Raises FhirError 422 if that takes a look at more than EXAMINED_MAX versions.
    """
    rows: list[StoredVersion] = []
    here, asked, examined = position, count, 0
    after: bytes | None = None  # behind the last row of a full page
    while True:
        page = await fetch(asked, here)
        examined += len(page.rows)
        if examined > EXAMINED_MAX:
            raise FhirError(Category.TOO_COSTLY, "too long a history to go through, narrow it by `_since`")
        for index, row in enumerate(page.rows):
            if not await permits(row):
                continue
            if after is not None:
                return rows, after
            rows.append(row)
            if len(rows) == count:
                after = page.next_cursor if index + 1 == len(page.rows) else (await fetch(index + 1, here)).next_cursor
        if not page.next_cursor:
            return rows, b""
        # A full page that nothing was withheld from mostly has another behind it: one version tells.
        here, asked = page.next_cursor, 1 if after is not None and examined == len(rows) else _CHUNK_COUNT

"""Stored resources as they are, or were at an instant: what the rules must know of the world, not what is shown.

Only the gateway's own look at the directory and at Consents goes through here; nothing of it is released.
https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fhir_server.gateway.matching import matches
from fhir_server.gateway.narrow import conjunction
from fhir_server.search.query import EVERYTHING, OwnedBy, Predicate, Query, Unowned
from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import Snapshot, StoredVersion
from profiles import json

_PAGE_COUNT = 1_000


class Moment(Protocol):
    """Every resource at one instant."""

    async def get(self, type: str, id: str) -> StoredVersion | None:
        """The resource, its deletion if it was deleted, None if there never was one."""
        ...

    async def find(self, type: str, where: Predicate, about: OwnedBy | Unowned | None = None) -> list[StoredVersion]:
        """All of a type that match. `where` is one that `matching.matches` can judge."""
        ...


class Now:
    """The moment that a snapshot shows."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def get(self, type: str, id: str) -> StoredVersion | None:
        return await self._snapshot.read(type, id)

    async def find(self, type: str, where: Predicate, about: OwnedBy | Unowned | None = None) -> list[StoredVersion]:
        query = Query((type,), conjunction(EVERYTHING if about is None else about, where))
        found: list[StoredVersion] = []
        cursor = b""
        while True:
            page = await self._snapshot.search(query, count=_PAGE_COUNT, cursor=cursor)
            found += page.rows
            cursor = page.next_cursor
            if not cursor:
                return found


class Then:
    """A moment of the past, from the versions that were current at `instant` (microseconds since 1970 UTC)."""

    def __init__(self, snapshot: Snapshot, instant: int, extract: Callable[[Mapping[str, Any]], IndexRows]) -> None:
        self._snapshot = snapshot
        self._instant = instant
        self._extract = extract

    async def get(self, type: str, id: str) -> StoredVersion | None:
        found = await self._versions(type, id, EVERYTHING)
        return found[0] if found else None

    async def find(self, type: str, where: Predicate, about: OwnedBy | Unowned | None = None) -> list[StoredVersion]:
        return [
            row
            for row in await self._versions(type, None, EVERYTHING if about is None else about)
            if not row.deleted and matches(where, self._extract(json.parse(row.body)))
        ]

    async def _versions(self, type: str, id: str | None, where: Predicate) -> list[StoredVersion]:
        found: list[StoredVersion] = []
        cursor = b""
        while True:
            page = await self._snapshot.history(
                type,
                id,
                where=where,
                since=None,
                at=(self._instant, self._instant + 1),
                count=_PAGE_COUNT,
                cursor=cursor,
            )
            found += page.rows
            cursor = page.next_cursor
            if not cursor:
                return found

"""Stored resources as they are, or were at an instant: what the rules must know of the world, not what is shown.

Only the gateway's own look at the directory and at Consents goes through here; nothing of it is released.
https://hl7.org/fhir/R4/http.html#history
"""

import asyncio
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
    """Another moment, from the versions that were current at `instant` (microseconds since 1970 UTC).

    What was about somebody else then than it is now was set right since, and is found for neither.
    """

    def __init__(self, snapshot: Snapshot, instant: int, extract: Callable[[Mapping[str, Any]], IndexRows]) -> None:
        self._snapshot = snapshot
        self._instant = instant
        self._extract = extract
        # There is no index of the past: all of a type is looked through, once, and each question is asked of that.
        self._kept: dict[tuple[str, Predicate], list[tuple[StoredVersion, IndexRows]]] = {}

    async def get(self, type: str, id: str) -> StoredVersion | None:
        found = await self._versions(type, id, EVERYTHING)
        return found[0] if found else None

    async def find(self, type: str, where: Predicate, about: OwnedBy | Unowned | None = None) -> list[StoredVersion]:
        key = (type, EVERYTHING if about is None else about)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = []
            for row in await self._versions(type, None, key[1]):
                if not row.deleted:
                    await asyncio.sleep(0)  # other requests go on
                    kept.append((row, self._extract(json.parse(row.body))))
        return [row for row, rows in kept if matches(where, rows)]

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

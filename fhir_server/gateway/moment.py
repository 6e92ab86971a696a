"""Stored resources as they are, or were at an instant: what the rules must know of the world, not what is shown.

Only the gateway's own look at the directory and at Consents goes through here; nothing of it is released.
https://hl7.org/fhir/R4/http.html#history
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fhir_server.gateway.matching import matches
from fhir_server.gateway.narrow import conjunction
from fhir_server.search.query import EVERYTHING, And, Or, OwnedBy, Predicate, Query, Reference, Unowned
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
        self._kept: dict[tuple[str, Predicate], list[StoredVersion]] = {}
        self._rows: dict[tuple[str, str], IndexRows] = {}

    async def get(self, type: str, id: str) -> StoredVersion | None:
        found = await self._versions(type, id, EVERYTHING)
        return found[0] if found else None

    async def find(self, type: str, where: Predicate, about: OwnedBy | Unowned | None = None) -> list[StoredVersion]:
        key = (type, EVERYTHING if about is None else about)
        if key not in self._kept:
            self._kept[key] = [row for row in await self._versions(type, None, key[1]) if not row.deleted]
        found = []
        for row in self._kept[key]:
            if not _names(where, row.body):
                continue
            if (type, row.id) not in self._rows:
                await asyncio.sleep(0)  # other requests go on
                self._rows[type, row.id] = self._extract(json.parse(row.body))
            if matches(where, self._rows[type, row.id]):
                found.append(row)
        return found

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


class Within:
    """A moment as far as one patient may know of it: the directory, and what is about them alone."""

    def __init__(self, moment: Moment, patient: str) -> None:
        self._moment = moment
        self._own = OwnedBy((patient,))

    async def get(self, type: str, id: str) -> StoredVersion | None:
        found = await self._moment.get(type, id)
        return found if found is not None and found.owners in ((), self._own.patients) else None

    async def find(self, type: str, where: Predicate, about: OwnedBy | Unowned | None = None) -> list[StoredVersion]:
        found: list[StoredVersion] = []
        for part in (self._own, Unowned()):
            if about in (None, part):
                found += await self._moment.find(type, where, part)
        return found


def _names(where: Predicate, body: bytes) -> bool:
    """Whether a resource with this text may match, told without taking it apart: it names each id that is asked for."""
    match where:
        case And(children):
            return all(_names(child, body) for child in children)
        case Or(children):
            return any(_names(child, body) for child in children)
        case Reference(id=str(logical_id)):
            return logical_id.encode() in body
    return True

"""A Session: what one requester can ask of the store, each answer decided, released and audited.

https://hl7.org/fhir/R4/http.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from fhir_server.gateway.access import READ, SEARCH, not_found
from fhir_server.gateway.counsel import Counsel
from fhir_server.gateway.cursor import unknown_cursor
from fhir_server.gateway.includes import Includer
from fhir_server.gateway.listing import listing
from fhir_server.gateway.narrow import reached, visible_of
from fhir_server.gateway.redaction import redact
from fhir_server.gateway.release import Released, release
from fhir_server.gateway.results import Found, Versions, Written
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.thinning import thinned
from fhir_server.gateway.unit import Unit
from fhir_server.outcome import Category, FhirError, Issue
from fhir_server.search.query import EVERYTHING, Predicate, Query
from fhir_server.search.results import Include
from fhir_server.store.protocol import BadCursor, GuardFailed, Page, StoredVersion, VersionConflict
from profiles import json

Staging = TypeVar("Staging")
Choice: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], Sequence[int]]

# Writers that collide start over on what the other one left; who loses this often gets a 409.
ATTEMPTS_MAX: Final = 8
_log = logging.getLogger(__name__)


class Session(Counsel):
    """The only way from a request to stored resources; a request holds a Session, never a store.

    Every method audits what it did before it returns, and what it refused before it raises.
    """

    # --- reading -----------------------------------------------------------------------------------------------------

    async def read(self, type: str, id: str) -> Released:
        """The current version. Raises FhirError: 404 if there is none to be seen, 410 if it was deleted."""
        found: StoredVersion | None = None
        try:
            self._access.require(type, READ)
            await self._unfold(type)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                found = await sight.read(type, id, READ)
                released = _release(sight, found)
        except FhirError as error:
            await self._refused("read", f"{type}/{id}", error, _present(found))
            raise
        await self._shown("read", f"{type}/{id}", _present(found))
        return released

    async def vread(self, type: str, id: str, version: int) -> Released:
        """One version, if both it and the current one (also if that is a deletion) may be read. 404; 410 if deleted."""
        found: StoredVersion | None = None
        try:
            self._access.require(type, READ)
            await self._unfold(type)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                current = await sight.read(type, id, READ)
                found = await sight.vread(type, id, version, READ)
                if current is None or not sight.permits(current, READ):
                    raise not_found()
                released = _release(sight, found)
        except FhirError as error:
            await self._refused("vread", f"{type}/{id}", error, _present(found))
            raise
        await self._shown("vread", f"{type}/{id}", _present(found))
        return released

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        count: int,
        position: bytes = b"",
    ) -> Versions:
        """Versions, newest first, of one resource, a type, or everything. 404 for an instance nobody should see."""
        interaction = "history-instance" if id else "history-type" if type else "history-system"
        target = f"{type}/{id}" if id else type or ""
        current: StoredVersion | None = None
        # SMART: `r` covers the history of an instance, `s` that of a type and of the system.
        action = READ if id else SEARCH
        try:
            types = (type,) if type else self.types(action)
            self._require_any(types, action)
            await self._unfold(*types)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                where: Predicate = EVERYTHING
                if type and id:
                    current = await sight.read(type, id, action)
                    if current is None or not sight.permits(current, action):
                        raise not_found()
                else:
                    where = visible_of(types, (await sight.visible_by_owner(types, action)).__getitem__)

                async def fetch(several: int, cursor: bytes) -> Page:
                    return await snapshot.history(
                        type, id, where=where, since=since, at=at, count=several, cursor=cursor
                    )

                async def permits(row: StoredVersion) -> bool:
                    """A version needs a permit on itself and on the current one."""
                    await sight.know((row,))
                    if not sight.permits(row, action):
                        return False
                    newest = current or await sight.read(row.type, row.id, action)
                    return newest is not None and sight.permits(newest, action)

                rows, position = await thinned(fetch, permits, count, position)
                released = tuple(_release_shown(sight, row) for row in rows)
        except BadCursor:
            error = unknown_cursor()
            await self._refused(interaction, target, error, _present(current))
            raise error from None
        except FhirError as error:
            await self._refused(interaction, target, error, _present(current))
            raise
        await self._shown(interaction, target, rows)
        return Versions(released, position)

    async def search(
        self,
        *queries: Query,
        target: str,
        parameters: Sequence[tuple[str, str]],
        count: int,
        position: bytes = b"",
        total: bool = False,
        includes: Sequence[Include] = (),
        revincludes: Sequence[Include] = (),
        interaction: str = "search-type",
        choose: Choice | None = None,
    ) -> Found:
        """One page of what matches and may be seen, and what it includes; the answers of several queries follow on.

        `parameters` are what the audit keeps of the question. `choose` picks from the contents of the page by index
        what is shown of it. Raises FhirError: 401 or 403 without a scope to search any of the types, 400 for a cursor
        of another search.
        """
        asked = "&".join(f"{name}={value}" for name, value in redact(parameters))
        try:
            types = {name for query in queries for name in query.types}
            self._require_any(tuple(types), SEARCH)
            beside = {name for query in queries for name in reached(query.where)}
            await self._unfold(*types, *beside, *(include.source for include in (*includes, *revincludes)))
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                narrowed = [await sight.narrowed(query, SEARCH) for query in queries]
                rows, after = await listing(snapshot, narrowed, count, position)
                await sight.know(rows)
                released = [(row, _released(sight, row)) for row in rows]
                matches = [(row, one) for row, one in released if one is not None]
                if choose is not None:
                    matches = [matches[kept] for kept in choose([json.parse(row.body) for row, _ in matches])]
                counted = sum([await snapshot.total(query) for query in narrowed]) if total else None
                included = await Includer(sight, self.registry).gather(
                    [row for row, _ in matches], includes, revincludes
                )
                led_to = tuple(_release_shown(sight, row) for row in included)
                asked_about = frozenset().union(*(sight.asks_about(query) for query in queries))
        except BadCursor:
            error = unknown_cursor()
            await self._refused(interaction, target, error, query=asked)
            raise error from None
        except FhirError as error:
            await self._refused(interaction, target, error, query=asked)
            raise
        await self._shown(interaction, target, (*(row for row, _ in matches), *included), asked, asked_about)
        return Found(tuple(one for _, one in matches), led_to, counted, after)

    # --- writing -----------------------------------------------------------------------------------------------------

    async def write(
        self, interaction: str, target: str, stage: Callable[[Unit], Awaitable[Staging]]
    ) -> tuple[Staging, tuple[Written, ...]]:
        """Stage a unit of work and store it whole; what was staged, and the new versions in the order of their staging.

        Starts over on a new snapshot when another writer came between. Raises FhirError, 409 if that goes on too long.
        """
        unit: Unit | None = None
        try:
            for attempt in range(ATTEMPTS_MAX):
                async with self._store.snapshot() as snapshot:
                    sight = await self._look(snapshot)
                    unit = Unit(self._gateway.tools, sight)
                    staged = await stage(unit)
                    await sight.know(unit.writes)
                entry = self._trail.entry(interaction, 200, target, unit.touched)
                if not unit.writes:
                    await self._store.append_audit((entry,))
                    return staged, ()
                try:
                    committed = await self._store.commit(unit.writes, unit.guards, (entry,), unit.refile)
                except (VersionConflict, GuardFailed):
                    await asyncio.sleep(0.001 * attempt)
                    continue
                stored = unit.stored(committed)
                return staged, tuple(
                    _written(sight, row, unit.warnings(position)) for position, row in enumerate(stored)
                )
            raise FhirError(Category.CONFLICT, "others keep changing the same resource, try again")
        except FhirError as error:
            await self._trail.refused(interaction, target, error, unit.met if unit is not None else ())
            raise

    async def rehearse(self, interaction: str, target: str, stage: Callable[[Unit], Awaitable[Staging]]) -> None:
        """Stage a unit of work and store nothing. Raises the FhirError that storing it would meet."""
        unit: Unit | None = None
        try:
            async with self._store.snapshot() as snapshot:
                unit = Unit(self._gateway.tools, await self._look(snapshot))
                await stage(unit)
        except FhirError as error:
            await self._trail.refused(interaction, target, error, unit.met if unit is not None else ())
            raise
        await self._shown(interaction, target, ())


def _release(sight: Sight, stored: StoredVersion | None) -> Released:
    if stored is None:
        raise not_found()
    released = release(stored, lambda row: sight.permits(row, READ))
    if released is None:
        raise not_found()
    if stored.deleted:
        raise FhirError(Category.GONE, "the resource has been deleted")
    return released


def _released(sight: Sight, stored: StoredVersion) -> Released | None:
    """A row that a query found. The query said yes, so a no is a fault of ours: fail closed, and say so."""
    released = release(stored, lambda row: sight.permits(row, SEARCH))
    if released is None:
        _log.error("the query and the decision disagree about a %s; it was withheld", stored.type)
    return released


def _release_shown(sight: Sight, stored: StoredVersion) -> Released:
    released = release(stored, lambda row: sight.permits(row, "cruds"))
    assert released is not None, "one row, two decisions"
    return released


def _written(sight: Sight, stored: StoredVersion, warnings: tuple[Issue, ...]) -> Written:
    released = release(stored, lambda row: not row.deleted and sight.permits(row, "cruds"))
    return Written(stored.type, stored.id, stored.version, stored.updated, released, warnings)


def _present(stored: StoredVersion | None) -> tuple[StoredVersion, ...]:
    return () if stored is None else (stored,)

"""A Session: what one requester can ask of the store, each answer decided, released and audited.

https://hl7.org/fhir/R4/http.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from fhir_server.gateway import audit
from fhir_server.gateway.access import READ, SEARCH, SHOWN, Authority, login_required, not_found
from fhir_server.gateway.audit import Touched
from fhir_server.gateway.cursor import Cursor, unknown_cursor
from fhir_server.gateway.emergency import tell
from fhir_server.gateway.emergency_window import Window, window
from fhir_server.gateway.explaining import Explanation, Question, answer, check, entitled
from fhir_server.gateway.includes import Includer
from fhir_server.gateway.listing import listing
from fhir_server.gateway.narrow import reached, visible_of
from fhir_server.gateway.previewing import Preview, compare, named
from fhir_server.gateway.redaction import redact
from fhir_server.gateway.release import Released, release
from fhir_server.gateway.requester import Requester
from fhir_server.gateway.results import Found, Versions, Written
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.thinning import thinned
from fhir_server.gateway.trail import Trail
from fhir_server.gateway.unfolding import UNFOLDED
from fhir_server.gateway.unit import Unit
from fhir_server.outcome import Category, FhirError, Issue
from fhir_server.search.context import Context
from fhir_server.search.query import EVERYTHING, Predicate, Query
from fhir_server.search.results import ANY, Include
from fhir_server.store.protocol import (
    BadCursor,
    Capabilities,
    GuardFailed,
    Page,
    Snapshot,
    StoredVersion,
    VersionConflict,
)
from profiles import json
from profiles.registry import Registry

if TYPE_CHECKING:
    from fhir_server.gateway.gateway import Gateway

Staging = TypeVar("Staging")
Choice: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], Sequence[int]]

# Writers that collide start over on what the other one left; who loses this often gets a 409.
ATTEMPTS_MAX: Final = 8
_log = logging.getLogger(__name__)


class Session:
    """The only way from a request to stored resources; a request holds a Session, never a store.

    Every method audits what it did before it returns, and what it refused before it raises.
    """

    def __init__(self, gateway: "Gateway", access: Authority) -> None:
        self._gateway = gateway
        self._store = gateway.store
        self._access = access
        self._sight: Sight | None = None
        self._trail = self._trail_of(access.requester)

    # --- what an interaction may know --------------------------------------------------------------------------------

    @property
    def requester(self) -> Requester:
        return self._access.requester

    @property
    def registry(self) -> Registry:
        return self._gateway.registry

    @property
    def capabilities(self) -> Capabilities:
        return self._store.capabilities

    def context(self, *, lenient: bool = False) -> Context:
        """What a search is parsed against."""
        return self._gateway.context(lenient=lenient)

    def require(self, type: str, action: str) -> None:
        """Raises FhirError 401 or 403 unless a scope covers the action (one of `cruds`) on the type."""
        self._access.require(type, action)

    def holds(self, type: str, actions: str = SEARCH) -> bool:
        """Whether some scope covers one of the actions on the type."""
        return self._access.holds(type, actions)

    def types(self, actions: str) -> tuple[str, ...]:
        """The resource types on which some scope covers one of the actions."""
        return tuple(name for name in self.registry.resource_types if self._access.holds(name, actions))

    def seal(self, path: tuple[str, ...], parameters: Sequence[tuple[str, str]], position: bytes) -> str:
        """A page cursor for this requester alone."""
        return self._gateway.sealer.seal(Cursor(path, tuple(parameters), position), self.requester.binding)

    def unseal(self, token: str, path: tuple[str, ...]) -> Cursor:
        """Raises FhirError 400 unless the cursor was made for this requester and this path."""
        cursor = self._gateway.sealer.open(token, self.requester.binding)
        if cursor.path != path:
            raise unknown_cursor()
        return cursor

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
                await sight.know(stored)
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

    # --- operations of consent ---------------------------------------------------------------------------------------

    async def explain(self, patient: str, question: Question) -> Explanation:
        """Why somebody can or can't see what is in the dossier, for the patient, a proxy and the auditor.

        Raises FhirError: 400 for what can't be asked, 401 or 403 without a scope to read Consents and what is asked
        about, 404 for everybody else as if there were no such patient, and for a record that is not in this dossier.
        """
        target = f"Patient/{patient}"
        asked_of: StoredVersion | None = None
        try:
            self._access.require("Consent", READ)
            asked = check(self._gateway, question)
            if asked.type:
                self._require_any((asked.type,), READ if asked.id else SEARCH)
            await self._unfold(asked.type)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                asked_of = await sight.read("Patient", patient, READ)
                if not entitled(sight, asked_of):
                    raise not_found()
                explanation = await answer(self._gateway, sight, patient, asked)
        except FhirError as error:
            await self._refused("operation", target, error, _present(asked_of))
            raise
        concerned = audit.touched(_present(asked_of), sight.judge.grounds)
        await self._trail.shown("operation", target, concerned, f"actor={asked.actor}", "explain-access")
        return explanation

    async def preview(self, consent: Mapping[str, Any] | str, status: str) -> Preview:
        """What a Consent, or the stored one with this id, would change if it had this status ('': its own).

        Raises FhirError: 401 or 403 without a scope to read Consents, 400 or 422 for one that is not valid or can't be
        enforced, 404 for everybody but the patient and their proxies.
        """
        target = f"Consent/{consent}" if isinstance(consent, str) else "Consent"
        asked_of: StoredVersion | None = None
        try:
            self._access.require("Consent", READ)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                if isinstance(consent, str):
                    asked_of = await sight.read("Consent", consent, READ)
                    consent = json.parse(_release(sight, asked_of).body)
                made, patient = named(self._gateway, consent, status)
                preview = await compare(self._gateway, sight, made, patient)
        except FhirError as error:
            await self._refused("operation", target, error, _present(asked_of))
            raise
        await self._trail.shown("operation", f"Patient/{patient}", (), detail="preview")
        return preview

    async def open_emergency(self, patient: str, reason: str, minutes: int) -> Window:
        """A token for one dossier in an emergency, durable and in the log of that patient id when it is returned.

        Raises FhirError as `emergency_window.window` says; never one that depends on whether there is such a patient.
        """
        target, gateway = f"Patient/{patient}", self._gateway
        try:
            async with self._store.snapshot() as snapshot:
                await self._look(snapshot)  # as whom the requester is known, for the log
                login, client = self.requester.user, self.requester.client
                closure = await gateway.knowledge.closure(snapshot, login, client, gateway.clock())
            allowed = gateway.may_press(login, closure)
            opened = window(self.requester, allowed, patient, reason, minutes, gateway.clock())
        except FhirError as error:
            await self._refused("operation", target, error)
            raise
        asked = replace(self.requester, purpose=opened.stored.purpose, reason=opened.stored.reason)
        trail = self._trail_of(asked)
        trail.standing = self._trail.standing
        entry = trail.entry("operation", 200, target, (), detail="emergency-access", emergency=True)
        await self._store.put_token(opened.digest, opened.stored, (entry,))
        return opened

    # --- auditing ----------------------------------------------------------------------------------------------------

    async def performed(self, interaction: str, target: str = "", detail: str = "") -> None:
        """An interaction that touched nothing stored: capabilities, `$validate`."""
        await self._trail.shown(interaction, target, (), detail=detail)

    async def refused(self, interaction: str, target: str, error: FhirError) -> None:
        """An interaction that was refused before it reached the Session; does nothing if the Session itself refused."""
        if not self._trail.knows(error):
            await self._trail.refused(interaction, target, error)

    # --- inner steps -------------------------------------------------------------------------------------------------

    def _trail_of(self, requester: Requester) -> Trail:
        gateway = self._gateway
        return Trail(self._store, requester, gateway.tools.new_id, gateway.clock, gateway.settings.base_url)

    async def _look(self, snapshot: Snapshot) -> Sight:
        sight = self._sight = Sight(
            snapshot,
            self._access,
            await self._access.judge(snapshot),
            self._gateway.tools.ownership.codes,
        )
        self._trail.standing = await sight.judge.standing()
        return sight

    async def _shown(
        self,
        interaction: str,
        target: str,
        rows: Iterable[StoredVersion],
        query: str = "",
        asked_about: frozenset[str] = frozenset(),
    ) -> None:
        """Put on the trail what was shown, and why; whoever must be told of it is.

        A question about a patient stands in their log, also where the answer is a number or nothing.
        """
        sight = self._sight
        assert sight is not None, "nothing is shown that was not looked at"
        told = sight.judge.told()
        concerned = audit.touched(rows, sight.judge.grounds)
        shown_of = {owner for one in concerned for owner in one.owners}
        concerned += tuple(Touched("Patient", one, 0, (one,)) for one in sorted(asked_about - shown_of))
        await self._trail.shown(interaction, target, concerned, query, emergency=bool(told))
        if told:
            await tell(self._gateway, self.requester, told)

    async def _refused(
        self, interaction: str, target: str, error: FhirError, rows: Iterable[StoredVersion] = (), query: str = ""
    ) -> None:
        grounds = self._sight.judge.grounds if self._sight is not None else None
        await self._trail.refused(interaction, target, error, audit.touched(rows, grounds), query)

    def _require_any(self, types: Sequence[str], action: str) -> None:
        if len(types) == 1:
            self._access.require(types[0], action)
        elif not any(self._access.holds(name, action) for name in types):
            if not self.requester.user:
                raise login_required()
            raise FhirError(Category.FORBIDDEN, "the token has no scope for this interaction")

    async def _unfold(self, *types: str) -> None:
        """Make AuditEvents and Provenances of the trail before anybody looks for them."""
        asked = UNFOLDED if ANY in types else UNFOLDED.intersection(types)
        if any(self._access.holds(name, SHOWN) for name in asked):
            await self._store.unfold_audit(self._gateway.expand)


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

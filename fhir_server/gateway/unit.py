"""A unit of work: writes staged one by one against one snapshot, each decided, then stored together or not at all.

What the requester may not see is treated, at every step, as if it were not there.
https://hl7.org/fhir/R4/http.html#create, #update, #delete
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from fhir_server.gateway import authorship, stored_text, validation
from fhir_server.gateway.access import SEARCH, SHOWN, not_found
from fhir_server.gateway.audit import Ground, Touched, touched
from fhir_server.gateway.consents import ConsentRules
from fhir_server.gateway.filing import Filer, Filing
from fhir_server.gateway.matching import judgeable, matches
from fhir_server.gateway.ownership import Extract, Ownership
from fhir_server.gateway.release import Released, release
from fhir_server.gateway.requester import SYSTEM_KIND
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.writing import WriteAction
from fhir_server.outcome import Category, FhirError, Issue
from fhir_server.search.query import EVERYTHING, Query
from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import Committed, Guard, Refile, StoredVersion, Write
from profiles import json
from profiles.registry import Registry

# Conditional interactions need to tell none, one, and several apart.
_MATCHES_MAX: Final = 2


class Tools(msgspec.Struct, frozen=True, eq=False):
    """What a unit of work needs besides the store."""

    registry: Registry
    extract: Extract
    ownership: Ownership
    filer: Filer
    consents: ConsentRules
    new_id: Callable[[], str]


class Content(NamedTuple):
    """What follows from a resource: what it is found by, whom it is about, and what was filed with it."""

    rows: IndexRows
    owners: tuple[str, ...]
    facts: bytes


class Staged(msgspec.Struct, frozen=True):
    """A write to come. `position` is its place in the commit; `action` says what it comes down to."""

    position: int
    action: WriteAction
    type: str
    id: str


class Unit:
    """Collects writes. Made by the gateway for each attempt; a request only ever stages through it."""

    def __init__(self, tools: Tools, sight: Sight) -> None:
        self._tools = tools
        self._sight = sight
        self._authority = sight.authority
        self._writes: list[Write] = []
        self._guards: list[Guard] = []
        self._owners: dict[tuple[str, str], tuple[str, ...]] = {}
        self._positions: dict[tuple[str, str], int] = {}
        self._refile: dict[tuple[str, str], Refile] = {}
        self._grounds: dict[tuple[str, str], tuple[Ground, ...]] = {}
        self._warnings: dict[int, tuple[Issue, ...]] = {}
        self._touched: list[Touched] = []
        self._met: list[StoredVersion] = []

    @property
    def writes(self) -> tuple[Write, ...]:
        return tuple(self._writes)

    @property
    def guards(self) -> tuple[Guard, ...]:
        return tuple(self._guards)

    @property
    def refile(self) -> tuple[Refile, ...]:
        """Stored versions about which this unit says something new."""
        return tuple(self._refile.values())

    def warnings(self, position: int) -> tuple[Issue, ...]:
        """What its writer is to be told about the write at this position."""
        return self._warnings.get(position, ())

    @property
    def touched(self) -> tuple[Touched, ...]:
        """What the audit says of this unit: every resource with its owners before and after."""
        return tuple(self._touched)

    @property
    def met(self) -> tuple[Touched, ...]:
        """What stood in the way of this unit: the stored resources that it would have changed, as they are."""
        judge = self._sight.judge
        return touched(self._met, lambda row: self._grounds.get((row.type, row.id)) or judge.grounds(row))

    def new_id(self) -> str:
        return self._tools.new_id()

    async def matches(self, query: Query) -> tuple[Released, ...]:
        """At most two visible resources of the query's one type; that it is none or one is guarded until the commit.

        Needs the scope to search: a condition is a search. https://hl7.org/fhir/R4/http.html#ccreate
        """
        (resource_type,) = query.types
        self._authority.require(resource_type, SEARCH)
        narrowed = await self._sight.narrowed(query, SEARCH)
        page = await self._sight.snapshot.search(narrowed, count=_MATCHES_MAX)
        await self._sight.know(page.rows)
        found = (release(row, lambda stored: self._sight.permits(stored, SEARCH)) for row in page.rows)
        if len(page.rows) < _MATCHES_MAX:
            self._guards.append(Guard(narrowed, tuple((row.type, row.id) for row in page.rows)))
        return tuple(one for one in found if one is not None)

    def staged_matches(self, query: Query) -> tuple[str, ...]:
        """Ids of the resources staged so far that match, as far as their index rows tell.

        For conditional references to what comes in the same transaction.
        """
        (resource_type,) = query.types
        if not judgeable(query.where):
            return ()
        return tuple(
            write.id
            for write in self._writes
            if write.type == resource_type and write.rows is not None and matches(query.where, write.rows)
        )

    async def exists(self, resource_type: str, logical_id: str) -> bool:
        """Whether there is such a resource, staged or visible."""
        if (resource_type, logical_id) in self._owners:
            return True
        stored = await self._sight.read(resource_type, logical_id, SHOWN)
        return stored is not None and not stored.deleted and self._sight.permits(stored, SHOWN)

    async def create(self, resource: Mapping[str, Any], logical_id: str = "") -> Staged:
        """A new resource under a new id, or under `logical_id`, which the server itself chose.

        https://hl7.org/fhir/R4/http.html#create
        """
        resource_type = resource["resourceType"]
        self._authority.require(resource_type, "c")
        named = stored_text.with_id(resource, logical_id or self._tools.new_id())
        content = await self._examine(named)
        await self._expect_writable("create", named, content, "c")
        return await self._stage("create", named, 0, content)

    async def update(self, resource: Mapping[str, Any], if_match: int | None = None) -> Staged:
        """A new version of the resource whose type and id are given in it; if there is none, its creation.

        https://hl7.org/fhir/R4/http.html#update
        """
        resource_type, logical_id = resource["resourceType"], resource["id"]
        self._authority.require(resource_type, "u")
        named = stored_text.with_id(resource, logical_id)
        current = await self._current(resource_type, logical_id, "u")
        content = await self._examine(named, current)
        if current is None or current.deleted:
            return await self._create_by_chosen_id(named, current, content, if_match)
        self._expect_visible(current, "u")
        self._expect_version(current, if_match)
        await self._expect_changeable("update", current, "u")
        await self._expect_writable("update", named, content, "u")
        return await self._stage("update", named, current.version, content, current.owners)

    async def patch(
        self,
        resource_type: str,
        logical_id: str,
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        if_match: int | None = None,
    ) -> Staged:
        """The current version as `change` makes it. https://hl7.org/fhir/R4/http.html#patch"""
        self._authority.require(resource_type, "u")
        current = await self._current(resource_type, logical_id, "u")
        if current is None:
            raise not_found()
        self._expect_visible(current, "u")
        if current.deleted:
            raise FhirError(Category.GONE, "the resource has been deleted")
        self._expect_version(current, if_match)
        await self._expect_changeable("update", current, "u")
        changed = change(json.parse(current.body))
        if changed.get("resourceType") != resource_type or changed.get("id") != logical_id:
            raise FhirError(
                Category.UNPROCESSABLE, "a patch cannot change the type or the id", (f"{resource_type}.id",)
            )
        named = stored_text.with_id(changed, logical_id)
        content = await self._examine(named, current)
        await self._expect_writable("update", named, content, "u")
        return await self._stage("update", named, current.version, content, current.owners)

    async def delete(self, resource_type: str, logical_id: str, if_match: int | None = None) -> Staged | None:
        """The end of the resource; None if it was deleted already. https://hl7.org/fhir/R4/http.html#delete

        Absent and hidden are refused alike, where R4 would allow a silent 204: nobody is told that something was
        deleted which was not.
        """
        self._authority.require(resource_type, "d")
        current = await self._current(resource_type, logical_id, "d")
        if current is None:
            raise not_found()
        self._expect_visible(current, "d")
        if current.deleted:
            return None
        self._expect_version(current, if_match)
        await self._expect_changeable("delete", current, "d")
        self._writes.append(
            Write("delete", resource_type, logical_id, current.version, None, current.owners, current.facts, None)
        )
        grounds = self._grounds[resource_type, logical_id]
        self._touched.append(
            Touched(resource_type, logical_id, current.version + 1, current.owners, grounds, wrote="delete")
        )
        self._owners[resource_type, logical_id] = current.owners
        return Staged(len(self._writes) - 1, "delete", resource_type, logical_id)

    def stored(self, committed: tuple[Committed, ...]) -> tuple[StoredVersion, ...]:
        """The versions that the commit made, in the order they were staged."""
        return tuple(
            StoredVersion(
                write.type,
                write.id,
                done.version,
                done.updated,
                write.method,
                b"" if write.body is None else stored_text.complete(write.body, done.version, done.updated),
                write.owners,
                write.facts,
            )
            for write, done in zip(self._writes, committed, strict=True)
        )

    # --- inner steps -------------------------------------------------------------------------------------------------

    async def _create_by_chosen_id(
        self, named: Mapping[str, Any], tombstone: StoredVersion | None, content: Content, if_match: int | None
    ) -> Staged:
        """Only for those who may create here; everybody else gets the same 404 whether the id is taken or not."""
        resource_type = named["resourceType"]
        free = await self._may_choose_id(resource_type) if tombstone is None else self._sight.permits(tombstone, "u")
        # SMART: a scope that lets update lets an update make what is not there, too.
        if if_match is not None or not free or not await self._may_write("create", named, content, "u"):
            raise not_found()
        return await self._stage("create", named, tombstone.version if tombstone else 0, content)

    async def _may_choose_id(self, resource_type: str) -> bool:
        """Whether they may take an id that is free.

        Who is refused the ids of hidden resources would learn from every other id that it is not one of those. So only
        those from whom nothing of the type is hidden may, and the operator's import clients.
        """
        if self._authority.requester.kind == SYSTEM_KIND:
            return True
        return await self._sight.visible(resource_type, "u") == EVERYTHING

    async def _current(self, resource_type: str, logical_id: str, action: str) -> StoredVersion | None:
        current = await self._sight.read(resource_type, logical_id, action)
        if current is not None:
            self._met.append(current)
        return current

    def _expect_visible(self, current: StoredVersion, action: str) -> None:
        if not self._sight.permits(current, action):
            raise not_found()

    async def _expect_changeable(self, action: WriteAction, current: StoredVersion, scope_action: str) -> None:
        resource = json.parse(current.body)
        rows = self._tools.extract(resource)
        filing = self._tools.filer.of(current)
        leave = await self._sight.judge.permits_write(
            action, current.type, current.owners, filing, rows, scope_action, resource
        )
        self._grounds[current.type, current.id] = leave.grounds
        if not leave.granted:
            raise _forbidden(current.type)

    async def _may_write(
        self, action: WriteAction, named: Mapping[str, Any], content: Content, scope_action: str
    ) -> bool:
        kind = named["resourceType"]
        filing = self._tools.filer.filing(content.facts)
        leave = await self._sight.judge.permits_write(
            action, kind, content.owners, filing, content.rows, scope_action, named
        )
        self._grounds[kind, named["id"]] = leave.grounds
        return leave.granted

    async def _expect_writable(
        self, action: WriteAction, named: Mapping[str, Any], content: Content, scope_action: str
    ) -> None:
        if not await self._may_write(action, named, content, scope_action):
            raise _forbidden(named["resourceType"])

    def _expect_version(self, current: StoredVersion, if_match: int | None) -> None:
        """https://hl7.org/fhir/R4/http.html#concurrency"""
        if if_match is not None and if_match != current.version:
            raise FhirError(
                Category.VERSION, f"If-Match names version {if_match}, the current one is {current.version}"
            )

    async def _examine(self, named: Mapping[str, Any], current: StoredVersion | None = None) -> Content:
        """Raises FhirError for a resource that is not valid, or a Consent that can't be enforced."""
        await asyncio.sleep(0)  # a transaction of thousands of resources lets other requests through in between
        validation.check(named, self._tools.registry)
        rows = self._tools.extract(named)
        owners = await self._tools.ownership.owners(named, rows, self._find)
        if named["resourceType"] == "Consent":
            await self._sight.judge.know(owners)
            # Whether what it names is here, only whoever sees all of the dossier is told.
            unchecked = self._authority.imports or not self._sight.judge.owns(owners)
            await self._tools.consents.check(named, self._sight.snapshot, self._staged, imported=unchecked)
        recorded = self._tools.filer.of(current).recorded if current is not None else ()
        recorded += await self._sight.judge.writers()
        return Content(rows, owners, self._tools.filer.file(named, owners, rows, recorded))

    def _staged(self, reference: str) -> Filing | None:
        """What is filed with a resource that this unit writes."""
        kind, _, logical_id = reference.partition("/")
        position = self._positions.get((kind, logical_id))
        return None if position is None else self._tools.filer.filing(self._writes[position].facts)

    async def _attribute(self, provenance: Mapping[str, Any], owners: tuple[str, ...]) -> None:
        """File the targets of a Provenance as made by its agents, if whoever writes it is believed about them."""
        judge, tools = self._sight.judge, self._tools
        await judge.know(owners)
        by = authorship.agents(provenance)
        if not by or not (self._authority.imports or judge.owns(owners)):
            return
        for target in authorship.targets(provenance):
            position = self._positions.get(target)
            if position is not None:
                self._writes[position] = authorship.restaged(self._writes[position], by)
                continue
            refile = await authorship.refiled(self._sight.snapshot, *target, by, tools.filer, tools.extract)
            if refile is not None:
                self._refile[target] = refile

    async def _find(self, resource_type: str, logical_id: str) -> tuple[str, ...] | None:
        staged = self._owners.get((resource_type, logical_id))
        if staged is not None:
            return staged
        # From what is hidden nobody borrows: the answer would tell whether it is there, and about whom.
        stored = await self._sight.read(resource_type, logical_id, SHOWN)
        return stored.owners if stored is not None and self._sight.permits(stored, SHOWN) else None

    async def _stage(
        self,
        action: WriteAction,
        named: Mapping[str, Any],
        expected_version: int,
        content: Content,
        owners_before: tuple[str, ...] | None = None,
    ) -> Staged:
        resource_type, logical_id = named["resourceType"], named["id"]
        method: WriteAction = "create" if action == "create" else "update"
        body = stored_text.body(named)
        rows, owners, facts = content
        self._writes.append(Write(method, resource_type, logical_id, expected_version, body, owners, facts, rows))
        self._owners[resource_type, logical_id] = owners
        self._positions[resource_type, logical_id] = len(self._writes) - 1
        because = self._grounds.get((resource_type, logical_id), ())
        # Whoever it was about before has this in their log as well, and each log stays apart.
        for concerned in (owners,) if owners_before in (None, owners) else (owners_before, owners):
            grounds = tuple(ground for ground in because if ground.patient in concerned)
            self._touched.append(
                Touched(resource_type, logical_id, expected_version + 1, concerned, grounds, wrote=method)
            )
        if resource_type == "Consent":
            found = await self._tools.consents.warnings(named, self._sight.snapshot, self._staged)
            self._warnings[len(self._writes) - 1] = found
        elif resource_type == "Provenance":
            await self._attribute(named, owners)
        return Staged(len(self._writes) - 1, action, resource_type, logical_id)


def _forbidden(resource_type: str) -> FhirError:
    return FhirError(Category.FORBIDDEN, f"this requester may not write this {resource_type}")

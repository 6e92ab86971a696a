"""A unit of work: writes staged one by one against one snapshot, each decided, then stored together or not at all.

What the requester may not see is treated, at every step, as if it were not there.
https://hl7.org/fhir/R4/http.html#create, #update, #delete
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from fhir_server.gateway import stored_text, validation
from fhir_server.gateway.access import SEARCH, SHOWN, Authority, not_found
from fhir_server.gateway.audit import Touched
from fhir_server.gateway.matching import judgeable, matches
from fhir_server.gateway.narrow import narrow
from fhir_server.gateway.ownership import Extract, Ownership
from fhir_server.gateway.policies import WriteAction
from fhir_server.gateway.release import Released, release
from fhir_server.gateway.requester import SYSTEM_KIND
from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import EVERYTHING, Query
from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import Committed, Guard, Snapshot, StoredVersion, Wanted, Write, never
from profiles import json
from profiles.registry import Registry

# Conditional interactions need to tell none, one, and several apart.
_MATCHES_MAX: Final = 2


class Tools(msgspec.Struct, frozen=True, eq=False):
    """What a unit of work needs besides the store."""

    registry: Registry
    extract: Extract
    ownership: Ownership
    new_id: Callable[[], str]


class Staged(msgspec.Struct, frozen=True):
    """A write to come. `position` is its place in the commit; `action` says what it comes down to."""

    position: int
    action: WriteAction
    type: str
    id: str


class Unit:
    """Collects writes. Made by the gateway for each attempt; a request only ever stages through it."""

    def __init__(self, tools: Tools, authority: Authority, snapshot: Snapshot) -> None:
        self._tools = tools
        self._authority = authority
        self._snapshot = snapshot
        self._writes: list[Write] = []
        self._guards: list[Guard] = []
        self._owners: dict[tuple[str, str], tuple[str, ...]] = {}
        self._touched: list[Touched] = []
        self._met: list[Touched] = []

    @property
    def writes(self) -> tuple[Write, ...]:
        return tuple(self._writes)

    @property
    def guards(self) -> tuple[Guard, ...]:
        return tuple(self._guards)

    @property
    def touched(self) -> tuple[Touched, ...]:
        """What the audit says of this unit: every resource with its owners before and after."""
        return tuple(self._touched)

    @property
    def met(self) -> tuple[Touched, ...]:
        """What stood in the way of this unit: the stored resources that it would have changed, as they are."""
        return tuple(self._met)

    def new_id(self) -> str:
        return self._tools.new_id()

    async def matches(self, query: Query) -> tuple[Released, ...]:
        """At most two visible resources of the query's one type; that it is none or one is guarded until the commit.

        Needs the scope to search: a condition is a search. https://hl7.org/fhir/R4/http.html#ccreate
        """
        (resource_type,) = query.types
        self._authority.require(resource_type, SEARCH)
        narrowed = narrow(query, lambda name: self._authority.visible(name, SEARCH))
        page = await self._snapshot.search(narrowed, count=_MATCHES_MAX)
        found = (release(row, lambda stored: self._authority.permits(stored, SEARCH)) for row in page.rows)
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
        stored = await self._snapshot.read(resource_type, logical_id, self._wanted(SHOWN))
        return stored is not None and not stored.deleted and self._authority.permits(stored, SHOWN)

    async def create(self, resource: Mapping[str, Any], logical_id: str = "") -> Staged:
        """A new resource under a new id, or under `logical_id`, which the server itself chose.

        https://hl7.org/fhir/R4/http.html#create
        """
        resource_type = resource["resourceType"]
        self._authority.require(resource_type, "c")
        named = stored_text.with_id(resource, logical_id or self._tools.new_id())
        rows, owners = await self._examine(named)
        if not self._authority.permits_write("create", resource_type, owners, rows, "c"):
            raise _forbidden(resource_type)
        return self._stage("create", named, 0, owners, rows)

    async def update(self, resource: Mapping[str, Any], if_match: int | None = None) -> Staged:
        """A new version of the resource whose type and id are given in it; if there is none, its creation.

        https://hl7.org/fhir/R4/http.html#update
        """
        resource_type, logical_id = resource["resourceType"], resource["id"]
        self._authority.require(resource_type, "u")
        named = stored_text.with_id(resource, logical_id)
        rows, owners = await self._examine(named)
        current = await self._current(resource_type, logical_id, "u")
        if current is None or current.deleted:
            return self._create_by_chosen_id(named, current, owners, rows, if_match)
        self._expect_visible(current, "u")
        self._expect_version(current, if_match)
        self._expect_changeable("update", current, "u")
        if not self._authority.permits_write("update", resource_type, owners, rows, "u"):
            raise _forbidden(resource_type)
        return self._stage("update", named, current.version, owners, rows, current.owners)

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
        self._expect_changeable("update", current, "u")
        changed = change(json.parse(current.body))
        if changed.get("resourceType") != resource_type or changed.get("id") != logical_id:
            raise FhirError(
                Category.UNPROCESSABLE, "a patch cannot change the type or the id", (f"{resource_type}.id",)
            )
        named = stored_text.with_id(changed, logical_id)
        rows, owners = await self._examine(named)
        if not self._authority.permits_write("update", resource_type, owners, rows, "u"):
            raise _forbidden(resource_type)
        return self._stage("update", named, current.version, owners, rows, current.owners)

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
        self._expect_changeable("delete", current, "d")
        self._writes.append(
            Write("delete", resource_type, logical_id, current.version, None, current.owners, current.facts, None)
        )
        self._touched.append(Touched(resource_type, logical_id, current.version + 1, current.owners))
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

    def _create_by_chosen_id(
        self,
        named: Mapping[str, Any],
        tombstone: StoredVersion | None,
        owners: tuple[str, ...],
        rows: IndexRows,
        if_match: int | None,
    ) -> Staged:
        """Only for those who may create here; everybody else gets the same 404 whether the id is taken or not."""
        resource_type = named["resourceType"]
        free = self._may_choose_id(resource_type) if tombstone is None else self._authority.permits(tombstone, "u")
        allowed = (
            if_match is None and free and self._authority.permits_write("create", resource_type, owners, rows, "c")
        )
        if not allowed:
            raise not_found()
        before = tombstone.version if tombstone else 0
        return self._stage("create", named, before, owners, rows)

    def _may_choose_id(self, resource_type: str) -> bool:
        """Whether they may take an id that is free.

        Who is refused the ids of hidden resources would learn from every other id that it is not one of those. So only
        those from whom nothing of the type is hidden may, and the operator's import clients.
        """
        authority = self._authority
        return authority.requester.kind == SYSTEM_KIND or authority.visible(resource_type, "u") == EVERYTHING

    def _wanted(self, actions: str) -> Wanted:
        return lambda stored: self._authority.may_permit(stored, actions)

    async def _current(self, resource_type: str, logical_id: str, action: str) -> StoredVersion | None:
        current = await self._snapshot.read(resource_type, logical_id, self._wanted(action))
        if current is not None:
            self._met.append(Touched(resource_type, logical_id, current.version, current.owners))
        return current

    def _expect_visible(self, current: StoredVersion, action: str) -> None:
        if not self._authority.permits(current, action):
            raise not_found()

    def _expect_changeable(self, action: WriteAction, current: StoredVersion, scope_action: str) -> None:
        rows = self._tools.extract(json.parse(current.body))
        if not self._authority.permits_write(action, current.type, current.owners, rows, scope_action):
            raise _forbidden(current.type)

    def _expect_version(self, current: StoredVersion, if_match: int | None) -> None:
        """https://hl7.org/fhir/R4/http.html#concurrency"""
        if if_match is not None and if_match != current.version:
            raise FhirError(
                Category.VERSION, f"If-Match names version {if_match}, the current one is {current.version}"
            )

    async def _examine(self, named: Mapping[str, Any]) -> tuple[IndexRows, tuple[str, ...]]:
        await asyncio.sleep(0)  # a transaction of thousands of resources lets other requests through in between
        validation.check(named, self._tools.registry)
        rows = self._tools.extract(named)
        return rows, await self._tools.ownership.owners(named, rows, self._find)

    async def _find(self, resource_type: str, logical_id: str) -> tuple[str, ...] | None:
        staged = self._owners.get((resource_type, logical_id))
        if staged is not None:
            return staged
        stored = await self._snapshot.read(resource_type, logical_id, never)
        return None if stored is None else stored.owners

    def _stage(
        self,
        action: WriteAction,
        named: Mapping[str, Any],
        expected_version: int,
        owners: tuple[str, ...],
        rows: IndexRows,
        owners_before: tuple[str, ...] | None = None,
    ) -> Staged:
        resource_type, logical_id = named["resourceType"], named["id"]
        method: WriteAction = "create" if action == "create" else "update"
        body = stored_text.body(named)
        self._writes.append(Write(method, resource_type, logical_id, expected_version, body, owners, b"", rows))
        self._owners[resource_type, logical_id] = owners
        # Whoever it was about before has this in their log as well, and each log stays apart.
        for concerned in (owners,) if owners_before in (None, owners) else (owners_before, owners):
            self._touched.append(Touched(resource_type, logical_id, expected_version + 1, concerned))
        return Staged(len(self._writes) - 1, action, resource_type, logical_id)


def _forbidden(resource_type: str) -> FhirError:
    return FhirError(Category.FORBIDDEN, f"this requester may not write this {resource_type}")

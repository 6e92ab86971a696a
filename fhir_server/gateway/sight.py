"""Sight: one snapshot through the eyes of one requester. Whatever a Session or a Unit reads, it reads through this.

Rows that come back are those that the requester may or may not see: `permits` says which, and nobody else is asked.
"""

from collections.abc import Callable, Iterable

from fhir_server.gateway.access import Authority, Judge
from fhir_server.gateway.narrow import about, narrow, reached
from fhir_server.search.query import Predicate, Query
from fhir_server.store.protocol import Snapshot, StoredVersion, Write, never


class Sight:
    """`codes(type)` are the search parameters that name the patients a resource is about."""

    def __init__(
        self, snapshot: Snapshot, authority: Authority, judge: Judge, codes: Callable[[str], frozenset[str]]
    ) -> None:
        self.snapshot = snapshot
        self.authority = authority
        self.judge = judge
        self._codes = codes

    async def read(self, type: str, id: str, actions: str) -> StoredVersion | None:
        """The current version, ready for `permits`.

        A large body is fetched only if the version may be permitted: the time it takes would tell that it is there.
        """
        row = await self.snapshot.read(type, id, never)
        if row is None or await self._complete(row, actions):
            return row
        return await self.snapshot.read(type, id)

    async def vread(self, type: str, id: str, version: int, actions: str) -> StoredVersion | None:
        """One version, ready for `permits`."""
        row = await self.snapshot.vread(type, id, version, never)
        if row is None or await self._complete(row, actions):
            return row
        return await self.snapshot.vread(type, id, version)

    async def know(self, rows: Iterable[StoredVersion | Write]) -> None:
        """Get rows that a query found, or that are about to be written, ready for `permits`."""
        await self.judge.know(owner for row in rows for owner in row.owners)

    def permits(self, row: StoredVersion, actions: str) -> bool:
        return self.judge.permits(row, actions)

    async def visible(self, type: str, actions: str) -> Predicate:
        return await self.judge.visible(type, actions)

    async def narrowed(self, query: Query, actions: str) -> Query:
        """The query over what the requester may see, wherever it looks."""
        concerned = about(query, self._codes)
        visible = {name: await self.judge.visible(name, actions, concerned) for name in query.types}
        beside = {name: await self.judge.visible(name, actions) for name in reached(query.where)}
        return narrow(query, visible.__getitem__, beside.__getitem__)

    def asks_about(self, query: Query) -> frozenset[str]:
        """The patients that the query names, and the one whom all of it is about by the launch context.

        Of a patient who asks for themself, without an app between, that need not be said.
        """
        named = about(query, self._codes) or frozenset()
        who = self.authority.requester
        if not who.patient or (who.patient == who.own_patient and not who.app):
            return named
        scopes = [scope for scope in who.scopes if any(scope.covers(type, "s") for type in query.types)]
        confined = all(scope.context == "patient" for scope in scopes)
        return named | {who.patient} if confined and any(map(self._codes, query.types)) else named

    async def visible_by_owner(self, types: Iterable[str], actions: str) -> dict[str, Predicate]:
        return {name: await self.judge.visible_by_owner(name, actions) for name in types}

    async def _complete(self, row: StoredVersion, actions: str) -> bool:
        """Whether the row has all that is needed of it."""
        await self.know((row,))
        return bool(row.body) or row.deleted or not self.judge.may_permit(row, actions)

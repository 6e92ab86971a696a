"""Whether the audit log is what was written: its chains, and each AuditEvent and Provenance made of its entries.

NEN 7513 asks for a log that nobody can alter unnoticed. Nothing is written here, so that what is found stays as it is.
What resources are found by (their index) is not judged: `reindex` makes it anew from their text. Nor is the content
of an AuditEvent that somebody imported: the log says that they did, and no more.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from fhir_server.gateway import audit, stored_text
from fhir_server.gateway.provenance import server_made
from fhir_server.gateway.unfolding import UNFOLDED, unfold
from fhir_server.search.query import EVERYTHING, And, Ids, OwnedBy, Predicate, Query, Unowned
from fhir_server.store.protocol import (
    AuditBatch,
    AuditBreak,
    AuditEntry,
    AuditInspection,
    Body,
    ResourceStore,
    Snapshot,
    StoredVersion,
)
from profiles import json

_PAGE_COUNT = 500


@dataclass(slots=True)
class Chain:
    """What there is of one chain. `head` is the hash of its last batch, to be noted elsewhere; '' if it has none."""

    batches: int = 0
    entries: int = 0
    head: str = ""


@dataclass(slots=True)
class Verified:
    """What was found: the chains by name, how many resources were held against entries, and everything wrong."""

    chains: dict[str, Chain] = field(default_factory=dict)
    resources: int = 0
    faults: list[str] = field(default_factory=list)


async def verify(store: ResourceStore, expected: Collection[str] = ()) -> Verified:
    """`expected` are heads that were noted before, as hexadecimal text: each must still be there."""
    async with store.inspect_audit() as inspection:
        return await _Verification(inspection, expected).run()


class _Verification:
    def __init__(self, inspection: AuditInspection, expected: Collection[str]) -> None:
        self._inspection = inspection
        self._snapshot: Snapshot = inspection.snapshot
        self._expected = set(expected)
        self._found = Verified()
        # `Type/id` of what is made of entries, in whatever state it is found, and of what was written by somebody.
        self._made: set[str] = set()
        self._written: set[str] = set()

    async def run(self) -> Verified:
        for found in self._inspection.batches():
            if isinstance(found, AuditBreak):
                self._fault(f"{found.chain}: batch {found.num}: {found.what}")
            else:
                await self._batch(found)
        for head in sorted(self._expected):
            self._fault(f"no batch has the hash {head}: the end of a chain was cut off, or this is another store")
        for name in sorted(UNFOLDED):
            await self._no_more_than_accounted_for(name)
        return self._found

    def _fault(self, what: str) -> None:
        self._found.faults.append(what)

    async def _batch(self, batch: AuditBatch) -> None:
        chain = self._found.chains.setdefault(batch.chain, Chain())
        chain.batches += 1
        chain.entries += len(batch.entries)
        chain.head = batch.hash.hex()
        self._expected.discard(chain.head)
        if not batch.checkable:
            return
        filed: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for entry in batch.entries:
            try:
                await self._entry(entry, filed, unfolded=batch.unfolded)
            except (msgspec.MsgspecError, ValueError):
                self._fault(f"{batch.chain}: batch {batch.num}: an entry cannot be read")
        for (type, owners), ids in filed.items():
            await self._can_be_found(type, owners, ids)

    async def _entry(
        self, entry: AuditEntry, filed: dict[tuple[str, tuple[str, ...]], list[str]], *, unfolded: bool
    ) -> None:
        """Puts into `filed` what is as it was made."""
        rows = audit.decode(entry.entry).rows
        self._written.update(f"{row.type}/{row.id}" for row in rows if row.wrote and row.type in UNFOLDED)
        for made, owners in unfold(entry):
            type, id = made["resourceType"], made["id"]
            name = f"{type}/{id}"
            self._made.add(name)
            stored = await self._snapshot.read(type, id)
            self._found.resources += unfolded
            if unfolded and stored is None:
                self._fault(f"{name} is missing")
            elif not unfolded and stored is not None:
                self._fault(f"{name} is there before its entry was unfolded")
            elif stored is not None and (
                not _is_as_made(stored, stored_text.body(made), owners)
                or await self._snapshot.vread(type, id, 1) != stored
            ):
                self._fault(f"{name} is not what the entry says")
            elif stored is not None:
                filed.setdefault((type, owners), []).append(id)

    async def _can_be_found(self, type: str, owners: tuple[str, ...], ids: Sequence[str]) -> None:
        """By those whom it is about: whoever keeps an event out of their searches has removed it from their log."""
        whose: Predicate = OwnedBy(owners) if len(owners) == 1 else EVERYTHING if owners else Unowned()
        page = await self._snapshot.search(Query((type,), And((Ids(tuple(ids)), whose))), count=len(ids))
        for id in sorted(set(ids).difference(row.id for row in page.rows if row.type == type)):
            self._fault(f"{type}/{id} is not found by whom it is about")

    async def _no_more_than_accounted_for(self, type: str) -> None:
        """Every version later than the start is made of an entry, or was written by somebody as an entry says."""
        async for stored in _versions(self._snapshot, type):
            name = f"{type}/{stored.id}"
            if stored.updated <= self._inspection.since:
                continue
            if name in self._made:
                if stored.version != 1:
                    self._fault(f"{name} has a version {stored.version}, which is of no entry")
            elif name not in self._written and (type == "AuditEvent" or _server_made(stored)):
                self._fault(f"{name} is of no entry")


def _is_as_made(stored: StoredVersion, body: Body, owners: tuple[str, ...]) -> bool:
    """Made once, never changed, about these patients, and this text."""
    return (
        stored.version == 1
        and stored.method == "create"
        and set(stored.owners) == set(owners)
        and stored.body == stored_text.complete(body, stored.version, stored.updated)
    )


def _server_made(stored: StoredVersion) -> bool:
    return stored.body != b"" and server_made(json.parse(stored.body))


async def _versions(snapshot: Snapshot, type: str) -> AsyncIterator[StoredVersion]:
    """Every version there is of the type, newest first."""
    cursor = b""
    while True:
        page = await snapshot.history(
            type, None, where=EVERYTHING, since=None, at=None, count=_PAGE_COUNT, cursor=cursor
        )
        for stored in page.rows:
            yield stored
        cursor = page.next_cursor
        if not cursor:
            return

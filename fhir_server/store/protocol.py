"""What a store is: the seam between the gateway and SQLite, MongoDB or whatever comes.

One contract suite (tests/fhir_server/store/contract.py) holds every backend to these words. A store knows resources as
bytes, index rows and owners; it knows nothing of consent, scopes or HTTP. Times are microseconds since 1970 UTC.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import msgspec

from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import Predicate, Query
from fhir_server.search.rows import IndexRows
from fhir_server.store.auth import AuthStore

Method = Literal["create", "update", "delete"]


class StoredVersion(msgspec.Struct, frozen=True):
    """One version of a resource, on the inner side of the door.

    `body` is the JSON text with meta.versionId and meta.lastUpdated in it, b"" for a deletion. `owners` are the logical
    ids of the patients it is about and `facts` what the gateway filed with it; a deletion carries those of the version
    before it.
    """

    type: str
    id: str
    version: int
    updated: int
    method: Method
    body: bytes
    owners: tuple[str, ...]
    facts: bytes

    @property
    def deleted(self) -> bool:
        return self.method == "delete"


@dataclass(frozen=True, slots=True)
class Body:
    """JSON text around the two values that only the writer knows.

    The stored text is `head + b'"versionId":"<n>","lastUpdated":"<instant>"' + tail`, so head ends behind `"meta":{`
    and tail starts with `,` or `}`. The instant is UTC with milliseconds: `2026-11-22T08:00:00.123Z`; update times are
    whole milliseconds, so that it says all of them.
    """

    head: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """One new version, stored only if the current version's number (deletions count, 0 = never was) is as expected."""

    method: Method
    type: str
    id: str
    expected_version: int
    body: Body | None  # None for a deletion
    owners: tuple[str, ...]
    facts: bytes
    rows: IndexRows | None  # None for a deletion


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of the commit: at that moment the query must match exactly these (type, id), as it did when asked.

    What makes conditional create/update/delete safe against a concurrent twin.
    """

    query: Query
    expected: tuple[tuple[str, str], ...]


class AuditEntry(msgspec.Struct, frozen=True, array_like=True):
    """One audited interaction in compact form: `id` is a UUID, `entry` what gateway.audit encoded."""

    id: str
    at: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class AuditBatch:
    """Entries that became durable together, as they are kept. `hash` covers them and all before them in their `chain`.

    `checkable`: they were written since everything is kept, so that their resources can be held against them;
    `unfolded`: those resources are there.
    """

    chain: str
    num: int
    hash: bytes
    entries: tuple[AuditEntry, ...]
    unfolded: bool
    checkable: bool


@dataclass(frozen=True, slots=True)
class AuditBreak:
    """Where a chain is first found to be another than was written, and what is wrong there."""

    chain: str
    num: int
    what: str


@dataclass(frozen=True, slots=True)
class Committed:
    """Version number and time that a Write got."""

    version: int
    updated: int


class VersionConflict(Exception):
    """The write at `position` found another current version than it expected; nothing of the commit was stored."""

    def __init__(self, position: int, current: int) -> None:
        super().__init__(f"write {position}: the current version is {current}")
        self.position = position
        self.current = current


class GuardFailed(Exception):
    """The guard at `position` no longer holds; nothing of the commit was stored."""

    def __init__(self, position: int) -> None:
        super().__init__(f"guard {position} no longer holds")
        self.position = position


class BadCursor(Exception):
    """A page cursor that this store did not make, or made for another query."""


class QueryTooComplex(FhirError):
    """A query beyond what this store takes on: nested too deep, too many criteria. `reason` says which, no values."""

    def __init__(self, reason: str) -> None:
        super().__init__(Category.TOO_COSTLY, f"this search is too complex: {reason}")


class StoreUnavailable(FhirError):
    """The disk is full or fails, or another process holds the store: nothing of the commit was stored."""

    def __init__(self) -> None:
        super().__init__(Category.UNAVAILABLE, "the store takes no writes at the moment, nothing was stored")


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor` is opaque bytes (b"" on the last page); the gateway seals it before anybody sees it."""

    rows: tuple[StoredVersion, ...]
    next_cursor: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """`source` (type, id) refers to `target` (type, id; current version or not) by the parameter that was asked."""

    source: tuple[str, str]
    target: tuple[str, str]
    target_url: str  # canonical or absolute, if the target is not (type, id); then target is ("", "")


class Change(msgspec.Struct, frozen=True):
    """A resource that was written or deleted; `owners` are those of any of its versions."""

    type: str
    id: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What was committed after some commit, up to `latest`; `changes` None: too much of it to tell."""

    latest: int
    changes: tuple[Change, ...] | None


@dataclass(frozen=True, slots=True)
class Refile:
    """Other facts and rows for a version that stands: what it is filed by follows from other resources too.

    Done only if `version` is still the current one, which is no condition of the commit; no new version comes of it.
    """

    type: str
    id: str
    version: int
    owners: tuple[str, ...]
    facts: bytes
    rows: IndexRows


Wanted: TypeAlias = Callable[[StoredVersion], bool]
"""Whether the body of a version is wanted, asked of the version without it."""


def always(_: StoredVersion) -> bool:
    return True


def never(_: StoredVersion) -> bool:
    return False


class Snapshot(Protocol):
    """A view of one moment: everything read through it agrees."""

    @property
    def epoch(self) -> int:
        """Two snapshots of one store with the same epoch see the same; for as long as the store is open."""
        ...

    async def changes(self, since: int, apart_from: Sequence[str] = ()) -> Changes:
        """What was committed after the commit numbered `since` (Changes.latest; 0: the first), some types left out.

        `changes` is None for more than a thousand versions, and for `since` 0.
        """
        ...

    async def sharers(self, patients: Sequence[str]) -> frozenset[str]:
        """These patients, and those with whom one of them shares a current resource that is about several."""
        ...

    async def read(self, type: str, id: str, wanted: Wanted = always) -> StoredVersion | None:
        """The current version, a deletion included; None if there never was one.

        A large body that is not `wanted` is not fetched, and is b"" in the answer: the time it takes would tell that it
        is there. A small one may come along unasked.
        """
        ...

    async def vread(self, type: str, id: str, version: int, wanted: Wanted = always) -> StoredVersion | None: ...

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        where: Predicate,
        since: int | None,
        at: tuple[int, int] | None,
        count: int,
        cursor: bytes = b"",
    ) -> Page:
        """Versions, newest first, of one resource, a type, or everything.

        `where` (And, Or, Not, TypeIn, OwnedBy, Unowned, Ids, and ByOwner over these) must hold of the version's own
        owners *and* of those of the current version (the last with content, if deleted).
        `since`: updated at or after. `at` (low, high): versions that were current at some time in [low, high).
        Raises BadCursor.
        """
        ...

    async def search(self, query: Query, *, count: int, cursor: bytes = b"") -> Page:
        """`count` rows from the cursor on (count 0: none). Raises BadCursor."""
        ...

    async def total(self, query: Query) -> int:
        """Exactly how many match."""
        ...

    async def links(self, sources: Sequence[tuple[str, str]], param: str, target: str | None) -> tuple[Link, ...]:
        """Where these (type, id) point by the reference parameter `param` (`*`: any), to `target` only if given."""
        ...


class AuditInspection(Protocol):
    """The audit trail and the resources made of it, as of one moment."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def since(self) -> int:
        """Resources that were stored later than this are all made of entries that are kept."""
        ...

    def batches(self) -> Iterator[AuditBatch | AuditBreak]:
        """Every batch, chain by chain, in order; a break stands before the batch where it shows."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this instance can do; what it can't is answered with `not-supported`, never done by half."""

    transactions: bool
    full_text: bool
    sort: frozenset[str]  # kinds of SortKey
    online_backup: bool


# Rows, owners and facts of a stored text with its facts so far. It may ask the store: who a Provenance is about follows
# from its targets.
ExtractAll: TypeAlias = Callable[[bytes, bytes], Awaitable[tuple[IndexRows, tuple[str, ...], bytes]]]


class ResourceStore(AuthStore, Protocol):
    """An open store. Safe for concurrent tasks of one event loop; several processes may have the same data open."""

    capabilities: Capabilities

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]: ...

    async def commit(
        self,
        writes: Sequence[Write],
        guards: Sequence[Guard] = (),
        audit: Sequence[AuditEntry] = (),
        refile: Sequence[Refile] = (),
    ) -> tuple[Committed, ...]:
        """All or nothing, durable when it returns; raises VersionConflict, GuardFailed or StoreUnavailable.

        Commits of several callers share one transaction on disk (group commit), yet stand or fall apart. Update times
        never run backwards along commits.
        """
        ...

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Durable when it returns."""
        ...

    async def unfold_audit(self, expand: Callable[[AuditEntry], Sequence[Write]]) -> int:
        """Turn every entry not yet unfolded into AuditEvent resources (writes with expected_version 0).

        How many entries. When it returns, every entry that was durable at the call is unfolded, each exactly once,
        whoever else unfolds meanwhile. Called before anything asks for AuditEvents, so that a read pays for one
        compact row only.
        """
        ...

    def inspect_audit(self) -> AbstractAsyncContextManager[AuditInspection]:
        """The audit trail, to be verified: every entry is kept, and each batch linked to the one before by a hash."""
        ...

    async def reindex(self, extract: ExtractAll, progress: Callable[[int], None]) -> int:
        """Index every current resource anew: `extract(body, facts)` → rows, owners, facts. Online; returns how many."""
        ...

    async def backup(self, target: Path) -> None:
        """A consistent copy while writes go on."""
        ...

    async def close(self) -> None: ...

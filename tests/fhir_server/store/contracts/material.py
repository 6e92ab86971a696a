"""What the contract is tried with: resources told apart by a text and found by a code, and short ways to read them back."""

import json
import uuid
from collections.abc import Sequence

from fhir_server.search.query import EVERYTHING, Predicate, Query, Token
from fhir_server.search.rows import IndexRows, TokenRow
from fhir_server.store.protocol import (
    AuditBreak,
    AuditEntry,
    Body,
    Method,
    Page,
    ResourceStore,
    Snapshot,
    StoredVersion,
    Write,
)

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SECOND = 1_000_000


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return self.time


def index_rows(code: str) -> IndexRows:
    return IndexRows(tokens=[TokenRow("code", "http://loinc.org", code)])


def write(
    type: str,
    id: str,
    expected_version: int = 0,
    *,
    method: Method | None = None,
    owners: tuple[str, ...] = (),
    code: str = "8480-6",
    text: str = "",
) -> Write:
    """A create or update whose content is told apart by `text` and found by `code`."""
    head = json.dumps({"resourceType": type, "id": id, "text": text, "code": code}).encode()[:-1] + b',"meta":{'
    return Write(
        method=method or ("update" if expected_version else "create"),
        type=type,
        id=id,
        expected_version=expected_version,
        body=Body(head, b"}}"),
        owners=owners,
        facts=f"facts of {text}".encode(),
        rows=index_rows(code),
    )


def deletion(type: str, id: str, expected_version: int) -> Write:
    return Write("delete", type, id, expected_version, None, (), b"", None)


def by_code(code: str, type: str = "Observation") -> Query:
    return Query((type,), Token("code", None, code))


def entry(at: int = START, text: bytes = b"who looked") -> AuditEntry:
    return AuditEntry(str(uuid.uuid4()), at, text)


def audit_event(audited: AuditEntry) -> Sequence[Write]:
    return [write("AuditEvent", audited.id, text=audited.entry.decode(), code="rest")]


async def breaks(store: ResourceStore) -> list[AuditBreak]:
    """Where the chains of the audit trail are not what was written."""
    async with store.inspect_audit() as inspection:
        return [found for found in inspection.batches() if isinstance(found, AuditBreak)]


async def read(store: ResourceStore, type: str, id: str) -> StoredVersion | None:
    async with store.snapshot() as snapshot:
        return await snapshot.read(type, id)


async def present(store: ResourceStore, type: str, id: str) -> StoredVersion:
    found = await read(store, type, id)
    assert found is not None
    return found


async def matches(store: ResourceStore, query: Query) -> list[str]:
    async with store.snapshot() as snapshot:
        return [row.id for row in (await snapshot.search(query, count=1000)).rows]


async def history(
    snapshot: Snapshot,
    type: str | None = None,
    id: str | None = None,
    *,
    where: Predicate = EVERYTHING,
    since: int | None = None,
    at: tuple[int, int] | None = None,
    count: int = 1000,
    cursor: bytes = b"",
) -> Page:
    return await snapshot.history(type, id, where=where, since=since, at=at, count=count, cursor=cursor)


async def versions(store: ResourceStore, type: str | None = None, id: str | None = None, **asked: object) -> list[str]:
    """`id/version` of each row of a history in one page."""
    async with store.snapshot() as snapshot:
        page = await history(snapshot, type, id, **asked)  # type: ignore[arg-type]
    return [f"{row.id}/{row.version}" for row in page.rows]

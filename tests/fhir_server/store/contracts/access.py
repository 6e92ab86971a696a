"""Audit entries become resources once, tokens are known until revoked."""

import asyncio
import json
import uuid
from collections.abc import Sequence

import pytest

from fhir_server.store.protocol import AccessToken, AuditBatch, AuditEntry, ResourceStore, Write
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import (
    SECOND,
    START,
    Clock,
    audit_event,
    by_code,
    entry,
    matches,
    present,
    versions,
    write,
)


class Access(Backend):
    async def test_audit_entries_unfold_once_only(self, store: ResourceStore) -> None:
        entries = [entry(text=f"entry {n}".encode()) for n in range(10)]
        await store.append_audit(entries[:3])
        await store.commit([write("Patient", "1")], audit=entries[3:])
        assert await store.unfold_audit(audit_event) == 10
        assert await store.unfold_audit(audit_event) == 0
        for audited in entries:
            found = await present(store, "AuditEvent", audited.id)
            assert (found.version, found.method) == (1, "create")
            assert json.loads(found.body)["text"] == audited.entry.decode()
        assert len(await matches(store, by_code("rest", "AuditEvent"))) == 10

    async def test_entries_come_back_to_be_expanded_as_they_were(self, store: ResourceStore) -> None:
        entries = [AuditEntry(str(uuid.uuid4()), START + n, bytes([n, 0, 255])) for n in range(3)]
        await store.append_audit(entries)
        given: list[AuditEntry] = []

        def expand(audited: AuditEntry) -> Sequence[Write]:
            given.append(audited)
            return ()

        assert await store.unfold_audit(expand) == 3
        assert given == entries

    async def test_unfolding_at_once_makes_each_event_once(self, store: ResourceStore) -> None:
        for _ in range(5):
            await store.append_audit([entry() for _ in range(100)])
        appending = [store.append_audit([entry()]) for _ in range(50)]
        counts = await asyncio.gather(*[store.unfold_audit(audit_event) for _ in range(3)], *appending)
        unfolded = sum(counts[:3]) + await store.unfold_audit(audit_event)  # type: ignore[arg-type]
        assert unfolded == 550
        assert len(await versions(store, "AuditEvent")) == 550

    async def test_an_entry_that_cannot_be_expanded_is_kept(self, store: ResourceStore) -> None:
        await store.append_audit([entry()])

        def fail(audited: AuditEntry) -> Sequence[Write]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await store.unfold_audit(fail)
        assert await store.unfold_audit(audit_event) == 1

    async def test_a_thousand_entries_of_one_moment_unfold(self, store: ResourceStore) -> None:
        await asyncio.gather(*[store.append_audit([entry()]) for _ in range(1000)])
        assert await store.unfold_audit(audit_event) == 1000

    async def test_every_entry_is_kept_in_unbroken_chains(self, store: ResourceStore) -> None:
        written, read = [entry() for _ in range(3)], [entry() for _ in range(300)]
        await store.commit([write("Patient", "1")], audit=written)
        await store.append_audit(read)
        await store.unfold_audit(audit_event)
        await store.append_audit([last := entry()])
        async with store.inspect_audit() as inspection:
            batches = [found for found in inspection.batches() if isinstance(found, AuditBatch)]
            assert len(batches) == len(list(inspection.batches())), "a break where nothing was changed"
            assert await inspection.snapshot.read("AuditEvent", written[0].id) is not None
        kept = {one.id for batch in batches for one in batch.entries}
        assert kept == {one.id for one in (*written, *read, last)}
        assert {one.id for batch in batches if not batch.unfolded for one in batch.entries} == {last.id}
        assert all(batch.checkable for batch in batches)
        assert len({batch.hash for batch in batches}) == len(batches)

    async def test_a_token_is_known_until_it_is_revoked(self, store: ResourceStore) -> None:
        token = AccessToken("app", "Patient/1", "patient/*.rs", START, START + 3600 * SECOND, purpose="TREAT")
        digest = b"\x01" * 32
        assert await store.token(digest) is None
        await store.put_token(digest, token, [entry()])
        assert await store.token(digest) == token
        assert await store.token(b"\x02" * 32) is None
        assert await store.unfold_audit(audit_event) == 1
        await store.revoke_token(digest)
        assert await store.token(digest) is None
        await store.revoke_token(digest)

    async def test_a_token_that_has_just_expired_is_still_told(self, store: ResourceStore, clock: Clock) -> None:
        token = AccessToken("app", "system", "system/*.rs", START, START + SECOND)
        await store.put_token(b"\x01" * 32, token, ())
        clock.time = START + 2 * SECOND
        await store.put_token(b"\x02" * 32, token, ())
        assert await store.token(b"\x01" * 32) == token

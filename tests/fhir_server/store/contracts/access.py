"""Audit entries become resources once, tokens are known until revoked."""

import asyncio
import json
import uuid
from collections.abc import Sequence

import pytest

from fhir_server.store.auth import AccessToken, AuthConflict, AuthRecord, AuthWrite
from fhir_server.store.protocol import AuditBatch, AuditEntry, ResourceStore, Write
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
        await store.commit_auth(issue=[(digest, token)], audit=[entry()])
        assert await store.token(digest) == token
        assert await store.token(b"\x02" * 32) is None
        assert await store.unfold_audit(audit_event) == 1
        await store.commit_auth(revoke=[digest])
        assert await store.token(digest) is None
        await store.commit_auth(revoke=[digest])

    async def test_a_token_that_has_just_expired_is_still_told(self, store: ResourceStore, clock: Clock) -> None:
        token = AccessToken("app", "system", "system/*.rs", START, START + SECOND)
        await store.commit_auth(issue=[(b"\x01" * 32, token)])
        clock.time = START + 2 * SECOND
        await store.commit_auth(issue=[(b"\x02" * 32, token)])
        assert await store.token(b"\x01" * 32) == token

    async def test_a_record_changes_only_from_the_revision_that_was_read(self, store: ResourceStore) -> None:
        assert await store.record("client", "one") is None
        await store.commit_auth([AuthWrite("client", "one", 0, b"first", subject="a")])
        assert await store.record("client", "one") == AuthRecord("client", "one", 1, "a", 0, b"first")
        for stale in (0, 2):
            with pytest.raises(AuthConflict) as caught:
                await store.commit_auth([AuthWrite("client", "two", 0, b""), AuthWrite("client", "one", stale, b"x")])
            assert caught.value.position == 1
        assert await store.record("client", "two") is None
        await store.commit_auth([AuthWrite("client", "one", 1, b"second", subject="b", expires=START)])
        assert await store.record("client", "one") == AuthRecord("client", "one", 2, "b", START, b"second")
        with pytest.raises(AuthConflict):
            await store.commit_auth([AuthWrite("client", "one", 1, None)])
        await store.commit_auth([AuthWrite("client", "one", 2, None)])
        assert await store.record("client", "one") is None

    async def test_of_many_who_change_a_record_at_once_exactly_one_wins(self, store: ResourceStore) -> None:
        await store.commit_auth([AuthWrite("code", "c", 0, b"unused")])
        attempts = [store.commit_auth([AuthWrite("code", "c", 1, str(n).encode())]) for n in range(20)]
        told = await asyncio.gather(*attempts, return_exceptions=True)
        assert [type(one) for one in told if one is not None] == [AuthConflict] * 19
        found = await store.record("code", "c")
        assert found is not None
        assert found.revision == 2
        assert found.body == str(told.index(None)).encode()

    async def test_records_are_found_by_kind_and_subject(self, store: ResourceStore) -> None:
        kept = [("grant", "3", "x"), ("grant", "1", "y"), ("grant", "2", "x"), ("login", "1", "x")]
        await store.commit_auth([AuthWrite(kind, key, 0, b"", subject=subject) for kind, key, subject in kept])
        assert [one.key for one in await store.records("grant")] == ["1", "2", "3"]
        assert [one.key for one in await store.records("grant", "x")] == ["2", "3"]
        assert await store.records("grant", "z") == ()
        assert await store.records("nothing") == ()

    async def test_the_tokens_of_a_grant_are_revoked_together_and_with_what_is_written(
        self, store: ResourceStore
    ) -> None:
        def token(grant: str) -> AccessToken:
            return AccessToken("app", "Patient/1", "patient/*.rs", START, START + SECOND, grant=grant)

        digests = [bytes([n]) * 32 for n in range(4)]
        await store.commit_auth(
            [AuthWrite("grant", "g", 0, b"")],
            issue=[
                (digests[0], token("g")),
                (digests[1], token("g")),
                (digests[2], token("h")),
                (digests[3], token("")),
            ],
        )
        with pytest.raises(AuthConflict):
            await store.commit_auth([AuthWrite("grant", "g", 0, b"")], revoke_grants=["g"])
        assert await store.token(digests[0]) == token("g")
        fresh = b"\x09" * 32
        await store.commit_auth([AuthWrite("grant", "g", 1, b"")], revoke_grants=["g"], issue=[(fresh, token("g"))])
        found = [await store.token(digest) for digest in (*digests, fresh)]
        assert found == [None, None, token("h"), token(""), token("g")]

    async def test_a_record_is_kept_past_its_expiry_for_a_day(self, store: ResourceStore, clock: Clock) -> None:
        await store.commit_auth([AuthWrite("assertion", "jti", 0, b"", expires=START + SECOND)])
        clock.time = START + 20 * 3600 * SECOND
        with pytest.raises(AuthConflict):
            await store.commit_auth([AuthWrite("assertion", "jti", 0, b"", expires=START + SECOND)])
        clock.time = START + 25 * 3600 * SECOND
        await store.commit_auth([AuthWrite("assertion", "other", 0, b"")])
        assert await store.record("assertion", "jti") is None
        assert await store.record("assertion", "other") is not None

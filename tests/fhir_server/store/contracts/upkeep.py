"""Search over moving ground, restart, backup, reindexing."""

import asyncio
import json
import uuid
from pathlib import Path

import pytest

from fhir_server.search.rows import IndexRows
from fhir_server.store.auth import AccessToken
from fhir_server.store.protocol import ResourceStore
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import (
    SECOND,
    START,
    Clock,
    audit_event,
    by_code,
    deletion,
    entry,
    index_rows,
    matches,
    present,
    read,
    versions,
    write,
)


class Upkeep(Backend):
    async def test_pages_of_a_search_neither_repeat_nor_skip_what_stays(self, store: ResourceStore) -> None:
        ids = [str(uuid.uuid4()) for _ in range(12)]
        await store.commit([write("Observation", id, code="a") for id in ids])
        seen: list[str] = []
        cursor = b""
        while True:
            async with store.snapshot() as snapshot:
                page = await snapshot.search(by_code("a"), count=5, cursor=cursor)
            seen += [row.id for row in page.rows]
            await store.commit([write("Observation", str(uuid.uuid4()), code="a")])
            await store.commit([write("Observation", seen[0], 1 + (len(seen) > 5) + (len(seen) > 10), code="b")])
            cursor = page.next_cursor
            if not cursor:
                break
        assert len(seen) == len(set(seen))
        assert set(ids) <= set(seen)

    async def test_total_is_exact(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", str(n), code="ab"[n % 2]) for n in range(9)])
        await store.commit([deletion("Observation", "1", 1)])
        async with store.snapshot() as snapshot:
            assert await snapshot.total(by_code("a")) == 5
            assert await snapshot.total(by_code("b")) == 3
            assert (await snapshot.search(by_code("a"), count=0)).rows == ()

    async def test_everything_is_there_after_a_restart(
        self, store: ResourceStore, clock: Clock, tmp_path: Path
    ) -> None:
        token = AccessToken("app", "system", "system/*.rs", START, START + SECOND)
        await store.commit([write("Observation", "1", owners=("p",), code="a")], audit=[entry()])
        await store.commit_auth(issue=[(b"\x01" * 32, token)])
        before = await read(store, "Observation", "1")
        await store.close()
        again = await self.open(tmp_path / "data", clock)
        try:
            assert await read(again, "Observation", "1") == before
            assert await matches(again, by_code("a")) == ["1"]
            assert await again.token(b"\x01" * 32) == token
            assert await again.unfold_audit(audit_event) == 1
        finally:
            await again.close()

    async def test_a_store_that_is_closed_says_so(self, store: ResourceStore) -> None:
        await store.close()
        with pytest.raises(RuntimeError, match="closed"):
            await store.commit([write("Patient", "1")])
        with pytest.raises(RuntimeError, match="closed"):
            await read(store, "Patient", "1")

    async def test_what_was_asked_before_closing_is_done(
        self, store: ResourceStore, clock: Clock, tmp_path: Path
    ) -> None:
        commits = [asyncio.ensure_future(store.commit([write("Patient", str(n))])) for n in range(20)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*commits)
        again = await self.open(tmp_path / "data", clock)
        assert len(await versions(again)) == 20
        await again.close()

    async def test_a_backup_is_a_whole_store_of_one_moment(
        self, store: ResourceStore, clock: Clock, tmp_path: Path
    ) -> None:
        if not store.capabilities.online_backup:
            pytest.skip("this backend has no online backup")
        await store.commit([write("Basic", "a", text="0"), write("Basic", "b", text="0")])
        done = False

        async def writing() -> None:
            n = 1
            while not done:
                await store.commit([write("Basic", "a", n, text=str(n)), write("Basic", "b", n, text=str(n))])
                n += 1

        writer = asyncio.ensure_future(writing())
        for n in range(3):
            await store.backup(tmp_path / f"copy{n}")
        done = True
        await writer
        for n in range(3):
            copy = await self.open(tmp_path / f"copy{n}", clock)
            try:
                a, b = await present(copy, "Basic", "a"), await present(copy, "Basic", "b")
                assert json.loads(a.body)["text"] == json.loads(b.body)["text"]
                assert sorted(await matches(copy, by_code("8480-6", "Basic"))) == ["a", "b"]
                await copy.commit([write("Basic", "c")])
            finally:
                await copy.close()
        assert await read(store, "Basic", "c") is None

    async def test_reindexing_files_every_current_resource_anew(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", str(n), code="old") for n in range(250)])
        await store.commit([deletion("Observation", "0", 1), write("Observation", "1", 1, code="old")])
        before = await present(store, "Observation", "2")
        told: list[int] = []

        async def extract(body: bytes, facts: bytes) -> tuple[IndexRows, tuple[str, ...], bytes]:
            return index_rows("new"), ("9",), b"new facts of " + json.loads(body)["id"].encode()

        assert await store.reindex(extract, told.append) == 249
        assert told[-1] == 249
        assert await matches(store, by_code("old")) == []
        assert len(await matches(store, by_code("new"))) == 249
        after = await present(store, "Observation", "2")
        assert after.body == before.body
        assert (after.version, after.updated, after.method) == (1, before.updated, "create")
        assert (after.owners, after.facts) == (("9",), b"new facts of 2")
        async with store.snapshot() as snapshot:
            first = await snapshot.vread("Observation", "1", 1)
        assert first is not None
        assert first.owners == (), "only current versions are filed anew"

    async def test_what_is_written_while_reindexing_keeps_its_own_index(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", str(n), code="old") for n in range(20)])

        async def writing() -> None:
            await asyncio.sleep(0)
            await store.commit([write("Observation", "7", 1, code="meanwhile"), deletion("Observation", "8", 1)])

        async def extract(body: bytes, facts: bytes) -> tuple[IndexRows, tuple[str, ...], bytes]:
            return index_rows("new"), (), b""

        done, _ = await asyncio.gather(store.reindex(extract, lambda count: None), writing())
        assert done == 18
        assert await matches(store, by_code("meanwhile")) == ["7"]
        assert len(await matches(store, by_code("new"))) == 18
        assert await matches(store, by_code("old")) == []

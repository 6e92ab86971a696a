"""Time runs forwards, and a reader sees one moment of it."""

import asyncio
import json
from datetime import datetime
from pathlib import Path

import pytest

from fhir_server.store.protocol import ResourceStore
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import SECOND, START, Clock, by_code, history, matches, present, write


class Snapshots(Backend):
    async def test_update_times_never_run_backwards(self, store: ResourceStore, clock: Clock) -> None:
        times = []
        for n, time in enumerate([START, START + SECOND, START - SECOND, START + 2 * SECOND]):
            clock.time = time
            (committed,) = await store.commit([write("Patient", str(n))])
            times.append(committed.updated)
        assert times == [START, START + SECOND, START + SECOND, START + 2 * SECOND]
        body = (await present(store, "Patient", "2")).body
        stated = datetime.fromisoformat(json.loads(body)["meta"]["lastUpdated"])
        assert stated.timestamp() * SECOND == START + SECOND

    async def test_update_times_do_not_run_backwards_over_a_restart(
        self, store: ResourceStore, clock: Clock, tmp_path: Path
    ) -> None:
        await store.commit([write("Patient", "1")])
        await store.close()
        clock.time = START - 3600 * SECOND
        again = await self.open(tmp_path / "data", clock)
        (committed,) = await again.commit([write("Patient", "2")])
        await again.close()
        assert committed.updated == START

    async def test_a_snapshot_does_not_see_what_is_committed_after_its_first_read(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", code="a", text="before")])
        async with store.snapshot() as snapshot:
            before = await snapshot.read("Observation", "1")
            await store.commit(
                [write("Observation", "1", 1, code="b", text="after"), write("Observation", "2", code="a")]
            )
            assert await snapshot.read("Observation", "1") == before
            assert await snapshot.read("Observation", "2") is None
            assert await snapshot.vread("Observation", "1", 2) is None
            assert [row.id for row in (await history(snapshot)).rows] == ["1"]
            assert [row.id for row in (await snapshot.search(by_code("a"), count=10)).rows] == ["1"]
            assert await snapshot.total(by_code("b")) == 0
        assert (await present(store, "Observation", "1")).version == 2
        assert await matches(store, by_code("a")) == ["2"]

    async def test_snapshots_of_different_moments_live_side_by_side(self, store: ResourceStore) -> None:
        async with store.snapshot() as first:
            assert await first.read("Patient", "1") is None
            await store.commit([write("Patient", "1")])
            async with store.snapshot() as second:
                assert await second.read("Patient", "1") is not None
                await store.commit([write("Patient", "1", 1)])
                assert await first.read("Patient", "1") is None
                in_second = await second.read("Patient", "1")
                assert in_second is not None
                assert in_second.version == 1

    async def test_a_reader_never_sees_half_a_commit(self, store: ResourceStore) -> None:
        await store.commit([write("Basic", "a", text="0"), write("Basic", "b", text="0")])
        done = False

        async def writing() -> None:
            nonlocal done
            for n in range(1, 30):
                await store.commit([write("Basic", "a", n, text=str(n)), write("Basic", "b", n, text=str(n))])
            done = True

        async def reading() -> None:
            while not done:
                async with store.snapshot() as snapshot:
                    a = await snapshot.read("Basic", "a")
                    await asyncio.sleep(0)
                    b = await snapshot.read("Basic", "b")
                assert a is not None
                assert b is not None
                assert json.loads(a.body)["text"] == json.loads(b.body)["text"]

        await asyncio.gather(writing(), reading(), reading())

    async def test_an_error_inside_a_snapshot_leaves_the_store_usable(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1")])

        async def fail() -> None:
            async with store.snapshot() as snapshot:
                await snapshot.read("Patient", "1")
                raise ZeroDivisionError

        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await fail()
        await store.commit([write("Patient", "1", 1)])
        assert (await present(store, "Patient", "1")).version == 2

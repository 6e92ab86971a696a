"""What changed since, what an epoch promises, who shares with whom, and filing anew without a new version."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fhir_server.search.query import EVERYTHING, NOTHING, And, ByOwner, Filed, FiledSpan, Not, Predicate, Query
from fhir_server.search.rows import FiledRow, IndexRows
from fhir_server.store.protocol import (
    Change,
    Changes,
    Committed,
    Refile,
    ResourceStore,
    Snapshot,
    StoredVersion,
    VersionConflict,
    Write,
)
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import by_code, deletion, index_rows, matches, present, versions, write


def refile(type: str, id: str, version: int, owners: tuple[str, ...], code: str, facts: bytes = b"new") -> Refile:
    return Refile(type, id, version, owners, facts, index_rows(code))


def filed(id: str, *values: str, owners: tuple[str, ...] = ("p",), version: int = 0, at: int | None = None) -> Write:
    rows = IndexRows(filed=[FiledRow("code", value) for value in values], span=None if at is None else (at, at + 1))
    return replace(write("Observation", id, version, owners=owners), rows=rows)


def observations(where: Predicate) -> Query:
    return Query(("Observation",), where)


async def since(store: ResourceStore, latest: int, apart_from: Sequence[str] = ()) -> Changes:
    async with store.snapshot() as snapshot:
        return await snapshot.changes(latest, apart_from)


async def latest(store: ResourceStore) -> int:
    return (await since(store, 0)).latest


async def looked(snapshot: Snapshot) -> tuple[int, StoredVersion | None]:
    return snapshot.epoch, await snapshot.read("Basic", "1")


class ChangesAndFiling(Backend):
    # --- changes ------------------------------------------------------------------------------------------------------

    async def test_changes_are_told_since_a_commit_each_resource_once(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1", owners=("1",))])
        start = await latest(store)
        assert await since(store, start) == Changes(start, ())
        await store.commit([write("Observation", "o", owners=("1",)), write("Organization", "x")])
        await store.commit([write("Observation", "o", 1, owners=("2", "3"))])
        await store.commit([deletion("Patient", "1", 1)])
        found = await since(store, start)
        assert found.latest == await latest(store) > start
        assert found.changes is not None
        assert sorted(found.changes, key=lambda change: change.type) == [
            Change("Observation", "o", ("1", "2", "3")),
            Change("Organization", "x", ()),
            Change("Patient", "1", ("1",)),
        ]
        assert await since(store, found.latest) == Changes(found.latest, ())

    async def test_a_change_is_told_to_whom_it_was_about_before(self, store: ResourceStore) -> None:
        """Whoever keeps something about patient 1 must learn that the Consent moved to another."""
        await store.commit([write("Consent", "c", owners=("1",))])
        start = await latest(store)
        await store.commit([write("Consent", "c", 1, owners=("2",))])
        assert (await since(store, start)).changes == (Change("Consent", "c", ("1", "2")),)

    async def test_some_types_are_left_out_of_the_changes_and_of_their_number(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1")])
        start = await latest(store)
        await store.commit([write("AuditEvent", str(n)) for n in range(1_100)])
        await store.commit([write("Consent", "c", owners=("1",))])
        found = await since(store, start, ["AuditEvent", "Provenance"])
        assert found.changes == (Change("Consent", "c", ("1",)),)
        assert (await since(store, start)).changes is None

    async def test_a_thousand_changes_are_told_and_no_more(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1")])
        start = await latest(store)
        await store.commit([write("Observation", str(n), owners=(str(n),)) for n in range(1_000)])
        found = await since(store, start)
        assert found.changes is not None
        assert len(found.changes) == 1_000
        assert Change("Observation", "7", ("7",)) in found.changes
        await store.commit([write("Observation", "more")])
        assert await since(store, start) == Changes(await latest(store), None)

    async def test_everything_is_too_much_to_tell(self, store: ResourceStore) -> None:
        assert await since(store, 0) == Changes(0, None)
        await store.commit([write("Patient", "1")])
        assert (await since(store, 0)).changes is None

    async def test_a_snapshot_tells_no_change_behind_its_moment(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1")])
        start = await latest(store)
        async with store.snapshot() as snapshot:
            epoch = snapshot.epoch
            await store.commit([write("Patient", "2")])
            assert await snapshot.changes(start) == Changes(start, ())
            assert snapshot.epoch == epoch
        assert (await since(store, start)).changes == (Change("Patient", "2", ()),)

    # --- epochs -------------------------------------------------------------------------------------------------------

    async def test_snapshots_with_one_epoch_see_the_same(self, store: ResourceStore) -> None:
        """Many at once, held open over the commits of others, given back in any order, asked again later."""
        seen: dict[int, object] = {}
        done = False

        async def reading(turns: Sequence[int]) -> None:
            for wait in itertools.cycle(turns):
                if done:
                    break
                async with store.snapshot() as snapshot:
                    for _ in range(2):
                        epoch, found = await looked(snapshot)
                        version = found.version if found else 0
                        assert seen.setdefault(epoch, version) == version
                        for _ in range(wait):
                            await asyncio.sleep(0)
                await asyncio.sleep(0)

        async def writing() -> None:
            nonlocal done
            for version in range(40):
                await store.commit([write("Basic", "1", version)])
            done = True

        await asyncio.gather(writing(), *[reading([n % 3, n % 5, 0]) for n in range(12)])
        assert len(set(seen.values())) > 5, "the test has seen many moments"

    async def test_an_epoch_lasts_until_something_is_committed(self, store: ResourceStore) -> None:
        await store.commit([write("Basic", "1")])
        epochs = []
        for _ in range(5):
            async with store.snapshot() as snapshot:
                epochs.append(snapshot.epoch)
            await asyncio.sleep(0)
        assert len(set(epochs)) == 1
        await store.commit([write("Basic", "1", 1)])
        async with store.snapshot() as snapshot:
            assert snapshot.epoch not in epochs

    async def test_an_epoch_ends_with_a_commit_that_makes_no_version(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1")])
        async with store.snapshot() as snapshot:
            before = snapshot.epoch
        await store.commit([], refile=[refile("Observation", "1", 1, (), "b")])
        async with store.snapshot() as snapshot:
            assert snapshot.epoch != before
            assert await snapshot.total(by_code("b")) == 1

    # --- sharers ------------------------------------------------------------------------------------------------------

    async def test_sharers_are_those_in_one_current_resource_with_them(self, store: ResourceStore) -> None:
        await store.commit(
            [
                write("Group", "1", owners=("a", "b")),
                write("Group", "2", owners=("b", "c", "d")),
                write("Group", "gone", owners=("a", "e")),
                write("Group", "left", owners=("a", "f")),
                write("Observation", "1", owners=("a",)),
            ]
        )
        await store.commit([deletion("Group", "gone", 1), write("Group", "left", 1, owners=("f", "g"))])
        async with store.snapshot() as snapshot:
            assert await snapshot.sharers(["a"]) == {"a", "b"}
            assert await snapshot.sharers(["b"]) == {"a", "b", "c", "d"}
            assert await snapshot.sharers(["f", "c"]) == {"f", "g", "b", "c", "d"}
            assert await snapshot.sharers(["nobody"]) == {"nobody"}
            assert await snapshot.sharers([]) == frozenset()

    # --- what is filed ------------------------------------------------------------------------------------------------

    async def test_what_is_filed_follows_the_current_version(self, store: ResourceStore) -> None:
        await store.commit([filed("1", "a", "b", at=5), filed("2", "b"), filed("3")])
        assert await matches(store, observations(Filed("code", ("a", "z")))) == ["1"]
        assert await matches(store, observations(FiledSpan(5, 6, partly=False))) == ["1"]
        assert await matches(store, observations(Not(FiledSpan(0, 100, partly=True)))) == ["2", "3"]
        await store.commit([filed("1", "c", version=1), deletion("Observation", "2", 1)])
        assert await matches(store, observations(Filed("code", ("a", "b")))) == []
        assert await matches(store, observations(Filed("code", ("c",)))) == ["1"]
        assert await matches(store, observations(FiledSpan(0, 100, partly=True))) == []
        await store.commit([filed("2", "b", version=2)])
        assert await matches(store, observations(Filed("code", ("b",)))) == ["2"]

    async def test_an_older_snapshot_teaches_a_condition_nothing_that_a_newer_one_would_miss(
        self, store: ResourceStore
    ) -> None:
        """A value may be unknown in the one and known in the other, and the same condition is asked of both."""
        where = ByOwner(((("p",), Not(Filed("code", ("secret",)))),), NOTHING)
        other = ByOwner(((("p",), Filed("code", ("first",))),), NOTHING)
        await store.commit([filed("1", "plain")])
        async with store.snapshot() as old:
            assert await old.total(observations(EVERYTHING)) == 1
            await store.commit([filed("2", "first"), filed("3", "secret")])
            assert await matches(store, observations(other)) == ["2"]
            assert await old.total(observations(where)) == 1
            assert await matches(store, observations(where)) == ["1", "2"]
            assert await old.total(observations(where)) == 1

    # --- refile -------------------------------------------------------------------------------------------------------

    async def test_refiling_changes_owners_facts_and_rows_and_makes_no_version(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", owners=("a", "b"), code="x")])
        before = await present(store, "Observation", "1")
        anew = replace(refile("Observation", "1", 1, ("c", "d"), "y"))
        anew.rows.filed = [FiledRow("code", "v")]
        committed = await store.commit([write("Patient", "p")], refile=[anew])
        assert committed == (Committed(1, committed[0].updated),)
        after = await present(store, "Observation", "1")
        assert (after.owners, after.facts) == (("c", "d"), b"new")
        assert (after.version, after.updated, after.body) == (1, before.updated, before.body)
        assert await matches(store, by_code("x")) == []
        assert await matches(store, by_code("y")) == ["1"]
        both = And((Filed("code", ("v",)), ByOwner(((("c", "d"), EVERYTHING),), NOTHING)))
        assert await matches(store, observations(both)) == ["1"]
        assert await versions(store, "Observation", "1") == ["1/1"]
        async with store.snapshot() as snapshot:
            assert await snapshot.sharers(["c", "a"]) == {"a", "c", "d"}

    async def test_refiling_what_got_another_version_does_nothing_and_refuses_nothing(
        self, store: ResourceStore
    ) -> None:
        await store.commit([write("Observation", str(n), code="x") for n in range(4)])
        await store.commit([write("Observation", "0", 1, code="x"), deletion("Observation", "1", 1)])
        stale = [
            refile("Observation", "0", 1, ("a",), "y"),
            refile("Observation", "1", 2, ("a",), "y"),
            refile("Observation", "never", 1, ("a",), "y"),
            refile("Observation", "2", 1, ("a",), "y"),
            refile("Observation", "3", 1, ("a",), "y"),
        ]
        await store.commit([write("Observation", "2", 1, code="x")], refile=stale)
        assert await matches(store, by_code("y")) == ["3"]
        assert await matches(store, by_code("x")) == ["0", "2"]
        assert (await present(store, "Observation", "2")).owners == ()

    async def test_refiling_is_of_one_piece_with_the_commit(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", code="x")])
        with pytest.raises(VersionConflict):
            await store.commit([write("Observation", "2", 5)], refile=[refile("Observation", "1", 1, ("a",), "y")])
        assert await matches(store, by_code("x")) == ["1"]

    async def test_refiling_sees_the_commits_before_it_in_the_same_group(self, store: ResourceStore) -> None:
        await asyncio.gather(
            store.commit([write("Observation", "1", code="x")]),
            store.commit([], refile=[refile("Observation", "1", 1, ("a",), "y")]),
            store.commit([write("Observation", "1", 1, code="z")]),
            store.commit([], refile=[refile("Observation", "1", 1, ("a",), "y")]),
        )
        assert await matches(store, by_code("z")) == ["1"]
        assert await matches(store, by_code("y")) == []

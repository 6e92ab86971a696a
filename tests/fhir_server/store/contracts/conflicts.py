"""Commits that are refused, and commits beside them that are not."""

import asyncio
import json

import pytest

from fhir_server.search.rows import TokenRow
from fhir_server.store.protocol import Guard, GuardFailed, ResourceStore, VersionConflict
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import (
    audit_event,
    by_code,
    deletion,
    entry,
    matches,
    present,
    read,
    versions,
    write,
)


class Conflicts(Backend):
    @pytest.mark.parametrize("expected", [0, 1, 3])
    async def test_a_write_that_expects_another_version_is_refused(self, store: ResourceStore, expected: int) -> None:
        await store.commit([write("Patient", "1")])
        await store.commit([write("Patient", "1", 1, text="kept")])
        with pytest.raises(VersionConflict) as refused:
            await store.commit([write("Patient", "2"), write("Patient", "1", expected)])
        assert (refused.value.position, refused.value.current) == (1, 2)
        assert json.loads((await present(store, "Patient", "1")).body)["text"] == "kept"

    async def test_a_write_to_what_never_was_must_expect_version_0(self, store: ResourceStore) -> None:
        with pytest.raises(VersionConflict) as refused:
            await store.commit([write("Patient", "1", 1)])
        assert (refused.value.position, refused.value.current) == (0, 0)

    async def test_a_refused_commit_leaves_nothing_behind(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "old")])
        audited = entry()
        with pytest.raises(VersionConflict):
            await store.commit(
                [
                    write("Observation", "new", code="n"),
                    deletion("Observation", "old", 1),
                    write("Organization", "x", 7),
                ],
                audit=[audited],
            )
        assert await read(store, "Observation", "new") is None
        assert await matches(store, by_code("n")) == []
        assert await versions(store) == ["old/1"]
        assert await store.unfold_audit(audit_event) == 0

    async def test_one_commit_may_write_one_resource_twice(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", code="a"), write("Observation", "1", 1, code="b")])
        assert await versions(store) == ["1/2", "1/1"]
        assert await matches(store, by_code("a")) == []
        assert await matches(store, by_code("b")) == ["1"]
        with pytest.raises(VersionConflict) as refused:
            await store.commit([deletion("Observation", "1", 2), write("Observation", "1", 2)])
        assert (refused.value.position, refused.value.current) == (1, 3)

    async def test_a_guard_that_holds_lets_the_commit_through(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", code="a"), write("Observation", "2", code="a")])
        expected = (("Observation", "2"), ("Observation", "1"))
        await store.commit([write("Observation", "3")], [Guard(by_code("a"), expected), Guard(by_code("b"), ())])
        assert (await present(store, "Observation", "3")).version == 1

    @pytest.mark.parametrize("expected", [(), (("Observation", "2"),), (("Observation", "1"), ("Observation", "2"))])
    async def test_a_guard_that_fails_refuses_the_commit(
        self, store: ResourceStore, expected: tuple[tuple[str, str], ...]
    ) -> None:
        await store.commit([write("Observation", "1", code="a")])
        with pytest.raises(GuardFailed) as refused:
            await store.commit([write("Observation", "3")], [Guard(by_code("b"), ()), Guard(by_code("a"), expected)])
        assert refused.value.position == 1
        assert await read(store, "Observation", "3") is None

    async def test_of_many_conditional_creates_at_once_one_wins(self, store: ResourceStore) -> None:
        """https://hl7.org/fhir/R4/http.html#ccreate: `if none exist` must hold when it is stored."""
        answers = await asyncio.gather(
            *[
                store.commit([write("Observation", f"o{n}", code="once")], [Guard(by_code("once"), ())])
                for n in range(20)
            ],
            return_exceptions=True,
        )
        assert sum(isinstance(answer, GuardFailed) for answer in answers) == 19
        assert len(await matches(store, by_code("once"))) == 1

    async def test_commits_at_once_stand_or_fall_apart(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1")])
        answers = await asyncio.gather(
            store.commit([write("Patient", "a")], audit=[entry()]),
            store.commit([write("Patient", "b"), write("Patient", "1", 5)], audit=[entry()]),
            store.commit([write("Patient", "c"), write("Patient", "1", 1)], audit=[entry()]),
            store.commit([write("Patient", "d"), write("Patient", "1", 1)], audit=[entry()]),
            store.append_audit([entry()]),
            return_exceptions=True,
        )
        assert [isinstance(answer, VersionConflict) for answer in answers] == [False, True, False, True, False]
        stored = {id for id in "abcd" if await read(store, "Patient", id)}
        assert stored == {"a", "c"}
        assert await store.unfold_audit(audit_event) == 3

    async def test_a_write_the_store_cannot_take_fails_alone(self, store: ResourceStore) -> None:
        broken = write("Patient", "broken")
        assert broken.rows is not None
        broken.rows.tokens.append(TokenRow("code", "s", None))  # type: ignore[arg-type]
        answers = await asyncio.gather(
            store.commit([write("Patient", "a", owners=("a",))]),
            store.commit([broken]),
            store.commit([write("Patient", "b", owners=("b",))]),
            return_exceptions=True,
        )
        assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
        assert await read(store, "Patient", "broken") is None
        await store.commit([write("Observation", "1", owners=("a", "b"))])
        assert (await present(store, "Patient", "b")).owners == ("b",)
        assert (await present(store, "Observation", "1")).owners == ("a", "b")

    async def test_counting_up_at_once_loses_no_update(self, store: ResourceStore) -> None:
        await store.commit([write("Basic", "n", text="0")])

        async def count_up(times: int) -> None:
            while times:
                found = await present(store, "Basic", "n")
                number = int(json.loads(found.body)["text"])
                try:
                    await store.commit([write("Basic", "n", found.version, text=str(number + 1))])
                except VersionConflict:
                    continue
                times -= 1

        await asyncio.gather(*[count_up(5) for _ in range(8)])
        found = await present(store, "Basic", "n")
        assert (found.version, json.loads(found.body)["text"]) == (41, "40")

    async def test_a_caller_who_is_cancelled_does_not_disturb_the_others(self, store: ResourceStore) -> None:
        tasks = [asyncio.ensure_future(store.commit([write("Patient", str(n))])) for n in range(5)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [tuple, tuple, asyncio.CancelledError, tuple, tuple]
        assert await versions(store, "Patient", "4") == ["4/1"]

    async def test_nothing_at_all_can_be_committed(self, store: ResourceStore) -> None:
        assert await store.commit([]) == ()
        await store.append_audit([])
        assert await versions(store) == []

"""What every backend must hold: subclass StoreContract, give it `open`, and pytest runs the lot.

Each test is a sentence of fhir_server/store/protocol.py.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from fhir_server.search.query import (
    EVERYTHING,
    And,
    Ids,
    Not,
    Or,
    OwnedBy,
    Predicate,
    Query,
    Token,
    TypeIn,
    Unowned,
)
from fhir_server.search.rows import IndexRows, TokenRow
from fhir_server.store.protocol import (
    AccessToken,
    AuditEntry,
    BadCursor,
    Body,
    Guard,
    GuardFailed,
    Method,
    Page,
    ResourceStore,
    Snapshot,
    StoredVersion,
    VersionConflict,
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


class StoreContract:
    """Subclasses say how their store is opened; the data lives in `directory` (or is named after it)."""

    async def open(self, directory: Path, clock: Callable[[], int]) -> ResourceStore:
        raise NotImplementedError

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    async def store(self, tmp_path: Path, clock: Clock) -> AsyncIterator[ResourceStore]:
        opened = await self.open(tmp_path / "data", clock)
        yield opened
        await opened.close()

    pytestmark = pytest.mark.anyio

    # --- versions ---------------------------------------------------------------------------------------------------

    async def test_a_resource_that_never_was_is_none(self, store: ResourceStore) -> None:
        assert await read(store, "Patient", "1") is None
        await store.commit([write("Patient", "1")])
        assert await read(store, "Patient", "2") is None
        assert await read(store, "Observation", "1") is None

    async def test_a_created_resource_is_read_as_it_was_written(self, store: ResourceStore, clock: Clock) -> None:
        clock.time = START + 123_456
        (committed,) = await store.commit([write("Patient", "1", owners=("1",), text="Jo")])
        assert committed.version == 1
        assert committed.updated == START + 123_000, "whole milliseconds"
        found = await present(store, "Patient", "1")
        assert found == StoredVersion("Patient", "1", 1, START + 123_000, "create", found.body, ("1",), b"facts of Jo")
        meta = b'"meta":{"versionId":"1","lastUpdated":"2026-01-01T00:00:00.123Z"}'
        assert found.body == b'{"resourceType": "Patient", "id": "1", "text": "Jo", "code": "8480-6",' + meta + b"}"

    async def test_a_long_body_comes_back_byte_for_byte(self, store: ResourceStore) -> None:
        tail = b',"text":"' + "é€ ".encode() * 5000 + b'"}'
        body = Body(b'{"resourceType":"Basic","id":"1","meta":{', b"}" + tail)
        await store.commit([Write("create", "Basic", "1", 0, body, (), b"", IndexRows())])
        found = await present(store, "Basic", "1")
        assert found.body.endswith(b'.000Z"}' + tail)
        assert json.loads(found.body)["meta"]["versionId"] == "1"

    async def test_every_version_stays_readable_by_its_number(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1", text="a")])
        await store.commit([write("Patient", "1", 1, text="b")])
        async with store.snapshot() as snapshot:
            first = await snapshot.vread("Patient", "1", 1)
            second = await snapshot.vread("Patient", "1", 2)
            assert first is not None
            assert second is not None
            assert (json.loads(first.body)["text"], first.method) == ("a", "create")
            assert (json.loads(second.body)["text"], second.method) == ("b", "update")
            assert json.loads(second.body)["meta"]["versionId"] == "2"
            assert await snapshot.read("Patient", "1") == second
            assert await snapshot.vread("Patient", "1", 3) is None
            assert await snapshot.vread("Patient", "1", 0) is None
            assert await snapshot.vread("Patient", "2", 1) is None

    @pytest.mark.parametrize("owners", [(), ("1",), ("1", "2", "3")])
    async def test_a_deletion_is_a_version_with_the_owners_and_facts_of_the_one_before(
        self, store: ResourceStore, owners: tuple[str, ...]
    ) -> None:
        await store.commit([write("Observation", "1", owners=owners, text="x")])
        (committed,) = await store.commit([deletion("Observation", "1", 1)])
        assert committed.version == 2
        found = await present(store, "Observation", "1")
        assert found.deleted
        assert (found.version, found.body, found.owners, found.facts) == (2, b"", owners, b"facts of x")
        assert await matches(store, by_code("8480-6")) == []

    async def test_a_deleted_resource_can_be_brought_back(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", owners=("1", "2"))])
        await store.commit([deletion("Observation", "1", 1)])
        (committed,) = await store.commit([write("Observation", "1", 2, owners=("3",))])
        assert committed.version == 3
        found = await present(store, "Observation", "1")
        assert (found.deleted, found.owners) == (False, ("3",))
        assert await matches(store, by_code("8480-6")) == ["1"]

    async def test_owners_follow_each_version(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", owners=("1", "2"))])
        await store.commit([write("Observation", "1", 1, owners=("2", "3"))])
        await store.commit([write("Observation", "1", 2, owners=())])
        async with store.snapshot() as snapshot:
            page = await history(snapshot, "Observation", "1")
        assert [row.owners for row in page.rows] == [(), ("2", "3"), ("1", "2")]

    async def test_an_update_is_found_by_its_new_content_only(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", code="a")])
        await store.commit([write("Observation", "1", 1, code="b")])
        assert await matches(store, by_code("a")) == []
        assert await matches(store, by_code("b")) == ["1"]

    # --- conflicts and guards ---------------------------------------------------------------------------------------

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

    # --- time -------------------------------------------------------------------------------------------------------

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

    # --- snapshots --------------------------------------------------------------------------------------------------

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

    # --- history ----------------------------------------------------------------------------------------------------

    async def test_history_is_newest_first_of_a_resource_a_type_or_everything(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "p")])
        await store.commit([write("Observation", "o")])
        await store.commit([write("Patient", "p", 1)])
        await store.commit([write("Patient", "q")])
        await store.commit([deletion("Patient", "p", 2)])
        assert await versions(store, "Patient", "p") == ["p/3", "p/2", "p/1"]
        assert await versions(store, "Patient") == ["p/3", "q/1", "p/2", "p/1"]
        assert await versions(store) == ["p/3", "q/1", "p/2", "o/1", "p/1"]
        assert await versions(store, "Observation", "p") == []
        assert await versions(store, "Encounter") == []
        async with store.snapshot() as snapshot:
            page = await history(snapshot, "Patient", "p")
        assert [row.method for row in page.rows] == ["delete", "update", "create"]
        assert [row.type for row in page.rows] == ["Patient"] * 3

    async def test_history_since_starts_at_that_very_moment(self, store: ResourceStore, clock: Clock) -> None:
        for n in range(4):
            clock.time = START + n * SECOND
            await store.commit([write("Patient", str(n))])
        assert await versions(store, since=START + SECOND) == ["3/1", "2/1", "1/1"]
        assert await versions(store, since=START + SECOND + 1) == ["3/1", "2/1"]
        assert await versions(store, since=0) == ["3/1", "2/1", "1/1", "0/1"]
        assert await versions(store, "Patient", "2", since=START + 9 * SECOND) == []

    async def test_history_at_holds_what_was_current_in_the_interval(self, store: ResourceStore, clock: Clock) -> None:
        """https://hl7.org/fhir/R4/http.html#history: `_at`."""
        for version in range(3):
            clock.time = START + version * 10 * SECOND
            await store.commit([write("Patient", "1", version)])
        second = START + 10 * SECOND
        assert await versions(store, at=(START, START + 1)) == ["1/1"]
        assert await versions(store, at=(START - 5, START)) == []
        assert await versions(store, at=(second - 1, second)) == ["1/1"]
        assert await versions(store, at=(second, second + 1)) == ["1/2"]
        assert await versions(store, at=(second - 1, second + 1)) == ["1/2", "1/1"]
        assert await versions(store, at=(START + 60 * SECOND, START + 61 * SECOND)) == ["1/3"]

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (EVERYTHING, ["org/1", "both/1", "moved/2", "moved/1", "o2/1", "o1/1"]),
            (Or(()), []),
            (OwnedBy(("1",)), ["o1/1"]),
            (OwnedBy(("2",)), ["moved/2", "o2/1"]),
            (OwnedBy(("1", "2")), ["moved/2", "moved/1", "o2/1", "o1/1"]),
            (OwnedBy(("nobody",)), []),
            (OwnedBy(()), []),
            (Unowned(), ["org/1"]),
            (Or((Unowned(), OwnedBy(("1",)))), ["org/1", "o1/1"]),
            (And((OwnedBy(("1", "2")), Ids(("o1", "org")))), ["o1/1"]),
            (TypeIn(("Organization",)), ["org/1"]),
            (Not(TypeIn(("Organization",))), ["both/1", "moved/2", "moved/1", "o2/1", "o1/1"]),
            (Not(OwnedBy(("1",))), ["org/1", "both/1", "moved/2", "o2/1"]),
        ],
    )
    async def test_history_holds_to_owners_of_then_and_of_now(
        self, store: ResourceStore, where: Predicate, expected: list[str]
    ) -> None:
        """`moved` was filed under patient 1 by mistake and then moved to patient 2: patient 1 sees nothing of it any
        more, and patient 2 not what was filed under patient 1."""
        await store.commit([write("Observation", "o1", owners=("1",))])
        await store.commit([write("Observation", "o2", owners=("2",))])
        await store.commit([write("Observation", "moved", owners=("1",))])
        await store.commit([write("Observation", "moved", 1, owners=("2",))])
        await store.commit([write("Observation", "both", owners=("1", "2"))])
        await store.commit([write("Organization", "org")])
        assert await versions(store, where=where) == expected

    async def test_history_of_what_is_deleted_holds_to_its_last_owner(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", owners=("1",))])
        await store.commit([deletion("Observation", "1", 1)])
        assert await versions(store, where=OwnedBy(("1",))) == ["1/2", "1/1"]
        assert await versions(store, where=Unowned()) == []

    async def test_pages_of_history_neither_repeat_nor_skip_while_others_write(self, store: ResourceStore) -> None:
        for n in range(10):
            await store.commit([write("Patient", str(n))])
        seen: list[str] = []
        cursor = b""
        while True:
            async with store.snapshot() as snapshot:
                page = await history(snapshot, "Patient", count=3, cursor=cursor)
            seen += [f"{row.id}/{row.version}" for row in page.rows]
            await store.commit([write("Patient", str(len(seen) % 10), 1, text="meanwhile")])
            cursor = page.next_cursor
            if not cursor:
                break
        assert seen == [f"{n}/1" for n in reversed(range(10))]

    async def test_the_last_page_of_history_has_no_cursor(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", str(n)) for n in range(4)])
        async with store.snapshot() as snapshot:
            first = await history(snapshot, count=2)
            assert first.next_cursor
            second = await history(snapshot, count=2, cursor=first.next_cursor)
            assert len(second.rows) == 2
            assert second.next_cursor == b""
            assert (await history(snapshot, count=0)) == Page((), b"")

    async def test_a_cursor_of_another_history_or_of_nobody_is_refused(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", str(n)) for n in range(4)])
        async with store.snapshot() as snapshot:
            cursor = (await history(snapshot, "Patient", count=2)).next_cursor
            for bad in (cursor + b"x", cursor[1:], b"\0" * len(cursor)):
                with pytest.raises(BadCursor):
                    await history(snapshot, "Patient", count=2, cursor=bad)
            with pytest.raises(BadCursor):
                await history(snapshot, count=2, cursor=cursor)
            with pytest.raises(BadCursor):
                await history(snapshot, "Patient", since=START, count=2, cursor=cursor)

    async def test_a_history_goes_on_where_it_was_when_consent_has_changed(self, store: ResourceStore) -> None:
        for n in range(8):
            await store.commit([write("Observation", str(n), owners=("ab"[n % 2],))])
        both, one = Or((OwnedBy(("a",)), OwnedBy(("b",)))), OwnedBy(("a",))
        async with store.snapshot() as snapshot:
            first = await history(snapshot, where=both, count=3)
            rest = await history(snapshot, where=one, count=5, cursor=first.next_cursor)
        assert [row.id for row in first.rows + rest.rows] == ["7", "6", "5", "4", "2", "0"]

    async def test_history_of_many_owners_is_one_order_over_all_pages(self, store: ResourceStore) -> None:
        for n in range(60):
            await store.commit([write("Observation", str(n), owners=(f"p{n % 20}",) if n % 7 else ())])
        for patients in (3, 20):
            where = Or((Unowned(), OwnedBy(tuple(f"p{n}" for n in range(patients)))))
            expected = [f"{n}/1" for n in reversed(range(60)) if n % 7 == 0 or n % 20 < patients]
            assert await versions(store, where=where) == expected
            met: list[str] = []
            cursor = b""
            while True:
                async with store.snapshot() as snapshot:
                    page = await history(snapshot, "Observation", where=where, count=4, cursor=cursor)
                met += [f"{row.id}/{row.version}" for row in page.rows]
                cursor = page.next_cursor
                if not cursor:
                    break
            assert met == expected

    # --- search over moving ground ----------------------------------------------------------------------------------

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

    # --- audit ------------------------------------------------------------------------------------------------------

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

    # --- tokens -----------------------------------------------------------------------------------------------------

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

    # --- restart, backup, reindex -------------------------------------------------------------------------------------

    async def test_everything_is_there_after_a_restart(
        self, store: ResourceStore, clock: Clock, tmp_path: Path
    ) -> None:
        token = AccessToken("app", "system", "system/*.rs", START, START + SECOND)
        await store.commit([write("Observation", "1", owners=("p",), code="a")], audit=[entry()])
        await store.put_token(b"\x01" * 32, token, ())
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

        async def extract(body: bytes) -> tuple[IndexRows, tuple[str, ...], bytes]:
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

        async def extract(body: bytes) -> tuple[IndexRows, tuple[str, ...], bytes]:
            return index_rows("new"), (), b""

        done, _ = await asyncio.gather(store.reindex(extract, lambda count: None), writing())
        assert done == 18
        assert await matches(store, by_code("meanwhile")) == ["7"]
        assert len(await matches(store, by_code("new"))) == 18
        assert await matches(store, by_code("old")) == []

"""Which versions a history holds, in which order, page by page."""

import random

import pytest

from fhir_server.search.query import (
    EVERYTHING,
    NOTHING,
    And,
    ByOwner,
    Ids,
    Not,
    Or,
    OwnedBy,
    Predicate,
    TypeIn,
    Unowned,
)
from fhir_server.store.protocol import BadCursor, Page, ResourceStore
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import SECOND, START, Clock, deletion, history, versions, write
from tests.fhir_server.store.reference_evaluator import Stored, holds

PATIENTS = ("a", "b", "c", "d")
TYPES = ("Observation", "Encounter", "Organization")


def by_owner(draw: random.Random) -> Predicate:
    """A predicate of the kind that history takes, with a ByOwner in it."""

    def of_a_patient(depth: int) -> Predicate:
        if depth and draw.random() < 0.5:
            children = tuple([of_a_patient(depth - 1) for _ in range(draw.randrange(3))])
            return draw.choice((And(children), Or(children), Not(of_a_patient(depth - 1))))
        some_types, some_ids = tuple(draw.sample(TYPES, 2)), tuple(draw.sample("01234567", 4))
        return draw.choice((EVERYTHING, NOTHING, TypeIn(some_types), Ids(some_ids)))

    patients = draw.sample(PATIENTS, draw.randrange(1, 4))
    groups = ((tuple(patients[:2]), of_a_patient(2)), (tuple(patients[2:]), of_a_patient(2)))
    asked: Predicate = ByOwner(groups, draw.choice((NOTHING, NOTHING, EVERYTHING, of_a_patient(2))))
    return draw.choice((asked, Or((Unowned(), asked)), And((Not(asked), TypeIn(TYPES[:2]))), Not(asked)))


class History(Backend):
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
            (ByOwner(((("1",), EVERYTHING),), NOTHING), ["o1/1"]),
            (ByOwner(((("1",), EVERYTHING), (("2",), Ids(("o2", "both")))), NOTHING), ["both/1", "o2/1", "o1/1"]),
            (ByOwner(((("1",), NOTHING),), EVERYTHING), ["moved/2", "o2/1"]),
            (Or((Unowned(), ByOwner(((("2",), TypeIn(("Observation",))),), NOTHING))), ["org/1", "moved/2", "o2/1"]),
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

    async def test_history_by_owner_holds_to_owners_of_then_and_of_now(self, store: ResourceStore) -> None:
        draw = random.Random(1)
        current: dict[tuple[str, str], Stored] = {}
        written: list[tuple[Stored, int]] = []
        for n in range(80):
            type, id = draw.choice(TYPES), draw.choice("01234567")
            before = sum(one.type == type and one.id == id for one, _ in written)
            if before and draw.random() < 0.1 and (type, id) in current:
                await store.commit([deletion(type, id, before)])
                stored = current[type, id]
            else:
                stored = Stored(type, id, n, tuple(draw.choices(PATIENTS, k=draw.choice((0, 1, 1, 2, 3)))))
                await store.commit([write(type, id, before, owners=stored.owners)])
            current[type, id] = stored
            written.append((stored, before + 1))
        for _ in range(150):
            where = by_owner(draw)
            type = draw.choice((None, *TYPES))
            expected = [
                f"{one.id}/{version}"
                for one, version in reversed(written)
                if type in (None, one.type) and holds(where, one, {}) and holds(where, current[one.type, one.id], {})
            ]
            assert await versions(store, type, where=where) == expected, (type, where)

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

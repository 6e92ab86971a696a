"""Pages: cursors that fit one query only, and an order that other people's writes do not disturb.

https://hl7.org/fhir/R4/http.html#paging
"""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.search import query as ast
from fhir_server.search.rows import DateRow, IndexRows, TokenRow
from fhir_server.store.protocol import BadCursor
from fhir_server.store.sqlite import query
from tests.fhir_server.store.reference_evaluator import Key, Stored
from tests.fhir_server.store.sqlite.database import Database

BY_DATE = (ast.SortKey("date", "date", True),)
BY_TIME = (ast.SortKey("_lastUpdated", "updated", True),)


def observation(id: str, owner: str = "p", code: str = "x", day: int = 0, updated: int = 0) -> Stored:
    rows = IndexRows(tokens=[TokenRow("code", "s", code)], dates=[DateRow("date", day, day + 1)])
    return Stored("Observation", id, updated, (owner,), rows)


def page(database: Database, asked: ast.Query, count: int, cursor: bytes = b"") -> tuple[list[Key], bytes]:
    rids, cursor = query.page(database.connection, database.names, asked, count, cursor)
    return [database.keys[rid] for rid in rids], cursor


CODED = ast.Query(("Observation",), ast.Token("code", "s", "x"))
DATABASE = Database([observation(str(n), day=n % 3, updated=n) for n in range(20)])


@pytest.mark.parametrize("asked", [CODED, replace(CODED, sort=BY_DATE), replace(CODED, sort=BY_TIME)])
def test_a_cursor_of_another_query_is_refused(asked: ast.Query) -> None:
    _, cursor = page(DATABASE, asked, 5)
    assert len(page(DATABASE, asked, 5, cursor)[0]) == 5
    others = [
        replace(asked, where=ast.Token("code", "s", "y")),
        replace(asked, types=("Observation", "Patient")),
        replace(asked, sort=(ast.SortKey("date", "date", False),)),
        replace(asked, sort=()) if asked.sort else replace(asked, sort=BY_DATE),
    ]
    for other in others:
        with pytest.raises(BadCursor):
            page(DATABASE, other, 5, cursor)


FILED = ast.Filed("code", ("x",))
NARROWED: list[ast.Predicate] = [
    ast.And((ast.ByOwner(((("p",), ast.EVERYTHING),), ast.NOTHING), CODED.where)),
    ast.And((ast.ByOwner(((("p", "q"), ast.Not(FILED)),), ast.NOTHING), CODED.where)),
    ast.And((ast.Or((ast.Unowned(), ast.OwnedBy(("p",)))), ast.Not(FILED), CODED.where)),
    CODED.where,
]


@pytest.mark.parametrize("before", NARROWED)
@pytest.mark.parametrize("after", NARROWED)
def test_a_cursor_outlives_a_change_of_what_may_be_seen(before: ast.Predicate, after: ast.Predicate) -> None:
    """A Consent may change between two pages: the next is decided afresh and goes on from the same place."""
    first, cursor = page(DATABASE, replace(CODED, where=before), 5)
    rest, _ = page(DATABASE, replace(CODED, where=after), 20, cursor)
    assert sorted([*first, *rest]) == sorted(DATABASE.rids)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.sampled_from([(), BY_DATE]))
def test_junk_is_refused_as_a_cursor(junk: bytes, sort: tuple[ast.SortKey, ...]) -> None:
    with pytest.raises(BadCursor):
        page(DATABASE, replace(CODED, sort=sort), 5, junk)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_cursor_is_refused_or_is_a_place_in_the_same_query(data: st.DataObject) -> None:
    """The gateway seals cursors; the store itself must only never break on one."""
    _, cursor = page(DATABASE, replace(CODED, sort=BY_DATE), 5)
    damaged = bytearray(cursor)
    damaged[data.draw(st.integers(0, len(cursor) - 1))] = data.draw(st.integers(0, 255))
    try:
        found, _ = page(DATABASE, replace(CODED, sort=BY_DATE), 5, bytes(damaged))
    except BadCursor:
        return
    assert len(found) <= 5


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63)])
def test_a_cursor_with_a_number_beyond_sqlite_is_refused(number: int) -> None:
    _, cursor = page(DATABASE, CODED, 5)
    parts = msgspec.msgpack.decode(cursor)
    parts[-1] = number
    with pytest.raises(BadCursor):
        page(DATABASE, CODED, 5, msgspec.msgpack.encode(parts))


def test_a_count_of_zero_asks_for_nothing() -> None:
    assert page(DATABASE, CODED, 0) == ([], b"")


def test_the_last_page_has_no_cursor_even_if_it_is_full() -> None:
    first, cursor = page(DATABASE, CODED, 10)
    second, end = page(DATABASE, CODED, 10, cursor)
    assert len(first) == len(second) == 10
    assert end == b""


writes = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "delete"]), st.integers(0, 19), st.sampled_from(["p", "q"])),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([(), BY_DATE, BY_TIME]), st.lists(writes, min_size=1, max_size=6), st.integers(1, 4))
def test_what_stays_is_on_exactly_one_page_whatever_others_write_between_pages(
    sort: tuple[ast.SortKey, ...], between: list[list[tuple[str, int, str]]], count: int
) -> None:
    """Even numbers stay as they are; odd ones are updated, deleted and made anew, and new ones come."""
    database = Database([observation(str(n), "pq"[n % 2], day=n % 3, updated=n) for n in range(20)])
    stay = {("Observation", str(n)) for n in range(0, 20, 2)}
    asked = replace(CODED, sort=sort)
    found: list[Key] = []
    clock, cursor, turn = 100, b"", 0
    while True:
        keys, cursor = page(database, asked, count, cursor)
        found += keys
        if not cursor:
            break
        for kind, n, owner in between[turn % len(between)] if turn < 40 else ():
            clock += 1
            odd = n | 1
            if kind == "insert":
                database.put(observation(f"new{clock}", owner, day=n % 3, updated=clock))
            elif kind == "update":
                database.put(observation(str(odd), owner, day=n % 3, updated=clock))
            else:
                database.delete(("Observation", str(odd)))
        turn += 1
    assert {key: found.count(key) for key in stay} == dict.fromkeys(stay, 1)


def test_without_a_sort_an_update_does_not_move_a_resource() -> None:
    """Its rid stays, and so does its owner: it is not met twice, and not missed."""
    database = Database([observation(str(n), updated=n) for n in range(6)])
    first, cursor = page(database, CODED, 3)
    for key in [*first, *page(database, CODED, 3, cursor)[0]]:
        database.put(observation(key[1], day=9, updated=100))
    rest, _ = page(database, CODED, 10, cursor)
    assert sorted([*first, *rest]) == sorted(database.rids)


def test_changes_since_a_time_come_in_the_order_of_the_changes() -> None:
    database = Database([observation(str(n), updated=100 - n) for n in range(10)])
    asked = ast.Query(("Observation",), ast.LastUpdated(ast.Compare.GE, 93, 94))
    assert [id for _, id in page(database, asked, 10)[0]] == ["7", "6", "5", "4", "3", "2", "1", "0"]

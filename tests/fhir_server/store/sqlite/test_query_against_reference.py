"""Search in SQLite gives what the reference evaluator gives, whatever the rows and whatever the query.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.search import query as ast
from fhir_server.store.sqlite import query
from fhir_server.store.sqlite.query import plan, sorted_page
from tests.fhir_server.store import reference_evaluator as reference
from tests.fhir_server.store.reference_evaluator import Key, Table
from tests.fhir_server.store.sqlite.database import Database
from tests.fhir_server.store.sqlite.strategies import predicates, queries, sort_keys, tables, types

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pages(database: Database, asked: ast.Query, count: int) -> Iterator[list[Key]]:
    cursor = b""
    while True:
        rids, cursor = query.page(database.connection, database.names, asked, count, cursor)
        assert len(rids) <= count
        yield [database.keys[rid] for rid in rids]
        if not cursor:
            return
        assert len(rids) == count


def check(table: Table, asked: ast.Query, count: int) -> None:
    database = Database(table.values())
    expected = reference.matching(table, asked)
    found = [key for page in pages(database, asked, count) for key in page]
    assert sorted(found) == sorted(expected)
    assert query.total(database.connection, database.names, asked) == len(expected)
    limit = len(expected) + 1
    assert sorted(query.matches(database.connection, database.names, asked, limit)) == sorted(expected)
    values = [reference.sort_values(table[key], asked.sort) for key in found]
    assert reference.in_order(values, asked.sort), values
    whole = [key for page in pages(database, asked, 1_000) for key in page]
    assert found == whole


@SETTINGS
@given(tables, queries, st.integers(1, 4))
def test_every_query_finds_what_the_reference_finds_once_and_in_order(
    table: Table, asked: ast.Query, count: int
) -> None:
    check(table, asked, count)


@SETTINGS
@given(tables, types, predicates, sort_keys, st.integers(1, 3))
def test_walking_an_index_in_order_gives_the_same_as_sorting(
    table: Table, type: str, predicate: ast.Predicate, key: ast.SortKey, count: int
) -> None:
    """Few rows would always be sorted, so here nothing is few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_page, "walking_pays", lambda *_: True)
        check(table, ast.Query((type,), predicate, (key,)), count)


@SETTINGS
@given(tables, types, predicates, st.integers(1, 3))
def test_every_criterion_can_be_the_start(table: Table, type: str, predicate: ast.Predicate, count: int) -> None:
    """Nothing but a walk in the default order is avoided here, so that each kind of driver gets its turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan.Planner, "population", lambda self: 1_000_000)
        check(table, ast.Query((type,), predicate), count)

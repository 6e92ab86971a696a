"""Two criteria on one date, from and until, are sought as one, unless a resource may meet them by two dates.

https://hl7.org/fhir/R4/search.html#combining
"""

import pytest

from fhir_server.search import query as ast
from fhir_server.search.query import Compare, Query
from fhir_server.search.rows import DateRow, IndexRows
from fhir_server.store.sqlite import query
from fhir_server.store.sqlite.index_tables import NARROW_US
from tests.fhir_server.store.reference_evaluator import Stored, matching
from tests.fhir_server.store.sqlite.database import Database

DAY = 86_400_000_000


def observation(number: int, *spans: tuple[int, int]) -> Stored:
    rows = IndexRows(dates=[DateRow("date", low * DAY, high * DAY) for low, high in spans])
    return Stored("Observation", f"o{number}", number, (f"p{number % 7}",), rows)


def between(lower: Compare, upper: Compare, since: int, until: int) -> Query:
    low = ast.Date("date", lower, since * DAY, (since + 1) * DAY)
    high = ast.Date("date", upper, until * DAY, (until + 1) * DAY)
    return Query(("Observation",), ast.And((low, high)))


def found(database: Database, asked: Query) -> set[str]:
    rids, _ = query.page(database.connection, database.names, asked, 1_000, b"")
    assert len(set(rids)) == len(rids)
    return {database.keys[rid][1] for rid in rids}


def steps(database: Database, asked: Query) -> int:
    taken = 0

    def tick() -> int:
        nonlocal taken
        taken += 1
        return 0

    database.connection.set_progress_handler(tick, 1)
    query.page(database.connection, database.names, asked, 20, b"")
    database.connection.set_progress_handler(None, 0)
    return taken


DAYS = [observation(n, (n, n + 1)) for n in range(600)]
LONG = [observation(1_000 + n, (n, n + 40)) for n in range(0, 600, 7)]
assert 40 * DAY > NARROW_US


@pytest.mark.parametrize("lower", [Compare.GE, Compare.GT, Compare.SA])
@pytest.mark.parametrize("upper", [Compare.LE, Compare.LT, Compare.EB])
@pytest.mark.parametrize("owned", [False, True])
def test_what_lies_between_is_what_meets_both(lower: Compare, upper: Compare, owned: bool) -> None:
    database = Database([*DAYS, *LONG])
    asked = between(lower, upper, 300, 320)
    if owned:
        asked = Query(asked.types, ast.And((ast.OwnedBy(("p3",)), *asked.where.children)))  # type: ignore[union-attr]
    table = {(one.type, one.id): one for one in (*DAYS, *LONG)}
    expected = {id for _, id in matching(table, asked)}
    assert expected
    assert found(database, asked) == expected


def test_a_few_days_in_the_middle_cost_no_more_among_many() -> None:
    few, many = Database(DAYS[280:340]), Database(DAYS)
    asked = between(Compare.GE, Compare.LT, 300, 310)
    assert len(found(many, asked)) == 10
    assert steps(many, asked) <= 1.5 * steps(few, asked)


def test_a_resource_with_a_date_on_either_side_meets_both() -> None:
    """R4: each criterion holds if any of the values meets it; no value need meet them all."""
    database = Database(DAYS)
    asked = between(Compare.GE, Compare.LT, 300, 302)
    assert "both" not in found(database, asked)
    database.put(
        Stored("Observation", "both", 5_000, ("p1",), observation(5_000, (10, 11), (590, 591)).rows),
    )
    assert found(database, asked) == {"both", "o300", "o301"}


def test_components_of_a_composite_do_not_count_as_several_dates() -> None:
    rows = IndexRows(dates=[DateRow("date", 0, 1, 0), DateRow("date", 0, 1, 1), DateRow("date", 0, 1, 2)])
    database = Database([Stored("Observation", "o", 1, (), rows)])
    assert database.connection.execute("SELECT count(*) FROM several_dates").fetchone() == (0,)

"""What the gateway asks of each patient's resources: thousands of random trees over resources that keep changing.

The rules are in the docstrings of ByOwner, Filed and FiledSpan in fhir_server/search/query.py.
"""

import random
import sqlite3

import pytest

from fhir_server.search import query as ast
from fhir_server.search.query import EVERYTHING, NOTHING, ByOwner, Filed, FiledSpan, Predicate, Query, SortKey
from fhir_server.search.rows import MAX_TIME, MIN_TIME, DateRow, FiledRow, IndexRows, ReferenceRow, TokenRow
from fhir_server.store.sqlite import judges, query
from tests.fhir_server.store import reference_evaluator as reference
from tests.fhir_server.store.reference_evaluator import Key, Stored
from tests.fhir_server.store.sqlite.database import Database

TYPES = ("Observation", "Encounter", "Organization")
PATIENTS = tuple(f"p{n}" for n in range(8))
IDS = tuple(str(n) for n in range(12))
VALUES = tuple(FiledRow(kind, value) for kind in ("code", "label", "author") for value in "abcde")
TIMES = (MIN_TIME, -5, 0, 3, 7, 10, MAX_TIME)


class Wijk:
    """Random resources and random questions; `values` are those filed so far, and more come."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.values = 6
        self.table: dict[Key, Stored] = {}
        self.database = Database()
        for _ in range(60):
            self.write()

    def write(self) -> None:
        draw = self.draw
        type, id = draw.choice(TYPES), draw.choice(IDS)
        rows = IndexRows()
        rows.tokens = [TokenRow("code", "", code) for code in "xy" if draw.random() < 0.5]
        rows.dates = [DateRow("date", day, day + 1) for day in draw.sample(range(5), draw.randrange(3))]
        for target in draw.sample(TYPES, draw.randrange(3)):
            rows.references.append(ReferenceRow("subject", target, draw.choice(IDS), "", "", "", ""))
        rows.filed = draw.choices(VALUES[: self.values], k=draw.choice((0, 1, 3, 5)))
        rows.span = draw.choice((None, self.span(), self.span()))
        owners = tuple(draw.choices(PATIENTS, k=draw.choice((0, 1, 1, 1, 2, 3))))
        stored = Stored(type, id, draw.randrange(9), owners, rows)
        self.table[type, id] = stored
        self.database.put(stored)

    def span(self) -> tuple[int, int]:
        low, high = sorted(self.draw.sample(TIMES, 2))
        return low, high

    def predicate(self, depth: int = 5) -> Predicate:
        """Of one patient's resources."""
        draw = self.draw
        if depth and draw.random() < 0.6:
            children = tuple([self.predicate(depth - 1) for _ in range(draw.randrange(4))])
            return draw.choice((ast.And(children), ast.Or(children), ast.Not(self.predicate(depth - 1))))
        kind = draw.random()
        if kind < 0.6:
            asked = draw.choice(VALUES).kind
            return Filed(asked, tuple([row.value for row in draw.sample(VALUES, 5) if row.kind == asked]))
        if kind < 0.8:
            return FiledSpan(*self.span(), partly=draw.random() < 0.5)
        if kind < 0.9:
            return ast.Ids(tuple(draw.sample(IDS, 4)))
        return draw.choice((ast.TypeIn(tuple(draw.sample(TYPES, 2))), EVERYTHING, NOTHING))

    def by_owner(self) -> ByOwner:
        draw = self.draw
        left = draw.sample(PATIENTS, draw.randrange(len(PATIENTS)))
        groups = []
        while left:
            size = draw.randrange(1, 4)
            groups.append((tuple(left[:size]), draw.choice((EVERYTHING, NOTHING, self.predicate(), self.predicate()))))
            left = left[size:]
        return ByOwner(tuple(groups), draw.choice((NOTHING, NOTHING, EVERYTHING, self.predicate())))

    def question(self, depth: int = 3) -> Predicate:
        """Of the gateway and a client together."""
        draw = self.draw
        kind = draw.random()
        if depth and kind < 0.2:
            return ast.Chain("subject", draw.choice(TYPES), self.question(depth - 1))
        if depth and kind < 0.4:
            return ast.Has(draw.choice(TYPES), "subject", self.question(depth - 1))
        if depth and kind < 0.8:
            children = tuple([self.question(depth - 1) for _ in range(draw.randrange(1, 4))])
            return draw.choice((ast.And(children), ast.And(children), ast.Or(children), ast.Not(children[0])))
        if kind < 0.9:
            return self.by_owner()
        leaves: tuple[Predicate, ...] = (
            self.predicate(0),
            ast.Unowned(),
            ast.OwnedBy(tuple(draw.sample(PATIENTS, 3))),
            ast.Token("code", None, draw.choice("xy")),
            ast.Date("date", ast.Compare.GE, 2, 3),
        )
        return draw.choice(leaves)

    def check(self, asked: Query) -> None:
        connection, names = self.database.connection, self.database.names
        expected = sorted(reference.matching(self.table, asked))
        found: list[Key] = []
        cursor = b""
        count = self.draw.choice((1, 3, 50))
        while True:
            rids, cursor = query.page(connection, names, asked, count, cursor)
            found += [self.database.keys[rid] for rid in rids]
            if not cursor:
                break
        assert sorted(found) == expected, asked
        assert query.total(connection, names, asked) == len(expected), asked
        assert sorted(query.matches(connection, names, asked, 1_000)) == expected, asked
        assert reference.in_order([reference.sort_values(self.table[key], asked.sort) for key in found], asked.sort)


@pytest.mark.parametrize("limit", ["JUDGES_MAX", "PATIENTS_MAX", "VERDICTS_MAX", "UNKNOWN_MAX"])
def test_judges_that_remember_next_to_nothing_say_the_same(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, limit, 2)
    wijk = Wijk(99)
    asked = [Query(TYPES, ast.And((wijk.by_owner(), wijk.question()))) for _ in range(12)]
    for turn in range(120):
        wijk.check(asked[turn % 12])
        wijk.values = min(wijk.values + turn % 2, len(VALUES))
        wijk.write()
        kept = wijk.database.names.judges
        assert len(kept._judges) <= (judges.JUDGES_MAX + 30 if limit != "PATIENTS_MAX" else 30)
        assert len(kept._by_num) == len(kept._judges)
        assert len(kept._groups) <= 60


def test_a_predicate_that_looks_elsewhere_is_refused() -> None:
    """Nothing but the resource itself decides; a store that passed over what it does not know would open it."""
    wijk = Wijk(1)
    for leaf in (ast.Token("code", None, "x"), ast.Chain("subject", "Encounter", EVERYTHING), ast.Unowned()):
        asked = Query(("Observation",), ByOwner(((PATIENTS, leaf),), NOTHING))
        with pytest.raises(sqlite3.OperationalError):
            query.total(wijk.database.connection, wijk.database.names, asked)


@pytest.mark.parametrize("seed", range(8))
def test_what_the_gateway_asks_holds_for_what_the_reference_says(seed: int) -> None:
    """The same questions again and again, while resources come and change and values are filed for the first time."""
    wijk = Wijk(seed)
    draw = wijk.draw
    asked: list[Predicate] = []
    for turn in range(150):
        if len(asked) < 40 or draw.random() < 0.3:
            asked.append(wijk.by_owner() if draw.random() < 0.4 else wijk.question())
        sort = (SortKey("date", "date", draw.random() < 0.5),) if draw.random() < 0.3 else ()
        types = tuple(draw.sample(TYPES, draw.choice((1, 1, 3))))
        wijk.check(Query(types, draw.choice(asked), sort))
        if turn % 10 == 9:
            wijk.values += 1
        if turn % 2:
            wijk.write()

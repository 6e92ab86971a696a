"""Sorting: of several values the one that counts, nulls last, the same order whichever way it is reached.

https://hl7.org/fhir/R4/search.html#sort
"""

import random

import pytest

from fhir_server.search import query as ast
from fhir_server.search.query import Query, SortKey
from fhir_server.search.rows import (
    DateRow,
    IndexRows,
    NumberRow,
    PointRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)
from fhir_server.store.sqlite import query
from fhir_server.store.sqlite.query import sorted_page
from tests.fhir_server.store import reference_evaluator as reference
from tests.fhir_server.store.reference_evaluator import Key, Stored
from tests.fhir_server.store.sqlite.database import Database


def resources() -> list[Stored]:
    """Sixty with none, one or three values for each parameter, of few different values, so that many tie."""
    draw = random.Random(5)

    def some(low: int = 0, high: int = 5) -> list[int]:
        return [draw.randint(low, high) for _ in range(draw.choice([0, 1, 1, 3]))]

    found = []
    for n in range(60):
        rows = IndexRows(
            tokens=[TokenRow("token", "s" * draw.randint(0, 2), draw.choice("aAbB") + str(v)) for v in some()],
            strings=[StringRow("string", f"n{v}", f"N{draw.randint(0, 2)}") for v in some()],
            dates=[DateRow("date", v, v + draw.randint(1, 3)) for v in some()],
            numbers=[NumberRow("number", float(v), float(v + draw.randint(0, 1))) for v in some()],
            uris=[UriRow("uri", f"http://{v}") for v in some()],
            points=[PointRow("near", 50.0 + v, 5.0) for v in some()],
        )
        rows.quantities = [QuantityRow("quantity", float(v), float(v), "", "", "", v / 2, v / 2, "") for v in some()]
        rows.references = [ReferenceRow("reference", "T", str(v), "", "", "", "") for v in some()]
        rows.references += [ReferenceRow("reference", "", "", f"http://{v}", "", "", "") for v in some()]
        owners: tuple[str, ...] = ((), ("p",), ("p",), ("q",), ("p", "q"))[n % 5]
        found.append(Stored("TU"[n % 6 == 0], str(n), draw.randint(0, 9), owners, rows))
    return found


TABLE = {(r.type, r.id): r for r in resources()}
KINDS = ("string", "token", "date", "number", "quantity", "uri", "reference", "id", "updated", "near")
CRITERIA: dict[str, ast.Predicate] = {
    "all": ast.EVERYTHING,
    "of one patient": ast.OwnedBy(("p",)),
    "of two patients": ast.OwnedBy(("p", "q")),
    "some": ast.Number("number", ast.Compare.LE, 3.0, 3.0),
}


def key(kind: str, descending: bool) -> SortKey:
    return SortKey(kind, kind, descending, (50.2, 5.1) if kind == "near" else None)  # type: ignore[arg-type]


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_in_order_and_the_same_by_walking_and_by_sorting(
    kind: str, descending: bool, criterion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(TABLE.values())
    for keys in ((key(kind, descending),), (key(kind, descending), key("date", not descending))):
        asked = Query(("T",), CRITERIA[criterion], keys)
        orders: list[list[Key]] = []
        for walk in (False, True):
            monkeypatch.setattr(sorted_page, "walking_pays", lambda *_, walk=walk: walk)
            for count in (1, 7, 100):
                orders.append([])
                cursor = b""
                while True:
                    rids, cursor = query.page(database.connection, database.names, asked, count, cursor)
                    orders[-1] += [database.keys[rid] for rid in rids]
                    if not cursor or len(orders[-1]) > len(TABLE):
                        break
        assert sorted(orders[0]) == sorted(reference.matching(TABLE, asked))
        assert reference.in_order([reference.sort_values(TABLE[found], keys) for found in orders[0]], keys)
        for order in orders[1:]:
            assert order == orders[0]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", ["updated", "id", "date"])
def test_resources_of_several_types_are_sorted_together(kind: str, descending: bool) -> None:
    database = Database(TABLE.values())
    keys = (key(kind, descending),)
    asked = Query(("U", "T"), ast.EVERYTHING, keys)
    found: list[Key] = []
    cursor = b""
    while True:
        rids, cursor = query.page(database.connection, database.names, asked, 4, cursor)
        found += [database.keys[rid] for rid in rids]
        if not cursor:
            break
    assert sorted(found) == sorted(TABLE)
    assert reference.in_order([reference.sort_values(TABLE[one], keys) for one in found], keys)


def test_restrictions_to_patients_intersect() -> None:
    """Whatever the client asks and the gateway adds, both hold."""
    database = Database(TABLE.values())
    for patients, expected in ((("p", "q"), {"p"}), (("q",), set()), (("p",), {"p"})):
        asked = Query(("T",), ast.And((ast.OwnedBy(("p",)), ast.OwnedBy(patients))))
        rids, _ = query.page(database.connection, database.names, asked, 100, b"")
        assert {owner for rid in rids for owner in TABLE[database.keys[rid]].owners} == expected

"""Every leaf against every row that differs in a way it could see: as a start of its own, and as a filter.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, product

import pytest

from fhir_server.search import query as ast
from fhir_server.search.query import Compare, Predicate
from fhir_server.search.rows import (
    DateRow,
    IndexRows,
    NumberRow,
    OfTypeRow,
    PointRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TextRow,
    TokenRow,
    UriRow,
)
from fhir_server.store.sqlite import query
from fhir_server.store.sqlite.query import plan
from tests.fhir_server.store import reference_evaluator as reference
from tests.fhir_server.store.reference_evaluator import Stored
from tests.fhir_server.store.sqlite.database import Database
from tests.fhir_server.store.sqlite.strategies import CODES, HOUR, SYSTEMS, TEXTS, TIMES, URLS, WORDS

Infinity = float("inf")
NUMBERS = (-Infinity, -1.0, 0.0, 1.0, 1.5, 2.0, Infinity)
ASKED_TIMES = (-HOUR, 0, HOUR, 24 * HOUR, 26 * HOUR, 365 * 24 * HOUR)
RANGES = [
    (low, high) for low, high in combinations_with_replacement(NUMBERS, 2) if abs(low + high) != Infinity or low < high
]


def number_rows() -> Iterator[IndexRows]:
    for low, high in RANGES:
        yield IndexRows(numbers=[NumberRow("x", low, high)])


def date_rows() -> Iterator[IndexRows]:
    for low, high in combinations_with_replacement(TIMES, 2):
        yield IndexRows(dates=[DateRow("x", low, high if high > low else low + 1)])


def quantity_rows() -> Iterator[IndexRows]:
    units = [("u", "mg", "milligram", "g"), ("u", "g", "g", "g"), ("", "", "mg", ""), ("v", "mg", "", "mol")]
    for (low, high), (system, code, unit, canonical) in product(RANGES, units):
        row = QuantityRow("x", low, high, system, code, unit, low / 2, high / 2, canonical)
        yield IndexRows(quantities=[row])


def token_rows() -> Iterator[IndexRows]:
    for system, code in product(SYSTEMS, CODES):
        yield IndexRows(tokens=[TokenRow("x", system, code)])
    yield IndexRows(tokens=[TokenRow("x", system, "x") for system in SYSTEMS])
    yield IndexRows(tokens=[TokenRow("x", "http://a", code) for code in ("x", "X")])


def string_rows() -> Iterator[IndexRows]:
    for normal, exact in product(WORDS, WORDS):
        yield IndexRows(strings=[StringRow("x", normal, exact)])
    yield IndexRows(strings=[StringRow("x", normal, normal) for normal in WORDS])


def reference_rows() -> Iterator[IndexRows]:
    for type, id, version in product(("Patient", "Group"), ("1", "2"), ("", "7")):
        yield IndexRows(references=[ReferenceRow("x", type, id, "", version, "", "")])
    for url, version in product(("http://a", "http://b"), ("", "7")):
        yield IndexRows(references=[ReferenceRow("x", "", "", url, version, "", "")])
    for system, value in product(("", "http://a", "http://b"), ("1", "2")):
        yield IndexRows(references=[ReferenceRow("x", "", "", "", "", system, value)])
    yield IndexRows(
        references=[ReferenceRow("x", "Patient", "1", "", version, "http://a", "1") for version in ("", "7")]
    )


POINTS = [
    (lat, lon) for lat in (-90.0, -45.0, 0.0, 50.9, 89.9, 90.0) for lon in (-180.0, -179.9, 0.0, 5.9, 179.9, 180.0)
]
ROWS = {
    "number": list(number_rows()),
    "date": list(date_rows()),
    "quantity": list(quantity_rows()),
    "token": list(token_rows()),
    "text": [IndexRows(texts=[TextRow("x", text)]) for text in TEXTS],
    "of-type": [IndexRows(of_types=[OfTypeRow("x", *parts)]) for parts in product(("s", "t"), CODES, ("v", "w"))],
    "string": list(string_rows()),
    "uri": [IndexRows(uris=[UriRow("x", url)]) for url in URLS],
    "reference": list(reference_rows()),
    "near": [IndexRows(points=[PointRow("x", *point)]) for point in POINTS],
}
TRIPLES = ("", "http://a", None)
LEAVES: dict[str, Sequence[Predicate]] = {
    "number": [
        ast.Number("x", compare, *pair) for compare in Compare for pair in RANGES if Infinity not in map(abs, pair)
    ],
    "date": [
        ast.Date("x", compare, low, high)
        for compare in Compare
        for low, high in combinations_with_replacement(ASKED_TIMES, 2)
        if low < high
    ],
    "quantity": [
        ast.Quantity("x", compare, low, high, system, code, canonical)
        for compare in Compare
        for low, high in ((0.0, 0.0), (0.0, 1.0), (1.0, 2.0), (1.0, 1.0), (0.5, 0.5), (0.5, 0.75))
        for system, code, canonical in (
            (None, None, False),
            ("u", "mg", False),
            ("", "mg", False),
            (None, "mg", False),
            ("u", None, False),
            ("u", "g", True),
        )
    ],
    "token": [
        *(
            ast.Token("x", system, code, folded)
            for system in (*SYSTEMS, None)
            for code in CODES
            for folded in (True, False)
        ),
        *(ast.Token("x", system, None) for system in (*SYSTEMS, None)),
        *(ast.TokenIn("x", pair) for pair in product(product(("http://a", None), CODES), repeat=2)),
    ],
    "text": [ast.TokenText("x", value) for value in (*TEXTS, "ja", "va", "van j", "n")],
    "of-type": [ast.OfType("x", *parts) for parts in product(("s", "t"), CODES, ("v", "w"))],
    "string": [ast.String("x", mode, word) for mode in ("starts", "contains", "exact") for word in WORDS],
    "uri": [ast.Uri("x", mode, url) for mode in ("exact", "below", "above") for url in (*URLS, "http://a/b/c/d")],
    "reference": [
        *(
            ast.Reference("x", type, id, version=version)
            for type, id, version in product(("Patient", "Group", None), ("1", "2", "3"), ("", "7", None))
        ),
        *(
            ast.Reference("x", url=url, version=version)
            for url in ("http://a", "http://c")
            for version in ("", "7", None)
        ),
        *(ast.Reference("x", identifier=(system, value)) for system in TRIPLES for value in ("1", "3")),
    ],
    "near": [ast.Near("x", *point, km) for point in POINTS for km in (1.0, 30.0, 12_000.0)],
}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("start", [True, False])
def test_every_leaf_finds_what_the_reference_finds(kind: str, start: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`start`: the leaf's own index is where the search begins; otherwise it filters a walk of all resources."""
    if start:
        monkeypatch.setattr(plan.Planner, "population", lambda self: 10**6)
    else:
        monkeypatch.setattr(plan.Planner, "_contenders", lambda self: [])
    table = {
        ("T", str(n)): Stored("T", str(n), n, ((), ("p",), ("q",), ("p", "q"))[n % 4], rows)
        for n, rows in enumerate(ROWS[kind])
    }
    database = Database(table.values())
    scopes = (ast.EVERYTHING, ast.OwnedBy(("p",)), ast.Or((ast.OwnedBy(("p", "q")), ast.Unowned())))
    for leaf in LEAVES[kind]:
        expected = {key for key, r in table.items() if reference.holds(leaf, r, table)}
        for scope in scopes:
            asked = ast.Query(("T",), ast.And((leaf, scope)))
            rids, _ = query.page(database.connection, database.names, asked, 1_000, b"")
            found = [database.keys[rid] for rid in rids]
            assert len(found) == len(set(found)), asked
            assert set(found) == {key for key in expected if reference.holds(scope, table[key], table)}, asked
            assert query.total(database.connection, database.names, asked) == len(found), asked


@pytest.mark.parametrize("referrer", [(), ("p",), ("q",), ("p", "q"), ("z",)])
@pytest.mark.parametrize("referred", [(), ("p",), ("q",), ("p", "q"), ("a",)])
def test_references_between_resources_of_any_owners_are_found(
    referrer: tuple[str, ...], referred: tuple[str, ...]
) -> None:
    """What is sought among an owner's resources first is not missed among those of others."""
    names = IndexRows(strings=[StringRow("name", "jan", "Jan")])
    rows = IndexRows(
        tokens=[TokenRow("code", "s", "c")], references=[ReferenceRow("subject", "P", "1", "", "", "", "")]
    )
    table = {
        (r.type, r.id): r
        for r in (
            Stored("P", "0", 0, ("p",), names),
            Stored("P", "1", 0, referred, names),
            Stored("O", "0", 0, ("q",), IndexRows(tokens=[TokenRow("code", "s", "c")])),
            Stored("O", "1", 0, referrer, rows),
            Stored("O", "2", 0, (), rows),
            Stored("O", "3", 0, ("p",), rows),
            Stored("O", "4", 0, ("z",), IndexRows(references=rows.references)),
        )
    }
    for kept in ({"1"}, {"2"}, {"3"}, {"4"}, {"0", "1", "2"}, {"1", "3", "4"}, {"0", "1", "2", "3", "4"}):
        present = {key: r for key, r in table.items() if r.type == "P" or r.id in kept}
        database = Database(present.values())
        code = ast.Token("code", "s", "c")
        for asked in (
            ast.Query(("P",), ast.Has("O", "subject", code)),
            ast.Query(("P",), ast.Not(ast.Has("O", "subject", code))),
            ast.Query(("P",), ast.And((ast.Has("O", "subject", code), ast.Ids(("1",))))),
            ast.Query(("O",), ast.Reference("subject", "P", "1")),
            ast.Query(("O",), ast.And((ast.Reference("subject", "P", "1"), code))),
            ast.Query(("O",), ast.Chain("subject", "P", ast.String("name", "starts", "ja"))),
            ast.Query(("O",), ast.And((ast.Chain("subject", "P", ast.String("name", "starts", "ja")), code))),
        ):
            rids, _ = query.page(database.connection, database.names, asked, 100, b"")
            assert sorted(database.keys[rid] for rid in rids) == sorted(reference.matching(present, asked)), asked

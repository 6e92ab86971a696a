"""A store's answers by the slowest, plainest means: every criterion of the query AST over every row, in Python.

Nothing here is shared with a backend, so that a backend can be held to it.
https://hl7.org/fhir/R4/search.html
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fhir_server.search import query as ast
from fhir_server.search.query import Compare, Predicate, Query, SortKey
from fhir_server.search.rows import IndexRows


@dataclass(frozen=True)
class Stored:
    """A current resource as a search sees it."""

    type: str
    id: str
    updated: int
    owners: tuple[str, ...]
    rows: IndexRows = field(default_factory=IndexRows, hash=False, compare=False)


Key = tuple[str, str]
Table = Mapping[Key, Stored]


def matching(table: Table, query: Query) -> set[Key]:
    return {key for key, r in table.items() if r.type in query.types and holds(query.where, r, table)}


def holds(predicate: Predicate, r: Stored, table: Table) -> bool:
    """Does the criterion hold of the resource?"""
    match predicate:
        case ast.And(children):
            return all(holds(child, r, table) for child in children)
        case ast.Or(children):
            return any(holds(child, r, table) for child in children)
        case ast.Not(child):
            return not holds(child, r, table)
        case ast.Missing(param, missing):
            return missing != any(p == param or p.startswith(param + "$") for p in _params(r.rows))
        case ast.TypeIn(types):
            return r.type in types
        case ast.OwnedBy(patients):
            return len(set(r.owners)) == 1 and r.owners[0] in patients
        case ast.Unowned():
            return not r.owners
        case ast.ByOwner():
            return bool(r.owners) and all(holds(of_patient(predicate, owner), r, table) for owner in r.owners)
        case ast.Filed(kind, values):
            return any(row.kind == kind and row.value in values for row in r.rows.filed)
        case ast.FiledSpan(low, high, partly):
            if r.rows.span is None:
                return False
            begin, end = r.rows.span
            return begin < high and end > low if partly else begin >= low and end <= high
        case ast.Ids(ids):
            return r.id in ids
        case ast.LastUpdated(compare, low, high):
            return _compare_span(compare, (r.updated, r.updated + 1), (low, high))
        case ast.FullText(param, words):
            asked = _words(" ".join(words))
            text = _words(r.rows.narrative if param == "_text" else r.rows.content)
            return bool(asked) and set(asked) <= set(text)
        case ast.Near(param, latitude, longitude, km):
            return any(
                kilometres((latitude, longitude), (p.latitude, p.longitude)) <= km
                for p in r.rows.points
                if p.param == param
            )
        case ast.Chain(param, target, child):
            targets = [table.get((target, x.id)) for x in r.rows.references if x.param == param and x.type == target]
            return any(t is not None and holds(child, t, table) for t in targets)
        case ast.Has(source, param, child):
            return any(
                s.type == source
                and any(x.param == param and (x.type, x.id) == (r.type, r.id) for x in s.rows.references)
                and holds(child, s, table)
                for s in table.values()
            )
        case ast.Composite(_, components):
            groups = [_groups(component, r) for component in components]
            return bool(set.intersection(*groups))
    return bool(_groups(predicate, r))


def of_patient(by_owner: ast.ByOwner, patient: str) -> Predicate:
    for patients, predicate in by_owner.groups:
        if patient in patients:
            return predicate
    return by_owner.otherwise


def _groups(predicate: Predicate, r: Stored) -> set[int]:
    """The groups of the rows of which a leaf holds (0 outside of composites)."""
    match predicate:
        case ast.Or(children):
            return set().union(*(_groups(child, r) for child in children))
        case ast.And(children):
            return set.intersection(*(_groups(child, r) for child in children))
    return {getattr(row, "group", 0) for row in _candidates(predicate, r.rows) if row_holds(predicate, row)}


def _candidates(leaf: Any, rows: IndexRows) -> list[Any]:
    kind = {
        ast.Token: rows.tokens,
        ast.TokenIn: rows.tokens,
        ast.TokenText: rows.texts,
        ast.OfType: rows.of_types,
        ast.String: rows.strings,
        ast.Number: rows.numbers,
        ast.Date: rows.dates,
        ast.Quantity: rows.quantities,
        ast.Uri: rows.uris,
        ast.Reference: rows.references,
    }[type(leaf)]
    return [row for row in kind if row.param == leaf.param]  # type: ignore[attr-defined]


def row_holds(leaf: Predicate, row: Any) -> bool:
    match leaf:
        case ast.Token(_, system, code, folded):
            if system is not None and row.system != system:
                return False
            if code is None:
                return True
            return row.code.casefold() == code.casefold() if folded else row.code == code
        case ast.TokenIn(_, codings):
            return any(row.code == code and system in (None, row.system) for system, code in codings)
        case ast.TokenText(_, value):
            return (" " + value) in (" " + row.value)
        case ast.OfType(_, system, code, value):
            return (row.system, row.code, row.value) == (system, code, value)
        case ast.String(_, "exact", value):
            return row.exact == value
        case ast.String(_, "contains", value):
            return value in row.normal
        case ast.String(_, "equals", value):
            return row.normal == value
        case ast.String(_, "ends", value):
            return row.normal.endswith(value)
        case ast.String(_, _, value):
            return row.normal.startswith(value)
        case ast.Number(_, compare, low, high):
            return _compare_measure(compare, (row.low, row.high), (low, high))
        case ast.Date(_, compare, low, high):
            return _compare_span(compare, (row.low, row.high), (low, high))
        case ast.Quantity():
            return _quantity_holds(leaf, row)
        case ast.Uri(_, "exact", value):
            return row.value == value
        case ast.Uri(_, "below", value):
            return row.value == value or row.value.startswith(value.rstrip("/") + "/")
        case ast.Uri(_, _, value):
            return row.value == value or (bool(row.value) and value.startswith(row.value.rstrip("/") + "/"))
        case ast.Reference():
            return _reference_holds(leaf, row)
    raise AssertionError(leaf)


def _quantity_holds(leaf: ast.Quantity, row: Any) -> bool:
    if leaf.canonical:
        if leaf.code is not None and row.canonical_code != leaf.code:
            return False
        return _compare_measure(leaf.compare, (row.canonical_low, row.canonical_high), (leaf.low, leaf.high))
    if leaf.system:
        if row.system != leaf.system or leaf.code not in (None, row.code):
            return False
    elif leaf.code is not None and leaf.code not in (row.code, row.unit):
        return False
    return _compare_measure(leaf.compare, (row.low, row.high), (leaf.low, leaf.high))


def _reference_holds(leaf: ast.Reference, row: Any) -> bool:
    if leaf.identifier is not None:
        system, value = leaf.identifier
        named = bool(row.identifier_system or row.identifier_value)
        return named and row.identifier_value == value and system in (None, row.identifier_system)
    if leaf.version is not None and row.version != leaf.version:
        return False
    if leaf.url is not None:
        return bool(row.url) and row.url == leaf.url
    return bool(row.id) and leaf.id in (None, row.id) and leaf.type in (None, row.type)


def _compare_span(compare: Compare, row: tuple[int, int], asked: tuple[int, int]) -> bool:
    """[low, high) against [low, high), in the words of https://hl7.org/fhir/R4/search.html#prefix"""
    contained = asked[0] <= row[0] and row[1] <= asked[1]
    reaches_above = row[1] > asked[1]  # the range above the search value intersects the range of the target value
    reaches_below = row[0] < asked[0]
    return {
        Compare.EQ: contained,
        Compare.NE: not contained,
        Compare.GT: reaches_above,
        Compare.LT: reaches_below,
        Compare.GE: reaches_above or contained,
        Compare.LE: reaches_below or contained,
        Compare.SA: row[0] >= asked[1],
        Compare.EB: row[1] <= asked[0],
        Compare.AP: row[0] < asked[1] and asked[0] < row[1],
    }[compare]


def _compare_measure(compare: Compare, row: tuple[float, float], asked: tuple[float, float]) -> bool:
    """[low, high] with both ends against [low, high), or against the one value that both ends are."""
    point = asked[0] == asked[1]

    def beyond(value: float) -> bool:
        return value > asked[1] if point else value >= asked[1]

    contained = asked[0] <= row[0] and not beyond(row[1])
    return {
        Compare.EQ: contained,
        Compare.NE: not contained,
        Compare.GT: beyond(row[1]),
        Compare.LT: row[0] < asked[0],
        Compare.GE: beyond(row[1]) or contained,
        Compare.LE: row[0] < asked[0] or contained,
        Compare.SA: beyond(row[0]),
        Compare.EB: row[1] < asked[0],
        Compare.AP: not beyond(row[0]) and row[1] >= asked[0],
    }[compare]


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance by the angle between the two directions from the centre of the earth."""

    def direction(point: tuple[float, float]) -> tuple[float, float, float]:
        latitude, longitude = map(math.radians, point)
        return (
            math.cos(latitude) * math.cos(longitude),
            math.cos(latitude) * math.sin(longitude),
            math.sin(latitude),
        )

    a, b = direction(one), direction(other)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return 6371.0088 * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b)))


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain.casefold())


def _params(rows: IndexRows) -> Iterable[str]:
    for kind in (
        rows.tokens,
        rows.texts,
        rows.of_types,
        rows.strings,
        rows.numbers,
        rows.dates,
        rows.quantities,
        rows.uris,
        rows.references,
        rows.points,
    ):
        for row in kind:
            yield row.param  # type: ignore[attr-defined]


def sort_values(r: Stored, keys: Sequence[SortKey]) -> tuple[Any, ...]:
    """What the resource is sorted by, None where it has no value."""
    return tuple(_sort_value(r, key) for key in keys)


def _sort_value(r: Stored, key: SortKey) -> Any:
    if key.kind == "id":
        return r.id
    if key.kind == "updated":
        return r.updated
    rows = r.rows
    values: list[Any]
    match key.kind:
        case "near":
            assert key.origin is not None
            values = [kilometres(key.origin, (p.latitude, p.longitude)) for p in rows.points if p.param == key.param]
        case "reference":
            mine = [x for x in rows.references if x.param == key.param]
            values = [f"{x.type}/{x.id}" for x in mine if x.id] + [x.url for x in mine if x.url]
        case _:
            kinds: Mapping[str, tuple[list[Any], Callable[[Any], Any]]] = {
                "string": (rows.strings, lambda row: row.normal),
                "token": (rows.tokens, lambda row: row.code.casefold()),
                "date": (rows.dates, lambda row: row.low),
                "number": (rows.numbers, lambda row: row.low),
                "quantity": (rows.quantities, lambda row: row.canonical_low),
                "uri": (rows.uris, lambda row: row.value),
            }
            listed, value = kinds[key.kind]
            values = [value(row) for row in listed if row.param == key.param and not row.group]
    if not values:
        return None
    return max(values) if key.descending else min(values)


def in_order(values: Sequence[tuple[Any, ...]], keys: Sequence[SortKey]) -> bool:
    """Are these sort values in the order of the keys, nulls last? Distances may differ by a rounding."""
    return all(_not_after(a, b, keys) for a, b in pairwise(values))


def _not_after(a: tuple[Any, ...], b: tuple[Any, ...], keys: Sequence[SortKey]) -> bool:
    for x, y, key in zip(a, b, keys):
        if x is None or y is None:
            if x is not y:
                return y is None
            continue
        if key.kind == "near" and abs(x - y) < 1e-6:
            continue
        if x != y:
            return bool(x > y) if key.descending else bool(x < y)
    return True

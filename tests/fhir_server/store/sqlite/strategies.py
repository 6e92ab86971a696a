"""Random resources and random queries over few words, so that they meet often."""

from typing import Any

from hypothesis import strategies as st

from fhir_server.search import query as ast
from fhir_server.search.rows import (
    MAX_TIME,
    MIN_TIME,
    DateRow,
    FiledRow,
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
from tests.fhir_server.store.reference_evaluator import Stored

HOUR = 3_600_000_000
TYPES = ("Patient", "Observation", "Location")
IDS = ("1", "2", "3", "A", "a")
SYSTEMS = ("", "http://a", "urn:b")
CODES = ("", "x", "X", "y", "straße", "STRASSE", "é")
WORDS = ("", "jan", "jansen", "Jan", "van jan", "j\ud7ff", "z\U0010ffff", "ja")
TEXTS = ("jan", "van jan", "jansen van jan", "anjan")
URLS = ("http://a", "http://a/", "http://a/b", "http://a/b/c", "http://ab", "urn:oid:1.2")
NUMBERS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 100.0)
TIMES = (MIN_TIME, -HOUR, 0, HOUR, 24 * HOUR, 25 * HOUR, 26 * HOUR, 30 * 24 * HOUR, 365 * 24 * HOUR, MAX_TIME)
TEXT = ("", "hart en vaten", "Hart", "vaatziekte: hártfalen", "en_en")

types, ids, systems, codes = map(st.sampled_from, (TYPES, IDS, SYSTEMS, CODES))
words, texts, urls = map(st.sampled_from, (WORDS, TEXTS, URLS))
groups = st.integers(1, 2)
versions = st.sampled_from(("", "1"))
kinds, values = st.sampled_from(("code", "label")), st.sampled_from(("a", "b", "c", "d"))
points = st.tuples(st.sampled_from((-90.0, 0.0, 50.9, 51.0)), st.sampled_from((-180.0, 0.0, 5.9, 6.0, 179.9)))


def _ranges(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(st.sampled_from(values), st.sampled_from(values)).map(lambda pair: (min(pair), max(pair)))


numbers = _ranges((*NUMBERS, float("-inf"), float("inf"))) | st.sampled_from(NUMBERS).map(lambda n: (n, n))
times = _ranges(TIMES).filter(lambda pair: pair[0] < pair[1]) | st.sampled_from(TIMES[1:-1]).map(lambda t: (t, t + 1))


@st.composite
def quantity_rows(draw: st.DrawFn, param: str, group: int = 0) -> QuantityRow:
    low, high = draw(numbers)
    factor = draw(st.sampled_from((1.0, 1.0, 0.5)))
    system, code, unit, canonical = draw(st.tuples(systems, codes, codes, codes))
    return QuantityRow(param, low, high, system, code, unit, low * factor, high * factor, canonical, group)


@st.composite
def reference_rows(draw: st.DrawFn, param: str, group: int = 0) -> ReferenceRow:
    type, id, url, version, system, value = "", "", "", "", "", ""
    kind = draw(st.sampled_from(("local", "local", "local", "url", "identifier", "both")))
    if kind in ("local", "both"):
        type, id, version = draw(st.tuples(types, ids, versions))
    if kind == "url":
        url, version = draw(st.tuples(urls, versions))
    if kind in ("identifier", "both"):
        system, value = draw(st.tuples(systems, codes.filter(bool)))
    return ReferenceRow(param, type, id, url, version, system, value, group)


def few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=2)


@st.composite
def index_rows(draw: st.DrawFn) -> IndexRows:
    rows = IndexRows()
    rows.tokens = draw(few(st.builds(TokenRow, st.just("code"), systems, codes, st.just(0))))
    rows.strings = draw(few(st.builds(StringRow, st.just("name"), words, words, st.just(0))))
    rows.references = draw(few(reference_rows("subject")))
    rows.dates = [DateRow("date", *pair) for pair in draw(few(times))]
    if draw(st.booleans()):
        rows.texts = draw(few(st.builds(TextRow, st.just("code"), texts)))
        rows.of_types = draw(few(st.builds(OfTypeRow, st.just("code"), systems.filter(bool), codes, codes)))
        rows.numbers = [NumberRow("factor", *pair) for pair in draw(few(numbers))]
        rows.quantities = draw(few(quantity_rows("value")))
        rows.uris = draw(few(st.builds(UriRow, st.just("url"), urls, st.just(0))))
        rows.points = [PointRow("near", *point) for point in draw(few(points))]
        rows.narrative, rows.content = draw(st.tuples(st.sampled_from(TEXT), st.sampled_from(TEXT)))
    if draw(st.booleans()):
        rows.tokens += draw(few(st.builds(TokenRow, st.just("pair$0"), systems, codes, groups)))
        rows.quantities += draw(few(groups.flatmap(lambda group: quantity_rows("pair$1", group))))
        rows.references += draw(few(groups.flatmap(lambda group: reference_rows("pair$2", group))))
        rows.dates += [DateRow("pair$3", *pair, group) for pair, group in draw(few(st.tuples(times, groups)))]
        rows.strings += draw(few(st.builds(StringRow, st.just("pair$4"), words, words, groups)))
    rows.filed = draw(st.lists(st.builds(FiledRow, kinds, values), max_size=3))
    rows.span = draw(st.none() | times)
    return rows


patients = st.sampled_from(("1", "2", "3", "9"))
owners = st.sampled_from(((), ("1",), ("1",), ("2",), ("2", "2"), ("1", "2"), ("3",), ("3", "2", "1")))
resources = st.builds(Stored, types, ids, st.integers(0, 5), owners, index_rows())
tables = st.lists(resources, max_size=6).map(lambda listed: {(r.type, r.id): r for r in listed})

compares = st.sampled_from(list(ast.Compare))


def _of(kind: type, param: str, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, st.just(param), *parts)


def token_leaves(param: str) -> st.SearchStrategy[Any]:
    return st.builds(ast.Token, st.just(param), st.none() | systems, st.none() | codes, st.booleans())


@st.composite
def quantity_leaves(draw: st.DrawFn, param: str) -> ast.Quantity:
    low, high = draw(numbers)
    system, code = draw(st.tuples(st.none() | systems, st.none() | codes))
    return ast.Quantity(param, draw(compares), low, high, system, code, draw(st.booleans()))


def reference_leaves(param: str) -> st.SearchStrategy[ast.Reference]:
    return (
        st.builds(ast.Reference, st.just(param), type=st.none() | types, id=ids, version=st.none() | versions)
        | st.builds(ast.Reference, st.just(param), url=urls, version=st.none() | versions)
        | st.builds(ast.Reference, st.just(param), identifier=st.tuples(st.none() | systems, codes))
    )


@st.composite
def range_leaves(draw: st.DrawFn, kind: Any, param: str, pairs: st.SearchStrategy[Any]) -> Any:
    low, high = draw(pairs)
    return kind(param, draw(compares), low, high)


@st.composite
def composites(draw: st.DrawFn) -> ast.Composite:
    pool = (
        token_leaves("pair$0"),
        quantity_leaves("pair$1"),
        reference_leaves("pair$2"),
        range_leaves(ast.Date, "pair$3", times),
        _of(ast.String, "pair$4", st.sampled_from(("starts", "exact")), words),
    )
    chosen = draw(st.lists(st.sampled_from(range(5)), min_size=2, max_size=3, unique=True))
    components = [draw(pool[n]) for n in chosen]
    if draw(st.booleans()):
        components[0] = ast.Or((components[0], draw(pool[chosen[0]])))
    return ast.Composite("pair", tuple(components))


filed_leaves: st.SearchStrategy[Any] = st.builds(
    ast.Filed, kinds, st.lists(values, max_size=3).map(tuple)
) | times.flatmap(lambda pair: st.builds(ast.FiledSpan, st.just(pair[0]), st.just(pair[1]), st.booleans()))

missing_params = ("code", "name", "subject", "date", "value", "url", "near", "pair", "never", "factor")
leaves: st.SearchStrategy[Any] = st.one_of(
    token_leaves("code"),
    _of(ast.TokenIn, "code", st.lists(st.tuples(st.none() | systems, codes), max_size=3).map(tuple)),
    _of(ast.TokenText, "code", texts | st.sampled_from(("ja", "van"))),
    _of(ast.OfType, "code", systems.filter(bool), codes, codes),
    _of(ast.String, "name", st.sampled_from(("starts", "contains", "exact", "equals", "ends")), words),
    range_leaves(ast.Number, "factor", numbers),
    range_leaves(ast.Date, "date", times),
    quantity_leaves("value"),
    _of(ast.Uri, "url", st.sampled_from(("exact", "below", "above")), urls),
    reference_leaves("subject"),
    composites(),
    st.builds(ast.Missing, st.sampled_from(missing_params), st.booleans()),
    points.flatmap(lambda p: st.builds(ast.Near, st.just("near"), st.just(p[0]), st.just(p[1]), st.just(50.0))),
    st.builds(
        ast.FullText,
        st.sampled_from(("_text", "_content")),
        st.sampled_from((("hart",), ("en", "hart"), ("hart*",), ())),
    ),
    st.builds(ast.Ids, st.lists(ids, max_size=3).map(tuple)),
    st.tuples(st.integers(0, 5), st.integers(1, 3), compares).map(lambda t: ast.LastUpdated(t[2], t[0], t[0] + t[1])),
    st.builds(ast.OwnedBy, st.lists(st.sampled_from(("1", "2", "9")), max_size=2).map(tuple)),
    st.just(ast.Unowned()),
    st.builds(ast.TypeIn, st.lists(types, max_size=2).map(tuple)),
    filed_leaves,
    st.deferred(lambda: by_owners),
    st.deferred(lambda: by_owners),
)

# What the gateway asks of each patient's resources: trees of what it filed, of types and of ids.
of_a_patient: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        filed_leaves,
        filed_leaves,
        st.builds(ast.TypeIn, st.lists(types, max_size=2).map(tuple)),
        st.builds(ast.Ids, st.lists(ids, max_size=2).map(tuple)),
        st.sampled_from((ast.EVERYTHING, ast.NOTHING)),
    ),
    lambda child: st.one_of(
        st.builds(ast.And, st.lists(child, max_size=4).map(tuple)),
        st.builds(ast.Or, st.lists(child, max_size=4).map(tuple)),
        st.builds(ast.Not, child),
    ),
    max_leaves=8,
)


@st.composite
def _by_owner(draw: st.DrawFn) -> ast.ByOwner:
    groups: list[tuple[tuple[str, ...], ast.Predicate]] = []
    left = draw(st.lists(patients, unique=True))
    while left:
        size = draw(st.integers(1, len(left)))
        groups.append((tuple(left[:size]), draw(of_a_patient)))
        left = left[size:]
    return ast.ByOwner(tuple(groups), draw(st.just(ast.NOTHING) | of_a_patient))


by_owners = _by_owner()


def _larger(child: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(child, max_size=3).map(tuple)
    return st.one_of(
        st.builds(ast.And, several),
        st.builds(ast.And, several),
        st.builds(ast.Or, several),
        st.builds(ast.Not, child),
        st.builds(ast.Chain, st.just("subject"), types, child),
        st.builds(ast.Has, types, st.just("subject"), child),
    )


predicates: st.SearchStrategy[Any] = st.recursive(leaves, _larger, max_leaves=6)

_sort_params = {
    "string": "name",
    "token": "code",
    "date": "date",
    "number": "factor",
    "quantity": "value",
    "uri": "url",
    "reference": "subject",
    "id": "_id",
    "updated": "_lastUpdated",
    "near": "near",
}
sort_keys = st.sampled_from(sorted(_sort_params)).flatmap(
    lambda kind: st.builds(
        ast.SortKey,
        st.just(_sort_params[kind]),
        st.just(kind),
        st.booleans(),
        st.just((50.95, 5.95) if kind == "near" else None),
    )
)
queries = st.builds(
    ast.Query,
    st.lists(types, min_size=1, max_size=3, unique=True).map(tuple),
    predicates,
    st.lists(sort_keys, max_size=2).map(tuple),
)

"""A residual predicate of the consent engine as part of a query: the same question, asked of what `filing` filed.

INVARIANT: for every resource the query holds exactly when `consent.predicate.evaluate` does; a test compares the two.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from consent.predicate import All, Certainly, Not, Possibly, for_type
from consent.predicate import Any as AnyOf
from consent.predicate import Predicate as Residual
from consent.resource_tests import (
    AnyTest,
    AuthoredBy,
    Classed,
    Coded,
    KeptBy,
    Labelled,
    OfType,
    OneOf,
    Personal,
    RefersTo,
    ResourceTest,
    Timed,
    Unclear,
)
from consent.vocabulary import LEVELS, NORMAL
from fhir_server.gateway import filing
from fhir_server.gateway.narrow import conjunction, disjunction, negation
from fhir_server.search.query import EVERYTHING, NOTHING, Filed, FiledSpan, Ids, Predicate
from fhir_server.search.rows import MAX_TIME, MIN_TIME

_SOME_TIME: Final = FiledSpan(MIN_TIME, MAX_TIME, partly=True)
_KEPT_MAX: Final = 10_000
_LEVEL_MAX: Final = max(LEVELS.values())


@lru_cache(maxsize=_KEPT_MAX)
def as_query(residual: Residual, type: str) -> Predicate:
    """The residual predicate for resources of one type. Many patients share one, and few of them change at a time."""
    return _of(for_type(residual, type), type)


def _of(residual: Residual, type: str) -> Predicate:
    match residual:
        case Certainly(test):
            return _yes(test, type)
        case Possibly(test):
            return disjunction(_yes(test, type), _unknown(test, type))
        case All(children):
            return conjunction(*(_of(child, type) for child in children))
        case AnyOf(children):
            return disjunction(*(_of(child, type) for child in children))
        case Not(child):
            return negation(_of(child, type))


def _yes(test: ResourceTest, type: str) -> Predicate:
    """Where the test answers YES."""
    match test:
        case Labelled(at_most, at_least, labels):
            return disjunction(
                _levels(at_least, _LEVEL_MAX) if at_least is not None else NOTHING,
                conjunction(_levels(0, at_most), negation(_unclear(filing.LABEL))) if at_most is not None else NOTHING,
                _filed(filing.LABEL, map(filing.coded, labels)),
            )
        case Classed(types, documents, within):
            if type in types:
                return EVERYTHING
            return disjunction(
                _filed(filing.DOCUMENT, map(filing.coded, documents)),
                _filed(filing.TYPE_WITHIN, types) if within else NOTHING,
            )
        case Coded(codes, contained):
            values = [filing.coded(code) for code in codes]
            return disjunction(_filed(filing.CODE, values), _filed(filing.INNER_CODE, values) if contained else NOTHING)
        case Timed(low, high, partly):
            return FiledSpan(max(low, MIN_TIME), min(high, MAX_TIME), partly)
        case AuthoredBy(authors):
            return _filed(filing.AUTHOR, authors)
        case KeptBy(custodians):
            return _filed(filing.CUSTODIAN, custodians)
        case OneOf(references):
            start = f"{type}/"
            ids = sorted(one.removeprefix(start) for one in references if one.startswith(start))
            return Ids(tuple(ids)) if ids else NOTHING
        case RefersTo(references, never):
            return NOTHING if type in never else _filed(filing.REFERENCE, references)
        case OfType(types):
            return EVERYTHING if type in types else NOTHING
        case Personal():
            return Filed(filing.PERSONAL, ("",))
        case Unclear():
            return NOTHING
        case AnyTest(tests):
            return disjunction(*(_yes(one, type) for one in tests))


def _unknown(test: ResourceTest, type: str) -> Predicate:
    """Where the test answers UNKNOWN, unless it answers YES there."""
    match test:
        case Labelled():
            return _unclear(filing.LABEL)
        case Classed(_, documents, _):
            return _unclear(filing.DOCUMENT) if documents else NOTHING
        case Coded(_, contained):
            return disjunction(_unclear(filing.CODE), _unclear(filing.INNER_CODE) if contained else NOTHING)
        case Timed():
            return negation(_SOME_TIME)
        case AuthoredBy():
            return negation(Filed(filing.CLEAR, (filing.AUTHOR,)))
        case KeptBy():
            return negation(Filed(filing.CLEAR, (filing.CUSTODIAN,)))
        case Unclear():
            return EVERYTHING
        case AnyTest(tests):
            return disjunction(*(_unknown(one, type) for one in tests))
        case _:
            return NOTHING


def _levels(low: int, high: int) -> Predicate:
    """Confidentiality from `low` to `high`; the normal level is the one that is not filed."""
    asked = range(low, high + 1)
    if NORMAL in asked:
        return negation(_filed(filing.LEVEL, (str(level) for level in LEVELS.values() if level not in asked)))
    return _filed(filing.LEVEL, map(str, asked))


def _unclear(kind: str) -> Predicate:
    return Filed(filing.UNCLEAR, (kind,))


def _filed(kind: str, values: Iterable[str]) -> Predicate:
    found = tuple(sorted(values))
    return Filed(kind, found) if found else NOTHING

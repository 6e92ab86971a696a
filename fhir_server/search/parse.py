"""A search as it is asked in a URL or form → what is to be found, and how it is to be shown.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_server.search.context import PARAMETERS_MAX, Context
from fhir_server.search.criteria import SYSTEM_LEVEL, Reader
from fhir_server.search.filter import read_filter
from fhir_server.search.query import EVERYTHING, And, Predicate, Query, SortKey
from fhir_server.search.results import (
    Include,
    Summary,
    Total,
    read_count,
    read_elements,
    read_include,
    read_sort,
    read_summary,
    read_total,
    read_types,
)
from fhir_server.search.values import UnknownParameterError, refused, unsupported

CURSOR = "_cursor"  # opaque, of this server's own making: where a page begins
_PASSED_ON = frozenset(("_format", "_pretty"))  # about the representation: read elsewhere, kept in page links
_ONCE = frozenset(
    ("_sort", "_count", "_summary", "_elements", "_total", "_contained", "_containedType", "_type", CURSOR)
)


@dataclass(frozen=True, slots=True)
class ParsedSearch:
    """A search that can be done. `pairs` are the parameters as used, for the self link; `ignored` what was passed over.

    `query.types` are the types searched. `summary` None: not asked. `cursor` '': the first page.
    """

    query: Query
    count: int
    total: Total
    summary: Summary | None
    elements: tuple[str, ...]
    includes: tuple[Include, ...]
    revincludes: tuple[Include, ...]
    cursor: str
    pairs: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]


def parse(types: Sequence[str], pairs: Sequence[tuple[str, str]], context: Context) -> ParsedSearch:
    """Return the search that `pairs` ask of `types`: one type, or several for a search at system level.

    Raises FhirError that names the parameter; with `context.lenient` unknown parameters and ones without a value are
    passed over.
    """
    if len(pairs) > PARAMETERS_MAX:
        raise refused(pairs[0][0], f"is one of more than {PARAMETERS_MAX} parameters")
    ignored: list[str] = []
    given = _given(pairs, context, ignored)
    once = {key: text for key, text in given if key in _ONCE}
    searched = read_types(once["_type"], types) if "_type" in once and len(types) > 1 else tuple(types)
    reader = Reader(context)
    type_name = searched[0] if len(searched) == 1 else SYSTEM_LEVEL
    _check_contained(once)
    criteria: list[Predicate] = []
    includes: list[Include] = []
    revincludes: list[Include] = []
    applied: list[tuple[str, str]] = []
    for key, text in given:
        name = key.partition(":")[0]
        try:
            if name == "_include":
                includes.append(read_include(key, text, reader))
            elif name == "_revinclude":
                revincludes.append(read_include(key, text, reader))
            elif key == "_filter":
                criteria.append(read_filter(text, type_name, reader))
            elif key == "_query":
                raise unsupported(key, "named queries are not supported")
            elif key == "_type" and len(types) == 1:
                raise UnknownParameterError(key, types[0])
            elif key not in once and key not in _PASSED_ON:
                criteria.append(reader.criterion(type_name, key, text))
        except UnknownParameterError:
            if not context.lenient:
                raise
            ignored.append(key)
            continue
        if key != CURSOR:
            applied.append((key, text))
    where = _all_of(criteria)
    sort: tuple[SortKey, ...] = ()
    if "_sort" in once:
        try:
            sort = read_sort(once["_sort"], type_name, reader, where)
        except UnknownParameterError:
            if not context.lenient:
                raise
            ignored.append("_sort")
            applied.remove(("_sort", once["_sort"]))
    return ParsedSearch(
        query=Query(searched, where, sort),
        count=read_count(once["_count"], context) if "_count" in once else context.count_default,
        total=read_total(once["_total"]) if "_total" in once else "none",
        summary=read_summary(once["_summary"]) if "_summary" in once else None,
        elements=read_elements(once["_elements"], searched, context) if "_elements" in once else (),
        includes=tuple(includes),
        revincludes=tuple(revincludes),
        cursor=once.get(CURSOR, ""),
        pairs=tuple(applied),
        ignored=tuple(ignored),
    )


def _given(pairs: Sequence[tuple[str, str]], context: Context, ignored: list[str]) -> list[tuple[str, str]]:
    """The pairs that have a value; what may be said once is not said twice."""
    given: list[tuple[str, str]] = []
    seen: set[str] = set()
    for key, text in pairs:
        if text:
            if key in _ONCE and key in seen:
                raise refused(key, "is given more than once")
            seen.add(key)
            given.append((key, text))
        elif context.lenient:
            ignored.append(key)
        else:  # a form field left blank must not turn a search for one into a search for all
            raise refused(key, "has no value")
    return given


def _all_of(criteria: list[Predicate]) -> Predicate:
    if not criteria:
        return EVERYTHING
    return criteria[0] if len(criteria) == 1 else And(tuple(criteria))


def _check_contained(once: dict[str, str]) -> None:
    """Contained resources are found through their container only: what `_contained=false`, the default, means."""
    if once.get("_contained", "false") != "false":
        raise unsupported("_contained", "only `false` is supported")
    if once.get("_containedType", "container") != "container":
        raise unsupported("_containedType", "only `container` is supported")

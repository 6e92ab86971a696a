"""Parameters that shape the answer rather than choose resources: order, paging, subset, includes.

https://hl7.org/fhir/R4/search.html#return
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from fhir_server.search.context import SORT_KEYS_MAX, Context
from fhir_server.search.criteria import Reader
from fhir_server.search.query import And, Near, Or, Predicate, SortKey
from fhir_server.search.values import refused, shown, split, unsupported

Summary: TypeAlias = Literal["true", "text", "data", "count", "false"]
Total: TypeAlias = Literal["none", "estimate", "accurate"]
ANY = "*"

_COUNT = re.compile(r"\d{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or `_revinclude`: by the reference `param` of `source` (either may be `*`), to `target` only if given.

    `iterate`: from included resources on as well.
    """

    source: str
    param: str
    target: str | None
    iterate: bool


def read_count(text: str, context: Context) -> int:
    """Return the page size, at most what the server allows: a larger one is served in smaller pages."""
    if not _COUNT.fullmatch(text):
        raise refused("_count", f"`{shown(text)}` is not a number of 0 or more")
    return min(int(text), context.count_max)


def read_summary(text: str) -> Summary:
    if text not in ("true", "text", "data", "count", "false"):
        raise refused("_summary", f"`{shown(text)}` is not one of true, text, data, count, false")
    return cast(Summary, text)


def read_total(text: str) -> Total:
    if text not in ("none", "estimate", "accurate"):
        raise refused("_total", f"`{shown(text)}` is not one of none, estimate, accurate")
    return cast(Total, text)


def read_elements(text: str, types: Sequence[str], context: Context) -> tuple[str, ...]:
    """Return what `_elements=name,Type.name` lists. Raises FhirError for a name that the types do not have.

    A name without a type is of the types searched; one with a type may be of an included type.
    """
    registry = context.registry
    # Some clients list `resourceType` as if it were an element; it is in every answer.
    names = tuple(name for name in (name.strip() for name in text.split(",")) if name != "resourceType")
    for name in names:
        stated, dot, element = name.rpartition(".")
        holders = ([stated] if stated in registry.resource_types else []) if dot else types
        if not any(one.name == element for holder in holders for one in registry.types[holder].elements):
            raise refused("_elements", f"`{shown(name)}` is not an element of {' or '.join(types[:3])}")
    return names


def read_sort(text: str, type_name: str, reader: Reader, where: Predicate) -> tuple[SortKey, ...]:
    """Return the sort keys, first the most significant. Raises FhirError."""
    rules = text.split(",")
    if len(rules) > SORT_KEYS_MAX:
        raise refused("_sort", f"has more than {SORT_KEYS_MAX} keys")
    return tuple(_sort_key(rule.strip(), type_name, reader, where) for rule in rules)


def _sort_key(rule: str, type_name: str, reader: Reader, where: Predicate) -> SortKey:
    descending, name = rule.startswith("-"), rule.removeprefix("-")
    if name == "_score":
        raise unsupported("_sort", "matches have no score here")
    parameter = reader.parameter(type_name, name)
    match parameter.kind:
        case _ if name == "_id":
            return SortKey(name, "id", descending)
        case _ if name == "_lastUpdated":
            return SortKey(name, "updated", descending)
        case "special" if parameter.code == "near":
            point = _near(where)
            if point is None:
                raise refused("_sort", "`near` needs a `near` criterion to measure from")
            return SortKey(name, "near", descending, (point.latitude, point.longitude))
        case "string" | "token" | "date" | "number" | "quantity" | "uri" | "reference" if parameter.expression:
            return SortKey(name, parameter.kind, descending)
    raise unsupported("_sort", f"`{shown(name)}` cannot be sorted by")


def _near(where: Predicate) -> Near | None:
    if isinstance(where, Near):
        return where
    if isinstance(where, (And, Or)):
        for child in where.children:
            found = _near(child)
            if found is not None:
                return found
    return None


def read_include(key: str, text: str, reader: Reader) -> Include:
    """Return what `_include[:iterate]=type:param[:target]` asks. Raises FhirError."""
    name, _, modifier = key.partition(":")
    if modifier not in ("", "iterate", "recurse"):  # `:recurse` is the name it had before R4
        raise refused(name, f"modifier `:{shown(modifier)}` does not apply")
    iterate = bool(modifier)
    if text == ANY:
        return Include(ANY, ANY, None, iterate)
    parts = text.split(":")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise refused(name, f"`{shown(text)}` is not type:parameter or type:parameter:target")
    source, param = parts[0], parts[1]
    target = parts[2] if len(parts) == 3 else None
    types = reader.context.registry.resource_types
    for stated in (source, target):
        if stated is not None and stated not in types:
            raise refused(name, f"`{shown(stated)}` is not a resource type")
    if param != ANY:
        parameter = reader.parameters_of(source).get(param)
        if parameter is None:
            raise refused(name, f"`{shown(param)}` is not a search parameter of {source}")
        if parameter.kind != "reference":
            raise refused(name, f"`{shown(param)}` of {source} is of type {parameter.kind}, not reference")
        if target is not None and target not in parameter.targets:
            raise refused(name, f"`{shown(param)}` of {source} does not refer to {target}")
    return Include(source, param, target, iterate)


def read_types(text: str, types: Sequence[str]) -> tuple[str, ...]:
    """Return the types of `_type`, each once. Raises FhirError for one that is not among `types`."""
    names = tuple(dict.fromkeys(split(text, ",")))
    for name in names:
        if name not in types:
            raise refused("_type", f"`{shown(name)}` is not a resource type of this search")
    return names

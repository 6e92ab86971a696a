"""The records of the registry, and how each is read from its row in the tables of `profiles/definitions`.

https://hl7.org/fhir/R4/elementdefinition.html
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import msgspec

SEARCH_PARAMETER = "http://hl7.org/fhir/SearchParameter/"

Kind = Literal["primitive", "complex", "backbone", "resource"]


class Element(msgspec.Struct, frozen=True, gc=False):
    """One element of a type. `max` None is `*`; `types` of a backbone element is its own path; see the field notes."""

    name: str  # without `[x]`
    types: tuple[str, ...]
    min: int
    max: int | None
    choice: bool = False
    targets: tuple[str, ...] = ()  # of Reference and canonical; `Resource` is any, () is not said
    binding: str = ""  # canonical of the required value set, without version
    summary: bool = False
    modifier: bool = False
    attribute: bool = False  # an XML attribute: id, url, and the value of a primitive
    constraints: tuple[str, ...] = ()  # keys of Registry.invariants


class Type(msgspec.Struct, frozen=True, gc=False):
    """A resource, data type or backbone element with all its elements in XML order, inherited ones included.

    A value is bound by the constraints of its element and of its type: evaluate each key of the union once.
    """

    name: str
    kind: Kind
    base: str
    abstract: bool
    elements: tuple[Element, ...]
    constraints: tuple[str, ...]


class Invariant(msgspec.Struct, frozen=True, gc=False):
    """A constraint: the key the standard prints, and the FHIRPath expression that has to be true."""

    key: str
    severity: Literal["error", "warning"]
    expression: str
    human: str


class SearchParameter(msgspec.Struct, frozen=True, gc=False):
    """A search parameter; `components` (of a composite) are pairs of definition URL and relative expression."""

    code: str
    type: str
    base: tuple[str, ...]
    expression: str
    target: tuple[str, ...]
    components: tuple[tuple[str, str], ...]
    url: str
    comparators: tuple[str, ...] = ()


class OperationParameter(msgspec.Struct, frozen=True, gc=False):
    """One parameter of an operation; `max` None is `*`, `type` is empty when it has parts."""

    name: str
    use: Literal["in", "out"]
    min: int
    max: int | None
    type: str


class Operation(msgspec.Struct, frozen=True, gc=False):
    """An operation of the base specification; `affects_state` is None where R4 does not say."""

    id: str
    name: str
    code: str
    url: str
    resource: tuple[str, ...]
    system: bool
    type: bool
    instance: bool
    affects_state: bool | None
    parameters: tuple[OperationParameter, ...]


def read_types(rows: Sequence[Sequence[Any]]) -> dict[str, Type]:
    """Return the types by name from the types table, where a base type stands before those that derive from it."""
    types: dict[str, Type] = {}
    words = cache(lambda text: tuple(text.split()))
    for head, *elements in rows:
        name, kind, base, abstract, constraints = head
        inherited = {e.name: e for e in types[base].elements} if base else {}
        own = tuple(inherited[row] if isinstance(row, str) else _element(row, words) for row in elements)
        types[name] = Type(name, kind, base, abstract, own, words(constraints))
    return types


def _element(row: Sequence[str], words: Any) -> Element:
    padded = [*row, *[""] * (7 - len(row))]
    name, types, cardinality, flags, binding, targets, constraints = padded
    low, _, high = cardinality.partition("..")
    return Element(
        name=name,
        types=words(types),
        min=int(low),
        max=None if high == "*" else int(high),
        choice="C" in flags,
        targets=words(targets),
        binding=binding,
        summary="S" in flags,
        modifier="M" in flags,
        attribute="A" in flags,
        # Nearly every element has ele-1 and nothing else: the table leaves that out, and writes `-` for none.
        constraints=() if constraints == "-" else words(constraints or "ele-1"),
    )


def read_invariant(row: Sequence[str]) -> Invariant:
    """Return the invariant of a row; its key is the id without the `@path` that tells rules of one key apart."""
    name, severity, expression, human = row
    return Invariant(name.partition("@")[0], "error" if severity == "error" else "warning", expression, human)


def read_search_parameter(row: Sequence[Any]) -> SearchParameter:
    """Return the search parameter of a row."""
    padded: list[Any] = [*row, *[""] * (8 - len(row))]
    name, code, kind, base, expression, target, comparators, components = padded
    return SearchParameter(
        code=code,
        type=kind,
        base=tuple(base.split()),
        expression=expression,
        target=tuple(target.split()),
        components=tuple((SEARCH_PARAMETER + definition, path) for definition, path in components),
        url=SEARCH_PARAMETER + name,
        comparators=tuple(comparators.split()),
    )


def read_operation(row: Sequence[Any]) -> Operation:
    """Return the operation of a row."""
    name, title, code, url, resource, levels, affects_state, parameters = row
    return Operation(
        id=name,
        name=title,
        code=code,
        url=url,
        resource=tuple(resource.split()),
        system="system" in levels.split(),
        type="type" in levels.split(),
        instance="instance" in levels.split(),
        affects_state=affects_state,
        parameters=tuple(
            OperationParameter(parameter, use, low, None if high == "*" else int(high), kind)
            for parameter, use, low, high, kind in parameters
        ),
    )


def narrow(parameter: SearchParameter, resource_type: str) -> SearchParameter:
    """Return the parameter with only those branches of its expression that can select something in `resource_type`.

    The specification writes one expression for all types that share a parameter, as a union of paths that each start
    with their type: `AllergyIntolerance.code | (Observation.value as CodeableConcept) | …`.
    """
    branches = union_branches(parameter.expression)
    if len(branches) < 2:
        return parameter
    kept = [branch for branch in branches if branch.lstrip("( ").partition(".")[0] == resource_type]
    return msgspec.structs.replace(parameter, expression=" | ".join(kept)) if kept else parameter


def union_branches(expression: str) -> list[str]:
    """Split a FHIRPath expression at the `|` that stand outside parentheses and strings."""
    branches, depth, start, quoted = [], 0, 0, False
    for position, sign in enumerate(expression):
        if sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == "|" and depth == 0:
                branches.append(expression[start:position].strip())
                start = position + 1
    return [*branches, expression[start:].strip()]

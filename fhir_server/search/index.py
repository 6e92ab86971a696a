"""What a resource can be found by: all index rows of one version, extracted in one walk over its JSON.

The routes of a type's search parameters are merged into one tree, so the walk costs what the resource holds, not what
the type could hold. https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from typing import Any

from fhir_server.search.normal import normal, strip_tags
from fhir_server.search.parameters import COLUMNS, Component, Parameter, SearchParameters
from fhir_server.search.paths import Edge, Route
from fhir_server.search.rows import IndexRows
from fhir_server.search.types import date, number, quantity, reference, special, string, token, uri
from fhir_server.search.types.emit import Emit
from profiles import fhirpath
from profiles.registry import Registry

# Left out of `_content`: places and keys rather than words.
_NOT_CONTENT = frozenset(
    (
        "resourceType",
        "id",
        "div",
        "data",
        "system",
        "url",
        "reference",
        "profile",
        "versionId",
        "lastUpdated",
        "fullUrl",
    )
)

# Computed values, by the data type they are filed as.
_SYSTEM = {
    "System.Boolean": "boolean",
    "System.String": "string",
    "System.Integer": "integer",
    "System.Decimal": "decimal",
}


@dataclass(slots=True)
class _Branch:
    """What to do with the values of one JSON key: file them, and go on into them."""

    edge: Edge
    emits: list[Emit] = field(default_factory=list)
    below: "dict[str, list[_Branch]]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """A component of a composite: each route with what files its values."""

    routes: tuple[tuple[Route, Emit], ...]

    def found(self, occurrence: Any, resource: Mapping[str, Any]) -> list[tuple[Emit, Any]]:
        return [
            (emit, value)
            for route, emit in self.routes
            for value in route.values(resource if route.from_resource else occurrence)
        ]


@dataclass(frozen=True, slots=True)
class _Composite:
    """Where occurrences are, each place with its components."""

    places: tuple[tuple[Route, tuple[_Part, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to index one type."""

    tree: dict[str, list[_Branch]]
    composites: tuple[_Composite, ...]
    engine: tuple[tuple[fhirpath.Expression, Callable[[str], Emit | None]], ...]


class Indexer:
    """Extracts index rows. Dates without a zone are in `zone`; `base_urls` are this server's own (no final slash)."""

    def __init__(self, parameters: SearchParameters, zone: tzinfo, base_urls: tuple[str, ...]) -> None:
        self.parameters = parameters
        self.zone = zone
        self.base_urls = base_urls
        self._plans: dict[str, _Plan] = {}
        self._implied: dict[str, Mapping[str, str]] = {}

    def extract(self, resource: Mapping[str, Any]) -> IndexRows:
        """Return the rows of a valid resource, without duplicates. Raises KeyError for an unknown resourceType."""
        type_name = resource["resourceType"]
        plan = self._plans.get(type_name)
        if plan is None:
            plan = self._plans[type_name] = self._plan(type_name)
        rows = IndexRows()
        _walk(resource, plan.tree, rows)
        for composite in plan.composites:
            _file_composite(composite, resource, rows)
        for expression, emitter in plan.engine:
            for value, code in expression_values(expression, resource, self.parameters.registry):
                emit = emitter(code)
                if emit is not None:
                    emit(value, rows, 0)
        _drop_duplicates(rows)
        narrative = resource.get("text")
        if narrative and "div" in narrative:
            rows.narrative = strip_tags(narrative["div"])
        texts: list[str] = []
        _collect(resource, texts)
        rows.content = normal(" ".join(texts))
        if rows.narrative:
            rows.content = f"{rows.content} {rows.narrative}"
        return rows

    def _plan(self, type_name: str) -> _Plan:
        tree: dict[str, list[_Branch]] = {}
        composites: list[_Composite] = []
        engine: list[tuple[fhirpath.Expression, Callable[[str], Emit | None]]] = []
        for parameter in self.parameters.of(type_name).values():
            if not parameter.expression or parameter.code in COLUMNS:
                continue
            routes = self.parameters.routes(type_name, parameter.expression)
            if parameter.kind == "composite":
                composites.append(self._composite(parameter, routes or ()))
            elif routes is None:
                expression = fhirpath.compile(parameter.expression, untrusted=parameter.added)
                engine.append((expression, self._by_code(parameter)))
            else:
                for route in routes:
                    emit = self.emitter(parameter, route)
                    if emit is not None and route.edges:
                        _plant(tree, route.edges, emit)
        return _Plan(tree, tuple(composites), tuple(engine))

    def _by_code(self, parameter: Parameter) -> Callable[[str], Emit | None]:
        return cache(lambda code: self.emitter(parameter, Route((), code)))

    def _composite(self, parameter: Parameter, routes: tuple[Route, ...]) -> _Composite:
        places = []
        for route in routes:
            parts = [self._part(parameter, n, part, route.code) for n, part in enumerate(parameter.components)]
            places.append((route, tuple(parts)))
        return _Composite(tuple(places))

    def _part(self, composite: Parameter, n: int, component: Component, holder: str) -> _Part:
        # Its rows are filed under a name of their own.
        own = Parameter(f"{composite.code}${n}", component.kind, component.expression, component.targets, (), "")
        routes = self.parameters.routes(holder, component.expression) or ()
        return _Part(tuple((route, emit) for route in routes if (emit := self.emitter(own, route)) is not None))

    def emitter(self, parameter: Parameter, route: Route) -> Emit | None:
        """Return what files values at the end of the route for the parameter; None if it cannot hold such values."""
        code, name = route.code, parameter.code
        match parameter.kind:
            case "token":
                return token.emitter(name, code, self._systems(route.binding) if code == "code" else {})
            case "string":
                return string.emitter(name, code, parameter.phonetic)
            case "reference":
                return reference.emitter(name, code, parameter.targets, self.base_urls)
            case "date":
                return date.emitter(name, code, self.zone)
            case "quantity":
                return quantity.emitter(name, code)
            case "number":
                return number.emitter(name, code)
            case "uri":
                return uri.emitter(name, code)
            case "special":
                return special.emitter(name, code)
        return None

    def _systems(self, binding: str) -> Mapping[str, str]:
        """The system that each code of a bound element implies."""
        found = self._implied.get(binding)
        if found is None:
            valueset = self.parameters.registry.valueset(binding) if binding else None
            found = {code: system for system, code in valueset.codes} if valueset else {}
            self._implied[binding] = found
        return found


@cache
def indexer(registry: Registry, zone: tzinfo, base_urls: tuple[str, ...]) -> Indexer:
    """Return the Indexer for the search parameters of R4 alone, one for the same arguments."""
    return Indexer(SearchParameters(registry), zone, base_urls)


def expression_values(
    expression: fhirpath.Expression, resource: Mapping[str, Any], registry: Registry
) -> list[tuple[Any, str]]:
    """Return what a FHIRPath expression finds in a resource as (JSON value, data type); an Extension as its value."""
    try:
        nodes = expression.evaluate(resource)
    except fhirpath.FhirPathError:  # an added parameter that does not apply to this resource finds nothing in it
        return []
    found: list[tuple[Any, str]] = []
    for node in nodes:
        if node.type == "Extension":
            for key, value in node.value.items():
                stated = registry.element("Extension", key)
                if stated is not None and stated[0].name == "value":
                    found.append((value, stated[1]))
        elif node.value is not None:
            found.append((node.value, _SYSTEM.get(node.type, node.type)))
    return found


def _plant(tree: dict[str, list[_Branch]], edges: tuple[Edge, ...], emit: Emit) -> None:
    for position, edge in enumerate(edges):
        branches = tree.setdefault(edge.key, [])
        branch = next((one for one in branches if one.edge == edge), None)
        if branch is None:
            branch = _Branch(edge)
            branches.append(branch)
        if position == len(edges) - 1:
            branch.emits.append(emit)
        tree = branch.below


def _walk(value: Mapping[str, Any], tree: dict[str, list[_Branch]], rows: IndexRows) -> None:
    for key, item in value.items():
        branches = tree.get(key)
        if branches is None:
            continue
        items = item if type(item) is list else (item,)
        for branch in branches:
            test = branch.edge.test
            for one in items[:1] if branch.edge.first else items:
                if one is None or (test is not None and not test(one)):
                    continue
                for emit in branch.emits:
                    emit(one, rows, 0)
                if branch.below and type(one) is dict:
                    _walk(one, branch.below, rows)


def _file_composite(composite: _Composite, resource: Mapping[str, Any], rows: IndexRows) -> None:
    group = 0
    for route, parts in composite.places:
        for occurrence in route.values(resource):
            # Values differ more than codes do: most occurrences fall out at the last part.
            hits: list[tuple[Emit, Any]] = []
            for part in reversed(parts):
                found = part.found(occurrence, resource)
                if not found:
                    break
                hits += found
            else:
                group += 1
                for emit, value in hits:
                    emit(value, rows, group)


def _drop_duplicates(rows: IndexRows) -> None:
    for name in ("tokens", "texts", "of_types", "strings", "numbers", "dates", "quantities", "uris", "references"):
        found = getattr(rows, name)
        if len(found) > 1:
            unique = dict.fromkeys(found)
            if len(unique) != len(found):
                setattr(rows, name, list(unique))


def _collect(value: Mapping[str, Any], texts: list[str]) -> None:
    for key, item in value.items():
        if key in _NOT_CONTENT:
            continue
        if type(item) is str:
            texts.append(item)
        elif type(item) is dict:
            _collect(item, texts)
        elif type(item) is list:
            for one in item:
                if type(one) is str:
                    texts.append(one)
                elif type(one) is dict:
                    _collect(one, texts)

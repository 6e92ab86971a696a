"""The search parameters of each type: those of R4, and those added by SearchParameter resources.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fhir_server.outcome import Category, FhirError
from fhir_server.search.paths import Route, compile_routes
from profiles import fhirpath
from profiles.records import union_branches
from profiles.registry import Registry, SearchParameter

KINDS = ("number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special")

# Answered from the store's own columns and texts, not from index rows; `_query` is refused for want of named queries.
COLUMNS = frozenset(("_id", "_lastUpdated"))
FULL_TEXT = frozenset(("_text", "_content"))
_WITHOUT_EXPRESSION = FULL_TEXT | {"_filter"}
_ON_EVERY_TYPE = (  # stated on the search page only, without a SearchParameter of their own
    ("_has", "https://hl7.org/fhir/R4/search.html#has"),
    ("_list", "https://hl7.org/fhir/R4/search.html#list"),
)


_CODE = re.compile(r"[A-Za-z][A-Za-z0-9\-]*")  # a leading underscore is the standard's own
_RESOLVES_TO = re.compile(r"\.where\(resolve\(\) is (\w+)\)$")


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite parameter; `expression` is relative to the occurrence."""

    kind: str
    expression: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one type."""

    code: str
    kind: str  # one of KINDS
    expression: str
    targets: tuple[str, ...]  # resource types that a reference may lead to, all of them named
    components: tuple[Component, ...]
    url: str
    added: bool = False  # by a SearchParameter resource: whoever wrote it is not trusted with time or memory

    @property
    def phonetic(self) -> bool:
        return self.kind == "string" and self.code == "phonetic"


@dataclass(frozen=True, slots=True)
class Described:
    """A row of CapabilityStatement.rest.resource.searchParam."""

    name: str
    type: str
    definition: str


class SearchParameters:
    """The search parameters of every type by code; immutable. `extra` are SearchParameter resources to be added.

    An extra parameter never takes the place of one of R4: whose a resource is follows from those. Raises FhirError for
    an extra one that cannot be used, naming the element. After a change every resource has to be indexed anew (store
    `reindex`).
    """

    def __init__(self, registry: Registry, extra: Sequence[Mapping[str, Any]] = ()) -> None:
        self.registry = registry
        self._extra = [_read(resource, registry) for resource in extra]
        self._by_url = {parameter.url: parameter for parameter in self._extra}
        self._of: dict[str, Mapping[str, Parameter]] = {}
        self._routes: dict[tuple[str, str], tuple[Route, ...] | None] = {}
        self._value_types: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, type_name: str) -> Mapping[str, Parameter]:
        """Return the parameters of a resource type by code. Raises KeyError for an unknown type."""
        found = self._of.get(type_name)
        if found is None:
            stated = dict(self.registry.search_parameters(type_name))
            for parameter in self._extra:
                if any(self.registry.is_subtype(type_name, base) for base in parameter.base):
                    stated[parameter.code] = parameter
            made = {code: made for code, parameter in stated.items() if (made := self._make(parameter)) is not None}
            found = self._of[type_name] = MappingProxyType(made)
        return found

    def of_all(self) -> Mapping[str, Parameter]:
        """Return the parameters that every resource type has: those for searches over several types."""
        return MappingProxyType({code: p for code, p in self.of("Basic").items() if code.startswith("_")})

    def routes(self, type_name: str, expression: str) -> tuple[Route, ...] | None:
        """Return the direct routes of an expression in a type, None if it takes the FHIRPath engine."""
        key = (type_name, expression)
        if key not in self._routes:
            self._routes[key] = compile_routes(expression, type_name, self.registry)
        return self._routes[key]

    def value_types(self, type_name: str, parameter: Parameter) -> frozenset[str]:
        """Return the data types that the parameter finds in a resource type; empty if only the engine can tell."""
        key = (type_name, parameter.expression)
        found = self._value_types.get(key)
        if found is None:
            routes = self.routes(*key) if parameter.expression else None
            found = self._value_types[key] = frozenset(route.code for route in routes or ())
        return found

    def describe(self, type_name: str) -> tuple[Described, ...]:
        """Return what a search on the type supports, by name, for the CapabilityStatement."""
        rows = [Described(p.code, p.kind, p.url) for p in self.of(type_name).values()]
        rows += [Described(name, "special", url) for name, url in _ON_EVERY_TYPE]
        return tuple(sorted(rows, key=lambda row: row.name))

    def _make(self, parameter: SearchParameter) -> Parameter | None:
        if parameter.code == "_query" or not (parameter.expression or parameter.code in _WITHOUT_EXPRESSION):
            return None
        components = []
        for url, expression in parameter.components:
            definition = self._by_url.get(url) or self.registry.search_parameter(url)
            if definition is None or definition.type in ("composite", "special"):
                return None
            components.append(Component(definition.type, expression, self._targets(definition)))
        return Parameter(
            parameter.code,
            parameter.type,
            parameter.expression,
            self._targets(parameter),
            tuple(components),
            parameter.url,
            parameter in self._extra,
        )

    def _targets(self, parameter: SearchParameter) -> tuple[str, ...]:
        if parameter.type != "reference":
            return ()
        # `patient` is stated to lead to Patient and Group, and finds what resolves to a Patient.
        tested = [_RESOLVES_TO.search(branch) for branch in union_branches(parameter.expression)]
        if all(tested):
            return tuple(sorted({found[1] for found in tested if found}))
        if not parameter.target or "Resource" in parameter.target:
            return self.registry.resource_types
        return parameter.target


def _read(resource: Mapping[str, Any], registry: Registry) -> SearchParameter:
    """Return an added SearchParameter resource as the registry's own record. Raises FhirError."""
    kind, expression = resource.get("type", ""), resource.get("expression", "")
    if not _CODE.fullmatch(resource["code"]):
        raise _refused("code", f"`{resource['code'][:40]}` would not be read as a name (letters, digits and hyphens)")
    if kind not in KINDS or kind == "special":
        raise _refused("type", f"`{kind[:40]}` is not a type of search parameter that can be added")
    if not expression:
        raise _refused("expression", "is required to find anything")
    try:
        fhirpath.compile(expression, untrusted=True)
    except fhirpath.FhirPathSyntaxError as error:
        raise _refused("expression", f"is not FHIRPath: {error}") from None
    unknown = [base for base in resource.get("base", ()) if base not in registry.types]
    if unknown or not resource.get("base"):
        raise _refused("base", f"`{unknown[0][:40]}` is not a resource type" if unknown else "is required")
    for base in resource["base"]:
        if resource["code"] in registry.search_parameters(base):
            raise _refused("code", f"`{resource['code'][:40]}` is a search parameter of {base} in R4 already")
    return SearchParameter(
        code=resource["code"],
        type=kind,
        base=tuple(resource["base"]),
        expression=expression,
        target=tuple(resource.get("target", ())),
        components=tuple((part["definition"], part["expression"]) for part in resource.get("component", ())),
        url=resource["url"],
        comparators=tuple(resource.get("comparator", ())),
    )


def _refused(element: str, reason: str) -> FhirError:
    location = f"SearchParameter.{element}"
    return FhirError(Category.UNPROCESSABLE, f"{location}: {reason}", (location,))

"""The definitions of FHIR R4 as one immutable registry: types, invariants, search, compartments, terminology.

https://hl7.org/fhir/R4/resourcelist.html
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from profiles.records import (
    Element,
    Invariant,
    Operation,
    OperationParameter,
    SearchParameter,
    Type,
    narrow,
    read_invariant,
    read_operation,
    read_search_parameter,
    read_types,
)
from profiles.terminology import CodeSystem, Terminology, ValueSet

__all__ = [
    "CodeSystem",
    "Element",
    "Invariant",
    "Operation",
    "OperationParameter",
    "Registry",
    "SearchParameter",
    "Type",
    "ValueSet",
    "load",
]


class Registry:
    """All definitions, made once from the parsed tables of `profiles.packages.read_tables`; treat as immutable."""

    types: Mapping[str, Type]
    resource_types: tuple[str, ...]
    invariants: Mapping[str, Invariant]
    operations: Mapping[str, Operation]

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.types = MappingProxyType(read_types(tables["types"]))
        self.resource_types = tuple(
            sorted(t.name for t in self.types.values() if t.kind == "resource" and not t.abstract)
        )
        self.invariants = MappingProxyType({row[0]: read_invariant(row) for row in tables["invariants"]})
        self.operations = MappingProxyType({row[0]: read_operation(row) for row in tables["operations"]})
        self._elements: dict[str, dict[str, tuple[Element, str]]] = {}
        parameters = [read_search_parameter(row) for row in tables["search_parameters"]]
        self._by_url = {parameter.url: parameter for parameter in parameters}
        self._parameters: dict[str, list[SearchParameter]] = {}
        for parameter in parameters:
            for base in parameter.base:
                self._parameters.setdefault(base, []).append(parameter)
        self._narrowed: dict[str, Mapping[str, SearchParameter]] = {}
        compartments: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, resource_type, codes in tables["compartments"]:
            compartments.setdefault(name, {})[resource_type] = tuple(codes.split())
        self._compartments = {name: MappingProxyType(entries) for name, entries in compartments.items()}
        self._terminology = Terminology(tables["codesystems"], tables["valuesets"])

    def element(self, type_name: str, json_key: str) -> tuple[Element, str] | None:
        """Return the element and the type code a JSON key stands for (`valueQuantity` → value, `Quantity`), else None.

        https://hl7.org/fhir/R4/json.html#choice. Raises KeyError for an unknown `type_name`.
        """
        keys = self._elements.get(type_name)
        if keys is None:
            keys = {}
            for element in self.types[type_name].elements:
                for code in element.types:
                    key = element.name + code[0].upper() + code[1:] if element.choice else element.name
                    keys[key] = (element, code)
            self._elements[type_name] = keys
        return keys.get(json_key)

    def is_subtype(self, name: str, ancestor: str) -> bool:
        """Return whether type `name` is `ancestor` or derives from it; False for unknown names."""
        while name != ancestor:
            found = self.types.get(name)
            if found is None or not found.base:
                return False
            name = found.base
        return name in self.types

    def summary_elements(self, type_name: str) -> tuple[str, ...]:
        """Return the names of the elements marked isSummary, for `_summary=true` (`value` for a choice).

        https://hl7.org/fhir/R4/search.html#summary
        """
        return tuple(e.name for e in self.types[type_name].elements if e.summary)

    def mandatory_elements(self, type_name: str) -> tuple[str, ...]:
        """Return the names of the elements with min > 0, which `_elements` cannot leave out."""
        return tuple(e.name for e in self.types[type_name].elements if e.min > 0)

    def search_parameters(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """Return the search parameters of a concrete resource type by code, those of its base types included.

        The expression of a parameter that several types share is narrowed to the branches for this type. Raises
        KeyError for an unknown type.
        """
        narrowed = self._narrowed.get(resource_type)
        if narrowed is None:
            found: dict[str, SearchParameter] = {}
            name = resource_type
            while name:
                for parameter in self._parameters.get(name, ()):
                    found.setdefault(parameter.code, narrow(parameter, resource_type))
                name = self.types[name].base
            narrowed = self._narrowed[resource_type] = MappingProxyType(dict(sorted(found.items())))
        return narrowed

    def search_parameter(self, url: str) -> SearchParameter | None:
        """Return the search parameter with this canonical URL, its expression not narrowed to one type."""
        return self._by_url.get(url)

    @property
    def compartments(self) -> tuple[str, ...]:
        """The names of the compartments, sorted."""
        return tuple(sorted(self._compartments))

    def compartment(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Return, for each resource type in the compartment, the search parameters that put a resource in it.

        `{def}` among them stands for being the compartment's own resource. That resource is in its compartment also
        where the definition does not write so (Patient and Device).
        https://hl7.org/fhir/R4/compartmentdefinition.html. Raises KeyError for an unknown compartment.
        """
        return self._compartments[name]

    def valueset(self, canonical: str) -> ValueSet | None:
        """Return the value set with this canonical (a `|version` is ignored), None when it cannot be enumerated."""
        return self._terminology.valueset(canonical.partition("|")[0])

    def codesystem(self, url: str) -> CodeSystem | None:
        """Return the code system with its hierarchy, None when the packages do not hold it completely."""
        return self._terminology.codesystem(url)


@cache
def load() -> Registry:
    """Return the registry of the committed tables, read once a process."""
    from profiles.packages import read_tables  # the registry itself does no I/O

    return Registry(read_tables())

"""How FHIRPath walks the types of a registry: which JSON keys a name stands for, and what type is behind each.

https://hl7.org/fhir/R4/fhirpath.html#polymorphism, https://hl7.org/fhir/R4/json.html
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol


class ElementDefinition(Protocol):
    """What FHIRPath reads of an element."""

    @property
    def name(self) -> str: ...
    @property
    def types(self) -> tuple[str, ...]: ...
    @property
    def choice(self) -> bool: ...


class TypeDefinition(Protocol):
    """What FHIRPath reads of a type."""

    @property
    def kind(self) -> str: ...
    @property
    def base(self) -> str: ...
    @property
    def elements(self) -> tuple[Any, ...]: ...


class Definitions(Protocol):
    """The registry as far as FHIRPath uses it; `profiles.registry.Registry` is one."""

    @property
    def types(self) -> Mapping[str, Any]: ...

    def is_subtype(self, name: str, ancestor: str) -> bool: ...

    def valueset(self, canonical: str) -> Any: ...


class Step(NamedTuple):
    """One JSON key that a name stands for. `twin` is `_key` for a primitive, else empty; `resource`: any resource."""

    key: str
    twin: str
    type: str
    resource: bool


class Model:
    """The steps from each type, worked out once from the definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.is_subtype = cache(definitions.is_subtype)
        self._names: dict[str, dict[str, tuple[Step, ...]]] = {}
        self._keys: dict[str, dict[str, Step]] = {}

    def names(self, type_name: str) -> dict[str, tuple[Step, ...]]:
        """The steps of a type by FHIRPath name: `value` → valueQuantity, valueString, …; empty for an unknown type."""
        steps = self._names.get(type_name)
        if steps is None:
            steps = self._names[type_name] = self._build(type_name)
        return steps

    def keys(self, type_name: str) -> dict[str, Step]:
        """The steps of a type by JSON key."""
        keys = self._keys.get(type_name)
        if keys is None:
            keys = {step.key: step for steps in self.names(type_name).values() for step in steps}
            self._keys[type_name] = keys
        return keys

    def _build(self, type_name: str) -> dict[str, tuple[Step, ...]]:
        definition = self.definitions.types.get(type_name)
        if definition is None:
            return {}
        if definition.kind == "primitive":
            definition = self.definitions.types["Element"]
        return {
            element.name: tuple(
                self._step(element.name + code[0].upper() + code[1:] if element.choice else element.name, code)
                for code in element.types
            )
            for element in definition.elements
        }

    def _step(self, key: str, code: str) -> Step:
        found = self.definitions.types.get(code)
        primitive = found is not None and found.kind == "primitive"
        resource = found is not None and found.kind == "resource"
        return Step(key, "_" + key if primitive else "", code, resource)


@cache
def default() -> Model:
    """The model of the committed R4 tables."""
    from profiles import registry  # only when no model is passed in: the tables are read on first use

    return Model(registry.load())

"""Type specifiers: `is`, `as` and `ofType` (http://hl7.org/fhirpath/N1/#types)."""

from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.model import Model
from profiles.fhirpath.nodes import Item, Node, is_primitive, type_of

SYSTEM_TYPES = frozenset({"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"})

_FHIR_OF_SYSTEM = {
    "Boolean": "boolean",
    "String": "string",
    "Integer": "integer",
    "Decimal": "decimal",
    "Date": "date",
    "DateTime": "dateTime",
    "Time": "time",
}


class Specifier:
    """A type specifier against one model.

    A name without namespace is a FHIR type where one has that name, else a System type.
    """

    def __init__(self, text: str) -> None:
        namespace, _, name = text.rpartition(".")
        self.text = text
        self.namespace = namespace
        self.name = name
        self._known: dict[int, tuple[bool, bool]] = {}

    def _names(self, model: Model) -> tuple[bool, bool]:
        """(may be a FHIR type, may be a System type); raises FhirPathError when it is neither."""
        known = self._known.get(id(model))
        if known is None:
            fhir = self.namespace in ("", "FHIR") and self.name in model.definitions.types
            # A bare `Quantity` is the FHIR type for nodes and the System type for computed values.
            system = self.namespace in ("", "System") and self.name in SYSTEM_TYPES
            known = self._known[id(model)] = (fhir, system)
            if not (fhir or system or self.namespace == "System"):
                raise FhirPathError(f"`{self.text[:40]}` is no type")
        if not (known[0] or known[1] or self.namespace == "System"):
            raise FhirPathError(f"`{self.text[:40]}` is no type")
        return known

    def includes(self, item: Item, model: Model) -> bool:
        """Whether the item is of the type or of one that derives from it."""
        fhir, system = self._names(model)
        if type(item) is Node:
            if item.type.startswith("System."):
                return system and item.type == "System." + self.name
            return fhir and model.is_subtype(item.type, self.name)
        if not system or isinstance(item, Node):
            return False
        return self.name in (type_of(item), "Any")

    def selects(self, item: Item, model: Model) -> bool:
        """Whether `as` and `ofType` keep the item: a primitive only by its own type (a `code` is no `string` here).

        A System name without namespace keeps the FHIR primitive beside it: R4's own `code-value-date` searches on
        `value.as(DateTime)`.
        """
        if type(item) is Node and is_primitive(item):
            fhir, system = self._names(model)
            if fhir:
                return item.type == self.name or (self.name == "Element" and self.includes(item, model))
            if system and not self.namespace:
                return item.type == _FHIR_OF_SYSTEM.get(self.name)
        return self.includes(item, model)

"""A node of a FHIR resource as FHIRPath sees it, and how its value becomes one of FHIRPath's own types.

https://hl7.org/fhir/R4/fhirpath.html#types
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from profiles.fhirpath import temporal
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import Temporal

UCUM_SYSTEM = "http://unitsofmeasure.org"


class Node(msgspec.Struct, gc=False):
    """An element of a resource with its place.

    `value` is the JSON value (None for a primitive that only has extensions), `type` the FHIR type code (`Quantity`,
    `dateTime`, `Patient.contact` for a backbone element, `System.Boolean` for a computed value), `extra` the
    `_element` twin of a primitive. `key` is the JSON key in the value of `parent` and `index` the place in its array,
    -1 when it is in none. The node that the evaluation started from has no parent.
    """

    value: Any
    type: str
    extra: Mapping[str, Any] | None = None
    parent: "Node | None" = None
    key: str = ""
    index: int = -1

    def __repr__(self) -> str:
        """Type and place only: a value never reaches a log through its representation."""
        return f"Node({self.type}, {self.key}[{self.index}])"


System: TypeAlias = bool | int | Decimal | str | Temporal | Quantity
Item: TypeAlias = Node | System
Items: TypeAlias = list[Item]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _temporal(kind: str) -> Callable[[Any], Temporal | None]:
    return lambda value: temporal.parse(value, kind) if isinstance(value, str) else None


def _quantity(value: Any) -> Quantity | None:
    if not isinstance(value, dict) or "comparator" in value:
        return None
    number = _decimal(value.get("value"))
    if number is None:
        return None
    code, system = value.get("code"), value.get("system")
    unit = code or value.get("unit") or "1"
    if not isinstance(unit, str):
        return None
    foreign = system if code and isinstance(system, str) and system != UCUM_SYSTEM else ""
    return Quantity(number, unit, system=foreign)


STRING_TYPES = frozenset(
    "string code uri url canonical oid uuid id markdown base64Binary xhtml System.String".split()  # noqa: SIM905
)
INTEGER_TYPES = frozenset({"integer", "positiveInt", "unsignedInt", "System.Integer"})
QUANTITY_TYPES = frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"})

_CONVERSIONS: dict[str, Callable[[Any], System | None]] = {
    **dict.fromkeys(STRING_TYPES, _text),
    **dict.fromkeys(INTEGER_TYPES, _integer),
    **dict.fromkeys(QUANTITY_TYPES, _quantity),
    "boolean": _boolean,
    "decimal": _decimal,
    "date": _temporal("date"),
    "dateTime": _temporal("dateTime"),
    "instant": _temporal("dateTime"),
    "time": _temporal("time"),
}


def system(item: Item) -> Item:
    """`item` as a value of FHIRPath's own types; the node itself when it is complex, without value or malformed."""
    if type(item) is not Node:
        return item
    convert = _CONVERSIONS.get(item.type)
    if convert is None:
        return item
    value = convert(item.value)
    return item if value is None else value


def is_primitive(node: Node) -> bool:
    """Whether the type of the node is a FHIR primitive."""
    return node.type in _CONVERSIONS and node.type not in QUANTITY_TYPES


def type_of(value: System) -> str:
    """The name of the System type of a computed value, without `System.`."""
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Integer"
    if isinstance(value, Decimal):
        return "Decimal"
    if isinstance(value, str):
        return "String"
    if isinstance(value, Quantity):
        return "Quantity"
    return {"date": "Date", "dateTime": "DateTime", "time": "Time"}[value.kind]

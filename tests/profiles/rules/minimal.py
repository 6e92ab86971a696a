"""The smallest valid values of each type, made from the definitions: material for tests that try every element."""

from decimal import Decimal
from typing import Any

from profiles.registry import Element, Registry

PRIMITIVE: dict[str, Any] = {
    "base64Binary": "Zm9v",
    "boolean": True,
    "canonical": "http://example.org/a",
    "code": "a",
    "date": "2020-01-02",
    "dateTime": "2020-01-02",
    "decimal": Decimal("1.0"),
    "id": "a",
    "instant": "2020-01-02T03:04:05Z",
    "integer": 1,
    "markdown": "a",
    "oid": "urn:oid:1.2",
    "positiveInt": 1,
    "string": "a",
    "time": "03:04:05",
    "unsignedInt": 1,
    "uri": "http://example.org/a",
    "url": "http://example.org/a",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>',
}


def key_of(element: Element, code: str) -> str:
    return element.name + code[0].upper() + code[1:] if element.choice else element.name


def value_of(registry: Registry, element: Element, code: str) -> Any:
    """A value of an element with the type `code`, in an array where the element repeats."""
    one = minimal(registry, code)
    if code == "code" and element.binding and (valueset := registry.valueset(element.binding)) is not None:
        one = next(valueset.codes)[1]
    return one if element.max == 1 else [one]


def minimal(registry: Registry, code: str, *more: str) -> Any:
    """A value of a type with its mandatory elements and those named in `more`, with some content (ele-1)."""
    if code in PRIMITIVE:
        return PRIMITIVE[code]
    value = exactly(registry, code, *more)
    if not value and code == "Reference":
        return {"display": "a"}  # its first element has a form of its own
    if not value:
        found = next((e for e in registry.types[code].elements if e.types[0] in PRIMITIVE and e.name != "id"), None)
        if found is None:
            return {"extension": [{"url": "http://example.org/a", "valueString": "a"}]}
        value[key_of(found, found.types[0])] = value_of(registry, found, found.types[0])
    return value


def exactly(registry: Registry, code: str, *more: str) -> dict[str, Any]:
    """A complex value with its mandatory elements, those named in `more`, and no other; invariants are not looked at."""
    definition = registry.types[code]
    if definition.kind == "resource":
        name = "Basic" if definition.abstract else code
        value: dict[str, Any] = {"resourceType": name}
        definition = registry.types[name]
    else:
        value = {}
    for element in definition.elements:
        if element.min > 0 or element.name in more:
            kind = element.types[0]
            value[key_of(element, kind)] = value_of(registry, element, kind)
    return value

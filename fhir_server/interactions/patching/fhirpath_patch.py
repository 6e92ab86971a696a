"""FHIRPath Patch: a Parameters resource with operations. https://hl7.org/fhir/R4/fhirpatch.html"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from fhir_server.interactions.patching.json_patch import OPERATIONS_MAX
from fhir_server.outcome import Category, FhirError
from profiles.fhirpath import FhirPathError, FhirPathSyntaxError, Location, compile
from profiles.registry import Element, Registry

_KNOWN = frozenset({"type", "path", "name", "value", "index", "source", "destination"})


def apply_fhirpath_patch(
    resource: Mapping[str, Any], parameters: Mapping[str, Any], registry: Registry
) -> dict[str, Any]:
    """The resource after all operations. Raises FhirError that names the operation.

    INVALID for an operation that is not one, UNPROCESSABLE for one that does not fit the resource.
    """
    operations = _parts(parameters, "parameter")
    if len(operations) > OPERATIONS_MAX:
        raise FhirError(Category.TOO_COSTLY, f"a patch has at most {OPERATIONS_MAX} operations")
    document: dict[str, Any] = copy.deepcopy(dict(resource))
    for position, operation in enumerate(operations):
        try:
            if operation.get("name") != "operation":
                raise FhirError(Category.INVALID, "every parameter of a FHIRPath Patch is an `operation`")
            _Operation(operation, registry).apply(document)
        except FhirError as error:
            raise error.within(f"Parameters.parameter[{position}]") from None
    return document


class _Operation:
    def __init__(self, operation: Mapping[str, Any], registry: Registry) -> None:
        self._registry = registry
        self._parts: dict[str, Mapping[str, Any]] = {}
        for part in _parts(operation, "part"):
            name = part["name"]
            if name not in _KNOWN or name in self._parts:
                raise FhirError(Category.INVALID, f"part `{name[:40]}` is unknown or given twice")
            self._parts[name] = part

    def apply(self, document: dict[str, Any]) -> None:
        kind = self._text("type", ("valueCode", "valueString"))
        apply = {
            "add": self._add,
            "insert": self._insert,
            "delete": self._delete,
            "replace": self._replace,
            "move": self._move,
        }.get(kind)
        if apply is None:
            raise FhirError(Category.INVALID, f"`{kind[:40]}` is not add, insert, delete, replace or move")
        apply(document)

    # --- the five operations ---------------------------------------------------------------------------------------

    def _add(self, document: dict[str, Any]) -> None:
        """Append to the element `name` of what `path` selects, which must be exactly one thing."""
        target = self._single(document)
        name = self._text("name", ("valueString", "valueCode"))
        type_name = target.node.type
        if not isinstance(target.node.value, dict):
            raise FhirError(Category.UNPROCESSABLE, f"`{target.path}` has no elements to add to")
        element, key = self._element(type_name, name)
        value, twin = self._value(element)
        content = target.node.value
        if element.max != 1:
            _insert(content, key, len(content.get(key) or content.get("_" + key) or ()), value, twin)
        elif any(other in content for other in self._forms(element)):
            raise FhirError(Category.UNPROCESSABLE, f"`{target.path}.{element.name}` is there already")
        else:
            _set(content, key, value, twin)

    def _insert(self, document: dict[str, Any]) -> None:
        """Put the value at `index` of the list that `path` selects."""
        places = self._list(document)
        index = self._integer("index")
        if not 0 <= index <= len(places):
            raise FhirError(Category.UNPROCESSABLE, f"index {index} is not within the {len(places)} items there are")
        first = places[0]
        assert first.container is not None
        value, twin = self._value(self._element_at(first))
        _insert(first.container, first.key, index, value, twin)

    def _delete(self, document: dict[str, Any]) -> None:
        """Nothing there is no error; more than one thing is."""
        places = self._locate(document)
        if len(places) > 1:
            raise FhirError(Category.UNPROCESSABLE, "the path selects more than one element")
        for place in places:
            _remove(place)

    def _replace(self, document: dict[str, Any]) -> None:
        place = self._single(document)
        if place.container is None:
            raise FhirError(Category.UNPROCESSABLE, "a resource as a whole is not replaced by a patch")
        element = self._element_at(place)
        value, twin = self._value(element)
        if place.index is None:
            _remove(place)  # a choice may come back under another key
            _set(place.container, self._key(element, place.key), value, twin)
        else:
            _remove_item(place.container, place.key, place.index)
            _insert(place.container, place.key, place.index, value, twin)

    def _move(self, document: dict[str, Any]) -> None:
        places = self._list(document)
        source, destination = self._integer("source"), self._integer("destination")
        if not (0 <= source < len(places) and 0 <= destination < len(places)):
            raise FhirError(Category.UNPROCESSABLE, f"source and destination must be within the {len(places)} items")
        container, key = places[0].container, places[0].key
        assert container is not None
        for name in (key, "_" + key):
            if name in container:
                container[name].insert(destination, container[name].pop(source))

    # --- where -----------------------------------------------------------------------------------------------------

    def _locate(self, document: dict[str, Any]) -> list[Location]:
        path = self._text("path", ("valueString",))
        try:
            return compile(path, untrusted=True).locate(document)
        except FhirPathSyntaxError:
            raise FhirError(Category.INVALID, f"`{path[:60]}` is not a FHIRPath expression") from None
        except FhirPathError:
            raise FhirError(Category.UNPROCESSABLE, f"`{path[:60]}` selects no place in the resource") from None

    def _single(self, document: dict[str, Any]) -> Location:
        places = self._locate(document)
        if len(places) != 1:
            what = "nothing" if not places else "more than one element"
            raise FhirError(Category.UNPROCESSABLE, f"the path selects {what}")
        return places[0]

    def _list(self, document: dict[str, Any]) -> list[Location]:
        """All items of one list, as the path must select them."""
        places = self._locate(document)
        if not places or any(p.index is None or p.container is not places[0].container for p in places):
            raise FhirError(Category.UNPROCESSABLE, "the path must select the items of one list")
        container = places[0].container
        assert container is not None
        if len(places) != len(container.get(places[0].key) or container.get("_" + places[0].key) or ()):
            raise FhirError(Category.UNPROCESSABLE, "the path must select all items of the list")
        return places

    def _element_at(self, place: Location) -> Element:
        assert place.node.parent is not None
        found = self._registry.element(place.node.parent.type, place.key)
        if found is None:
            raise FhirError(Category.UNPROCESSABLE, f"`{place.path}` is not an element that can be patched")
        return found[0]

    def _element(self, type_name: str, name: str) -> tuple[Element, str]:
        """The element by its name (`value`, `value[x]` or `valueQuantity` of a choice), and its JSON key."""
        plain = name.removesuffix("[x]")
        for element in self._registry.types[type_name].elements:
            if element.name == plain:
                return element, self._key(element, plain)
        found = self._registry.element(type_name, name)
        if found is None:
            raise FhirError(Category.UNPROCESSABLE, f"`{type_name}` has no element `{name[:40]}`")
        return found[0], name

    def _key(self, element: Element, key: str) -> str:
        """The JSON key of a choice is told by the type of the value that is given."""
        if not element.choice:
            return key
        for name in self._parts.get("value", {}):
            plain = name.removeprefix("_")
            if plain.startswith("value"):
                return element.name + plain[len("value") :]
        raise FhirError(Category.INVALID, "a value of a known type is needed here")

    def _forms(self, element: Element) -> list[str]:
        names = [element.name]
        if element.choice:
            names = [element.name + code[0].upper() + code[1:] for code in element.types]
        return [prefix + name for name in names for prefix in ("", "_")]

    # --- what ------------------------------------------------------------------------------------------------------

    def _value(self, element: Element) -> tuple[Any, Any]:
        if "value" not in self._parts:
            raise FhirError(Category.INVALID, "part `value` is missing")
        return _part_value(self._parts["value"], element, self._registry)

    def _text(self, name: str, keys: Sequence[str]) -> str:
        part = self._parts.get(name, {})
        for key in keys:
            if isinstance(part.get(key), str):
                return str(part[key])
        raise FhirError(Category.INVALID, f"part `{name}` is missing, or no {' or '.join(keys)}")

    def _integer(self, name: str) -> int:
        part = self._parts.get(name, {})
        for key in ("valueInteger", "valueUnsignedInt", "valuePositiveInt"):
            if isinstance(part.get(key), int):
                return int(part[key])
        raise FhirError(Category.INVALID, f"part `{name}` is missing, or no valueInteger")


def _parts(holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The parameters below one: objects with a name, or there are none. Raises FhirError."""
    parts = holder.get(key, [])
    if not isinstance(parts, list):
        raise FhirError(Category.STRUCTURE, f"`{key}` is not an array", (key,))
    for index, part in enumerate(parts):
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise FhirError(Category.STRUCTURE, "a parameter is an object with a `name`", (f"{key}[{index}]",))
    return parts


def _part_value(part: Mapping[str, Any], element: Element, registry: Registry) -> tuple[Any, Any]:
    """(value, `_` twin) of a part: its value[x], its resource, or an object built of its own parts for a backbone."""
    if "part" in part:
        content: dict[str, Any] = {}
        type_name = element.types[0]
        for child in _parts(part, "part"):
            name = child["name"]
            found = registry.element(type_name, name) or _choice(registry, type_name, name, child)
            if found is None:
                raise FhirError(Category.UNPROCESSABLE, f"`{type_name}` has no element `{name[:40]}`")
            value, twin = _part_value(child, found[0], registry)
            key = name if not found[0].choice or registry.element(type_name, name) else name + found[1]
            if found[0].max != 1:
                _insert(content, key, len(content.get(key) or content.get("_" + key) or ()), value, twin)
            else:
                _set(content, key, value, twin)
        return content, None
    if "resource" in part:
        return copy.deepcopy(part["resource"]), None
    value = twin = None
    for key, item in part.items():
        if key.startswith("value"):
            value = copy.deepcopy(item)
        elif key.startswith("_value"):
            twin = copy.deepcopy(item)
    if value is None and twin is None:
        raise FhirError(Category.INVALID, "the value is missing")
    return value, twin


def _choice(registry: Registry, type_name: str, name: str, part: Mapping[str, Any]) -> tuple[Element, str] | None:
    """The choice element `name`, and the suffix that the type of the given value adds to its key."""
    for element in registry.types[type_name].elements:
        if element.choice and element.name == name.removesuffix("[x]"):
            for key in part:
                if key.removeprefix("_").startswith("value"):
                    return element, key.removeprefix("_")[len("value") :]
    return None


def _set(container: dict[str, Any], key: str, value: Any, twin: Any) -> None:
    for name, item in ((key, value), ("_" + key, twin)):
        if item is not None:
            container[name] = item


def _insert(container: dict[str, Any], key: str, index: int, value: Any, twin: Any) -> None:
    """Into both arrays of a primitive, which keep the same length; an array that would hold only null is not made."""
    length = len(container.get(key) or container.get("_" + key) or ())
    for name, item in ((key, value), ("_" + key, twin)):
        if item is not None and name not in container:
            container[name] = [None] * length
        if name in container:
            container[name].insert(index, item)


def _remove(place: Location) -> None:
    if place.container is None:
        raise FhirError(Category.UNPROCESSABLE, "a resource as a whole is not deleted by a patch")
    if place.index is not None:
        _remove_item(place.container, place.key, place.index)
        return
    for name in (place.key, "_" + place.key):
        place.container.pop(name, None)


def _remove_item(container: dict[str, Any], key: str, index: int) -> None:
    for name in (key, "_" + key):
        if name in container:
            del container[name][index]
            if all(item is None for item in container[name]):
                del container[name]

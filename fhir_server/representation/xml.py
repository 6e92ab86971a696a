"""FHIR XML to FHIR JSON and back, by the definition tables. https://hl7.org/fhir/R4/xml.html"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from html.entities import html5
from typing import Any

from lxml import etree

from fhir_server.outcome import Category, FhirError
from profiles import json as fhir_json
from profiles.registry import Element, Registry, load

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
DEPTH_MAX = 200  # elements in elements, narrative included

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_NAMED_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_ENCODING = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_INTEGER_TYPES = frozenset({"integer", "positiveInt", "unsignedInt"})


def parse(data: bytes, registry: Registry | None = None) -> dict[str, Any]:
    """The JSON form of a resource in XML. Raises FhirError(STRUCTURE).

    What breaks the tables without making the text unreadable (an unknown element, one too many, `value="x"` for a
    number) is kept as it stands, for the validator to name with all the rest.
    """
    reader = _Reader(registry or load())
    return reader.resource(_root(data), "")


def serialize(resource: Mapping[str, Any], registry: Registry | None = None, *, pretty: bool = False) -> bytes:
    """The resource in XML, UTF-8, elements in the order of the tables. `resource` must be valid by the tables."""
    root = _Writer(registry or load()).resource(resource)
    body: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False, pretty_print=pretty)
    return b'<?xml version="1.0" encoding="UTF-8"?>' + (b"\n" if pretty else b"") + body


def _root(data: bytes) -> Any:
    """Parse with everything off that reaches outside the text or grows beyond it."""
    declared = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        raise FhirError(Category.STRUCTURE, "XML must be in UTF-8")
    # A document type is where entities are declared, and FHIR has none (https://hl7.org/fhir/R4/security.html#narrative).
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise FhirError(Category.STRUCTURE, "XML with a document type declaration is refused")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" at line {line}" if line else ""
        raise FhirError(Category.STRUCTURE, f"not well-formed XML{where}") from None
    if root is None:
        raise FhirError(Category.STRUCTURE, "no XML element")
    return root


class _Reader:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def resource(self, node: Any, location: str, depth: int = 0) -> dict[str, Any]:
        namespace, name = _qualified(node, location)
        found = self._registry.types.get(name)
        if namespace != FHIR:
            raise FhirError(
                Category.STRUCTURE,
                f"element `{name[:40]}` is not in the namespace {FHIR}",
                (location,) * bool(location),
            )
        if found is None or found.kind != "resource" or found.abstract:
            raise FhirError(Category.STRUCTURE, f"`{name[:40]}` is not a resource type", (location,) * bool(location))
        if node.attrib:
            raise FhirError(Category.STRUCTURE, f"`{name}` takes no attributes", (location or name,))
        content: dict[str, Any] = {"resourceType": name}
        self._children(node, name, content, location or name, depth)
        return content

    def _children(self, node: Any, type_name: str, content: dict[str, Any], location: str, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise FhirError(Category.STRUCTURE, f"more than {DEPTH_MAX} elements inside each other")
        _no_text(node, location)
        order = {element.name: position for position, element in enumerate(self._registry.types[type_name].elements)}
        last = -1
        for child in node:
            namespace, key = _qualified(child, location)
            if namespace == XHTML and key == "div":
                found = self._registry.element(type_name, key)
                content[key] = _xhtml_text(child)
            elif namespace != FHIR:
                raise FhirError(Category.STRUCTURE, f"`{key[:40]}` is in another namespace", (location,))
            else:
                found = self._registry.element(type_name, key)
                self._add(child, found, key, content, f"{location}.{key}", depth)
            if found is not None:
                # The order of elements is fixed in XML: https://hl7.org/fhir/R4/xml.html
                position = order[found[0].name]
                if position < last:
                    raise FhirError(
                        Category.STRUCTURE,
                        f"`{key}` stands in the wrong place among its siblings",
                        (f"{location}.{key}",),
                    )
                last = position

    def _add(
        self, node: Any, found: tuple[Element, str] | None, key: str, content: dict[str, Any], location: str, depth: int
    ) -> None:
        value, twin = self._value(node, found[1] if found else None, location, depth + 1)
        if found is not None and found[0].max != 1:
            count = len(content.get(key) or content.get("_" + key) or ())
            for name, item in ((key, value), ("_" + key, twin)):
                if item is not None and name not in content:
                    content[name] = [None] * count
                if name in content:
                    content[name].append(item)
            return
        if key in content or "_" + key in content:  # one too many: kept as an array, which the validator refuses
            value = [*(content[key] if isinstance(content.get(key), list) else [content.get(key)]), value]
        if value is not None:
            content[key] = value
        if twin is not None:
            content["_" + key] = twin

    def _value(self, node: Any, code: str | None, location: str, depth: int) -> tuple[Any, dict[str, Any] | None]:
        """The JSON value of an element, and the object of its `_` twin if it is a primitive with id or extensions."""
        if code == "Resource":
            if len(node) != 1 or node.attrib:
                raise FhirError(Category.STRUCTURE, "exactly one resource is expected here", (location,))
            _no_text(node, location)
            return self.resource(node[0], location, depth + 1), None
        kind = self._registry.types[code] if code is not None else None
        attributes = dict(node.attrib)
        if kind is None:
            return attributes.get("value", {}), None
        content: dict[str, Any] = {}
        if "id" in attributes:
            content["id"] = attributes.pop("id")
        if kind.kind == "primitive":
            value = attributes.pop("value", None)
            _no_attributes(attributes, location)
            self._children(node, kind.name, content, location, depth)
            return None if value is None else _primitive(value, kind.name), content or None
        for name in list(attributes):
            element = self._registry.element(kind.name, name)
            if element is not None and element[0].attribute:
                content[name] = attributes.pop(name)
        _no_attributes(attributes, location)
        self._children(node, kind.name, content, location, depth)
        return content, None


def _qualified(node: Any, location: str) -> tuple[str, str]:
    if not isinstance(node.tag, str):
        raise FhirError(Category.STRUCTURE, "an entity reference is refused", (location,) * bool(location))
    name = etree.QName(node)
    return name.namespace or "", name.localname


def _no_text(node: Any, location: str) -> None:
    if (node.text and node.text.strip()) or any(child.tail and child.tail.strip() for child in node):
        raise FhirError(Category.STRUCTURE, "text is not allowed between elements", (location,))


def _no_attributes(attributes: Mapping[str, str], location: str) -> None:
    for name in attributes:
        raise FhirError(Category.STRUCTURE, f"unknown attribute `{name[:40]}`", (location,))


def _primitive(text: str, code: str) -> Any:
    """The JSON value; a text that is no such number or boolean stays text, which the validator refuses."""
    if code == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if code in _INTEGER_TYPES:
        return int(text) if _INTEGER.fullmatch(text) else text
    if code == "decimal" and len(text) <= fhir_json.DIGITS_MAX and _DECIMAL.fullmatch(text):
        number = Decimal(text)
        if -fhir_json.EXPONENT_MAX <= number.adjusted() <= fhir_json.EXPONENT_MAX:
            return int(text) if text.removeprefix("-").isdigit() and text != "-0" else number
    return text


def _xhtml_text(node: Any) -> str:
    """The div as JSON carries it: its own text, without the namespaces that only its surroundings need."""
    copy = etree.fromstring(etree.tostring(node, with_tail=False))
    etree.cleanup_namespaces(copy)
    text: str = etree.tostring(copy, encoding="unicode")
    return text


class _Writer:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def resource(self, resource: Mapping[str, Any], parent: Any = None) -> Any:
        name = resource["resourceType"]
        if parent is None:
            node = etree.Element(f"{{{FHIR}}}{name}", nsmap={None: FHIR})
        else:
            node = etree.SubElement(parent, f"{{{FHIR}}}{name}")
        self._children(node, name, resource)
        return node

    def _children(self, node: Any, type_name: str, content: Mapping[str, Any]) -> None:
        for element, key, code in self._keys(type_name, content):
            if element.attribute and self._registry.types[type_name].kind != "primitive":
                node.set(key, content[key])
                continue
            values, twins = content.get(key), content.get("_" + key)
            if element.max == 1:
                values, twins = [values], [twins]
            values, twins = values or [None] * len(twins or ()), twins or [None] * len(values or ())
            for value, twin in zip(values, twins, strict=True):
                self._element(node, key, code, value, twin)

    def _keys(self, type_name: str, content: Mapping[str, Any]) -> Iterator[tuple[Element, str, str]]:
        for element in self._registry.types[type_name].elements:
            if not element.choice:
                if element.name in content or "_" + element.name in content:
                    yield element, element.name, element.types[0]
                continue
            for code in element.types:
                key = element.name + code[0].upper() + code[1:]
                if key in content or "_" + key in content:
                    yield element, key, code

    def _element(self, parent: Any, key: str, code: str, value: Any, twin: Mapping[str, Any] | None) -> None:
        if code == "xhtml":
            parent.append(etree.fromstring(_without_named_entities(value)))
            return
        node = etree.SubElement(parent, f"{{{FHIR}}}{key}")
        if code == "Resource":
            self.resource(value, node)
        elif self._registry.types[code].kind == "primitive":
            if twin and "id" in twin:
                node.set("id", twin["id"])
            if value is not None:
                node.set("value", _lexical(value))
            for extension in (twin or {}).get("extension", ()):
                self._element(node, "extension", "Extension", extension, None)
        else:
            self._children(node, code, value)


def _lexical(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _without_named_entities(div: str) -> str:
    """`&nbsp;` and its kind mean nothing in XML without a document type: put the character itself."""

    def character(match: re.Match[str]) -> str:
        name = match[1]
        return match[0] if name in ("lt", "gt", "amp", "quot", "apos") else html5.get(name + ";", match[0])

    return _NAMED_ENTITY.sub(character, div)

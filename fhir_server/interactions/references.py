"""References within a Bundle: rewritten from what an entry called itself to where it is stored.

As R4 says: in Reference.reference, in elements of type uri, url, oid and uuid, and in `href` and `src` of a narrative;
not in canonicals, not in plain strings such as an Identifier's value.
https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from profiles.registry import Registry

Resolve: TypeAlias = Callable[[str], str]
"""The new text of a reference or uri; the same text if it stays."""

_URIS: Final = frozenset(("uri", "url", "oid", "uuid"))
_LINK: Final = re.compile(r"(?P<before>\b(?:href|src)\s*=\s*(?P<quote>[\"']))(?P<text>[^\"']+)(?P=quote)")
# What a string is besides a plain one. A string under any other code stays as it is.
_REFERENCE: Final = "Reference.reference"
_URI: Final = "uri"
_XHTML: Final = "xhtml"


def rewrite(resource: Mapping[str, Any], registry: Registry, reference: Resolve, uri: Resolve) -> Mapping[str, Any]:
    """The resource with `reference` applied to its references and `uri` to its uris; itself if nothing changes."""
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in registry.types:
        return resource
    return _object(resource, _codes(registry, name), registry, reference, uri)


@lru_cache(maxsize=4096)  # a few thousand types at most
def _codes(registry: Registry, holder: str) -> Mapping[str, str]:
    """By JSON key of the type, what its values are, where there can be anything in them to rewrite."""
    codes: dict[str, str] = {}
    if registry.types[holder].kind == "primitive":
        return codes  # an object where a plain value belongs: validation says so
    for element in registry.types[holder].elements:
        for type_code in element.types:
            key = element.name + type_code[0].upper() + type_code[1:] if element.choice else element.name
            if holder == "Reference" and key == "reference":
                codes[key] = _REFERENCE
            elif type_code in _URIS:
                if not (holder == "Extension" and key == "url"):
                    codes[key] = _URI
            elif type_code == "Resource" or type_code == _XHTML or registry.types[type_code].kind != "primitive":
                codes[key] = type_code
            codes["_" + key] = "Element"
    return codes


def _object(
    value: Mapping[str, Any], codes: Mapping[str, str], registry: Registry, reference: Resolve, uri: Resolve
) -> Mapping[str, Any]:
    changed: dict[str, Any] | None = None
    for key, item in value.items():
        code = codes.get(key)
        if code is None:  # nothing to rewrite, or no element of FHIR: validation says so
            continue
        new = _value(item, code, registry, reference, uri)
        if new is not item:
            changed = dict(value) if changed is None else changed
            changed[key] = new
    return value if changed is None else changed


def _value(item: Any, code: str, registry: Registry, reference: Resolve, uri: Resolve) -> Any:
    kind = type(item)
    if kind is dict:
        if code == "Resource":
            return rewrite(item, registry, reference, uri)
        return _object(item, _codes(registry, code), registry, reference, uri) if code in registry.types else item
    if kind is str:
        if code == _REFERENCE:
            new = reference(item)
        elif code == _URI:
            new = uri(item)
        elif code == _XHTML:
            new = _LINK.sub(lambda link: f"{link['before']}{uri(link['text'])}{link['quote']}", item)
        else:
            return item
        return item if new == item else new
    if kind is list:
        several = []
        changed = False
        for one in item:
            new = _value(one, code, registry, reference, uri) if type(one) is dict or type(one) is str else one
            changed = changed or new is not one
            several.append(new)
        return several if changed else item
    return item


def references_in(value: Any) -> list[str]:
    """The text of every Reference.reference in a resource, contained resources included."""
    found: list[str] = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list[str]) -> None:
    if type(value) is dict:
        for key, item in value.items():
            kind = type(item)
            if kind is str:
                if key == "reference":
                    found.append(item)
            elif kind is dict or kind is list:
                _collect(item, found)
    elif type(value) is list:
        for item in value:
            if type(item) is dict or type(item) is list:
                _collect(item, found)

"""References within a Bundle: rewritten from what an entry called itself to where it is stored.

As R4 says: in Reference.reference, in elements of type uri, url, oid and uuid, and in `href` and `src` of a narrative;
not in canonicals, not in plain strings such as an Identifier's value.
https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from profiles.registry import Registry

Resolve: TypeAlias = Callable[[str], str]
"""The new text of a reference or uri; the same text if it stays."""

_URIS: Final = frozenset(("uri", "url", "oid", "uuid"))
_LINK: Final = re.compile(r"(?P<before>\b(?:href|src)\s*=\s*(?P<quote>[\"']))(?P<text>[^\"']+)(?P=quote)")


def rewrite(resource: Mapping[str, Any], registry: Registry, reference: Resolve, uri: Resolve) -> Mapping[str, Any]:
    """The resource with `reference` applied to its references and `uri` to its uris; itself if nothing changes."""
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in registry.types:
        return resource
    changed: dict[str, Any] | None = None
    for key, item in resource.items():
        new = _value(item, name, key, registry, reference, uri)
        if new is not item:
            changed = dict(resource) if changed is None else changed
            changed[key] = new
    return resource if changed is None else changed


def _value(item: Any, holder: str, key: str, registry: Registry, reference: Resolve, uri: Resolve) -> Any:
    if key.startswith("_"):
        code = "Element"
    else:
        found = registry.element(holder, key)
        if found is None:
            return item  # no element of FHIR: validation says so
        code = found[1]
    if isinstance(item, str):
        if holder == "Reference" and key == "reference":
            new = reference(item)
        elif code in _URIS and not (holder == "Extension" and key == "url"):
            new = uri(item)
        elif code == "xhtml":
            new = _LINK.sub(lambda link: f"{link['before']}{uri(link['text'])}{link['quote']}", item)
        else:
            return item
        return item if new == item else new
    if isinstance(item, dict):
        return _object(item, code, registry, reference, uri)
    if isinstance(item, list):
        several = [
            _value(one, holder, key, registry, reference, uri) if isinstance(one, str | dict) else one for one in item
        ]
        return item if all(new is old for new, old in zip(several, item)) else several
    return item


def _object(
    value: dict[str, Any], code: str, registry: Registry, reference: Resolve, uri: Resolve
) -> Mapping[str, Any]:
    if code == "Resource":
        return rewrite(value, registry, reference, uri)
    if code not in registry.types:
        return value
    changed: dict[str, Any] | None = None
    for key, item in value.items():
        new = _value(item, code, key, registry, reference, uri)
        if new is not item:
            changed = dict(value) if changed is None else changed
            changed[key] = new
    return value if changed is None else changed


def references_in(value: Any) -> Iterator[str]:
    """The text of every Reference.reference in a resource, contained resources included."""
    if isinstance(value, Mapping):
        text = value.get("reference")
        if isinstance(text, str):
            yield text
        for item in value.values():
            if isinstance(item, dict | list):
                yield from references_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from references_in(item)

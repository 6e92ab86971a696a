"""Contained resources: known by an id of their own, and there because something refers to them.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Iterator, Mapping
from typing import Any

from profiles.registry import Registry
from profiles.rules.issue import Finding, Findings, token

_TO_CONTAINED = frozenset({"canonical", "uri", "url"})
_TO_CONTAINER = frozenset({"canonical"})


def check_contained(resource: Mapping[str, Any], registry: Registry) -> Findings:
    """Return the contained resources without an id, with an id that is taken, and those nothing refers to (dom-3)."""
    contained = resource.get("contained")
    if not isinstance(contained, list):
        return []
    findings: Findings = []
    seen: set[str] = set()
    used = set(local_references(resource, registry))
    for index, inner in enumerate(contained):
        if not isinstance(inner, dict):
            continue
        place, name = f".contained[{index}]", inner.get("id")
        if isinstance(name, str):
            if name in seen:
                text = f"the id {token(name)} is taken by another contained resource"
                findings.append(Finding("error", "value", text, f"{place}.id"))
            seen.add(name)
        if not is_used(inner, used, registry):
            what = f"with the id {token(name)} " if isinstance(name, str) else "without an id "
            text = f"dom-3: nothing refers to the contained resource {what}and it does not refer to its container"
            findings.append(Finding("error", "invariant", text, place))
    return findings


def is_used(inner: Mapping[str, Any], used: set[str], registry: Registry) -> bool:
    """Return whether the container refers to a contained resource, or that to its container (`#`)."""
    name = inner.get("id")
    return (isinstance(name, str) and "#" + name in used) or "#" in local_references(inner, registry, _TO_CONTAINER)


def local_references(
    resource: Mapping[str, Any], registry: Registry, types: frozenset[str] = _TO_CONTAINED
) -> Iterator[str]:
    """Yield each `#…` that a Reference or a primitive of `types` in the resource or in what it contains holds."""
    waiting: list[tuple[str, Mapping[str, Any]]] = [("Resource", resource)]
    while waiting:
        type_name, value = waiting.pop()
        if type_name == "Resource":
            type_name = str(value.get("resourceType"))
        if type_name not in registry.types:
            continue
        for key, item in value.items():
            found = registry.element(type_name, key.removeprefix("_"))
            if found is None:
                continue
            _, code = found
            local = code in types or (type_name == "Reference" and key == "reference")
            for one in item if isinstance(item, list) else (item,):
                if isinstance(one, dict):
                    # The twin of a primitive can only hold extensions.
                    waiting.append(("Element" if key[0] == "_" else code, one))
                elif local and isinstance(one, str) and one.startswith("#"):
                    yield one

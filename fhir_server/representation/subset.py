"""`_summary` and `_elements`: a resource with fewer elements, marked as such.

https://hl7.org/fhir/R4/search.html#summary
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from fhir_server.representation.negotiation import Preferences
from profiles.registry import Registry

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
ALWAYS = ("resourceType", "id", "meta")


def subset(resource: Mapping[str, Any], preferences: Preferences, registry: Registry) -> Mapping[str, Any]:
    """The resource with the elements that are asked for, the mandatory ones, and the tag SUBSETTED.

    A stored Bundle has hardly anything that is not part of its summary, and comes whole.
    """
    kind = resource["resourceType"]
    if kind == "Bundle" and not preferences.elements:
        return resource
    if preferences.elements:
        kept = _asked(kind, preferences.elements) | _mandatory(registry, kind)
    elif preferences.summary == "true":
        kept = frozenset(registry.summary_elements(kind)) | _mandatory(registry, kind)
    elif preferences.summary == "text":
        kept = frozenset({"text", "implicitRules"}) | _mandatory(registry, kind)
    elif preferences.summary == "data":
        kept = frozenset(e.name for e in registry.types[kind].elements) - {"text"}
    else:
        return resource
    summary_only = preferences.summary == "true" and not preferences.elements
    content: dict[str, Any] = {}
    for key, value in resource.items():
        if key in ALWAYS:
            content[key] = value
            continue
        found = registry.element(kind, key.removeprefix("_"))
        if found is not None and found[0].name in kept:
            content[key] = _summarised(value, found[1], registry) if summary_only else value
    return _marked(content)


def _summarised(value: Any, type_name: str, registry: Registry) -> Any:
    """Inside a backbone element the elements are chosen again; a data type comes whole."""
    if isinstance(value, list):
        return [_summarised(item, type_name, registry) for item in value]
    if not isinstance(value, Mapping) or registry.types[type_name].kind != "backbone":
        return value
    kept = frozenset(registry.summary_elements(type_name)) | _mandatory(registry, type_name)
    content = {}
    for key, item in value.items():
        found = registry.element(type_name, key.removeprefix("_"))
        if found is not None and found[0].name in kept:
            content[key] = _summarised(item, found[1], registry)
    return content


def _asked(kind: str, elements: Collection[str]) -> frozenset[str]:
    """`name`, or `Patient.name` for one type only; modifier elements that are left out are what SUBSETTED warns of."""
    names = set()
    for element in elements:
        type_name, dot, name = element.rpartition(".")
        if not dot or type_name == kind:
            names.add(name)
    return frozenset(names)


@cache
def _mandatory(registry: Registry, kind: str) -> frozenset[str]:
    """The mandatory elements, and the modifiers, without which the rest can be misread."""
    modifiers = {e.name for e in registry.types[kind].elements if e.modifier}
    return frozenset(registry.mandatory_elements(kind)) | modifiers


def _marked(content: dict[str, Any]) -> dict[str, Any]:
    meta = dict(content.get("meta", {}))
    meta["tag"] = [*meta.get("tag", ()), SUBSETTED]
    content["meta"] = meta
    return content

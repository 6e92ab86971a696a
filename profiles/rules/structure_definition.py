"""Differentials that can be applied: each path is an element of the type, each type profile constrains that very type.

https://hl7.org/fhir/R4/profiling.html and https://hl7.org/fhir/R4/elementdefinition.html#path
"""

from collections.abc import Mapping
from typing import Any

from profiles.registry import Registry
from profiles.rules.issue import Finding, Findings, token

_CORE = "http://hl7.org/fhir/StructureDefinition/"


def check_structure_definition(value: Mapping[str, Any], registry: Registry) -> Findings | None:
    """Return what keeps the differential of a profile on a base type from being applied to that type."""
    differential = value.get("differential")
    if value.get("derivation") != "constraint" or value.get("kind") == "logical" or not isinstance(differential, dict):
        return None
    elements = differential.get("element")
    findings: Findings = []
    for index, element in enumerate(elements if isinstance(elements, list) else ()):
        if not isinstance(element, dict):
            continue
        place = f".differential.element[{index}]"
        path = element.get("path")
        if isinstance(path, str) and not has_path(path, registry):
            text = f"there is no element {token(path)} in the type that the profile constrains"
            findings.append(Finding("error", "not-found", text, place + ".path"))
        findings += _check_types(element, place, registry)
    return findings or None


def has_path(path: str, registry: Registry) -> bool:
    """Return whether an element path exists in the base specification; True where it leaves what that defines.

    `Observation.value[x]`, `Observation.valueQuantity.code` and `Observation.component.value[x]` exist.
    """
    name, *steps = path.split(".")
    if name not in registry.types:
        return True  # a type of someone else's
    types: tuple[str, ...] = (name,)
    for step in steps:
        if any(registry.types[t].kind == "resource" and registry.types[t].abstract for t in types if t != name):
            return True  # `Bundle.entry.resource.…`: any resource
        types = tuple(dict.fromkeys(found for t in types for found in _types_of(t, step, registry)))
        if not types:
            return False
        types = tuple(t for t in types if t in registry.types)
        if not types:
            return True  # a System type: the value of a primitive
    return True


def _types_of(name: str, step: str, registry: Registry) -> tuple[str, ...]:
    """Return the types behind one step of a path; a choice may be written `value[x]` or with its type."""
    for element in registry.types[name].elements:
        if step == (f"{element.name}[x]" if element.choice else element.name):
            return element.types
    found = registry.element(name, step)
    return (found[1],) if found is not None and found[0].choice else ()


def _check_types(element: Mapping[str, Any], place: str, registry: Registry) -> Findings:
    findings: Findings = []
    types = element.get("type")
    for index, row in enumerate(types if isinstance(types, list) else ()):
        if not isinstance(row, dict) or not isinstance(row.get("profile"), list):
            continue
        code = row.get("code")
        for number, profile in enumerate(row["profile"]):
            if not isinstance(profile, str) or not isinstance(code, str):
                continue
            constrained = profile.partition("|")[0].removeprefix(_CORE)
            if constrained in registry.types and not _constrains(constrained, code, registry):
                # A value of type Quantity is written as valueQuantity; a Count never is.
                text = f"{token(profile)} defines `{constrained}`, which is no constraint of the type {token(code)}"
                findings.append(Finding("error", "invalid", text, f"{place}.type[{index}].profile[{number}]"))
    return findings


def _constrains(constrained: str, code: str, registry: Registry) -> bool:
    abstract = code in registry.types and registry.types[code].abstract
    return constrained == code or (abstract and registry.is_subtype(constrained, code))

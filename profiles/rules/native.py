"""Invariants that occur often or cost much, written by hand: True, False, or None to ask the expression.

Each says what its FHIRPath expression says, which a test holds on random input. https://hl7.org/fhir/R4/bundle.html,
https://hl7.org/fhir/R4/observation.html, https://hl7.org/fhir/R4/datatypes.html#Period
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from profiles.rules.scope import Scope

Native = Callable[[Mapping[str, Any], Scope], bool | None]


def _per_1(period: Mapping[str, Any], scope: Scope) -> bool | None:
    """start <= end, where both are written alike: then the order of the texts is that of the moments."""
    start, end = period.get("start"), period.get("end")
    if not isinstance(start, str) or not isinstance(end, str) or len(start) != len(end):
        return None
    if len(start) <= 10 or start[-1] == end[-1] == "Z" or start[-6:] == end[-6:]:
        return start <= end
    return None


def _bdl_3(bundle: Mapping[str, Any], scope: Scope) -> bool | None:
    return _entries_have("request", frozenset({"batch", "transaction", "history"}), bundle)


def _bdl_4(bundle: Mapping[str, Any], scope: Scope) -> bool | None:
    return _entries_have("response", frozenset({"batch-response", "transaction-response", "history"}), bundle)


def _entries_have(name: str, types: frozenset[str], bundle: Mapping[str, Any]) -> bool | None:
    entries, kind = _objects(bundle.get("entry")), bundle.get("type")
    if entries is None or not isinstance(kind, str):
        return None
    wanted = kind in types
    return all((name in entry) == wanted for entry in entries)


def _bdl_7(bundle: Mapping[str, Any], scope: Scope) -> bool | None:
    """No two entries with the same fullUrl and version."""
    entries = _objects(bundle.get("entry"))
    if entries is None or bundle.get("type") == "history" or not isinstance(bundle.get("type"), str):
        return None
    seen: set[str] = set()
    for entry in entries:
        url = entry.get("fullUrl")
        if url is None and "_fullUrl" not in entry:
            continue
        resource = entry.get("resource", {})
        meta = resource.get("meta", {}) if isinstance(resource, dict) else None
        version = meta.get("versionId", "") if isinstance(meta, dict) else None
        if not isinstance(url, str) or not isinstance(version, str):
            return None
        if url + version in seen:
            return False
        seen.add(url + version)
    return True


def _bdl_8(entry: Mapping[str, Any], scope: Scope) -> bool | None:
    url = entry.get("fullUrl")
    return "/_history/" not in url if isinstance(url, str) else None


def _dom_2(resource: Mapping[str, Any], scope: Scope) -> bool | None:
    contained = _objects(resource.get("contained"))
    return None if contained is None or any("contained" in inner for inner in contained) else True


def _dom_4(resource: Mapping[str, Any], scope: Scope) -> bool | None:
    return _metas_lack(frozenset({"versionId", "_versionId", "lastUpdated", "_lastUpdated"}), resource)


def _dom_5(resource: Mapping[str, Any], scope: Scope) -> bool | None:
    return _metas_lack(frozenset({"security"}), resource)


def _metas_lack(names: frozenset[str], resource: Mapping[str, Any]) -> bool | None:
    contained = _objects(resource.get("contained"))
    if contained is None:
        return None
    metas = _objects([inner["meta"] for inner in contained if "meta" in inner])
    return None if metas is None or any(not names.isdisjoint(meta) for meta in metas) else True


def _obs_7(observation: Mapping[str, Any], scope: Scope) -> bool | None:
    """No component has a coding of the code of the Observation: by sets, because both may have thousands."""
    components = _objects(observation.get("component"))
    if components is None or scope.resource is not observation:
        return None
    own = _codings(observation.get("code"))
    if own is None:
        return None
    for component in components:
        codings = _codings(component.get("code"))
        if codings is None:
            return None
        if not own.isdisjoint(codings):
            return False
    return True


def _codings(concept: Any) -> set[Any] | None:
    codings = _objects(concept.get("coding", [])) if isinstance(concept, dict) else None
    return None if codings is None else {_frozen(coding) for coding in codings}


def _frozen(value: Any) -> Any:
    """The value in a form that can be in a set; what FHIRPath calls equal is equal, the order of properties aside."""
    if isinstance(value, dict):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _objects(items: Any) -> list[dict[str, Any]] | None:
    return items if isinstance(items, list) and all(isinstance(item, dict) for item in items) else None


NATIVE: Final[Mapping[str, Native]] = {
    "bdl-3": _bdl_3,
    "bdl-4": _bdl_4,
    "bdl-7": _bdl_7,
    "bdl-8": _bdl_8,
    "dom-2": _dom_2,
    "dom-4": _dom_4,
    "dom-5": _dom_5,
    "obs-7": _obs_7,
    "per-1": _per_1,
}

"""Hold a resource against the base specification: every issue, each with its FHIRPath location.

https://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from profiles import json
from profiles.registry import Registry
from profiles.rules.issue import Issue
from profiles.rules.scope import Scope
from profiles.rules.types import TypeRules

__all__ = ["Issue", "iter_issues", "validate_bytes"]


def iter_issues(resource: Mapping[str, Any], registry: Registry, *, type: str | None = None) -> Iterator[Issue]:
    """Yield everything that is wrong with a parsed resource (see `profiles.json.parse`); nothing when it is valid.

    `type` is the resource type that is expected, when the caller knows. Issues of severity `error` break a rule,
    `warning` a recommendation. Structure, cardinality, formats, required bindings, invariants, references, contained
    resources and narrative are checked; profiles, and terminologies that the registry does not hold, are not.
    """
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    root = name if isinstance(name, str) and name in registry.types else type or "Resource"
    try:
        findings = _rules(registry).check_resource(resource, Scope, type or "")
    except RecursionError:
        yield Issue("error", "structure", "objects and arrays are nested too deeply to be checked", root)
        return
    for finding in findings or ():
        yield Issue(finding.severity, finding.code, finding.text, root + finding.path)


def validate_bytes(data: bytes, registry: Registry) -> list[Issue]:
    """Return the issues of a resource in JSON; what is no acceptable JSON gives one issue with code `structure`."""
    try:
        resource = json.parse(data)
    except json.JsonError as error:
        name = error.expression if error.expression[:1].isupper() else ""
        return [Issue("error", "structure", error.diagnostics, name)]
    return list(iter_issues(resource, registry))


@lru_cache(maxsize=4)  # registries are few and live as long as the process
def _rules(registry: Registry) -> TypeRules:
    return TypeRules(registry)

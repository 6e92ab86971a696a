"""Primitive values and their `_element` twins: value and extensions of one thing, written as two JSON properties.

https://hl7.org/fhir/R4/json.html#primitive
"""

from collections.abc import Callable, Mapping
from typing import Any

from profiles.rules.issue import Code, Finding, Findings, moved, token
from profiles.rules.objects import ObjectRules, OtherCheck, check_object, not_an_array
from profiles.rules.scope import Scope

Holds = Callable[[Any], bool]


def explain(key: str, code: Code, rule: str, step: str) -> Callable[[Any], Finding]:
    """Return what tells why a single value breaks `rule` ("an existing date …"), with `step` as its location."""

    def finding(value: Any) -> Finding:
        if isinstance(value, (dict, list)) or value is None:
            return Finding("error", "structure", f"`{key}` is a single primitive value, not {token(value)}", step)
        if value == "":
            return Finding("error", "value", f"`{key}` must not be an empty string", step)
        shown = token(value) if isinstance(value, str) else f"the json value {token(value)}"
        return Finding("error", code, f"`{key}`: {shown} is not {rule}", step)

    return finding


def array_of_values(key: str, holds: Holds, tell: Callable[[Any], Finding]) -> OtherCheck:
    """Return the check of a repeating primitive: null stands where only the twin array says something."""
    twin_key = "_" + key

    def check(owner: Mapping[str, Any], items: Any, scope: Scope) -> Findings | None:
        if type(items) is not list or not items:
            return [not_an_array(key, items, "")]
        findings: Findings = []
        for index, item in enumerate(items):
            if item is None:
                twin = owner.get(twin_key)
                if not isinstance(twin, list) or index >= len(twin) or twin[index] is None:
                    text = f"null in `{key}` needs an extension at the same place in `{twin_key}`"
                    findings.append(Finding("error", "structure", text, f"[{index}]"))
            elif not holds(item):
                findings += moved([tell(item)], f"[{index}]")
        return findings

    return check


def twin_of_value(key: str, rules: ObjectRules) -> OtherCheck:
    """Return the check of `_key` for a single primitive: an Element, which has an extension when there is no value."""

    def check(owner: Mapping[str, Any], twin: Any, scope: Scope) -> Findings | None:
        findings = check_object(rules, twin, scope)
        if findings is None and key not in owner and "extension" not in twin:
            return [_no_content(key)]
        return findings

    return check


def twin_of_array(key: str, rules: ObjectRules) -> OtherCheck:
    """Return the check of `_key` for a repeating primitive: as long as the array of values, null where it is silent."""

    def check(owner: Mapping[str, Any], twins: Any, scope: Scope) -> Findings | None:
        if type(twins) is not list or not twins:
            return [not_an_array("_" + key, twins, "")]
        values = owner.get(key)
        findings: Findings = []
        if isinstance(values, list) and len(values) != len(twins):
            text = f"`_{key}` has {len(twins)} items where `{key}` has {len(values)}"
            findings.append(Finding("error", "structure", text))
        for index, twin in enumerate(twins):
            has_value = isinstance(values, list) and index < len(values) and values[index] is not None
            if twin is None:
                if not has_value and not isinstance(values, list):
                    findings.append(Finding("error", "structure", f"null in `_{key}` needs a value", f"[{index}]"))
                continue
            below = check_object(rules, twin, scope)
            if below is None and not has_value and "extension" not in twin:
                below = [_no_content(key)]
            if below:
                findings += moved(below, f"[{index}]")
        return findings

    return check


def _no_content(key: str) -> Finding:
    return Finding("error", "invariant", f"ele-1: `{key}` has neither a value nor an extension")

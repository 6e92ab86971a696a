"""Required bindings: the code is one of the value set.

https://hl7.org/fhir/R4/terminologies.html#required
"""

from collections.abc import Callable, Mapping
from typing import Any

from profiles.registry import ValueSet
from profiles.rules.issue import Finding, Findings, token
from profiles.rules.scope import Scope


def code_rule(valueset: ValueSet) -> Callable[[Any], bool]:
    """Return the check of a `code`: its system is implied by the value set."""
    codes = frozenset(code for _, code in valueset.codes)
    return lambda value: type(value) is str and value in codes


def concept_rule(valueset: ValueSet) -> Callable[[Mapping[str, Any], Scope], Findings | None]:
    """Return the check of a CodeableConcept: one of its codings has to be in the value set."""

    def check(value: Mapping[str, Any], scope: Scope) -> Findings | None:
        codings = value.get("coding")
        if codings is None and "extension" in value:
            return None  # said to be absent, with the reason
        if isinstance(codings, list) and any(_has(valueset, coding) for coding in codings):
            return None
        return [Finding("error", "code-invalid", f"no coding is in the required value set `{valueset.url}`")]

    return check


def coding_rule(valueset: ValueSet) -> Callable[[Mapping[str, Any], Scope], Findings | None]:
    """Return the check of a Coding."""

    def check(value: Mapping[str, Any], scope: Scope) -> Findings | None:
        if _has(valueset, value) or ("code" not in value and "extension" in value):
            return None
        text = f"code {token(value.get('code'))} is not in the required value set `{valueset.url}`"
        return [Finding("error", "code-invalid", text)]

    return check


def _has(valueset: ValueSet, coding: object) -> bool:
    if not isinstance(coding, dict):
        return False
    system, code = coding.get("system"), coding.get("code")
    return isinstance(system, str) and isinstance(code, str) and valueset.contains(system, code)

"""What validation finds: an Issue for the caller, and the Finding that grows its location on the way up.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]
# The part of https://hl7.org/fhir/R4/valueset-issue-type.html that the base specification's rules need.
Code = Literal["structure", "required", "value", "invariant", "code-invalid", "invalid", "not-found", "extension"]

ECHO_MAX = 40  # characters of an offending token that a message may repeat


class Issue(msgspec.Struct, frozen=True):
    """One OperationOutcome.issue; `expression` is a FHIRPath location such as `Patient.name[0].given[1]`."""

    severity: Severity
    code: Code
    diagnostics: str
    expression: str


class Finding:
    """An issue whose location is still relative to the value that was checked: `""`, `.given[1]`, `[0].use`.

    Locations are only put together for what is wrong, so that a valid resource pays nothing for them.
    """

    __slots__ = ("code", "path", "severity", "text")

    def __init__(self, severity: Severity, code: Code, text: str, path: str = "") -> None:
        self.severity: Severity = severity
        self.code: Code = code
        self.text = text
        self.path = path


Findings = list[Finding]


def moved(findings: Findings, step: str) -> Findings:
    """Return the findings, their locations told from one step higher (`.name`, `[2]`)."""
    for finding in findings:
        finding.path = step + finding.path
    return findings


def token(value: object) -> str:
    """Return `value` in backticks for a message, cut short: a message never carries a whole value of a dossier."""
    text = value if isinstance(value, str) else _kind(value)
    return f"`{text[:ECHO_MAX]}…`" if len(text) > ECHO_MAX else f"`{text}`"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    # A long number is cut by its size: printing a huge int is quadratic.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**ECHO_MAX:
        return "a long number"
    return str(value).lower() if isinstance(value, bool) else str(value)

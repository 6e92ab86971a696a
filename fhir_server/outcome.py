"""The one error shape: a category, what is wrong, and where; every answer that refuses is made from it.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Category(Enum):
    """What went wrong → (HTTP status, code of https://hl7.org/fhir/R4/valueset-issue-type.html)."""

    STRUCTURE = (400, "structure")  # not JSON, not XML, not a resource
    INVALID = (400, "invalid")  # content that breaks a rule of the request
    VALUE = (400, "value")  # an element or parameter whose value is out of its range
    UNKNOWN_PARAMETER = (400, "not-supported")
    LOGIN = (401, "login")
    UNKNOWN_TOKEN = (401, "unknown")
    FORBIDDEN = (403, "forbidden")  # the scope of the token falls short; never used for what consent withholds
    NOT_FOUND = (404, "not-found")  # absent, hidden, never there: one and the same
    NOT_SUPPORTED = (404, "not-supported")  # an interaction or operation that this server does not have
    METHOD = (405, "not-supported")
    NOT_ACCEPTABLE = (406, "not-supported")
    CONFLICT = (409, "conflict")
    GONE = (410, "deleted")
    DUPLICATE_MATCH = (412, "multiple-matches")
    VERSION = (412, "conflict")  # If-Match names another version than the current one
    TOO_LARGE = (413, "too-long")
    MEDIA_TYPE = (415, "not-supported")
    UNPROCESSABLE = (422, "processing")  # a resource that breaks its profile or a business rule
    TOO_COSTLY = (422, "too-costly")
    THROTTLED = (429, "throttled")
    EXCEPTION = (500, "exception")
    UNAVAILABLE = (503, "transient")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def code(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue. `expression` holds FHIRPath locations such as `Patient.name[0].use`."""

    severity: str  # fatal | error | warning | information
    code: str
    diagnostics: str
    expression: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.diagnostics}
        if self.expression:
            issue["expression"] = list(self.expression)
        return issue


class FhirError(Exception):
    """A request that is refused: lower case, no full stop, input in backticks, never a hint of a hidden resource."""

    def __init__(
        self,
        category: Category,
        diagnostics: str,
        expression: Sequence[str] = (),
        issues: Iterable[Issue] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(diagnostics)
        self.category = category
        self.diagnostics = diagnostics
        self.expression = tuple(expression)
        self.headers = tuple(headers)
        self.issues = tuple(issues) or (Issue("error", category.code, diagnostics, self.expression),)

    def within(self, location: str) -> "FhirError":
        """The same error, said of a part: `Patient.name` in `Bundle.entry[3]` is `Bundle.entry[3].resource.name`."""
        issues = [
            Issue(i.severity, i.code, f"{location}: {i.diagnostics}", _below(location, i.expression))
            for i in self.issues
        ]
        expression = _below(location, self.expression)
        return FhirError(self.category, f"{location}: {self.diagnostics}", expression, issues, self.headers)

    def outcome(self) -> dict[str, Any]:
        return operation_outcome(self.issues)


def _below(location: str, expressions: Sequence[str]) -> tuple[str, ...]:
    """Expressions that begin with a resource type are of the resource in that part, others of the part itself."""
    if not expressions:
        return (location,)
    joined = []
    for expression in expressions:
        first, dot, rest = expression.partition(".")
        if first[:1].isupper() and first != "Bundle":
            joined.append(f"{location}.resource{dot}{rest}")
        else:
            joined.append(expression if first == "Bundle" else f"{location}.{expression}")
    return tuple(joined)


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An OperationOutcome; `all ok` when there is nothing to say."""
    listed = [issue.to_json() for issue in issues]
    if not listed:
        listed = [{"severity": "information", "code": "informational", "diagnostics": "all ok"}]
    return {"resourceType": "OperationOutcome", "issue": listed}

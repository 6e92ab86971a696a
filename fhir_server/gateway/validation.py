"""What is refused before it is stored: every issue at once.

400 if something is structurally wrong (shape, cardinality, formats, codes), 422 if only invariants fail: R4 gives 400
to "failed basic FHIR validation rules" and 422 to "violated applicable FHIR profiles or server business rules".
https://hl7.org/fhir/R4/http.html#create
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.outcome import Category, FhirError, Issue
from profiles.registry import Registry
from profiles.validate import iter_issues


def issues(resource: Mapping[str, Any], registry: Registry) -> tuple[Issue, ...]:
    """Everything that validation finds, warnings included."""
    return tuple(
        Issue(found.severity, found.code, found.diagnostics, (found.expression,) if found.expression else ())
        for found in iter_issues(resource, registry)
    )


def check(resource: Mapping[str, Any], registry: Registry) -> None:
    """Raises FhirError with all errors; warnings do not hold up a resource."""
    errors = [issue for issue in issues(resource, registry) if issue.severity in ("error", "fatal")]
    if not errors:
        return
    by_rule = all(issue.code in ("invariant", "business-rule") for issue in errors)
    category = Category.UNPROCESSABLE if by_rule else Category.STRUCTURE
    raise FhirError(category, errors[0].diagnostics, errors[0].expression, errors)

"""Ask the validator about one resource; what tests of rules read."""

from typing import Any

from profiles.registry import load
from profiles.validate import iter_issues

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'


def errors(resource: Any) -> list[tuple[str, str]]:
    """(location, diagnostics) of each error."""
    return [(i.expression, i.diagnostics) for i in iter_issues(resource, load()) if i.severity == "error"]


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **elements}


def observation(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, **elements}


def says(resource: Any, location: str, *words: str) -> bool:
    """Whether there is exactly one error, there, and it has all these words; else it is shown."""
    found = errors(resource)
    if len(found) == 1 and found[0][0] == location and all(word in found[0][1] for word in words):
        return True
    raise AssertionError(f"expected one error at {location} with {words}, found {found}")

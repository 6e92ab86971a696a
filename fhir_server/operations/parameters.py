"""What an operation is given: in the query string, or in a Parameters resource. https://hl7.org/fhir/R4/operations.html"""

from collections.abc import Mapping
from typing import Any

from fhir_server.interactions.body import resource_in
from fhir_server.interactions.exchange import Request
from fhir_server.outcome import Category, FhirError

_REPRESENTATION = frozenset(("_format", "_pretty"))


def pairs_in(request: Request) -> tuple[tuple[str, str], ...]:
    """Simple parameters from the query string and, of a POST, the Parameters body; values as in a query string."""
    pairs = [pair for pair in request.parameters if pair[0] not in _REPRESENTATION]
    if request.method == "POST" and request.body:
        body = resource_in(request, "Parameters")
        for part in _parts(body):
            name = part.get("name")
            value = next((item for key, item in part.items() if key.startswith("value")), None)
            if not isinstance(name, str) or not isinstance(value, str | int | bool):
                raise FhirError(
                    Category.INVALID, "a parameter has a name and a simple value", ("Parameters.parameter",)
                )
            pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return tuple(pairs)


def part_resource(parameters: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The resource in the parameter of this name, None if there is none."""
    for part in _parts(parameters):
        if part.get("name") == name and isinstance(part.get("resource"), Mapping):
            resource: Mapping[str, Any] = part["resource"]
            return resource
    return None


def part_value(parameters: Mapping[str, Any], name: str) -> Any:
    """The value[x] of the parameter of this name, None if there is none."""
    for part in _parts(parameters):
        if part.get("name") == name:
            return next((value for key, value in part.items() if key.startswith("value")), None)
    return None


def _parts(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = parameters.get("parameter", [])
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise FhirError(Category.STRUCTURE, "`parameter` is not an array of objects", ("Parameters.parameter",))
    return parts

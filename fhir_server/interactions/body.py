"""The resource or the form that comes with a request. https://hl7.org/fhir/R4/http.html#mime-type"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from fhir_server.interactions.exchange import Request
from fhir_server.outcome import Category, FhirError
from fhir_server.representation.body import read_resource
from fhir_server.representation.negotiation import sent


def resource_in(request: Request, type: str = "") -> Mapping[str, Any]:
    """The resource in the body. Raises FhirError: 400 if it is of another type than the path says, 415, …"""
    resource = (
        read_resource(request.body, request.headers, type=type) if isinstance(request.body, bytes) else request.body
    )
    found = resource.get("resourceType")
    if not isinstance(found, str):
        raise FhirError(Category.STRUCTURE, "the body has no `resourceType`", ("resourceType",))
    if type and found != type:
        raise FhirError(
            Category.INVALID, f"the body is of type `{found[:40]}` where the path says {type}", ("resourceType",)
        )
    return resource


def form_in(request: Request) -> tuple[tuple[str, str], ...]:
    """The pairs of a form body, () if there is no body. https://hl7.org/fhir/R4/search.html#Introduction"""
    if not request.body:
        return ()
    if not isinstance(request.body, bytes) or sent(request.headers) != "form":
        raise FhirError(Category.MEDIA_TYPE, "a search by POST is sent as application/x-www-form-urlencoded")
    return query_pairs(request.body.decode("latin-1"))


def query_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string; a blank value stays. Raises FhirError if it is not UTF-8 once decoded."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000))
    except ValueError:
        raise FhirError(Category.INVALID, "the parameters are not percent-encoded UTF-8") from None

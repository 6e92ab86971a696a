"""The resource in a request body: JSON or XML by its Content-Type, or any bytes at all as a Binary.

https://hl7.org/fhir/R4/http.html#mime-type
"""

import base64
from collections.abc import Mapping
from typing import Any

from fhir_server.outcome import Category, FhirError
from fhir_server.representation import xml
from fhir_server.representation.negotiation import sent
from profiles import json as fhir_json


def read_resource(body: bytes, headers: Mapping[str, str], *, type: str = "") -> dict[str, Any]:
    """The JSON form of the resource in the body. `type` is what the path says; `Binary` takes any content type.

    Raises FhirError: MEDIA_TYPE for another content type, STRUCTURE for a text that is not JSON or XML or no resource.
    """
    kind = sent(headers, binary=type == "Binary")
    if kind == "native":
        return _binary(body, headers)
    if kind not in ("json", "xml"):
        raise FhirError(Category.MEDIA_TYPE, "a resource is sent as application/fhir+json or application/fhir+xml")
    if not body:
        raise FhirError(Category.STRUCTURE, "the body is empty where a resource is expected")
    return xml.parse(body) if kind == "xml" else parse_json(body)


def parse_json(body: bytes) -> dict[str, Any]:
    """The JSON object in the body. Raises FhirError(STRUCTURE), or TOO_COSTLY for one that is only nested too deep."""
    try:
        return fhir_json.parse(body)
    except fhir_json.JsonError as error:
        expression = (error.expression,) if error.expression else ()
        too_deep = isinstance(error, fhir_json.TooDeepError)
        raise FhirError(
            Category.TOO_COSTLY if too_deep else Category.STRUCTURE, error.diagnostics, expression
        ) from None


def _binary(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/binary.html#rest"""
    content_type = headers.get("content-type", "").strip()
    resource: dict[str, Any] = {"resourceType": "Binary", "contentType": content_type or "application/octet-stream"}
    if "x-security-context" in headers:
        resource["securityContext"] = {"reference": headers["x-security-context"]}
    if body:
        resource["data"] = base64.b64encode(body).decode("ascii")
    return resource

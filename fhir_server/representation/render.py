"""From what an interaction answers to bytes and a Content-Type: the last step before the wire.

https://hl7.org/fhir/R4/resource-formats.html
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from fhir_server.gateway.release import Bundle, Content, Released
from fhir_server.outcome import Category, FhirError
from fhir_server.representation import xml
from fhir_server.representation.bundle import bundle_json
from fhir_server.representation.negotiation import CONTENT_TYPES, Preferences
from fhir_server.representation.subset import subset
from profiles import json as fhir_json
from profiles.registry import Registry


def render(content: Content, preferences: Preferences, registry: Registry) -> tuple[bytes, str]:
    """The bytes and their Content-Type; (b"", "") for no content. JSON of a stored resource is the stored text."""
    if content is None:
        return b"", ""
    if preferences.format == "native":
        if isinstance(content, Released):
            return _native(content)
        preferences = Preferences("json", preferences.pretty)
    whole = preferences.summary in ("false", "count") and not preferences.elements

    def resource_json(resource: Released | Mapping[str, Any]) -> bytes:
        if not isinstance(resource, Released):  # what this server composed itself is never cut down
            return fhir_json.dumps(resource)
        if whole or not resource.body:
            return resource.body
        return fhir_json.dumps(subset(fhir_json.parse(resource.body), preferences, registry))

    text = bundle_json(content, resource_json) if isinstance(content, Bundle) else resource_json(content)
    if not text:
        return b"", ""
    if preferences.format == "xml":
        text = xml.serialize(fhir_json.parse(text), registry, pretty=preferences.pretty)
    elif preferences.pretty:
        text = fhir_json.dumps(fhir_json.parse(text), pretty=True)
    if preferences.pretty:
        text = text.rstrip() + b"\n"  # for whoever reads it in a terminal
    return text, CONTENT_TYPES[preferences.format]


def _native(released: Released) -> tuple[bytes, str]:
    """The content of a Binary as it is. https://hl7.org/fhir/R4/binary.html#rest"""
    resource: Mapping[str, Any] = fhir_json.parse(released.body)
    try:
        data = base64.b64decode(resource.get("data", ""), validate=False)
    except binascii.Error:
        raise FhirError(Category.NOT_ACCEPTABLE, "the content of this Binary is not base64") from None
    return data, resource["contentType"]

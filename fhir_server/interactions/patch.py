"""patch and conditional patch: JSON Patch or FHIRPath Patch by the content type.

https://hl7.org/fhir/R4/http.html#patch
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from fhir_server.gateway.access import not_found
from fhir_server.gateway.unit import Staged, Unit
from fhir_server.interactions.answers import written_response
from fhir_server.interactions.body import resource_in
from fhir_server.interactions.conditions import condition, single_match
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.patching.fhirpath_patch import apply_fhirpath_patch
from fhir_server.interactions.patching.json_patch import apply_json_patch
from fhir_server.interactions.versions import if_match
from fhir_server.outcome import Category, FhirError
from fhir_server.representation.negotiation import sent
from profiles import json
from profiles.registry import Registry

Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]


async def patch(request: Request) -> Response:
    type, id = request.segments
    session = request.session
    session.require(type, "u")
    change = change_in(request)
    version = if_match(request.headers)
    _, written = await session.write("patch", f"{type}/{id}", lambda unit: unit.patch(type, id, change, version))
    return written_response(request, 200, written[0])


async def conditional_patch(request: Request) -> Response:
    (type,) = request.segments
    session = request.session
    session.require(type, "u")
    change = change_in(request)
    query = condition(session.context(), type, request.parameters)
    version = if_match(request.headers)

    async def stage(unit: Unit) -> Staged:
        existing = await single_match(unit, query)
        if existing is None:
            raise not_found()
        return await unit.patch(type, existing.id, change, version)

    _, written = await session.write("patch", type, stage)
    return written_response(request, 200, written[0])


def change_in(request: Request) -> Change:
    """What the body does to a resource. Raises FhirError: 415 for other content types, 400 for what is no patch."""
    if isinstance(request.body, bytes) and sent(request.headers) == "json-patch":
        return json_patch(request.body)
    return patch_of(resource_in(request), request.session.registry)


def patch_of(resource: Mapping[str, Any], registry: Registry) -> Change:
    """A Parameters as FHIRPath Patch; a Binary (in a Bundle) as the JSON Patch in it.

    https://hl7.org/fhir/R4/http.html#patch: "in a batch/transaction, JSON Patch is carried in a Binary resource"
    """
    if resource.get("resourceType") == "Parameters":
        return lambda current: apply_fhirpath_patch(current, resource, registry)
    if resource.get("resourceType") == "Binary" and resource.get("contentType") == "application/json-patch+json":
        try:
            return json_patch(base64.b64decode(str(resource.get("data", "")), validate=True))
        except binascii.Error:
            raise FhirError(Category.STRUCTURE, "the data is not base64", ("Binary.data",)) from None
    raise FhirError(Category.MEDIA_TYPE, "a patch is application/json-patch+json or a Parameters resource")


def json_patch(body: bytes) -> Change:
    operations = _json_array(body)
    return lambda current: apply_json_patch(current, operations)


def _json_array(body: bytes) -> Any:
    """Parsed as strictly as a resource is: as the one member of an object."""
    try:
        wrapped = json.parse(b'{"patch":' + body + b"}")
    except json.JsonError as error:
        raise FhirError(Category.STRUCTURE, error.diagnostics) from None
    if len(wrapped) != 1:
        raise FhirError(Category.STRUCTURE, "malformed json: a JSON Patch is one array")
    return wrapped["patch"]

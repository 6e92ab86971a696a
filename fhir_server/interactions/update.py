"""update and conditional update. https://hl7.org/fhir/R4/http.html#update"""

from collections.abc import Mapping
from typing import Any

from fhir_server.gateway.unit import Staged, Unit
from fhir_server.interactions.answers import written_response
from fhir_server.interactions.body import resource_in
from fhir_server.interactions.conditions import condition, single_match
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.versions import if_match
from fhir_server.outcome import Category, FhirError
from fhir_server.representation.negotiation import sent
from fhir_server.search.query import Query


async def update(request: Request) -> Response:
    type, id = request.segments
    session = request.session
    session.require(type, "u")
    resource = resource_in(request, type)
    if type == "Binary" and "id" not in resource and sent(request.headers, binary=True) == "native":
        resource = {**resource, "id": id}  # bytes as they are carry no id
    if resource.get("id") != id:
        raise FhirError(Category.INVALID, "the id in the body must be the id in the path", (f"{type}.id",))
    version = if_match(request.headers)
    staged, written = await session.write("update", f"{type}/{id}", lambda unit: unit.update(resource, version))
    return written_response(request, 201 if staged.action == "create" else 200, written[0])


async def conditional_update(request: Request) -> Response:
    (type,) = request.segments
    session = request.session
    session.require(type, "u")
    resource = resource_in(request, type)
    query = condition(session.context(), type, request.parameters)
    version = if_match(request.headers)
    staged, written = await session.write("update", type, lambda unit: update_where(unit, query, resource, version))
    return written_response(request, 201 if staged.action == "create" else 200, written[0])


async def update_where(unit: Unit, query: Query, resource: Mapping[str, Any], version: int | None) -> Staged:
    """None matches: create, under the body's id if it has one; one does: update it. Raises FhirError 412 if several do.

    https://hl7.org/fhir/R4/http.html#cond-update
    """
    if not isinstance(resource.get("id", ""), str):
        raise FhirError(Category.INVALID, "an id is a string", (f"{resource['resourceType']}.id",))
    existing = await single_match(unit, query)
    if existing is None:
        return await (unit.update(resource, version) if "id" in resource else unit.create(resource))
    if resource.get("id", existing.id) != existing.id:
        raise FhirError(
            Category.INVALID, "the id in the body is not that of the resource that matches", (f"{existing.type}.id",)
        )
    return await unit.update({**resource, "id": existing.id}, version)

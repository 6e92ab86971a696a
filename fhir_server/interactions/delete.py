"""delete and conditional delete. https://hl7.org/fhir/R4/http.html#delete"""

from fhir_server.gateway.unit import Staged, Unit
from fhir_server.interactions.answers import deleted_response
from fhir_server.interactions.conditions import condition, single_match
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.versions import if_match


async def delete(request: Request) -> Response:
    type, id = request.segments
    version = if_match(request.headers)
    _, written = await request.session.write("delete", f"{type}/{id}", lambda unit: unit.delete(type, id, version))
    return deleted_response(request, written[0] if written else None)


async def conditional_delete(request: Request) -> Response:
    """Several matches are refused (`conditionalDelete: single`): deleting more than was meant cannot be undone."""
    (type,) = request.segments
    session = request.session
    session.require(type, "d")
    query = condition(session.context(), type, request.parameters)
    version = if_match(request.headers)

    async def stage(unit: Unit) -> Staged | None:
        existing = await single_match(unit, query)
        return await unit.delete(type, existing.id, version) if existing is not None else None

    _, written = await session.write("delete", type, stage)
    return deleted_response(request, written[0] if written else None)

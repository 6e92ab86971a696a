"""create and conditional create. https://hl7.org/fhir/R4/http.html#create"""

from fhir_server.gateway.release import Released
from fhir_server.gateway.unit import Staged, Unit
from fhir_server.interactions.answers import written_response
from fhir_server.interactions.body import resource_in
from fhir_server.interactions.conditions import condition_text, single_match
from fhir_server.interactions.exchange import Request, Response
from fhir_server.outcome import Category, FhirError
from fhir_server.representation.negotiation import FORM_PARAMETERS, prefer_lenient


async def create(request: Request) -> Response:
    (type,) = request.segments
    session = request.session
    session.require(type, "c")
    _refuse_criteria(request)
    resource = resource_in(request, type)
    text = request.headers.get("if-none-exist")
    query = condition_text(session.context(), type, text) if text is not None else None

    async def stage(unit: Unit) -> Staged | Released:
        existing = await single_match(unit, query) if query is not None else None
        return existing if existing is not None else await unit.create(resource)

    staged, written = await session.write("create", type, stage)
    if isinstance(staged, Released):
        return written_response(request, 200, staged)
    return written_response(request, 201, written[0])


def _refuse_criteria(request: Request) -> None:
    """Some clients put the criteria of a conditional create in the URL; passing over them would make duplicates."""
    others = [name for name, _ in request.parameters if name not in FORM_PARAMETERS]
    if others and not prefer_lenient(request.headers):
        raise FhirError(
            Category.UNKNOWN_PARAMETER,
            f"`{others[0][:40]}` has no meaning for create: criteria stand in the header If-None-Exist",
        )

"""vread: one version of a resource. https://hl7.org/fhir/R4/http.html#vread"""

from fhir_server.gateway.access import not_found
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.versions import not_modified, version_headers, version_number


async def vread(request: Request) -> Response:
    type, id, _, text = request.segments
    version = version_number(text)
    request.session.require(type, "r")
    if version is None:
        raise not_found()
    released = await request.session.vread(type, id, version)
    headers = version_headers(released)
    if not_modified(request.headers, released):
        return Response(304, None, headers)
    return Response(200, released, headers)

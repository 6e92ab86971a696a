"""read and conditional read. https://hl7.org/fhir/R4/http.html#read"""

from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.versions import not_modified, version_headers


async def read(request: Request) -> Response:
    released = await request.session.read(*request.segments)
    headers = version_headers(released)
    if not_modified(request.headers, released):
        return Response(304, None, headers)
    return Response(200, released, headers)

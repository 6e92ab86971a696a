"""history of a resource, a type, or the whole system. https://hl7.org/fhir/R4/http.html#history"""

from collections.abc import Sequence
from typing import Any

from fhir_server.gateway.release import Bundle, Entry, Released
from fhir_server.gateway.stored_text import instant
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.links import page_links
from fhir_server.interactions.versions import etag
from fhir_server.outcome import Category, FhirError
from fhir_server.search.dates import date_range
from fhir_server.search.parse import CURSOR
from fhir_server.search.results import read_count

_KNOWN = frozenset(("_since", "_at", "_count", "_format", "_pretty", "_summary", "_elements"))
_HTTP_METHODS = {"create": "POST", "update": "PUT", "delete": "DELETE"}


async def history(request: Request) -> Response:
    """The three levels alike: `{type}/{id}/_history`, `{type}/_history`, `_history`."""
    session = request.session
    path = request.segments
    type, id = (*path[:-1], None, None)[:2]
    parameters: Sequence[tuple[str, str]] = request.parameters
    position = b""
    token = request.value(CURSOR)
    if token is not None:
        cursor = session.unseal(token, path)
        parameters, position = cursor.parameters, cursor.position
    asked = dict(parameters)
    for name in asked:
        if name not in _KNOWN:
            raise FhirError(Category.UNKNOWN_PARAMETER, f"`{name[:40]}` is not a parameter of history")
    context = session.context()
    since = _range(asked, "_since", session)
    found = await session.history(
        type,
        id,
        since=since[0] if since else None,
        at=_range(asked, "_at", session),
        count=(read_count(asked["_count"], context) if "_count" in asked else context.count_default) or 1,
        position=position,
    )
    return Response(
        200,
        Bundle(
            "history",
            tuple(_entry(request.base, version) for version in found.versions),
            links=page_links(request, path, request.parameters, parameters, found.position),
        ),
    )


def _range(asked: dict[str, str], name: str, session: Any) -> tuple[int, int] | None:
    if name not in asked:
        return None
    found = date_range(asked[name], session.context().zone)
    if found is None:
        raise FhirError(Category.VALUE, f"`{name}`: `{asked[name][:40]}` is not a date", (name,))
    return found


def _entry(base: str, version: Released) -> Entry:
    """https://hl7.org/fhir/R4/http.html#history: how the version came to be, in `request`."""
    method = _HTTP_METHODS[version.method]
    url = version.type if method == "POST" else f"{version.type}/{version.id}"
    response: dict[str, Any] = {
        "status": {"POST": "201", "PUT": "200", "DELETE": "204"}[method],
        "etag": etag(version.version),
        "lastModified": instant(version.updated),
    }
    return Entry(f"{base}/{version.type}/{version.id}", version if version.body else None, "", (method, url), response)

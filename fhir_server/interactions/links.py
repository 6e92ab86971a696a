"""Links between pages: what a client asked, without any citizen service number, and an opaque cursor for the next page.

https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from fhir_server.gateway.redaction import redact
from fhir_server.interactions.exchange import Request
from fhir_server.search.parse import CURSOR

# How the pages look is not secret, and whoever writes the page reads it from the URL.
_SHOWN = ("_format", "_pretty", "_summary", "_elements")


def address(request: Request, path: Sequence[str], parameters: Sequence[tuple[str, str]]) -> str:
    """An absolute URL below the FHIR base."""
    url = "/".join((request.base, *(quote(part, safe="$*") for part in path)))
    return f"{url}?{urlencode(parameters, safe=':,|$*/')}" if parameters else url


def page_links(
    request: Request,
    path: tuple[str, ...],
    asked: Sequence[tuple[str, str]],
    parameters: Sequence[tuple[str, str]],
    position: bytes,
) -> tuple[tuple[str, str], ...]:
    """`self` with what was `asked`, and `next` unless `position` is b"": it carries `parameters` sealed."""
    links = [("self", address(request, path, redact(asked)))]
    if position:
        token = request.session.seal(path, parameters, position)
        shown = [(name, value) for name, value in parameters if name in _SHOWN]
        links.append(("next", address(request, path, [(CURSOR, token), *shown])))
    return tuple(links)

"""One exchange: what an interaction is asked, and what it answers, free of sockets and of JSON or XML.

`http.dispatch` makes a Request of an HTTP request, `transaction` makes one of each batch entry; both hand it to
`routes.perform` and write the Response it returns.
https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from fhir_server.gateway.release import Content
from fhir_server.gateway.session import Session


class Request(msgspec.Struct, frozen=True, eq=False):
    """A FHIR request as it arrived.

    `segments`: the path behind the FHIR base, split at `/` and percent-decoded, without empty ones: `("Patient", "1")`.
    `parameters`: the pairs of the query string, decoded, in order; repeated names stay repeated.
    `headers`: names in lower case; of a repeated header the values joined with `, `.
    `body`: the raw bytes (decompressed), or the resource itself where it was parsed already (a batch entry).
    `base`: the FHIR base URL that the client sees, without a slash at the end.
    """

    method: str
    segments: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes | Mapping[str, Any]
    base: str
    session: Session

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a query parameter."""
        return tuple(value for key, value in self.parameters if key == name)

    def value(self, name: str) -> str | None:
        """The last value of a query parameter, None if it is not there."""
        found = self.values(name)
        return found[-1] if found else None


class Response(msgspec.Struct, frozen=True, eq=False):
    """An answer before it is written: `representation` turns content into bytes and adds Content-Type.

    `headers`: ETag, Last-Modified, Location, WWW-Authenticate, Allow … where they apply.
    """

    status: int
    content: Content = None
    headers: tuple[tuple[str, str], ...] = ()

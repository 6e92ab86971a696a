"""The FHIR surface as one pure ASGI application: read the request, open a session, perform, render, answer.

https://hl7.org/fhir/R4/http.html
"""

import gzip
import logging
import re
from collections.abc import Mapping
from time import perf_counter

from fhir_server.gateway.gateway import Gateway
from fhir_server.http import reading
from fhir_server.http.cors import VARY, Cors, Headers
from fhir_server.http.metrics import Metrics
from fhir_server.http.reading import ClientLeft, Receive, Scope, Send
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.routes import ROUTER, perform
from fhir_server.outcome import Category, FhirError, Issue, operation_outcome
from fhir_server.representation.negotiation import CONTENT_TYPES, DEFAULT, Preferences, negotiate
from fhir_server.representation.render import render
from fhir_server.settings import Settings
from profiles.registry import Registry

logger = logging.getLogger("wijkdossier.http")

OURS = frozenset(CONTENT_TYPES.values())
GZIP_BYTES_MIN = 1400  # a smaller answer fits in one packet anyhow
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Names that Dutch infrastructures give a request; each comes back as it was, so both logs can be laid side by side.
ECHOED = ("x-request-id", "x-correlation-id", "medmij-request-id", "aorta-id")
# https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2: a weight of 0 means not acceptable.
_GZIP_RULED_OUT = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
_ECHOABLE = re.compile(r"[A-Za-z0-9._:=/-]{1,128}")
# Personal data stays out of every cache.
FIXED_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), VARY)
# The scripts of a document that somebody stored as a Binary must not run in our name.
POWERLESS = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")


class FhirApplication:
    """ASGI application for everything below `prefix` (`/fhir`)."""

    def __init__(
        self,
        gateway: Gateway,
        registry: Registry,
        settings: Settings,
        metrics: Metrics,
        cors: Cors,
        prefix: str = "/fhir",
    ) -> None:
        self._gateway = gateway
        self._registry = registry
        self._metrics = metrics
        self._cors = cors
        self._prefix = prefix
        self._public_path = f"{prefix}/metadata"
        self._base_url = settings.base_url.rstrip("/")
        self._body_bytes_max = settings.body_bytes_max
        self.answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        headers = reading.headers(scope["headers"])
        preferences = DEFAULT
        name = "refused"
        # Known before anything can go wrong, so that a script can read what did.
        shared: Headers = ()
        try:
            public = scope["path"] == self._public_path
            if scope["method"] == "OPTIONS":
                preflight = await self._cors.preflight(headers, public=public)
                if preflight is not None:
                    await _send(send, "OPTIONS", {}, preflight, Response(204), b"", "")
                    return
            if public or "origin" in headers:
                shared = await self._cors.headers(headers, public=public)
            preferences, request = await self._request(scope, headers, receive)
            response = await perform(request)
            name = route_name(request)
            body, content_type = render(response.content, preferences, self._registry)
        except ClientLeft:
            return
        except FhirError as error:
            response = Response(error.category.status, error.outcome(), error.headers)
            body, content_type = render(response.content, _of_errors(preferences, headers), self._registry)
        except Exception as error:
            # The kind of the error and where it was raised, never its words: those may hold personal data.
            logger.error("unexpected %s in %s", type(error).__name__, reading.place(error))
            outcome = operation_outcome([Issue("fatal", "exception", "the server failed to answer")])
            response = Response(Category.EXCEPTION.status, outcome)
            body, content_type = render(outcome, DEFAULT, self._registry)
        await _send(send, scope["method"], headers, shared, response, body, content_type)
        self.answered += 1
        self._metrics.observe(name, response.status, perf_counter() - started)

    async def _request(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> tuple[Preferences, Request]:
        method: str = scope["method"]
        # The body is read even of a request that is refused, so that the connection can be used again.
        body = await reading.body(headers, receive, self._body_bytes_max) if method in WITH_BODY else b""
        segments = reading.segments(scope, self._prefix)
        parameters = reading.pairs(scope["query_string"])
        shown = parameters
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            shown = parameters + reading.pairs(body, "form")
        reads_binary = method in ("GET", "HEAD") and segments[:1] == ("Binary",) and len(segments) > 1
        preferences = negotiate(headers, shown, binary=reads_binary)
        if shown and any(name == "access_token" for name, _ in shown):
            raise _token_in_parameters()
        session = await self._gateway.session(headers.get("authorization"))
        base = self._base_url or reading.origin(scope, headers) + self._prefix
        return preferences, Request(
            method="GET" if method == "HEAD" else method,
            segments=segments,
            parameters=parameters,
            headers=headers,
            body=body,
            base=base,
            session=session,
        )


async def _send(
    send: Send,
    method: str,
    asked: Mapping[str, str],
    shared: Headers,
    response: Response,
    body: bytes,
    content_type: str,
) -> None:
    headers = [*FIXED_HEADERS, *shared]
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    for name in ECHOED:
        if name in asked and _ECHOABLE.fullmatch(asked[name]):
            headers.append((name.encode(), asked[name].encode()))
    if content_type:
        headers.append((b"content-type", content_type.encode("latin-1", "replace")))
        if content_type not in OURS:
            headers.append(POWERLESS)
    if len(body) >= GZIP_BYTES_MIN and _takes_gzip(asked.get("accept-encoding", "")):
        body = gzip.compress(body, 4, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    if response.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


def _token_in_parameters() -> FhirError:
    """An address is kept in logs and in the history of a browser: a token in it is not taken, not even a good one.

    https://datatracker.ietf.org/doc/html/rfc9700#section-4.3.2
    """
    told = "an access token goes into the header Authorization, never into parameters"
    challenge = f'Bearer realm="fhir", error="invalid_request", error_description="{told}"'
    return FhirError(Category.VALUE, told, ("access_token",), headers=(("WWW-Authenticate", challenge),))


def _takes_gzip(accept_encoding: str) -> bool:
    return "gzip" in accept_encoding and not _GZIP_RULED_OUT.search(accept_encoding)


def route_name(request: Request) -> str:
    """The name of the interaction, for the metrics: from the table, never from the path that was asked."""
    route = ROUTER.methods(request.segments).get(request.method)
    return "unknown" if route is None else route.name


def _of_errors(preferences: Preferences, headers: Mapping[str, str]) -> Preferences:
    """An error is told in XML to who asked for XML, and in JSON to everybody else."""
    if preferences.format == "xml" or (preferences is DEFAULT and "xml" in headers.get("accept", "")):
        return Preferences("xml", preferences.pretty)
    return Preferences("json", preferences.pretty)

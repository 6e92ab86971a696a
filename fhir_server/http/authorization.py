"""The endpoints of the authorization server that programs speak to, as one pure ASGI application: JSON, never a page.

https://datatracker.ietf.org/doc/html/rfc6749#section-3, https://hl7.org/fhir/smart-app-launch/STU2.2/
"""

import logging
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.http import reading
from fhir_server.http.cors import VARY, Cors, Headers
from fhir_server.http.reading import ClientLeft, Receive, Scope, Send
from fhir_server.outcome import FhirError
from fhir_server.smart import discovery, form
from fhir_server.smart.addresses import FHIR_PREFIX, Addresses, addresses
from fhir_server.smart.errors import OAuthError, invalid_request
from fhir_server.smart.introspection import introspect
from fhir_server.smart.limits import Limiter, address
from fhir_server.smart.registration import register
from fhir_server.smart.revocation import revoke
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.token import token
from profiles import json

_log = logging.getLogger("wijkdossier.authorization")

BYTES_MAX: Final = form.BYTES_MAX
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_FIXED_HEADERS: Final = (
    # https://datatracker.ietf.org/doc/html/rfc6749#section-5.1. As for the keys: a cache would hide a rotation.
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    VARY,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as an endpoint gets it: header names in lower case, `source` an address as the limits know it."""

    addresses: Addresses
    headers: Mapping[str, str]
    body: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: Any = None  # JSON; None: no body
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`method` is GET, HEAD with it, or POST of a `media_type`; `public`: scripts of every origin may read it."""

    method: str
    answer: Callable[[Asked], Awaitable[Answer]]
    public: bool = False
    media_type: str = ""
    limiter: Limiter | None = None

    @property
    def allow(self) -> str:
        return "GET, HEAD" if self.method == "GET" else self.method


class AuthorizationEndpoints:
    """ASGI application for the paths in `paths`."""

    def __init__(self, server: AuthorizationServer, cors: Cors) -> None:
        self._server = server
        self._cors = cors
        limits = server.limits
        self._endpoints: Mapping[str, Endpoint] = {
            "/auth/token": Endpoint("POST", self._token, media_type=_FORM, limiter=limits.token),
            "/auth/introspect": Endpoint("POST", self._introspect, media_type=_FORM, limiter=limits.introspect),
            "/auth/revoke": Endpoint("POST", self._revoke, media_type=_FORM, limiter=limits.revoke),
            "/auth/register": Endpoint("POST", self._register, media_type=_JSON, limiter=limits.register),
            "/auth/jwks": Endpoint("GET", self._jwks, public=True),
            f"{FHIR_PREFIX}/.well-known/smart-configuration": _document(discovery.smart_configuration, server),
            "/.well-known/openid-configuration": _document(discovery.openid_configuration, server),
            "/.well-known/oauth-authorization-server": _document(discovery.authorization_server, server),
        }
        self.paths = frozenset(self._endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = reading.headers(scope["headers"])
        endpoint = self._endpoints[scope["path"]]
        shared: Headers = ()
        try:
            preflight = None
            if scope["method"] == "OPTIONS":
                preflight = await self._cors.preflight(headers, public=endpoint.public)
            if preflight is not None:
                shared, answer = preflight, Answer(204)
            else:
                # Known before anything can go wrong, so that a script can read what did.
                shared = await self._cors.headers(headers, public=endpoint.public)
                answer = await self._answer(endpoint, scope, headers, receive)
        except ClientLeft:
            return
        except Exception as error:
            answer = _refusal(error)
        body = b"" if answer.content is None else json.dumps(answer.content)
        sent = [*_FIXED_HEADERS, *shared, *answer.headers]
        if body:
            sent.append((b"content-type", _JSON.encode()))
        if answer.status != 204:
            sent.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, endpoint: Endpoint, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer:
        """Raises OAuthError, FhirError, ClientLeft."""
        if scope["method"] == "OPTIONS":
            return Answer(204, headers=((b"allow", endpoint.allow.encode()),))
        if scope["method"] not in endpoint.allow.split(", "):
            allow = {"Allow": endpoint.allow}
            raise OAuthError("invalid_request", f"method is {endpoint.method}", status=405, headers=allow)
        return await endpoint.answer(await self._asked(endpoint, scope, headers, receive))

    async def _asked(self, endpoint: Endpoint, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Asked:
        settings = self._server.settings
        peer: str = scope["client"][0] if scope.get("client") else ""
        source = address(peer, headers, settings)
        body = b""
        if endpoint.method == "POST":
            # The body is read even of a request that is refused, so that the connection can be used again.
            body = await reading.body(headers, receive, BYTES_MAX)
        if endpoint.limiter is not None:
            _pass(endpoint.limiter, source)
        if (
            endpoint.media_type
            and headers.get("content-type", "").partition(";")[0].strip().lower() != endpoint.media_type
        ):
            raise invalid_request(f"Content-Type is {endpoint.media_type}")
        return Asked(addresses(settings, headers), headers, body, source)

    async def _token(self, asked: Asked) -> Answer:
        sent = form.parse(asked.body)
        # Behind one address there may be many apps: one that asks without end leaves the others their share.
        _pass(self._server.limits.client, f"{asked.source} {_claimed(asked.headers, sent)[:100]}")
        return Answer(200, await token(self._server, asked.addresses, asked.headers, sent))

    async def _introspect(self, asked: Asked) -> Answer:
        return Answer(200, await introspect(self._server, asked.addresses, asked.headers, form.parse(asked.body)))

    async def _revoke(self, asked: Asked) -> Answer:
        await revoke(self._server, asked.addresses, asked.headers, form.parse(asked.body))
        return Answer(200)

    async def _register(self, asked: Asked) -> Answer:
        return Answer(201, await register(self._server, asked.body))

    async def _jwks(self, _: Asked) -> Answer:
        return Answer(200, self._server.keys.public(self._server.now()))


def _document(write: Callable[[Addresses, Any], dict[str, Any]], server: AuthorizationServer) -> Endpoint:
    async def answer(asked: Asked) -> Answer:
        return Answer(200, write(asked.addresses, server.settings))

    return Endpoint("GET", answer, public=True)


def _refusal(error: Exception) -> Answer:
    """What is told of an error, in the shape of RFC 6749, section 5.2."""
    if isinstance(error, OAuthError):
        told = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in error.headers.items())
        return Answer(error.status, error.json(), told)
    if isinstance(error, FhirError):  # of the gateway, of the store, and of reading a body
        status = error.category.status
        code = "temporarily_unavailable" if status == 503 else "invalid_request"
        return Answer(status, OAuthError(code, error.diagnostics).json())
    # The kind of the error and where it was raised, never its words: those may hold a secret.
    _log.error("unexpected %s in %s", type(error).__name__, reading.place(error))
    return Answer(500, OAuthError("server_error", "the server failed to answer").json())


def _claimed(headers: Mapping[str, str], sent: form.Form) -> str:
    """The client id that is claimed, whether or not it is shown; '' for a signed assertion, which costs more to try."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return sent.one("client_id") or ""
    try:
        return b64decode(credentials.strip()).partition(b":")[0].decode("latin-1")
    except ValueError:
        return ""


def _pass(limiter: Limiter, key: str) -> None:
    """Raises OAuthError 429 that says when to come back."""
    seconds = limiter.wait(key)
    if seconds:
        raise OAuthError(
            "temporarily_unavailable",
            "this is asked too often, see Retry-After",
            status=429,
            headers={"Retry-After": str(seconds)},
        )

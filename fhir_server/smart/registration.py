"""Apps that register themselves, where the operator allows it: never verified, and nothing without who lets them in.

https://datatracker.ietf.org/doc/html/rfc7591
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from fhir_server.smart import scopes
from fhir_server.smart.client_metadata import RedirectUriError
from fhir_server.smart.clients import Clients, Registered
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.records import Client, ClientKind, GrantType
from fhir_server.smart.server import AuthorizationServer
from profiles import json

T = TypeVar("T")

BYTES_MAX: Final = 64 * 1024
_BY: Final = "dynamic registration"
_DEPTH_MAX: Final = 16
_METHODS: Final[Mapping[str, ClientKind]] = {
    "none": "public",
    "client_secret_basic": "symmetric",
    "client_secret_post": "symmetric",
    "private_key_jwt": "asymmetric",
}
_GRANTS: Final[Mapping[str, GrantType]] = {"authorization_code": "authorization_code", "refresh_token": "refresh_token"}
# Section 2: the server may choose for a client that asks for no scope. People still choose from it.
_SCOPE: Final = "openid fhirUser launch launch/patient patient/*.rs"


async def register(server: AuthorizationServer, body: bytes) -> dict[str, Any]:
    """The client information response (section 3.2.1) to a registration request; the secret in it is shown this once.

    Raises OAuthError: 403 access_denied where apps can't register themselves, 400 invalid_redirect_uri and
    invalid_client_metadata for what this server does not register.
    """
    if not server.settings.dynamic_registration:
        raise OAuthError("access_denied", "apps are registered by the operator here", status=403)
    asked = _read(body)
    method = _one(asked, "token_endpoint_auth_method", str, "client_secret_basic")
    if method not in _METHODS:
        raise _invalid(f"token_endpoint_auth_method is one of {', '.join(_METHODS)}")
    if _texts(asked, "response_types", ("code",)) != ("code",):
        raise _invalid("response_types is code only")
    jwks = _one(asked, "jwks", dict, {})
    clients = Clients(server)
    client = Client(
        id=clients.new_id(),
        name=_one(asked, "client_name", str, ""),
        kind=_METHODS[method],
        scope=_scope(server, asked),
        grants=_grants(asked),
        redirect_uris=_texts(asked, "redirect_uris", ()),
        jwks=json.dumps(jwks).decode() if jwks else "",
        jwks_uri=_one(asked, "jwks_uri", str, ""),
    )
    if not client.redirect_uris:
        raise OAuthError("invalid_redirect_uri", "redirect_uris is missing")
    try:
        registered = await clients.add(client, _BY)
    except RedirectUriError as error:
        raise OAuthError("invalid_redirect_uri", str(error)) from None
    except ValueError as error:
        raise _invalid(str(error)) from None
    return _answer(registered, method, jwks)


def _answer(registered: Registered, method: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    client = registered.client
    answer: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": client.created // 1_000_000,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "token_endpoint_auth_method": method,
        "grant_types": list(client.grants),
        "response_types": ["code"],
        "scope": client.scope,
    }
    if registered.secret:
        answer |= {"client_secret": registered.secret, "client_secret_expires_at": 0}
    if jwks:
        answer["jwks"] = jwks
    if client.jwks_uri:
        answer["jwks_uri"] = client.jwks_uri
    return answer


def _scope(server: AuthorizationServer, asked: Mapping[str, Any]) -> str:
    """What of the scope this server knows and lets people grant; the rest is dropped, and the answer tells."""
    types = server.gateway.registry.resource_types
    found = scopes.known(_one(asked, "scope", str, _SCOPE), types)
    kept = [word for word in found.split() if not word.startswith("system/")]
    if not kept:
        raise _invalid("scope names none that a person can grant here")
    return " ".join(kept)


def _grants(asked: Mapping[str, Any]) -> tuple[GrantType, ...]:
    named = _texts(asked, "grant_types", ("authorization_code",))
    if not set(named) <= set(_GRANTS):
        # `client_credentials` too: who acts without a person is registered by the operator.
        raise _invalid(f"grant_types is {' and '.join(_GRANTS)}")
    return tuple(_GRANTS[name] for name in dict.fromkeys(named))


def _read(body: bytes) -> Mapping[str, Any]:
    if len(body) > BYTES_MAX:
        raise _invalid(f"a registration is at most {BYTES_MAX} bytes")
    try:
        return json.parse(body, depth_max=_DEPTH_MAX)
    except json.JsonError:
        raise _invalid("a registration is a JSON object") from None


def _one(asked: Mapping[str, Any], member: str, type: type[T], default: T) -> T:
    found = asked.get(member, default)
    if not isinstance(found, type):
        raise _invalid(f"{member} is of another type")
    return found


def _texts(asked: Mapping[str, Any], member: str, default: tuple[str, ...]) -> tuple[str, ...]:
    found = asked.get(member, list(default))
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise _invalid(f"{member} is an array of strings")
    return tuple(found)


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)

"""Tells whoever may know what an access token stands for.

https://datatracker.ietf.org/doc/html/rfc7662, https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from fhir_server.smart.addresses import Addresses
from fhir_server.smart.client_auth import authenticate
from fhir_server.smart.errors import OAuthError, invalid_client
from fhir_server.smart.form import Form
from fhir_server.smart.id_token import subject
from fhir_server.smart.issuing import SECOND, token_digest
from fhir_server.smart.records import Client
from fhir_server.smart.scopes import FHIR_USER
from fhir_server.smart.server import AuthorizationServer
from fhir_server.store.auth import AccessToken

INACTIVE: Final[Mapping[str, Any]] = {"active": False}


async def introspect(
    server: AuthorizationServer, addresses: Addresses, headers: Mapping[str, str], form: Form
) -> Mapping[str, Any]:
    """The JSON of the answer. Raises OAuthError.

    A client that was registered to introspect is told of every access token, another one of its own; everything else
    is inactive, and why is not said (RFC 7662, section 2.2). `headers` have their names in lower case.
    """
    client = await _asker(server, addresses, headers, form)
    token = await _active(server, form.required("token"))
    if token is None or not (client.introspects or token.client == client.id):
        return INACTIVE
    return await _description(server, addresses, token)


async def _asker(server: AuthorizationServer, addresses: Addresses, headers: Mapping[str, str], form: Form) -> Client:
    """By an access token of a client that may introspect, or as at the token endpoint; never by a mere client id."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = await _active(server, credentials.strip())
        kept = None if token is None else await server.state.clients.get(token.client)
        if kept is None or not kept.value.introspects:
            # RFC 7662, section 2.3: 401 for a token that is invalid as for one that does not suffice.
            challenge = {"WWW-Authenticate": 'Bearer realm="wijkdossier", error="invalid_token"'}
            raise OAuthError("invalid_token", "token does not allow introspection", status=401, headers=challenge)
        return kept.value
    client = await authenticate(server, addresses, headers, form, endpoint="introspect")
    if client.kind == "public":
        # RFC 7662, section 2.1: "the endpoint MUST also require some form of authorization", and an id is none.
        raise invalid_client("client must show who it is")
    return client


async def _active(server: AuthorizationServer, text: str) -> AccessToken | None:
    """The token, if it would let somebody in at this moment."""
    token = await server.state.token(token_digest(text))
    if token is None or token.expires <= server.now():
        return None
    if token.app and not await server.gateway.app_is_let_in(token.patient, token.consent, token.app):
        return None
    return token


async def _description(server: AuthorizationServer, addresses: Addresses, token: AccessToken) -> dict[str, Any]:
    """What the token answer and the id_token said of it. A token that no person granted has no subject."""
    answer: dict[str, Any] = {}
    granted = await server.state.grants.get(token.grant) if token.grant else None
    if granted is not None:
        answer |= json.loads(granted.value.launch_context or "{}")
        answer["sub"] = subject(server.settings.data, granted.value.account)
    answer |= {
        "active": True,
        "scope": token.scope,
        "client_id": token.client,
        "token_type": "Bearer",
        "iat": token.issued // SECOND,
        "exp": token.expires // SECOND,
        "iss": addresses.issuer,
    }
    if token.patient:
        answer["patient"] = token.patient
    if FHIR_USER in token.scope.split():
        answer["fhirUser"] = f"{addresses.base}/{token.user}"
    return answer

"""Which client asks, and whether it showed that: by nothing, a secret, or a signed assertion, as it was registered.

https://datatracker.ietf.org/doc/html/rfc6749#section-2.3, https://datatracker.ietf.org/doc/html/rfc7523#section-2.2
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from fhir_server.smart import assertions
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.clients import Clients
from fhir_server.smart.errors import OAuthError, invalid_client, invalid_request
from fhir_server.smart.form import Form
from fhir_server.smart.keysets import KeyFault, read
from fhir_server.smart.records import Assertion, Client, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.store.auth import AuthConflict


async def authenticate(
    server: AuthorizationServer,
    addresses: Addresses,
    headers: Mapping[str, str],
    form: Form,
    *,
    endpoint: str,
    implied: str = "",
) -> Client:
    """The client that sends this form with these headers (names in lower case) to `endpoint` (`token` …).

    `implied` is the client id that what it sends belongs to, a refresh token for instance: a public client need not say
    it again. Raises OAuthError: 400 invalid_request for a request that can't be read, or that tries more than one way;
    401 invalid_client if it is not known or did not show who it is, with a challenge if it tried Basic. An attempt in
    the name of a known client is audited.
    """
    basic = _basic(headers)
    secret = form.one("client_secret")
    assertion = form.one("client_assertion")
    kind = form.one("client_assertion_type")
    # RFC 6749, section 2.3: "the client MUST NOT use more than one authentication method in each request".
    if sum(way is not None for way in (basic, secret, assertion or kind)) > 1:
        raise invalid_request("client authenticates in one way only")
    named = form.one("client_id") or ""
    if assertion is not None or kind is not None:
        return await _by_assertion(server, addresses, assertion or "", kind or "", named, endpoint)
    if basic is not None:
        id, secret = basic
        if named not in ("", id):
            raise invalid_client("client_id is not that of the header Authorization", challenge=True)
        return await _by_secret(server, id, secret, endpoint, challenge=True)
    if secret is not None:
        return await _by_secret(server, named, secret, endpoint, challenge=False)
    client = await Clients(server).get(named or implied)
    if client is None:
        raise invalid_client("client is unknown", challenge=False)
    if client.kind != "public":
        raise await _failed(server, client, endpoint, "client shows who it is, and this one did not")
    return client


async def _by_secret(server: AuthorizationServer, id: str, secret: str, endpoint: str, *, challenge: bool) -> Client:
    words = "client is unknown, or its secret is another"
    client = await Clients(server).get(id)
    if client is None:
        raise invalid_client(words, challenge=challenge)
    if client.kind != "symmetric" or not hmac.compare_digest(digest(secret), client.secret):
        raise await _failed(server, client, endpoint, words, challenge)
    return client


async def _by_assertion(
    server: AuthorizationServer, addresses: Addresses, text: str, kind: str, named: str, endpoint: str
) -> Client:
    if kind != assertions.ASSERTION_TYPE:
        raise invalid_client(f"client_assertion_type is {assertions.ASSERTION_TYPE}", challenge=False)
    try:
        presented = assertions.read(text)
    except assertions.Refused as refused:
        raise invalid_client(f"client_assertion: {refused}", challenge=False) from None
    if named not in ("", presented.client):
        raise invalid_client("client_id is not that of the client_assertion", challenge=False)
    client = await Clients(server).get(presented.client)
    if client is None:
        raise invalid_client("client is unknown", challenge=False)
    # SMART has the token URL, wherever the assertion is sent (RFC 7523, section 3, item 3, too); RFC 10070 the issuer.
    audience = addresses.endpoint("token") if client.assertion_profile == "smart22" else addresses.issuer
    try:
        keys = await _keys(server, client, presented)
        believed = assertions.verify(presented, keys, audience, server.now())
    except (assertions.Refused, KeyFault) as refused:
        raise await _failed(server, client, endpoint, f"client_assertion: {refused}") from None
    await _use_up(server, client, believed, endpoint)
    return client


async def _keys(
    server: AuthorizationServer, client: Client, presented: assertions.Presented
) -> Sequence[Mapping[str, Any]]:
    if client.kind != "asymmetric":
        raise assertions.Refused("it is not how this client shows who it is")
    # Whoever signs could name a place of their own: only the registered one counts.
    if presented.jku and presented.jku != client.jwks_uri:
        raise assertions.Refused("jku is not the URL that was registered")
    if client.jwks:
        return read(client.jwks.encode())
    return await server.key_sets.keys(client.jwks_uri, presented.kid)


async def _use_up(server: AuthorizationServer, client: Client, believed: assertions.Believed, endpoint: str) -> None:
    """RFC 7523, section 3, item 7: an assertion works once, whichever worker gets it.

    The record stays a day longer than the assertion would be good for, so that no clock that jumps lets it in again.
    """
    key = digest(f"{client.id}\0{believed.jti}")
    used = server.state.assertions.add(key, Assertion(seen=server.now()), subject=client.id, expires=believed.expires)
    try:
        await server.state.commit(used)
    except AuthConflict:
        raise await _failed(server, client, endpoint, "client_assertion: jti was used before") from None


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Client id and secret in the header; None if there is no header.

    Raises OAuthError for credentials that can't be read. https://datatracker.ietf.org/doc/html/rfc6749#section-2.3.1
    """
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("Authorization is Basic here", challenge=True)
    try:
        decoded = base64.b64decode(credentials.strip().encode(), validate=True).decode()
    except ValueError:
        raise invalid_client("Authorization is Basic with base64 of UTF-8", challenge=True) from None
    id, _, secret = decoded.partition(":")
    # "encoded using the application/x-www-form-urlencoded encoding algorithm", each on its own.
    return unquote_plus(id), unquote_plus(secret)


async def _failed(
    server: AuthorizationServer, client: Client, endpoint: str, words: str, challenge: bool = False
) -> OAuthError:
    """The refusal of somebody who used the name of this client, once it is in the audit log."""
    detail = f"client {client.id} not authenticated at {endpoint}"
    await server.state.commit(audit=(server.entry(client.device, client.id, 401, detail),))
    return invalid_client(words, challenge=challenge)

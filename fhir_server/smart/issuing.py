"""Makes tokens: opaque, kept as their SHA-256 only, and none under a grant that has ended.

https://datatracker.ietf.org/doc/html/rfc6749#section-5.1, https://datatracker.ietf.org/doc/html/rfc9700#section-4.14
"""

import json
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from msgspec.structs import replace

from fhir_server.smart import scopes
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.id_token import id_token
from fhir_server.smart.records import Client, Grant, Refresh, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AccessToken, AuthWrite

SECOND: Final = 1_000_000
ACCESS_SECONDS: Final = 3600
BACKEND_SECONDS: Final = 300
# A refresh token that was not used for so long is of no use; a used one is recognised for as long.
REFRESH_SECONDS: Final = 90 * 24 * 3600

_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be issued under a grant.

    `scope` is what the access token is to have, in the words of SMART 1 if `version_1`; `refreshable` what the next
    refresh token may ask for. `spent` is the code or refresh token that pays for it, `addresses` say where this server
    was when the person let the app in.
    """

    client: Client
    grant: Kept[Grant]
    scope: str
    refreshable: str
    version_1: bool
    spent: AuthWrite
    addresses: Addresses
    detail: str
    nonce: str = ""


async def under_grant(server: AuthorizationServer, asked: Asked, now: int) -> dict[str, Any]:
    """The answer of the token endpoint; what it tells of is stored when this returns, or nothing is.

    Raises AuthConflict if the code or refresh token was used, or the grant changed, since they were read.
    https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-5
    """
    grant, client = asked.grant.value, asked.client
    expires = min(now + ACCESS_SECONDS * SECOND, grant.until or now + ACCESS_SECONDS * SECOND)
    token = secrets.token_urlsafe(_SECRET_BYTES)
    scope = scopes.in_version_1(asked.scope) if asked.version_1 else asked.scope
    granted = AccessToken(
        client=client.id,
        user=grant.person,
        scope=scope,
        issued=now,
        expires=expires,
        patient=grant.patient,
        purpose=grant.purpose,
        grant=asked.grant.key,
        consent=grant.consent,
        app=client.device if grant.consent else "",
    )
    answer: dict[str, Any] = {
        **json.loads(grant.launch_context or "{}"),
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": (expires - now) // SECOND,
        "scope": scope,
    }
    if grant.patient:
        answer["patient"] = grant.patient
    if scopes.OPENID in asked.scope.split():
        # https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse: a nonce is for the first one.
        told = replace(grant, scope=asked.scope, nonce=asked.nonce)
        answer["id_token"] = id_token(server, asked.addresses, told, client.id, now)
    writes = [asked.spent, server.state.grants.change(asked.grant, replace(grant, used=now))]
    if grant.refresh and "refresh_token" in client.grants:
        answer["refresh_token"] = secrets.token_urlsafe(_SECRET_BYTES)
        writes.append(_refresh(server, asked, answer["refresh_token"], now))
    about = f"Patient/{grant.patient}" if grant.patient else grant.person
    await server.state.commit(
        *writes,
        issue=[(token_digest(token), granted)],
        audit=[server.entry(grant.person, client.id, 200, asked.detail, about)],
    )
    return answer


async def for_itself(server: AuthorizationServer, client: Client, scope: str, now: int) -> dict[str, Any]:
    """The answer to a backend service, which acts as whom it was registered for; nothing to refresh it with.

    https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#issue-access-token
    """
    token = secrets.token_urlsafe(_SECRET_BYTES)
    granted = AccessToken(
        client=client.id,
        user=client.user,
        scope=scope,
        issued=now,
        expires=now + BACKEND_SECONDS * SECOND,
        purpose=client.purpose,
        grant=client.itself,
    )
    entry = server.entry(client.user, client.id, 200, "access token issued to a backend service", client.user)
    await server.state.commit(issue=[(token_digest(token), granted)], audit=[entry])
    return {"access_token": token, "token_type": "Bearer", "expires_in": BACKEND_SECONDS, "scope": scope}


def token_digest(token: str) -> bytes:
    """What an access token is kept by."""
    return sha256(token.encode()).digest()


def _refresh(server: AuthorizationServer, asked: Asked, token: str, now: int) -> AuthWrite:
    until = now + REFRESH_SECONDS * SECOND
    expires = min(until, asked.grant.value.until or until)
    record = Refresh(
        client=asked.client.id,
        grant=asked.grant.key,
        scope=asked.refreshable,
        issuer=asked.addresses.issuer,
        base=asked.addresses.base,
        expires=expires,
    )
    return server.state.refreshes.add(digest(token), record, subject=asked.grant.key, expires=expires)

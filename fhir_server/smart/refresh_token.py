"""Exchanges a refresh token for the next one and an access token; one that was used before ends the whole family.

https://datatracker.ietf.org/doc/html/rfc6749#section-6, https://datatracker.ietf.org/doc/html/rfc9700#section-4.14
"""

from typing import Any, Final

from msgspec.structs import replace

from fhir_server.smart import scopes
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.errors import invalid_grant, invalid_scope, unauthorized_client
from fhir_server.smart.form import Form
from fhir_server.smart.granted import end, standing
from fhir_server.smart.issuing import Asked, under_grant
from fhir_server.smart.logins import Logins
from fhir_server.smart.records import Client, Grant, Refresh, digest
from fhir_server.smart.server import AuthorizationServer

_NO_GOOD: Final = "refresh_token is unknown, used or expired"


async def holder(server: AuthorizationServer, form: Form) -> str:
    """The client id that the refresh token in the form was issued to, '' if there is none or it is unknown.

    Public clients may leave out `client_id` when they refresh: the token says as much.
    """
    kept = await server.state.refreshes.get(digest(form.one("refresh_token") or ""))
    return "" if kept is None else kept.value.client


async def refresh(server: AuthorizationServer, client: Client, form: Form) -> dict[str, Any]:
    """The answer of the token endpoint to the client, which has shown who it is.

    Raises OAuthError; AuthConflict if somebody else uses the token at this moment: whoever asks again is told so.
    """
    if "refresh_token" not in client.grants:
        raise unauthorized_client("client was not registered for refresh tokens")
    kept = await server.state.refreshes.get(digest(form.required("refresh_token")))
    if kept is None or kept.value.client != client.id:
        raise invalid_grant(_NO_GOOD)
    token = kept.value
    if token.used:
        # RFC 9700, section 4.14.2: one of the two who had it stole it, and nobody can tell which.
        await end(server, token.grant, client, "a refresh token was used again")
        raise invalid_grant(_NO_GOOD)
    now = server.now()
    if token.expires <= now:
        raise invalid_grant(_NO_GOOD)
    grant = await standing(server, token.grant, client, now)
    scope = form.one("scope")
    await _require_login(server, grant.value)
    asked = Asked(
        client=client,
        grant=grant,
        scope=_scope(server, token, grant.value, scope),
        # RFC 6749, section 6: "If a new refresh token is issued, the refresh token scope MUST be identical".
        refreshable=token.scope,
        version_1=grant.value.version_1 if scope is None else scopes.asks_version_1(scope),
        spent=server.state.refreshes.change(kept, replace(token, used=True)),
        addresses=Addresses(token.issuer),
        detail="access token refreshed",
    )
    return await under_grant(server, asked, now)


async def _require_login(server: AuthorizationServer, grant: Grant) -> None:
    """`online_access`: only while the person is still logged in, in the browser that let the app in."""
    if grant.refresh == "online" and await Logins(server).lasting(grant.login) is None:
        raise invalid_grant("the person is no longer logged in")


def _scope(server: AuthorizationServer, token: Refresh, grant: Grant, asked: str | None) -> str:
    """What was asked for, or all; what was granted may have been narrowed since."""
    types = server.gateway.registry.resource_types
    wanted = token.scope
    if asked is not None:
        wanted = scopes.known(asked, types)
        if not scopes.within(wanted, token.scope, types):
            raise invalid_scope("scope is not within what was granted")
    left = scopes.common(wanted, grant.scope, types)
    if not left:
        raise invalid_scope("nothing of scope is granted any more")
    return left

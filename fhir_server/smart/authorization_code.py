"""Redeems an authorization code, once.

https://datatracker.ietf.org/doc/html/rfc6749#section-4.1.3, https://datatracker.ietf.org/doc/html/rfc9700#section-2.1.1
"""

from typing import Any, Final

from msgspec.structs import replace

from fhir_server.smart.addresses import Addresses
from fhir_server.smart.errors import invalid_grant, invalid_request, unauthorized_client
from fhir_server.smart.form import Form
from fhir_server.smart.granted import end, standing
from fhir_server.smart.issuing import Asked, under_grant
from fhir_server.smart.pkce import verifies
from fhir_server.smart.records import Client, digest
from fhir_server.smart.server import AuthorizationServer

_NO_GOOD: Final = "code is unknown, used or expired"


async def redeem(server: AuthorizationServer, client: Client, form: Form) -> dict[str, Any]:
    """The answer of the token endpoint to the client, which has shown who it is.

    Raises OAuthError; AuthConflict if somebody else redeems the code at this moment: whoever asks again is told so.
    """
    if "authorization_code" not in client.grants:
        raise unauthorized_client("client was not registered for codes")
    text, redirect_uri = form.required("code"), form.required("redirect_uri")
    verifier = form.one("code_verifier")
    kept = await server.state.codes.get(digest(text))
    if kept is None or kept.value.client != client.id:
        raise invalid_grant(_NO_GOOD)
    code = kept.value
    if code.used:
        # RFC 6749, section 4.1.2: somebody else may have redeemed it, so what came of it ends.
        await end(server, code.grant, client, "a code was used again")
        raise invalid_grant(_NO_GOOD)
    now = server.now()
    if code.expires <= now:
        raise invalid_grant(_NO_GOOD)
    if code.redirect_uri != redirect_uri:
        raise invalid_grant("redirect_uri is not the one that the code was asked for with")
    if verifier is None:
        raise invalid_request("code_verifier is missing")
    if not verifies(verifier, code.challenge):
        raise invalid_grant("code_verifier does not belong to the code_challenge")
    grant = await standing(server, code.grant, client, now)
    asked = Asked(
        client=client,
        grant=grant,
        scope=grant.value.scope,
        refreshable=grant.value.scope,
        version_1=grant.value.version_1,
        spent=server.state.codes.change(kept, replace(code, used=True)),
        addresses=Addresses(code.issuer),
        detail="access token issued for a code",
        nonce=grant.value.nonce,
    )
    return await under_grant(server, asked, now)

"""Lets a client give back what it was issued.

https://datatracker.ietf.org/doc/html/rfc7009
"""

from collections.abc import Mapping

from fhir_server.smart.addresses import Addresses
from fhir_server.smart.client_auth import authenticate
from fhir_server.smart.form import Form
from fhir_server.smart.granted import end
from fhir_server.smart.issuing import token_digest
from fhir_server.smart.records import digest
from fhir_server.smart.server import AuthorizationServer


async def revoke(server: AuthorizationServer, addresses: Addresses, headers: Mapping[str, str], form: Form) -> None:
    """The token is of no use when this returns, if it is the client's; if not, nothing happened and nobody is told.

    With a refresh token goes all that was granted with it (section 2.1). `token_type_hint` is of no help: the one
    place where a token can be is looked up as fast as the other. Raises OAuthError, StoreUnavailable.
    """
    client = await authenticate(server, addresses, headers, form, endpoint="revoke")
    text = form.required("token")
    refresh = await server.state.refreshes.get(digest(text))
    if refresh is not None and refresh.value.client == client.id:
        await end(server, refresh.value.grant, client, "the app gave back what it was granted")
    access = await server.state.token(token_digest(text))
    if access is not None and access.client == client.id:
        about = f"Patient/{access.patient}" if access.patient else access.user
        entry = server.entry(access.user, client.id, 200, "the app gave back an access token", about)
        await server.state.commit(revoke=[token_digest(text)], audit=[entry])

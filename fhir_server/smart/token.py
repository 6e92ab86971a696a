"""The token endpoint.

https://datatracker.ietf.org/doc/html/rfc6749#section-3.2
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fhir_server.smart.addresses import Addresses
from fhir_server.smart.authorization_code import redeem
from fhir_server.smart.client_auth import authenticate
from fhir_server.smart.client_credentials import serve_itself
from fhir_server.smart.errors import OAuthError, unsupported_grant_type
from fhir_server.smart.form import Form
from fhir_server.smart.records import Client
from fhir_server.smart.refresh_token import holder, refresh
from fhir_server.smart.server import AuthorizationServer
from fhir_server.store.auth import AuthConflict

_GRANTS: Final[Mapping[str, Callable[[AuthorizationServer, Client, Form], Awaitable[dict[str, Any]]]]] = {
    "authorization_code": redeem,
    "refresh_token": refresh,
    "client_credentials": serve_itself,
}

# Each time somebody else was faster, and each time that is the news: a code or a token that was used, a grant that was
# narrowed or ended. More than two at one moment is no accident.
_ATTEMPTS_MAX: Final = 5


async def token(
    server: AuthorizationServer, addresses: Addresses, headers: Mapping[str, str], form: Form
) -> dict[str, Any]:
    """The JSON of the answer, never to be kept by any cache. Raises OAuthError, StoreUnavailable.

    `headers` have their names in lower case.
    """
    name = form.required("grant_type")
    answer = _GRANTS.get(name)
    if answer is None:
        raise unsupported_grant_type()
    implied = await holder(server, form) if answer is refresh else ""
    client = await authenticate(server, addresses, headers, form, endpoint="token", implied=implied)
    for _ in range(_ATTEMPTS_MAX):
        try:
            return await answer(server, client, form)
        except AuthConflict:
            continue
    raise OAuthError("temporarily_unavailable", "what was granted changes at this moment, ask again", status=503)

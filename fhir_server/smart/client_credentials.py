"""Tokens for backend services, in their own name.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

from typing import Any

from fhir_server.smart import scopes
from fhir_server.smart.errors import invalid_scope, unauthorized_client
from fhir_server.smart.form import Form
from fhir_server.smart.issuing import for_itself
from fhir_server.smart.records import Client
from fhir_server.smart.server import AuthorizationServer


async def serve_itself(server: AuthorizationServer, client: Client, form: Form) -> dict[str, Any]:
    """The answer of the token endpoint to the client, which has shown who it is. Raises OAuthError."""
    # RFC 6749, section 4.4: "The client credentials grant type MUST only be used by confidential clients".
    if "client_credentials" not in client.grants or client.kind == "public" or not client.user:
        raise unauthorized_client("client was not registered as a backend service")
    types = server.gateway.registry.resource_types
    asked = form.one("scope") or ""
    granted = scopes.common(scopes.of_context(asked, "system", types), client.scope, types)
    if not granted:
        raise invalid_scope("scope has no system scope that the client was registered for")
    scope = scopes.in_version_1(granted) if scopes.asks_version_1(asked) else granted
    return await for_itself(server, client, scope, server.now())

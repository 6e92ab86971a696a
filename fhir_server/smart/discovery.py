"""What clients read before anything else: where the endpoints are and what they can do.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html, https://datatracker.ietf.org/doc/html/rfc8414,
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from typing import Any, Final

from fhir_server.settings import Settings
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.keys import ALGORITHM
from fhir_server.smart.keysets import ALGORITHMS
from fhir_server.smart.scopes import WORDS

_FHIR_SCOPES: Final = tuple(
    f"{context}/*.{actions}"
    for context in ("patient", "user", "system")
    # Version 2, and version 1 as it is still asked for.
    for actions in ("cruds", "rs", "read", "write", "*")
)
SCOPES: Final = (*WORDS, *_FHIR_SCOPES)
# https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#smart-on-fhir-oauth-authorization-endpoints-and-capabilities
CAPABILITIES: Final = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "fhirUser", "profile")
_AUTHENTICATED: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")


def authorization_server(addresses: Addresses, settings: Settings) -> dict[str, Any]:
    """RFC 8414 metadata: what the other two documents say as well."""
    told: dict[str, Any] = {
        "issuer": addresses.issuer,
        "authorization_endpoint": addresses.endpoint("authorize"),
        "token_endpoint": addresses.endpoint("token"),
        "introspection_endpoint": addresses.endpoint("introspect"),
        "revocation_endpoint": addresses.endpoint("revoke"),
        "jwks_uri": addresses.endpoint("jwks"),
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        # https://datatracker.ietf.org/doc/html/rfc9207#section-3
        "authorization_response_iss_parameter_supported": True,
    }
    if settings.dynamic_registration:
        told["registration_endpoint"] = addresses.endpoint("register")
    methods = {
        "token": [*_AUTHENTICATED, "none"],
        "revocation": [*_AUTHENTICATED, "none"],
        # A type of access token is allowed among the methods, for who introspects with one.
        "introspection": [*_AUTHENTICATED, "Bearer"],
    }
    for endpoint, supported in methods.items():
        told[f"{endpoint}_endpoint_auth_methods_supported"] = supported
        told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return told


def smart_configuration(addresses: Addresses, settings: Settings) -> dict[str, Any]:
    """`{base}/.well-known/smart-configuration`."""
    return {
        **authorization_server(addresses, settings),
        "management_endpoint": addresses.page("apps"),
        "capabilities": list(CAPABILITIES),
    }


def openid_configuration(addresses: Addresses, settings: Settings) -> dict[str, Any]:
    """`{issuer}/.well-known/openid-configuration`."""
    return {
        **authorization_server(addresses, settings),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claim_types_supported": ["normal"],
        "claims_supported": list(_CLAIMS),
        # What is taken for supported if nothing is said of it, or not.
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }

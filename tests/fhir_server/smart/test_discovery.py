"""Discovery: what the three documents say, and that it is so.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html, https://datatracker.ietf.org/doc/html/rfc8414
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from fhir_server.gateway.scopes import parse
from fhir_server.settings import Settings
from fhir_server.smart import discovery
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.scopes import WORDS, known
from profiles import registry

ADDRESSES = Addresses("https://dossier.example.nl/wijk")
DOCUMENTS = (discovery.smart_configuration, discovery.openid_configuration, discovery.authorization_server)
every_document = pytest.mark.parametrize("write", DOCUMENTS)
Write = Callable[[Addresses, Settings], dict[str, Any]]


def urls(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri", "issuer")):
            yield name, value


@every_document
def test_line_1_every_url_is_absolute_and_at_this_server(write: Write) -> None:
    found = dict(urls(write(ADDRESSES, Settings(dynamic_registration=True))))
    assert len(found) >= 7
    assert all(url.startswith("https://dossier.example.nl/wijk") for url in found.values())
    assert found["issuer"] == "https://dossier.example.nl/wijk"
    assert found["token_endpoint"] == "https://dossier.example.nl/wijk/auth/token"


def test_line_1_the_smart_configuration_has_what_smart_2_2_asks_for() -> None:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#metadata"""
    told = discovery.smart_configuration(ADDRESSES, Settings())
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert {"authorization_code", "client_credentials"} <= set(told["grant_types_supported"])
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert {"RS384", "ES384"} == set(told["token_endpoint_auth_signing_alg_values_supported"])
    assert told["response_types_supported"] == ["code"]
    assert told["management_endpoint"] == "https://dossier.example.nl/wijk/portal/apps"
    for name in ("authorization_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"):
        assert told[name]


def test_line_1_the_capabilities_are_those_of_the_standard_and_of_this_server() -> None:
    """The list of SMART 2.2 but for what isn't here: a launch with an Encounter, and brands."""
    assert set(discovery.CAPABILITIES) == {
        "launch-standalone",
        "launch-ehr",
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
    }


@pytest.mark.parametrize("scope", discovery.SCOPES)
def test_line_1_every_scope_that_is_named_means_something_here(scope: str) -> None:
    types = registry.load().resource_types
    assert known(scope, types)
    if scope not in WORDS:
        (granted,) = parse(scope, types)
        assert granted.covers("Observation", "r") or granted.covers("Observation", "c")


@every_document
def test_line_2_rfc_8414_is_met(write: Write) -> None:
    AuthorizationServerMetadata(write(ADDRESSES, Settings(dynamic_registration=True))).validate()


def test_line_2_openid_connect_discovery_is_met() -> None:
    told = discovery.openid_configuration(ADDRESSES, Settings(dynamic_registration=True))
    OpenIDProviderMetadata(told).validate()
    # Without it, section 3 of the standard has it that a request object by reference is taken.
    assert told["request_uri_parameter_supported"] is False
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]


@every_document
def test_where_apps_can_not_register_themselves_no_place_is_named(write: Write) -> None:
    assert "registration_endpoint" not in write(ADDRESSES, Settings())
    told = write(ADDRESSES, Settings(dynamic_registration=True))
    assert told["registration_endpoint"] == "https://dossier.example.nl/wijk/auth/register"


def test_the_documents_do_not_contradict_each_other() -> None:
    one, two, three = (write(ADDRESSES, Settings()) for write in DOCUMENTS)
    for name in one.keys() & two.keys() & three.keys():
        assert one[name] == two[name] == three[name], name

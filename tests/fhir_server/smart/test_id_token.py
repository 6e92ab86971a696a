"""id_token: https://openid.net/specs/openid-connect-core-1_0.html#IDToken, and SMART's claim `fhirUser`."""

import json
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
from authlib.oidc.core import CodeIDToken
from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS
from msgspec.structs import replace

from fhir_server.smart.addresses import Addresses
from fhir_server.smart.id_token import id_token, subject
from fhir_server.smart.keys import ID_TOKEN_SECONDS, SigningKeys
from fhir_server.smart.records import Grant
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from tests.fhir_server.inprocess import opened
from tests.fhir_server.smart.house import ADDRESSES as AT_HOME
from tests.fhir_server.smart.house import SmartHouse, lets_in

pytestmark = pytest.mark.anyio

NOW = 1_790_000_000_123_456
ADDRESSES = Addresses("https://wijk.test")
GRANT = Grant(
    client="app",
    person="Patient/1",
    account="3f0c8f0e-6c3f-4f0e-9f5e-0a5b8f1c2d3e",
    scope="openid fhirUser launch/patient patient/Observation.rs",
    nonce="n-0S6_WzA2Mj",
    since=NOW - 90_000_000,
    acr="urn:example:substantial",
    created=NOW,
)


@pytest.fixture
async def server() -> AsyncIterator[AuthorizationServer]:
    async with opened() as house:
        settings = house.gateway.settings
        yield AuthorizationServer(house.gateway, State(house.store), settings, SigningKeys(settings.data))


def read(server: AuthorizationServer, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims; another library checks the signature with nothing but what /auth/jwks shows."""
    signed = JWS()
    signed.allowed_algs = ["RS256"]
    signed.deserialize(token, JWKSet.from_json(json.dumps(server.keys.public(NOW))))
    return json.loads(signed.objects["protected"]), json.loads(signed.payload)


async def test_line_12_it_says_who_for_whom_when_and_of_which_login(server: AuthorizationServer) -> None:
    header, claims = read(server, id_token(server, ADDRESSES, GRANT, "app", NOW))
    assert header == {"typ": "JWT", "alg": "RS256", "kid": server.keys.current.kid}
    assert claims == {
        "iss": "https://wijk.test",
        "sub": subject(server.settings.data, GRANT.account),
        "aud": "app",
        "iat": 1_790_000_000,
        "exp": 1_790_000_000 + ID_TOKEN_SECONDS,
        "auth_time": 1_790_000_000 - 90,
        "nonce": "n-0S6_WzA2Mj",
        "acr": "urn:example:substantial",
        "fhirUser": "https://wijk.test/fhir/Patient/1",
    }


async def test_line_12_the_rules_of_openid_connect_are_met(server: AuthorizationServer) -> None:
    """authlib judges it as a relying party would."""
    header, claims = read(server, id_token(server, ADDRESSES, GRANT, "app", NOW))
    options = {"iss": {"value": "https://wijk.test"}, "aud": {"value": "app"}}
    params = {"client_id": "app", "nonce": GRANT.nonce, "max_age": 3600}
    CodeIDToken(claims, header, options, params).validate(now=claims["iat"])


async def test_what_was_not_there_is_not_claimed(server: AuthorizationServer) -> None:
    bare = replace(GRANT, scope="openid patient/*.rs", nonce="", acr="", since=0)
    _, claims = read(server, id_token(server, ADDRESSES, bare, "app", NOW))
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp"}


@pytest.mark.parametrize(
    "scope, claims",
    [
        ("openid fhirUser", {"fhirUser"}),
        ("openid profile", {"profile"}),
        ("openid profile fhirUser", {"profile", "fhirUser"}),
        ("openid fhirUserX", set()),
    ],
)
async def test_who_they_are_in_fhir_is_said_under_the_name_that_was_granted(
    server: AuthorizationServer, scope: str, claims: set[str]
) -> None:
    """SMART 1 called `fhirUser` `profile`."""
    _, told = read(server, id_token(server, ADDRESSES, replace(GRANT, scope=scope), "app", NOW))
    assert {name: told[name] for name in ("fhirUser", "profile") if name in told} == dict.fromkeys(
        claims, "https://wijk.test/fhir/Patient/1"
    )


async def test_line_12_the_subject_is_stable_and_tells_nothing(server: AuthorizationServer) -> None:
    """Not a BSN, not the account, and not something that who knows the account could work out without the key."""
    folder = server.settings.data
    one = subject(folder, GRANT.account)
    assert one == subject(folder, GRANT.account)
    assert one != subject(folder, GRANT.account + "1")
    assert re.fullmatch("[0-9a-f]{64}", one)
    assert one != sha256(GRANT.account.encode()).hexdigest()
    (folder / "subject.key").unlink()
    assert one != subject(folder, GRANT.account)


async def test_line_12_after_a_rotation_the_new_key_signs_and_the_token_before_is_still_believed(
    server: AuthorizationServer,
) -> None:
    earlier = id_token(server, ADDRESSES, GRANT, "app", NOW)
    before = server.keys.current.kid
    server.keys.rotate(NOW)
    later = id_token(server, ADDRESSES, GRANT, "app", NOW)
    assert read(server, earlier)[0]["kid"] == before
    assert read(server, later)[0]["kid"] == server.keys.current.kid != before


async def let_in(smart: SmartHouse, scope: str) -> dict[str, Any]:
    """The token answer to an app whose Consent opens Observations, and the Patient that it belongs to."""
    await smart.client()
    await smart.house.given(lets_in("app", "Observation", "Patient"))
    return await smart.issued(await smart.grant(scope=scope, consent="lets-in-app"))


async def test_line_12_who_they_are_can_be_read_with_the_token_that_came_along(smart: SmartHouse) -> None:
    """No FHIR scope reaches Patient: `fhirUser` does, as far as that one resource."""
    answer = await let_in(smart, "openid fhirUser launch/patient patient/Observation.rs")
    _, claims = read(smart.server, answer["id_token"])
    assert claims["fhirUser"] == f"{AT_HOME.base}/Patient/p"
    found = await smart.bearer(answer["access_token"]).get("Patient/p")
    assert (found.status, found.json["id"]) == (200, "p")
    assert await smart.status(answer["access_token"], "Patient/q") != 200


async def test_line_12_without_the_scope_it_is_neither_told_nor_readable(smart: SmartHouse) -> None:
    answer = await let_in(smart, "openid launch/patient patient/Observation.rs")
    _, claims = read(smart.server, answer["id_token"])
    assert "fhirUser" not in claims
    assert await smart.status(answer["access_token"], "Patient/p") == 403
    assert await smart.status(answer["access_token"]) == 200

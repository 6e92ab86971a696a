"""Apps that register themselves. https://datatracker.ietf.org/doc/html/rfc7591"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.smart.clients import Clients
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.registration import BYTES_MAX, register
from tests.fhir_server.smart.house import REDIRECT, SmartHouse, basic, smart_house
from tests.fhir_server.smart.signing import ec, key_set

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
async def open_house() -> AsyncIterator[SmartHouse]:
    """A server at which apps can register themselves."""
    async with smart_house(dynamic_registration=True) as smart:
        yield smart


def asked(**more: Any) -> Json:
    """A public app; what is None is not in it."""
    made = {"client_name": "Metingen", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none",
            "scope": "openid patient/*.rs", **more}  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


async def registered(smart: SmartHouse, **more: Any) -> Json:
    return await register(smart.server, json.dumps(asked(**more)).encode())


async def refused(smart: SmartHouse, error: str = "invalid_client_metadata", **more: Any) -> str:
    before = len(await Clients(smart.server).all())
    with pytest.raises(OAuthError) as caught:
        await registered(smart, **more)
    assert (caught.value.error, caught.value.status) == (error, 400)
    assert len(await Clients(smart.server).all()) == before
    return caught.value.description


async def test_line_18_apps_register_themselves_only_where_that_is_allowed(smart: SmartHouse) -> None:
    with pytest.raises(OAuthError) as caught:
        await registered(smart)
    assert (caught.value.error, caught.value.status) == ("access_denied", 403)
    assert await Clients(smart.server).all() == []


async def test_an_app_is_told_what_it_was_registered_as(open_house: SmartHouse) -> None:
    answer = await registered(open_house)
    id = answer.pop("client_id")
    assert answer.pop("client_id_issued_at") == open_house.house.clock.now // 1_000_000
    assert answer == {
        "client_name": "Metingen",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid patient/*.rs",
    }
    client = await Clients(open_house.server).get(id)
    assert client is not None
    assert (client.kind, client.name, client.redirect_uris) == ("public", "Metingen", (REDIRECT,))
    operator = await open_house.house.caller(scope="system/*.rs")
    assert (await operator.get(f"Device/app-{id}")).status == 200
    assert await open_house.log() == [f"client {id} registered"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", None])
async def test_an_app_with_a_secret_gets_one_that_works(open_house: SmartHouse, method: str | None) -> None:
    answer = await registered(open_house, token_endpoint_auth_method=method)
    assert answer["token_endpoint_auth_method"] == (method or "client_secret_basic")
    assert answer["client_secret_expires_at"] == 0
    form = {"grant_type": "refresh_token", "refresh_token": "none"}
    await open_house.refused("invalid_client", client_id=answer["client_id"], **form)
    with pytest.raises(OAuthError, match="unauthorized_client"):  # it is believed, and has nothing to refresh
        await open_house.token(basic(answer["client_id"], answer["client_secret"]), **form)


async def test_an_app_with_keys_says_which_or_where(open_house: SmartHouse) -> None:
    keys = key_set(ec())
    answer = await registered(open_house, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    assert (answer["jwks"], "client_secret" in answer) == (keys, False)
    uri = "https://app.test/keys"
    assert (await registered(open_house, token_endpoint_auth_method="private_key_jwt", jwks_uri=uri))["jwks_uri"] == uri


async def test_what_it_may_ask_for_is_what_people_can_grant_here(open_house: SmartHouse) -> None:
    wide = (
        "openid patient/Observation.read patient/Everything.rs launch/planet system/*.rs user/Patient.rs offline_access"
    )
    answer = await registered(open_house, scope=wide)
    assert sorted(answer["scope"].split()) == ["offline_access", "openid", "patient/Observation.rs", "user/Patient.rs"]
    unasked = await registered(open_house, scope=None)
    assert "patient/*.rs" in unasked["scope"].split()
    assert not any(letter in word.partition(".")[2] for word in unasked["scope"].split() for letter in "cud")
    for scope in ("", "system/*.rs", "patient/Everything.rs"):
        assert "scope" in await refused(open_house, scope=scope)


async def test_it_acts_for_nobody_by_itself_and_asks_about_no_token(open_house: SmartHouse) -> None:
    for grants in (["client_credentials"], ["authorization_code", "client_credentials"], ["password"], ["implicit"]):
        assert "grant_types" in await refused(open_house, grant_types=grants)
    claimed = {"user": "Practitioner/doctor", "introspects": True, "verified": True, "publisher": "The Ministry",
               "purpose": "TREAT", "assertion_profile": "rfc10070", "client_id": "chosen", "id": "chosen",
               "client_secret": "chosen"}  # fmt: skip
    answer = await registered(open_house, **claimed)
    client = await Clients(open_house.server).get(answer["client_id"])
    assert client is not None
    assert (client.user, client.introspects, client.verified, client.publisher, client.purpose) == (
        "",
        False,
        False,
        "",
        "",
    )
    assert "client_credentials" not in client.grants
    assert "chosen" not in json.dumps(answer)


async def test_it_may_come_back_without_the_person_if_it_says_so(open_house: SmartHouse) -> None:
    answer = await registered(open_house, grant_types=["refresh_token", "authorization_code"])
    assert answer["grant_types"] == ["refresh_token", "authorization_code"]
    assert "goes with" in await refused(open_house, grant_types=["refresh_token"], redirect_uris=[REDIRECT])


@pytest.mark.parametrize(
    "uris",
    [None, [], ["http://app.test/"], ["https://app.test/#a"], ["javascript:alert(1)"], [REDIRECT, "https://*.test"]],
)
async def test_line_3_its_redirect_uris_are_judged_like_any_other(open_house: SmartHouse, uris: Any) -> None:
    assert "redirect_uri" in await refused(open_house, "invalid_redirect_uri", redirect_uris=uris)


@pytest.mark.parametrize(
    "more",
    [
        {"client_name": None},
        {"client_name": ""},
        {"client_name": "App\u202e"},
        {"client_name": 7},
        {"client_name": {"nl": "App"}},
        {"redirect_uris": REDIRECT},
        {"redirect_uris": [1]},
        {"redirect_uris": {"0": REDIRECT}},
        {"scope": ["openid"]},
        {"scope": None, "grant_types": "authorization_code"},
        {"response_types": ["token"]},
        {"response_types": ["code", "token"]},
        {"response_types": []},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": ["none"]},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://app.test/keys"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": key_set(ec()), "jwks_uri": "https://app.test/keys"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": key_set(ec().export_private(as_dict=True))},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": json.dumps(key_set(ec()))},
        {"jwks": key_set(ec())},
    ],
)
async def test_what_can_not_be_registered_is_said_and_nothing_is_stored(open_house: SmartHouse, more: Json) -> None:
    words = await refused(open_house, **more)
    assert words.isascii()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b'{"a":' * 3000, b"{" + b" " * BYTES_MAX + b"}",
                                  b'{"client_name": "a", "client_name": "b"}'])  # fmt: skip
async def test_line_18_what_is_no_registration_is_refused(open_house: SmartHouse, body: bytes) -> None:
    with pytest.raises(OAuthError) as caught:
        await register(open_house.server, body)
    assert (caught.value.error, caught.value.status) == ("invalid_client_metadata", 400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from([REDIRECT, "none", "code"]),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("keys"), one, max_size=3),
    max_leaves=6,
)
MEMBERS = ["client_name", "redirect_uris", "scope", "grant_types", "response_types", "token_endpoint_auth_method", "jwks",
           "jwks_uri"]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(MEMBERS), JSON))
async def test_line_18_whatever_is_asked_the_answer_is_a_client_or_a_refusal(
    open_house: SmartHouse, more: Json
) -> None:
    try:
        answer = await registered(open_house, **more)
    except OAuthError as error:
        refusal = error.error
    else:
        assert await Clients(open_house.server).get(answer["client_id"]) is not None
        return
    assert refusal in ("invalid_client_metadata", "invalid_redirect_uri")

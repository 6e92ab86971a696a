"""How a client shows who it is. https://datatracker.ietf.org/doc/html/rfc6749#section-2.3, RFC 7523"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from msgspec.structs import replace

from fhir_server.gateway.gateway import Gateway
from fhir_server.smart.assertions import ASSERTION_TYPE
from fhir_server.smart.client_auth import authenticate
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.jwks import Fetched, KeySets
from fhir_server.smart.keysets import KeyFault
from fhir_server.smart.records import Client, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from fhir_server.store.sqlite import open_store
from tests.fhir_server.smart.house import ADDRESSES, SECOND, SECRET, SmartHouse, basic, sent
from tests.fhir_server.smart.signing import ISSUER, TOKEN_URL, claims, ec, key_set, public, rsa, signed

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
JWKS_URI = "https://backend.test/jwks"


async def who(
    server: AuthorizationServer, headers: Mapping[str, str] | None = None, *, implied: str = "", **form: str | None
) -> Client:
    return await authenticate(server, ADDRESSES, headers or {}, sent(**form), endpoint="token", implied=implied)


async def refused(
    smart: SmartHouse,
    headers: Mapping[str, str] | None = None,
    error: str = "invalid_client",
    server: AuthorizationServer | None = None,
    implied: str = "",
    **form: str | None,
) -> OAuthError:
    """Refused with this error, and with a challenge only if the header Authorization was used."""
    with pytest.raises(OAuthError) as caught:
        await who(server or smart.server, headers, implied=implied, **form)
    assert (caught.value.error, caught.value.status) == (error, 401 if error == "invalid_client" else 400)
    challenged = bool(headers) and error == "invalid_client"
    assert ("WWW-Authenticate" in caught.value.headers) == challenged
    return caught.value


def raw(text: str | bytes, scheme: str = "Basic") -> Json:
    encoded = text if isinstance(text, bytes) else text.encode()
    return {"authorization": f"{scheme} {base64.b64encode(encoded).decode()}"}


# --- nothing, and secrets ------------------------------------------------------------------------------------------


async def test_a_public_client_is_who_it_says_and_nobody_else_is(smart: SmartHouse) -> None:
    made = await smart.client("app")
    assert await who(smart.server, client_id="app") == made
    for id in ("nobody", "APP", "app ", None):
        await refused(smart, client_id=id)
    await refused(smart, client_id="app", client_secret=SECRET)
    await refused(smart, basic("app"))
    await refused(smart, basic("app", ""))


async def test_line_11_a_public_client_need_not_say_what_its_refresh_token_says(smart: SmartHouse) -> None:
    await smart.client("app")
    await smart.client("other")
    await smart.client("secretive", kind="symmetric")
    assert (await who(smart.server, implied="app")).id == "app"
    assert (await who(smart.server, implied="app", client_id="other")).id == "other"  # whose token it is, others judge
    await refused(smart, implied="secretive")
    await refused(smart, implied="")


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
async def test_a_secret_shows_who_a_client_is_in_the_header_or_in_the_form(smart: SmartHouse, scheme: str) -> None:
    made = await smart.client("app", kind="symmetric")
    header = {"authorization": basic()["authorization"].replace("Basic", scheme)}
    assert await who(smart.server, header) == made
    assert await who(smart.server, header, client_id="app") == made
    assert await who(smart.server, client_id="app", client_secret=SECRET) == made


async def test_without_its_secret_a_client_is_nobody(smart: SmartHouse) -> None:
    await smart.client("app", kind="symmetric")
    await smart.client("other", kind="symmetric", secret=digest("another secret"))
    await refused(smart, client_id="app")
    await refused(smart, client_id="app", client_secret="")
    for wrong in (SECRET[:-1], SECRET + " ", SECRET.upper(), "another secret", digest(SECRET), "é\u2028"):
        await refused(smart, client_id="app", client_secret=wrong)
        await refused(smart, raw(f"app:{quote_plus(wrong)}"))
    await refused(smart, client_id="other", client_secret=SECRET)
    await refused(smart, client_id="nobody", client_secret=SECRET)
    await refused(smart, client_secret=SECRET)
    await refused(smart, basic("nobody"))


async def test_a_client_with_keys_has_no_secret(smart: SmartHouse) -> None:
    await backend(smart, secret=digest(SECRET))  # nor does one help that was left from before
    await refused(smart, basic("backend"))
    await refused(smart, client_id="backend")
    for secret in ("", digest(""), "null"):
        await refused(smart, basic("backend", secret or " "))
        await refused(smart, client_id="backend", client_secret=secret)


async def test_id_and_secret_in_the_header_are_each_form_encoded(smart: SmartHouse) -> None:
    """https://datatracker.ietf.org/doc/html/rfc6749#section-2.3.1"""
    secret = "a:b%41+c d é/ü"
    await smart.client("an.id", kind="symmetric", secret=digest(secret))
    assert (await who(smart.server, raw(f"an%2Eid:{quote_plus(secret)}"))).id == "an.id"
    assert (await who(smart.server, raw(f"an.id:{quote_plus(secret)}"))).id == "an.id"
    await refused(smart, raw(f"an.id:{secret}"))
    await refused(smart, raw(f"an%252Eid:{quote_plus(secret)}"))


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YXBw",  # no colon
        "Basic OnNlY3JldA==",  # no id
        "Basic YXBwOnNlY3JldA",  # no padding
        "Basic " + base64.b64encode(b"app:\xff").decode(),
        "Basic " + base64.b64encode(b"app:%ff").decode(),
        "Basic \u00e9",
        "Bearer YXBwOnNlY3JldA==",
        "Digest username=app",
        "",
    ],
)
async def test_a_header_that_can_not_be_read_is_refused(smart: SmartHouse, header: str) -> None:
    await smart.client("app")
    await refused(smart, {"authorization": header}, client_id="app")


@pytest.mark.parametrize("header", ["Bearer {}", "{}", "Basic !{}", "Basic {}\u00e9"])
async def test_credentials_that_would_do_are_read_strictly(smart: SmartHouse, header: str) -> None:
    await smart.client("app", kind="symmetric")
    await refused(smart, {"authorization": header.format(basic()["authorization"].removeprefix("Basic "))})


async def test_the_client_id_of_the_form_is_that_of_the_header(smart: SmartHouse) -> None:
    await smart.client("app", kind="symmetric")
    await smart.client("other")
    await refused(smart, basic("app"), client_id="other")


async def test_more_than_one_way_at_once_is_refused_though_each_would_do(smart: SmartHouse) -> None:
    """RFC 6749, section 2.3: "the client MUST NOT use more than one authentication method in each request"."""
    await smart.client("app", kind="symmetric")
    await backend(smart)
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed(good(smart))}
    assert await who(smart.server, basic())
    await refused(smart, basic(), "invalid_request", client_secret=SECRET)
    await refused(smart, basic(), "invalid_request", **assertion)
    await refused(smart, None, "invalid_request", client_id="app", client_secret=SECRET, **assertion)
    await refused(smart, basic(), "invalid_request", client_assertion_type=ASSERTION_TYPE)
    assert await who(smart.server, **assertion)  # none of the above has used it up


async def test_who_uses_the_name_of_a_client_in_vain_stands_in_the_audit_log(smart: SmartHouse) -> None:
    await smart.client("app", kind="symmetric")
    await refused(smart, client_id="app", client_secret="a guess")
    await refused(smart, client_id="nobody", client_secret="a guess")
    assert await smart.log() == ["client app not authenticated at token"]
    operator = await smart.house.caller()
    events = await operator.get("AuditEvent?_count=1000")
    (event,) = [one for one in events.resources if "not authenticated" in one.get("outcomeDesc", "")]
    assert event["outcome"] == "4"
    assert "a guess" not in json.dumps(events.json)


# --- assertions ----------------------------------------------------------------------------------------------------


def good(smart: SmartHouse, client: str = "backend", **more: Any) -> Json:
    return claims(client, smart.house.clock.now, **more)


async def backend(smart: SmartHouse, *keys: JWK, **more: Any) -> Client:
    terms = {"kind": "asymmetric", "grants": ("client_credentials",), "user": "Organization/o", "scope": "system/*.rs",
             "redirect_uris": (), "jwks": json.dumps(key_set(*(keys or (ec(), rsa())))), **more}  # fmt: skip
    return await smart.client("backend", **terms)


async def asserted(server: AuthorizationServer, text: str, **form: str | None) -> Client:
    terms = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text, **form}
    return await who(server, **terms)


async def not_believed(smart: SmartHouse, text: str, server: AuthorizationServer | None = None, **form: Any) -> str:
    terms = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text, **form}
    return (await refused(smart, server=server, **terms)).description


@pytest.mark.parametrize("key", [ec(), rsa()], ids=["ES384", "RS384"])
async def test_line_14_a_signed_assertion_shows_who_a_client_is(smart: SmartHouse, key: JWK) -> None:
    made = await backend(smart)
    assert await asserted(smart.server, signed(good(smart), key)) == made
    assert await asserted(smart.server, signed(good(smart), key), client_id="backend") == made


async def test_line_14_an_unknown_iss_is_refused(smart: SmartHouse) -> None:
    await backend(smart)
    assert "unknown" in await not_believed(smart, signed(good(smart, "nobody")))


async def test_line_14_iss_and_sub_and_client_id_are_one(smart: SmartHouse) -> None:
    await backend(smart)
    await smart.client("app")
    assert "sub" in await not_believed(smart, signed(good(smart, sub="app")))
    assert "sub" in await not_believed(smart, signed(good(smart, iss="app")))
    assert "client_id" in await not_believed(smart, signed(good(smart)), client_id="app")


async def test_line_14_the_audience_is_what_the_client_was_registered_to_name(smart: SmartHouse) -> None:
    await backend(smart)
    await asserted(smart.server, signed(good(smart, aud=TOKEN_URL)))
    assert "aud" in await not_believed(smart, signed(good(smart, aud=ISSUER)))
    kept = await smart.state.clients.get("backend")
    assert kept is not None
    changed = replace(kept.value, assertion_profile="rfc10070")
    await smart.state.commit(smart.state.clients.change(kept, changed))
    await asserted(smart.server, signed(good(smart, aud=ISSUER)))
    assert "aud" in await not_believed(smart, signed(good(smart, aud=TOKEN_URL)))
    assert "aud" in await not_believed(smart, signed(good(smart, aud=[ISSUER, TOKEN_URL])))


async def test_line_14_the_audience_stays_the_token_url_at_other_endpoints(smart: SmartHouse) -> None:
    await backend(smart)

    async def at_introspect(url: str) -> Client:
        form = sent(client_assertion_type=ASSERTION_TYPE, client_assertion=signed(good(smart, aud=url)))
        return await authenticate(smart.server, ADDRESSES, {}, form, endpoint="introspect")

    assert (await at_introspect(TOKEN_URL)).id == "backend"
    with pytest.raises(OAuthError, match="aud"):
        await at_introspect(ADDRESSES.endpoint("introspect"))


async def test_line_14_the_time_is_that_of_this_server(smart: SmartHouse) -> None:
    await backend(smart)
    text = signed(good(smart))
    smart.house.clock.now += 241 * SECOND
    assert "exp" in await not_believed(smart, text)


async def test_line_14_the_keys_of_another_client_do_not_do(smart: SmartHouse) -> None:
    await backend(smart, ec("one"))
    await smart.client("other", kind="asymmetric", jwks=json.dumps(key_set(ec("two"))))
    assert "kid" in await not_believed(smart, signed(good(smart), ec("two")))
    assert "signature" in await not_believed(smart, signed(good(smart), ec("two"), kid="one"))


async def test_line_14_a_client_that_was_not_registered_for_assertions_has_none(smart: SmartHouse) -> None:
    await smart.client("app")
    await smart.client("secretive", kind="symmetric")
    for id in ("app", "secretive"):
        assert "not how this client" in await not_believed(smart, signed(good(smart, id)))


@pytest.mark.parametrize("kind", ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"])
async def test_another_type_of_assertion_is_refused(smart: SmartHouse, kind: str) -> None:
    await backend(smart)
    assert "client_assertion_type" in await not_believed(smart, signed(good(smart)), client_assertion_type=kind)


async def test_an_assertion_type_without_an_assertion_is_refused(smart: SmartHouse) -> None:
    await smart.client("app")
    await not_believed(smart, "", client_id="app")


async def test_line_14_a_reused_jti_is_refused(smart: SmartHouse) -> None:
    await backend(smart)
    text = signed(good(smart, jti="once"))
    await asserted(smart.server, text)
    assert "jti was used" in await not_believed(smart, text)
    assert "jti was used" in await not_believed(smart, signed(good(smart, jti="once", exp=exp(smart))))
    assert (await smart.log())[-1] == "client backend not authenticated at token"
    await asserted(smart.server, signed(good(smart, jti="twice")))


def exp(smart: SmartHouse) -> int:
    return smart.house.clock.now // SECOND + 60


async def test_line_14_a_jti_is_used_per_client(smart: SmartHouse) -> None:
    await backend(smart)
    await smart.client("other", kind="asymmetric", jwks=json.dumps(key_set(ec())))
    for id in ("backend", "other"):
        await asserted(smart.server, signed(good(smart, id, jti="same")))


async def test_line_14_an_assertion_that_was_refused_has_not_used_its_jti(smart: SmartHouse) -> None:
    """Who can't sign must not be able to use up what somebody else is about to send."""
    await backend(smart)
    await not_believed(smart, signed(good(smart, jti="mine"), ec("thief"), kid="ec-1"))
    await asserted(smart.server, signed(good(smart, jti="mine")))


async def test_line_14_a_jti_is_remembered_past_the_expiry_of_its_assertion(smart: SmartHouse) -> None:
    """So that a clock that is set back lets nothing in again."""
    await backend(smart)
    text, before = signed(good(smart)), smart.house.clock.now
    await asserted(smart.server, text)
    smart.house.clock.now += 12 * 3600 * SECOND
    await smart.client("another")  # whatever is written meanwhile
    smart.house.clock.now = before
    assert "jti was used" in await not_believed(smart, text)


@asynccontextmanager
async def worker(smart: SmartHouse) -> AsyncIterator[AuthorizationServer]:
    """Another process on the same store, as far as the store can tell."""
    house = smart.house
    store = await open_store(smart.server.settings.data, clock=house.clock)
    try:
        gateway = Gateway(store, house.gateway.registry, smart.server.settings, clock=house.clock, cursor_key=b"k" * 32)
        yield AuthorizationServer(gateway, State(store), smart.server.settings, smart.server.keys)
    finally:
        await store.close()


async def test_line_14_of_many_at_one_moment_in_two_workers_exactly_one_is_believed(smart: SmartHouse) -> None:
    await backend(smart)
    async with worker(smart) as other:
        for _ in range(5):
            text = signed(good(smart))
            tries = [asserted(server, text) for server in (smart.server, other) * 5]
            outcomes = await asyncio.gather(*tries, return_exceptions=True)
            assert sum(isinstance(one, Client) for one in outcomes) == 1
            assert {one.error for one in outcomes if isinstance(one, OAuthError)} == {"invalid_client"}
            assert sum(isinstance(one, OAuthError) for one in outcomes) == 9


async def test_line_14_a_jti_that_was_used_before_a_restart_stays_used(smart: SmartHouse) -> None:
    await backend(smart)
    text = signed(good(smart))
    await asserted(smart.server, text)
    async with worker(smart) as restarted:
        assert "jti was used" in await not_believed(smart, text, restarted)


# --- keys that are published ---------------------------------------------------------------------------------------


class Web:
    """What is published at JWKS_URI, and what was asked for."""

    def __init__(self, *keys: JWK) -> None:
        self.keys = keys
        self.asked: list[str] = []

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        if url != JWKS_URI:
            raise KeyFault("there is nothing there")
        return Fetched([public(key) for key in self.keys], 300)

    def server(self, smart: SmartHouse) -> AuthorizationServer:
        one = smart.server
        return AuthorizationServer(one.gateway, one.state, one.settings, one.keys, key_sets=KeySets(self))


async def test_line_15_keys_are_looked_for_where_they_are_published(smart: SmartHouse) -> None:
    await backend(smart, jwks="", jwks_uri=JWKS_URI)
    web = Web(ec("old"))
    server = web.server(smart)
    await asserted(server, signed(good(smart), ec("old")))
    await asserted(server, signed(good(smart), ec("old")))
    assert web.asked == [JWKS_URI]
    web.keys = (ec("new"),)
    await asserted(server, signed(good(smart), ec("new")))
    assert web.asked == [JWKS_URI] * 2
    assert "kid" in await not_believed(smart, signed(good(smart), ec("old")), server)


async def test_line_15_jku_is_the_registered_url_or_absent(smart: SmartHouse) -> None:
    await backend(smart, jwks="", jwks_uri=JWKS_URI)
    web = Web(ec())
    server = web.server(smart)
    await asserted(server, signed(good(smart), jku=JWKS_URI))
    asked = len(web.asked)
    for jku in (
        "https://thief.test/jwks",
        JWKS_URI + "/",
        JWKS_URI + "?",
        JWKS_URI.upper(),
        "http://backend.test/jwks",
    ):
        assert "jku" in await not_believed(smart, signed(good(smart), jku=jku), server)
    assert len(web.asked) == asked  # nobody went to look there


async def test_line_15_a_client_that_publishes_nothing_has_no_jku(smart: SmartHouse) -> None:
    await backend(smart)
    web = Web(ec())
    assert "jku" in await not_believed(smart, signed(good(smart), jku=JWKS_URI), web.server(smart))
    assert web.asked == []


async def test_keys_that_can_not_be_had_are_a_refusal(smart: SmartHouse) -> None:
    await backend(smart, jwks="", jwks_uri="https://elsewhere.test/jwks")
    assert "nothing there" in await not_believed(smart, signed(good(smart)), Web().server(smart))


# --- anything ------------------------------------------------------------------------------------------------------


TEXTS = st.text(max_size=30) | st.sampled_from(["app", "secretive", "backend", SECRET, ASSERTION_TYPE, "", "a.b.c"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    form=st.dictionaries(
        st.sampled_from(["client_id", "client_secret", "client_assertion", "client_assertion_type"]), TEXTS
    ),
    header=st.none()
    | TEXTS
    | TEXTS.map(lambda text: "Basic " + base64.b64encode(text.encode("utf-8", "replace")).decode()),
)
async def test_line_18_whatever_is_sent_the_answer_is_a_client_or_a_refusal(
    smart: SmartHouse, form: Json, header: str | None
) -> None:
    if await smart.state.clients.get("app") is None:
        await smart.client("app")
        await smart.client("secretive", kind="symmetric")
        await backend(smart)
    refusal: OAuthError | None = None
    try:
        found = await who(smart.server, {} if header is None else {"authorization": header}, **form)
    except OAuthError as error:
        refusal = error
    if refusal is None:
        assert found.id == "app" or form.get("client_secret") == SECRET
    else:
        assert refusal.error in ("invalid_client", "invalid_request")
        told = (value for value in form.values() if len(value) > 8 and value != ASSERTION_TYPE)
        assert not any(value in refusal.description for value in told)

"""Logging in at an OpenID Provider that really answers on this machine, honestly and otherwise."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from tests.fhir_server.inprocess import patient
from tests.fhir_server.portal.browser import Browser, Site, site
from tests.providers.openid import CLIENT, SECRET, OpenIdProvider, provider

LOW, HIGH, CARD = "urn:low", "urn:high", "urn:card"


@pytest.fixture
def one() -> Iterator[OpenIdProvider]:
    with provider() as running:
        yield running


@asynccontextmanager
async def joined(one: OpenIdProvider, **settings: Any) -> AsyncIterator[Site]:
    """A site whose people log in at the provider; Annie is `s-1` there."""
    told = {"oidc_issuer": one.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": one.secret, **settings}
    async with site(**told) as place:
        one.clock = lambda: place.house.clock.now / 1e6
        await place.house.given(
            patient("annie"),
            {"resourceType": "Practitioner", "id": "arts", "active": True},
        )
        await place.account("annie", "Patient/annie", "Practitioner/arts", password="")
        kept = await place.accounts.get("annie")
        assert kept is not None
        await place.accounts.link(kept, one.issuer, "s-1", "operator")
        yield place


async def sent_off(browser: Browser, following: str = "/portal/account", role: str = "") -> str:
    """Where the login page leads the browser to."""
    away = await browser.get(f"/portal/external/start?next={following}" + (f"&as={role}" if role else ""))
    assert away.status_code == 303, away.text
    return away.headers["location"]


async def come_back(browser: Browser, away: str) -> httpx.Response:
    """What the site says to a browser that went to the provider and back."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(away)
    assert answer.status_code == 302
    return await browser.get(answer.headers["location"])


async def through(browser: Browser, **options: str) -> httpx.Response:
    return await come_back(browser, await sent_off(browser, **options))


async def logged_in(browser: Browser) -> bool:
    return (await browser.get("/portal/person")).status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_who_logs_in_at_the_provider_is_logged_in_here_and_where_they_were_going(
    one: OpenIdProvider, algorithm: str
) -> None:
    async def scenario() -> None:
        one.algorithm = algorithm
        async with joined(one) as place:
            browser = place.browser()
            login = await browser.get("/portal/login?next=/portal/account")
            assert "/portal/external/start?next=/portal/account" in login.text
            answer = await through(browser)
            assert (answer.status_code, answer.headers["location"]) == (303, "/portal/account")
            assert await logged_in(browser)
            asked = one.authorized
            assert asked["scope"] == "openid"
            assert asked["response_type"] == "code"
            assert asked["code_challenge_method"] == "S256"
            assert asked["redirect_uri"] == "http://127.0.0.1:8080/portal/external/callback"
            assert "prompt" not in asked

    asyncio.run(scenario())


def test_the_secret_goes_in_the_header_and_in_the_form_only_where_the_provider_knows_no_better(
    one: OpenIdProvider,
) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            await through(place.browser())
            assert "client_secret" not in one.token_forms[-1]
        one.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        async with joined(one) as place:
            assert (await through(place.browser())).status_code == 303
            assert one.token_forms[-1]["client_secret"] == SECRET

    asyncio.run(scenario())


def test_a_public_client_shows_no_secret(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        one.secret = ""
        async with joined(one) as place:
            assert (await through(place.browser())).status_code == 303
            assert "client_secret" not in one.token_forms[-1]

    asyncio.run(scenario())


def test_who_is_logged_in_and_logs_in_again_has_to_show_anew_who_they_are(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            browser = place.browser()
            await through(browser)
            assert "prompt=login" in await sent_off(browser)

    asyncio.run(scenario())


def test_the_login_counts_from_when_the_provider_saw_them(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            since = int(place.house.clock.now // 1_000_000) - 50_000
            one.claims = {"auth_time": since}
            browser = place.browser()
            await through(browser)
            login = (await place.server.state.logins.all())[0].value
            assert login.since == since * 1_000_000
            assert await logged_in(browser)

    asyncio.run(scenario())


NOT_BELIEVED: dict[str, dict[str, Any]] = {
    "iss of another": {"claims": {"iss": "https://elsewhere.example"}},
    "no iss": {"claims": {"iss": None}},
    "aud of another": {"claims": {"aud": "somebody-else"}},
    "no aud": {"claims": {"aud": None}},
    "several aud without azp": {"claims": {"aud": [CLIENT, "other"]}},
    "azp of another": {"claims": {"aud": [CLIENT], "azp": "other"}},
    "expired": {"claims": {"exp": 1_000}},
    "exp as text": {"claims": {"exp": "2099-01-01"}},
    "no exp": {"claims": {"exp": None}},
    "made long ago": {"claims": {"iat": 1_000}},
    "made in the future": {"claims": {"iat": 4_000_000_000}},
    "no iat": {"claims": {"iat": None}},
    "another nonce": {"claims": {"nonce": "n"}},
    "no nonce": {"claims": {"nonce": None}},
    "no sub": {"claims": {"sub": None}},
    "empty sub": {"claims": {"sub": ""}},
    "sub is no text": {"claims": {"sub": 1}},
    "auth_time is no number": {"claims": {"auth_time": True}},
    "no kid": {"header": {"kid": None}},
    "unknown kid": {"header": {"kid": "rsa-9"}},
    "kid of a key of another kind": {"header": {"kid": "ec-1"}},
    "critical header": {"header": {"crit": ["b64"], "b64": True}},
    "another algorithm": {"algorithm": "RS384"},
    "an answer of another provider": {"answer": {"iss": "https://elsewhere.example"}},
    "an error": {"answer": {"code": None, "error": "access_denied"}},
    "no code": {"answer": {"code": None}},
    "another code": {"answer": {"code": "guessed"}},
    "issuer not said though it is said to be": {"metadata": {"authorization_response_iss_parameter_supported": True}},
}


@pytest.mark.parametrize("lie", NOT_BELIEVED, ids=str)
def test_an_answer_that_is_not_as_it_should_be_logs_nobody_in(one: OpenIdProvider, lie: str) -> None:
    async def scenario() -> None:
        for name, value in NOT_BELIEVED[lie].items():
            setattr(one, name, value)
        async with joined(one) as place:
            browser = place.browser()
            answer = await through(browser)
            assert answer.status_code in (403, 502), answer.text
            assert not await logged_in(browser)
            assert await place.server.state.logins.all() == []

    asyncio.run(scenario())


def test_several_audiences_are_believed_if_the_token_was_made_for_this_server(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        one.claims = {"aud": [CLIENT, "other"], "azp": CLIENT}
        async with joined(one) as place:
            assert (await through(place.browser())).status_code == 303

    asyncio.run(scenario())


def test_a_signature_of_somebody_else_is_not_believed(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        one.shown = [RSAKey.generate_key(2048, {"kid": "rsa-1"}).as_dict(private=False)]
        async with joined(one) as place:
            browser = place.browser()
            assert (await through(browser)).status_code == 403
            assert not await logged_in(browser)

    asyncio.run(scenario())


def test_two_keys_with_one_kid_are_no_key(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        honest = one.keys["rsa-1"].as_dict(private=False)
        one.shown = [honest, {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "rsa-1"}]
        async with joined(one) as place:
            assert (await through(place.browser())).status_code == 403

    asyncio.run(scenario())


def test_a_token_without_kid_is_not_believed_though_the_one_key_has_none_either(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        honest = one.keys["rsa-1"].as_dict(private=False)
        one.shown = [{name: value for name, value in honest.items() if name != "kid"}]
        one.header = {"kid": None}
        async with joined(one) as place:
            assert (await through(place.browser())).status_code == 403
            assert await place.server.state.logins.all() == []

    asyncio.run(scenario())


def test_a_symmetric_key_or_one_for_encryption_signs_nobody_in(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        honest = one.keys["rsa-1"].as_dict(private=False)
        for key in (
            {**honest, "use": "enc"},
            {**honest, "alg": "RS512"},
            OctKey.generate_key(256, {"kid": "rsa-1"}).as_dict(),
        ):
            one.shown = [key]
            async with joined(one) as place:
                assert (await through(place.browser())).status_code == 403

    asyncio.run(scenario())


def test_a_new_key_of_the_provider_is_asked_for_once(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            await through(place.browser())
            one.keys["rsa-1"] = RSAKey.generate_key(2048, {"kid": "rsa-2"})
            one.header = {"kid": "rsa-2"}
            assert (await through(place.browser())).status_code == 303
            assert one.asked.count("/jwks") == 2
            assert one.asked.count("/.well-known/openid-configuration") == 1

    asyncio.run(scenario())


def test_an_answer_counts_once_and_in_the_browser_that_asked(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            browser, other = place.browser(), place.browser()
            away = await sent_off(browser)
            await other.get("/portal/login")
            async with httpx.AsyncClient() as http:
                back = (await http.get(away)).headers["location"]
            assert (await other.get(back)).status_code == 400
            assert not await logged_in(other)
            cookie = browser.http.cookies["wijkdossier"]
            assert (await browser.get(back)).status_code == 303
            browser.http.cookies.clear()
            browser.http.cookies.set("wijkdossier", cookie)  # the login has a cookie of its own
            assert (await browser.get(back)).status_code == 400
            assert len(one.token_forms) == 1
            assert (await browser.get("/portal/external/callback?state=made-up&code=c")).status_code == 400

    asyncio.run(scenario())


def test_an_answer_that_comes_after_ten_minutes_is_too_late(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            browser = place.browser()
            away = await sent_off(browser)
            place.house.clock.now += 601_000_000
            assert (await come_back(browser, away)).status_code == 400

    asyncio.run(scenario())


def test_a_parameter_that_comes_twice_is_refused(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            browser = place.browser()
            state = parse_qs(urlsplit(await sent_off(browser)).query)["state"][0]
            answer = await browser.get(f"/portal/external/callback?state={state}&state={state}&code=c")
            assert answer.status_code == 400

    asyncio.run(scenario())


def test_somebody_who_is_not_known_here_gets_a_plain_page_and_no_account(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            one.subject = "s-2"
            browser = place.browser()
            answer = await through(browser)
            assert answer.status_code == 403
            assert "U bent hier nog niet bekend" in answer.text
            assert "s-2" not in answer.text
            assert [account.username for account in await place.accounts.list()] == ["annie"]
            assert not await logged_in(browser)

    asyncio.run(scenario())


def test_people_are_as_whom_they_showed_well_enough_to_be(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one, oidc_acr_resident=f"{LOW} {HIGH}", oidc_acr_professional=CARD) as place:
            for acr, people in {
                LOW: ("Patient/annie",),
                HIGH: ("Patient/annie",),
                CARD: ("Practitioner/arts",),
            }.items():
                one.acr = acr
                assert (await through(place.browser())).status_code == 303
                newest = max((kept.value for kept in await place.server.state.logins.all()), key=lambda one: one.since)
                assert (newest.people, newest.person, newest.acr) == (people, people[0], acr)
            for acr in ("", "urn:lower", f"{LOW} {HIGH}"):
                one.acr = acr
                browser = place.browser()
                answer = await through(browser)
                assert answer.status_code == 403
                assert "op een veiligere manier" in answer.text
                assert not await logged_in(browser)

    asyncio.run(scenario())


def test_the_provider_is_told_how_well_the_person_has_to_show_who_they_are(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one, oidc_acr_resident=f"{LOW} {HIGH}", oidc_acr_professional=CARD) as place:
            login = await place.browser().get("/portal/login")
            assert "as=resident" in login.text
            assert "as=professional" in login.text
            assert parse_qs(urlsplit(await sent_off(place.browser(), role="resident")).query)["acr_values"] == [
                f"{LOW} {HIGH}"
            ]
            assert parse_qs(urlsplit(await sent_off(place.browser(), role="professional")).query)["acr_values"] == [
                CARD
            ]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"token_endpoint": 1},
    ],
)
def test_metadata_that_is_not_of_this_provider_or_not_over_tls_is_not_used(
    one: OpenIdProvider, metadata: dict[str, Any]
) -> None:
    async def scenario() -> None:
        one.metadata = metadata
        async with joined(one) as place:
            answer = await place.browser().get("/portal/external/start")
            assert answer.status_code == 502
            assert "werkt nu niet" in answer.text

    asyncio.run(scenario())


def test_a_provider_that_does_not_answer_is_told_of_in_plain_words(one: OpenIdProvider) -> None:
    async def scenario() -> None:
        async with joined(one) as place:
            browser = place.browser()
            away = await sent_off(browser)
            one.status = 500
            assert (await come_back(browser, away)).status_code == 502
        async with site(oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT) as place:
            assert (await place.browser().get("/portal/external/start")).status_code == 502

    asyncio.run(scenario())


def test_without_a_provider_there_is_no_such_page() -> None:
    async def scenario() -> None:
        async with site() as place:
            for path in ("/portal/external/start", "/portal/external/callback?state=s&code=c"):
                assert (await place.browser().get(path)).status_code == 404

    asyncio.run(scenario())

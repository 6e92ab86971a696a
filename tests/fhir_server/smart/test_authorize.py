"""Requests to /authorize: what is told on a page, what at the redirect URI, and what waits for the person."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fhir_server.smart import authorize
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.authorize import PageError, Refused, check
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.form import Form, parse
from fhir_server.smart.records import Authorization, Client, Launch
from fhir_server.smart.state import Kept
from profiles import registry

TYPES = registry.load().resource_types
AT = Addresses("https://wijk.test")
REDIRECT = "https://app.test/after"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
NOW = 1_790_000_000_000_000
SECOND = 1_000_000
CLIENT = Client(
    id="app",
    name="App",
    kind="public",
    scope="openid fhirUser launch launch/patient offline_access patient/*.rs user/Observation.cruds system/*.rs",
    redirect_uris=(
        REDIRECT,
        "https://app.test/also?kept=1",
        "http://127.0.0.1:1234/cb",
        "http://[::1]/cb",
        "http://localhost/cb",
        "com.example.app:/cb",
    ),
)
GOOD = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": REDIRECT,
    "scope": "launch/patient patient/Observation.rs",
    "state": "s&t a=te",
    "aud": "https://wijk.test/fhir",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
LAUNCH = Kept("digest-of-handle", 1, "", 0, Launch(client="app", person="Patient/p", login="l", patient="p", expires=0))


def form(*more: tuple[str, str], **changed: str | None) -> Form:
    """The good request with these changes; what is None is not in it, `more` stands behind it."""
    pairs = {**GOOD, **changed}
    return Form((*((name, value) for name, value in pairs.items() if value is not None), *more))


def checked(asked: Form, client: Client | None = CLIENT, launch: Kept[Launch] | None = None) -> Authorization:
    return check(asked, client, launch, AT, TYPES, NOW)


def told(asked: Form, client: Client = CLIENT, launch: Kept[Launch] | None = None) -> dict[str, str]:
    """What the app is told at its redirect URI."""
    with pytest.raises(Refused) as caught:
        checked(asked, client, launch)
    parts = urlsplit(caught.value.location)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT
    return {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}


def on_a_page(asked: Form, client: Client | None = CLIENT) -> str:
    with pytest.raises(PageError) as caught:
        checked(asked, client)
    return caught.value.problem


def test_line_3_a_good_request_waits_for_the_person() -> None:
    found = checked(form(nonce="n", max_age="60", prompt="login consent"))
    assert found == Authorization(
        client="app",
        redirect_uri=REDIRECT,
        state="s&t a=te",
        scope="launch/patient patient/Observation.rs",
        challenge=CHALLENGE,
        nonce="n",
        prompt="login consent",
        max_age=60,
        base="https://wijk.test/fhir",
        issuer="https://wijk.test",
        expires=NOW + authorize.WAIT_SECONDS * SECOND,
    )


def test_line_3_an_unknown_client_is_told_on_a_page() -> None:
    assert on_a_page(form(), None) == "client"


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://app.test/after/",
        "https://app.test/after?x=1",
        "https://app.test/after#f",
        "https://app.test/after\\@evil.test",
        "https://app.test:443/after",
        "https://APP.test/after",
        "http://app.test/after",
        "https://app.test.evil.test/after",
        "https://app.test/also",
        "https://app.test/",
        "//app.test/after",
        "javascript:alert(1)",
        "http://127.0.0.1:1234/cb/other",
        "http://127.0.0.1:1234/cb?x",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:1234@evil.test/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://127.0.0.2/cb",
        "https://127.0.0.1:1234/cb",
        "com.example.app:/cb/other",
    ],
)
def test_line_3_a_redirect_uri_that_is_not_registered_is_told_on_a_page(uri: str | None) -> None:
    assert on_a_page(form(redirect_uri=uri)) == "redirect_uri"


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1234/cb",
        "http://127.0.0.1:65000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:8/cb",
        "http://localhost:5/cb",
        "com.example.app:/cb",
    ],
)
def test_line_3_only_the_port_of_a_loopback_redirect_may_vary(uri: str) -> None:
    assert checked(form(redirect_uri=uri)).redirect_uri == uri


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_line_3_a_second_client_or_redirect_uri_is_told_on_a_page(name: str) -> None:
    asked = form((name, GOOD[name]))
    read = authorize.client_id if name == "client_id" else checked
    with pytest.raises(PageError) as caught:
        read(asked)
    assert caught.value.problem == "parameters"


@pytest.mark.parametrize("name", sorted(set(authorize.REPEATABLE)))
def test_line_3_any_other_parameter_twice_is_told_to_the_app(name: str) -> None:
    asked = form((name, GOOD.get(name, "x")), (name, "y"))
    answer = told(asked, launch=LAUNCH if name == "launch" else None)
    assert answer["error"] == "invalid_request"
    assert answer.get("state") == (None if name == "state" else GOOD["state"])


def test_line_3_whatever_is_unknown_and_there_twice_is_refused_before_it_is_read() -> None:
    with pytest.raises(OAuthError):
        parse(b"x=1&x=2", repeatable=authorize.REPEATABLE)
    with pytest.raises(OAuthError):
        parse(b"client_id=a&client_id=b", repeatable=authorize.REPEATABLE)


@pytest.mark.parametrize("aud", [None, "", "https://wijk.test", "https://wijk.test/fhir//", "https://evil.test/fhir"])
def test_line_3_aud_is_our_base(aud: str | None) -> None:
    assert told(form(aud=aud))["error"] == "invalid_request"
    assert checked(form(aud="https://wijk.test/fhir/")).base == "https://wijk.test/fhir"


def test_line_3_state_is_required_and_echoed_to_the_letter() -> None:
    answer = told(form(state=None))
    assert answer["error"] == "invalid_request"
    assert "state" not in answer
    assert told(form(response_type="token"))["state"] == GOOD["state"]
    assert "state" not in told(form(state="x" * 2001))
    assert checked(form(state="x" * 2000)).state == "x" * 2000


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "e30"}, "request_not_supported"),
        ({"request_uri": "https://app.test/r"}, "request_uri_not_supported"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "patient/Observation.cud"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "1" * 10}, "invalid_request"),
        ({"nonce": "n" * 2001}, "invalid_request"),
    ],
)
def test_line_3_everything_else_is_told_to_the_app_with_state_and_iss(changed: dict[str, Any], error: str) -> None:
    answer = told(form(**changed))
    assert answer["error"] == error
    assert answer["error_description"]
    assert answer["state"] == GOOD["state"]
    assert answer["iss"] == "https://wijk.test"
    assert "code" not in answer


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": CHALLENGE + "A"},
        {"code_challenge": CHALLENGE[:-1] + "="},
        {"code_challenge": CHALLENGE[:-1] + "\n"},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": None, "code_challenge_method": None},
    ],
)
@pytest.mark.parametrize("kind", ["public", "symmetric", "asymmetric"])
def test_line_4_every_client_shows_a_challenge_of_s256(changed: dict[str, str | None], kind: Any) -> None:
    client = Client(id="app", name="App", kind=kind, scope=CLIENT.scope, redirect_uris=(REDIRECT,))
    assert told(form(**changed), client)["error"] == "invalid_request"


def test_line_5_what_stands_in_a_registered_redirect_uri_stays_there() -> None:
    waiting = checked(form(redirect_uri="https://app.test/also?kept=1"))
    location = authorize.answer(waiting, "the code")
    assert location.startswith("https://app.test/also?kept=1&code=the+code&")
    said = parse_qs(urlsplit(location).query)
    assert said == {"kept": ["1"], "code": ["the code"], "state": [GOOD["state"]], "iss": ["https://wijk.test"]}


def test_line_5_nothing_in_a_state_can_break_out_of_the_address() -> None:
    hostile = "\"'<>&code=x #f\u00e9"
    location = authorize.answer(checked(form(state=hostile)), "c")
    assert parse_qs(urlsplit(location).query)["state"] == [hostile]
    assert parse_qs(urlsplit(location).query)["code"] == ["c"]
    assert urlsplit(location).fragment == ""
    assert location.isascii()


def test_line_6_who_was_launched_says_so_and_gets_its_patient() -> None:
    found = checked(form(launch="handle", scope="launch patient/*.rs"), launch=LAUNCH)
    assert (found.launch, found.patient) == ("digest-of-handle", "p")
    assert found.scope.split() == ["launch", "patient/*.rs"]
    assert told(form(launch="handle"))["error"] == "invalid_request"
    assert told(form(launch="handle"), launch=LAUNCH)["error"] == "invalid_scope"


def test_line_6_who_was_not_launched_has_no_launch() -> None:
    assert checked(form(scope="launch launch/patient")).scope == "launch/patient"
    assert told(form(scope="launch"))["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("scope", "needed"),
    [("launch/patient", True), ("patient/Observation.rs", True), ("user/Observation.rs openid", False)],
)
def test_line_6_a_patient_is_needed_by_who_asks_for_one(scope: str, needed: bool) -> None:
    assert authorize.needs_patient(scope, TYPES) == needed


def test_line_7_unknown_scopes_and_those_beyond_the_client_are_dropped() -> None:
    asked = (
        "openid zzz patient/Nothing.rs patient/Observation.cruds user/Observation.rs user/Condition.rs offline_access"
    )
    kept = "openid offline_access patient/Observation.rs user/Observation.rs"
    assert sorted(checked(form(scope=asked)).scope.split()) == sorted(kept.split())


def test_line_7_who_cannot_refresh_is_not_promised_that_it_may() -> None:
    client = Client(
        id="app",
        name="App",
        kind="public",
        scope=CLIENT.scope,
        redirect_uris=(REDIRECT,),
        grants=("authorization_code",),
    )
    assert checked(form(scope="openid offline_access"), client).scope == "openid"


def test_a_client_that_was_not_registered_for_codes_gets_none() -> None:
    client = Client(
        id="app",
        name="App",
        kind="public",
        scope=CLIENT.scope,
        redirect_uris=(REDIRECT,),
        grants=("client_credentials",),
    )
    assert told(form(), client)["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("changed", "since"),
    [
        ({}, 0),
        ({"prompt": "consent"}, 0),
        ({"prompt": "login"}, NOW),
        ({"prompt": "select_account"}, NOW),
        ({"max_age": "0"}, NOW),
        ({"max_age": "60"}, NOW - 60 * SECOND),
        ({"prompt": "login", "max_age": "60"}, NOW),
        ({"max_age": "999999999"}, NOW - 999_999_999 * SECOND),
    ],
)
def test_how_old_a_login_may_be(changed: dict[str, str], since: int) -> None:
    assert authorize.logged_in_since(checked(form(**changed))) == since

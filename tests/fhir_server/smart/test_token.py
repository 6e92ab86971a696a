"""The token endpoint: https://datatracker.ietf.org/doc/html/rfc6749#section-3.2, RFC 7636, RFC 9700, and SMART's own."""

import asyncio
import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fhir_server.gateway.gateway import Gateway
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.form import Form
from fhir_server.smart.pkce import verifies
from fhir_server.smart.records import digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from fhir_server.smart.token import token
from fhir_server.store.auth import AuthConflict
from fhir_server.store.sqlite import open_store
from tests.fhir_server.gateway.test_consent_policy import by, consent, of_type, permit
from tests.fhir_server.smart.house import (
    ADDRESSES,
    CHALLENGE,
    REDIRECT,
    SCOPE,
    SECOND,
    SECRET,
    VERIFIER,
    SmartHouse,
    basic,
    lets_in,
    sent,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


def ends(smart: SmartHouse, seconds: int) -> int:
    return smart.house.clock.now + seconds * SECOND


async def test_a_code_becomes_tokens_of_the_person_who_let_the_app_in(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.issued()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert answer["scope"] == SCOPE
    assert answer["patient"] == "p"
    assert {"access_token", "refresh_token", "id_token"} < answer.keys()
    assert await smart.status(answer["access_token"]) == 200
    assert await smart.status(answer["access_token"], "Observation/q1") == 404
    assert await smart.status(answer["access_token"], "Condition/p-diagnosis") == 403
    assert await smart.log() == ["access token issued for a code"]


async def test_line_6_the_answer_has_what_was_launched(smart: SmartHouse) -> None:
    await smart.client()
    context = {"need_patient_banner": False, "smart_style_url": "http://127.0.0.1:8080/style",
               "fhirContext": [{"reference": "Observation/p1"}], "access_token": "not this"}  # fmt: skip
    grant = await smart.grant(launch_context=json.dumps(context), scope="launch patient/Observation.rs", refresh="")
    answer = await smart.issued(grant)
    assert answer["access_token"] != "not this"
    assert {name: answer[name] for name in context} == {**context, "access_token": answer["access_token"]}
    assert answer.keys() & {"refresh_token", "id_token"} == set()


async def test_line_7_who_asks_in_version_1_is_answered_in_version_1(smart: SmartHouse) -> None:
    await smart.client()
    grant = await smart.grant(version_1=True)
    answer = await smart.issued(grant)
    assert answer["scope"] == "openid fhirUser launch/patient offline_access patient/Observation.read"
    assert {"id_token", "refresh_token"} < answer.keys()
    assert await smart.status(answer["access_token"]) == 200
    assert await smart.status(answer["access_token"], "Condition/p-diagnosis") == 403
    kept = await smart.state.token(sha256(answer["access_token"].encode()).digest())
    assert kept is not None
    assert kept.scope == answer["scope"]  # so that introspection says the same
    again = await smart.refresh(answer["refresh_token"])
    assert again["scope"] == answer["scope"]
    assert await smart.status(again["access_token"]) == 200
    newer = await smart.refresh(again["refresh_token"], scope="patient/Observation.r")
    assert newer["scope"] == "patient/Observation.r"


async def test_line_6_a_professional_without_a_patient_in_context_gets_none(smart: SmartHouse) -> None:
    await smart.client(scope="user/*.rs")
    await smart.house.given(consent("c", permit(by("Practitioner/doctor"), **{"class": of_type("Observation")})))
    grant = await smart.grant(person="Practitioner/doctor", scope="user/Observation.rs", patient="", consent="",
                              purpose="TREAT", refresh="")  # fmt: skip
    answer = await smart.issued(grant)
    assert "patient" not in answer
    assert await smart.status(answer["access_token"]) == 200
    assert await smart.status(answer["access_token"], "Observation/q1") == 404
    kept = await smart.state.token(sha256(answer["access_token"].encode()).digest())
    assert kept is not None
    assert (kept.user, kept.purpose, kept.app, kept.consent) == ("Practitioner/doctor", "TREAT", "", "")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"code": "never-made"}, id="an unknown code"),
        pytest.param({"redirect_uri": "https://app.test/after/"}, id="another redirect_uri"),
        pytest.param({"client_id": "other"}, id="another client"),
        pytest.param({"code_verifier": VERIFIER[:-1] + "j"}, id="another verifier"),
        pytest.param({"code_verifier": CHALLENGE}, id="the challenge itself"),
        pytest.param({"code_verifier": VERIFIER[:42]}, id="a verifier that is too short"),
        pytest.param({"code_verifier": VERIFIER * 3}, id="a verifier that is too long"),
        pytest.param({"code_verifier": VERIFIER[:-1] + "é"}, id="a verifier of other letters"),
        pytest.param({"code_verifier": VERIFIER + "\n"}, id="a line after the verifier"),
    ],
)
async def test_lines_4_and_5_a_code_is_bound_to_client_redirect_and_challenge(smart: SmartHouse, wrong: Json) -> None:
    await smart.client()
    await smart.client("other")
    code = await smart.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
            "client_id": "app", **wrong}  # fmt: skip
    await smart.refused("invalid_grant", **form)
    assert (await smart.redeem(code))["expires_in"] == 3600  # who has it all may still come


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier", "grant_type"])
@pytest.mark.parametrize("blank", [None, ""])
async def test_line_4_what_is_missing_or_blank_is_a_request_that_is_none(
    smart: SmartHouse, missing: str, blank: str | None
) -> None:
    await smart.client()
    form = {"grant_type": "authorization_code", "code": await smart.code(), "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER, "client_id": "app", missing: blank}  # fmt: skip
    await smart.refused("invalid_request", **form)


@pytest.mark.parametrize("challenge", ["", VERIFIER, "plain"])
async def test_line_4_a_verifier_without_a_challenge_is_refused(smart: SmartHouse, challenge: str) -> None:
    await smart.client()
    code = await smart.code(challenge=challenge)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.redeem(code)


@pytest.mark.parametrize(
    ("verifier", "good"),
    [
        pytest.param("a" * 42, False, id="too short"),
        pytest.param("a" * 43, True, id="the shortest"),
        pytest.param("aZ09-._~" * 16, True, id="the longest, every kind of letter"),
        pytest.param("a" * 129, False, id="too long"),
        pytest.param("a" * 43 + "\n", False, id="a line after it"),
        pytest.param(" " + "a" * 43, False, id="a space before it"),
        pytest.param("a" * 43 + "+", False, id="a sign that is not of them"),
        pytest.param("a" * 43 + "é", False, id="a letter that is not of them"),
        pytest.param("a" * 43 + "٣", False, id="a digit that is not of them"),
    ],
)
def test_line_4_a_verifier_is_43_to_128_letters_of_the_alphabet(verifier: str, good: bool) -> None:
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert verifies(verifier, challenge) is good
    assert not verifies(verifier, challenge + "=")
    assert not verifies(verifier, "")


async def test_line_5_a_code_lasts_until_it_expires(smart: SmartHouse) -> None:
    await smart.client()
    code = await smart.code(expires=ends(smart, 30))
    smart.house.clock.now += 30 * SECOND
    await smart.refused("invalid_grant", grant_type="authorization_code", code=code, redirect_uri=REDIRECT,
                        code_verifier=VERIFIER, client_id="app")  # fmt: skip


async def test_line_5_a_replay_ends_what_the_first_one_was_issued(smart: SmartHouse) -> None:
    await smart.client()
    code = await smart.code()
    first = await smart.redeem(code)
    assert await smart.status(first["access_token"]) == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.redeem(code)
    assert await smart.status(first["access_token"]) == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.refresh(first["refresh_token"])
    assert await smart.log() == ["access token issued for a code", "a code was used again"]
    assert await smart.consent_status() == "inactive"


async def test_line_5_who_replays_it_again_fills_no_log(smart: SmartHouse) -> None:
    await smart.client()
    code, operator = await smart.code(), await smart.house.caller()

    async def logged() -> int:
        total: int = (await operator.get("AuditEvent?_summary=count")).json["total"]
        return total

    await outcomes(*[smart.redeem(code) for _ in range(2)])
    before = await logged()
    await outcomes(*[smart.redeem(code) for _ in range(5)])
    assert await logged() == before + 1  # that somebody counted


async def test_line_5_a_replay_by_another_client_ends_nothing(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("other")
    code = await smart.code()
    first = await smart.redeem(code)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.redeem(code, client_id="other")
    assert await smart.status(first["access_token"]) == 200


async def test_line_5_a_replay_without_the_verifier_ends_it_too(smart: SmartHouse) -> None:
    await smart.client()
    code = await smart.code()
    first = await smart.redeem(code)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.redeem(code, code_verifier=None)
    assert await smart.status(first["access_token"]) == 401


async def outcomes(*attempts: Any) -> tuple[list[Json], list[OAuthError]]:
    """Who won, and who was refused; any other exception is raised."""
    done = await asyncio.gather(*attempts, return_exceptions=True)
    won = [one for one in done if isinstance(one, dict)]
    refused = [one for one in done if isinstance(one, OAuthError)]
    assert len(won) + len(refused) == len(done), [one for one in done if not isinstance(one, dict | OAuthError)]
    return won, refused


async def test_line_5_of_many_at_one_moment_exactly_one_redeems_the_code(smart: SmartHouse) -> None:
    await smart.client()
    code = await smart.code()
    won, refused = await outcomes(*(smart.redeem(code) for _ in range(20)))
    assert len(won) == 1
    assert {error.error for error in refused} == {"invalid_grant"}
    assert await smart.status(won[0]["access_token"]) == 401


async def test_line_5_of_two_workers_exactly_one_redeems_the_code(smart: SmartHouse) -> None:
    await smart.client()
    house = smart.house
    store = await open_store(smart.server.settings.data, clock=house.clock)
    try:
        gateway = Gateway(store, house.gateway.registry, smart.server.settings, clock=house.clock, cursor_key=b"k" * 32)
        worker = AuthorizationServer(gateway, State(store), smart.server.settings, smart.server.keys)
        for _ in range(5):
            key = await smart.grant(consent="")
            form = sent(grant_type="authorization_code", code=await smart.code(key), redirect_uri=REDIRECT,
                        code_verifier=VERIFIER, client_id="app")  # fmt: skip
            won, refused = await outcomes(*(token(one, ADDRESSES, {}, form) for one in (smart.server, worker) * 3))
            assert len(won) == 1
            assert {error.error for error in refused} == {"invalid_grant"}
            assert await smart.status(won[0]["access_token"]) == 401
    finally:
        await store.close()


async def test_line_5_a_code_of_a_client_that_may_not_have_codes_is_none(smart: SmartHouse) -> None:
    await smart.client(grants=("client_credentials",))
    await smart.refused("unauthorized_client", grant_type="authorization_code", code=await smart.code(),
                        redirect_uri=REDIRECT, code_verifier=VERIFIER, client_id="app")  # fmt: skip


async def test_a_client_with_a_secret_redeems_only_with_it(smart: SmartHouse) -> None:
    await smart.client(kind="symmetric")
    code = await smart.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    await smart.refused("invalid_client", client_id="app", **form)
    await smart.refused("invalid_client", client_id="app", client_secret="another", **form)
    await smart.refused("invalid_client", **form)
    assert (await smart.token(basic(), **form))["scope"] == SCOPE
    await smart.refused("invalid_grant", client_id="app", client_secret=SECRET, **form)  # once, by either way


@pytest.mark.parametrize("grant_type", ["password", "implicit", "AUTHORIZATION_CODE", "urn:ietf:params:oauth:x", "é"])
async def test_other_kinds_of_grant_are_not_supported(smart: SmartHouse, grant_type: str) -> None:
    await smart.client()
    await smart.refused("unsupported_grant_type", grant_type=grant_type, client_id="app")


async def test_line_10_a_token_is_kept_as_its_hash_and_nowhere_in_the_clear(smart: SmartHouse) -> None:
    await smart.client(kind="symmetric")
    code = await smart.code()
    answer = await smart.redeem(code, client_secret=SECRET)
    assert len(answer["access_token"]) == 43  # however much it lets in
    await smart.house.store.close()
    stored = b"".join(file.read_bytes() for file in smart.server.settings.data.rglob("*") if file.is_file())
    assert digest(code).encode() in stored
    for secret in (answer["access_token"], answer["refresh_token"], code, answer["id_token"], SECRET, VERIFIER):
        assert secret.encode() not in stored


async def test_line_10_a_token_lasts_an_hour_at_most(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.issued()
    smart.house.clock.now += 3590 * SECOND
    assert await smart.status(answer["access_token"]) == 200
    smart.house.clock.now += 20 * SECOND
    assert await smart.status(answer["access_token"]) == 401


async def test_line_10_a_token_does_not_outlive_what_was_granted(smart: SmartHouse) -> None:
    await smart.client()
    grant = await smart.grant(until=ends(smart, 100))
    code = await smart.code(grant)
    answer = await smart.redeem(code)
    assert 95 <= answer["expires_in"] < 100
    late = await smart.code(grant)
    smart.house.clock.now += 100 * SECOND
    assert await smart.status(answer["access_token"]) == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.redeem(late)


async def test_line_11_nothing_is_issued_when_the_consent_has_ended(smart: SmartHouse) -> None:
    await smart.client()
    code = await smart.code()
    await smart.house.given(lets_in("app", "Observation", status="inactive"))
    with pytest.raises(OAuthError, match="invalid_grant"):
        await smart.redeem(code)


async def test_line_11_nothing_is_issued_under_a_grant_that_ends_at_that_moment(smart: SmartHouse) -> None:
    """Whichever comes first: afterwards no token is alive."""
    await smart.client()

    async def end(key: str) -> None:
        while True:
            kept = await smart.found(key)
            try:
                change = smart.state.grants.change(kept, replace(kept.value, ended=1))
                await smart.state.commit(change, revoke_grants=[key])
            except AuthConflict:
                continue
            return

    for ends_first in (True, False) * 5:
        key = await smart.grant(consent="")
        redeems = smart.redeem(await smart.code(key))
        both = [end(key), redeems] if ends_first else [redeems, end(key)]
        done = [one for one in await asyncio.gather(*both, return_exceptions=True) if one is not None]
        if isinstance(done[0], dict):
            assert await smart.status(done[0]["access_token"]) == 401
            with pytest.raises(OAuthError, match="invalid_grant"):
                await smart.refresh(done[0]["refresh_token"])
        else:
            assert isinstance(done[0], OAuthError)
            assert done[0].error == "invalid_grant"


BACKEND = {"kind": "symmetric", "grants": ("client_credentials",), "user": "Organization/practice",
           "scope": "openid user/Observation.rs system/Observation.rs system/Patient.r", "purpose": "TREAT"}  # fmt: skip


async def test_line_14_a_backend_service_acts_as_whom_it_was_registered_for(smart: SmartHouse) -> None:
    await smart.client("backend", **BACKEND)
    answer = await smart.token(basic("backend"), grant_type="client_credentials", scope="system/Observation.rs")
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "system/Observation.rs")
    assert await smart.status(answer["access_token"]) == 404
    opened = permit(by("Organization/practice"), **{"class": of_type("Observation", "Patient")})
    await smart.house.given(consent("c", opened))
    assert await smart.status(answer["access_token"]) == 200
    assert await smart.status(answer["access_token"], "Observation/q1") == 404
    assert await smart.status(answer["access_token"], "Patient/p") == 403
    kept = await smart.state.token(sha256(answer["access_token"].encode()).digest())
    assert kept is not None
    assert (kept.user, kept.purpose, kept.grant) == ("Organization/practice", "TREAT", "client backend")


async def test_line_10_a_token_of_a_backend_service_lasts_five_minutes(smart: SmartHouse) -> None:
    await smart.client("backend", **BACKEND)
    answer = await smart.token(basic("backend"), grant_type="client_credentials", scope="system/*.rs")
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 300)
    assert await smart.status(answer["access_token"]) == 404
    smart.house.clock.now += 301 * SECOND
    assert await smart.status(answer["access_token"]) == 401


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("system/*.cruds", "system/Observation.rs system/Patient.r"),
        ("system/Observation.read", "system/Observation.read"),
        ("system/*.read", "system/Observation.read system/Patient.r"),
        ("system/Observation.read system/Patient.r", "system/Observation.rs system/Patient.r"),
        ("system/Observation.rs?code=a user/Observation.rs", "system/Observation.rs?code=a"),
        ("system/Patient.rs openid offline_access", "system/Patient.r"),
    ],
)
async def test_line_14_a_backend_service_gets_what_it_was_registered_for(
    smart: SmartHouse, asked: str, granted: str
) -> None:
    await smart.client("backend", **BACKEND)
    answer = await smart.token(basic("backend"), grant_type="client_credentials", scope=asked)
    assert answer["scope"] == granted


@pytest.mark.parametrize("scope", [None, "", "openid", "user/Observation.rs", "patient/*.rs", "system/Condition.rs",
                                   "system/Observation.c", "system/", "é"])  # fmt: skip
async def test_line_14_without_a_system_scope_of_its_own_it_gets_nothing(smart: SmartHouse, scope: str | None) -> None:
    await smart.client("backend", **BACKEND)
    await smart.refused("invalid_scope", headers=basic("backend"), grant_type="client_credentials", scope=scope)


@pytest.mark.parametrize("lacks", [{"grants": ("authorization_code",)}, {"user": ""}, {"kind": "public"}])
async def test_line_14_who_was_not_registered_as_a_backend_service_is_none(smart: SmartHouse, lacks: Json) -> None:
    client = await smart.client("backend", **{**BACKEND, **lacks})
    headers = {} if client.kind == "public" else basic("backend")
    await smart.refused("unauthorized_client", headers=headers, grant_type="client_credentials",
                        scope="system/Observation.rs", client_id="backend")  # fmt: skip


async def test_a_person_has_no_use_for_a_system_scope(smart: SmartHouse) -> None:
    resident = await smart.house.caller("Patient/p", "system/*.cruds")
    assert (await resident.get("Observation/p1")).status == 403


NAMES = st.sampled_from(
    ("grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "refresh_token", "scope",
     "client_assertion", "client_assertion_type")
)  # fmt: skip
VALUES = st.text(max_size=30) | st.sampled_from(
    ("authorization_code", "refresh_token", "client_credentials", "app", REDIRECT, VERIFIER, SECRET, "a.b.c", "\ud7ff")
)


async def test_line_18_whatever_is_sent_the_answer_is_an_error_of_the_rfc(smart: SmartHouse) -> None:
    await smart.client()
    loop = asyncio.get_running_loop()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.none() | st.text(max_size=20).map("Basic {}".format))
    def attempts(pairs: list[tuple[str, str]], authorization: str | None) -> None:
        headers = {} if authorization is None else {"authorization": authorization}
        asked = token(smart.server, ADDRESSES, headers, Form(tuple(pairs)))
        with pytest.raises(OAuthError) as caught:
            asyncio.run_coroutine_threadsafe(asked, loop).result(30)
        assert caught.value.status in (400, 401)

    await asyncio.to_thread(attempts)

"""Introspection: https://datatracker.ietf.org/doc/html/rfc7662, and what SMART asks of it."""

import json
from typing import Any

import pytest

from fhir_server.smart.errors import OAuthError
from fhir_server.smart.introspection import introspect
from tests.fhir_server.smart.house import ADDRESSES, SCOPE, SECOND, SECRET, SmartHouse, basic, lets_in, sent
from tests.fhir_server.smart.test_refresh import claims

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
INACTIVE = {"active": False}
BACKEND = {"kind": "symmetric", "grants": ("client_credentials",), "user": "Organization/practice",
           "scope": "system/*.rs"}  # fmt: skip
MONITOR = {**BACKEND, "introspects": True}


async def told(smart: SmartHouse, text: str, headers: Json | None = None, **form: str | None) -> Json:
    """As the client `monitor` is told, unless it asks otherwise."""
    known = basic("monitor") if headers is None else headers
    return dict(await introspect(smart.server, ADDRESSES, known, sent(token=text, **form)))


async def refusal(smart: SmartHouse, headers: Json, **form: str | None) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        await introspect(smart.server, ADDRESSES, headers, sent(**form))
    return caught.value


async def own_token(smart: SmartHouse, client: str) -> str:
    answer = await smart.token(basic(client), grant_type="client_credentials", scope="system/*.rs")
    text: str = answer["access_token"]
    return text


async def test_line_13_an_active_token_is_told_of_as_its_answer_was(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("monitor", **MONITOR)
    context = {"need_patient_banner": True, "fhirContext": [{"reference": "Observation/p1"}]}
    answer = await smart.issued(await smart.grant(launch_context=json.dumps(context)))
    about = await told(smart, answer["access_token"])
    seconds = {about.pop("exp") - about.pop("iat")}
    assert seconds == {answer["expires_in"]}
    identity = claims(answer["id_token"])
    assert about == {
        **context,
        "active": True,
        "scope": SCOPE,
        "client_id": "app",
        "token_type": "Bearer",
        "patient": "p",
        "iss": identity["iss"],
        "sub": identity["sub"],
        "fhirUser": identity["fhirUser"],
    }
    assert about["fhirUser"] == f"{ADDRESSES.base}/Patient/p"


async def test_line_13_it_says_when_a_token_ends(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("monitor", **MONITOR)
    answer = await smart.issued()
    about = await told(smart, answer["access_token"])
    smart.house.clock.now = about["exp"] * SECOND - 60 * SECOND
    assert (await told(smart, answer["access_token"]))["active"] is True
    smart.house.clock.now = (about["exp"] + 1) * SECOND
    assert await told(smart, answer["access_token"]) == INACTIVE


async def test_line_13_a_token_of_no_person_tells_of_none(smart: SmartHouse) -> None:
    await smart.client("monitor", **MONITOR)
    about = await told(smart, await own_token(smart, "monitor"))
    assert about.keys() == {"active", "scope", "client_id", "token_type", "iat", "exp", "iss"}
    assert about["client_id"] == "monitor"


async def test_line_13_without_the_scope_it_does_not_say_who(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("monitor", **MONITOR)
    answer = await smart.issued(await smart.grant(scope="launch/patient patient/Observation.rs"))
    about = await told(smart, answer["access_token"])
    assert "fhirUser" not in about
    assert about["scope"] == "launch/patient patient/Observation.rs"


async def test_line_13_whatever_lets_nobody_in_is_inactive_and_nothing_else(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("monitor", **MONITOR)
    code = await smart.code()
    first = await smart.redeem(code)
    second = await smart.issued(await smart.grant(consent=""))
    await smart.refresh(second["refresh_token"])
    with pytest.raises(OAuthError):
        await smart.refresh(second["refresh_token"])  # ends the family
    assert await told(smart, "never-made") == INACTIVE
    assert await told(smart, code) == INACTIVE
    assert await told(smart, first["refresh_token"]) == INACTIVE
    assert await told(smart, first["id_token"]) == INACTIVE
    assert await told(smart, second["access_token"]) == INACTIVE
    assert (await told(smart, first["access_token"]))["active"] is True
    await smart.house.given(lets_in("app", "Observation", status="inactive"))
    assert await told(smart, first["access_token"]) == INACTIVE


async def test_line_13_a_client_is_told_of_its_own_tokens_only(smart: SmartHouse) -> None:
    await smart.client(kind="symmetric")
    await smart.client("other", kind="symmetric")
    answer = await smart.issued(client_secret=SECRET)
    assert (await told(smart, answer["access_token"], basic("app")))["active"] is True
    assert await told(smart, answer["access_token"], basic("other")) == INACTIVE


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard-of"])
async def test_line_13_a_hint_changes_nothing(smart: SmartHouse, hint: str) -> None:
    await smart.client("monitor", **MONITOR)
    token = await own_token(smart, "monitor")
    assert (await told(smart, token, token_type_hint=hint))["active"] is True


async def test_line_13_a_bearer_of_a_client_that_may_introspect_will_do(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("monitor", **MONITOR)
    answer = await smart.issued()
    bearer = await own_token(smart, "monitor")
    for scheme in ("Bearer", "bearer"):
        about = await told(smart, answer["access_token"], {"authorization": f"{scheme} {bearer}"})
        assert (about["active"], about["client_id"]) == (True, "app")
    smart.house.clock.now += 300 * SECOND
    error = await refusal(smart, {"authorization": f"Bearer {bearer}"}, token=answer["access_token"])
    assert (error.error, error.status) == ("invalid_token", 401)


async def test_line_13_another_bearer_will_not(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("backend", **BACKEND)
    answer = await smart.issued()
    for bearer in (
        answer["access_token"],
        await own_token(smart, "backend"),
        answer["refresh_token"],
        "",
        "never-made",
    ):
        error = await refusal(smart, {"authorization": f"Bearer {bearer}"}, token=answer["access_token"])
        assert (error.error, error.status) == ("invalid_token", 401)
        assert error.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        pytest.param({}, {}, id="nobody"),
        pytest.param({}, {"client_id": "app"}, id="a client id that anybody may know"),
        pytest.param({}, {"client_id": "monitor"}, id="without the secret"),
        pytest.param(basic("monitor", "another"), {}, id="another secret"),
        pytest.param({"authorization": "Digest x"}, {}, id="another scheme"),
    ],
)
async def test_line_13_who_does_not_show_who_it_is_is_told_nothing(
    smart: SmartHouse, headers: Json, form: Json
) -> None:
    await smart.client()
    await smart.client("monitor", **MONITOR)
    answer = await smart.issued()
    error = await refusal(smart, headers, token=answer["access_token"], **form)
    assert (error.error, error.status) == ("invalid_client", 401)


async def test_line_13_a_request_without_a_token_is_none(smart: SmartHouse) -> None:
    await smart.client("monitor", **MONITOR)
    assert (await refusal(smart, basic("monitor"), token="")).error == "invalid_request"

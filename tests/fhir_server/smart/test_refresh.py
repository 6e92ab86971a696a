"""Refresh tokens: https://datatracker.ietf.org/doc/html/rfc6749#section-6, RFC 9700, section 4.14."""

import asyncio
import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from fhir_server.smart.errors import OAuthError
from fhir_server.smart.issuing import REFRESH_SECONDS
from fhir_server.smart.records import digest
from tests.fhir_server.smart.house import SCOPE, SECOND, SECRET, SmartHouse, basic, lets_in

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
ONLINE = "launch/patient online_access patient/Observation.rs"


async def ended(smart: SmartHouse, refresh_token: str, **more: Any) -> bool:
    with pytest.raises(OAuthError) as caught:
        await smart.refresh(refresh_token, **more)
    return caught.value.error == "invalid_grant"


async def test_line_11_every_refresh_gives_the_next_token(smart: SmartHouse) -> None:
    await smart.client()
    answer, seen = await smart.issued(), set()
    for _ in range(5):
        answer = await smart.refresh(answer["refresh_token"])
        seen |= {answer["refresh_token"], answer["access_token"]}
        assert (answer["patient"], answer["scope"], answer["expires_in"]) == ("p", SCOPE, 3600)
        assert answer["token_type"] == "Bearer"
        assert await smart.status(answer["access_token"]) == 200
    assert len(seen) == 10
    assert await smart.log() == ["access token issued for a code", *["access token refreshed"] * 5]


async def test_line_11_a_token_that_is_used_again_ends_the_whole_family(smart: SmartHouse) -> None:
    await smart.client()
    first = await smart.issued()
    second = await smart.refresh(first["refresh_token"])
    third = await smart.refresh(second["refresh_token"])
    assert await ended(smart, first["refresh_token"])
    assert [await smart.status(one["access_token"]) for one in (first, second, third)] == [401] * 3
    assert await ended(smart, third["refresh_token"])
    assert (await smart.log())[-1] == "a refresh token was used again"
    assert await smart.consent_status() == "inactive"


async def test_line_11_a_family_that_ends_takes_no_other_along(smart: SmartHouse) -> None:
    await smart.client()
    one, other = await smart.issued(), await smart.issued(await smart.grant(consent=""))
    await smart.refresh(one["refresh_token"])
    assert await ended(smart, one["refresh_token"])
    assert await smart.status(other["access_token"]) == 200
    assert (await smart.refresh(other["refresh_token"]))["patient"] == "p"


async def test_line_11_of_many_at_one_moment_exactly_one_refreshes(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.issued()
    attempts = (smart.refresh(answer["refresh_token"]) for _ in range(20))
    done = await asyncio.gather(*attempts, return_exceptions=True)
    won = [one for one in done if isinstance(one, dict)]
    assert len(won) == 1
    assert {one.error for one in done if isinstance(one, OAuthError)} == {"invalid_grant"}
    assert await smart.status(won[0]["access_token"]) == 401
    assert await ended(smart, won[0]["refresh_token"])


async def test_line_11_a_token_of_another_client_is_none_and_stays_good(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("other")
    first = await smart.issued(await smart.grant(consent=""))
    assert await ended(smart, first["refresh_token"], client_id="other")
    second = await smart.refresh(first["refresh_token"])
    assert await ended(smart, first["refresh_token"], client_id="other")  # used, but not by whom it was issued to
    assert await smart.status(second["access_token"]) == 200


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, SCOPE),
        ("", SCOPE),
        (SCOPE, SCOPE),
        ("patient/Observation.r", "patient/Observation.r"),
        ("patient/Observation.read launch/patient", "launch/patient patient/Observation.read"),
        ("patient/Observation.rs?code=weight", "patient/Observation.rs?code=weight"),
        (f"{SCOPE} launch/unheard-of", SCOPE),
    ],
)
async def test_line_11_a_subset_of_the_scope_is_granted(smart: SmartHouse, asked: str | None, granted: str) -> None:
    await smart.client()
    answer = await smart.refresh((await smart.issued())["refresh_token"], scope=asked)
    assert answer["scope"] == granted
    assert ("id_token" in answer) == ("openid" in granted)
    following = await smart.refresh(answer["refresh_token"])
    assert following["scope"] == SCOPE  # the refresh token keeps what it was given


@pytest.mark.parametrize(
    "asked",
    ["patient/Condition.rs", "patient/Observation.cruds", "patient/*.rs", "user/Observation.rs", f"{SCOPE} online_access",
     "system/Observation.rs", "unheard-of", "patient/Observation.rs patient/Patient.r"],
)  # fmt: skip
async def test_line_11_a_superset_of_the_scope_is_refused(smart: SmartHouse, asked: str) -> None:
    await smart.client()
    answer = await smart.issued()
    await smart.refused("invalid_scope", grant_type="refresh_token", refresh_token=answer["refresh_token"],
                        client_id="app", scope=asked)  # fmt: skip
    assert (await smart.refresh(answer["refresh_token"]))["scope"] == SCOPE  # and was not used up


async def test_line_11_what_was_narrowed_since_is_not_granted(smart: SmartHouse) -> None:
    await smart.client()
    key = await smart.grant(scope="patient/Observation.rs patient/Condition.rs")
    answer = await smart.issued(key)
    kept = await smart.found(key)
    narrowed = replace(kept.value, scope="patient/Observation.rs")
    await smart.state.commit(smart.state.grants.change(kept, narrowed))
    answer = await smart.refresh(answer["refresh_token"])
    assert answer["scope"] == "patient/Observation.rs"
    await smart.refused("invalid_scope", grant_type="refresh_token", refresh_token=answer["refresh_token"],
                        client_id="app", scope="patient/Condition.rs")  # fmt: skip


async def test_line_11_a_public_client_may_leave_out_who_it_is(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.refresh((await smart.issued())["refresh_token"], client_id=None)
    assert answer["patient"] == "p"
    await smart.refused("invalid_client", grant_type="refresh_token", refresh_token="never-made")
    await smart.refused("invalid_request", grant_type="refresh_token", client_id="app")
    assert await ended(smart, "never-made")


async def test_line_11_one_that_has_a_secret_may_not(smart: SmartHouse) -> None:
    await smart.client(kind="symmetric")
    answer = await smart.issued(client_secret=SECRET)
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    await smart.refused("invalid_client", **form)
    await smart.refused("invalid_client", **form, client_id="app")
    await smart.refused("invalid_client", **form, client_id="app", client_secret="another")
    assert (await smart.token(basic(), **form))["patient"] == "p"


@pytest.mark.parametrize("refresh", ["", "offline"])
@pytest.mark.parametrize("registered", [True, False])
async def test_line_11_only_who_was_granted_it_and_registered_for_it_can_refresh(
    smart: SmartHouse, refresh: str, registered: bool
) -> None:
    await smart.client(grants=("authorization_code", "refresh_token") if registered else ("authorization_code",))
    answer = await smart.issued(await smart.grant(refresh=refresh))
    assert ("refresh_token" in answer) == (registered and refresh == "offline")


async def test_line_11_who_is_no_longer_registered_for_it_cannot_refresh(smart: SmartHouse) -> None:
    client = await smart.client()
    answer = await smart.issued()
    kept = await smart.state.clients.get("app")
    assert kept is not None
    changed = replace(client, grants=("authorization_code",))
    await smart.state.commit(smart.state.clients.change(kept, changed))
    await smart.refused("unauthorized_client", grant_type="refresh_token", refresh_token=answer["refresh_token"],
                        client_id="app")  # fmt: skip


async def test_line_11_online_access_lasts_as_long_as_the_login(smart: SmartHouse) -> None:
    await smart.client()
    key = await smart.login()
    grant = await smart.grant(refresh="online", scope=ONLINE, login=key)
    answer = await smart.refresh((await smart.issued(grant))["refresh_token"])
    assert answer["scope"] == ONLINE
    login = await smart.state.logins.get(key)
    assert login is not None
    await smart.state.commit(smart.state.logins.remove(login))  # logged out
    assert await ended(smart, answer["refresh_token"])


async def test_line_11_online_access_ends_with_the_login(smart: SmartHouse) -> None:
    await smart.client()
    key = await smart.login(expires=smart.house.clock.now + 600 * SECOND)
    grant = await smart.grant(refresh="online", scope=ONLINE, login=key)
    answer = await smart.issued(grant)
    smart.house.clock.now += 600 * SECOND
    assert await ended(smart, answer["refresh_token"])


async def test_line_11_offline_access_does_not_mind_who_is_logged_in(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.issued(await smart.grant(login=digest("a browser that was closed")))
    assert (await smart.refresh(answer["refresh_token"]))["scope"] == SCOPE


async def test_line_11_a_refresh_token_ends_with_the_grant(smart: SmartHouse) -> None:
    await smart.client()
    until = smart.house.clock.now + 7200 * SECOND
    answer = await smart.issued(await smart.grant(until=until))
    kept = await smart.state.refreshes.get(digest(answer["refresh_token"]))
    assert kept is not None
    assert kept.expires == until
    smart.house.clock.now += 7000 * SECOND
    answer = await smart.refresh(answer["refresh_token"])
    assert answer["expires_in"] < 200
    smart.house.clock.now += 200 * SECOND
    assert await ended(smart, answer["refresh_token"])


async def test_line_11_a_refresh_token_that_nobody_uses_ends(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.issued()
    smart.house.clock.now += (REFRESH_SECONDS - 60) * SECOND
    answer = await smart.refresh(answer["refresh_token"])
    smart.house.clock.now += REFRESH_SECONDS * SECOND
    assert await ended(smart, answer["refresh_token"])


@pytest.mark.parametrize(
    "withdrawn",
    [
        pytest.param({"status": "inactive"}, id="ended"),
        pytest.param({"provision": {"type": "deny"}}, id="names the app no more"),
    ],
)
async def test_line_11_the_tokens_end_with_the_consent(smart: SmartHouse, withdrawn: Json) -> None:
    await smart.client()
    answer = await smart.issued()
    resident = await smart.house.caller("Patient/p", "user/*.cruds")
    assert await smart.status(answer["access_token"]) == 200
    changed = {**lets_in("app", "Observation"), **withdrawn}
    assert (await resident.put("Consent/lets-in-app", changed)).status == 200
    assert await smart.status(answer["access_token"]) == 401
    assert await ended(smart, answer["refresh_token"])


async def test_line_12_a_later_id_token_has_no_nonce(smart: SmartHouse) -> None:
    await smart.client()
    first = await smart.issued(await smart.grant(nonce="n-0S6"))
    second = await smart.refresh(first["refresh_token"])
    assert [claims(one["id_token"]).get("nonce") for one in (first, second)] == ["n-0S6", None]
    assert claims(first["id_token"])["sub"] == claims(second["id_token"])["sub"]
    third = await smart.refresh(second["refresh_token"], scope="openid patient/Observation.rs")
    assert "fhirUser" not in claims(third["id_token"])


def claims(id_token: str) -> Json:
    """Unverified: whether the signature is right is for others."""
    payload = id_token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


async def test_line_18_a_refresh_token_is_only_that(smart: SmartHouse) -> None:
    await smart.client()
    code = await smart.code()
    answer = await smart.redeem(code)
    assert await smart.status(answer["refresh_token"]) == 401
    assert await ended(smart, answer["access_token"])
    assert await ended(smart, code)

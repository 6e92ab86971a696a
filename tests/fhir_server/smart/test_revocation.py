"""Revocation: https://datatracker.ietf.org/doc/html/rfc7009"""

from typing import Any

import pytest

from fhir_server.smart.errors import OAuthError
from fhir_server.smart.revocation import revoke
from tests.fhir_server.smart.house import ADDRESSES, SECRET, SmartHouse, basic, sent

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


async def give_back(smart: SmartHouse, text: str, headers: Json | None = None, **form: str | None) -> None:
    """As the public client `app`, unless it says otherwise."""
    await revoke(smart.server, ADDRESSES, headers or {}, sent(**{"client_id": "app", "token": text, **form}))


async def refreshes(smart: SmartHouse, refresh_token: str) -> bool:
    try:
        await smart.refresh(refresh_token)
    except OAuthError as error:
        return error.error != "invalid_grant"
    return True


async def test_line_13_an_access_token_that_is_given_back_is_gone_and_only_that(smart: SmartHouse) -> None:
    await smart.client()
    first = await smart.issued()
    second = await smart.refresh(first["refresh_token"])
    await give_back(smart, first["access_token"])
    assert await smart.status(first["access_token"]) == 401
    assert await smart.status(second["access_token"]) == 200
    assert await refreshes(smart, second["refresh_token"])
    assert "the app gave back an access token" in await smart.log()


@pytest.mark.parametrize("which", [0, 1])
async def test_line_13_with_a_refresh_token_goes_all_that_was_granted(smart: SmartHouse, which: int) -> None:
    await smart.client()
    family = [await smart.issued()]
    family.append(await smart.refresh(family[0]["refresh_token"]))
    other = await smart.issued(await smart.grant(consent=""))
    await give_back(smart, family[which]["refresh_token"])
    assert [await smart.status(one["access_token"]) for one in family] == [401, 401]
    assert not await refreshes(smart, family[1]["refresh_token"])
    assert await smart.status(other["access_token"]) == 200
    assert await refreshes(smart, other["refresh_token"])
    assert "the app gave back what it was granted" in await smart.log()
    assert await smart.consent_status() == "inactive"


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "unheard-of"])
async def test_line_13_a_hint_changes_nothing(smart: SmartHouse, hint: str | None) -> None:
    await smart.client()
    answer = await smart.issued()
    await give_back(smart, answer["access_token"], token_type_hint=hint)
    assert await smart.status(answer["access_token"]) == 401
    await give_back(smart, answer["refresh_token"], token_type_hint=hint)
    assert not await refreshes(smart, answer["refresh_token"])


async def test_line_13_whatever_is_given_back_is_fine(smart: SmartHouse) -> None:
    await smart.client()
    answer = await smart.issued()
    for text in ("never-made", "é", await smart.code(), answer["id_token"], *[answer["refresh_token"]] * 2):
        await give_back(smart, text)


async def test_line_13_a_token_of_another_client_stays_and_nobody_is_told(smart: SmartHouse) -> None:
    await smart.client()
    await smart.client("other")
    answer = await smart.issued()
    await give_back(smart, answer["access_token"], client_id="other")
    await give_back(smart, answer["refresh_token"], client_id="other")
    assert await smart.status(answer["access_token"]) == 200
    assert await refreshes(smart, answer["refresh_token"])


async def test_line_13_a_client_with_a_secret_gives_back_with_it(smart: SmartHouse) -> None:
    await smart.client(kind="symmetric")
    answer = await smart.issued(client_secret=SECRET)
    for headers, form in (({}, {}), ({}, {"client_secret": "another"}), ({}, {"client_id": None})):
        with pytest.raises(OAuthError) as caught:
            await give_back(smart, answer["access_token"], headers, **form)
        assert (caught.value.error, caught.value.status) == ("invalid_client", 401)
    assert await smart.status(answer["access_token"]) == 200
    await give_back(smart, answer["access_token"], basic())
    assert await smart.status(answer["access_token"]) == 401


async def test_line_13_a_request_without_a_token_is_none(smart: SmartHouse) -> None:
    await smart.client()
    with pytest.raises(OAuthError, match="invalid_request"):
        await give_back(smart, "")

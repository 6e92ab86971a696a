"""Logins: of a browser, for a while, as one person; an app that was let in for as long lasts no longer."""

import asyncio

import pytest

from fhir_server.smart.logins import IDLE
from fhir_server.smart.records import Account, digest
from tests.fhir_server.portal.browser import Site, site


async def account(place: Site) -> Account:
    await place.account("beheer", "operator")
    kept = await place.accounts.get("beheer")
    assert kept is not None
    return kept.value


def test_a_login_is_found_by_its_cookie_which_is_kept_nowhere() -> None:
    async def scenario() -> None:
        async with site() as place:
            cookie = await place.logins.begin(await account(place), ("operator",), "acr", instead="")
            kept = await place.logins.find(cookie)
            assert kept is not None
            assert (kept.value.username, kept.value.person, kept.value.acr) == ("beheer", "operator", "acr")
            assert len(cookie) == 43
            assert cookie not in repr(await place.server.state.logins.all())
            for other in ("", "x", cookie[:-1], digest(cookie)):
                assert await place.logins.find(other) is None

    asyncio.run(scenario())


def test_an_app_that_goes_on_working_keeps_the_login_in_use() -> None:
    async def scenario() -> None:
        async with site() as place:
            cookie = await place.logins.begin(await account(place), ("operator",), "", instead="")
            for _ in range(3):
                place.house.clock.now += IDLE // 2
                assert await place.logins.lasting(digest(cookie)) is not None
            place.house.clock.now += IDLE // 2
            assert await place.logins.find(cookie) is not None
            place.house.clock.now += IDLE + 1
            assert await place.logins.lasting(digest(cookie)) is None

    asyncio.run(scenario())


def test_several_pages_at_once_are_one_use() -> None:
    async def scenario() -> None:
        async with site() as place:
            cookie = await place.logins.begin(await account(place), ("operator",), "", instead="")
            place.house.clock.now += IDLE // 2
            found = await asyncio.gather(*(place.logins.find(cookie) for _ in range(8)))
            assert all(found)

    asyncio.run(scenario())


def test_an_ended_login_stays_ended_whoever_still_holds_what_they_read() -> None:
    async def scenario() -> None:
        async with site() as place:
            cookie = await place.logins.begin(await account(place), ("operator",), "", instead="")
            read = await place.logins.find(cookie)
            assert read is not None
            place.house.clock.now += IDLE // 2
            assert await place.logins.find(cookie) is not None  # notes the use: what was read is of before
            await place.logins.end(read)
            assert await place.logins.find(cookie) is None
            assert await place.logins.choose(read, "operator") is None
            await place.logins.end(read)

    asyncio.run(scenario())


def test_nobody_chooses_somebody_who_is_not_of_the_account() -> None:
    async def scenario() -> None:
        async with site() as place:
            cookie = await place.logins.begin(await account(place), ("operator",), "", instead="")
            kept = await place.logins.find(cookie)
            assert kept is not None
            with pytest.raises(ValueError, match="one of those of the account"):
                await place.logins.choose(kept, "Patient/annie")

    asyncio.run(scenario())

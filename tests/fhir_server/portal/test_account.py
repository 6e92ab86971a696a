"""The page of one's own account: another password, the second step on and off."""

import asyncio
from xml.etree import ElementTree

import httpx
import pytest

from tests.fhir_server.inprocess import patient
from tests.fhir_server.portal.browser import PASSWORD, Browser, Site, site
from tests.fhir_server.portal.test_login import is_logged_in, with_code

NEW = "nog een lang wachtwoord"


async def annie(place: Site) -> Browser:
    await place.house.given(patient("annie"))
    await place.account("annie", "Patient/annie")
    browser = place.browser()
    await browser.log_in("annie")
    return browser


async def changed(browser: Browser, current: str = PASSWORD, new: str = NEW, again: str = NEW) -> httpx.Response:
    page = await browser.get("/portal/account")
    return await browser.send(page, "/portal/account/password", current=current, new=new, again=again)


def test_a_new_password_logs_in_and_ends_the_logins_elsewhere_but_not_here() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser, other = await annie(place), place.browser("192.0.2.50")
            await other.log_in("annie")
            answer = await changed(browser)
            assert "is bewaard" in (await browser.follow(answer)).text
            assert await is_logged_in(browser)
            assert not await is_logged_in(other)
            assert (await other.log_in("annie")).status_code == 403
            assert (await other.log_in("annie", NEW)).status_code == 303

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "sent, status, told",
    [
        ({"current": "een ander wachtwoord"}, 403, "klopt niet"),
        ({"current": ""}, 403, "klopt niet"),
        ({"again": "iets heel anders dan"}, 400, "twee verschillende"),
        ({"new": "te kort", "again": "te kort"}, 400, "minstens 12 tekens"),
        ({"new": "a" * 300, "again": "a" * 300}, 400, "te lang"),
        ({"new": "a" * 20, "again": "a" * 20}, 400, "te makkelijk te raden"),
    ],
    ids=str,
)
def test_a_password_that_may_not_be_is_told_of_and_nothing_changes(
    sent: dict[str, str], status: int, told: str
) -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            answer = await changed(browser, **sent)
            assert answer.status_code == status
            assert told in answer.text
            assert (await place.browser("192.0.2.50").log_in("annie")).status_code == 303

    asyncio.run(scenario())


def test_line_18_the_password_is_not_guessed_in_a_browser_that_was_left_open() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            for _ in range(5):
                assert (await changed(browser, current="een ander wachtwoord")).status_code == 403
            held = await changed(browser)
            assert held.status_code == 429
            assert int(held.headers["retry-after"]) > 0

    asyncio.run(scenario())


def test_the_second_step_goes_on_by_a_code_of_the_secret_on_the_page_and_off_by_the_password() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser, _ = await with_code(place)
            page = await browser.get("/portal/account")
            assert "Dit staat aan" in page.text
            assert (await browser.get("/portal/account/code")).status_code == 404
            assert (await browser.get("/portal/account/code.svg")).status_code == 404
            refused = await browser.send(page, "/portal/account/code/stop", current="een ander wachtwoord")
            assert refused.status_code == 403
            off = await browser.send(page, "/portal/account/code/stop", current=PASSWORD)
            assert "staat uit" in (await browser.follow(off)).text
            answer = await place.browser("192.0.2.50").log_in("annie", following="/portal/account")
            assert answer.headers["location"] == "/portal/account"

    asyncio.run(scenario())


def test_switching_the_second_step_on_asks_for_the_password_and_for_a_right_code() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            page = await browser.get("/portal/account")
            assert (await browser.send(page, "/portal/account/code/start", current="fout")).status_code == 403
            page = await browser.follow(await browser.send(page, "/portal/account/code/start", current=PASSWORD))
            assert (await browser.send(page, "/portal/account/code", code="000000")).status_code == 403
            kept = await place.accounts.get("annie")
            assert kept is not None
            assert kept.value.totp == ""

    asyncio.run(scenario())


def test_the_picture_is_of_this_browser_alone_and_is_kept_nowhere() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            page = await browser.get("/portal/account")
            await browser.send(page, "/portal/account/code/start", current=PASSWORD)
            picture = await browser.get("/portal/account/code.svg")
            assert picture.headers["content-type"] == "image/svg+xml"
            assert picture.headers["cache-control"] == "no-store"
            assert ElementTree.fromstring(picture.text).tag == "{http://www.w3.org/2000/svg}svg"
            other = place.browser("192.0.2.50")
            assert (await other.get("/portal/account/code.svg")).status_code == 303
            await other.log_in("annie")
            assert (await other.get("/portal/account/code.svg")).status_code == 404

    asyncio.run(scenario())


def test_who_logs_in_elsewhere_has_no_password_to_change_here() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.house.given(patient("annie"))
            await place.account("annie", "Patient/annie", password="")
            kept = await place.accounts.get("annie")
            assert kept is not None
            browser = place.browser()
            cookie = await place.logins.begin(kept.value, kept.value.people, "", instead="")
            browser.http.cookies.set("wijkdossier", cookie)
            page = await browser.get("/portal/account")
            assert "U logt in bij een ander" in page.text
            assert "password" not in page.text
            for path in ("password", "code/start", "code/stop"):
                answer = await browser.http.post(
                    f"/portal/account/{path}",
                    data={"csrf": place.proof(browser), "current": "", "new": NEW, "again": NEW},
                )
                assert answer.status_code == 403

    asyncio.run(scenario())

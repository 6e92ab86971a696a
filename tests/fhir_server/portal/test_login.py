"""Logging in, choosing as whom, and out again, as a browser meets it."""

import asyncio

import pyotp

from fhir_server.smart.logins import IDLE, LASTS
from fhir_server.smart.records import digest
from tests.fhir_server.inprocess import patient
from tests.fhir_server.portal.browser import PASSWORD, Browser, Site, site

ANNIE = patient("annie", name=[{"given": ["Annie"], "family": "Huijnen"}])
NOOR = patient("noor", name=[{"text": "Noor Vaessen"}])
MOTHER = {
    "resourceType": "RelatedPerson",
    "id": "mother",
    "active": True,
    "patient": {"reference": "Patient/noor"},
    "name": [{"text": "Annie Huijnen"}],
}


async def annie(place: Site) -> Browser:
    """A browser, and an account `annie`."""
    await place.house.given(ANNIE)
    await place.account("annie", "Patient/annie", name="Annie Huijnen")
    return place.browser()


async def is_logged_in(browser: Browser) -> bool:
    return (await browser.get("/portal/account")).status_code == 200


async def with_code(place: Site) -> tuple[Browser, pyotp.TOTP]:
    """A browser that switched the second step on, and the telephone."""
    browser = await annie(place)
    await browser.log_in("annie")
    page = await browser.get("/portal/account")
    page = await browser.follow(await browser.send(page, "/portal/account/code/start", current=PASSWORD))
    secret = page.text.split('<span class="secret">')[1].split("<")[0].replace(" ", "")
    telephone = pyotp.TOTP(secret)
    done = await browser.send(page, "/portal/account/code", code=at(place, telephone))
    assert done.headers["location"] == "/portal/account?done=on"
    return browser, telephone


def at(place: Site, telephone: pyotp.TOTP, steps: int = 0) -> str:
    """The code that the telephone shows now, or `steps` later."""
    return telephone.generate_otp(place.house.clock.now // 30_000_000 + steps)


def test_who_logs_in_gets_to_the_page_they_were_on_their_way_to() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            asked = await browser.get("/portal/?a=b")
            assert (asked.status_code, asked.headers["location"]) == (303, "/portal/login?next=/portal/%3Fa%3Db")
            page = await browser.get(asked.headers["location"])
            answer = await browser.send(page, "/portal/login", username=" Annie", password=PASSWORD)
            assert (answer.status_code, answer.headers["location"]) == (303, "/portal/?a=b")
            home = await browser.get("/portal/")
            assert home.status_code == 200
            assert "Dag Annie Huijnen" in home.text

    asyncio.run(scenario())


def test_a_password_that_everybody_can_know_opens_nothing_where_others_can_come() -> None:
    elsewhere = "https://dossier.example"

    async def scenario() -> None:
        for settings, seen, status in (
            ({}, {}, 303),
            ({"host": "192.0.2.9"}, {}, 403),
            ({"base_url": f"{elsewhere}/fhir"}, {"url": elsewhere}, 403),
        ):
            async with site(**settings) as place:
                await place.house.given(ANNIE)
                await place.account("annie", "Patient/annie", published=True)
                assert (await place.browser(**seen).log_in("annie")).status_code == status, settings
                kept = await place.accounts.get("annie")
                assert kept is not None
                await place.accounts.set_password(kept, "een ander wachtwoord", "operator")
                assert (await place.browser(**seen).log_in("annie", "een ander wachtwoord")).status_code == 303

    asyncio.run(scenario())


def test_after_the_login_nobody_is_led_to_another_site() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            for following in (
                "https://elsewhere.example/",
                "//elsewhere.example",
                "/portal//e.example",
                "/fhir/Patient",
            ):
                answer = await browser.log_in("annie", following=following)
                assert (answer.status_code, answer.headers["location"]) == (303, "/portal/"), following

    asyncio.run(scenario())


def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            answers = [
                await browser.log_in("annie", "een ander wachtwoord"),
                await browser.log_in("piet", PASSWORD),
                await browser.log_in("", ""),
            ]
            assert {answer.status_code for answer in answers} == {403}
            assert all("horen niet bij elkaar" in answer.text for answer in answers)
            told = [answer.text.replace('value="annie"', 'value="piet"') for answer in answers]
            assert told[0] == told[1]
            assert all(PASSWORD not in answer.text for answer in answers)
            assert not await is_logged_in(browser)

    asyncio.run(scenario())


def test_line_18_guessing_meets_429_with_retry_after_and_the_right_password_does_not_help_then() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            for name in ("annie", "piet"):
                for _ in range(5):
                    assert (await browser.log_in(name, "een ander wachtwoord")).status_code == 403
                held = await browser.log_in(name, PASSWORD)
                assert held.status_code == 429
                assert 0 < int(held.headers["retry-after"]) <= 30
                assert "Wacht een minuut" in held.text
            assert not await is_logged_in(browser)
            place.house.clock.now += 31_000_000
            assert (await browser.log_in("annie")).status_code == 303

    asyncio.run(scenario())


def test_who_mistypes_now_and_then_is_not_held_for_it_later() -> None:
    async def scenario() -> None:
        async with site() as place:
            await annie(place)
            for _ in range(2):
                for _ in range(4):
                    assert (await place.browser().log_in("annie", "een ander wachtwoord")).status_code == 403
                assert (await place.browser().log_in("annie")).status_code == 303

    asyncio.run(scenario())


def test_line_18_a_flood_of_logins_from_one_address_meets_429_whatever_the_names() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            while not place.server.limits.login.wait("192.0.2.1"):
                pass
            answer = await browser.log_in("annie")
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            assert (await place.browser("192.0.2.2").log_in("annie")).status_code == 303

    asyncio.run(scenario())


def test_line_18_a_stranger_who_guesses_locks_the_owner_out_nowhere() -> None:
    async def scenario() -> None:
        async with site() as place:
            known = await annie(place)
            await known.log_in("annie")
            stranger = place.browser("198.51.100.7")
            for _ in range(6):
                answer = await stranger.log_in("annie", "een ander wachtwoord")
            assert answer.status_code == 429
            # From elsewhere, in a browser that was never used here; and in the one that was, next to the stranger.
            assert (await place.browser("192.0.2.99").log_in("annie")).status_code == 303
            beside = place.browser("198.51.100.7")
            assert (await beside.log_in("annie")).status_code == 429
            beside.http.cookies.set("wijkdossier-device", known.http.cookies["wijkdossier-device"])
            assert (await beside.log_in("annie")).status_code == 303

    asyncio.run(scenario())


def test_a_cookie_that_was_in_the_browser_before_is_worth_nothing_after_the_login() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            await browser.get("/portal/login")
            planted = browser.http.cookies["wijkdossier"]
            await browser.log_in("annie")
            assert browser.http.cookies["wijkdossier"] != planted
            thief = place.browser()
            thief.http.cookies.set("wijkdossier", planted)
            assert not await is_logged_in(thief)

    asyncio.run(scenario())


def test_a_new_login_in_the_same_browser_ends_the_one_before() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            await browser.log_in("annie")
            before = browser.http.cookies["wijkdossier"]
            await browser.log_in("annie")
            assert await place.server.state.logins.get(digest(before)) is None
            assert await is_logged_in(browser)

    asyncio.run(scenario())


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites_forms() -> None:
    async def scenario() -> None:
        async with site(base_url="https://wijk.example/fhir") as place:
            await annie(place)
            answer = await place.browser(url="https://wijk.example").log_in("annie")
            cookies = answer.headers.get_list("set-cookie")
            assert len(cookies) == 2
            for cookie in cookies:
                assert {"HttpOnly", "SameSite=Lax", "Secure", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        async with site() as place:
            browser = await annie(place)
            assert "Secure" not in "".join((await browser.log_in("annie")).headers.get_list("set-cookie"))

    asyncio.run(scenario())


def test_line_16_over_tls_a_neighbouring_host_puts_nobody_into_its_own_login() -> None:
    """It can set cookies for the domain that both are in, though none whose name begins with `__Host-`."""

    async def scenario() -> None:
        async with site(base_url="https://dossier.wijk.example/fhir") as place:
            browser = await annie(place)
            browser.http.base_url = "https://dossier.wijk.example"
            await browser.log_in("annie")
            assert await is_logged_in(browser)
            cookies = dict(browser.http.cookies)
            assert set(cookies) == {"__Host-wijkdossier", "__Host-wijkdossier-device"}
            planted = place.browser(url="https://dossier.wijk.example")
            planted.http.cookies.set("wijkdossier", cookies["__Host-wijkdossier"])
            assert not await is_logged_in(planted)

    asyncio.run(scenario())


def test_logging_out_ends_the_login_on_the_server_too() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            await browser.log_in("annie")
            kept = browser.http.cookies["wijkdossier"]
            page = await browser.get("/portal/")
            assert (await browser.get("/portal/logout")).status_code == 405
            assert (await browser.send(page, "/portal/logout")).status_code == 303
            assert not await is_logged_in(browser)
            browser.http.cookies.set("wijkdossier", kept)
            assert not await is_logged_in(browser)

    asyncio.run(scenario())


def test_a_login_ends_after_an_hour_without_use_and_after_twelve_hours_in_any_case() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            await browser.log_in("annie")
            place.house.clock.now += IDLE - 1_000_000
            assert await is_logged_in(browser)
            place.house.clock.now += IDLE - 1_000_000
            assert await is_logged_in(browser)
            place.house.clock.now += IDLE + 1_000_000
            assert not await is_logged_in(browser)
            await browser.log_in("annie")
            for _ in range(LASTS // IDLE * 2 - 1):
                place.house.clock.now += IDLE // 2
                assert await is_logged_in(browser)
            place.house.clock.now += IDLE // 2
            assert not await is_logged_in(browser)

    asyncio.run(scenario())


def test_who_is_several_people_chooses_one_and_can_be_nobody_else() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.house.given(ANNIE, NOOR, MOTHER)
            await place.account("annie", "Patient/annie", "RelatedPerson/mother")
            browser = place.browser()
            answer = await browser.follow(await browser.log_in("annie", following="/portal/account"))
            assert answer.headers["location"] == "/portal/person?next=/portal/account"
            page = await browser.get(answer.headers["location"])
            assert "Voor mijzelf" in page.text
            assert "Annie Huijnen" in page.text
            wrong = await browser.send(page, "/portal/person", person="Patient/noor")
            assert wrong.headers["location"] == "/portal/person"
            assert (await browser.get("/portal/")).status_code == 303
            chosen = await browser.send(page, "/portal/person", person="RelatedPerson/mother")
            assert chosen.headers["location"] == "/portal/account"
            (kept,) = await place.server.state.logins.all("annie")
            assert kept.value.person == "RelatedPerson/mother"
            assert (await browser.get("/portal/")).status_code == 200

    asyncio.run(scenario())


def test_who_switched_the_second_step_on_is_asked_for_a_code_and_is_not_logged_in_before() -> None:
    async def scenario() -> None:
        async with site() as place:
            _, telephone = await with_code(place)
            browser = place.browser("192.0.2.50")
            answer = await browser.log_in("annie", following="/portal/account")
            assert answer.headers["location"] == "/portal/login/code"
            assert not await is_logged_in(browser)
            page = await browser.get("/portal/login/code")
            wrong = await browser.send(page, "/portal/login/code", code="000000")
            assert wrong.status_code == 403
            assert not await is_logged_in(browser)
            right = await browser.send(page, "/portal/login/code", code=at(place, telephone, 1))
            assert (right.status_code, right.headers["location"]) == (303, "/portal/account")
            assert await is_logged_in(browser)
            newest = [kept.value.acr for kept in await place.server.state.logins.all("annie")]
            assert sorted(newest) == ["", "https://refeds.org/profile/mfa"]

    asyncio.run(scenario())


def test_a_code_logs_in_once() -> None:
    async def scenario() -> None:
        async with site() as place:
            _, telephone = await with_code(place)
            code, statuses = at(place, telephone, 1), []
            browsers = [place.browser(f"192.0.2.{number}") for number in range(50, 54)]
            pages = []
            for browser in browsers:
                await browser.log_in("annie")
                pages.append(await browser.get("/portal/login/code"))
            answers = await asyncio.gather(
                *(browser.send(page, "/portal/login/code", code=code) for browser, page in zip(browsers, pages))
            )
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses[0] == 303
            assert 303 not in statuses[1:]

    asyncio.run(scenario())


def test_the_code_that_switched_the_second_step_on_does_not_log_in() -> None:
    async def scenario() -> None:
        async with site() as place:
            _, telephone = await with_code(place)
            browser = place.browser("192.0.2.50")
            await browser.log_in("annie")
            page = await browser.get("/portal/login/code")
            assert (await browser.send(page, "/portal/login/code", code=at(place, telephone))).status_code == 403

    asyncio.run(scenario())


def test_line_18_codes_are_guessed_five_times_from_wherever() -> None:
    async def scenario() -> None:
        async with site() as place:
            _, telephone = await with_code(place)
            for number in range(5):
                browser = place.browser(f"192.0.2.{50 + number}")
                await browser.log_in("annie")
                page = await browser.get("/portal/login/code")
                assert (await browser.send(page, "/portal/login/code", code="000000")).status_code == 403
            held = await browser.send(page, "/portal/login/code", code=at(place, telephone, 1))
            assert held.status_code == 429
            assert int(held.headers["retry-after"]) > 0

    asyncio.run(scenario())


def test_the_second_step_waits_five_minutes() -> None:
    async def scenario() -> None:
        async with site() as place:
            _, telephone = await with_code(place)
            browser = place.browser("192.0.2.50")
            await browser.log_in("annie")
            page = await browser.get("/portal/login/code")
            place.house.clock.now += 301_000_000
            late = await browser.send(page, "/portal/login/code", code=at(place, telephone))
            assert late.headers["location"].startswith("/portal/login?")
            assert not await is_logged_in(browser)

    asyncio.run(scenario())


def test_where_passwords_are_kept_elsewhere_none_is_taken_here() -> None:
    async def scenario() -> None:
        async with site(local_accounts=False, oidc_issuer="http://127.0.0.1:9", oidc_client_id="w") as place:
            browser = await annie(place)
            page = await browser.get("/portal/login")
            assert 'name="password"' not in page.text
            sent = await browser.http.post(
                "/portal/login", data={"csrf": place.proof(browser), "username": "annie", "password": PASSWORD}
            )
            assert sent.status_code == 404

    asyncio.run(scenario())


def test_logins_and_refusals_are_audited_without_what_was_typed() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            await browser.log_in("annie", "een ander wachtwoord")
            await browser.log_in("wachtwoord als naam")
            await browser.log_in("annie")
            page = await browser.get("/portal/account")
            await browser.send(page, "/portal/logout")
            told_of = await place.audited()
            # The name that is not there too: both take a write, so the time of the answer tells nothing.
            assert sum("a wrong name or password was given" in str(event) for event in told_of) == 2
            events = str(told_of)
            for told in ("logged in", "logged out"):
                assert told in events
            for secret in (
                PASSWORD,
                "wachtwoord als naam",
                "een ander wachtwoord",
                browser.http.cookies.get("wijkdossier", "none"),
            ):
                assert secret not in events

    asyncio.run(scenario())

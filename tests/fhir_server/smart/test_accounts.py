"""Accounts: for people who are there, under one name each, and gone with everything that hung on them."""

import asyncio

import msgspec
import pytest

from fhir_server.smart.passwords import WeakPassword
from fhir_server.smart.records import Account
from fhir_server.smart.state import AuthConflict, Kept
from tests.fhir_server.inprocess import organization, patient
from tests.fhir_server.portal.browser import PASSWORD, Site, site

ISSUER = "https://provider.example"
PEOPLE = (
    patient("annie"),
    {"resourceType": "RelatedPerson", "id": "els", "patient": {"reference": "Patient/annie"}},
    {"resourceType": "Practitioner", "id": "arts", "active": True},
    {"resourceType": "PractitionerRole", "id": "huisarts", "practitioner": {"reference": "Practitioner/arts"}},
    organization("praktijk"),
)


async def kept(place: Site, username: str = "annie") -> Kept[Account]:
    found = await place.accounts.get(username)
    assert found is not None
    return found


def test_an_account_is_for_people_who_log_in_and_are_there() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.house.given(*PEOPLE)
            people = (
                "Patient/annie",
                "RelatedPerson/els",
                "Practitioner/arts",
                "PractitionerRole/huisarts",
                "operator",
            )
            await place.account("Annie", *people, name="Annie Huijnen")
            account = (await kept(place)).value
            assert (account.username, account.name, account.people) == ("annie", "Annie Huijnen", people)
            assert account.password.startswith("$argon2id$")
            assert len(account.id) == 36
            for person in (
                "Patient/nobody",
                "Organization/praktijk",
                "Device/x",
                "system",
                "Patient/",
                "Patient",
                "annie",
            ):
                with pytest.raises(ValueError, match=r"^person "):
                    await place.account("piet", person)
            with pytest.raises(ValueError, match="person is missing"):
                await place.account("piet")
            assert await place.accounts.get("piet") is None

    asyncio.run(scenario())


@pytest.mark.parametrize("username", ["", " ", "é", "a b", "-a", "a" * 65, "a/b", "a\x00", "Annie\n\n.", "<b>"])
def test_a_username_is_plain(username: str) -> None:
    async def scenario() -> None:
        async with site() as place:
            with pytest.raises(ValueError, match="username is"):
                await place.account(username, "operator")

    asyncio.run(scenario())


def test_a_name_is_of_one_account_in_whatever_case() -> None:
    async def scenario() -> None:
        async with site() as place:
            made = [place.account(name, "operator") for name in ("beheer", "Beheer", "BEHEER")]
            answers = await asyncio.gather(*made, return_exceptions=True)
            assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "ValueError", "ValueError"]
            assert [account.username for account in await place.accounts.list()] == ["beheer"]

    asyncio.run(scenario())


def test_a_weak_password_makes_no_account() -> None:
    async def scenario() -> None:
        async with site() as place:
            with pytest.raises(WeakPassword):
                await place.account("beheer", "operator", password="kort")
            assert await place.accounts.list() == []

    asyncio.run(scenario())


def test_another_password_ends_every_login_but_the_one_that_asked_and_takes_the_code_away_if_told() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.account("beheer", "operator")
            account = (await kept(place, "beheer")).value
            await place.server.state.commit(
                place.server.state.accounts.change(
                    await kept(place, "beheer"), msgspec.structs.replace(account, totp="sealed", totp_used=9)
                )
            )
            cookies = [await place.logins.begin(account, ("operator",), "", instead="") for _ in range(3)]
            mine = await place.logins.find(cookies[1])
            assert mine is not None
            await place.accounts.set_password(await kept(place, "beheer"), "nog een lang woord", "portal", but=mine.key)
            assert [await place.logins.find(cookie) is not None for cookie in cookies] == [False, True, False]
            assert (await kept(place, "beheer")).value.totp == "sealed"
            await place.accounts.set_password(
                await kept(place, "beheer"), "en nog een lang woord", "operator", second_step=False
            )
            changed = (await kept(place, "beheer")).value
            assert (changed.totp, changed.totp_used) == ("", 0)
            assert await place.logins.find(cookies[1]) is None
            with pytest.raises(WeakPassword):
                await place.accounts.set_password(await kept(place, "beheer"), "kort", "operator")

    asyncio.run(scenario())


def test_of_two_changes_at_once_one_is_made() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.account("beheer", "operator")
            read = await kept(place, "beheer")
            await place.accounts.set_password(read, "het eerste wachtwoord", "operator")
            with pytest.raises(AuthConflict):
                await place.accounts.set_password(read, "het tweede wachtwoord", "operator")

    asyncio.run(scenario())


def test_a_subject_of_a_provider_is_one_account() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.account("beheer", "operator")
            await place.account("piet", "operator")
            await place.accounts.link(await kept(place, "beheer"), ISSUER, "s 1", "operator")
            await place.accounts.link(await kept(place, "beheer"), ISSUER, "s 1", "operator")
            found = await place.accounts.known_as(ISSUER, "s 1")
            assert found is not None
            assert (found.value.username, found.value.external) == ("beheer", (f"{ISSUER} s 1",))
            assert await place.accounts.known_as(ISSUER, "s 2") is None
            assert await place.accounts.known_as(f"{ISSUER} s", "1") is None
            with pytest.raises(ValueError, match="belongs to an account already"):
                await place.accounts.link(await kept(place, "piet"), ISSUER, "s 1", "operator")
            with pytest.raises(ValueError, match="both needed"):
                await place.accounts.link(await kept(place, "piet"), ISSUER, "", "operator")

    asyncio.run(scenario())


def test_an_account_that_is_removed_takes_its_links_and_logins_along() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.account("beheer", "operator")
            await place.accounts.link(await kept(place, "beheer"), ISSUER, "s-1", "operator")
            cookie = await place.logins.begin((await kept(place, "beheer")).value, ("operator",), "", instead="")
            await place.accounts.remove(await kept(place, "beheer"), "operator")
            assert await place.accounts.get("beheer") is None
            assert await place.logins.find(cookie) is None
            await place.account("piet", "operator")
            await place.accounts.link(await kept(place, "piet"), ISSUER, "s-1", "operator")
            assert (await place.browser().log_in("beheer")).status_code == 403

    asyncio.run(scenario())


def test_what_changes_an_account_is_audited_without_its_secrets() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.house.given(*PEOPLE)
            await place.account("annie", "Patient/annie")
            await place.accounts.set_password(await kept(place), "nog een lang woord", "portal")
            await place.accounts.link(await kept(place), ISSUER, "s-1", "operator")
            await place.accounts.remove(await kept(place), "operator")
            events = str(await place.audited())
            for told in ("account added", "password changed", "account linked", "account removed"):
                assert told in events
            for secret in (PASSWORD, "nog een lang woord", "argon2", "s-1"):
                assert secret not in events

    asyncio.run(scenario())

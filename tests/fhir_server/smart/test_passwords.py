"""Passwords: kept as argon2id, checked in equal time, a few at a time."""

import asyncio
import re
from time import perf_counter

import argon2
import pytest

from fhir_server.smart import passwords
from fhir_server.smart.passwords import AT_ONCE, WAITING_MAX, Busy, Passwords, WeakPassword, require_strong

PASSWORD = "een lang wachtwoord"


def test_a_password_is_kept_as_argon2id_and_never_twice_alike() -> None:
    async def scenario() -> None:
        checking = Passwords()
        one, other = await checking.hash(PASSWORD), await checking.hash(PASSWORD)
        assert one.startswith("$argon2id$")
        assert one != other
        assert PASSWORD not in one
        assert await checking.verify(one, PASSWORD)
        assert not await checking.verify(one, PASSWORD + " ")
        assert not await checking.verify(one, "")

    asyncio.run(scenario())


def test_argon2id_costs_at_least_what_owasp_asks() -> None:
    kept = argon2.extract_parameters(asyncio.run(Passwords().hash(PASSWORD)))
    assert kept.type is argon2.Type.ID
    assert kept.memory_cost >= 19 * 1024
    assert kept.time_cost >= 2
    assert (kept.hash_len, kept.salt_len) == (32, 16)


def test_nobody_has_a_hash_that_takes_as_long_as_everybody_elses() -> None:
    """The parameters decide the time; measuring it would tell of this machine's other work."""
    kept = asyncio.run(Passwords().hash(PASSWORD))
    assert argon2.extract_parameters(passwords._NOBODY) == argon2.extract_parameters(kept)


@pytest.mark.parametrize("password", [PASSWORD, "", "x" * 1000])
def test_no_password_is_that_of_an_account_without_one_and_finding_that_takes_a_hash(password: str) -> None:
    async def scenario() -> None:
        checking = Passwords()
        await checking.verify("", PASSWORD)
        began = perf_counter()
        assert not await checking.verify("", password)
        assert perf_counter() - began > 0.01  # a comparison alone takes microseconds

    asyncio.run(scenario())


@pytest.mark.parametrize("kept", ["nothing that argon2 made", "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA", "$2b$12$abc"])
def test_what_is_no_hash_of_ours_is_nobodys_password(kept: str) -> None:
    assert not asyncio.run(Passwords().verify(kept, PASSWORD))


def test_a_flood_of_logins_is_told_to_come_back_and_memory_stays_bounded() -> None:
    async def scenario() -> None:
        checking = Passwords()
        asked = [asyncio.create_task(checking.verify("", "x")) for _ in range(WAITING_MAX + 5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, Busy) for answer in answers) == 5
        assert answers[:WAITING_MAX] == [False] * WAITING_MAX
        assert len(checking._threads._threads) == AT_ONCE
        assert await checking.verify("", "x") is False

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "one, other",
    [
        ("caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"),
        ("drie blauwe fietsen", "drie\u00a0blauwe\u2003fietsen"),
    ],
)
def test_a_password_is_the_same_from_every_keyboard(one: str, other: str) -> None:
    async def scenario() -> None:
        checking = Passwords()
        assert await checking.verify(await checking.hash(one), other)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "password, rule",
    [
        ("elf tekens.", "short"),
        ("", "short"),
        ("e\u0301" * 11, "short"),
        ("x" + "y" * 256, "long"),
        ("annie.huijnen", "name"),
        ("Annie.Huijnen", "name"),
        ("aaaaaaaaaaaaaaa", "name"),
    ],
)
def test_a_password_that_is_too_short_too_long_or_the_name_may_not_be_chosen(password: str, rule: str) -> None:
    with pytest.raises(WeakPassword) as raised:
        require_strong(password, "annie.huijnen")
    assert raised.value.rule == rule
    assert not password or not re.search(re.escape(password), str(raised.value))


@pytest.mark.parametrize("password", ["twaalf teken", "x" + "y" * 255, "annie.huijnen2"])
def test_any_other_password_may_be(password: str) -> None:
    require_strong(password, "annie.huijnen")

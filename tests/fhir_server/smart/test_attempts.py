"""How often somebody may try, in whichever worker, and how little that says of anybody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fhir_server.smart.attempts import FORGOTTEN, FREE, WAIT_MAX, Attempts, Locked
from tests.fhir_server.inprocess import House
from tests.fhir_server.portal.browser import site

KEY = b"k" * 32
SECOND = 1_000_000


@asynccontextmanager
async def two_workers() -> AsyncIterator[tuple[House, Attempts, Attempts]]:
    async with site() as place:
        yield place.house, Attempts(place.server, KEY), Attempts(place.server, KEY)


async def wait_of(attempts: Attempts, counter: str) -> int:
    """Seconds to wait, 0 if the attempt was counted."""
    try:
        await attempts.begin(counter)
    except Locked as error:
        return error.seconds
    return 0


def test_line_18_five_wrong_answers_are_free_and_then_every_wait_is_twice_the_one_before() -> None:
    async def scenario() -> None:
        async with two_workers() as (house, one, other):
            counter, waits = one.counter("password", "annie", "192.0.2.1"), []
            for number in range(FREE):
                assert await wait_of((one, other)[number % 2], counter) == 0
            for _ in range(8):
                seconds = await wait_of(other, counter)
                waits.append(seconds)
                house.clock.now += (seconds - 1) * SECOND
                assert await wait_of(one, counter) > 0
                house.clock.now += 2 * SECOND
                assert await wait_of(one, counter) == 0
            assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
            assert WAIT_MAX == 900 * SECOND

    asyncio.run(scenario())


def test_line_18_many_attempts_at_once_are_not_one() -> None:
    async def scenario() -> None:
        async with two_workers() as (_, one, other):
            counter = one.counter("password", "annie", "192.0.2.1")
            waits = await asyncio.gather(*(wait_of((one, other)[number % 2], counter) for number in range(20)))
            assert sum(wait == 0 for wait in waits) == FREE

    asyncio.run(scenario())


def test_a_right_answer_starts_the_count_over_and_so_does_a_day() -> None:
    async def scenario() -> None:
        async with two_workers() as (house, one, _):
            counter = one.counter("password", "annie", "192.0.2.1")
            for _ in range(FREE):
                await one.begin(counter)
            await one.succeeded(counter)
            for _ in range(FREE):
                assert await wait_of(one, counter) == 0
            assert await wait_of(one, counter) > 0
            house.clock.now += FORGOTTEN
            for _ in range(FREE):
                assert await wait_of(one, counter) == 0
            await one.succeeded(one.counter("never", "counted"))

    asyncio.run(scenario())


def test_counts_are_of_one_account_from_one_place() -> None:
    async def scenario() -> None:
        async with two_workers() as (_, one, _other):
            for _ in range(FREE + 1):
                await wait_of(one, one.counter("password", "annie", "192.0.2.1"))
            assert await wait_of(one, one.counter("password", "annie", "192.0.2.1")) > 0
            for parts in (
                ("password", "annie", "192.0.2.2"),
                ("password", "piet", "192.0.2.1"),
                ("code", "annie", "192.0.2.1"),
                ("password", "annie\x00192.0.2.1"),
            ):
                assert await wait_of(one, one.counter(*parts)) == 0, parts

    asyncio.run(scenario())


def test_the_store_says_of_nobody_that_they_tried() -> None:
    async def scenario() -> None:
        async with site() as place:
            attempts = Attempts(place.server, KEY)
            await attempts.begin(attempts.counter("password", "annie", "192.0.2.1"))
            kept = await place.server.state.attempts.all()
            assert len(kept) == 1
            assert "annie" not in repr(kept)
            assert "192.0.2.1" not in repr(kept)
            assert Attempts(place.server, b"o" * 32).counter("password", "annie", "192.0.2.1") != kept[0].key

    asyncio.run(scenario())


def test_a_browser_is_known_for_the_accounts_it_logged_in_to_and_for_no_other() -> None:
    async def scenario() -> None:
        async with site() as place:
            attempts = Attempts(place.server, KEY)
            first = attempts.device_cookie("", "annie-id")
            both = attempts.device_cookie(first, "els-id")
            nonce = attempts.device(first, "annie-id")
            assert nonce
            assert attempts.device(both, "annie-id") == attempts.device(both, "els-id") == nonce
            assert attempts.device(first, "els-id") == ""
            assert attempts.device_cookie(both, "annie-id") == both
            assert attempts.device_cookie("", "annie-id") != first
            assert Attempts(place.server, b"o" * 32).device(first, "annie-id") == ""
            family = both
            for number in range(10):
                family = attempts.device_cookie(family, f"account-{number}")
            assert len(family) < 400
            assert attempts.device(family, "account-9") == nonce
            assert attempts.device(family, "annie-id") == ""

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "forged", ["", ".", "x", "x.", "x.y", "." + "0" * 64, "n" * 43 + "." + "0" * 64, "é.é", "a" * 9000]
)
def test_a_device_cookie_that_was_made_up_is_none_and_no_error(forged: str) -> None:
    async def scenario() -> None:
        async with site() as place:
            attempts = Attempts(place.server, KEY)
            assert attempts.device(forged, "annie-id") == ""
            made = attempts.device_cookie(forged, "annie-id")
            assert attempts.device(made, "annie-id") != ""
            assert len(made) < 400

    asyncio.run(scenario())

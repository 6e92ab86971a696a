"""Rate limits. https://datatracker.ietf.org/doc/html/rfc6585#section-4"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.settings import Settings
from fhir_server.smart.limits import Limiter, Limits, address


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_line_18_a_burst_is_let_through_and_the_next_one_is_told_how_long_to_wait() -> None:
    limiter = Limiter(3, 6, clock=Seconds())
    assert [limiter.wait("a") for _ in range(5)] == [0, 0, 0, 10, 10]


def test_line_18_who_waits_as_long_as_told_may_go_on_and_no_sooner() -> None:
    clock = Seconds()
    limiter = Limiter(2, 6, clock=clock)
    assert [limiter.wait("a") for _ in range(3)] == [0, 0, 10]
    clock.now += 9.5
    assert limiter.wait("a") == 1
    clock.now += 0.5
    assert [limiter.wait("a"), limiter.wait("a")] == [0, 10]


def test_what_comes_back_is_never_more_than_the_burst() -> None:
    clock = Seconds()
    limiter = Limiter(2, 6, clock=clock)
    limiter.wait("a")
    clock.now += 24 * 3600
    assert [limiter.wait("a") for _ in range(3)] == [0, 0, 10]


def test_one_who_tries_too_often_is_in_nobody_elses_way() -> None:
    limiter = Limiter(1, 1, clock=Seconds())
    assert [limiter.wait("a"), limiter.wait("a"), limiter.wait("b")] == [0, 60, 0]


def test_keys_that_are_made_up_take_a_bounded_amount_of_memory() -> None:
    limiter = Limiter(1, 1, clock=Seconds(), keys_max=100)
    for number in range(1000):
        limiter.wait(str(number))
    assert len(limiter._buckets) == 100


def test_who_keeps_trying_is_not_forgotten_for_others() -> None:
    """The keys that were used longest ago go first, refused attempts count as use."""
    limiter = Limiter(1, 1, clock=Seconds(), keys_max=3)
    limiter.wait("busy")
    for other in range(20):
        assert limiter.wait("busy") == 60
        assert [limiter.wait(str(other)), limiter.wait(str(other))] == [0, 60]


@given(st.lists(st.floats(0, 100), max_size=40), st.integers(1, 20), st.floats(0.5, 600))
def test_in_any_stretch_of_time_no_more_gets_through_than_burst_and_refill(
    pauses: list[float], burst: int, per_minute: float
) -> None:
    clock = Seconds()
    limiter = Limiter(burst, per_minute, clock=clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += limiter.wait("a") == 0
    assert passed <= burst + (clock.now - 1000.0) * per_minute / 60 + 1e-6


def test_line_18_login_token_introspect_and_register_each_have_a_limit() -> None:
    limits = Limits()
    for limiter in (limits.login, limits.token, limits.client, limits.introspect, limits.register):
        waits = [limiter.wait("192.0.2.1") for _ in range(1500)]
        assert waits[0] == 0
        assert waits[-1] > 0
    assert Limits().login.wait("192.0.2.1") == 0  # every worker counts for itself


DIRECT, PROXIED = Settings(), Settings(base_url="https://dossier.example.nl/fhir")


@pytest.mark.parametrize(
    "settings, peer, forwarded, expected",
    [
        (DIRECT, "192.0.2.1", "", "192.0.2.1"),
        # Without a proxy in front anybody can write what they like.
        (DIRECT, "127.0.0.1", "198.51.100.7", "127.0.0.1"),
        (PROXIED, "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (PROXIED, "10.0.0.3", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (PROXIED, "", "198.51.100.7", "198.51.100.7"),  # a Unix socket
        # Who reaches the server past its proxy says nothing of who they are.
        (PROXIED, "8.8.8.8", "198.51.100.7", "8.8.8.8"),
        (PROXIED, "127.0.0.1", "", "127.0.0.1"),
        (PROXIED, "127.0.0.1", "unknown", "127.0.0.1"),
        (PROXIED, "127.0.0.1", "<script>", "127.0.0.1"),
        (DIRECT, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (DIRECT, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (DIRECT, "", "", ""),
    ],
)
def test_who_asks_is_an_address_that_they_can_not_choose(
    settings: Settings, peer: str, forwarded: str, expected: str
) -> None:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert address(peer, headers, settings) == expected

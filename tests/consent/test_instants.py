"""Dates as wide as their precision, in the time zone of the deployment."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.instants import interval, period
from consent.model import BEGINNING, FOREVER
from tests.consent.wijk import ZONE, at

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    "text, low, high",
    [
        ("2026", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("2026-12", "2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("2026-02-28", "2026-02-28T00:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        ("2026-11-22T10:00:00", "2026-11-22T10:00:00+01:00", "2026-11-22T10:00:01+01:00"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00+00:00", "2026-11-22T10:00:01+00:00"),
        ("2026-11-22T10:00:00.5-05:00", "2026-11-22T10:00:00.5-05:00", "2026-11-22T10:00:00.6-05:00"),
        ("2026-11-22T10:00:00+05:45", "2026-11-22T10:00:00+05:45", "2026-11-22T10:00:01+05:45"),
        ("2026-11-22T10:00:00-11:30", "2026-11-22T10:00:00-11:30", "2026-11-22T10:00:01-11:30"),
        ("2026-11-22T10:00", "2026-11-22T10:00:00+01:00", "2026-11-22T10:01:00+01:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", "2017-01-01T00:00:00+00:00"),
    ],
)
def test_a_date_is_as_wide_as_its_precision(text: str, low: str, high: str) -> None:
    assert interval(text, ZONE) == (at(low), at(high))


def test_a_day_on_which_the_clock_changes_is_shorter_or_longer() -> None:
    spring, autumn = interval("2026-03-29", ZONE), interval("2026-10-25", ZONE)
    assert spring is not None
    assert autumn is not None
    assert spring[1] - spring[0] == 23 * HOUR
    assert autumn[1] - autumn[0] == 25 * HOUR


def test_the_last_day_of_all_has_no_end() -> None:
    assert interval("9999-12-31", UTC) == (253402214400 * 10**6, FOREVER)
    assert interval("9999", UTC) == (253370764800 * 10**6, FOREVER)
    assert interval("9999-12", UTC) == (253399622400 * 10**6, FOREVER)
    assert interval("0000-01-01", UTC) is None


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-1-1", "2026-11-22T25:00:00", "nu", 2026, None, "٢٠٢٦"]
)
def test_what_is_no_date_is_none(text: object) -> None:
    assert interval(text, ZONE) is None


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_an_instant_lies_in_its_own_interval(moment: datetime) -> None:
    found = interval(moment.isoformat(), ZONE)
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    assert found is not None
    assert found[0] <= exact < found[1]


def test_an_open_side_is_open() -> None:
    assert period({"start": "2026"}, UTC) == (1767225600 * 10**6, FOREVER)
    assert period({"end": "2025"}, UTC) == (BEGINNING, 1767225600 * 10**6)


@pytest.mark.parametrize("value", [None, {}, [], "2026", {"start": "2027", "end": "2026"}, {"start": "x"}, {"end": 3}])
def test_what_is_no_period_is_none(value: object) -> None:
    assert period(value, UTC) is None


def test_a_period_of_one_moment_is_a_period() -> None:
    assert period({"start": "2026-01-01", "end": "2026-01-01"}, UTC) is not None


def test_more_digits_than_microseconds_are_one_microsecond() -> None:
    start = at("2026-11-22T10:00:00.123456+00:00")
    for more in ("", "7", "7890123"):
        found = interval(f"2026-11-22T10:00:00.123456{more}Z", ZONE)
        assert found == (start, start + 1)
        assert [type(edge) for edge in found] == [int, int]


@pytest.mark.parametrize("offset", ["", "Z", "-05:00"])
def test_a_time_of_many_digits_is_read_like_any_other(offset: str) -> None:
    short, long = (interval(f"2026-11-22T10:00:00.123456{digits}{offset}", ZONE) for digits in ("", "0" * 40))
    assert short is not None
    assert long == short

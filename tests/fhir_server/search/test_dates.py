"""https://hl7.org/fhir/R4/search.html#date: dates are ranges, and what they leave out is read in the server's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.dates import DAY, SECOND, date_range, microseconds

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(*parts: int) -> int:
    return microseconds(datetime(*parts, tzinfo=UTC))  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    "text, low, high",
    [
        ("2026", at(2025, 12, 31, 23), at(2026, 12, 31, 23)),
        ("2026-07", at(2026, 6, 30, 22), at(2026, 7, 31, 22)),
        ("2026-12", at(2026, 11, 30, 23), at(2026, 12, 31, 23)),
        ("2026-01-05", at(2026, 1, 4, 23), at(2026, 1, 5, 23)),
        ("2024-02-29", at(2024, 2, 28, 23), at(2024, 2, 29, 23)),
        ("2026-01-05T10:30", at(2026, 1, 5, 9, 30), at(2026, 1, 5, 9, 31)),
        ("2026-01-05T10:30:15", at(2026, 1, 5, 9, 30, 15), at(2026, 1, 5, 9, 30, 16)),
        ("2026-01-05T10:30:15Z", at(2026, 1, 5, 10, 30, 15), at(2026, 1, 5, 10, 30, 16)),
        ("2026-01-05T10:30:15+05:30", at(2026, 1, 5, 5, 0, 15), at(2026, 1, 5, 5, 0, 16)),
        ("2026-01-05T10:30:15-05:00", at(2026, 1, 5, 15, 30, 15), at(2026, 1, 5, 15, 30, 16)),
        ("2026-01-05T10:30:15.25Z", at(2026, 1, 5, 10, 30, 15, 250_000), at(2026, 1, 5, 10, 30, 15, 260_000)),
        ("2026-01-05T10:30:15.1234567Z", at(2026, 1, 5, 10, 30, 15, 123_456), at(2026, 1, 5, 10, 30, 15, 123_457)),
    ],
)
def test_a_date_covers_all_that_it_leaves_open(text: str, low: int, high: int) -> None:
    assert date_range(text, AMSTERDAM) == (low, high)


def test_the_day_that_summer_time_begins_has_23_hours_and_the_day_it_ends_25() -> None:
    begins, ends = date_range("2026-03-29", AMSTERDAM), date_range("2026-10-25", AMSTERDAM)
    assert begins
    assert begins[1] - begins[0] == 23 * 3600 * SECOND
    assert ends
    assert ends[1] - ends[0] == 25 * 3600 * SECOND


def test_a_local_time_that_occurs_twice_is_the_first_of_the_two() -> None:
    assert date_range("2026-10-25T02:30:00", AMSTERDAM) == (at(2026, 10, 25, 0, 30), at(2026, 10, 25, 0, 30, 1))


def test_a_plus_that_a_url_made_a_space_is_still_a_plus() -> None:
    assert date_range("2026-01-05T10:30:15 01:00", AMSTERDAM) == date_range("2026-01-05T10:30:15+01:00", AMSTERDAM)


def test_a_leap_second_is_taken_as_the_second_before_it() -> None:
    assert date_range("2016-12-31T23:59:60Z", AMSTERDAM) == date_range("2016-12-31T23:59:59Z", AMSTERDAM)


@pytest.mark.parametrize("text", ["0001", "0001-01-01", "9999", "9999-12", "9999-12-31"])
def test_the_first_and_the_last_year_have_a_range(text: str) -> None:
    found = date_range(text, AMSTERDAM)
    assert found
    assert found[0] < found[1]


def test_the_last_year_ends_where_the_calendar_does() -> None:
    assert date_range("9999", UTC) == (at(9999, 1, 1), at(9999, 12, 31) + DAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000",
        "10000",
        "2026-13",
        "2026-13-45",
        "2026-02-30",
        "2025-02-29",
        "2026-1-1",
        "26-01-01",
        "2026-01-01T",
        "2026-01-01T10",
        "2026-01-01T25:00",
        "2026-01-01T10:60",
        "2026-01-01T10:00:61",
        "2026-01-01T10:00:00+99:00",
        "2026-01-01T10:00:00.Z",
        "20260101",
        "yesterday",
        "2026-01-01 10:00",
        "²026",
        "2026-01-01T10:00:00z",
    ],
)
def test_what_is_no_date_has_no_range(text: str) -> None:
    assert date_range(text, AMSTERDAM) is None


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_moment_lies_within_its_own_day_month_and_year(moment: datetime) -> None:
    exact = microseconds(moment.replace(microsecond=0, tzinfo=UTC))
    local = moment.replace(tzinfo=UTC).astimezone(AMSTERDAM)
    for pattern in ("%Y-%m-%d", "%Y-%m", "%Y"):
        found = date_range(local.strftime(pattern), AMSTERDAM)
        assert found
        assert found[0] <= exact < found[1]


@given(st.dates())
def test_days_follow_each_other_without_a_gap(day: object) -> None:
    from datetime import date, timedelta

    assert isinstance(day, date)
    if day == date.max:
        return
    today, tomorrow = (date_range(one.isoformat(), AMSTERDAM) for one in (day, day + timedelta(days=1)))
    assert today
    assert tomorrow
    assert today[1] == tomorrow[0]

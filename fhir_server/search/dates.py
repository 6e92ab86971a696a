"""Dates as half-open ranges: `2026-03` is all of March in the deployment's zone, `10:30` all of that minute.

https://hl7.org/fhir/R4/search.html#date and https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from datetime import MAXYEAR, UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH_DAY = date(1970, 1, 1).toordinal()

# A search may leave out seconds and zone, which a dateTime in a resource may not. A `+` that was not percent-encoded
# in a URL arrives as a space; no other reading of it makes sense, so it is taken for the `+` it was.
_PATTERN = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,18}))?)?"
    r"(?P<zone>Z|[+\- ]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=8192)
def date_range(text: str, zone: tzinfo) -> tuple[int, int] | None:
    """Return [low, high) in microseconds since 1970 UTC of a date, dateTime or instant; None if it is not one.

    What the text leaves out is read in `zone`, so a day may last 23 or 25 hours. A leap second is taken as the second
    before it. Of a local time that occurs twice (end of summer time) the first is meant, as ISO 8601 says nothing.
    """
    found = _PATTERN.fullmatch(text)
    if found is None or found["year"] == "0000":
        return None
    year, month, day = int(found["year"]), found["month"], found["day"]
    try:
        if month is None:
            return _midnight(date(year, 1, 1), zone), _midnight(None if year == MAXYEAR else date(year + 1, 1, 1), zone)
        if day is None:
            first = date(year, int(month), 1)
            return _midnight(first, zone), _midnight(_next_month(first), zone)
        this = date(year, int(month), int(day))
        if found["hour"] is None:
            return _midnight(this, zone), _midnight(_next_day(this), zone)
        return _time_range(this, found, zone)
    except ValueError:  # month 13, 30 February, hour 25
        return None


def _time_range(day: date, found: re.Match[str], zone: tzinfo) -> tuple[int, int]:
    second = int(found["second"] or 0)
    if second == 60:
        second = 59
    moment = datetime(day.year, day.month, day.day, int(found["hour"]), int(found["minute"]), second)
    low = (day.toordinal() - _EPOCH_DAY) * DAY + (moment.hour * 3600 + moment.minute * 60 + second) * SECOND
    width = 60 * SECOND if found["second"] is None else SECOND
    fraction = found["fraction"]
    if fraction is not None:
        low += int(fraction[:6].ljust(6, "0"))
        width = max(1, 10 ** (6 - len(fraction))) if len(fraction) <= 6 else 1
    if found["zone"] is None:
        offset = _offset(moment, zone)
    elif found["zone"] == "Z":
        offset = 0
    else:
        hours, minutes = int(found["zone"][1:3]), int(found["zone"][4:6])
        if hours > 14 or minutes > 59:
            raise ValueError("zone offset out of range")
        offset = (hours * 3600 + minutes * 60) * SECOND * (-1 if found["zone"][0] == "-" else 1)
    return low - offset, low - offset + width


def _midnight(day: date | None, zone: tzinfo) -> int:
    """The start of a local day; None is the day after the last one that a calendar here can name."""
    if day is None:
        last = datetime(MAXYEAR, 12, 31)
        return (last.toordinal() + 1 - _EPOCH_DAY) * DAY - _offset(last, zone)
    return (day.toordinal() - _EPOCH_DAY) * DAY - _offset(datetime(day.year, day.month, day.day), zone)


def _offset(local: datetime, zone: tzinfo) -> int:
    offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _next_day(day: date) -> date | None:
    return None if day == date.max else day + timedelta(days=1)


def _next_month(first: date) -> date | None:
    if first.month < 12:
        return first.replace(month=first.month + 1)
    return None if first.year == MAXYEAR else date(first.year + 1, 1, 1)


def microseconds(moment: datetime) -> int:
    """Return an aware datetime in microseconds since 1970 UTC."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

"""FHIR dates and times as intervals of microseconds, as wide as their precision.

https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, Final

from consent.model import BEGINNING, FOREVER

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_KEPT_LENGTH_MAX: Final = 40  # what is longer is hardly a time, and would take up room
_FORM: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def interval(value: Any, zone: tzinfo) -> tuple[int, int] | None:
    """[low, high) of a date, dateTime or instant, read in `zone` if it has no offset; None if it is none of those."""
    if not isinstance(value, str):
        return None
    return _kept(value, zone) if len(value) <= _KEPT_LENGTH_MAX else _read(value, zone)


def _read(value: str, zone: tzinfo) -> tuple[int, int] | None:
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        if hour is not None:
            place = zone if offset is None else UTC if offset == "Z" else _offset(offset)
            # A leap second lasts as long as the one before it: R4 allows :60, datetime does not.
            whole = min(int(second or 0), 59)
            start = datetime(int(year), int(month), int(day), int(hour), int(minute), whole, tzinfo=place)
            low = _microseconds(start)
            if second is None:
                return low, low + 60_000_000
            if fraction is None:
                return low, low + 1_000_000
            digits = fraction[:6]
            low += int(digits.ljust(6, "0"))
            return low, low + 10 ** (6 - len(digits))
        start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=zone)
        following = _next(start, month is not None, day is not None)
        return _microseconds(start), FOREVER if following is None else _microseconds(following)
    except ValueError:
        return None


# A dossier tells the same times over and over.
_kept: Final = lru_cache(maxsize=4096)(_read)


def period(value: Any, zone: tzinfo) -> tuple[int, int] | None:
    """[low, high) of a Period, inclusive at the precision stated; an absent side is open. None if it is none."""
    if not isinstance(value, dict) or not ("start" in value or "end" in value):
        return None
    low, high = BEGINNING, FOREVER
    if "start" in value:
        start = interval(value["start"], zone)
        if start is None:
            return None
        low = start[0]
    if "end" in value:
        end = interval(value["end"], zone)
        if end is None:
            return None
        high = end[1]
    return (low, high) if low < high else None


def _next(start: datetime, month: bool, day: bool) -> datetime | None:
    """The start of the next day, month or year; None after the last one there is."""
    try:
        if day:
            following = start.replace(tzinfo=None) + timedelta(days=1)
            return following.replace(tzinfo=start.tzinfo)
        if month and start.month < 12:
            return start.replace(month=start.month + 1)
        return start.replace(year=start.year + 1, month=1)
    except (ValueError, OverflowError):
        return None


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _offset(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))

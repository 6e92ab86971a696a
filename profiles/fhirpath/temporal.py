"""Dates, date-times and times that know how precise they are (http://hl7.org/fhirpath/N1/#date-time-arithmetic)."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

_DATE = r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
_TIME = r"(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?"
_ZONE = r"(Z|[+-]\d\d:\d\d)?"
_DATETIME = re.compile(f"{_DATE}(?:(T)(?:{_TIME}{_ZONE})?)?")
_CLOCK = re.compile(f"T?{_TIME}")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MINUTES_OF_ZONE_MAX = 14 * 60

Part = int | Decimal


@dataclass(frozen=True, slots=True)
class Temporal:
    """A date, dateTime or time; `parts` run from the year (or the hour) down to the last one that is stated.

    The seconds are a Decimal that keeps its digits; `zone` is minutes east of UTC, None when not stated.
    """

    kind: str  # 'date', 'dateTime' or 'time'
    parts: tuple[Part, ...]
    zone: int | None = None

    def __str__(self) -> str:
        names = self.parts if self.kind != "time" else (None, None, None, *self.parts)
        text = ""
        for form, part in zip(("{:04d}", "-{:02d}", "-{:02d}", "T{:02d}", ":{:02d}"), names):
            text += form.format(part) if part is not None else ""
        if len(names) == 6:
            seconds = names[5]
            text += f":{'0' if seconds is not None and seconds < 10 else ''}{seconds}"
        if self.zone is not None and len(self.parts) > 3:
            text += zone_text(self.zone)
        return text.removeprefix("T") if self.kind == "time" else text


def zone_text(minutes: int) -> str:
    """`Z` or `+hh:mm`."""
    if minutes == 0:
        return "Z"
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def days_in_month(year: int, month: int) -> int:
    """The number of days of a month of the Gregorian calendar."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 28 if month == 2 and not leap else _DAYS[month - 1]


def _clock(hour: str | None, minute: str | None, second: str | None) -> tuple[Part, ...] | None:
    parts: list[Part] = []
    if hour is not None:
        parts.append(int(hour))
    if minute is not None:
        parts.append(int(minute))
    if second is not None:
        parts.append(Decimal(second))
    if any(part >= most for part, most in zip(parts, (24, 60, 60))):
        return None
    return tuple(parts)


@lru_cache(maxsize=8192)
def parse(text: str, kind: str) -> Temporal | None:
    """The `date`, `dateTime` or `time` that `text` spells (without `@`), None when it spells none."""
    if kind == "time":
        found = _CLOCK.fullmatch(text)
        clock = _clock(*found.groups()) if found else None
        return Temporal("time", clock) if clock is not None else None
    found = _DATETIME.fullmatch(text)
    if found is None or (kind == "date" and found[4]):
        return None
    year, month, day, _, hour, minute, second, zone = found.groups()
    parts: list[Part] = [int(part) for part in (year, month, day) if part is not None]
    if parts[0] == 0 or (hour is not None and day is None):
        return None
    if len(parts) > 1 and not 1 <= parts[1] <= 12:
        return None
    if len(parts) > 2 and not 1 <= parts[2] <= days_in_month(int(parts[0]), int(parts[1])):
        return None
    clock = _clock(hour, minute, second)
    if clock is None:
        return None
    minutes = None
    if zone is not None:
        minutes = 0 if zone == "Z" else int(zone[:3]) * 60 + int(zone[0] + zone[4:])
        if abs(minutes) > _MINUTES_OF_ZONE_MAX:
            return None
    return Temporal(kind, (*parts, *clock), minutes)


def literal(text: str) -> Temporal | None:
    """The value of a literal such as `@2015`, `@2015T` or `@T14:34`; None when it is no date or time."""
    body = text[1:]
    if body.startswith("T"):
        return parse(body, "time")
    return parse(body, "dateTime" if "T" in body else "date")


def _utc(value: Temporal) -> tuple[Part, ...]:
    """The parts in UTC, as precise as they were; unchanged where there is no zone or where the calendar ends."""
    parts = value.parts
    if not value.zone or len(parts) < 4:
        return parts
    year, month, day, hour = (int(part) for part in parts[:4])
    minute = int(parts[4]) if len(parts) > 4 else 0
    try:
        moved = datetime(year, month, day, hour, minute) - timedelta(minutes=value.zone)
    except (OverflowError, ValueError):
        return parts
    shifted: tuple[Part, ...] = (moved.year, moved.month, moved.day, moved.hour, moved.minute)
    return (*shifted[: len(parts)], *parts[5:])


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None when the less precise value cannot tell, or a missing zone could turn the answer around.

    Seconds and their fraction are one precision (N1 § 6.2): `T15:30:31` equals `T15:30:31.0`.
    """
    zoned = left.kind != "time" and len(left.parts) > 3 and len(right.parts) > 3
    one_zone_missing = zoned and (left.zone is None) != (right.zone is None)
    first, second = (_utc(left), _utc(right)) if zoned else (left.parts, right.parts)
    if one_zone_missing and _days_apart(first, second) < 2:
        return None
    for mine, yours in zip(first, second):
        if mine != yours:
            return -1 if mine < yours else 1
    return 0 if len(first) == len(second) else None


def _days_apart(left: tuple[Part, ...], right: tuple[Part, ...]) -> int:
    days = [date(int(parts[0]), int(parts[1]), int(parts[2])) for parts in (left, right)]
    return abs((days[0] - days[1]).days)


def key(value: Temporal) -> tuple[object, ...]:
    """What two equal values share; values of different precision never do."""
    kind = "time" if value.kind == "time" else "date"
    return (kind, value.zone is None and len(value.parts) > 3, *_utc(value))


# Duration units that a value can be moved by, in order of size.
_UNITS = ("year", "month", "day", "hour", "minute", "second")


def add(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """`value` moved by `amount` of the calendar `unit` (singular); None when the calendar ends before it gets there.

    Above seconds the fraction of the amount is ignored; a unit finer than the value counts as far as it makes up whole
    units of the value's own precision (N1 § 6.7: 12 months, 365 or 30 days); a day that the month does not have becomes
    its last.
    """
    if unit == "week":
        amount, unit = Decimal(int(amount) * 7), "day"
    if unit == "millisecond":
        amount, unit = amount / 1000, "second"
    if unit != "second":
        amount = Decimal(int(amount))
    if value.kind == "time":
        return _add_to_time(value, amount, unit)
    while _UNITS.index(unit) >= len(value.parts):
        amount, unit = _coarser(amount, unit, len(value.parts))
    try:
        if unit in ("year", "month"):
            return _add_months(value, int(amount) * (12 if unit == "year" else 1))
        return _add_clock(value, amount, unit)
    except (OverflowError, ValueError):
        return None


def _coarser(amount: Decimal, unit: str, parts: int) -> tuple[Decimal, str]:
    if unit == "day" and parts == 1:
        return Decimal(int(amount / 365)), "year"
    size, larger = {
        "second": (60, "minute"),
        "minute": (60, "hour"),
        "hour": (24, "day"),
        "day": (30, "month"),
        "month": (12, "year"),
    }[unit]
    return Decimal(int(amount / size)), larger


def _add_months(value: Temporal, months: int) -> Temporal:
    parts = value.parts
    if len(parts) == 1:
        year, month = int(parts[0]) + int(months / 12), 1
    else:
        total = int(parts[0]) * 12 + int(parts[1]) - 1 + months
        year, month = total // 12, total % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError
    moved: tuple[Part, ...] = (year, month)
    if len(parts) > 2:
        moved = (year, month, min(int(parts[2]), days_in_month(year, month)))
    return Temporal(value.kind, (*moved[: len(parts)], *parts[3:]), value.zone)


def _add_clock(value: Temporal, amount: Decimal, unit: str) -> Temporal:
    parts = value.parts
    year, month, day, hour, minute, second = (*map(int, parts), *(0,) * (6 - len(parts)))
    start = datetime(year, month, day, hour, minute, second)
    if unit != "second":
        moved = start + timedelta(**{unit + "s": int(amount)})
        seconds: Part = parts[5] if len(parts) > 5 else 0
    else:
        total = Decimal(parts[5]) + amount
        moved = start.replace(second=0) + timedelta(seconds=60 * int(total // 60))
        seconds = total % 60
        if seconds < 0:
            seconds += 60
            moved -= timedelta(seconds=60)
    clock: tuple[Part, ...] = (moved.year, moved.month, moved.day, moved.hour, moved.minute, seconds)
    return Temporal(value.kind, clock[: len(parts)], value.zone)


def _add_to_time(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    if unit in ("year", "month", "day"):
        return None
    while _UNITS.index(unit) - 3 >= len(value.parts):
        amount, unit = _coarser(amount, unit, 6)
    parts = value.parts
    hour, minute, second = (*(int(part) for part in parts[:2]), *parts[2:], *(0 for _ in range(3 - len(parts))))[:3]
    total = Decimal(hour) * 3600 + Decimal(minute) * 60 + Decimal(second)
    total = (total + amount * {"hour": 3600, "minute": 60, "second": 1}[unit]) % 86400
    if total < 0:
        total += 86400
    clock: tuple[Part, ...] = (int(total // 3600), int(total // 60) % 60, total % 60)
    return Temporal("time", clock[: len(parts)])


_DIGITS = {"date": (4, 6, 8), "dateTime": (4, 6, 8, 10, 12, 14, 17), "time": (2, 4, 6, 9)}


def precision(value: Temporal) -> int:
    """The number of digits stated, without separators and zone: 4 for a year, 17 for milliseconds."""
    steps = _DIGITS["time" if value.kind == "time" else "dateTime"]
    count = len(value.parts)
    last = value.parts[-1]
    fraction = isinstance(last, Decimal) and last.as_tuple().exponent != 0
    return steps[count] if fraction else steps[count - 1]


def boundary(value: Temporal, digits: int | None, high: bool) -> Temporal | None:
    """The earliest or latest moment that `value` can mean, in `digits` precision (default: the finest of its kind).

    Without a zone the moment is taken where the day begins first (+14:00) or ends last (-12:00). None when the kind has
    no such precision.
    """
    steps = _DIGITS[value.kind]
    digits = steps[-1] if digits is None else digits
    if digits not in steps:
        return None
    parts = list(value.parts)
    offset = 3 if value.kind == "time" else 0
    while len(parts) + offset < 6:
        position = len(parts) + offset
        if position == 2:
            parts.append(days_in_month(int(parts[0]), int(parts[1])) if high else 1)
        else:
            parts.append(((9999, 12, 31, 23, 59, Decimal(59)) if high else (1, 1, 1, 0, 0, Decimal(0)))[position])
    if isinstance(parts[-1], Decimal):
        seconds = parts[-1]
        spread = Decimal(1).scaleb(int(seconds.as_tuple().exponent)) - Decimal("0.001") if high else Decimal(0)
        parts[-1] = (seconds + max(spread, Decimal(0))).quantize(Decimal("0.001"))
    keep = steps.index(digits) + 1
    zone = value.zone
    if value.kind == "dateTime" and keep > 3:
        zone = zone if zone is not None else (-12 if high else 14) * 60
    shown = tuple(parts[: min(keep, len(parts))])
    if digits in (14, 6) and isinstance(shown[-1], Decimal):
        shown = (*shown[:-1], Decimal(int(shown[-1])))
    return Temporal(value.kind, shown, zone if keep > 3 else None)

"""Date: instants, days, months, years, periods and timings, all of them ranges.

https://hl7.org/fhir/R4/search.html#date
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from fhir_server.search.dates import date_range
from fhir_server.search.query import Compare, Date, LastUpdated, Predicate
from fhir_server.search.rows import MAX_TIME, MIN_TIME, DateRow, IndexRows
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, prefixed, shown


def emitter(param: str, code: str, zone: tzinfo) -> Emit | None:
    """Return what files a value of the data type `code`; None if it is no time. Unreadable values are not filed."""
    measure = _RANGES.get(code)
    if measure is None:
        return None

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        found = measure(value, zone)
        if found is not None:
            rows.dates.append(DateRow(param, found[0], found[1], group))

    return emit


def _period(value: Mapping[str, Any], zone: tzinfo) -> tuple[int, int] | None:
    start, end = value.get("start"), value.get("end")
    low = date_range(start, zone) if start else None
    high = date_range(end, zone) if end else None
    if low is None and high is None:
        return None
    return low[0] if low else MIN_TIME, high[1] if high else MAX_TIME


def _timing(value: Mapping[str, Any], zone: tzinfo) -> tuple[int, int] | None:
    """Only the outer limits matter: from the first event or bound to the last."""
    ranges = [found for event in value.get("event", ()) if event and (found := date_range(event, zone))]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds and (period := _period(bounds, zone)):
        ranges.append(period)
    if not ranges:
        return None
    return min(low for low, _ in ranges), max(high for _, high in ranges)


_RANGES: Mapping[str, Callable[[Any, tzinfo], tuple[int, int] | None]] = {
    "date": date_range,
    "dateTime": date_range,
    "instant": date_range,
    "Period": _period,
    "Timing": _timing,
}


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what the value asks. Raises FhirError."""
    if asked.modifier:
        raise asked.modifier_refused()
    compare, text = prefixed(value)
    low, high = bounds(asked, compare, text)
    if asked.name == "_lastUpdated":
        return LastUpdated(compare, low, high)
    return Date(asked.name, compare, low, high)


def bounds(asked: Asked, compare: Compare, text: str) -> tuple[int, int]:
    """Return [low, high) of a date, for `ap` widened by a tenth of its distance to now. Raises FhirError."""
    found = date_range(text, asked.context.zone)
    if found is None:
        raise asked.invalid(f"`{shown(text)}` is not a date (yyyy-mm-ddThh:mm:ss+zz:zz or the beginning of it)")
    low, high = found
    if compare is Compare.AP:
        now = asked.context.now
        slack = max(low - now, now - high, 0) // 10
        return low - slack, high + slack
    return low, high

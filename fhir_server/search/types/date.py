"""Date: instants, days, months, years, periods and timings, all of them ranges.

https://hl7.org/fhir/R4/search.html#date
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from fhir_server.search.dates import date_range
from fhir_server.search.rows import MAX_TIME, MIN_TIME, DateRow, IndexRows
from fhir_server.search.types.emit import Emit


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

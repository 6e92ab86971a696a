"""Conversions between FHIRPath's own types, and the clock.

http://hl7.org/fhirpath/N1/#conversion, http://hl7.org/fhirpath/N1/#current-date-and-time-functions
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from profiles.fhirpath import temporal
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.functions import Table, on_items, register
from profiles.fhirpath.nodes import Items, Node, System, system
from profiles.fhirpath.quantity import CALENDAR, Quantity
from profiles.fhirpath.temporal import Temporal

TABLE: Table = {}

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_QUANTITY = re.compile(r"([+-]?\d{1,30}(?:\.\d{1,30})?)\s*(?:'([^']+)'|([a-zA-Z]+))?")
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})


def _boolean(value: Any) -> System | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, Decimal)):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str):
        return True if value.lower() in _TRUE else False if value.lower() in _FALSE else None
    return None


def _integer(value: Any) -> System | None:
    if isinstance(value, int):
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def _decimal(value: Any) -> System | None:
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def text_of(value: Any) -> System | None:
    """The String of a value; None for a complex node."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 100 else str(value)
    return None if isinstance(value, Node) else str(value)


def _quantity(value: Any) -> System | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (int, Decimal)):
        return Quantity(Decimal(value), "1")
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    number, unit, word = found.groups()
    if word is not None:
        return Quantity(Decimal(number), CALENDAR[word], calendar=True) if word in CALENDAR else None
    return Quantity(Decimal(number), unit or "1")


def _moment(kind: str) -> Callable[[Any], System | None]:
    def convert(value: Any) -> System | None:
        if isinstance(value, str):
            return temporal.parse(value, kind)
        if not isinstance(value, Temporal) or (kind == "time") != (value.kind == "time"):
            return None
        if kind == "date":
            return Temporal("date", value.parts[:3])
        return Temporal(kind, value.parts, value.zone)

    return convert


def _register(name: str, convert: Callable[[Any], System | None]) -> None:
    """`toX` gives the converted value or empty, `convertsToX` whether there is one."""

    def one(items: Items) -> System | None:
        if len(items) > 1:
            raise FhirPathError(f"`to{name}` needs a single item")
        return convert(system(items[0]))

    def to(env: Environment, items: Items) -> Items:
        value = one(items) if items else None
        return [] if value is None else [value]

    def converts_to(env: Environment, items: Items) -> Items:
        return [one(items) is not None] if items else []

    register(TABLE, f"to{name}")(on_items(to))
    register(TABLE, f"convertsTo{name}")(on_items(converts_to))


for _name, _convert in {
    "Boolean": _boolean,
    "Integer": _integer,
    "Decimal": _decimal,
    "String": text_of,
    "Quantity": _quantity,
    "Date": _moment("date"),
    "DateTime": _moment("dateTime"),
    "Time": _moment("time"),
}.items():
    _register(_name, _convert)


def _clock_parts(now: datetime) -> tuple[int | Decimal, ...]:
    return now.hour, now.minute, Decimal(now.second) + Decimal(now.microsecond // 1000) / 1000


def _now(env: Environment, items: Items) -> Items:
    now = env.clock()
    offset = now.utcoffset()
    zone = None if offset is None else int(offset.total_seconds() // 60)
    return [Temporal("dateTime", (now.year, now.month, now.day, *_clock_parts(now)), zone)]


register(TABLE, "now")(on_items(_now))
register(TABLE, "today")(
    on_items(lambda env, items: [Temporal("date", (env.clock().year, env.clock().month, env.clock().day))])
)
register(TABLE, "timeOfDay")(on_items(lambda env, items: [Temporal("time", _clock_parts(env.clock()))]))

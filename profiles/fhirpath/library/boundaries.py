"""Precision and boundaries of numbers, quantities, dates and times (trial use).

http://hl7.org/fhirpath/#utility-functions
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from profiles.fhirpath import quantity, temporal
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.functions import Table, on_value, register
from profiles.fhirpath.nodes import Items
from profiles.fhirpath.quantity import NUMBERS, Quantity
from profiles.fhirpath.temporal import Temporal

TABLE: Table = {}
DIGITS_DEFAULT = 8
DIGITS_MAX = 28
_TYPES = (int, Decimal, Quantity, Temporal)


def _number(value: Decimal, digits: int, high: bool) -> Decimal | None:
    """The lowest or highest number that rounds to `value`, cut to `digits` decimals outwards."""
    if not 0 <= digits <= DIGITS_MAX:
        return None
    exponent = value.as_tuple().exponent
    half = Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)
    bound = value + half if high else value - half
    return bound.quantize(Decimal(1).scaleb(-digits), ROUND_CEILING if high else ROUND_FLOOR, NUMBERS)


def _boundary(high: bool, name: str) -> Any:
    def boundary(env: Environment, value: Any, digits: Any = None) -> Items:
        if digits is not None and not isinstance(digits, int):
            raise FhirPathError(f"`{name}` takes a number of digits")
        if isinstance(value, Temporal):
            moment = temporal.boundary(value, digits, high)
            return [] if moment is None else [moment]
        number = Decimal(value.value if isinstance(value, Quantity) else value)
        if abs(number.adjusted()) > DIGITS_MAX:
            return []
        bound = _number(number, DIGITS_DEFAULT if digits is None else digits, high)
        if bound is None:
            return []
        return [Quantity(bound, value.unit, value.calendar, value.system) if isinstance(value, Quantity) else bound]

    return boundary


def _precision(env: Environment, value: Any) -> Items:
    if isinstance(value, Temporal):
        return [temporal.precision(value)]
    exponent = Decimal(value).as_tuple().exponent
    return [max(0, -exponent) if isinstance(exponent, int) else 0]


def _comparable(env: Environment, value: Any, other: Any) -> Items:
    if not isinstance(other, Quantity):
        raise FhirPathError("the argument of `comparable` is a quantity")
    first, second = quantity.canonical(value), quantity.canonical(other)
    return [first is not None and second is not None and first[1] == second[1]]


register(TABLE, "lowBoundary", 0, 1)(on_value("lowBoundary", _TYPES, _boundary(False, "lowBoundary")))
register(TABLE, "highBoundary", 0, 1)(on_value("highBoundary", _TYPES, _boundary(True, "highBoundary")))
register(TABLE, "precision")(on_value("precision", (int, Decimal, Temporal), _precision))
register(TABLE, "comparable", 1)(on_value("comparable", Quantity, _comparable))

"""Mathematical functions (http://hl7.org/fhirpath/N1/#math-1)."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.functions import Table, on_value, register
from profiles.fhirpath.nodes import Items
from profiles.fhirpath.operators import number_items
from profiles.fhirpath.quantity import NUMBERS, Quantity

TABLE: Table = {}
_NUMBER = (int, Decimal)
DIGITS_MAX = 28


def _guarded(name: str, function: Callable[..., int | Decimal | None]) -> Callable[..., Items]:
    """Overflow and undefined results are empty; an argument that is no number is an error."""

    def guarded(env: Environment, value: Any, *arguments: Any) -> Items:
        env.charge(10)
        if any(not isinstance(argument, _NUMBER) or isinstance(argument, bool) for argument in arguments):
            raise FhirPathError(f"an argument of `{name}` is no number")
        try:
            return number_items(function(value, *arguments))
        except (InvalidOperation, DivisionByZero, Overflow):
            return []

    return guarded


def _abs(env: Environment, value: Any) -> Items:
    if isinstance(value, Quantity):
        return [Quantity(abs(value.value), value.unit, value.calendar, value.system)]
    return number_items(abs(value))


def _whole(rounding: str) -> Callable[[Any], int]:
    return lambda value: int(Decimal(value).to_integral_value(rounding))


def _round(value: Any, digits: Any = 0) -> int | Decimal:
    if not isinstance(digits, int) or digits < 0:
        raise FhirPathError("`round` takes a number of digits of at least 0")
    if digits == 0:
        return int(Decimal(value).to_integral_value(ROUND_HALF_UP))
    if digits >= DIGITS_MAX:
        return Decimal(value)
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, NUMBERS)


def _power(value: Any, exponent: Any) -> int | Decimal | None:
    result = NUMBERS.power(Decimal(value), Decimal(exponent))
    if isinstance(value, int) and isinstance(exponent, int) and result == result.to_integral_value():
        return int(result) if abs(result) < 10**18 else None
    return result


def _log(value: Any, base: Any) -> Decimal:
    return NUMBERS.divide(NUMBERS.ln(Decimal(value)), NUMBERS.ln(Decimal(base))).quantize(Decimal("1e-20")).normalize()


register(TABLE, "abs")(on_value("abs", (int, Decimal, Quantity), _abs))
_UNARY: dict[str, Callable[..., int | Decimal | None]] = {
    "ceiling": _whole(ROUND_CEILING),
    "floor": _whole(ROUND_FLOOR),
    "truncate": int,
    "exp": lambda value: NUMBERS.exp(Decimal(value)),
    "ln": lambda value: NUMBERS.ln(Decimal(value)) if value > 0 else None,
    "sqrt": lambda value: NUMBERS.sqrt(Decimal(value)) if value >= 0 else None,
}
for _name, _function in _UNARY.items():
    register(TABLE, _name)(on_value(_name, _NUMBER, _guarded(_name, _function)))
register(TABLE, "log", 1)(on_value("log", _NUMBER, _guarded("log", _log)))
register(TABLE, "power", 1)(on_value("power", _NUMBER, _guarded("power", _power)))
register(TABLE, "round", 0, 1)(on_value("round", _NUMBER, _guarded("round", _round)))

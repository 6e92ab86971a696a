"""Quantities: a number with a UCUM unit or a calendar duration (http://hl7.org/fhirpath/N1/#quantity)."""

from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from profiles import ucum

# Arithmetic of Decimals: a result out of range raises, and the caller makes it empty (N1 § 6.6).
NUMBERS = Context(prec=34, Emax=1000, Emin=-1000, traps=[InvalidOperation, DivisionByZero, Overflow])

# Keyword → the singular calendar unit; only here are plural and singular the same thing.
CALENDAR = {
    name + plural: name
    for name in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
}
# A calendar unit and the UCUM unit beside it (N1 § 4.1.8). Year and month are only equivalent to theirs, never equal.
UCUM_OF_CALENDAR = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
CALENDAR_OF_UCUM = {unit: name for name, unit in UCUM_OF_CALENDAR.items()}
_INEXACT = ("year", "month")


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` of `unit`: a UCUM expression, or the singular name of a calendar duration when `calendar`.

    `system` is set when the unit is a code of another system than UCUM: it then only compares with the same code.
    """

    value: Decimal
    unit: str
    calendar: bool = False
    system: str = ""

    def __str__(self) -> str:
        if self.calendar:
            plural = "" if self.value in (1, -1) else "s"
            return f"{self.value} {self.unit}{plural}"
        return f"{self.value} '{self.unit}'"


def canonical(quantity: Quantity, exact: bool = True) -> tuple[Decimal, str] | None:
    """(value, base unit) for comparing; None when the unit is unknown.

    With `exact`, a calendar year or month is measured in months, which no UCUM unit is: neither equals `a` or `mo`.
    """
    if quantity.system:
        return quantity.value, f"{quantity.system}|{quantity.unit}"
    unit = quantity.unit
    if quantity.calendar:
        if exact and unit in _INEXACT:
            return quantity.value * (12 if unit == "year" else 1), "calendar month"
        unit = UCUM_OF_CALENDAR[unit]
    return ucum.canonical(quantity.value, unit)


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1; None when the units cannot be compared."""
    if left.unit == right.unit and left.calendar == right.calendar and left.system == right.system:
        return (left.value > right.value) - (left.value < right.value)
    first, second = canonical(left), canonical(right)
    if first is None or second is None or first[1] != second[1]:
        return None
    return (first[0] > second[0]) - (first[0] < second[0])


def equal(left: Quantity, right: Quantity) -> bool | None:
    """Equality: None between a calendar year or month and a definite duration, False between other unlike units."""
    order = compare(left, right)
    if order is not None:
        return order == 0
    first, second = canonical(left, exact=False), canonical(right, exact=False)
    if first is not None and second is not None and first[1] == second[1]:
        return None
    return False


def equivalent(left: Quantity, right: Quantity) -> bool:
    """Equality after rounding to the fewer decimals, in the unit of either side."""
    if left.system or right.system:
        return compare(left, right) == 0
    first, second = (UCUM_OF_CALENDAR[each.unit] if each.calendar else each.unit for each in (left, right))
    if first == second:
        return rounded_equal(left.value, right.value)
    there, here = ucum.convert(right.value, second, first), ucum.convert(left.value, first, second)
    return (there is not None and rounded_equal(left.value, there)) or (
        here is not None and rounded_equal(here, right.value)
    )


def decimals(value: Decimal) -> int:
    """The number of digits after the decimal point, trailing zeros not counted."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def rounded_equal(left: Decimal, right: Decimal) -> bool:
    """Equal when both are rounded to the precision of the less precise one (N1 § 6.1.2)."""
    digits = min(decimals(left), decimals(right))
    return round(left, digits) == round(right, digits)


def multiply(left: Quantity, right: Quantity) -> Quantity | None:
    """The product, its unit the product of the units; None when that is no UCUM unit."""
    return _combined(NUMBERS.multiply(left.value, right.value), ".", ucum_unit(left), ucum_unit(right))


def divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient, its unit the quotient of the units; the divisor is not zero. None as for `multiply`."""
    return _combined(NUMBERS.divide(left.value, right.value), "/", ucum_unit(left), ucum_unit(right))


def ucum_unit(quantity: Quantity) -> str:
    """The UCUM unit of a quantity, for a calendar duration the one beside it."""
    return UCUM_OF_CALENDAR[quantity.unit] if quantity.calendar else quantity.unit


def _combined(value: Decimal, operator: str, left: str, right: str) -> Quantity | None:
    if right == "1":
        return Quantity(value, left)
    expression = f"({left}){operator}({right})" if operator == "/" or left != "1" else right
    parsed = ucum.parse(expression)
    if parsed is None:
        return None
    return Quantity(value, "1" if not parsed.dimension and parsed.factor == 1 else expression)

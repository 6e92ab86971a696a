"""Number: plain numbers and ranges of them.

https://hl7.org/fhir/R4/search.html#number
"""

import re
from decimal import Decimal
from math import inf
from typing import Any

from fhir_server.search.query import Compare, Number, Predicate
from fhir_server.search.rows import IndexRows, NumberRow
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, prefixed, shown

PRIMITIVES = frozenset(("integer", "decimal", "positiveInt", "unsignedInt"))
RESOLUTION = Decimal("5e-16")  # relative; closer together than this, doubles are not told apart
MAGNITUDE_MAX = 300  # powers of ten: what a double holds
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EXACT = frozenset((Compare.GT, Compare.LT, Compare.GE, Compare.LE, Compare.SA, Compare.EB))


def emitter(param: str, code: str) -> Emit | None:
    """Return what files a value of the data type `code`; None if it is no number."""
    if code in PRIMITIVES:
        return _primitive(param)
    return _range(param) if code == "Range" else None


def _primitive(param: str) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        number = float(Decimal(value))
        rows.numbers.append(NumberRow(param, number, number, group))

    return emit


def _range(param: str) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
        if low is not None or high is not None:
            rows.numbers.append(
                NumberRow(
                    param,
                    -inf if low is None else float(Decimal(low)),
                    inf if high is None else float(Decimal(high)),
                    group,
                )
            )

    return emit


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what the value asks. Raises FhirError."""
    if asked.modifier:
        raise asked.modifier_refused()
    compare, text = prefixed(value)
    low, high = bounds(asked, compare, text)
    return Number(asked.name, compare, float(low), float(high))


def bounds(asked: Asked, compare: Compare, text: str) -> tuple[Decimal, Decimal]:
    """Return the range that a number stands for under a prefix. Raises FhirError if the text is no number.

    `eq` and `ne` mean every value that rounds to the digits given; `ap` 10 % on either side, but no less than that.
    The other prefixes take the number as exact. https://hl7.org/fhir/R4/search.html#number
    """
    if not _NUMBER.fullmatch(text):
        raise asked.invalid(f"`{shown(text)}` is not a number")
    number = Decimal(text)
    if number and abs(number.adjusted()) > MAGNITUDE_MAX:
        raise asked.invalid(f"`{shown(text)}` is out of range")
    if compare in _EXACT:
        return number, number
    half = max(half_width(text), abs(number) * RESOLUTION)
    if compare is Compare.AP:
        half = max(half, abs(number) / 10)
    return number - half, number + half


def half_width(text: str) -> Decimal:
    """Return half of the last significant digit of a number as it is written: `100` → 0.5, `5.40` → 0.005.

    By that rule `1e2` would be 50 … 150. The table of R4 gives 95 … 105, so one digit with a positive exponent is
    read as if it had a second one.
    """
    _, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    if exponent > 0 and len(digits) == 1:
        exponent -= 1
    return Decimal(5).scaleb(exponent - 1)

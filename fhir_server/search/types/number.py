"""Number: plain numbers and ranges of them.

https://hl7.org/fhir/R4/search.html#number
"""

from decimal import Decimal
from math import inf
from typing import Any

from fhir_server.search.rows import IndexRows, NumberRow
from fhir_server.search.types.emit import Emit

PRIMITIVES = frozenset(("integer", "decimal", "positiveInt", "unsignedInt"))


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

"""Quantity: measured values with their unit, compared in UCUM base units where the unit is UCUM.

https://hl7.org/fhir/R4/search.html#quantity
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from math import inf
from typing import Any

from fhir_server.search.query import Predicate, Quantity
from fhir_server.search.rows import IndexRows, QuantityRow
from fhir_server.search.types import number
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, prefixed, split, unescape
from profiles import ucum

UCUM = "http://unitsofmeasure.org"
CURRENCY = "urn:iso:std:iso:4217"


def emitter(param: str, code: str) -> Emit | None:
    """Return what files a value of the data type `code`; None if it is no measure."""
    measure = _MEASURES.get(code)
    if measure is None:
        return None

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        row = measure(param, value, group)
        if row is not None:
            rows.quantities.append(row)

    return emit


@lru_cache(maxsize=8192)
def canonical(value: Decimal, code: str) -> tuple[float, str] | None:
    """Return the value in UCUM base units and those units; None if the unit is unknown."""
    found = ucum.canonical(value, code)
    return (float(found[0]), found[1]) if found else None


def _row(
    param: str, low: Decimal | None, high: Decimal | None, unit: Mapping[str, Any], system: str, code: str, group: int
) -> QuantityRow:
    """A row for [low, high]; None is an open end."""
    low_number = -inf if low is None else float(low)
    high_number = inf if high is None else float(high)
    canonical_low, canonical_high, canonical_code = low_number, high_number, ""
    if system == UCUM and code:
        below = canonical(low, code) if low is not None else None
        above = canonical(high, code) if high is not None else None
        known = below or above
        if known:
            canonical_low = below[0] if below else -inf
            canonical_high = above[0] if above else inf
            canonical_code = known[1]
    return QuantityRow(
        param,
        low_number,
        high_number,
        system,
        code,
        unit.get("unit", ""),
        canonical_low,
        canonical_high,
        canonical_code,
        group,
    )


def _quantity(param: str, value: Mapping[str, Any], group: int) -> QuantityRow | None:
    if "value" not in value:
        return None
    number = Decimal(value["value"])
    comparator = value.get("comparator", "")
    low = None if comparator in ("<", "<=") else number
    high = None if comparator in (">", ">=") else number
    return _row(param, low, high, value, value.get("system", ""), value.get("code", ""), group)


def _range(param: str, value: Mapping[str, Any], group: int) -> QuantityRow | None:
    low, high = value.get("low", {}), value.get("high", {})
    unit = low if "value" in low else high
    if "value" not in unit:
        return None
    lowest = Decimal(low["value"]) if "value" in low else None
    highest = Decimal(high["value"]) if "value" in high else None
    return _row(param, lowest, highest, unit, unit.get("system", ""), unit.get("code", ""), group)


def _money(param: str, value: Mapping[str, Any], group: int) -> QuantityRow | None:
    if "value" not in value:
        return None
    number, currency = Decimal(value["value"]), value.get("currency", "")
    return _row(param, number, number, {"unit": currency}, CURRENCY if currency else "", currency, group)


def _sampled_data(param: str, value: Mapping[str, Any], group: int) -> QuantityRow | None:
    """The range that the samples span. `E` is an error, `U` and `L` are beyond the limits of the device."""
    origin = value.get("origin", {})
    zero, factor = Decimal(origin.get("value", 0)), Decimal(value.get("factor", 1))
    samples = value.get("data", "").split()
    try:
        points = [zero + factor * Decimal(sample) for sample in samples if sample not in "EUL"]
    except ArithmeticError:
        return None
    if not points:
        return None
    low = None if "L" in samples else min(points)
    high = None if "U" in samples else max(points)
    return _row(param, low, high, origin, origin.get("system", ""), origin.get("code", ""), group)


_MEASURES: Mapping[str, Callable[[str, Any, int], QuantityRow | None]] = {
    **dict.fromkeys(("Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"), _quantity),
    "Range": _range,
    "Money": _money,
    "SampledData": _sampled_data,
}


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what `[prefix][number]` or `[prefix][number]|[system]|[code]` asks. Raises FhirError."""
    if asked.modifier:
        raise asked.modifier_refused()
    parts = split(value, "|")
    if len(parts) not in (1, 3):
        raise asked.invalid("needs a number, or number|system|code")
    compare, text = prefixed(parts[0])
    low, high = number.bounds(asked, compare, text)
    system, code = (unescape(parts[1]), unescape(parts[2])) if len(parts) == 3 else ("", "")
    if system == UCUM and code:
        below, above = canonical(low, code), canonical(high, code)
        if below and above:
            return Quantity(asked.name, compare, below[0], above[0], system, below[1], canonical=True)
    return Quantity(asked.name, compare, float(low), float(high), system or None, code or None)

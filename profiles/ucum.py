"""Units of measure: a UCUM expression as a factor times base units, so that `5 mmol/L` equals `0.005 mol/L`.

https://ucum.org/ucum (grammar: § 2.3, prefixes: § 2.4, special units: § 2.5, arbitrary units: § 3).

Choices where UCUM leaves room or where its letter would mislead a clinician:
- the mole is a base unit (as in the SI; UCUM calls it a pure number), so `mol/L` never equals cells per litre;
- an arbitrary unit (`[iU]`, `[arb'U]`) and a scale that is not proportional (`[pH]`, `B[SPL]`) is a base unit of its
  own: it compares with itself and with nothing else;
- `Cel`, `[degF]` and `[degRe]` convert with their zero point only when they stand alone; in `J/Cel` they are a
  temperature difference.
"""

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

TABLE = Path(__file__).parent / "definitions" / "ucum.json"
UNIT_LENGTH_MAX = 120
NESTING_MAX = 8
EXPONENT_MAX = 99
CANONICAL = Context(
    prec=24
)  # digits of a canonical value: more than any instrument has, fewer than a repeating fraction

_COMPONENT = re.compile(
    r"(?P<ten>10[*^])(?P<tenth>[+-]?\d{1,2})?(?![\w\[])"
    r"|(?P<number>\d{1,12})(?![\w\[*^])"
    r"|(?P<code>(?:\[[^\[\]\s{}]+\]|[^\s\d./(){}\[\]+\-])+)(?P<exponent>[+-]?\d{1,2})?(?![\w\[])"
)
_ANNOTATION = re.compile(r"\{[!-z|~]*\}")


class Unit(NamedTuple):
    """A parsed unit: one of it is `factor` of the base units in `dimension`, a sorted tuple of (base unit, exponent).

    `offset` is not zero only for a temperature scale that stands alone: base = (value + offset) x factor.
    """

    factor: Fraction
    dimension: tuple[tuple[str, int], ...]
    offset: Fraction = Fraction(0)

    @property
    def canonical(self) -> str:
        """The base units as a UCUM expression, `1` when there are none: `g.m-3`."""
        return ".".join(base if power == 1 else f"{base}{power}" for base, power in self.dimension) or "1"


class _UnknownUnitError(Exception):
    """The text is no UCUM expression, or names an atom that is not in the table."""


@cache
def _tables() -> tuple[Mapping[str, Fraction], Mapping[str, Mapping[str, Any]]]:
    table = msgspec.json.decode(TABLE.read_bytes())
    return {code: Fraction(value) for code, value in table["prefixes"].items()}, table["units"]


def _raise(unit: Unit, power: int) -> Unit:
    if power == 1:
        return unit
    return Unit(unit.factor**power, tuple((base, exponent * power) for base, exponent in unit.dimension if power))


def _times(left: Unit, right: Unit) -> Unit:
    dimension = dict(left.dimension)
    for base, power in right.dimension:
        dimension[base] = dimension.get(base, 0) + power
        if abs(dimension[base]) > EXPONENT_MAX:
            raise _UnknownUnitError
    return Unit(left.factor * right.factor, tuple(sorted((base, power) for base, power in dimension.items() if power)))


@cache
def _defined(code: str) -> Unit:
    """The unit atom `code` without a prefix; its offset included."""
    definition = _tables()[1][code]
    if definition.get("own"):
        return Unit(Fraction(1), ((code, 1),))
    unit = _times(Unit(Fraction(definition["factor"]), ()), _parse(definition["unit"]))
    return unit._replace(offset=Fraction(definition.get("offset", 0)))


def _atom(code: str) -> Unit:
    prefixes, units = _tables()
    if code in units:  # whole atoms win over prefix + atom: `cd` is the candela, `min` the minute
        return _defined(code)
    for length in (1, 2):
        scale, stem = prefixes.get(code[:length]), code[length:]
        if scale is not None and units.get(stem, {}).get("metric"):
            unit = _defined(stem)
            return Unit(unit.factor * scale, unit.dimension, unit.offset / scale)
    raise _UnknownUnitError


def _component(text: str, at: int, depth: int) -> tuple[Unit, int]:
    if text.startswith("(", at):
        unit, at = _term(text, at + 1, depth + 1)
        if not text.startswith(")", at):
            raise _UnknownUnitError
        return unit, at + 1
    found = _COMPONENT.match(text, at)
    if found is None:
        note = _ANNOTATION.match(text, at)
        if note is None:
            raise _UnknownUnitError
        return Unit(Fraction(1), ()), note.end()  # an annotation alone is the unity (§ 2.3, ■12)
    if found["ten"]:
        unit = Unit(Fraction(10) ** int(found["tenth"] or 1), ())
    elif found["number"]:
        if int(found["number"]) == 0:
            raise _UnknownUnitError
        unit = Unit(Fraction(int(found["number"])), ())
    else:
        unit = _atom(found["code"])
        if found["exponent"]:
            unit = _raise(unit, int(found["exponent"]))
    note = _ANNOTATION.match(text, found.end())
    return unit, note.end() if note else found.end()


def _term(text: str, at: int, depth: int) -> tuple[Unit, int]:
    """A term from `at`: components joined by `.` and `/`, left to right; `/` divides by the next component only."""
    if depth > NESTING_MAX:
        raise _UnknownUnitError
    power = 1
    if text.startswith("/", at):
        power, at = -1, at + 1
    unit, at = _component(text, at, depth)
    unit = _raise(
        unit, power
    )  # a product or a power drops the zero point of a temperature scale, standing alone keeps it
    while at < len(text) and text[at] in "./":
        power = 1 if text[at] == "." else -1
        component, at = _component(text, at + 1, depth)
        unit = _times(unit, _raise(component, power))
    return unit, at


def _parse(text: str) -> Unit:
    unit, at = _term(text, 0, 0)
    if at != len(text):
        raise _UnknownUnitError
    return unit


@lru_cache(maxsize=4096)
def parse(unit: str) -> Unit | None:
    """The UCUM expression `unit` in base units; None when it is no UCUM expression or names an unknown atom.

    Case-sensitive (`c/s`). An annotation (`{beats}`) counts as 1.
    """
    if not unit or len(unit) > UNIT_LENGTH_MAX or not unit.isascii():
        return None
    try:
        return _parse(unit)
    except _UnknownUnitError:
        return None


def canonical(value: Decimal, unit: str) -> tuple[Decimal, str] | None:
    """`value` `unit` as (value in base units, base units): `(Decimal("37"), "Cel")` → `(Decimal("310.15"), "K")`.

    Two quantities are comparable when their base units are the same text, and then compare by value. The value has at
    most 24 significant digits and no trailing zeros. None when the unit is unknown (§ 2.3) or the value is not finite.
    """
    parsed = parse(unit)
    if parsed is None or not value.is_finite() or abs(value.adjusted()) > 1000:
        return None
    exact = (Fraction(value) + parsed.offset) * parsed.factor
    quotient = CANONICAL.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return quotient.normalize(CANONICAL), parsed.canonical


def convert(value: Decimal, unit: str, target: str) -> Decimal | None:
    """`value` `unit` expressed in `target`; None when one is unknown or their dimensions differ."""
    here, there = parse(unit), parse(target)
    if here is None or there is None or here.dimension != there.dimension:
        return None
    if not value.is_finite() or abs(value.adjusted()) > 1000:
        return None
    exact = (Fraction(value) + here.offset) * here.factor / there.factor - there.offset
    return CANONICAL.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize(CANONICAL)

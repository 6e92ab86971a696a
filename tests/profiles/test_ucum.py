"""Units: what UCUM defines (https://ucum.org/ucum), and where profiles/ucum.py states a choice of its own."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import ucum


@pytest.mark.parametrize(
    "left, right",
    [
        ("5 mmol/L", "0.005 mol/L"),
        ("5 mmol/L", "5 umol/mL"),
        ("1 10*3/uL", "1 10*9/L"),
        ("98.6 [degF]", "37 Cel"),
        ("0 Cel", "273.15 K"),
        ("5 %", "0.05 1"),
        ("72 /min", "72 {beats}/min"),
        ("1 m[iU]/mL", "1 [iU]/L"),
        ("1 [IU]", "1 [iU]"),
        ("1 mm[Hg]", "133.322 Pa"),
        ("1 kg.m-2", "1 kg/m2"),
        ("24 ug/(24.h)", "1 ug/h"),
        ("7 d", "1 wk"),
        ("1 l", "1 L"),
        ("1 [lb_av]", "453.59237 g"),
        ("1 U", "1 umol/min"),
        ("1 [diop]", "1 m-1"),
        ("1 J/Cel", "1 J/K"),
        ("1 Cel.m", "1 K.m"),
        ("37 Cel{axillary}", "310.15 K"),
        ("1000 mCel", "1 Cel"),
        ("1 10^3", "1000 {cells}"),
        ("1 g%", "1 g/dL"),
    ],
)
def test_quantities_that_ucum_makes_equal_have_one_canonical_form(left: str, right: str) -> None:
    (value, unit), (other, other_unit) = left.split(" "), right.split(" ")
    first = ucum.canonical(Decimal(value), unit)
    assert first is not None
    assert first == ucum.canonical(Decimal(other), other_unit)


@pytest.mark.parametrize(
    "left, right",
    [
        ("mol/L", "/L"),
        ("[iU]", "[arb'U]"),
        ("[iU]", "1"),
        ("[pH]", "mol/L"),
        ("mg", "mL"),
        ("Cel", "1"),
        ("B[SPL]", "Pa"),
    ],
)
def test_units_that_must_not_be_compared_have_different_base_units(left: str, right: str) -> None:
    first, second = ucum.parse(left), ucum.parse(right)
    assert first is not None
    assert second is not None
    assert first.canonical != second.canonical
    assert ucum.convert(Decimal(1), left, right) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        "mg/",
        "/",
        " mg",
        "mg dL",
        "(mg",
        "mg)",
        "µg",
        "mg//L",
        "0",
        "mmin",
        "k[in_i]",
        "m2-",
        "{a b}",
        "{",
        "(" * 20 + "m" + ")" * 20,
        "m" + ".m" * 100,
        "m99.m99",
    ],
)
def test_what_is_no_ucum_expression_has_no_canonical_form(text: str) -> None:
    assert ucum.canonical(Decimal(1), text) is None


def test_the_minute_and_the_candela_are_not_a_prefix_with_an_atom() -> None:
    assert ucum.canonical(Decimal(1), "min") == (Decimal(60), "s")
    assert ucum.canonical(Decimal(1), "cd") == (Decimal(1), "cd")
    assert ucum.canonical(Decimal(1), "Pa") == (Decimal(1000), "g.m-1.s-2")


def test_every_atom_of_the_table_resolves_to_base_units() -> None:
    units = msgspec.json.decode(ucum.TABLE.read_bytes())["units"]
    assert len(units) > 300
    for code in units:
        unit = ucum.parse(code)
        assert unit is not None, code
        assert all(units[base].get("own") for base, _ in unit.dimension), code


def test_a_value_with_an_absurd_exponent_is_refused_before_it_is_expanded() -> None:
    assert ucum.canonical(Decimal("1e999999"), "g") is None
    assert ucum.canonical(Decimal("NaN"), "g") is None


@given(st.decimals(-(10**9), 10**9, places=4), st.sampled_from(["mg", "g", "kg", "ug", "ng", "[oz_av]", "[lb_av]"]))
def test_converting_there_and_back_gives_the_value(value: Decimal, unit: str) -> None:
    there = ucum.convert(value, unit, "g")
    assert there is not None
    back = ucum.convert(there, "g", unit)
    assert back is not None
    assert abs(back - value) <= abs(value) * Decimal("1e-20")


@given(st.text(alphabet="mgkL/.(){}[]*^10-+iUCel%'_", max_size=40))
def test_any_text_is_either_parsed_or_refused_without_an_error(text: str) -> None:
    unit = ucum.parse(text)
    assert unit is None or ucum.parse(unit.canonical) is not None

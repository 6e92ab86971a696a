"""The tables of https://hl7.org/fhir/R4/search.html on prefixes and precision, row by row."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.outcome import FhirError
from fhir_server.search.query import Compare, Date, LastUpdated, Number, Predicate, Quantity
from fhir_server.search.types.number import half_width
from tests.fhir_server.search.conftest import NOW
from tests.fhir_server.search.test_dates import at

Where = Callable[..., Predicate]
UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    "text, compare, low, high",
    [
        ("100", Compare.EQ, 99.5, 100.5),
        ("100.00", Compare.EQ, 99.995, 100.005),
        ("1e2", Compare.EQ, 95, 105),
        ("lt100", Compare.LT, 100, 100),
        ("le100", Compare.LE, 100, 100),
        ("gt100", Compare.GT, 100, 100),
        ("ge100", Compare.GE, 100, 100),
        ("ne100", Compare.NE, 99.5, 100.5),
        ("sa100", Compare.SA, 100, 100),
        ("eb100", Compare.EB, 100, 100),
        ("ap100", Compare.AP, 90, 110),
        ("eq-0.5", Compare.EQ, -0.55, -0.45),
        ("ap0", Compare.AP, -0.5, 0.5),
    ],
)
def test_number(where: Where, text: str, compare: Compare, low: float, high: float) -> None:
    assert where("RiskAssessment", f"probability={text}") == Number("probability", compare, low, high)


@pytest.mark.parametrize(
    "text", ["", "x", "1,2x", "--1", "1.", ".5", "0x10", "1e", "NaN", "inf", "1_000", "١", "gt", "1e9999"]
)
def test_what_is_no_number_is_refused(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="probability"):
        where("RiskAssessment", f"probability={text}")


@pytest.mark.parametrize("text", ["1e301", "1" + "0" * 39 + "e300"])
def test_a_number_beyond_a_double_is_refused(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="out of range"):
        where("RiskAssessment", f"probability={text}")


def test_a_number_of_more_digits_than_a_double_has_still_equals_itself(where: Where) -> None:
    found = where("RiskAssessment", "probability=66.899999999999991234567")
    assert isinstance(found, Number)
    assert found.low < 66.899999999999991234567 < found.high


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000))
def test_the_implicit_range_is_one_unit_of_the_last_digit_wide(number: Decimal) -> None:
    assert 2 * half_width(str(number)) == Decimal("0.001")


@pytest.mark.parametrize(
    "text, compare, low, high",
    [
        ("eq2013-01-14", Compare.EQ, at(2013, 1, 13, 23), at(2013, 1, 14, 23)),
        ("ne2013-01-14", Compare.NE, at(2013, 1, 13, 23), at(2013, 1, 14, 23)),
        ("lt2013-01-14T10:00", Compare.LT, at(2013, 1, 14, 9), at(2013, 1, 14, 9, 1)),
        ("gt2013-01-14T10:00", Compare.GT, at(2013, 1, 14, 9), at(2013, 1, 14, 9, 1)),
        ("ge2013-03-14", Compare.GE, at(2013, 3, 13, 23), at(2013, 3, 14, 23)),
        ("le2013-03-14", Compare.LE, at(2013, 3, 13, 23), at(2013, 3, 14, 23)),
        ("sa2013-03-14", Compare.SA, at(2013, 3, 13, 23), at(2013, 3, 14, 23)),
        ("eb2013-03-14", Compare.EB, at(2013, 3, 13, 23), at(2013, 3, 14, 23)),
        ("2013", Compare.EQ, at(2012, 12, 31, 23), at(2013, 12, 31, 23)),
    ],
)
def test_date(where: Where, text: str, compare: Compare, low: int, high: int) -> None:
    assert where("Observation", f"date={text}") == Date("date", compare, low, high)


def test_an_approximate_date_is_widened_by_a_tenth_of_its_distance_to_now(where: Where) -> None:
    low, high = at(2026, 11, 11, 23), at(2026, 11, 12, 23)
    slack = (NOW - high) // 10
    assert where("Observation", "date=ap2026-11-12") == Date("date", Compare.AP, low - slack, high + slack)


def test_an_approximate_date_that_covers_now_is_not_widened(where: Where) -> None:
    assert where("Observation", "date=ap2026") == Date("date", Compare.AP, at(2025, 12, 31, 23), at(2026, 12, 31, 23))


def test_last_updated_is_a_date_like_any_other(where: Where) -> None:
    assert where("Patient", "_lastUpdated=gt2026-01-01") == LastUpdated(
        Compare.GT, at(2025, 12, 31, 23), at(2026, 1, 1, 23)
    )


@pytest.mark.parametrize(
    "text", ["2020-13-45", "0000", "10000", "99999-01-01", "gt", "2020-02-30", "now", "2020-01-01T"]
)
def test_what_is_no_date_is_refused(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="`date`"):
        where("Observation", f"date={text}")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("5.4|http://unitsofmeasure.org|mg", Quantity("value-quantity", Compare.EQ, 0.00535, 0.00545, UCUM, "g", True)),
        (
            "5.40e-3|http://unitsofmeasure.org|g",
            Quantity("value-quantity", Compare.EQ, 0.005395, 0.005405, UCUM, "g", True),
        ),
        ("5.4||mg", Quantity("value-quantity", Compare.EQ, 5.35, 5.45, None, "mg")),
        ("5.4", Quantity("value-quantity", Compare.EQ, 5.35, 5.45)),
        ("le5.4|http://unitsofmeasure.org|g", Quantity("value-quantity", Compare.LE, 5.4, 5.4, UCUM, "g", True)),
        ("ap5.4|http://unitsofmeasure.org|g", Quantity("value-quantity", Compare.AP, 4.86, 5.94, UCUM, "g", True)),
        ("3|urn:eigen|stuks", Quantity("value-quantity", Compare.EQ, 2.5, 3.5, "urn:eigen", "stuks")),
        ("3|http://unitsofmeasure.org|onzin", Quantity("value-quantity", Compare.EQ, 2.5, 3.5, UCUM, "onzin")),
    ],
)
def test_quantity(where: Where, text: str, expected: Quantity) -> None:
    assert where("Observation", f"value-quantity={text}") == expected


def test_a_temperature_is_compared_in_kelvin(where: Where) -> None:
    found = where("Observation", "value-quantity=gt37.5|http://unitsofmeasure.org|Cel")
    assert found == Quantity("value-quantity", Compare.GT, 310.65, 310.65, UCUM, "K", True)


@pytest.mark.parametrize("text", ["5|mg", "5|a|b|c", "mg", "|http://unitsofmeasure.org|mg", "5 mg"])
def test_what_is_no_quantity_is_refused(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="value-quantity"):
        where("Observation", f"value-quantity={text}")

"""The value spaces of the primitive types. https://hl7.org/fhir/R4/datatypes.html#primitive"""

import datetime
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.packages import read_package
from profiles.primitives import PRIMITIVES, STRING_CHARS_MAX, violation
from profiles.registry import load

GOOD: dict[str, list[Any]] = {
    "base64Binary": ["QQ==", "QUI=", "QUJD", "QUJD\r\n QUJD", "a+/b"],
    "boolean": [True, False],
    "canonical": ["http://example.org/x|1.0", "#id"],
    "code": ["final", "a b", "entered-in-error", "a\u00a0b"],
    "date": ["2024", "2024-02", "2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"],
    "dateTime": ["2024", "2024-02-29", "2024-02-29T23:59:60Z", "2024-02-29T00:00:00.123456789+14:00"],
    "decimal": [0, 1, -1, Decimal("1.00"), Decimal("1E+3")],
    "id": ["a", "A-1.b", "x" * 64],
    "instant": ["2024-02-29T00:00:00Z", "2024-02-29T13:28:17.239+02:00"],
    "integer": [0, -(2**31), 2**31 - 1],
    "markdown": ["# x\n\ny\ttab"],
    "oid": ["urn:oid:1.2.3", "urn:oid:2.16.840.1.113883.2.4.6.3"],
    "positiveInt": [1, 2**31 - 1],
    "string": ["x", " x ", "é😀", "a\nb", "\u00a0", "x" * STRING_CHARS_MAX],
    "time": ["00:00:00", "23:59:60", "12:00:00.5"],
    "unsignedInt": [0, 2**31 - 1],
    "uri": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "http://example.org/é"],
    "url": ["mailto:x@example.org"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">x</div>', "x" * (STRING_CHARS_MAX + 1)],
}

BAD: dict[str, list[Any]] = {
    "base64Binary": ["", "QQ", "QQ=", "Q===", "QQ==QQ==", "Q*==", "====", 1],
    "boolean": ["true", 1, 0],
    "canonical": ["", "a b", 1],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\n", 1, True],
    "date": ["", "24", "0000", "2024-13", "2024-00", "2024-2", "2023-02-29", "1900-02-29", "2024-04-31", "2024-01-32"],
    "dateTime": ["2024-02-30", "2024-02-29T12:00Z", "2024-02-29T12:00:00", "2024-02-29T24:00:00Z", "2024-02T12:00:00Z"],
    "decimal": ["1", True, Decimal("NaN"), Decimal("Infinity"), 1.5],
    "id": ["", "a_b", "x" * 65, "a b", "a\n", "é", 1],
    "instant": ["2024-02-29", "2024-02-29T12:00:00", "2023-02-29T12:00:00Z", "2024-02-29T12:00:00+15:00"],
    "integer": [2**31, -(2**31) - 1, Decimal("1.0"), True, "1"],
    "markdown": ["", " \n"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02"],
    "positiveInt": [0, -1, 2**31, True],
    "string": ["", " ", "\t\r\n ", "a\x00", "a\x1b", "\ud800", "\ufffe", 1, "x" * (STRING_CHARS_MAX + 1)],
    "time": ["24:00:00", "12:00", "12:00:00Z", "12:60:00"],
    "unsignedInt": [-1, 2**31, True],
    "uri": ["", "a b", "a\nb", "a\x01"],
    "url": ["", " "],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    "xhtml": ["", " ", "<div>\x0b</div>", None],
}


def test_every_primitive_type_of_the_registry_has_a_predicate() -> None:
    names = {t.name for t in load().types.values() if t.kind == "primitive"}
    assert names == set(PRIMITIVES) == set(GOOD) == set(BAD)


@pytest.mark.parametrize("type_code", sorted(GOOD))
def test_values_in_the_value_space_are_taken(type_code: str) -> None:
    for value in GOOD[type_code]:
        assert violation(type_code, value) is None, str(value)[:40]


@pytest.mark.parametrize("type_code", sorted(BAD))
def test_values_outside_the_value_space_are_refused_with_the_rule(type_code: str) -> None:
    for value in BAD[type_code]:
        assert violation(type_code, value) == PRIMITIVES[type_code][1], repr(value)[:40]


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: datetime.date) -> None:
    assert violation("date", day.isoformat()) is None
    assert violation("instant", f"{day.isoformat()}T00:00:00Z") is None


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_date_is_one_that_the_calendar_has(year: int, month: int, day: int) -> None:
    try:
        datetime.date(year, month, day)
        exists = True
    except ValueError:
        exists = False
    assert (violation("date", f"{year:04}-{month:02}-{day:02}") is None) is exists


def test_no_text_makes_a_predicate_slow() -> None:
    """The pattern that the specification prints for base64Binary backtracks without end on such text."""
    assert violation("base64Binary", " ".join(["QUJD"] * 20_000) + " *") is not None
    assert violation("code", "a " * 50_000) is not None
    assert violation("oid", "urn:oid:1" + ".1" * 50_000 + ".") is not None


def test_the_predicates_are_no_laxer_than_the_published_patterns(definition_packages: Path) -> None:
    """What we take as text has to match the regex in the StructureDefinition of the type (XSD white space)."""
    patterns = {}
    for structure in read_package(definition_packages / "hl7.fhir.r4.examples-4.0.1", ["StructureDefinition"]):
        if structure["kind"] == "primitive-type":
            for element in structure["snapshot"]["element"]:
                for declared in element.get("type", ()):
                    for extension in declared.get("extension", ()):
                        if extension["url"].endswith("/regex"):
                            patterns[structure["id"]] = re.compile(extension["valueString"], re.ASCII)
    assert len(patterns) == 19  # all but xhtml
    for type_code, pattern in patterns.items():
        for value in GOOD[type_code]:
            text = str(value).lower() if type_code == "boolean" else str(value)
            assert len(text) > 10_000 or pattern.fullmatch(text), (type_code, text)

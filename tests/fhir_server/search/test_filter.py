"""`_filter`: https://hl7.org/fhir/R4/search_filter.html, its examples and its operators."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.outcome import FhirError
from fhir_server.search.context import Context
from fhir_server.search.filter import OPERATORS
from fhir_server.search.parse import parse
from fhir_server.search.query import (
    And,
    Chain,
    Compare,
    Date,
    Ids,
    LastUpdated,
    Missing,
    Not,
    Or,
    Predicate,
    Reference,
    String,
    Token,
    TokenIn,
    Uri,
)

Where = Callable[..., Predicate]


@pytest.fixture(scope="session")
def filtered(where: Where) -> Callable[[str, str], Predicate]:
    return lambda type_name, text: where(type_name, f"_filter={text}")


Filtered = Callable[[str, str], Predicate]


def test_the_examples_of_the_page(filtered: Filtered, where: Where) -> None:
    assert filtered("Patient", 'name co "pet"') == String("name", "contains", "pet")
    assert filtered("Patient", 'given eq "peter" and birthdate ge 2014-10-10') == And(
        (String("given", "equals", "peter"), where("Patient", "birthdate=ge2014-10-10"))
    )
    assert filtered("Observation", "code eq http://loinc.org|1234-5") == Token("code", "http://loinc.org", "1234-5")
    assert filtered("Observation", 'subject:Patient.name co "pet"') == Chain(
        "subject", "Patient", String("name", "contains", "pet")
    )


@pytest.mark.parametrize(
    "type_name, text, expected",
    [
        ("Patient", 'family sw "Ber"', String("family", "starts", "ber")),
        ("Patient", 'family ew "Berg"', String("family", "ends", "berg")),
        ("Patient", 'family ne "Berg"', Not(String("family", "equals", "berg"))),
        ("Patient", "family pr true", Missing("family", False)),
        ("Patient", "family pr false", Missing("family", True)),
        ("Patient", "gender ne male", Not(Token("gender", None, "male"))),
        ("Patient", "_id eq abc", Ids(("abc",))),
        ("Patient", 'general-practitioner re "Practitioner/1"', Reference("general-practitioner", "Practitioner", "1")),
        ("ValueSet", 'url eq "http://x.example/a,b"', Uri("url", "exact", "http://x.example/a,b")),
    ],
)
def test_each_operator(filtered: Filtered, type_name: str, text: str, expected: Predicate) -> None:
    assert filtered(type_name, text) == expected


@pytest.mark.parametrize("operator", ["eq", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
def test_dates_and_numbers_take_the_operators_as_prefixes(filtered: Filtered, where: Where, operator: str) -> None:
    assert filtered("Observation", f"date {operator} 2026-01") == where("Observation", f"date={operator}2026-01")
    assert filtered("RiskAssessment", f"probability {operator} 0.5") == where(
        "RiskAssessment", f"probability={operator}0.5"
    )
    quantity = "5|http://unitsofmeasure.org|mg"
    assert filtered("Observation", f"value-quantity {operator} {quantity}") == where(
        "Observation", f"value-quantity={operator}{quantity}"
    )


def test_po_is_an_overlap_that_is_not_widened(filtered: Filtered, where: Where) -> None:
    day = where("Observation", "date=2026-01-05")
    assert isinstance(day, Date)
    assert filtered("Observation", "date po 2026-01-05") == Date("date", Compare.AP, day.low, day.high)
    overlap = filtered("Observation", "_lastUpdated po 2026-01-05")
    assert overlap == LastUpdated(Compare.AP, day.low, day.high)


def test_in_ni_ss_and_sb_look_at_terminology(filtered: Filtered) -> None:
    valueset = "http://hl7.org/fhir/ValueSet/administrative-gender"
    inside = filtered("Patient", f"gender in {valueset}")
    assert isinstance(inside, TokenIn)
    assert filtered("Patient", f"gender ni {valueset}") == Not(inside)
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    # The value subsumes a concept of the resource: what is below the value. `sb` is the other way round.
    below, above = (filtered("Encounter", f"class {operator} {act}|IMP") for operator in ("ss", "sb"))
    assert isinstance(below, TokenIn)
    assert isinstance(above, TokenIn)
    assert (act, "ACUTE") in below.codings
    assert (act, "ACUTE") not in above.codings


def test_and_and_or_are_taken_from_left_to_right(filtered: Filtered) -> None:
    a, b, c = (Token("gender", None, code) for code in ("a", "b", "c"))
    assert filtered("Patient", "gender eq a or gender eq b and gender eq c") == And((Or((a, b)), c))
    assert filtered("Patient", "gender eq a or (gender eq b and gender eq c)") == Or((a, And((b, c))))


def test_not_stands_before_parentheses(filtered: Filtered) -> None:
    assert filtered("Patient", "not (gender eq a)") == Not(Token("gender", None, "a"))
    assert filtered("Patient", "gender eq a and not(gender eq b)") == And(
        (Token("gender", None, "a"), Not(Token("gender", None, "b")))
    )


def test_brackets_ask_more_of_the_same_resource(filtered: Filtered) -> None:
    assert filtered("Patient", 'organization[active eq true].name eq "x"') == Chain(
        "organization", "Organization", And((Token("active", None, "true"), String("name", "equals", "x")))
    )


def test_a_path_without_a_type_leads_to_each_target_that_has_the_parameter(filtered: Filtered) -> None:
    found = filtered("Observation", 'subject.name co "pet" and status eq final')
    assert isinstance(found, And)
    assert isinstance(found.children[0], Or)
    assert found.children[1] == Token("status", None, "final")


def test_text_may_hold_quotes_parentheses_and_commas(filtered: Filtered) -> None:
    assert filtered("Patient", r'name eq "a \"b\" (c), d|e\\f\u00e9"') == String("name", "equals", 'a "b" (c), d|e\\fe')


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name eq",
        'name eq "open',
        "name eq x and",
        "name eq x name eq y",
        "(name eq x",
        "name eq x)",
        "not name eq x",
        "name zz x",
        "onzin eq x",
        "organization[active eq true] eq x",
        "organization[active eq true.name eq x",
        "gender[name eq x].name eq y",
        "gender.name eq y",
        "name:exact eq x",
        "name pr maybe",
        "name gt x",
        "gender co x",
        "birthdate co 2020",
        "birthdate eq gisteren",
        "_text eq x",
        "_filter eq x",
        'name eq "\\x"',
        'name eq ""',
        'name eq "a\\u0000b"',
        'name eq "\\ud800"',
        '_id eq "\\ud800"',
        "_id eq \0",
        "()",
        "not ()",
    ],
)
def test_what_cannot_be_read_or_done_is_refused(filtered: Filtered, text: str) -> None:
    with pytest.raises(FhirError) as caught:
        filtered("Patient", text)
    assert caught.value.category.status == 400


def test_depth_and_length_are_bounded(filtered: Filtered) -> None:
    assert filtered("Patient", "(" * 20 + "gender eq a" + ")" * 20) == Token("gender", None, "a")
    with pytest.raises(FhirError, match="20 deep"):
        filtered("Patient", "(" * 21 + "gender eq a" + ")" * 21)
    with pytest.raises(FhirError, match="2000"):
        filtered("Patient", "gender eq a and " * 200 + "gender eq a")
    with pytest.raises(FhirError, match="links"):
        filtered("Location", "partof." * 11 + "name eq x")


_WORDS = st.sampled_from(
    [
        "name",
        "gender",
        "birthdate",
        "organization",
        "organization.name",
        "subject",
        "_id",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ".name",
        '"x"',
        '"',
        "2020",
        "a|b",
        "true",
        *sorted(OPERATORS),
    ]
)


@given(st.one_of(st.text(), st.lists(_WORDS, max_size=14).map(" ".join)))
def test_any_text_is_read_or_refused(context: Context, text: str) -> None:
    try:
        parse(("Patient",), [("_filter", text or "x")], context)
    except FhirError as error:
        assert error.category.status in (400, 422)  # noqa: PT017

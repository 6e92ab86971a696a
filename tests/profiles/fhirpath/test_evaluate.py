"""Evaluation over plain JSON: twins, choices, types and references (https://hl7.org/fhir/R4/fhirpath.html)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from profiles.fhirpath import Context, FhirPathError, FhirPathSyntaxError, Node, compile

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "contained": [{"resourceType": "Organization", "id": "org", "name": "Praktijk"}],
    "_birthDate": {"extension": [{"url": "http://example.org/reason", "valueCode": "unknown"}]},
    "active": True,
    "name": [
        {"family": "Jansen", "given": ["Anna", None, "Maria"], "_given": [None, {"id": "g2"}, {"id": "g3"}]},
        {"text": "Annie"},
    ],
    "deceasedDateTime": "2020-02-01",
    "managingOrganization": {"reference": "#org"},
    "generalPractitioner": [
        {"reference": "Practitioner/1"},
        {"reference": "https://example.org/fhir/Organization/9/_history/2"},
        {"type": "PractitionerRole", "identifier": {"value": "x"}},
        {"reference": "urn:uuid:0"},
        {"display": "onbekend"},
    ],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "gewicht"},
    "valueQuantity": {"value": Decimal("80.0"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "component": [
        {"code": {"text": "a"}, "valueDateTime": "2020-01-01"},
        {"code": {"text": "b"}, "valueString": "s"},
    ],
}


def values(expression: str, resource: Mapping[str, Any] = PATIENT, context: Context | None = None) -> list[Any]:
    return [node.value for node in compile(expression).evaluate(resource, context or Context())]


def types(expression: str, resource: Mapping[str, Any] = PATIENT, context: Context | None = None) -> list[str]:
    return [node.type for node in compile(expression).evaluate(resource, context or Context())]


def test_a_primitive_with_only_extensions_exists_but_has_no_value() -> None:
    assert values("birthDate.exists()") == [True]
    assert values("birthDate.hasValue()") == [False]
    assert values("birthDate.extension('http://example.org/reason').value") == ["unknown"]
    assert values("birthDate < today()") == []
    assert values("birthDate.toString()") == []


def test_a_primitive_in_an_array_keeps_its_twin_and_its_place() -> None:
    nodes = compile("name.given").evaluate(PATIENT)
    assert [(node.value, node.extra, node.index) for node in nodes] == [
        ("Anna", None, 0),
        (None, {"id": "g2"}, 1),
        ("Maria", {"id": "g3"}, 2),
    ]
    assert values("name.given.id") == ["g2", "g3"]


def test_a_choice_is_one_element_and_its_node_tells_the_type() -> None:
    assert types("deceased") == ["dateTime"]
    assert types("Observation.value as Quantity", OBSERVATION) == ["Quantity"]
    assert types("(Observation.component.value as dateTime)", OBSERVATION) == ["dateTime"]
    assert values("(Observation.component.value as string)", OBSERVATION) == ["s"]
    assert values("Observation.value.ofType(Period)", OBSERVATION) == []
    assert types("component.value.as(DateTime)", OBSERVATION) == ["dateTime"]


def test_a_json_key_is_a_path_unless_the_context_is_strict() -> None:
    assert types("Observation.valueQuantity", OBSERVATION) == ["Quantity"]
    with pytest.raises(FhirPathError, match="valueQuantity"):
        compile("Observation.valueQuantity").evaluate(OBSERVATION, Context(strict=True))


def test_a_backbone_element_and_a_contained_resource_have_types() -> None:
    assert types("component", OBSERVATION) == ["Observation.component"] * 2
    assert types("contained") == ["Organization"]
    assert values("contained is DomainResource") == [True]
    assert values("component.first() is BackboneElement", OBSERVATION) == [True]


def test_a_path_that_starts_with_another_type_selects_nothing() -> None:
    assert values("Observation.status | Patient.active") == [True]
    assert values("Resource.id") == ["p"]


def test_resolve_tells_the_type_of_a_reference_from_its_form() -> None:
    assert types("generalPractitioner.resolve()") == ["Practitioner", "Organization", "PractitionerRole"]
    assert values("generalPractitioner.where(resolve() is Practitioner).reference") == ["Practitioner/1"]
    assert values("managingOrganization.resolve().name") == ["Praktijk"]


def test_resolve_asks_the_resolver_of_the_context_first() -> None:
    known = {"urn:uuid:0": {"resourceType": "Practitioner", "id": "new", "active": True}}
    context = Context(resolver=known.get)
    assert values("generalPractitioner.where(resolve() is Practitioner).reference", context=context) == [
        "Practitioner/1",
        "urn:uuid:0",
    ]
    assert values("generalPractitioner.resolve().active", context=context) == [True]


def test_resource_and_root_resource_differ_inside_a_contained_resource() -> None:
    inner = Node(PATIENT["contained"][0], "Organization")
    context = Context(resource=PATIENT["contained"][0], root_resource=PATIENT)
    found = compile("%resource.id | %rootResource.id | %context.name").evaluate(inner, context)
    assert [node.value for node in found] == ["org", "p", "Praktijk"]


def test_the_clock_of_the_context_is_the_only_clock() -> None:
    context = Context(now=datetime(2024, 2, 29, 23, 30, tzinfo=UTC))
    assert [str(value) for value in values("today() | now()", context=context)] == [
        "2024-02-29",
        "2024-02-29T23:30:00.0Z".replace("00.0Z", "00Z"),
    ]
    assert values("today() + 1 year = @2025-02-28", context=context) == [True]


def test_quantities_of_a_resource_compare_across_units() -> None:
    assert values("value > 70000 'g'", OBSERVATION) == [True]
    assert values("value = 80 'kg'", OBSERVATION) == [True]
    assert values("value > 1 'm'", OBSERVATION) == []
    foreign = {**OBSERVATION, "valueQuantity": {"value": 80, "system": "http://example.org/units", "code": "kg"}}
    assert values("value = 80 'kg'", foreign) == [False]


def test_decimals_keep_their_digits() -> None:
    assert values("value.value.toString()", OBSERVATION) == ["80.0"]
    assert values("value.value = 80", OBSERVATION) == [True]


def test_trace_changes_nothing_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert values("name.trace('names', given).family") == ["Jansen"]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_node_does_not_show_its_value() -> None:
    assert "Jansen" not in repr(compile("name").evaluate(PATIENT)) + repr(compile("name.family").locate(PATIENT))


@pytest.mark.parametrize(
    "expression", ["name.family & active", "name = 1 + 'a'", "1 > 'a'", "name.single()", "%unknown"]
)
def test_an_error_names_the_rule_and_no_value(expression: str) -> None:
    with pytest.raises(FhirPathError) as raised:
        compile(expression).evaluate(PATIENT)
    assert "Jansen" not in str(raised.value)


@pytest.mark.parametrize(
    "expression, message",
    [
        ("name.", "expected a name but found the end"),
        ("name..given", "expected a name but found `.`"),
        ("(name", "expected `)`"),
        ("name given", "expected an operator or the end but found `given`"),
        ("'open", "unexpected `'open`"),
        ("name.nosuch()", "function `nosuch` is not supported"),
        ("name.where()", "takes 1 to 1 arguments"),
        ("@2015-13-01", "no date or time"),
        ("$index.foo(", "expected an expression"),
        ("", "expected an expression but found the end"),
        ("name.is('x')", "is a type name"),
    ],
)
def test_a_syntax_error_says_what_was_expected(expression: str, message: str) -> None:
    with pytest.raises(FhirPathSyntaxError, match=message.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")):
        compile(expression)


def test_index_and_total_belong_to_the_innermost_loop() -> None:
    assert values("name.select($index)") == [0, 1]
    assert values("name.where($index = 1).text") == ["Annie"]
    assert values("(1|2|3).aggregate($total + $this, 0)") == [6]
    assert values("name.select(given.where($index > 0).count() + $index * 10)") == [2, 10]


def test_a_constant_inside_a_loop_does_not_leak_into_the_next_evaluation() -> None:
    expression = compile("name.where(%resource.id = 'p').count()")
    assert [node.value for node in expression.evaluate(PATIENT)] == [2]
    assert [node.value for node in expression.evaluate({**PATIENT, "id": "q"})] == [0]


def test_member_of_answers_for_value_sets_that_are_known_and_is_empty_else() -> None:
    gender = {"resourceType": "Patient", "gender": "female"}
    assert values("gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", gender) == [True]
    assert values("gender.memberOf('http://hl7.org/fhir/ValueSet/contact-point-use')", gender) == [False]
    assert values("gender.memberOf('http://example.org/unknown')", gender) == []

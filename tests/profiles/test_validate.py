"""One test for each rule of structure, cardinality, format, binding and invariants, and none is ever an exception.

https://hl7.org/fhir/R4/validation.html
"""

import copy
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles import fhirpath
from profiles import json as fhir_json
from profiles.registry import load
from profiles.validate import Issue, iter_issues, validate_bytes
from tests.profiles.rules.asking import DIV, errors, observation, patient, says
from tests.profiles.rules.minimal import minimal

FULL = {
    "resourceType": "Patient",
    "id": "a",
    "meta": {"lastUpdated": "2020-01-02T03:04:05+01:00", "profile": ["http://example.org/p|1"]},
    "text": {"status": "generated", "div": DIV},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "huisartsenpraktijk"}],
    "extension": [{"url": "http://example.org/e", "extension": [{"url": "sub", "valueDecimal": Decimal("1.00")}]}],
    "identifier": [{"use": "official", "system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "999900080"}],
    "active": True,
    "name": [{"given": ["Jo", None], "_given": [None, {"extension": [{"url": "http://x.org/y", "valueCode": "BR"}]}]}],
    "birthDate": "1970-02-28",
    "_birthDate": {"id": "b"},
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o"},
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"identifier": {"value": "2"}}],
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}


def test_a_valid_resource_has_no_issues() -> None:
    assert list(iter_issues(FULL, load())) == []


def test_every_issue_is_found_not_only_the_first() -> None:
    wrong = patient(active="yes", gender="m", birthDate="1970-02-30", name=[{"given": "Jo"}], nonsense=1)
    assert [location for location, _ in errors(wrong)] == [
        "Patient.active",
        "Patient.gender",
        "Patient.birthDate",
        "Patient.name[0].given",
        "Patient",
    ]


def test_issues_of_siblings_add_up() -> None:
    wrong = patient(active="yes", maritalStatus={"x": 1}, text={"status": "x", "div": DIV}, contained=[], gender="m")
    assert [location for location, _ in errors(wrong)] == [
        "Patient.active",
        "Patient.maritalStatus",
        "Patient.text.status",
        "Patient.contained",
        "Patient.gender",
    ]


# -- the resource as a whole


@pytest.mark.parametrize("value", [None, [], "Patient", 1])
def test_a_resource_is_a_json_object(value: Any) -> None:
    assert says(value, "Resource", "a resource is a json object")


def test_a_resource_says_its_type() -> None:
    assert says({"id": "a"}, "Resource", "`resourceType` is missing")


@pytest.mark.parametrize("name", ["Client", "DomainResource", "HumanName", 1, None, ["Patient"]])
def test_the_type_of_a_resource_is_a_concrete_resource_type(name: Any) -> None:
    assert "is no resource type" in errors({"resourceType": name})[0][1]


def test_a_resource_of_another_type_than_expected_is_refused() -> None:
    issues = list(iter_issues(patient(), load(), type="Observation"))
    assert [issue.diagnostics for issue in issues] == ["a `Observation` is expected here, not a `Patient`"]


def test_text_that_is_no_json_is_one_issue() -> None:
    assert [issue.code for issue in validate_bytes(b'{"resourceType": "Patient"', load())] == ["structure"]


def test_a_property_that_occurs_twice_is_an_error() -> None:
    issues = validate_bytes(b'{"resourceType": "Patient", "active": true, "active": false}', load())
    assert "`active` occurs twice" in issues[0].diagnostics


def test_bytes_of_a_valid_resource_have_no_issues() -> None:
    assert validate_bytes(fhir_json.dumps(FULL), load()) == []


def test_depth_beyond_any_reader_is_an_issue_and_no_exception() -> None:
    deep: dict[str, Any] = {"url": "http://example.org/e", "valueString": "a"}
    for _ in range(20_000):
        deep = {"url": "e", "extension": [deep]}
    try:
        assert errors(patient(extension=[deep]))[-1][1] == "objects and arrays are nested too deeply to be checked"
    finally:
        while "extension" in deep:  # taken apart from the top: freeing it whole would recurse in C
            deep = deep.pop("extension")[0]


# -- elements


def test_an_unknown_element_is_named() -> None:
    assert says(patient(colour="red"), "Patient", "element `colour` is unknown in `Patient`")


def test_an_unknown_element_below_is_named_with_its_place() -> None:
    assert says(patient(name=[{"text": "a"}, {"text": "b", "nick": "c"}]), "Patient.name[1]", "`nick`", "HumanName")


def test_comments_of_an_older_version_are_unknown() -> None:
    assert says(patient(fhir_comments=["a"]), "Patient", "`fhir_comments` is unknown")


def test_an_element_that_repeats_is_an_array() -> None:
    assert says(patient(name={"text": "a"}), "Patient.name", "`name` may repeat", "not `an object`")


def test_an_element_that_occurs_once_is_no_array() -> None:
    assert says(patient(maritalStatus=[{"text": "a"}]), "Patient.maritalStatus", "`CodeableConcept` is a json object")


def test_a_primitive_that_occurs_once_is_no_array() -> None:
    assert says(patient(birthDate=["1970"]), "Patient.birthDate", "single primitive value, not `an array`")


def test_a_primitive_is_no_object() -> None:
    assert says(patient(birthDate={"value": "1970"}), "Patient.birthDate", "single primitive value, not `an object`")


def test_a_complex_value_is_an_object() -> None:
    assert says(patient(name=["Jo"]), "Patient.name[0]", "a `HumanName` is a json object, not `Jo`")


def test_an_empty_array_is_an_error() -> None:
    assert says(patient(name=[]), "Patient.name", "array `name` must not be empty")


def test_an_empty_object_is_an_error() -> None:
    assert says(patient(name=[{}]), "Patient.name[0]", "ele-1")


def test_an_element_with_an_id_only_has_no_content() -> None:
    assert says(patient(name=[{"id": "a"}]), "Patient.name[0]", "ele-1", "besides its id")


def test_null_for_a_single_value_is_an_error() -> None:
    assert says(patient(birthDate=None), "Patient.birthDate", "not `null`")


def test_null_for_a_complex_value_is_an_error() -> None:
    assert says(patient(name=[None]), "Patient.name[0]", "not `null`")


# -- cardinality and choices


def test_a_mandatory_element_is_demanded() -> None:
    assert says({"resourceType": "Observation", "status": "final"}, "Observation", "`code` is missing")


def test_a_mandatory_element_may_have_an_extension_instead_of_a_value() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    assert errors({"resourceType": "Observation", "code": {"text": "a"}, "_status": absent}) == []


def test_a_mandatory_choice_is_demanded() -> None:
    medication_statement = {"resourceType": "MedicationStatement", "status": "active", "subject": {"display": "a"}}
    assert says(medication_statement, "MedicationStatement", "`medication[x]` is missing")


def test_a_choice_has_one_type_only() -> None:
    two = observation(valueString="a", valueInteger=1)
    assert says(two, "Observation.value", "one type only", "`valueInteger`", "`valueString`")


def test_the_twin_of_one_type_beside_a_value_of_another_is_two_types() -> None:
    two = observation(valueString="a", _valueInteger={"extension": [{"url": "http://x.org/y", "valueCode": "a"}]})
    assert says(two, "Observation.value", "one type only")


def test_a_choice_has_only_the_types_that_the_element_allows() -> None:
    assert says(observation(valueAddress={"text": "a"}), "Observation", "`value[x]`", "cannot be of type `Address`")


def test_the_name_of_a_choice_alone_is_no_element() -> None:
    assert says(observation(value="a"), "Observation", "`value[x]`", "cannot be of type")


# -- primitive formats

WRONG = [
    ("birthDate", "1970-02-30", "existing date"),
    ("birthDate", "1900-02-29", "existing date"),
    ("birthDate", "1970-1-1", "existing date"),
    ("birthDate", 1970, "existing date"),
    ("birthDate", "1970-01-01T00:00:00Z", "existing date"),
    ("birthDate", "", "must not be an empty string"),
    ("active", "true", "true or false"),
    ("active", 1, "true or false"),
    ("multipleBirthInteger", True, "whole number"),
    ("multipleBirthInteger", Decimal("1.0"), "whole number"),
    ("multipleBirthInteger", 2**31, "whole number"),
    ("deceasedDateTime", "2020-01-01T10:00", "time zone"),
    ("deceasedDateTime", "2020-01-01T10:00:00", "time zone"),
    ("id", "a_b", "1 to 64 letters"),
    ("id", "a" * 65, "1 to 64 letters"),
    ("language", " nl", "white space"),
    ("language", "n  l", "white space"),
    ("implicitRules", "http://a b", "uri without white space"),
]


@pytest.mark.parametrize("key, value, words", WRONG)
def test_a_value_outside_the_format_of_its_type_is_an_error(key: str, value: Any, words: str) -> None:
    (location, text), *rest = errors(patient(**{key: value}))
    assert not rest
    assert location in (f"Patient.{key}", "Patient.multipleBirth", "Patient.deceased")
    assert words in text
    assert f"`{key}`" in text


@pytest.mark.parametrize("text", [" ", "\n", "a\x00b", "a\x07", "\x1b[0m", "a\ufffe", "a" * 1_048_577])
def test_a_string_has_content_no_control_characters_and_a_limit(text: str) -> None:
    assert says(patient(name=[{"text": text}]), "Patient.name[0].text", "text that is not empty")


@pytest.mark.parametrize("text", ["a", " a", "é\u00a0\u2028ü", "a\tb\r\nc", "😀", "a" * 1_048_576])
def test_a_string_may_have_any_other_sign(text: str) -> None:
    assert errors(patient(name=[{"text": text}])) == []


def test_an_instant_needs_a_time_zone() -> None:
    assert says(patient(meta={"lastUpdated": "2020-01-01T10:00:00"}), "Patient.meta.lastUpdated", "time zone")


def test_base64_needs_whole_groups() -> None:
    assert says(patient(photo=[{"contentType": "image/png", "data": "abc"}]), "Patient.photo[0].data", "base64")


def test_an_integer_of_a_million_digits_is_an_error_in_no_time() -> None:
    assert says(patient(multipleBirthInteger=10**100_000), "Patient.multipleBirth", "whole number")


def test_a_unit_of_an_oid_type_is_an_oid() -> None:
    oid = patient(extension=[{"url": "http://example.org/e", "valueOid": "1.2.3"}])
    assert says(oid, "Patient.extension[0].value", "an oid like")


def test_a_uuid_is_a_uuid() -> None:
    uuid = patient(extension=[{"url": "http://example.org/e", "valueUuid": "urn:uuid:1"}])
    assert says(uuid, "Patient.extension[0].value", "a uuid like")


def test_a_relative_canonical_is_an_error() -> None:
    assert says(patient(meta={"profile": ["Patient/1"]}), "Patient.meta.profile[0]", "canonical url")


def test_a_message_never_repeats_a_long_value() -> None:
    (_, text), *_ = errors(patient(birthDate="9" * 500))
    assert "9" * 40 + "…" in text
    assert "9" * 41 not in text


# -- twins of primitives


def test_a_twin_has_only_an_id_and_extensions() -> None:
    assert says(patient(birthDate="1970", _birthDate={"value": 1}), "Patient.birthDate", "`value` is unknown")


def test_a_twin_without_a_value_needs_an_extension() -> None:
    assert says(patient(_birthDate={"id": "a"}), "Patient.birthDate", "ele-1", "neither a value nor an extension")


def test_an_empty_twin_is_an_error() -> None:
    assert says(patient(birthDate="1970", _birthDate={}), "Patient.birthDate", "ele-1")


def test_a_twin_array_is_as_long_as_the_array_of_values() -> None:
    name = {"given": ["a", "b"], "_given": [{"id": "a"}]}
    assert says(patient(name=[name]), "Patient.name[0].given", "`_given` has 1 items where `given` has 2")


def test_null_in_an_array_needs_its_twin() -> None:
    assert says(patient(name=[{"given": ["a", None]}]), "Patient.name[0].given[1]", "null", "`_given`")


def test_null_in_both_arrays_is_an_error() -> None:
    name = {"given": ["a", None], "_given": [{"id": "a"}, None]}
    assert says(patient(name=[name]), "Patient.name[0].given[1]", "null", "`_given`")


def test_null_in_a_twin_array_without_values_is_an_error() -> None:
    name = {"_given": [None, {"extension": [{"url": "http://x.org/y", "valueCode": "a"}]}]}
    assert says(patient(name=[name]), "Patient.name[0].given[0]", "null in `_given`")


def test_a_twin_of_a_repeating_primitive_is_an_array() -> None:
    assert says(patient(name=[{"given": ["a"], "_given": {"id": "a"}}]), "Patient.name[0].given", "json array")


def test_a_twin_of_a_single_primitive_is_no_array() -> None:
    assert says(patient(birthDate="1970", _birthDate=[{"id": "a"}]), "Patient.birthDate", "json object")


def test_an_extension_in_a_twin_obeys_the_rules_of_extensions() -> None:
    twin = {"extension": [{"url": "http://x.org/y"}]}
    assert says(patient(birthDate="1970", _birthDate=twin), "Patient.birthDate.extension[0]", "ext-1")


def test_only_primitives_have_twins() -> None:
    assert says(patient(_name=[{"id": "a"}]), "Patient", "`name` of `Patient` is no primitive")


# -- bindings


def test_a_code_is_in_its_required_value_set() -> None:
    assert says(patient(gender="m"), "Patient.gender", "`m`", "http://hl7.org/fhir/ValueSet/administrative-gender")


@pytest.mark.parametrize("value", [{}, [], 1, True, None])
def test_a_code_of_another_json_type_is_an_error(value: Any) -> None:
    assert errors(patient(gender=value))[0][0] == "Patient.gender"


def test_a_concept_has_a_coding_in_its_required_value_set() -> None:
    condition = {"resourceType": "Condition", "subject": {"display": "a"}, "clinicalStatus": {"text": "active"}}
    assert says(condition, "Condition.clinicalStatus", "no coding", "ValueSet/condition-clinical")


def test_one_coding_in_the_value_set_is_enough() -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    codings = [{"system": "http://example.org", "code": "x"}, {"system": system, "code": "active"}]
    condition = {"resourceType": "Condition", "subject": {"display": "a"}, "clinicalStatus": {"coding": codings}}
    assert errors(condition) == []


# -- invariants


def test_an_invariant_that_presence_decides_is_named() -> None:
    assert says(observation(dataAbsentReason={"text": "a"}, valueString="a"), "Observation", "obs-6")


def test_an_invariant_that_needs_the_values_is_named() -> None:
    assert says(patient(contact=[{"period": {"start": "2020"}}]), "Patient.contact[0]", "pat-1")
    reversed_period = patient(name=[{"period": {"start": "2020-02", "end": "2020-01"}}])
    assert says(reversed_period, "Patient.name[0].period", "per-1")


def test_an_end_that_includes_the_start_is_no_violation() -> None:
    # "2012-02-03T10:00:00 is in a period that has an end value of 2012-02-03": https://hl7.org/fhir/R4/datatypes.html
    period = {"start": "2012-02-03T10:00:00Z", "end": "2012-02-03"}
    assert errors(patient(name=[{"text": "a", "period": period}])) == []


def test_an_invariant_of_an_element_is_named_at_that_element() -> None:
    organization = {"resourceType": "Organization", "name": "a", "telecom": [{"use": "home", "value": "1"}]}
    assert [text[:5] for _, text in errors(organization)] == ["cpt-2", "org-3"]


def test_an_invariant_that_comes_to_nothing_is_broken() -> None:
    contains = {"timestamp": "2020", "contains": [{"display": "a"}]}
    valueset = {"resourceType": "ValueSet", "status": "draft", "expansion": contains}
    assert says(valueset, "ValueSet.expansion.contains[0]", "vsd-9")


def test_an_invariant_about_the_whole_resource_sees_it() -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "1"}]}
    same = {"resourceType": "Observation", "status": "final", "code": code, "valueString": "a"}
    assert says({**same, "component": [{"code": code, "valueString": "b"}]}, "Observation", "obs-7")


def test_a_recommendation_is_a_warning() -> None:
    issues = list(iter_issues(patient(), load()))
    assert [(issue.severity, issue.diagnostics[:5]) for issue in issues] == [("warning", "dom-6")]


def test_an_invariant_on_a_primitive_element_is_named() -> None:
    element = {"id": "Patient", "path": "Patient", "max": "many"}
    definition = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/a",
        "name": "A",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [element]},
    }
    assert ("StructureDefinition.differential.element[0].max", "eld-3") in [
        (at, text[:5]) for at, text in errors(definition)
    ]


# -- every type, and no exception


def structural(resource: Any) -> list[Issue]:
    """The errors that are not about the combination of elements, nor about codes."""
    unwanted = ("invariant", "code-invalid")
    return [i for i in iter_issues(resource, load()) if i.severity == "error" and i.code not in unwanted]


@pytest.mark.parametrize("name", load().resource_types)
def test_the_smallest_value_of_each_type_breaks_no_rule_of_structure(name: str) -> None:
    assert structural(minimal(load(), name)) == []


@pytest.mark.parametrize("name", load().resource_types)
def test_each_element_of_each_type_is_known_and_can_be_checked(name: str) -> None:
    for element in load().types[name].elements:
        assert structural(minimal(load(), name, element.name)) == [], element.name


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["#", "#o", "Patient/1", "Patient/", "urn:uuid:", "http://", "2020-13", "<div/>", "", " ", "?", "/"]
    ),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"resourceType": "Bundle", "type": "batch", "entry": [{"fullUrl": 1, "resource": []}]}),
    st.just({"reference": "#o"}),
    st.just([{"extension": [{}]}, 1]),
)


def containers(value: Any) -> list[Any]:
    """The value itself and every object and array in it."""
    found = [value]
    for inner in found:
        children = inner.values() if isinstance(inner, dict) else inner
        found += [child for child in children if isinstance(child, (dict, list)) and child]
    return found


MATERIAL = [FULL, *(minimal(load(), name) for name in ("Bundle", "Consent", "StructureDefinition", "Questionnaire"))]
BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "resource": FULL, "request": {"method": "POST"}},
        {"resource": observation(subject={"reference": "Patient?identifier=1"}), "request": {"method": "PUT"}},
    ],
}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([*MATERIAL, BUNDLE]),
    st.lists(st.tuples(st.integers(0), st.integers(0, 3), JUNK), min_size=1, max_size=3),
)
def test_no_mutation_of_a_resource_makes_an_exception(resource: Any, edits: list[tuple[int, int, Any]]) -> None:
    mutant = copy.deepcopy(resource)
    for seed, kind, junk in edits:
        choose = random.Random(seed)
        place = choose.choice(containers(mutant))
        key = choose.choice(list(place)) if isinstance(place, dict) else choose.randrange(len(place))
        if kind == 0:
            del place[key]
        elif kind == 1:
            place[key] = copy.deepcopy(junk)
        elif kind == 2 and isinstance(place, dict):
            place[choose.choice(["_", "value", "x"]) + str(key)] = place.pop(key)
        elif isinstance(place, dict):
            place[choose.choice(["extension", "contained", "reference", "text", "resourceType"])] = copy.deepcopy(junk)
        if not mutant:
            break
    issues = list(iter_issues(mutant, load()))
    assert all(isinstance(issue, Issue) and issue.diagnostics and len(issue.diagnostics) < 500 for issue in issues)
    for issue in issues:
        fhirpath.compile(issue.expression)  # each location is FHIRPath

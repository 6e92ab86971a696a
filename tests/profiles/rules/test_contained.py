"""Contained resources: ids, use (dom-3), no nesting, no meta of their own, held against FHIRPath where that says it.

https://hl7.org/fhir/R4/references.html#contained
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from profiles import fhirpath
from profiles.registry import load
from profiles.rules.contained import check_contained
from tests.profiles.rules.asking import errors, observation, patient, says


def containing(*contained: dict[str, Any]) -> dict[str, Any]:
    return observation(contained=list(contained), subject={"reference": "#p"})


def test_a_contained_resource_obeys_the_rules_of_its_type() -> None:
    assert says(containing(patient(id="p", gender="m")), "Observation.contained[0].gender", "value set")


def test_a_contained_resource_that_nothing_refers_to_is_an_error() -> None:
    wrong = containing(patient(id="p"), patient(id="q"))
    assert says(wrong, "Observation.contained[1]", "dom-3", "`q`")


def test_a_contained_resource_without_an_id_is_an_error() -> None:
    assert says(observation(contained=[patient()]), "Observation.contained[0]", "dom-3", "without an id")


def test_ids_of_contained_resources_are_their_own() -> None:
    assert says(containing(patient(id="p"), patient(id="p")), "Observation.contained[1].id", "`p` is taken")


def test_a_contained_resource_contains_nothing() -> None:
    inner = {"resourceType": "Organization", "id": "o", "name": "a"}
    nested = patient(id="p", contained=[inner], managingOrganization={"reference": "#o"})
    found = [text for _, text in errors(containing(nested))]
    assert any(text.startswith("dom-2") for text in found)


def test_a_contained_resource_has_no_version_and_no_time_of_change() -> None:
    assert says(containing(patient(id="p", meta={"versionId": "1"})), "Observation", "dom-4")
    assert says(containing(patient(id="p", meta={"lastUpdated": "2020-01-02T03:04:05Z"})), "Observation", "dom-4")


def test_a_contained_resource_has_no_security_label() -> None:
    label = {"system": "http://example.org", "code": "R"}
    assert says(containing(patient(id="p", meta={"security": [label]})), "Observation", "dom-5")


def test_contained_is_an_array_of_resources() -> None:
    assert says(observation(contained=patient(id="p")), "Observation.contained", "json array")
    assert says(observation(contained=[]), "Observation.contained", "must not be empty")
    assert errors(observation(contained=[{"id": "p"}]))[0] == ("Observation.contained[0]", "`resourceType` is missing")


def test_a_contained_resource_needs_no_narrative() -> None:
    assert not [text for _, text in errors(containing(patient(id="p"))) if "dom-6" in text]


LOCAL = st.sampled_from(["#", "#a", "#b", "#c", "Patient/1", "a"])
EXTENSION = st.one_of(
    LOCAL.map(lambda text: {"url": "http://example.org/e", "valueUri": text}),
    LOCAL.map(lambda text: {"url": "http://example.org/e", "valueCanonical": text}),
    LOCAL.map(lambda text: {"url": "http://example.org/e", "valueUrl": text}),
    LOCAL.map(lambda text: {"url": "http://example.org/e", "valueString": text}),
    LOCAL.map(lambda text: {"url": "http://example.org/e", "valueReference": {"reference": text}}),
    LOCAL.map(lambda text: {"url": "http://example.org/e", "valueReference": {"display": text}}),
    LOCAL.map(lambda text: {"url": "http://example.org/e", "extension": [{"url": "x", "valueUri": text}]}),
)
INNER = st.fixed_dictionaries(
    {"resourceType": st.just("Patient"), "id": st.sampled_from(["a", "b"])},
    optional={
        "extension": st.lists(EXTENSION, min_size=1, max_size=2),
        "_gender": EXTENSION.map(lambda e: {"extension": [e]}),
    },
)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {"resourceType": st.just("Patient"), "contained": st.lists(INNER, min_size=1, max_size=2)},
        optional={
            "extension": st.lists(EXTENSION, min_size=1, max_size=2),
            "generalPractitioner": st.lists(LOCAL.map(lambda text: {"reference": text}), min_size=1),
            "implicitRules": LOCAL,
        },
    )
)
def test_the_native_dom_3_agrees_with_the_expression(resource: dict[str, Any]) -> None:
    result = fhirpath.compile(load().invariants["dom-3"].expression).evaluate(resource)
    native = [f for f in check_contained(resource, load()) if f.text.startswith("dom-3")]
    assert [item.value for item in result] == [not native]


@settings(max_examples=200, deadline=None)
@given(LOCAL, st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True))
def test_the_native_ref_1_agrees_with_the_expression(reference: str, ids: list[str]) -> None:
    resource = observation(subject={"reference": reference})
    if ids:
        resource["contained"] = [patient(id=name) for name in ids]
    node = fhirpath.Node(resource["subject"], "Reference")
    context = fhirpath.Context(resource=resource, root_resource=resource)
    result = fhirpath.compile(load().invariants["ref-1"].expression).evaluate(node, context)
    native = not [text for _, text in errors(resource) if text.startswith("ref-1")]
    # `#` is the container itself, which R4's expression forgets and its text (and R4B) allow.
    assert native == (reference == "#" or result[0].value)

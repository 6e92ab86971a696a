"""References: forms, targets, contained resources and the entries of a Bundle.

https://hl7.org/fhir/R4/references.html
"""

from typing import Any

import pytest

from profiles.registry import load
from profiles.validate import iter_issues
from tests.profiles.rules.asking import errors, observation, patient, says

UUID = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"


def subject(reference: Any, **more: Any) -> dict[str, Any]:
    return observation(subject={"reference": reference, **more})


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/" + "a" * 64,
        "Patient/1/_history/2",
        "http://example.org/fhir/Patient/1",
        "https://example.org/fhir/Patient/1/_history/2",
        "https://example.org/whatever?x=1",
        UUID,
        "urn:oid:1.2.3",
        "Group/1",
    ],
)
def test_a_reference_may_be_relative_absolute_or_a_urn(reference: str) -> None:
    assert errors(subject(reference)) == []


@pytest.mark.parametrize(
    "reference, words",
    [
        ("1", "none of Type/id"),
        ("Patient", "none of Type/id"),
        ("/Patient/1", "no resource type"),
        ("Client/1", "`Client` is no resource type"),
        ("patient/1", "`patient` is no resource type"),
        ("Patient/", "`` is no valid id"),
        ("Patient/a_b", "`a_b` is no valid id"),
        ("Patient/" + "a" * 65, "is no valid id"),
        ("Patient/1/_history/", "is no valid id"),
        ("Patient/1/2", "is no valid id"),
        ("Patient/../1", "is no valid id"),
        ("Patient?identifier=1", "none of Type/id"),
    ],
)
def test_a_reference_of_another_form_is_an_error(reference: str, words: str) -> None:
    assert says(subject(reference), "Observation.subject.reference", words)


@pytest.mark.parametrize("reference", ["urn:uuid:1", UUID.upper().replace("URN:UUID", "urn:uuid"), "urn:oid:x"])
def test_a_malformed_urn_is_a_warning(reference: str) -> None:
    issues = [i for i in iter_issues(subject(reference), load()) if "should follow" in i.diagnostics]
    assert [(i.severity, i.expression) for i in issues] == [("warning", "Observation.subject.reference")]


@pytest.mark.parametrize("reference", ["Medication/1", "http://example.org/Medication/1", "Medication/1/_history/2"])
def test_a_reference_to_a_type_that_the_element_does_not_allow_is_an_error(reference: str) -> None:
    assert says(
        subject(reference), "Observation.subject.reference", "to a `Medication`", "Device, Group, Location, Patient"
    )


def test_a_reference_to_any_type_takes_any_type() -> None:
    assert errors(observation(focus=[{"reference": "Medication/1"}])) == []


def test_the_type_that_a_reference_says_agrees_with_what_it_points_to() -> None:
    assert says(subject("Patient/1", type="Group"), "Observation.subject.type", "`Group`", "`Patient`")
    assert errors(subject("Patient/1", type="Patient")) == []


def test_a_logical_reference_needs_no_literal_one() -> None:
    assert errors(observation(subject={"identifier": {"system": "http://example.org", "value": "1"}})) == []


# -- contained


def test_a_local_reference_finds_its_contained_resource() -> None:
    contained = [patient(id="p")]
    assert errors(observation(contained=contained, subject={"reference": "#p"})) == []


def test_a_local_reference_to_nothing_is_an_error() -> None:
    assert says(subject("#p"), "Observation.subject.reference", "ref-1", "`p`")


def test_a_local_reference_to_a_type_that_is_not_allowed_is_an_error() -> None:
    contained = [{"resourceType": "Medication", "id": "m"}]
    wrong = observation(contained=contained, subject={"reference": "#m"})
    assert says(wrong, "Observation.subject.reference", "to a `Medication`")


def test_a_contained_resource_may_refer_to_its_container() -> None:
    provenance = {
        "resourceType": "Provenance",
        "target": [{"reference": "#"}],
        "recorded": "2020-01-02T03:04:05Z",
        "agent": [{"who": {"reference": "Practitioner/1"}}],
    }
    assert errors(patient(contained=[provenance])) == []


def test_contained_resources_may_refer_to_each_other() -> None:
    contained = [
        patient(id="p", managingOrganization={"reference": "#o"}),
        {"resourceType": "Organization", "id": "o", "name": "a"},
    ]
    assert errors(observation(contained=contained, subject={"reference": "#p"})) == []


# -- bundles


def bundle(*entries: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_reference_to_an_entry_of_a_type_that_is_not_allowed_is_an_error() -> None:
    wrong = bundle(
        {"resource": subject(UUID)},
        {"fullUrl": UUID, "resource": {"resourceType": "Medication"}},
    )
    assert says(wrong, "Bundle.entry[0].resource.subject.reference", "to a `Medication`")


def test_a_relative_reference_is_told_by_the_root_of_its_entry() -> None:
    there = {"fullUrl": "http://example.org/fhir/Patient/1", "resource": {"resourceType": "Group", "id": "1"}}
    here = {"fullUrl": "http://example.org/fhir/Observation/1", "resource": {**subject("Patient/1"), "id": "1"}}
    found = errors(bundle(here, there))
    assert "Bundle.entry[0].resource.subject.reference" in [location for location, _ in found], found


def test_a_reference_by_uuid_to_an_entry_of_another_type_is_an_error() -> None:
    wrong = bundle(
        {"fullUrl": UUID[:-1] + "1", "resource": subject("Patient/" + UUID[9:])},
        {"fullUrl": UUID, "resource": {"resourceType": "Group", "type": "person", "actual": True}},
    )
    assert says(wrong, "Bundle.entry[0].resource.subject.reference", "to a `Patient`", "is a `Group`")


def test_a_reference_by_uuid_to_an_entry_of_its_type_is_fine() -> None:
    right = bundle(
        {"fullUrl": UUID[:-1] + "1", "resource": subject("Patient/" + UUID[9:])},
        {"fullUrl": UUID, "resource": patient()},
    )
    assert errors(right) == []


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_conditional_reference_is_for_transactions(kind: str) -> None:
    request = {"method": "POST", "url": "Observation"}
    entry = {"resource": subject("Patient?identifier=1"), "request": request}
    assert errors(bundle(entry, kind=kind)) == []
    assert errors(bundle({**entry, "resource": subject("Client?identifier=1")}, kind=kind))


def test_a_reference_out_of_the_bundle_is_no_error() -> None:
    assert errors(bundle({"fullUrl": UUID, "resource": subject("Patient/1")})) == []
    assert errors(bundle({"fullUrl": UUID, "resource": subject(UUID[:-1] + "1")})) == []

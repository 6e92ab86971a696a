"""Places in a resource, as FHIRPath Patch needs them (https://hl7.org/fhir/R4/fhirpatch.html)."""

from typing import Any

import pytest

from profiles.fhirpath import FhirPathError, compile


def patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "birthDate": "1980-01-01",
        "_birthDate": {"extension": [{"url": "http://example.org/x", "valueString": "v"}]},
        "name": [{"given": ["A", "B"]}, {"given": ["C"], "use": "usual"}],
        "contained": [{"resourceType": "Organization", "id": "o", "name": "n"}],
        "managingOrganization": {"reference": "#o"},
    }


def test_a_location_names_the_container_the_key_and_the_index() -> None:
    resource = patient()
    [place] = compile("Patient.name.given.where($this = 'B')").locate(resource)
    assert place.container is resource["name"][0]
    assert (place.key, place.index, place.path) == ("given", 1, "Patient.name[0].given[1]")


def test_an_edit_of_the_container_is_an_edit_of_the_resource() -> None:
    resource = patient()
    [place] = compile("Patient.name.where(use = 'usual').use").locate(resource)
    assert place.container is not None
    assert place.index is None
    place.container[place.key] = "official"
    assert resource["name"][1]["use"] == "official"


def test_a_location_inside_the_twin_of_a_primitive_has_the_twin_as_container() -> None:
    resource = patient()
    [place] = compile("Patient.birthDate.extension[0].value").locate(resource)
    assert place.container is resource["_birthDate"]["extension"][0]
    assert (place.key, place.path) == ("valueString", "Patient.birthDate.extension[0].valueString")


def test_the_resource_itself_has_no_container() -> None:
    [place] = compile("Patient").locate(patient())
    assert (place.container, place.path) == (None, "Patient")


def test_a_resolved_contained_resource_has_its_place_in_the_container() -> None:
    [place] = compile("Patient.managingOrganization.resolve().name").locate(patient())
    assert place.path == "Patient.contained[0].name"


@pytest.mark.parametrize(
    "expression", ["1", "name.count()", "name.type()", "'Patient/2'.resolve()", "name.given & 'x'"]
)
def test_what_is_no_place_in_the_resource_is_refused(expression: str) -> None:
    with pytest.raises(FhirPathError):
        compile(expression).locate(patient())

"""Differentials: paths that exist, type profiles that constrain their type.

https://hl7.org/fhir/R4/profiling.html
"""

from typing import Any

import pytest

from profiles.registry import load
from profiles.rules.structure_definition import has_path
from tests.profiles.rules.asking import errors, says


def profile(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/a",
        "name": "A",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {"element": [{"id": element["path"], **element} for element in elements]},
        **more,
    }


@pytest.mark.parametrize(
    "path",
    [
        "Observation",
        "Observation.status",
        "Observation.value[x]",
        "Observation.valueQuantity",
        "Observation.valueQuantity.code",
        "Observation.value[x].code",
        "Observation.component.value[x]",
        "Observation.component.referenceRange.low.value",
        "Observation.status.extension",
        "Questionnaire.item.item.linkId",
        "Bundle.entry.resource.anything",
        "Extension.value[x]",
        "Elsewhere.what.ever",
    ],
)
def test_a_path_of_the_base_specification_exists(path: str) -> None:
    assert has_path(path, load())


@pytest.mark.parametrize(
    "path",
    [
        "Observation.colour",
        "Observation.valueBla",
        "Observation.value",
        "Observation.valueAddress",
        "Observation.status.colour",
        "Observation.component.component",
        "Patient.name.given.nick",
    ],
)
def test_a_path_that_no_type_has_is_found_out(path: str) -> None:
    assert not has_path(path, load())
    element = {"path": "Observation.colour"}
    assert says(profile(element), "StructureDefinition.differential.element[0].path", "no element `Observation.colour`")


def test_a_logical_model_has_the_paths_it_likes() -> None:
    logical = profile({"path": "Observation.colour"}, kind="logical", derivation="specialization")
    assert errors(logical) == []
    assert errors({**logical, "derivation": "constraint"}) == []


def test_a_new_type_has_the_paths_it_likes() -> None:
    assert errors(profile({"path": "Observation.colour"}, derivation="specialization")) == []


def typed(code: str, name: str) -> dict[str, Any]:
    core = f"http://hl7.org/fhir/StructureDefinition/{name}"
    return profile({"path": "Observation.value[x]", "type": [{"code": code, "profile": [core]}]})


def test_the_profile_of_a_type_constrains_that_type() -> None:
    place = "StructureDefinition.differential.element[0].type[0].profile[0]"
    assert says(typed("Quantity", "Count"), place, "defines `Count`", "`Quantity`")


@pytest.mark.parametrize(
    "code, name", [("Quantity", "Quantity"), ("Resource", "Observation"), ("Quantity", "elsewhere")]
)
def test_a_profile_of_the_type_or_of_a_kind_of_it_or_unknown_is_fine(code: str, name: str) -> None:
    assert errors(typed(code, name)) == []


def test_what_is_no_profile_and_no_code_is_left_to_the_rules_of_structure() -> None:
    broken = profile(
        {
            "path": "Observation.value[x]",
            "type": [{"profile": ["http://example.org", 1]}, {"code": 1, "profile": ["a:b"]}],
        }
    )
    assert {location.rpartition("[")[0] for location, _ in errors(broken)} == {
        "StructureDefinition.differential.element[0].type",
        "StructureDefinition.differential.element[0].type[0].profile",
    }

"""JSON Patch (RFC 6902) and FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html)."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from fhir_server.interactions.patching.fhirpath_patch import apply_fhirpath_patch
from fhir_server.interactions.patching.json_patch import apply_json_patch
from fhir_server.outcome import FhirError
from profiles import registry

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"given": ["a", "b"], "_given": [None, {"id": "g"}], "family": "x"}, {"family": "y"}],
    "birthDate": "1990-01-01",
    "deceasedBoolean": False,
}
TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "restriction": {"repetitions": Decimal("1.0")}}


def operation(**parts: Any) -> dict[str, Any]:
    return {"name": "operation", "part": [{"name": name, **value} for name, value in parts.items()]}


def patched(resource: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    before = copy.deepcopy(resource)
    after = apply_fhirpath_patch(
        resource, {"resourceType": "Parameters", "parameter": list(operations)}, registry.load()
    )
    assert resource == before, "a patch never changes the resource it is given"
    return after


def text(value: str) -> dict[str, str]:
    return {"valueString": value}


def test_json_patch_changes_a_copy() -> None:
    after = apply_json_patch(TASK, [{"op": "replace", "path": "/status", "value": "accepted"}])
    assert (after["status"], TASK["status"]) == ("accepted", "requested")
    assert after["restriction"]["repetitions"] is not None


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({"op": "add"}, 400),
        ([1], 400),
        ([{"op": "add"}], 400),
        ([{"op": "colour", "path": "/x"}], 400),
        ([{"op": "add", "path": 5, "value": 1}], 400),
        ([{"op": "copy", "from": 3, "path": "/x"}], 400),
        ([{"op": "add", "path": "/x"}], 400),
        ([{"op": "remove", "path": "/nothing"}], 422),
        ([{"op": "test", "path": "/status", "value": "accepted"}], 422),
        ([{"op": "add", "path": "/status/x", "value": 1}], 422),
        ([{"op": "add", "path": "status", "value": 1}], 422),
        ([{"op": "move", "from": "/restriction", "path": "/restriction/x"}], 422),
        ([{"op": "replace", "path": "", "value": 1}], 422),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(patch: Any, status: int) -> None:
    with pytest.raises(FhirError) as refusal:
        apply_json_patch(TASK, patch)
    assert refusal.value.category.status == status
    assert "requested" not in refusal.value.diagnostics, "an error never shows a value of the resource"


def test_add_appends_to_a_list_and_sets_what_was_not_there() -> None:
    after = patched(
        PATIENT,
        operation(
            type={"valueCode": "add"}, path=text("Patient"), name=text("telecom"), value={"valueContactPoint": {}}
        ),
        operation(type={"valueCode": "add"}, path=text("Patient.name[1]"), name=text("given"), value=text("c")),
        operation(type={"valueCode": "add"}, path=text("Patient"), name=text("gender"), value={"valueCode": "male"}),
    )
    assert after["telecom"] == [{}]
    assert after["name"][1] == {"family": "y", "given": ["c"]}
    assert after["gender"] == "male"


def test_add_builds_a_backbone_element_of_its_parts() -> None:
    value = {"part": [{"name": "name", "valueHumanName": {"text": "q"}}, {"name": "gender", "valueCode": "male"}]}
    after = patched(
        PATIENT, operation(type={"valueCode": "add"}, path=text("Patient"), name=text("contact"), value=value)
    )
    assert after["contact"] == [{"name": {"text": "q"}, "gender": "male"}]


def test_add_names_a_choice_by_the_type_of_its_value() -> None:
    after = patched(
        {"resourceType": "Observation"},
        operation(
            type={"valueCode": "add"},
            path=text("Observation"),
            name=text("value"),
            value={"valueQuantity": {"value": 1}},
        ),
    )
    assert after["valueQuantity"] == {"value": 1}


def test_add_does_not_replace() -> None:
    for name in ("birthDate", "deceased"):
        value = {"valueDate": "1991-01-01"} if name == "birthDate" else {"valueDateTime": "2020"}
        with pytest.raises(FhirError, match="is there already"):
            patched(PATIENT, operation(type={"valueCode": "add"}, path=text("Patient"), name=text(name), value=value))


def test_insert_keeps_values_and_their_twins_aligned() -> None:
    after = patched(
        PATIENT,
        operation(
            type={"valueCode": "insert"}, path=text("Patient.name[0].given"), index={"valueInteger": 1}, value=text("c")
        ),
    )
    assert after["name"][0]["given"] == ["a", "c", "b"]
    assert after["name"][0]["_given"] == [None, None, {"id": "g"}]


def test_delete_takes_the_twin_along_and_nothing_there_is_no_error() -> None:
    after = patched(
        PATIENT,
        operation(type={"valueCode": "delete"}, path=text("Patient.name[0].given[1]")),
        operation(type={"valueCode": "delete"}, path=text("Patient.photo")),
        operation(type={"valueCode": "delete"}, path=text("Patient.birthDate")),
    )
    assert after["name"][0] == {"given": ["a"], "family": "x"}
    assert "birthDate" not in after


def test_replace_of_a_choice_may_change_its_type() -> None:
    after = patched(
        PATIENT,
        operation(type={"valueCode": "replace"}, path=text("Patient.deceased"), value={"valueDateTime": "2024-05-01"}),
    )
    assert after["deceasedDateTime"] == "2024-05-01"
    assert "deceasedBoolean" not in after


def test_move_takes_the_twin_along() -> None:
    after = patched(
        PATIENT,
        operation(
            type={"valueCode": "move"},
            path=text("Patient.name[0].given"),
            source={"valueInteger": 1},
            destination={"valueInteger": 0},
        ),
    )
    assert after["name"][0]["given"] == ["b", "a"]
    assert after["name"][0]["_given"] == [{"id": "g"}, None]


@pytest.mark.parametrize(
    ("parts", "status", "rule"),
    [
        ({"type": {"valueCode": "colour"}}, 400, "not add, insert"),
        ({}, 400, "`type` is missing"),
        ({"type": {"valueCode": "delete"}}, 400, "`path` is missing"),
        ({"type": {"valueCode": "delete"}, "path": text("Patient.name[")}, 400, "not a FHIRPath expression"),
        ({"type": {"valueCode": "delete"}, "path": text("Patient.name")}, 422, "more than one"),
        ({"type": {"valueCode": "delete"}, "path": text("Patient")}, 422, "as a whole"),
        ({"type": {"valueCode": "delete"}, "path": text("1 + 1")}, 422, "selects no place"),
        ({"type": {"valueCode": "replace"}, "path": text("Patient.photo"), "value": text("x")}, 422, "nothing"),
        ({"type": {"valueCode": "replace"}, "path": text("Patient.birthDate")}, 400, "`value` is missing"),
        (
            {"type": {"valueCode": "insert"}, "path": text("Patient.name"), "index": {"valueInteger": 9}, "value": {}},
            422,
            "index 9",
        ),
        (
            {"type": {"valueCode": "add"}, "path": text("Patient"), "name": text("colour"), "value": text("red")},
            422,
            "no element `colour`",
        ),
        ({"type": {"valueCode": "delete"}, "colour": {}}, 400, "`colour` is unknown"),
    ],
)
def test_a_fhirpath_patch_that_does_not_fit_is_refused_and_named(parts: dict[str, Any], status: int, rule: str) -> None:
    with pytest.raises(FhirError) as refusal:
        patched(PATIENT, operation(**parts))
    assert refusal.value.category.status == status
    assert rule in refusal.value.diagnostics
    assert "Parameters.parameter[0]" in refusal.value.expression[0]


@pytest.mark.parametrize(
    "parameters",
    [
        {"name": "operation"},
        ["operation"],
        [{"part": []}],
        [{"name": {}}],
        [{"name": "operation", "part": "type"}],
        [{"name": "operation", "part": ["type"]}],
        [{"name": "operation", "part": [{"name": {}, "valueCode": "add"}]}],
    ],
)
def test_what_is_no_parameters_resource_is_refused(parameters: Any) -> None:
    with pytest.raises(FhirError) as refused:
        apply_fhirpath_patch(PATIENT, {"resourceType": "Parameters", "parameter": parameters}, registry.load())
    assert refused.value.category.status == 400

"""The 30 official validator samples: error or no error, as their manifest says.

https://github.com/FHIR/fhir-test-cases, read from the shared test data. Some of the reference validator's errors come
from looking up profiles, libraries or terminologies; each sample with errors also breaks a rule of the base
specification itself, and that rule is what is asked for here, by location.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_server.outcome import FhirError
from fhir_server.representation import xml
from profiles.registry import load
from profiles.validate import Issue, iter_issues, validate_bytes

# Sample → where its error is, and words of the rule. All the others have none.
ERRORS = {
    "obs-mz": ("StructureDefinition.differential.element[0].path", "there is no element `Observation.valueBla`"),
    "bundle-dual-target": ("Bundle.entry[0].resource", "`status` is missing"),
    "ai4": ("Patient.birthDate", "is not an existing date"),
    "bad-json-close-3": ("", "malformed json"),
    "list-xhtml-empty": ("List.text.div", "txt-2"),
    "observation-bad-profile": ("StructureDefinition.differential.element[0].type[0].profile[0]", "defines `Count`"),
    "bundle-duplicate-id": ("Bundle.entry[0].fullUrl", "must be an absolute url"),
    "Observation-ex-pain.json": ("Observation.value", "element `value` is unknown"),
    "ai7": ("StructureDefinition", "`abstract` is missing"),
    "profile-default-value": ("StructureDefinition", "sdf-21"),
    "bundle-validation-location-1.xml": ("Bundle.entry[0].resource.gender", "value set"),
    "Observation-ex-pain.xml": ("Observation.status", "`something`"),
    "resource-invalid-id-3": ("Location.contained[0].id", "is not 1 to 64"),
    "mr-m-simple-nossystem": ("Measure.library[0]", "an absolute uri"),
    "patient-extension-bad3": ("Patient.extension[0]", "`url` is missing"),
    "bad-bundle-reference-type-4": (
        "Bundle.entry[0].resource.generalPractitioner[0].reference",
        "the entry of this bundle that it names is a `Organization`",
    ),
    "relative_reference_to_fullUrl.id_in_Composition": ("Bundle.entry[1].fullUrl", "the resource needs the id"),
    "empty-array": ("DocumentReference.category[0].coding", "must not be empty"),
}


def issues_of(file: Path) -> list[Issue]:
    """All errors of a sample; XML that has no reading as a resource is one."""
    if file.suffix == ".json":
        issues = validate_bytes(file.read_bytes(), load())
    else:
        try:
            issues = list(iter_issues(xml.parse(file.read_bytes()), load()))
        except FhirError as error:
            issues = [Issue("error", "structure", i.diagnostics, "".join(i.expression[:1])) for i in error.issues]
    return [issue for issue in issues if issue.severity == "error"]


@pytest.fixture(scope="module")
def manifest(shared_data: Path) -> list[dict[str, Any]]:
    return json.loads((shared_data / "validator-samples" / "manifest.json").read_text())


def test_error_or_no_error_agrees_in_every_sample(shared_data: Path, manifest: list[dict[str, Any]]) -> None:
    found = {row["name"]: bool(issues_of(shared_data / "validator-samples" / row["file"])) for row in manifest}
    assert len(found) == 30
    assert found == {row["name"]: row["errors"] > 0 for row in manifest}


@pytest.mark.parametrize("name", ERRORS)
def test_the_rule_that_a_sample_breaks_is_named_where_it_is_broken(
    shared_data: Path, manifest: list[dict[str, Any]], name: str
) -> None:
    row = next(row for row in manifest if row["name"] == name)
    issues = issues_of(shared_data / "validator-samples" / row["file"])
    expression, words = ERRORS[name]
    assert [i for i in issues if i.expression == expression and words in i.diagnostics], issues


def test_the_table_lists_exactly_the_samples_with_errors(manifest: list[dict[str, Any]]) -> None:
    assert set(ERRORS) == {row["name"] for row in manifest if row["errors"]}

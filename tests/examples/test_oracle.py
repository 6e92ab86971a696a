"""A second opinion: every example of a type that R4 and R4B share parses in the typed models of fhir.resources.

The package `fhir.resources` of PyPI.
"""

from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.examples.conftest import Resource


def test_every_example_parses_in_the_typed_models(wijk_files: dict[Path, list[Resource]]) -> None:
    refused = []
    for path, items in wijk_files.items():
        for item in items:
            try:
                get_fhir_model_class(item["resourceType"]).model_validate(item)
            except ValueError as error:
                refused.append(f"{path.name}: {item['resourceType']}/{item['id']}: {error}")
    assert refused == []


def test_the_oracle_notices_a_missing_element(wijk: dict[str, Resource]) -> None:
    broken = {**wijk["Task/bewoner-01-taak-boodschappen"]}
    del broken["status"]
    with pytest.raises(ValueError, match="status"):
        get_fhir_model_class("Task").model_validate(broken)

"""The table of search parameters, what CapabilityStatement says of it, and how it grows."""

from collections.abc import Mapping
from typing import Any

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.index import Indexer
from fhir_server.search.parameters import KINDS, SearchParameters
from fhir_server.search.rows import StringRow
from profiles.registry import Registry
from tests.fhir_server.search.conftest import AMSTERDAM

ROOM = {
    "resourceType": "SearchParameter",
    "url": "https://wijk.example/fhir/SearchParameter/patient-preferred-room",
    "code": "preferred-room",
    "type": "string",
    "base": ["Patient"],
    "expression": "Patient.extension('https://wijk.example/room').value",
}


def test_every_parameter_of_r4_but_named_queries_is_there(parameters: SearchParameters, registry: Registry) -> None:
    missing = {
        f"{name}.{code}"
        for name in registry.resource_types
        for code in registry.search_parameters(name)
        if code not in parameters.of(name) and code != "_query"
    }
    assert missing == set()


def test_a_description_has_each_name_once_with_its_type_and_definition(
    parameters: SearchParameters, registry: Registry
) -> None:
    for name in registry.resource_types:
        rows = parameters.describe(name)
        assert [row.name for row in rows] == sorted({row.name for row in rows})
        assert all(row.type in KINDS and row.definition.startswith("http") for row in rows)
    assert {"_id", "_lastUpdated", "_has", "_list", "_filter", "_text"} <= {
        row.name for row in parameters.describe("Patient")
    }


def test_only_parameters_of_every_resource_are_common(parameters: SearchParameters) -> None:
    assert set(parameters.of_all()) == {
        "_content",
        "_filter",
        "_id",
        "_lastUpdated",
        "_profile",
        "_security",
        "_source",
        "_tag",
        "_text",
    }


def test_patient_leads_to_patients_and_item_to_anything(parameters: SearchParameters, registry: Registry) -> None:
    assert parameters.of("Observation")["patient"].targets == ("Patient",)
    assert parameters.of("List")["item"].targets == registry.resource_types


def test_an_added_parameter_is_indexed_and_searched(registry: Registry) -> None:
    added = SearchParameters(registry, [ROOM])
    patient = {
        "resourceType": "Patient",
        "extension": [{"url": "https://wijk.example/room", "valueString": "De Kamer"}],
    }
    rows = Indexer(added, AMSTERDAM, ()).extract(patient)
    assert rows.strings == [StringRow("preferred-room", "de kamer", "De Kamer")]
    assert "preferred-room" not in added.of("Practitioner")
    assert any(row.name == "preferred-room" for row in added.describe("Patient"))


def test_an_added_parameter_may_need_the_whole_of_fhirpath(registry: Registry) -> None:
    counted = ROOM | {"code": "names", "type": "number", "expression": "Patient.name.count()"}
    failing = ROOM | {"code": "oops", "expression": "Patient.name.single().family"}
    indexer = Indexer(SearchParameters(registry, [counted, failing]), AMSTERDAM, ())
    rows = indexer.extract({"resourceType": "Patient", "name": [{"family": "a"}, {"family": "b"}]})
    assert [(row.param, row.low) for row in rows.numbers] == [("names", 2.0)]
    assert not [row for row in rows.strings if row.param == "oops"]


@pytest.mark.parametrize(
    "change, element",
    [
        ({"expression": "Patient.name.where("}, "expression"),
        ({"expression": ""}, "expression"),
        ({"code": "a:b"}, "code"),
        ({"code": "_count"}, "code"),
        ({"type": "special"}, "type"),
        ({"type": "onzin"}, "type"),
        ({"base": ["Onzin"]}, "base"),
        ({"base": []}, "base"),
    ],
)
def test_an_added_parameter_that_cannot_be_used_is_refused(
    registry: Registry, change: Mapping[str, Any], element: str
) -> None:
    with pytest.raises(FhirError) as caught:
        SearchParameters(registry, [ROOM | change])
    assert caught.value.expression == (f"SearchParameter.{element}",)

"""Entries of a Bundle: fullUrl, nested resources, and the invariants that span entries.

https://hl7.org/fhir/R4/bundle.html
"""

from typing import Any

import pytest

from tests.profiles.rules.asking import errors, patient, says

UUID = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"


def bundle(*entries: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_resource_in_an_entry_obeys_the_rules_of_its_type() -> None:
    wrong = bundle({"fullUrl": UUID, "resource": patient(name=[{"given": ["a", 1]}])})
    assert says(wrong, "Bundle.entry[0].resource.name[0].given[1]", "text that is not empty")


def test_a_full_url_is_absolute() -> None:
    assert says(bundle({"fullUrl": "Patient/1", "resource": patient(id="1")}), "Bundle.entry[0].fullUrl", "absolute")


@pytest.mark.parametrize("identity", ["2", "a"])
def test_a_full_url_ends_in_the_id_of_the_resource(identity: str) -> None:
    wrong = bundle({"fullUrl": "http://example.org/Patient/1", "resource": patient(id=identity)})
    assert says(wrong, "Bundle.entry[0].fullUrl", "disagrees with the id")


def test_a_full_url_names_the_type_of_the_resource() -> None:
    wrong = bundle({"fullUrl": "http://example.org/Group/1", "resource": patient(id="1")})
    assert says(wrong, "Bundle.entry[0].fullUrl", "disagrees with the type `Patient`")


def test_a_resource_with_a_full_url_that_is_no_urn_has_an_id() -> None:
    wrong = {"fullUrl": "http://example.org/Patient/1", "resource": patient()}
    assert says(bundle(wrong), "Bundle.entry[0].fullUrl", "needs the id")
    request = {"method": "POST", "url": "Patient"}
    assert errors(bundle({**wrong, "request": request}, kind="transaction")) == []


def test_entries_have_full_urls_of_their_own() -> None:
    entry = {"fullUrl": UUID, "resource": patient()}
    assert says(bundle(entry, entry), "Bundle", "bdl-7")
    versions = [{"fullUrl": UUID, "resource": patient(meta={"versionId": v})} for v in "12"]
    assert errors(bundle(*versions)) == []


def test_a_full_url_names_no_version() -> None:
    entry = {"fullUrl": "http://example.org/Patient/1/_history/2", "resource": patient(id="1")}
    assert says(bundle(entry), "Bundle.entry[0]", "bdl-8")


def test_an_entry_without_a_full_url_names_no_version_either() -> None:
    request = {"method": "GET", "url": "Patient/1"}
    assert errors(bundle({"request": request}, kind="batch")) == []


def test_entries_of_a_transaction_have_a_request() -> None:
    assert says(bundle({"resource": patient()}, kind="transaction"), "Bundle", "bdl-3")


def test_a_document_begins_with_a_composition() -> None:
    document = {
        **bundle({"fullUrl": UUID, "resource": patient()}, kind="document"),
        "identifier": {"system": "http://example.org", "value": "1"},
        "timestamp": "2020-01-02T03:04:05Z",
    }
    assert says(document, "Bundle", "bdl-11")


def test_a_bundle_in_a_bundle_has_entries_of_its_own() -> None:
    inner = bundle({"fullUrl": UUID, "resource": patient(gender="m")})
    assert says(bundle({"resource": inner}), "Bundle.entry[0].resource.entry[0].resource.gender", "value set")


def test_a_resource_in_parameters_obeys_the_rules_of_its_type() -> None:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": patient(gender="m")}]}
    assert says(parameters, "Parameters.parameter[0].resource.gender", "value set")


def test_a_parameter_has_a_value_a_resource_or_parts() -> None:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "a"}]}
    assert says(parameters, "Parameters.parameter[0]", "inv-1")

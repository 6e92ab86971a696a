"""A search parameter that a deployment adds: unknown before `reindex`, exact after it, and no way into a dossier."""

from pathlib import Path

import pytest

from examples import bundle_paths
from tests.live import command, live, load

PARAMETER = {
    "resourceType": "SearchParameter",
    "id": "marital",
    "url": "https://wijkdossier.nl/fhir/SearchParameter/marital",
    "name": "marital",
    "status": "active",
    "description": "the marital status of a resident",
    "code": "marital",
    "base": ["Patient"],
    "type": "token",
    "expression": "Patient.maritalStatus",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    load(folder, [path for path in bundle_paths() if "bewoner" in path.name or "kaart" in path.name])
    return folder


def test_an_added_parameter_finds_what_was_stored_before_it(data: Path) -> None:
    with live(data, "--base-policy", "permit") as server, server.client() as client:
        assert client.get("/Patient?marital=W").status_code == 400
        assert client.post("/SearchParameter", json=PARAMETER).status_code == 201
        residents = [entry["resource"] for entry in client.get("/Patient?_count=100").json()["entry"]]
        assert client.get("/Patient?marital=W").status_code == 400, "not before everything is filed by it"
    widowed = {
        resident["id"]
        for resident in residents
        if any(coding["code"] == "W" for coding in resident.get("maritalStatus", {}).get("coding", []))
    }
    assert widowed
    assert "1 search parameters in force" in command("reindex", "--data", str(data))
    with live(data, "--base-policy", "permit") as server, server.client() as client:
        page = client.get("/Patient?marital=W&_total=accurate").json()
        assert page["total"] == len(widowed)
        assert {entry["resource"]["id"] for entry in page["entry"]} == widowed
        stated = client.get("/metadata").json()["rest"][0]["resource"]
        patient = next(resource for resource in stated if resource["type"] == "Patient")
        assert "marital" in {parameter["name"] for parameter in patient["searchParam"]}


def test_no_added_parameter_takes_the_place_of_one_that_says_whose_a_resource_is(data: Path) -> None:
    hijack = {**PARAMETER, "code": "patient", "base": ["Observation"], "type": "reference"}
    hijack |= {"expression": "Observation.performer", "url": "https://wijkdossier.nl/fhir/SearchParameter/hijack"}
    with live(data, "--base-policy", "permit") as server, server.client() as client:
        assert client.post("/SearchParameter", json=hijack).status_code == 201
    command("reindex", "--data", str(data), status=2)
    with live(data) as server, server.client("Patient/bewoner-01", "patient/*.rs") as client:
        found = client.get("/Observation?_total=accurate").json()
        assert found["total"] > 0

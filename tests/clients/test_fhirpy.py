"""fhirpy as it comes from PyPI: read, search, pages, write, validate.

The package `fhirpy` of PyPI.
"""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, MultipleResourcesFound, OperationOutcome, ResourceNotFound

from tests.clients.people import let_in, register
from tests.live import Live

WEIGHT = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}


@pytest.fixture
def client(server: Live, bearer: str) -> Any:
    return SyncFHIRClient(server.url, authorization=bearer)


def test_the_social_map_is_searched_without_a_token(server: Live) -> None:
    anonymous = SyncFHIRClient(server.url)
    names = [service.name for service in anonymous.resources("HealthcareService").search(name="inloop").fetch()]
    assert "Inloop De Huiskamer" in names
    with pytest.raises(AuthorizationError):
        anonymous.reference("Patient", "bewoner-01").to_resource()


def test_pages_are_followed_to_the_end(client: Any) -> None:
    services = client.resources("HealthcareService")
    found = [service.id for service in services.limit(7).fetch_all()]
    assert len(found) == len(set(found)) == len(services.limit(500).fetch()) > 70


def test_asynchronous_pages_are_followed_to_the_end(server: Live, bearer: str) -> None:
    async def collect() -> list[str]:
        client = AsyncFHIRClient(server.url, authorization=bearer)
        return [service.id async for service in client.resources("HealthcareService").limit(7)]

    found = asyncio.run(collect())
    assert len(found) == len(set(found)) > 70


def test_a_search_can_sort_choose_elements_and_include(client: Any) -> None:
    services = client.resources("HealthcareService").search(name="inloop").sort("-_id").elements("name", "location")
    found = services.fetch()
    ids = [service.id for service in found]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) > 1
    assert all("name" in service and "telecom" not in service for service in found)
    bundle = (
        client.resources("HealthcareService").search(name="inloop").include("HealthcareService", "location").fetch_raw()
    )
    assert {entry.resource.resource_type for entry in bundle.entry} == {"HealthcareService", "Location"}


def test_chained_and_reverse_chained_search(client: Any) -> None:
    chained = client.resources("Observation").search(patient__Patient__family="Huijnen", code="29463-7")
    assert {one["subject"]["reference"] for one in chained.fetch()} == {"Patient/bewoner-01"}
    reverse = client.resources("Patient").has("Observation", "patient", code="29463-7")
    assert "bewoner-01" in {one.id for one in reverse.fetch()}


def test_a_resource_lives_from_create_to_delete(client: Any) -> None:
    weight = client.resource("Observation", status="preliminary", code=WEIGHT)
    weight["subject"] = client.reference("Patient", "bewoner-01")
    weight["valueQuantity"] = {"value": 71.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    weight.save()
    assert weight["meta"]["versionId"] == "1"

    weight["status"] = "final"
    weight.save()
    assert weight["meta"]["versionId"] == "2"

    again = client.reference("Observation", weight.id).to_resource()
    assert again.serialize() == weight.serialize()
    again.refresh()  # sends the version it has as If-None-Match
    assert again.serialize() == weight.serialize()

    assert client.reference(reference=again["subject"]["reference"]).to_resource()["id"] == "bewoner-01"
    weight.delete()
    with pytest.raises(ResourceNotFound):
        again.refresh()


def test_it_updates_and_deletes_by_criteria(client: Any) -> None:
    identifier = {"system": "urn:test:organizations", "value": str(uuid4())}
    club = client.resource("Organization", identifier=[identifier], name="Club")
    found = client.resources("Organization").search(identifier=f"{identifier['system']}|{identifier['value']}")
    made, new = found.update(club)
    assert new
    changed, new = found.update(client.resource("Organization", identifier=[identifier], name="Vereniging"))
    assert not new
    assert (changed.id, changed["name"]) == (made.id, "Vereniging")
    found.delete()
    assert found.fetch() == []


def test_criteria_in_the_url_of_a_create_are_refused_rather_than_passed_over(client: Any) -> None:
    """get_or_create() does not use If-None-Exist: had we ignored its criteria, each call would make a duplicate."""
    found = client.resources("Organization").search(identifier="urn:test:organizations|one")
    with pytest.raises(OperationOutcome, match="If-None-Exist"):
        found.get_or_create(client.resource("Organization", name="Club"))
    assert found.fetch() == []


def test_several_matches_are_its_own_error(client: Any) -> None:
    with pytest.raises(MultipleResourcesFound):
        client.resources("Patient").search(active="true").update(client.resource("Patient", active=True))


def test_it_reads_what_is_wrong_from_the_outcome(client: Any) -> None:
    wrong = client.resource("Observation", status="klaar", code=WEIGHT)
    assert not wrong.is_valid()
    with pytest.raises(OperationOutcome) as caught:
        wrong.save()
    assert caught.value.resource["issue"][0]["expression"] == ["Observation.status"]
    assert client.resource("Observation", status="final", code=WEIGHT).is_valid()


def test_a_transaction_comes_back_as_a_bundle(client: Any) -> None:
    entries = [
        {
            "resource": {"resourceType": "Organization", "name": name},
            "request": {"method": "POST", "url": "Organization"},
        }
        for name in ("Een", "Twee")
    ]
    answer = client.execute("", data={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201 Created"] * 2


def test_operations_are_called(client: Any) -> None:
    everything = client.reference("Patient", "bewoner-02").execute(
        "$everything", method="get", params={"_type": "Consent"}
    )
    assert {entry["resource"]["resourceType"] for entry in everything["entry"]} == {"Consent"}


def test_an_app_of_a_professional_reads_with_the_token_that_it_was_given(town: Live) -> None:
    """fhirpy leaves the asking to others: authlib's client does it, discovery and proof key included."""
    site = town.url.removesuffix("/fhir")
    scope = "openid fhirUser user/Patient.rs user/Observation.rs user/Practitioner.rs user/PractitionerRole.rs"
    registered = register(town.data, name="Rondes", kind="symmetric", scope=scope, redirect_uris=("http://localhost:8002/",))  # fmt: skip
    endpoints = httpx.get(f"{town.url}/.well-known/smart-configuration").json()
    verifier = "x" * 64
    with OAuth2Client(registered.client.id, registered.secret, scope=scope, redirect_uri="http://localhost:8002/", code_challenge_method="S256") as asking:  # fmt: skip
        url, _ = asking.create_authorization_url(endpoints["authorization_endpoint"], code_verifier=verifier, aud=town.url)  # fmt: skip
        back = let_in(site, url, "vermeulen")
        told = asking.fetch_token(endpoints["token_endpoint"], authorization_response=back, code_verifier=verifier)
    assert set(told["scope"].split()) == set(scope.split())

    async def read() -> tuple[Any, list[Any]]:
        client = AsyncFHIRClient(town.url, authorization=f"Bearer {told['access_token']}")
        return await client.reference("PractitionerRole", "huisarts-vermeulen").to_resource(), await client.resources(
            "Patient"
        ).fetch_all()

    own, patients = asyncio.run(read())
    assert own["practitioner"]["reference"] == "Practitioner/dr-vermeulen"
    assert len(patients) > 1


def test_a_count_needs_lenient_handling(server: Live, bearer: str) -> None:
    """count() sends `_totalMethod`, which is no search parameter of FHIR: strict handling names it."""
    with pytest.raises(OperationOutcome, match="_totalMethod"):
        SyncFHIRClient(server.url, authorization=bearer).resources("Patient").count()
    lenient = SyncFHIRClient(server.url, authorization=bearer, extra_headers={"Prefer": "handling=lenient"})
    assert lenient.resources("Patient").count() == 12


def test_a_resident_finds_nobody_else(server: Live, resident: str) -> None:
    client = SyncFHIRClient(server.url, authorization=resident)
    assert [patient.id for patient in client.resources("Patient").fetch_all()] == ["bewoner-01"]
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", "bewoner-02").to_resource()

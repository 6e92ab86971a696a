"""SMART's fhirclient as it comes from PyPI: its models read what we write, and we take what they write.

The package `fhirclient` of PyPI.
"""

from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.codeableconcept import CodeableConcept
from fhirclient.models.coding import Coding
from fhirclient.models.fhirreference import FHIRReference
from fhirclient.models.healthcareservice import HealthcareService
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.models.quantity import Quantity
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException
from requests import HTTPError

from tests.live import Live


def connected(server: Live, authorization: str = "") -> Any:
    """A client that has read the CapabilityStatement: there are no oauth-uris in it, so it signs nothing itself."""
    client = FHIRClient(settings={"app_id": "test", "api_base": server.url})
    if authorization:
        client.server.session.headers["Authorization"] = authorization
    assert client.prepare()
    return client.server


def test_the_capability_statement_fits_its_strict_models(server: Live) -> None:
    statement = connected(server).capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    assert len(statement.rest[0].resource) > 140


def test_the_social_map_is_open_and_dossiers_are_not(server: Live) -> None:
    anonymous = connected(server)
    services = HealthcareService.where({"name": "inloop", "_sort": "name"}).perform_resources_iter(anonymous)
    assert "Inloop De Huiskamer" in [service.name for service in services]
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("bewoner-01", anonymous)


def test_a_dossier_is_read_with_a_token(server: Live, resident: str) -> None:
    client = connected(server, resident)
    annie = Patient.read("bewoner-01", client)
    assert annie.birthDate.isostring == "1942-03-14"
    with pytest.raises(FHIRNotFoundException):
        Patient.read("bewoner-02", client)


def test_pages_are_followed_to_the_end(server: Live, resident: str) -> None:
    search = Observation.where({"patient": "bewoner-01", "_count": "5"})
    found = [one.id for one in search.perform_resources_iter(connected(server, resident))]
    assert len(found) == len(set(found)) > 10


def test_every_consent_and_plan_fits_its_strict_models(server: Live, bearer: str) -> None:
    client = connected(server, bearer)
    for kind in ("Consent", "CarePlan", "Task", "AuditEvent", "QuestionnaireResponse"):
        bundle = Bundle.read_from(f"{kind}?_count=100&_total=accurate", client)
        assert len(bundle.entry) == min(100, bundle.total)


def test_a_resource_lives_from_create_to_delete(server: Live, bearer: str) -> None:
    client = connected(server, bearer)
    code = Coding({"system": "http://loinc.org", "code": "29463-7"})
    weight = Observation({"status": "final", "code": CodeableConcept({"coding": [code.as_json()]}).as_json()})
    weight.subject = FHIRReference({"reference": "Patient/bewoner-01"})
    weight.valueQuantity = Quantity({"value": 71.5, "unit": "kg"})
    made = weight.create(client)
    assert made["meta"]["versionId"] == "1"

    stored = Observation.read(made["id"], client)
    assert stored.subject.resolved(Patient).id == "bewoner-01"
    stored.status = "amended"
    assert stored.update(client)["meta"]["versionId"] == "2"
    stored.delete(client)
    with pytest.raises(HTTPError, match="410 Client Error: Gone"):
        Observation.read(made["id"], client)

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

from tests.clients.people import let_in, register, stop
from tests.live import Live

SCOPE = "openid fhirUser offline_access patient/Patient.rs patient/Observation.cruds"
REDIRECT = "http://localhost:8001/after"


def connected(server: Live, authorization: str = "") -> Any:
    """A client that has read the CapabilityStatement; its token, if any, came another way."""
    client = FHIRClient(settings={"app_id": "test", "api_base": server.url})
    assert not client.prepare(), "it found the oauth-uris, and knows that it has no token"
    client.server.auth.access_token = authorization.removeprefix("Bearer ") or None
    return client.server


@pytest.fixture(params=["public", "symmetric"])
def app(town: Live, request: pytest.FixtureRequest) -> Any:
    """The client of an app that was registered, before anything else."""
    name = f"Grafieken ({request.param})"
    registered = register(town.data, name=name, kind=request.param, scope=SCOPE + " launch/patient", redirect_uris=(REDIRECT,))  # fmt: skip
    told = {"app_id": registered.client.id, "app_secret": registered.secret or None, "api_base": town.url,
            "redirect_uri": REDIRECT, "scope": SCOPE}  # fmt: skip
    client = FHIRClient(settings=told)
    client.app_name = name
    return client


def test_line_2_it_asks_for_a_token_reads_refreshes_and_is_stopped(town: Live, app: Any) -> None:
    site = town.url.removesuffix("/fhir")
    assert not app.prepare()
    app.handle_callback(let_in(site, app.authorize_url, "annie", duration="Drie maanden"))
    assert app.patient_id == "bewoner-01"
    assert app.patient.birthDate.isostring == "1942-03-14"
    first = app.server.auth.access_token
    assert app.reauthorize()
    assert app.patient_id == "bewoner-01", "said again with every refresh"
    assert app.server.auth.access_token != first
    search = Observation.where({"patient": "bewoner-01", "code": "29463-7"})
    assert list(search.perform_resources_iter(app.server))
    with pytest.raises(FHIRNotFoundException):
        Patient.read("bewoner-02", app.server)
    stop(site, "annie", app.app_name)
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("bewoner-01", app.server)
    with pytest.raises(HTTPError, match="400"):
        app.reauthorize()


def test_line_6_an_app_without_a_patient_of_its_own_is_told_whose_dossier_it_is(town: Live, app: Any) -> None:
    """A parent lets the app in to the dossier of her child, not to her own."""
    site = town.url.removesuffix("/fhir")
    app.prepare()
    app.handle_callback(let_in(site, app.authorize_url, "lotte", person="Voor Noor Vaessen"))
    assert app.patient_id == "bewoner-04"
    assert app.patient.birthDate.isostring == "2019-04-30"
    assert app.server.auth.refresh_token is None, "once is once"
    with pytest.raises(FHIRNotFoundException):
        Patient.read("bewoner-05", app.server)


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

"""The FHIR surface as an ASGI application in this process, asked by httpx."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from fhir_server.http.cors import Cors, Origins
from fhir_server.http.dispatch import FhirApplication
from fhir_server.http.metrics import Metrics
from fhir_server.settings import Settings
from fhir_server.smart.state import State
from profiles import registry
from tests.fhir_server.inprocess import House, opened

BODY_BYTES_MAX = 20_000
SURFACE = "http://wijk.test/fhir"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened(base_policy="permit") as house:
        yield house


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(several_workers=False)


@pytest.fixture
def surface(house: House, metrics: Metrics) -> Callable[..., FhirApplication]:
    """Makes the application with these settings."""

    def make(**settings: Any) -> FhirApplication:
        chosen = Settings(base_policy="permit", body_bytes_max=BODY_BYTES_MAX, **settings)
        cors = Cors(Origins(State(house.store)))
        return FhirApplication(house.gateway, registry.load(), chosen, metrics, cors)

    return make


@pytest.fixture
async def client(surface: Callable[..., FhirApplication], bearer: str) -> AsyncIterator[httpx.AsyncClient]:
    """The operator's client; paths are relative to the FHIR base."""
    transport = httpx.ASGITransport(app=surface(), raise_app_exceptions=True)
    headers = {"Authorization": bearer, "Accept": "application/fhir+json", "Accept-Encoding": "identity"}
    async with httpx.AsyncClient(transport=transport, base_url=SURFACE, headers=headers) as client:
        yield client


@pytest.fixture
async def bearer(house: House) -> str:
    await house.caller()
    return "Bearer token-1"

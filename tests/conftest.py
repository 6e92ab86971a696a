"""Fixtures for material outside the project: a test that wants it skips, and says so, where it is missing."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair, not the test's.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the shared test data (Synthea, FHIRPath suite, validator samples), beside the checkout by default."""
    folder = Path(os.environ.get("WIJKDOSSIER_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"shared test data not found (WIJKDOSSIER_SHARED, default ../shared): {folder.name} is missing")
    return folder


@pytest.fixture(scope="session")
def definition_packages() -> Path:
    """Folder with the unpacked npm packages hl7.fhir.r4.examples-4.0.1 and hl7.fhir.r4.expansions-4.0.1."""
    folder = Path(os.environ.get("WIJKDOSSIER_PACKAGES", ROOT / "build" / "packages"))
    if not (folder / "hl7.fhir.r4.examples-4.0.1").is_dir():
        pytest.skip("FHIR definition packages not found (WIJKDOSSIER_PACKAGES, default build/packages)")
    return folder


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the server does."""
    return "asyncio"

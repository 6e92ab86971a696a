"""fhir-kit-client as it comes from npm, in Node: the client that many SMART apps are written with.

It is found in WIJKDOSSIER_NPM (default build/npm), where `npm install --prefix build/npm fhir-kit-client` puts it.
The package `fhir-kit-client` of npm.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live import Live

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("fhir_kit_client.mjs")


@pytest.fixture
def packages() -> Path:
    folder = Path(os.environ.get("WIJKDOSSIER_NPM", ROOT / "build" / "npm"))
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (folder / "node_modules" / "fhir-kit-client").is_dir():
        pytest.skip("fhir-kit-client not found (WIJKDOSSIER_NPM, default build/npm)")
    return folder


def test_an_app_of_a_resident_does_its_work(packages: Path, server: Live, resident: str) -> None:
    arguments = ("node", str(SCRIPT), str(packages), server.url, resident.removeprefix("Bearer "))
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["fhirVersion"] == "4.0.1"
    assert found["services"] == found["different"] > 70
    assert found["posted"] == ["include", "match"]
    assert found["versions"] == ["1", "2", "3"]
    assert found["statuses"] == ["preliminary", "amended"]
    assert found["history"] == 3
    assert found["deleted"] == 410
    assert found["neighbour"] == 404
    assert [status[:3] for status in found["batch"]] == ["200", "404"]
    assert found["everything"] == ["CarePlan"]
    assert found["compartment"] is True

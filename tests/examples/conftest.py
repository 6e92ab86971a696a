"""The example wijk as the committed files hold it.

https://hl7.org/fhir/R4/bundle.html
"""

import json
from pathlib import Path
from typing import Any

import pytest

from examples import bundle_paths

Resource = dict[str, Any]


@pytest.fixture(scope="session")
def wijk_files() -> dict[Path, list[Resource]]:
    """File → its resources, in load order."""
    return {path: [entry["resource"] for entry in json.loads(path.read_bytes())["entry"]] for path in bundle_paths()}


@pytest.fixture(scope="session")
def wijk(wijk_files: dict[Path, list[Resource]]) -> dict[str, Resource]:
    """`Type/id` → resource, over all files."""
    return {f"{item['resourceType']}/{item['id']}": item for items in wijk_files.values() for item in items}


def of_type(wijk: dict[str, Resource], resource_type: str) -> list[Resource]:
    return [item for item in wijk.values() if item["resourceType"] == resource_type]

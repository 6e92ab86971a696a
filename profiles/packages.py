"""Read definition packages (npm layout) and the committed tables: the one place where `profiles` touches files.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

TABLES = ("types", "invariants", "search_parameters", "compartments", "operations", "codesystems", "valuesets")


def read_tables() -> dict[str, Any]:
    """Return the committed tables of `profiles/definitions`, decoded, by name (see `TABLES`)."""
    folder = resources.files("profiles") / "definitions"
    return {name: msgspec.json.decode((folder / f"{name}.json").read_bytes()) for name in TABLES}


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_package(location: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (file name, resource) for each top-level JSON resource of an unpacked package folder or `.tgz`, by name.

    `location` holds the folder `package/` or is the archive itself. Archives are read in place, nothing is extracted.
    """
    if location.is_dir():
        for file in sorted((location / "package").glob("*.json")):
            yield from _resource(file.name, file.read_bytes())
        return
    with tarfile.open(location, "r:gz") as archive:
        members = {Path(m.name): m for m in archive.getmembers() if m.isfile()}
        for path in sorted(members, key=lambda p: p.name):
            if path.parent == Path("package") and path.suffix == ".json":
                handle = archive.extractfile(members[path])
                assert handle is not None
                yield from _resource(path.name, handle.read())


def _resource(name: str, data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    value = json.loads(data)
    if isinstance(value, dict) and "resourceType" in value:
        yield name, value

"""Read definition packages (npm layout) and the committed tables: the one place where `profiles` touches files.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import hashlib
import tarfile
from collections.abc import Collection, Iterator, Mapping
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


def read_package(location: Path, resource_types: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of these types in an unpacked package folder or `.tgz`, by file name.

    `location` holds the folder `package/` or is the archive itself, which is read in place: nothing is extracted. A
    resource's file is called `<type>-<id>.json`, as the package format has it.
    """
    if location.is_dir():
        for file in sorted((location / "package").glob("*.json")):
            if file.name.partition("-")[0] in resource_types:
                yield msgspec.json.decode(file.read_bytes())
        return
    with tarfile.open(location, "r:gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            path = Path(member.name)
            if (
                path.parent.name == "package"
                and path.suffix == ".json"
                and path.name.partition("-")[0] in resource_types
            ):
                handle = archive.extractfile(member)
                assert handle is not None
                yield msgspec.json.decode(handle.read())

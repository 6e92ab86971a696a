"""Turn the pinned FHIR R4 definition packages into the compact tables of `profiles/definitions`.

Run `python -m profiles.build --packages DIR [--fetch]`. The tables are described in `profiles/definitions/README.md`.
https://hl7.org/fhir/R4/structuredefinition.html
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from profiles.build_search import compartment_rows, operation_rows, search_parameter_rows
from profiles.build_terminology import codesystem_rows, valueset_rows
from profiles.build_types import invariant_ids, invariant_rows, is_extension, type_rows
from profiles.packages import read_package, sha256

DEFINITIONS = Path(__file__).resolve().parent / "definitions"


class Package(NamedTuple):
    """A pinned npm package: name, version and the SHA-256 of its archive."""

    name: str
    version: str
    sha256: str

    @property
    def stem(self) -> str:
        return f"{self.name}-{self.version}"


EXAMPLES = Package("hl7.fhir.r4.examples", "4.0.1", "dce87f1b5b9341867033f7d1f544fa1b5232503f6d62813887ac6b8a8b6cb682")
EXPANSIONS = Package(
    "hl7.fhir.r4.expansions", "4.0.1", "18b2b00a6e26328bdbe4b2e273de5be32dfce21be37e0f582d18882bbce24e69"
)

READ_TYPES = (
    "CodeSystem",
    "CompartmentDefinition",
    "OperationDefinition",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
)


class BuildError(ValueError):
    """The packages are missing or are not the pinned ones."""


def write_rows(file: Path, rows: Iterable[Any]) -> None:
    """Write a JSON array with one row a line, so that a change of definitions reads as a diff of records."""
    file.write_text("[\n" + ",\n".join(_line(row) for row in rows) + "\n]\n", encoding="utf-8")


def write_types(file: Path, types: Iterable[list[Any]]) -> None:
    """Write the types table with one element a line; inherited names share the line they stand on."""
    blocks = []
    for rows in types:
        lines = [_line(rows[0])]
        for row in rows[1:]:
            if isinstance(row, str) and not lines[-1].startswith("["):
                lines[-1] += "," + _line(row)
            else:
                lines.append(_line(row))
        blocks.append("[" + ",\n".join(lines) + "]")
    file.write_text("[\n" + ",\n".join(blocks) + "\n]\n", encoding="utf-8")


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def locate(folder: Path, package: Package) -> Path:
    """Return the archive of a package in `folder`, or else the unpacked folder (and say that its hash goes unchecked).

    Raises BuildError when neither is there, or when the archive's hash is not the pinned one.
    """
    archive = folder / f"{package.stem}.tgz"
    if archive.is_file():
        found = sha256(archive)
        if found != package.sha256:
            raise BuildError(f"{archive.name}: sha256 is `{found}`, the pinned one is `{package.sha256}`")
        return archive
    if (folder / package.stem / "package").is_dir():
        print(f"{package.stem}: unpacked, so its hash is not checked", file=sys.stderr)
        return folder / package.stem
    raise BuildError(
        f"{package.stem}: neither `{package.stem}.tgz` nor `{package.stem}/package` found in the packages folder"
    )


def fetch(folder: Path, package: Package) -> None:
    """Get a package with the ordinary npm client, if it is not there yet."""
    if (folder / f"{package.stem}.tgz").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", f"{package.name}@{package.version}", "--pack-destination", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603


def build(packages: Path, target: Path) -> None:
    """Read both packages below `packages` and write all tables, and where they come from, into `target`."""
    by_type: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for resource in read_package(locate(packages, EXAMPLES), READ_TYPES):
        by_type[resource["resourceType"]].append(resource)
    expansions = list(read_package(locate(packages, EXPANSIONS), ["ValueSet"]))
    # Left out: the logical models (Event, Request, FiveWs …), which are no types of the wire format, and extensions.
    structures = [s for s in by_type["StructureDefinition"] if s["kind"] != "logical" and not is_extension(s)]
    ids = invariant_ids(structures)
    types = type_rows(structures, ids)
    # Parameters is the one resource that nothing refers to: targets that mean "any resource" list all but it.
    resource_types = {head[0] for head, *_ in types if head[1] == "resource" and not head[3]} - {"Parameters"}
    codesystems = codesystem_rows(by_type["CodeSystem"])
    target.mkdir(parents=True, exist_ok=True)
    write_types(target / "types.json", types)
    write_rows(target / "invariants.json", invariant_rows(structures, ids))
    write_rows(target / "search_parameters.json", search_parameter_rows(by_type["SearchParameter"], resource_types))
    write_rows(target / "compartments.json", compartment_rows(by_type["CompartmentDefinition"]))
    write_rows(target / "operations.json", operation_rows(by_type["OperationDefinition"]))
    write_rows(target / "codesystems.json", codesystems)
    write_rows(target / "valuesets.json", valueset_rows(by_type["ValueSet"], expansions, codesystems))
    provenance = [
        {"package": p.name, "version": p.version, "licence": "CC0-1.0", "sha256": p.sha256}
        for p in (EXAMPLES, EXPANSIONS)
    ]
    write_rows(target / "provenance.json", provenance)


def main(arguments: list[str] | None = None) -> int:
    """Build the tables; exit status 1 with one line on stderr if the packages are not the pinned ones."""
    parser = argparse.ArgumentParser(prog="python -m profiles.build", description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, help="folder with the two packages, packed or unpacked")
    parser.add_argument("--fetch", action="store_true", help="get missing packages with `npm pack` first")
    parser.add_argument("--target", type=Path, default=DEFINITIONS, help="folder to write (default: the committed one)")
    options = parser.parse_args(arguments)
    try:
        if options.fetch:
            for package in (EXAMPLES, EXPANSIONS):
                fetch(options.packages, package)
        build(options.packages, options.target)
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

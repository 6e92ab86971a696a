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

from profiles.build_terminology import codesystem_rows, valueset_rows
from profiles.packages import read_package, sha256

DEFINITIONS = Path(__file__).resolve().parent / "definitions"
STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
SEARCH_PARAMETER = "http://hl7.org/fhir/SearchParameter/"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
SYSTEM_TYPE = "http://hl7.org/fhirpath/"

Resource = Mapping[str, Any]
Row = list[Any]


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


class BuildError(Exception):
    """The packages are missing, are not the pinned ones, or say something the tables cannot hold."""


# --- types and invariants -------------------------------------------------------------------------------------------


def invariant_ids(structures: Iterable[Resource]) -> dict[tuple[str, str], str]:
    """Return the table id of each (key, expression): the key, or `key@path` where R4 uses one key for several rules."""
    stated: dict[str, dict[str, str]] = defaultdict(dict)
    for structure in structures:
        for element in structure.get("snapshot", {}).get("element", ()):
            for constraint in element.get("constraint", ()):
                stated[constraint["key"]].setdefault(constraint["expression"], element["path"])
    return {
        (key, expression): key if len(rules) == 1 else f"{key}@{path}"
        for key, rules in stated.items()
        for expression, path in rules.items()
    }


def invariant_rows(structures: Iterable[Resource], ids: Mapping[tuple[str, str], str]) -> list[Row]:
    """Return rows `[id, severity, expression, human]`, by id."""
    rows = {}
    for structure in structures:
        for element in structure.get("snapshot", {}).get("element", ()):
            for constraint in element.get("constraint", ()):
                name = ids[constraint["key"], constraint["expression"]]
                rows[name] = [name, constraint["severity"], constraint["expression"], constraint["human"]]
    return [rows[name] for name in sorted(rows)]


def type_rows(structures: Iterable[Resource], ids: Mapping[tuple[str, str], str]) -> list[list[Any]]:
    """Return one list per type, resources and data types with their backbone elements after them.

    A list is `[head, element, …]`; `head` is `[name, kind, base, abstract, constraints]`. An element that is the same
    as in the base type is just its name; any other is a row of `element_row`.
    """
    by_url = {structure["url"]: structure for structure in structures}
    profiled = {
        url: own_keys(structure, by_url[structure["baseDefinition"]], ids)
        for url, structure in by_url.items()
        if is_profile(structure) and structure["kind"] == "complex-type" and "snapshot" in structure
    }
    tables: dict[str, tuple[Row, list[Row]]] = {}
    for structure in by_url.values():
        if is_profile(structure):
            continue
        nodes = structure["snapshot"]["element"]
        backbones = {node["path"] for node in nodes[1:] if type_codes(node) in (["BackboneElement"], ["Element"])}
        for root in [node for node in nodes if node["path"] == structure["type"] or node["path"] in backbones]:
            path = root["path"]
            nested = path in backbones
            kind = "backbone" if nested else structure["kind"].removesuffix("-type")
            base = type_codes(root)[0] if nested else structure.get("baseDefinition", "").removeprefix(STRUCTURE)
            keys = " ".join(ids[c["key"], c["expression"]] for c in root.get("constraint", ()))
            head = [path, kind, base, not nested and structure["abstract"], keys]
            children = [node for node in nodes if node["path"].rpartition(".")[0] == path]
            tables[path] = head, [element_row(node, backbones, ids, profiled, kind) for node in children]
    return [without_inherited(tables, path) for path in sorted(tables, key=lambda p: (depth(tables, p), p))]


def own_keys(profile: Resource, base: Resource, ids: Mapping[tuple[str, str], str]) -> list[str]:
    """Return the invariants that a profile on a data type adds to its root (`sqty-1` of SimpleQuantity)."""
    stated, inherited = (
        {ids[c["key"], c["expression"]] for c in s["snapshot"]["element"][0].get("constraint", ())}
        for s in (profile, base)
    )
    return sorted(stated - inherited)


def is_profile(structure: Resource) -> bool:
    return structure.get("derivation") == "constraint"


def is_extension(structure: Resource) -> bool:
    return is_profile(structure) and structure["type"] == "Extension"


def without_inherited(tables: Mapping[str, tuple[Row, list[Row]]], path: str) -> list[Any]:
    """Return the type's rows with each element that its base type has word for word shortened to its name."""
    head, rows = tables[path]
    inherited = {row[0]: row for row in tables[head[2]][1]} if head[2] else {}
    return [head, *(row[0] if inherited.get(row[0]) == row else row for row in rows)]


def depth(tables: Mapping[str, tuple[Row, list[Row]]], path: str) -> int:
    """Return how many base types stand above a type: bases come first in the table."""
    base = tables[path][0][2]
    return 1 + depth(tables, base) if base else 0


def type_codes(node: Resource) -> list[str]:
    return [t["code"] for t in node.get("type", ())]


def element_row(
    node: Resource,
    backbones: set[str],
    ids: Mapping[tuple[str, str], str],
    profiled: Mapping[str, list[str]],
    kind: str,
) -> Row:
    """Return `[name, types, cardinality, flags, binding, targets, constraints]` of one element, empty tail cut off."""
    path = node["path"]
    name = path.rpartition(".")[2]
    choice = name.endswith("[x]")
    if "contentReference" in node:
        types = [node["contentReference"].removeprefix("#")]
    elif path in backbones:
        types = [path]
    else:
        types = list(dict.fromkeys(real_type(t, name, kind) for t in node["type"]))
    representation = node.get("representation", ())
    flags = "".join(
        letter
        for letter, held in (
            ("A", "xmlAttr" in representation),
            ("C", choice),
            ("M", node.get("isModifier")),
            ("S", node.get("isSummary")),
        )
        if held
    )
    binding = node.get("binding", {})
    required = binding["valueSet"].partition("|")[0] if binding.get("strength") == "required" else ""
    targets = {p.removeprefix(STRUCTURE) for t in node.get("type", ()) for p in t.get("targetProfile", ())}
    keys = [ids[c["key"], c["expression"]] for c in node.get("constraint", ())]
    # An element typed Quantity(SimpleQuantity) has to satisfy what that profile adds to Quantity.
    keys += [key for t in node.get("type", ()) for p in t.get("profile", ()) for key in profiled[p]]
    cardinality = f"{node['min']}..{node['max']}"
    row = [name.removesuffix("[x]"), " ".join(types), cardinality, flags, required, " ".join(sorted(targets))]
    row.append("" if keys == ["ele-1"] else " ".join(keys) or "-")
    while row[-1] == "":
        row.pop()
    return row


def real_type(declared: Resource, name: str, kind: str) -> str:
    """Return the FHIR type of an element's type entry, reading through the FHIRPath System types.

    Ids and Extension.url are declared as System.String with the FHIR type in an extension. For a resource's `id` that
    extension says `string`; https://hl7.org/fhir/R4/resource.html#Resource says `id`, and so do we.
    """
    code: str = declared["code"]
    if not code.startswith(SYSTEM_TYPE):
        return code
    if kind == "primitive" and name == "value":
        return code.removeprefix(SYSTEM_TYPE)
    if kind == "resource" and name == "id":
        return "id"
    said = [e.get("valueUrl") or e.get("valueUri") for e in declared.get("extension", ()) if e["url"] == FHIR_TYPE]
    return said[0] if said else "string"


# --- search parameters, compartments, operations --------------------------------------------------------------------


def search_parameter_rows(parameters: Iterable[Resource], resource_types: set[str]) -> list[Row]:
    """Return rows `[id, code, type, bases, expression, targets, comparators, components]` by id.

    The canonical URL is `SEARCH_PARAMETER` + id. Targets that name every resource type are shortened to `Resource`.
    Left out: parameters of test material (`example…`), those without a base, and those that neither have an expression
    nor belong to Resource/DomainResource (nothing could ever be indexed for them).
    """
    rows = []
    for parameter in parameters:
        bases = parameter.get("base", [])
        expression = parameter.get("expression", "")
        general = bases in (["Resource"], ["DomainResource"])
        if not bases or parameter["id"].startswith("example") or not (expression or general):
            continue
        if parameter["url"] != SEARCH_PARAMETER + parameter["id"]:
            raise BuildError(f"SearchParameter `{parameter['id']}`: url does not follow from the id")
        components = [
            [c["definition"].removeprefix(SEARCH_PARAMETER), c["expression"]] for c in parameter.get("component", ())
        ]
        targets = set(parameter.get("target", ()))
        row = [
            parameter["id"],
            parameter["code"],
            parameter["type"],
            " ".join(sorted(bases)),
            expression,
            "Resource" if targets >= resource_types else " ".join(sorted(targets)),
            " ".join(parameter.get("comparator", ())),
            components,
        ]
        while not row[-1]:
            row.pop()
        rows.append(row)
    return sorted(rows)


def compartment_rows(definitions: Iterable[Resource]) -> list[Row]:
    """Return rows `[compartment, resource type, parameters]` for the types that are in the compartment at all."""
    return sorted(
        [definition["code"], resource["code"], " ".join(resource["param"])]
        for definition in definitions
        if definition["id"] != "example"
        for resource in definition["resource"]
        if resource.get("param")
    )


def operation_rows(definitions: Iterable[Resource]) -> list[Row]:
    """Return rows `[id, name, code, url, resources, levels, affectsState, [[name, use, min, max, type]]]`."""
    rows = []
    for definition in definitions:
        if definition["id"] == "example":
            continue
        levels = " ".join(level for level in ("system", "type", "instance") if definition[level])
        parameters = [[p["name"], p["use"], p["min"], p["max"], p.get("type", "")] for p in definition["parameter"]]
        rows.append(
            [
                definition["id"],
                definition["name"],
                definition["code"],
                definition["url"],
                " ".join(definition.get("resource", ())),
                levels,
                definition.get("affectsState"),
                parameters,
            ]
        )
    return sorted(rows, key=lambda row: row[0])


# --- writing --------------------------------------------------------------------------------------------------------


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
    """Return the archive of a package in `folder` (after checking its hash), or else the unpacked folder."""
    archive = folder / f"{package.stem}.tgz"
    if archive.is_file():
        found = sha256(archive)
        if found != package.sha256:
            raise BuildError(f"{archive.name}: sha256 is `{found}`, the pinned one is `{package.sha256}`")
        return archive
    if (folder / package.stem / "package").is_dir():
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
    by_type: dict[str, list[Resource]] = defaultdict(list)
    for _, resource in read_package(locate(packages, EXAMPLES)):
        by_type[resource["resourceType"]].append(resource)
    expansions = [r for _, r in read_package(locate(packages, EXPANSIONS)) if r["resourceType"] == "ValueSet"]
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
    except (BuildError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

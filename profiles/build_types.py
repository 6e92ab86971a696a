"""Turn StructureDefinitions into rows: types with their elements in XML order, and invariants.

https://hl7.org/fhir/R4/structuredefinition.html
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
SYSTEM_TYPE = "http://hl7.org/fhirpath/"

Resource = Mapping[str, Any]
Row = list[Any]


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

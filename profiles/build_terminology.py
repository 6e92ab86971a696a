"""Turn CodeSystems and ValueSets of the definition packages into rows: codes and parents, composition by reference.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Resource = Mapping[str, Any]
Row = list[Any]

# The largest systems (DICOM, race, tribe) have no use in the base specification and would double the table.
CODES_MAX = 1200
# Longer lists are excerpts of LOINC, SNOMED CT and UCUM, which a terminology server has to answer for.
LISTED_CODES_MAX = 400


def codesystem_rows(codesystems: Iterable[Resource]) -> list[Row]:
    """Return rows `[url, codes, parents, abstract]` of the complete code systems of at most `CODES_MAX` codes.

    `parents` gives the index of the code's parent, a list of indexes where it has several, -1 for none, and is empty
    for a flat system; `abstract` lists the indexes of codes that cannot be selected.
    """
    rows = []
    for system in codesystems:
        concepts = list(walk(system.get("concept", ()), None))
        if system["content"] != "complete" or not 0 < len(concepts) <= CODES_MAX:
            continue
        index = {concept["code"]: position for position, (concept, _) in enumerate(concepts)}
        parents: list[set[int]] = [set() for _ in concepts]
        abstract = []
        for concept, parent in concepts:
            here = index[concept["code"]]
            if parent is not None:
                parents[here].add(index[parent])
            for prop in concept.get("property", ()):
                # Version 3 vocabularies state the second parent of a concept as a `child` of that parent.
                if prop["code"] == "child" and prop["valueCode"] in index:
                    parents[index[prop["valueCode"]]].add(here)
                if prop["code"] == "notSelectable" and prop.get("valueBoolean"):
                    abstract.append(here)
        encoded = [sorted(p) if len(p) > 1 else min(p, default=-1) for p in parents]
        row = [system["url"], [concept["code"] for concept, _ in concepts]]
        row.append(encoded if any(p != -1 for p in encoded) else [])
        row.append(abstract)
        while not row[-1]:
            row.pop()
        rows.append(row)
    return sorted(rows)


def walk(concepts: Iterable[Resource], parent: str | None) -> Iterator[tuple[Resource, str | None]]:
    """Yield each concept of a CodeSystem or expansion with the code of the one it is nested in."""
    for concept in concepts:
        yield concept, parent
        yield from walk(concept.get("concept", concept.get("contains", ())), concept.get("code"))


def valueset_rows(
    valuesets: Iterable[Resource], expansions: Iterable[Resource], codesystems: Sequence[Row]
) -> list[Row]:
    """Return rows `[url, include, exclude]` of the value sets whose codes can be enumerated from the tables, by url.

    A clause is `[system]` (all of it), `[system, [codes]]`, `[system, "is-a" | "descendent-of", code]` or
    `["", url, …]` (all codes that these value sets share).
    """
    known = {row[0] for row in codesystems}
    composed = {v["url"]: v for v in valuesets}
    expanded = {v["url"]: v for v in expansions}
    rows: dict[str, Row] = {}
    for url in sorted(composed | expanded):
        compose = composed.get(url, expanded.get(url, {})).get("compose", {})
        include = [clause(c, known) for c in compose.get("include", ())]
        exclude = [clause(c, known) for c in compose.get("exclude", ())]
        if include and None not in include and None not in exclude:
            rows[url] = [url, include, exclude] if exclude else [url, include]
        elif url in expanded and (codes := expansion_codes(expanded[url]["expansion"])):
            rows[url] = [url, [[system, sorted(codes[system])] for system in sorted(codes)]]
    return [rows[url] for url in sorted(reachable(rows))]


def clause(part: Resource, known: set[str]) -> Row | None:
    """Return one include/exclude as a clause of the table, None when its codes cannot be enumerated from the tables."""
    system = part.get("system", "")
    filters = part.get("filter", [])
    if part.get("valueSet"):
        return None if system or filters else ["", *(url.partition("|")[0] for url in part["valueSet"])]
    if part.get("concept"):
        if len(part["concept"]) > LISTED_CODES_MAX:
            return None
        return [system, [c["code"] for c in part["concept"]]]
    if system not in known or len(filters) > 1:
        return None
    if not filters:
        return [system]
    rule = filters[0]
    if rule["property"] == "concept" and rule["op"] in ("is-a", "descendent-of"):
        return [system, rule["op"], rule["value"]]
    return None


def expansion_codes(expansion: Resource) -> dict[str, set[str]]:
    """Return the codes of a packaged expansion by system, empty when it is partial, unclosed or too large."""
    if any(e.get("valueBoolean") for e in expansion.get("extension", ())):  # valueset-toocostly, valueset-unclosed
        return {}
    entries = [entry for entry, _ in walk(expansion.get("contains", ()), None) if "code" in entry]
    if len(entries) > LISTED_CODES_MAX or expansion.get("total", len(entries)) != len(entries):
        return {}
    codes: dict[str, set[str]] = {}
    for entry in entries:
        if not entry.get("abstract"):
            codes.setdefault(entry["system"], set()).add(entry["code"])
    return codes


def reachable(rows: Mapping[str, Row]) -> set[str]:
    """Return the urls whose clauses refer only to value sets that are themselves in the table."""
    kept = set(rows)
    while True:
        lost = {
            url
            for url in kept
            for part in [*rows[url][1], *(rows[url][2] if len(rows[url]) > 2 else ())]
            if part[0] == "" and not set(part[1:]) <= kept
        }
        if not lost:
            return kept
        kept -= lost

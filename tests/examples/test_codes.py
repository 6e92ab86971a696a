"""Every HL7 code that the examples use is in HL7's own CodeSystem, as far as the R4 packages hold it.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.examples.conftest import Resource
from tests.examples.test_wijk import elements


def codes(concepts: list[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from codes(concept.get("concept", []))


def test_every_hl7_code_exists(wijk: dict[str, Resource], definition_packages: Path) -> None:
    systems: dict[str, set[str]] = {}
    for path in (definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package").glob("CodeSystem-*.json"):
        definition = json.loads(path.read_bytes())
        if definition.get("concept"):
            systems[definition["url"]] = set(codes(definition["concept"]))
    # Added to the R4 code system later, and what GF Adressering asks of a network.
    systems["http://terminology.hl7.org/CodeSystem/organization-type"].add("ntwk")

    used = {
        (element["system"], element["code"])
        for item in wijk.values()
        for _, element in elements(item)
        if isinstance(element.get("system"), str) and isinstance(element.get("code"), str)
    }
    known = {(system, code) for system, code in used if system in systems}
    assert len(known) >= 100
    assert {(system, code) for system, code in known if code not in systems[system]} == set()
    foreign = {
        system for system, _ in used if system.startswith("http://terminology.hl7.org/") and system not in systems
    }
    assert foreign == set(), "systems that HL7 doesn't have"

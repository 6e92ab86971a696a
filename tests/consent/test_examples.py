"""The Consents of the example wijk, and R4's own examples: all of them can be enforced."""

import json
from pathlib import Path

from consent.parse import parse
from tests.consent.wijk import ZONE, words

WIJK = sorted((Path(__file__).resolve().parents[2] / "examples" / "wijk").glob("*.json"))


def test_every_consent_of_the_example_wijk_can_be_enforced() -> None:
    found = [
        entry["resource"]
        for path in WIJK
        for entry in json.loads(path.read_bytes()).get("entry", [])
        if entry["resource"]["resourceType"] == "Consent"
    ]
    assert len(found) > 30
    assert {c["id"]: parse(c, words(), ZONE).problems for c in found if parse(c, words(), ZONE).problems} == {}


def test_every_consent_among_the_official_examples_can_be_enforced(definition_packages: Path) -> None:
    folder = definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package"
    records = {path.stem: parse(json.loads(path.read_bytes()), words(), ZONE) for path in folder.glob("Consent-*.json")}
    assert len(records) > 10
    assert {name: record.problems for name, record in records.items() if record.problems} == {}

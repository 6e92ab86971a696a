"""The README names what is there: a resident or a Consent that it forgets, or invents, fails here.

https://www.hl7.org/fhir/R4/consent.html
"""

import re
from pathlib import Path

from examples import bundle_paths
from tests.examples.askers import askers
from tests.examples.conftest import Resource, of_type

README = (Path(__file__).resolve().parents[2] / "examples" / "README.md").read_text()


def test_every_resident_and_consent_stands_in_its_row(wijk: dict[str, Resource]) -> None:
    rows = {line.split("`")[1]: line for line in README.splitlines() if line.startswith("| `bewoner-")}
    for patient in of_type(wijk, "Patient"):
        consents = {
            consent["id"].split("-toestemming-")[1]
            for consent in of_type(wijk, "Consent")
            if consent["patient"]["reference"] == f"Patient/{patient['id']}"
        }
        last_cell = rows[patient["id"]].rsplit("|", 2)[1]
        named = {part.split("`")[1] for part in last_cell.split(" · ")}
        assert named == consents, patient["id"]


def test_the_counts_are_true(wijk: dict[str, Resource]) -> None:
    offers = of_type(wijk, "HealthcareService")
    open_now = sum(offer["active"] for offer in offers)
    assert f"{len(offers)} offers ({open_now} open, one ended)" in README
    assert f"asking a\nwhole server {len(list(askers(wijk)))} times" in README


def test_every_file_and_walkthrough_is_listed() -> None:
    for path in bundle_paths():
        assert re.sub(r"bewoner-\d\d", "bewoner-NN", path.name) in README
    folder = Path(__file__).resolve().parents[2] / "examples" / "walkthroughs"
    for script in folder.glob("*.py"):
        if script.stem not in ("__init__", "walk"):
            assert f"| `{script.stem}` |" in README

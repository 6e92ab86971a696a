"""The index of the requirements of SMART App Launch, `requirements.md`: all of them, and tests that exist.

https://hl7.org/fhir/smart-app-launch/STU2.2/, in the numbering of HL7's SMART App Launch test kit
"""

import csv
import re
from collections import Counter
from pathlib import Path

from fhir_server.settings import Settings
from fhir_server.smart import discovery
from fhir_server.smart.addresses import Addresses
from tests.fhir_server.smart.test_checklist import EXISTING

INDEX = (Path(__file__).parent / "requirements.md").read_text()
TABLE = "smart/smart_app_launch_test_kit_requirements.csv"
SET = "hl7.fhir.uv.smart-app-launch_2.2.0"
STRENGTHS = ("SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT")
ROW = re.compile(
    r"\| (?P<id>\d+) \| (?P<strength>[A-Z ]+) \| (?P<verdict>met|not offered|not met) \| (?P<why>[^|]+) \|"
)
ROWS = [match.groupdict() for line in INDEX.splitlines() if (match := ROW.fullmatch(line))]


def test_every_requirement_stands_in_one_row(shared_data: Path) -> None:
    with (shared_data / TABLE).open(encoding="utf-8-sig", newline="") as file:
        asked = [
            (row["ID"], row["Conformance"])
            for row in csv.DictReader(file)
            if row["Req Set"] == SET and "Server" in row["Actors"] and row["Conformance"] in STRENGTHS
        ]
    assert [(row["id"], row["strength"]) for row in ROWS] == asked


def test_every_line_of_the_table_is_a_row() -> None:
    """So that none goes unread."""
    lines = [line for line in INDEX.splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 > 200
    assert len({row["id"] for row in ROWS}) == len(ROWS)


def test_what_is_met_is_shown_by_tests_that_exist() -> None:
    for row in ROWS:
        if row["verdict"] == "met":
            assert re.fullmatch(r"`[^`]+`( `[^`]+`)*", row["why"]), row["id"]
            assert set(re.findall(r"`([^`]+)`", row["why"])) <= EXISTING, row["id"]


def test_the_heading_counts_them() -> None:
    count = Counter(row["verdict"] for row in ROWS)
    total, met, not_offered, not_met = len(ROWS), count["met"], count["not offered"], count["not met"]
    assert f"## {total} requirements: {met} met, {not_offered} not offered, {not_met} not met\n" in INDEX


def test_the_manual_says_what_a_link_between_patients_does() -> None:
    """Requirement 139; that it is so, `gateway/test_ownership.py` shows."""
    manual = (Path(__file__).parents[3] / "README.md").read_text()
    assert "A Patient that is linked to another (`Patient.link`) is about both" in manual


def test_nothing_that_is_not_offered_is_claimed() -> None:
    """Launches with an Encounter, app state, and what User Access Brands and other endpoints would bring."""
    told = discovery.smart_configuration(Addresses("https://wijk.test"), Settings(dynamic_registration=True))
    absent = {"context-ehr-encounter", "context-standalone-encounter", "smart-app-state"}
    assert absent.isdisjoint(told["capabilities"])
    assert "launch/encounter" not in told["scopes_supported"]
    members = {"user_access_brand_bundle", "user_access_brand_identifier", "associated_endpoints",
               "smart_app_state_endpoint"}  # fmt: skip
    assert members.isdisjoint(told)

"""The example wijk holds together: its references resolve, its places lie inside it, and it says that it is made up.

https://hl7.org/fhir/R4/references.html
"""

import base64
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples import WIJK
from examples.author.elements import BASE
from examples.author.files import files
from tests.examples.conftest import Resource, of_type

EVERY_TYPE = """
    ActivityDefinition AllergyIntolerance Appointment Binary CarePlan CareTeam CodeSystem Communication
    Condition Consent Contract Coverage Device DocumentReference Encounter Endpoint EpisodeOfCare Flag Goal Group
    HealthcareService Immunization Location Measure MeasureReport MedicationRequest MedicationStatement
    Observation Organization OrganizationAffiliation Patient PlanDefinition Practitioner PractitionerRole
    Procedure Questionnaire QuestionnaireResponse RelatedPerson ServiceRequest Task VerificationResult
"""
ALL = sorted(path.name for path in WIJK.glob("*.json"))


def elements(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON object inside `value`, with its dotted path."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from elements(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from elements(inner, path)


def references(item: Resource) -> Iterator[str]:
    for _, element in elements(item):
        if isinstance(element.get("reference"), str):
            yield element["reference"]


def test_the_committed_files_are_what_the_authors_write() -> None:
    written = files()
    assert sorted(written) == ALL
    stale = [name for name, content in written.items() if (WIJK / name).read_bytes() != content]
    assert stale == [], "run `python -m examples.author`"


def test_there_is_as_much_to_see_as_promised(wijk: dict[str, Resource]) -> None:
    counts = Counter(item["resourceType"] for item in wijk.values())
    assert counts["HealthcareService"] >= 60
    assert counts["Patient"] == 12
    assert counts["Consent"] >= 20
    rooms = [
        item for item in of_type(wijk, "Location") if item.get("partOf", {}).get("reference") == "Location/mfa-de-stip"
    ]
    assert len(rooms) >= 6
    assert set(counts) == set(EVERY_TYPE.split())


def test_every_resource_says_that_it_is_synthetic(wijk: dict[str, Resource]) -> None:
    marking = {"system": f"{BASE}/CodeSystem/marking", "code": "synthetic", "display": "Synthetisch"}
    assert [identity for identity, item in wijk.items() if marking not in item["meta"]["tag"]] == []


def test_nothing_refers_to_something_in_a_later_file(wijk_files: dict[Path, list[Resource]]) -> None:
    known: set[str] = set()
    dangling = []
    for path, items in wijk_files.items():
        known |= {f"{item['resourceType']}/{item['id']}" for item in items}
        dangling += [
            (path.name, item["id"], target) for item in items for target in references(item) if target not in known
        ]
    assert dangling == []


def test_attachments_point_to_a_binary_of_the_same_resident(wijk: dict[str, Resource]) -> None:
    for document in of_type(wijk, "DocumentReference"):
        for content in document["content"]:
            binary = wijk[content["attachment"]["url"]]
            assert binary["securityContext"] == document["subject"]
            assert binary["meta"].get("security") == document["meta"].get("security")
            assert base64.b64decode(binary["data"]).decode()


def test_every_canonical_of_our_own_resolves(wijk: dict[str, Resource]) -> None:
    published = {item["url"] for item in wijk.values() if "url" in item}
    named = {
        canonical
        for item in wijk.values()
        for _, element in elements(item)
        for key in ("instantiatesCanonical", "questionnaire", "definitionCanonical", "measure")
        if key in element
        for canonical in (element[key] if isinstance(element[key], list) else [element[key]])
        if isinstance(canonical, str)
    }
    assert len(named) >= 15
    assert named - published == set()


def test_every_code_of_our_own_systems_is_in_its_codesystem(wijk: dict[str, Resource]) -> None:
    systems = {
        item["url"]: {concept["code"]: concept["display"] for concept in item["concept"]}
        for item in of_type(wijk, "CodeSystem")
    }
    wrong = [
        (identity, path, element["code"])
        for identity, item in wijk.items()
        for path, element in elements(item)
        if str(element.get("system", "")).startswith(f"{BASE}/CodeSystem/")
        and "code" in element
        and (
            element["code"] not in systems.get(element["system"], {})
            or element.get("display", systems[element["system"]][element["code"]])
            != systems[element["system"]][element["code"]]
        )
    ]
    assert wrong == []


def test_every_bsn_passes_the_elfproef_and_is_used_once(wijk: dict[str, Resource]) -> None:
    numbers = [
        identifier["value"]
        for patient in of_type(wijk, "Patient")
        for identifier in patient["identifier"]
        if identifier["system"] == "http://fhir.nl/fhir/NamingSystem/bsn"
    ]
    assert len(set(numbers)) == len(numbers) == 12
    for number in numbers:
        assert re.fullmatch(r"9999\d{5}", number)
        digits = [int(digit) for digit in number]
        assert (sum(w * d for w, d in zip(range(9, 1, -1), digits[:8], strict=True)) - digits[8]) % 11 == 0


def test_a_bsn_stands_in_the_patient_and_nowhere_else(wijk: dict[str, Resource]) -> None:
    numbers = [patient["identifier"][0]["value"] for patient in of_type(wijk, "Patient")]
    elsewhere = [
        identity
        for identity, item in wijk.items()
        if item["resourceType"] != "Patient" and any(number in json.dumps(item) for number in numbers)
    ]
    assert elsewhere == []


def boundary_of(location: Resource) -> list[tuple[float, float]]:
    attachment = location["extension"][0]["valueAttachment"]
    assert attachment["contentType"] == "application/geo+json"
    geojson = json.loads(base64.b64decode(attachment["data"]))
    (ring,) = geojson["coordinates"]
    assert ring[0] == ring[-1]
    return [(longitude, latitude) for longitude, latitude in ring]


def is_inside(point: tuple[float, float], ring: list[tuple[float, float]]) -> bool:
    """Ray casting: a point is inside when a ray to the east crosses the ring an odd number of times."""
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1


def test_every_place_lies_inside_the_wijk_and_its_own_buurt(wijk: dict[str, Resource]) -> None:
    ring = boundary_of(wijk["Location/wijk-hoensbroek"])
    outside = []
    for location in of_type(wijk, "Location"):
        point = (location["position"]["longitude"], location["position"]["latitude"])
        if not is_inside(point, ring):
            outside.append(location["id"])
        parent = location.get("partOf", {}).get("reference", "")
        if parent.startswith("Location/buurt-") and not is_inside(point, boundary_of(wijk[parent])):
            outside.append(f"{location['id']} not in {parent}")
    assert outside == []
    assert not is_inside((5.98, 50.89), ring)


def test_the_ring_of_a_boundary_runs_counterclockwise(wijk: dict[str, Resource]) -> None:
    for location in of_type(wijk, "Location"):
        if "extension" in location:
            ring = boundary_of(location)
            assert sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(ring)) > 0, location["id"]


def test_every_offer_is_what_gf_adressering_asks(wijk: dict[str, Resource]) -> None:
    for item in of_type(wijk, "HealthcareService") + of_type(wijk, "Location"):
        (assigned,) = item["identifier"]
        assert assigned["use"] == "official"
        assigner = assigned["assigner"]["identifier"]
        assert assigner["system"].rsplit("/", 1)[1] in {"ura", "kvk"}
        assert assigner["type"]["coding"][0]["code"] == "custodian"
        assert item["type"]
        assert item["name"]
        assert "modifierExtension" not in item
    for offer in of_type(wijk, "HealthcareService"):
        assert offer["providedBy"]["reference"].startswith("Organization/")
        assert offer["location"]
        assert offer["availableTime"]
        assert offer["telecom"][0]["value"].startswith("+31450"), "no such number can be called"
        assert all(
            contact["value"].endswith(".example") for contact in offer["telecom"] if contact["system"] == "email"
        )
    for location in of_type(wijk, "Location"):
        assert location["status"] == "active"
        assert location["managingOrganization"]
    directory_ids = [
        item["identifier"][0]["value"] for item in of_type(wijk, "HealthcareService") + of_type(wijk, "Location")
    ]
    assert len(set(directory_ids)) == len(directory_ids)


def test_the_assigner_number_is_the_number_of_an_organization(wijk: dict[str, Resource]) -> None:
    numbers = {
        (identifier["system"], identifier["value"])
        for organization in of_type(wijk, "Organization")
        for identifier in organization.get("identifier", [])
    }
    for item in of_type(wijk, "HealthcareService") + of_type(wijk, "Location"):
        assigner = item["identifier"][0]["assigner"]["identifier"]
        assert (assigner["system"], assigner["value"]) in numbers


@pytest.mark.parametrize("resource_type", ["Patient", "RelatedPerson", "Practitioner"])
def test_names_follow_nl_core_name_information(wijk: dict[str, Resource], resource_type: str) -> None:
    for person in of_type(wijk, resource_type):
        official = [name for name in person["name"] if name["use"] == "official"]
        assert len(official) == 1
        for name in person["name"]:
            qualifiers = [given["extension"][0]["valueCode"] for given in name["_given"]]
            assert len(qualifiers) == len(name["given"])
            assert set(qualifiers) <= {"BR", "CL", "IN"}


def test_addresses_are_in_the_wijk_and_split_into_street_and_number(wijk: dict[str, Resource]) -> None:
    for item in of_type(wijk, "Patient") + of_type(wijk, "Location"):
        for address in item["address"] if isinstance(item.get("address"), list) else [item.get("address")]:
            if address:
                street, number = (part["valueString"] for part in address["_line"][0]["extension"])
                assert address["line"] == [f"{street} {number}"]
                assert re.fullmatch(r"643[1-3] [A-Z]{2}", address["postalCode"])


def test_answers_belong_to_questions_of_the_questionnaire(wijk: dict[str, Resource]) -> None:
    def link_ids(items: list[Resource]) -> set[str]:
        return {item["linkId"] for item in items} | {link for item in items for link in link_ids(item.get("item", []))}

    questionnaires = {item["url"]: link_ids(item["item"]) for item in of_type(wijk, "Questionnaire")}
    responses = of_type(wijk, "QuestionnaireResponse")
    assert len(responses) >= 12
    for response in responses:
        assert link_ids(response["item"]) <= questionnaires[response["questionnaire"]]


def test_the_first_result_can_be_recounted(wijk: dict[str, Resource]) -> None:
    """MeasureReport of `gesloten-verwijzingen`: Tasks with a focus, and those completed with an output."""
    referred = [task for task in of_type(wijk, "Task") if "focus" in task]
    closed = [task for task in referred if task["status"] == "completed" and "output" in task]
    report = wijk["MeasureReport/gesloten-verwijzingen-2026"]
    counts = {
        population["code"]["coding"][0]["code"]: population["count"] for population in report["group"][0]["population"]
    }
    assert counts == {
        "initial-population": len(referred),
        "denominator": len(referred),
        "numerator": len(closed),
    }


def test_every_entry_is_put_where_its_full_url_says(wijk_files: dict[Path, list[Resource]]) -> None:
    for path in wijk_files:
        bundle = json.loads(path.read_bytes())
        assert bundle["type"] == "transaction"
        for entry in bundle["entry"]:
            identity = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            assert entry["request"] == {"method": "PUT", "url": identity}
            assert entry["fullUrl"] == f"{BASE}/{identity}"

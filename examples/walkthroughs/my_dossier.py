"""A resident reads their own dossier, and can't tell whether the neighbour has one.

https://hl7.org/fhir/R4/patient-operation-everything.html
"""

import json

from examples import WIJK
from examples.walkthroughs.walk import (
    FHIR_JSON,
    Server,
    answer,
    expect,
    pages,
    resources,
    server_from_arguments,
    step,
    tell,
)

BLOOD_PRESSURE = "http://loinc.org|85354-9"
# About the resident, but not part of R4's Patient compartment: $everything may leave these out.
OUTSIDE_THE_COMPARTMENT = {"Binary", "VerificationResult"}


def walk(server: Server) -> None:
    annie = server.as_user("Patient/bewoner-01", "patient/*.rs")

    step("Who am I?")
    me = answer(annie.get("Patient/bewoner-01"))
    tell(f"{me['name'][0]['text']}, born {me['birthDate']}")
    expect(me["id"] == "bewoner-01", "I can read myself")

    step("Everything about me, page after page.")
    everything: list[str] = []
    along: set[str] = set()
    for bundle in pages(annie, "Patient/bewoner-01/$everything", {"_count": "40"}):
        everything += [f"{item['resourceType']}/{item['id']}" for item in resources(bundle, mode="match")]
        along |= {f"{item['resourceType']}/{item['id']}" for item in resources(bundle, mode="include")}
    on_file = {
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in json.loads((WIJK / "20-bewoner-01.json").read_bytes())["entry"]
        if entry["resource"]["resourceType"] not in OUTSIDE_THE_COMPARTMENT
    }
    tell(f"{len(everything)} resources about me, and {len(along)} people and places that they name")
    expect(on_file <= set(everything), f"all {len(on_file)} of my compartment are there")
    expect(len(everything) == len(set(everything)), "none of them twice")
    others = [one for one in {*everything, *along} if "bewoner-" in one and "bewoner-01" not in one]
    expect(not others, "nobody else's are")

    step("My blood pressure, latest first.")
    bundle = answer(annie.get("Observation", params={"code": BLOOD_PRESSURE, "_sort": "-date", "_total": "accurate"}))
    readings = resources(bundle, "Observation")
    for reading in readings:
        upper, lower = (part["valueQuantity"]["value"] for part in reading["component"])
        tell(f"{reading['effectiveDateTime'][:10]}  {upper}/{lower} mmHg")
    dates = [reading["effectiveDateTime"] for reading in readings]
    expect(len(dates) == 3 and dates == sorted(dates, reverse=True), "three readings, in that order")
    high = answer(
        annie.get(
            "Observation", params={"code-value-quantity": "http://loinc.org|29463-7$gt72|http://unitsofmeasure.org|kg"}
        )
    )
    expect([item["valueQuantity"]["value"] for item in resources(high)] == [72.9], "once I weighed more than 72 kg")

    step("My plans, with their goals, tasks and team.")
    bundle = answer(
        annie.get(
            "CarePlan",
            params={
                "status": "active",
                "_include": ["CarePlan:goal", "CarePlan:care-team", "CarePlan:activity-reference"],
            },
        )
    )
    for plan in resources(bundle, "CarePlan", "match"):
        tell(plan["title"])
    for goal in resources(bundle, "Goal", "include"):
        tell(f"  goal: {goal['description']['text']}")
    for task in resources(bundle, "Task", "include"):
        tell(f"  task: {task['description']} ({task['status']})")
    expect(len(resources(bundle, "CarePlan", "match")) == 2, "two plans")
    expect(len(resources(bundle, "Goal", "include")) == 2, "two goals")
    expect(len(resources(bundle, "Task", "include")) == 3, "three tasks")
    expect(len(resources(bundle, "CareTeam", "include")) == 1, "one team")

    step("Who may see what, by my own rules.")
    bundle = answer(annie.get("Consent", params={"status": "active", "_sort": "date"}))
    for consent in resources(bundle, "Consent"):
        tell(consent["id"].removeprefix("bewoner-01-toestemming-"))
    expect(len(resources(bundle, "Consent")) == 7, "seven rules of mine")

    step("My neighbour, and somebody who doesn't exist.")
    neighbour, nobody = annie.get("Patient/bewoner-07"), annie.get("Patient/bewoner-99")
    expect(neighbour.status_code == nobody.status_code == 404, "both answer 404")
    expect(neighbour.content == nobody.content, "with the same words")
    for query in ({"patient": "Patient/bewoner-07"}, {"code": "13645005"}):
        found = answer(annie.get("Condition", params={**query, "_total": "accurate"}))
        expect(found["total"] == 0 and not resources(found), "a search for the neighbour's problems finds none")
    through = answer(annie.get("Observation", params={"subject:Patient.name": "Coumans", "_total": "accurate"}))
    expect(through["total"] == 0, "nor does a search by the neighbour's name")

    step("A token for reading doesn't write.")
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Stemming"},
        "subject": {"reference": "Patient/bewoner-01"},
        "valueString": "Goed",
    }
    refused = annie.post("Observation", json=observation, headers={"Content-Type": FHIR_JSON})
    expect(refused.status_code == 403, "403")


if __name__ == "__main__":
    walk(server_from_arguments(__doc__))

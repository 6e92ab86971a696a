"""Find an open door nearby on the sociale kaart, without logging in.

https://hl7.org/fhir/R4/location.html#search (`near`), https://hl7.org/fhir/R4/search.html#chaining
"""

import json
import math

from examples import bundle_paths
from examples.author.elements import THO
from examples.walkthroughs.walk import (
    Resource,
    Server,
    answer,
    expect,
    pages,
    resources,
    server_from_arguments,
    step,
    tell,
)

LATITUDE, LONGITUDE, KILOMETRES = 50.925, 5.925, 0.8
DAY, TIME = "tue", "14:30:00"
NEIGHBOURHOOD_HOUSE = f"{THO}/service-type|390"


def distance_km(latitude: float, longitude: float) -> float:
    """Great-circle distance to where we stand."""
    phi, psi = math.radians(latitude), math.radians(LATITUDE)
    half = math.sin((phi - psi) / 2) ** 2
    half += math.cos(phi) * math.cos(psi) * math.sin(math.radians(longitude - LONGITUDE) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


def is_open(service: Resource, day: str, time: str) -> bool:
    return any(
        day in span["daysOfWeek"]
        and (span.get("allDay") or span["availableStartTime"] <= time < span["availableEndTime"])
        for span in service["availableTime"]
    )


def walk(server: Server) -> None:
    client = server.anonymous()
    near = f"{LATITUDE}|{LONGITUDE}|{KILOMETRES}|km"
    on_file = [
        entry["resource"]
        for entry in json.loads(bundle_paths()[0].read_bytes())["entry"]
        if entry["resource"]["resourceType"] in ("Location", "HealthcareService")
    ]
    expected = {
        item["id"]: distance_km(item["position"]["latitude"], item["position"]["longitude"])
        for item in on_file
        if item["resourceType"] == "Location"
    }
    nearby = {place for place, kilometres in expected.items() if kilometres <= KILOMETRES}

    step(f"Which places are within {KILOMETRES} km of {LATITUDE}, {LONGITUDE}? In pages of seven.")
    found: list[str] = []
    for number, bundle in enumerate(pages(client, "Location", {"near": near, "_count": "7"}), start=1):
        places = resources(bundle, "Location", "match")
        found += [place["id"] for place in places]
        tell(f"page {number}: " + ", ".join(place["name"] for place in places))
        expect(len(places) <= 7, "a page holds at most seven")
    expect(len(found) == len(set(found)), "no place comes twice")
    expect(set(found) == nearby, f"these are the {len(nearby)} places that geometry says")
    expect("voedselbank" not in found, f"the food bank is {expected['voedselbank']:.2f} km away and is not among them")

    step("Which drop-ins are there? (HealthcareService by the distance of its Location)")
    bundle = answer(
        client.get(
            "HealthcareService",
            params={
                "location.near": near,
                "service-type": NEIGHBOURHOOD_HOUSE,
                "active": "true",
                "_include": "HealthcareService:location",
                "_total": "accurate",
            },
        )
    )
    drop_ins = resources(bundle, "HealthcareService", "match")
    included = {f"Location/{place['id']}": place for place in resources(bundle, "Location", "include")}
    for drop_in in drop_ins:
        tell(f"{drop_in['name']}: {drop_in['comment']}")
    should_be = {
        item["id"]
        for item in on_file
        if item["resourceType"] == "HealthcareService"
        and item["active"]
        and item["type"][0]["coding"][0]["code"] == "390"
        and item["location"][0]["reference"].split("/")[1] in nearby
    }
    expect(
        {drop_in["id"] for drop_in in drop_ins} == should_be and len(should_be) >= 1, f"they are {sorted(should_be)}"
    )
    expect(bundle["total"] == len(drop_ins), "the total says so too")
    expect(all(drop_in["location"][0]["reference"] in included for drop_in in drop_ins), "each brings its place along")

    step("Which of them are open on a Tuesday at half past two?")
    doors = [drop_in for drop_in in drop_ins if is_open(drop_in, DAY, TIME)]
    for door in doors:
        place = included[door["location"][0]["reference"]]
        metres = 1000 * distance_km(place["position"]["latitude"], place["position"]["longitude"])
        tell(f"{door['name']}, {place['address']['line'][0]}, {metres:.0f} m, {door['telecom'][0]['value']}")
    expect(any(door["id"] == "inloop-huiskamer" for door in doors), "De Huiskamer is open")

    step("Everything with a word in its name, in order of name.")
    bundle = answer(
        client.get("HealthcareService", params={"name:contains": "spreekuur", "_sort": "name", "_count": "50"})
    )
    names = [service["name"] for service in resources(bundle, "HealthcareService")]
    tell(", ".join(names))
    expect(len(names) >= 8 and all("spreekuur" in name.lower() for name in names), "all are consulting hours")

    step("People and dossiers are not on the map.")
    refusals = {path: client.get(path) for path in ("Patient/bewoner-01", "Patient/niemand", "Practitioner", "Consent")}
    for path, response in refusals.items():
        expect(response.status_code == 401, f"{path} answers 401")
        expect("www-authenticate" in response.headers, "and says how to log in")
    expect(
        refusals["Patient/bewoner-01"].content == refusals["Patient/niemand"].content,
        "the answer for somebody who lives here is the answer for nobody",
    )


if __name__ == "__main__":
    walk(server_from_arguments(__doc__))

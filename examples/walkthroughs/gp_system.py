"""A GP's system exchanges: find the patient, create once, update safely, a transaction, a patch.

The patient is Sjef Coumans, whose Consents let his lung team read, add and correct; the GP is in it.
https://hl7.org/fhir/R4/http.html#cond-update, https://hl7.org/fhir/R4/http.html#concurrency
"""

import uuid

import httpx

from examples.author.elements import BASE, LOINC, NAMING, UCUM, bsn
from examples.walkthroughs.walk import (
    FHIR_JSON,
    Resource,
    Server,
    answer,
    expect,
    resources,
    server_from_arguments,
    step,
    tell,
)

GP = "PractitionerRole/huisarts-vermeulen"
HEADERS = {"Content-Type": FHIR_JSON, "Prefer": "return=representation"}


def walk(server: Server) -> None:
    gp = server.as_user(GP, "user/*.cruds", purpose="TREAT", client="his-esdoorn")
    patient = find_patient(gp)
    reading = create_once(gp, patient)
    update_safely(gp, reading)
    condition = transaction(gp, patient)
    patch(gp, patient, condition)


def find_patient(gp: httpx.Client) -> str:
    step("Find a patient by BSN: in the body of a POST, never in a URL.")
    number = bsn(7)
    bundle = answer(
        gp.post(
            "Patient/_search", data={"identifier": f"{NAMING}/bsn|{number}", "_elements": "id", "_total": "accurate"}
        )
    )
    (patient,) = resources(bundle, "Patient")
    expect(patient["id"] == "bewoner-07" and bundle["total"] == 1, "one patient answers to it")
    expect("birthDate" not in patient, "and only what was asked for came along")
    expect(all(number not in link["url"] for link in bundle.get("link", [])), "the number is in no link")
    return f"Patient/{patient['id']}"


def create_once(gp: httpx.Client, patient: str) -> Resource:
    step("Create a blood pressure once, however often it is sent.")
    identity = {"system": f"{BASE}/NamingSystem/his-esdoorn", "value": str(uuid.uuid4())}
    reading: Resource = {
        "resourceType": "Observation",
        "identifier": [identity],
        "status": "preliminary",
        "code": {"coding": [{"system": LOINC, "code": "8480-6"}], "text": "Bovendruk"},
        "subject": {"reference": patient},
        "effectiveDateTime": "2026-11-20T10:00:00+01:00",
        "performer": [{"reference": GP}],
        "valueQuantity": {"value": 136, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
    }
    once = {**HEADERS, "If-None-Exist": f"identifier={identity['system']}|{identity['value']}"}
    first = gp.post("Observation", json=reading, headers=once)
    created = answer(first, 201)
    expect(first.headers["location"].endswith(f"Observation/{created['id']}/_history/1"), "created, version 1")
    second = gp.post("Observation", json=reading, headers=once)
    again = answer(second, 200)
    expect(again["id"] == created["id"] and again["meta"]["versionId"] == "1", "sent again: the same one, not a second")
    return created


def update_safely(gp: httpx.Client, reading: Resource) -> None:
    step("Update, but only what I saw.")
    url = f"Observation/{reading['id']}"
    read = gp.get(url)
    seen = answer(read)
    expect(read.headers["etag"] == 'W/"1"', 'the ETag is W/"1"')
    final = {**seen, "status": "final"}
    updated = gp.put(url, json=final, headers={**HEADERS, "If-Match": read.headers["etag"]})
    expect(answer(updated)["meta"]["versionId"] == "2", "now it is version 2")
    late = gp.put(url, json={**seen, "status": "amended"}, headers={**HEADERS, "If-Match": 'W/"1"'})
    outcome = answer(late, 412)
    expect(
        outcome["resourceType"] == "OperationOutcome", "whoever still has version 1 gets 412, with an OperationOutcome"
    )
    expect(answer(gp.get(url))["status"] == "final", "and has changed nothing")
    expect(answer(gp.get(f"{url}/_history/1"))["status"] == "preliminary", "version 1 can still be read")
    unchanged = gp.get(url, headers={"If-None-Match": updated.headers["etag"]})
    expect(unchanged.status_code == 304, "nothing new: 304")


def transaction(gp: httpx.Client, patient: str) -> str:
    step("A visit in one transaction: contact, problem and measurement that refer to one another.")
    visit, problem, weight = (f"urn:uuid:{uuid.uuid4()}" for _ in range(3))
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": weight,
                "request": {"method": "POST", "url": "Observation"},
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"coding": [{"system": LOINC, "code": "29463-7"}]},
                    "subject": {"reference": patient},
                    "encounter": {"reference": visit},
                    "effectiveDateTime": "2026-11-20T10:05:00+01:00",
                    "valueQuantity": {"value": 89.5, "unit": "kg", "system": UCUM, "code": "kg"},
                },
            },
            {
                "fullUrl": problem,
                "request": {"method": "POST", "url": "Condition"},
                "resource": {
                    "resourceType": "Condition",
                    "clinicalStatus": {
                        "coding": [
                            {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
                        ]
                    },
                    "code": {"text": "Voetwondje"},
                    "subject": {"reference": patient},
                    "encounter": {"reference": visit},
                    "recordedDate": "2026-11-20",
                },
            },
            {
                "fullUrl": visit,
                "request": {"method": "POST", "url": "Encounter"},
                "resource": {
                    "resourceType": "Encounter",
                    "status": "finished",
                    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                    "subject": {"reference": patient},
                    "participant": [{"individual": {"reference": GP}}],
                    "period": {"start": "2026-11-20T10:00:00+01:00", "end": "2026-11-20T10:20:00+01:00"},
                    "diagnosis": [{"condition": {"reference": problem}}],
                },
            },
        ],
    }
    outcome = answer(gp.post("", json=bundle, headers=HEADERS))
    expect(outcome["type"] == "transaction-response", "a transaction-response")
    expect(
        [entry["response"]["status"][:3] for entry in outcome["entry"]] == ["201"] * 3,
        "three times created, in my order",
    )
    weighed, condition, encounter = (
        "/".join(entry["response"]["location"].split("/_history/")[0].split("/")[-2:]) for entry in outcome["entry"]
    )
    tell(f"{encounter}, {condition}, {weighed}")
    expect(answer(gp.get(weighed))["encounter"]["reference"] == encounter, "the measurement refers to the real contact")
    expect(
        answer(gp.get(encounter))["diagnosis"][0]["condition"]["reference"] == condition,
        "and the contact to the problem",
    )

    step("A transaction with one fault leaves nothing behind.")
    counted = {"subject": patient, "_summary": "count"}
    before = answer(gp.get("Encounter", params=counted))["total"]
    del bundle["entry"][0]["resource"]["status"]  # type: ignore[index]
    broken = gp.post("", json=bundle, headers=HEADERS)
    expect(broken.status_code in (400, 422), f"refused with {broken.status_code}")
    expect("Bundle.entry[0]" in broken.text, "the faulty entry is named")
    expect(answer(gp.get("Encounter", params=counted))["total"] == before, "there is no contact more than before")
    return condition


def patch(gp: httpx.Client, patient: str, condition: str) -> None:
    step("Hand out a task, and patch its status as it goes.")
    task: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "description": "Voetwond controleren",
        "focus": {"reference": condition},
        "for": {"reference": patient},
        "authoredOn": "2026-11-20T10:15:00+01:00",
        "lastModified": "2026-11-20T10:15:00+01:00",
        "requester": {"reference": GP},
        "owner": {"reference": "PractitionerRole/wijkverpleegkundige-jansen"},
    }
    created = gp.post("Task", json=task, headers=HEADERS)
    url = f"Task/{answer(created, 201)['id']}"
    change = [
        {"op": "test", "path": "/status", "value": "requested"},
        {"op": "replace", "path": "/status", "value": "accepted"},
    ]
    headers = {"Content-Type": "application/json-patch+json", "Prefer": "return=representation"}
    patched = gp.patch(url, json=change, headers={**headers, "If-Match": created.headers["etag"]})
    expect(answer(patched)["status"] == "accepted", "requested, then accepted")
    stale = gp.patch(url, json=change, headers={**headers, "If-Match": created.headers["etag"]})
    expect(stale.status_code == 412, "a patch on a version that has gone: 412")
    invalid = gp.patch(url, json=[{"op": "replace", "path": "/status", "value": "klaar"}], headers=headers)
    expect(invalid.status_code in (400, 422), f"a status that FHIR doesn't know: {invalid.status_code}")
    expect(answer(gp.get(url))["meta"]["versionId"] == "2", "two versions, no more")


if __name__ == "__main__":
    walk(server_from_arguments(__doc__))

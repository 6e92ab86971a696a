"""A referral to welfare that comes back: asked, accepted, done, and one that is refused with a reason.

The patient is Sjef Coumans. His lung team, with the GP in it, may add and correct; he lets the debt counsellor work on
this one referral. https://hl7.org/fhir/R4/task.html
"""

from typing import Any

import httpx

from examples.author.elements import ACT_CODE, BASE, LOINC, THO
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
DEBT_COUNSELLOR = "PractitionerRole/schuldhulpverlener-bouzid"
RESIDENT = "Patient/bewoner-07"
AUTHORED = "2026-11-20T11:00:00+01:00"


def walk(server: Server) -> None:
    gp = server.as_user(GP, "user/*.cruds", purpose="TREAT", client="his-esdoorn")
    welfare = server.as_user(
        DEBT_COUNSELLOR, "user/Task.rus user/ServiceRequest.rs", purpose="COC", client="schuldhulp"
    )
    resident = server.as_user(RESIDENT, "patient/*.cruds")

    step("The GP refers to the financial desk: a request, and a task for whoever takes it up.")
    request, task = refer(gp, "Kunt u langs het financieel spreekuur gaan? Neem uw post mee.")
    tell(f"{request} and {task}")

    step("The resident says yes: the debt counsellor may see this request and what comes of it, and work on that.")
    expect(welfare.get(task).status_code == 404, "before that there is no such task")
    say_yes(resident, request)
    expect(welfare.get(task).status_code == 200, "now there is")

    step("The debt counsellor finds what is waiting.")
    bundle = answer(
        welfare.get("Task", params={"owner": DEBT_COUNSELLOR, "status": "requested", "_include": "Task:focus"})
    )
    waiting = {f"Task/{item['id']}": item for item in resources(bundle, "Task", "match")}
    expect(task in waiting, "the new task is among it")
    asked = {f"ServiceRequest/{item['id']}": item for item in resources(bundle, "ServiceRequest", "include")}
    expect(asked[request]["patientInstruction"].startswith("Kunt u langs"), "with what was asked")
    expect("reasonReference" not in asked[request], "and without a diagnosis")
    expect(welfare.get("Condition").status_code == 403, "diagnoses are out of reach: the token has no scope for them")

    step("Accepted, started, done: each step is one patch.")
    for status in ("accepted", "in-progress"):
        change(welfare, task, [{"op": "replace", "path": "/status", "value": status}])
        expect(tasks_of(gp, request) == {task: status}, f"the GP sees: {status}")
    change(
        welfare,
        task,
        [
            {"op": "replace", "path": "/status", "value": "completed"},
            {
                "op": "add",
                "path": "/output",
                "value": [{"type": {"text": "Terugkoppeling"}, "valueString": "Toeslag aangevraagd, geen schulden."}],
            },
        ],
    )
    done = answer(gp.get(task))
    expect(done["status"] == "completed", "the GP sees: completed")
    expect(done["output"][0]["valueString"].startswith("Toeslag"), "and what came of it")

    step("The GP closes the request.")
    seen = gp.get(request)
    closed = gp.put(
        request,
        json={**answer(seen), "status": "completed"},
        headers={"Content-Type": FHIR_JSON, "If-Match": seen.headers["etag"]},
    )
    expect(closed.status_code == 200, "closed")

    step("A second referral is refused, with a reason.")
    request, task = refer(gp, "Budgetcoaching in de avond.")
    say_yes(resident, request)
    change(
        welfare,
        task,
        [
            {"op": "replace", "path": "/status", "value": "rejected"},
            {"op": "add", "path": "/statusReason", "value": {"text": "In de avond is er geen coach; maandag wel."}},
        ],
    )
    refused = answer(gp.get(task))
    expect(refused["status"] == "rejected" and "maandag" in refused["statusReason"]["text"], "the GP reads why")

    step("The resident sees the whole story, every version of it.")
    mine = answer(resident.get("Task", params={"focus": request, "_total": "accurate"}))
    expect(mine["total"] == 1, "the refused one")
    history = answer(resident.get(f"Task/{done['id']}/_history"))
    statuses = [entry["resource"]["status"] for entry in history["entry"]]
    tell(" <- ".join(statuses))
    expect(statuses == ["completed", "in-progress", "accepted", "requested"], "four versions, latest first")


def refer(gp: httpx.Client, instruction: str) -> tuple[str, str]:
    """Creates ServiceRequest and Task in one transaction; their references."""
    theme = {
        "coding": [{"system": f"{BASE}/CodeSystem/wijkthema", "code": "geldzaken", "display": "Hulp bij geldzaken"}]
    }
    request: Resource = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": theme,
        "subject": {"reference": RESIDENT},
        "authoredOn": AUTHORED,
        "requester": {"reference": GP},
        "performer": [{"reference": "HealthcareService/financieel-spreekuur"}],
        "patientInstruction": instruction,
    }
    task: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": "urn:uuid:5f6b2f0e-3a52-4d0c-9b0e-6c7d0c6f6a01"},
        "for": {"reference": RESIDENT},
        "authoredOn": AUTHORED,
        "lastModified": AUTHORED,
        "requester": {"reference": GP},
        "owner": {"reference": DEBT_COUNSELLOR},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:5f6b2f0e-3a52-4d0c-9b0e-6c7d0c6f6a01",
                "request": {"method": "POST", "url": "ServiceRequest"},
                "resource": request,
            },
            {
                "fullUrl": "urn:uuid:0d7f2c92-6a0f-4f5e-8a3c-1b9e5d2c7b02",
                "request": {"method": "POST", "url": "Task"},
                "resource": task,
            },
        ],
    }
    outcome = answer(gp.post("", json=bundle, headers={"Content-Type": FHIR_JSON}))
    locations = [entry["response"]["location"].split("/_history/")[0] for entry in outcome["entry"]]
    made = tuple("/".join(location.split("/")[-2:]) for location in locations)
    return made[0], made[1]


def say_yes(resident: httpx.Client, request: str) -> None:
    """The resident's Consent for one referral: the request, and what refers to it."""
    consent: Resource = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": f"{THO}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": LOINC, "code": "59284-0"}]}],
        "patient": {"reference": RESIDENT},
        "performer": [{"reference": RESIDENT}],
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "OPTIN"}]},
        "provision": {
            "type": "permit",
            "actor": [
                {
                    "role": {"coding": [{"system": f"{THO}/v3-ParticipationType", "code": "PRCP"}]},
                    "reference": {"reference": DEBT_COUNSELLOR},
                }
            ],
            "action": [
                {"coding": [{"system": f"{THO}/consentaction", "code": code}]} for code in ("access", "correct")
            ],
            "purpose": [{"system": f"{THO}/v3-ActReason", "code": "COC"}],
            "data": [{"meaning": "dependents", "reference": {"reference": request}}],
        },
    }
    answer(resident.post("Consent", json=consent, headers={"Content-Type": FHIR_JSON}), 201)


def change(client: httpx.Client, task: str, operations: list[dict[str, Any]]) -> None:
    """A JSON Patch on the version that was just read."""
    seen = client.get(task)
    answer(seen)
    headers = {"Content-Type": "application/json-patch+json", "If-Match": seen.headers["etag"]}
    answer(client.patch(task, json=operations, headers=headers), 200, 204)


def tasks_of(gp: httpx.Client, request: str) -> dict[str, str]:
    """Task → status, found by way of the request they are about."""
    bundle = answer(gp.get("ServiceRequest", params={"_id": request.split("/")[1], "_revinclude": "Task:focus"}))
    return {f"Task/{item['id']}": item["status"] for item in resources(bundle, "Task", "include")}


if __name__ == "__main__":
    walk(server_from_arguments(__doc__))

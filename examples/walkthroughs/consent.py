"""The patient decides: what a GP sees of what was opened, and what nobody sees of the rest.

Ruben Willems shares his dossier with whoever treats him, but not what is about hiv: that is for his internist. He
takes it back while his GP is reading, and gives it again. Kim Franssen says yes to a proposal, and no again. Annie
Huijnen lets her neighbour see the one task that he does. A doctor on duty opens Ruben's dossier in an emergency.
The server runs with base policy `deny`.
https://hl7.org/fhir/R4/consent.html
"""

from datetime import date, timedelta
from typing import Any

import httpx

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

RUBEN = "bewoner-03"
GP = "PractitionerRole/huisarts-el-amrani"
INTERNIST = "PractitionerRole/internist-okafor"
ON_DUTY = "PractitionerRole/huisarts-wetzels"
NEIGHBOUR = "RelatedPerson/bewoner-01-buur"
HIV, HAY_FEVER = "Condition/bewoner-03-hiv", "Condition/bewoner-03-hooikoorts"
SHARED = "Consent/bewoner-03-toestemming-behandelaars"
TASK = "Task/bewoner-01-taak-boodschappen"
# https://dicom.nema.org/medical/dicom/current/output/chtml/part16/sect_CID_401.html
BREAK_GLASS = "110127"
REASON = "Bewusteloos binnengebracht, niet aanspreekbaar."


def walk(server: Server) -> None:
    ruben = server.as_user("Patient/bewoner-03", "patient/*.cruds")
    gp = server.as_user(GP, "user/*.rs", purpose="TREAT", client="his-mijnlamp")
    reads_what_was_opened(server, gp)
    explains(ruben)
    revokes(ruben, gp)
    no_professional_lets_themself_in(server)
    neighbour(server)
    emergency(server, ruben)


def reads_what_was_opened(server: Server, gp: httpx.Client) -> None:
    step("Ruben's GP reads what Ruben has opened.")
    for reading in resources(answer(gp.get("Condition", params={"patient": RUBEN}))):
        tell(reading["code"]["text"])
    expect(answer(gp.get(HAY_FEVER))["code"]["text"] == "Hooikoorts", "the hay fever can be read")
    expect(total(gp, "Condition", RUBEN) == 1, "and is the one diagnosis there is: the total is 1")

    step("The rest does not exist for the GP, in whatever way it is asked for.")
    hidden, never_there = gp.get(HIV), gp.get("Condition/nooit-geweest")
    expect(hidden.status_code == never_there.status_code == 404, "a hidden diagnosis answers 404")
    expect(hidden.content == never_there.content, "word for word like one that never was")
    history, no_history = gp.get(f"{HIV}/_history"), gp.get("Condition/nooit-geweest/_history")
    expect(
        (history.status_code, history.content) == (no_history.status_code, no_history.content), "so does its history"
    )
    internist = server.as_user(INTERNIST, "user/*.rs", purpose="TREAT", client="epd-parkdal")
    all_of_it = total(internist, "Observation", RUBEN)
    tell(f"measurements: {total(gp, 'Observation', RUBEN)} for the GP, {all_of_it} for the internist")
    expect(total(internist, "Condition", RUBEN) == 2, "the internist, whom Ruben excepts by name, sees both diagnoses")
    expect(total(gp, "Observation", RUBEN) == all_of_it - 6, "the GP's total leaves out exactly the six about hiv")
    found = answer(gp.get("Encounter", params={"patient": RUBEN, "_include": "Encounter:reason-reference"}))
    expect(not resources(found), "no contact brings the diagnosis along")
    through = {"patient": RUBEN, "reason-reference:Condition.code": "86406008", "_total": "accurate"}
    expect(answer(gp.get("Encounter", params=through))["total"] == 0, "nor does a search find anything through it")

    step("For another purpose the same GP sees nothing.")
    for_marketing = server.as_user(GP, "user/*.rs", purpose="HMARKT", client="his-mijnlamp")
    expect(for_marketing.get("Patient/bewoner-03").status_code == 404, "for marketing there is no such patient")
    expect(total(for_marketing, "CarePlan", RUBEN) == 0, "and there are no plans")


def explains(ruben: httpx.Client) -> None:
    step("Ruben asks why his GP can't see the diagnosis, and why the internist can.")
    for who, effect in ((GP, "deny"), (INTERNIST, "permit")):
        asked = {"actor": who, "purpose": "TREAT", "resource": HIV}
        said = answer(ruben.get("Patient/bewoner-03/$explain-access", params=asked))
        dutch, english = sentences(said, "nl"), sentences(said, "en")
        tell(f"{who.split('/')[1]}:")
        for language in (dutch, english):
            tell("  " + " ".join(language[:3]))
        expect(effect in values(said, "effect"), f"the answer is: {effect}")
        expect(any("Dit mag" in one for one in dutch), "it is said in Dutch")
        expect(any("allowed" in one for one in english), "and in English")


def revokes(ruben: httpx.Client, gp: httpx.Client) -> None:
    step("The GP is reading, page by page, when Ruben takes it back.")
    page = answer(gp.get("Observation", params={"patient": RUBEN, "_count": "3", "_total": "accurate"}))
    expect(len(resources(page)) == 3 and page["total"] == 10, "the first page has 3 of 10 measurements")
    export = answer(gp.get("Patient/bewoner-03/$everything", params={"_count": "5"}))
    expect(len(resources(export, mode="match")) == 5, "the first page of the whole dossier has 5")
    tell("There is no bulk export yet: $everything, page after page, is how a dossier is taken along.")
    shared = ruben.get(SHARED)
    ended = {**answer(shared), "status": "inactive"}
    answer(put(ruben, ended, shared.headers["etag"]))
    tell("Ruben sets his Consent to inactive.")
    expect(gp.get("Patient/bewoner-03").status_code == 404, "the very next request finds no such patient")
    expect(total(gp, "Immunization", RUBEN) == 0, "the next search counts no vaccinations")
    rest = shown(gp.get(following(page)))
    expect(all(written_by(one, GP) for one in rest), "the next page has no measurement by anybody else")
    expect(all(written_by(one, GP) for one in shown(gp.get(following(export)))), "nor has the next page of the dossier")
    expect(total(gp, "Observation", RUBEN) == 2, "what the GP measured himself, twice, he can read back")

    step("Ruben gives it again.")
    closed = ruben.get(SHARED)
    warned = put(ruben, {**answer(closed), "status": "active"}, closed.headers["etag"])
    (first, *_) = (issue for issue in answer(warned)["issue"] if issue["severity"] == "warning")
    tell(f"The server warns: {first['diagnostics']}.")
    expect("says the opposite" in first["diagnostics"], "he is told where another Consent of his says the opposite")
    expect(total(gp, "Observation", RUBEN) == 10, "the GP sees ten measurements at once")
    versions = answer(ruben.get(f"{SHARED}/_history"))
    statuses = [entry["resource"]["status"] for entry in versions["entry"]]
    expect(statuses[:3] == ["active", "inactive", "active"], "every version of the Consent is kept")


def no_professional_lets_themself_in(server: Server) -> None:
    step("A professional can't let themself in: what they record waits for the resident.")
    kim = server.as_user("Patient/bewoner-10", "patient/*.cruds")
    learning = server.as_user("Organization/leerhuis-wijkzorg", "user/*.rs", purpose="COC", client="leerhuis")
    proposal = kim.get("Consent/bewoner-10-toestemming-werkplek-voorstel")
    expect(answer(proposal)["status"] == "proposed", "the learning centre has proposed to see Kim's plan")
    expect(total(learning, "CarePlan") == 0, "that does nothing by itself")
    # In her own name: a Consent that a professional performed never favours that professional.
    accepted = {**answer(proposal), "status": "active", "performer": [{"reference": "Patient/bewoner-10"}]}
    preview = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": accepted}]}
    shown_before = answer(kim.post("Consent/$preview", json=preview, headers={"Content-Type": FHIR_JSON}))
    opened = [line for line in values(shown_before, "sentence") if "Leerhuis" in line]
    for line in opened:
        tell(line)
    expect(any("meer zien" in line for line in opened), "Kim looks first: it would open her plan to them")
    expect(total(learning, "CarePlan") == 0, "and looking changes nothing")
    answer(put(kim, accepted, proposal.headers["etag"]))
    expect(total(learning, "CarePlan") == 1, "Kim says yes: they see her plan")
    expect(total(learning, "Condition") == 0, "and no diagnosis")
    yes = kim.get(proposal.request.url)
    answer(put(kim, answer(proposal), yes.headers["etag"]))
    expect(total(learning, "CarePlan") == 0, "Kim changes her mind: they see nothing")


def neighbour(server: Server) -> None:
    step("Annie's neighbour sees the task that he does for her, as long as he does it, and no diagnosis.")
    annie = server.as_user("Patient/bewoner-01", "patient/*.cruds")
    sjef = server.as_user(NEIGHBOUR, "user/*.rs", client="burennetwerk")
    lasts_until(annie, date.today() + timedelta(days=60))
    bundle = answer(sjef.get("Task", params={"_include": ["Task:subject", "Task:owner"], "_total": "accurate"}))
    for task in resources(bundle, "Task"):
        tell(task["description"])
    expect(bundle["total"] == 1 and len(resources(bundle, "Task")) == 1, "one task")
    expect({one["resourceType"] for one in resources(bundle)} == {"Task"}, "that brings nobody's record along")
    expect(answer(sjef.get(TASK))["for"]["reference"] == "Patient/bewoner-01", "it says whom it is for")
    for kind in ("Condition", "Observation", "MedicationRequest", "CarePlan", "DocumentReference", "Consent"):
        expect(total(sjef, kind) == 0, f"no {kind}")
    expect(sjef.get("Patient/bewoner-01").status_code == 404, "not even Annie's address")
    lasts_until(annie, date.today() - timedelta(days=1))
    expect(sjef.get(TASK).status_code == 404, "when the period has ended, the task is gone for him")
    lasts_until(annie, date.today() + timedelta(days=60))


def emergency(server: Server, ruben: httpx.Client) -> None:
    step("A doctor on duty opens Ruben's dossier in an emergency.")
    doctor = server.as_user(ON_DUTY, "user/*.rs", purpose="TREAT", client="his-lindehof")
    expect(total(doctor, "Observation", RUBEN) == 0, "without an emergency there is nothing to see")
    pressed = parameters(reason=("valueString", REASON), minutes=("valueInteger", 15))
    window = answer(
        doctor.post("Patient/bewoner-03/$emergency-access", json=pressed, headers={"Content-Type": FHIR_JSON})
    )
    token = values(window, "access_token")[0]
    with httpx.Client(base_url=doctor.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as button:
        measured = answer(button.get("Observation", params={"_total": "accurate"}))
        expect(measured["total"] == len(resources(measured)) == 10, "with the button, and a reason, ten measurements")
        expect(answer(button.get(HAY_FEVER))["id"] == "bewoner-03-hooikoorts", "and the hay fever")
        expect(button.get(HIV).status_code == 404, "what Ruben keeps closed in emergencies too stays closed")
        expect(total(button, "Condition", "bewoner-02") == 0, "nobody else's dossier is opened")
    expect(doctor.get(HAY_FEVER).status_code == 404, "the doctor's own token opens what it opened before")

    step("Ruben is told, and sees in his log who looked.")
    (message, *_) = resources(answer(ruben.get("Communication", params={"_sort": "-sent"})))
    for text in message["payload"]:
        tell(text["contentString"])
    expect(REASON in message["payload"][0]["contentString"], "he has a message with the doctor's reason")
    marked = resources(answer(ruben.get("AuditEvent", params={"subtype": BREAK_GLASS, "_sort": "-date"})))
    kinds = {event["subtype"][0]["code"] for event in marked}
    expect(
        {"operation", "search-type", "read"} <= kinds, "the button, the search and the read stand in his log, marked"
    )
    expect({who_asked(event) for event in marked} == {ON_DUTY}, "with who asked")
    expect(REASON in str(marked[-1].get("purposeOfEvent")), "and why")
    log = answer(ruben.get("Patient/bewoner-03/$access-log", params={"_count": "12"}))
    lines = [str(line) for line in values(log, "sentence")]
    for line in lines[:10]:
        tell(line)
    expect(any("met de noodknop" in line for line in lines), "the log says it in Dutch")
    expect(any("emergency button" in line for line in lines), "and in English")


def who_asked(event: Resource) -> str:
    """The one who asked for what an AuditEvent is of."""
    (requestor,) = (agent for agent in event["agent"] if agent["requestor"])
    return str(requestor["who"]["reference"])


def lasts_until(annie: httpx.Client, end: date) -> None:
    """Annie sets the last day on which her neighbour sees the task."""
    seen = annie.get("Consent/bewoner-01-toestemming-buur")
    consent = answer(seen)
    (task,) = consent["provision"]["provision"]
    task["period"]["end"] = end.isoformat()
    answer(put(annie, consent, seen.headers["etag"]))
    tell(f"Annie sets the last day to {end}.")


def put(client: httpx.Client, resource: Resource, etag: str) -> httpx.Response:
    """An update of exactly the version that was read; the answer tells what the server has to say about it."""
    headers = {"Content-Type": FHIR_JSON, "If-Match": etag, "Prefer": "return=OperationOutcome"}
    return client.put(f"{resource['resourceType']}/{resource['id']}", json=resource, headers=headers)


def total(client: httpx.Client, kind: str, patient: str = "") -> int:
    """How many of a kind the server counts for this client, of one patient or of everybody."""
    params = {"_summary": "count"} | ({"patient": patient} if patient else {})
    count: int = answer(client.get(kind, params=params))["total"]
    return count


def following(bundle: Resource) -> str:
    """The address of the next page."""
    (url,) = (link["url"] for link in bundle["link"] if link["relation"] == "next")
    return str(url)


def written_by(resource: Resource, who: str) -> bool:
    """Whether it says so itself."""
    makers = [
        resource.get("asserter"),
        resource.get("requester"),
        resource.get("author"),
        *resource.get("performer", []),
    ]
    return {"reference": who} in makers


def shown(response: httpx.Response) -> list[Resource]:
    """The resources in an answer; a 404 has none."""
    return resources(answer(response, 200, 404))


def parameters(**named: tuple[str, Any]) -> Resource:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, kind: value} for name, (kind, value) in named.items()],
    }


def values(found: Resource, name: str) -> list[Any]:
    """The values of all parameters of this name, parts included."""
    result, waiting = [], list(found.get("parameter", []))
    while waiting:
        one = waiting.pop(0)
        waiting += one.get("part", [])
        if one["name"] == name:
            result += [value for key, value in one.items() if key.startswith("value")]
    return result


def sentences(said: Resource, language: str) -> list[str]:
    """The decision in words, in one of the languages."""
    (decision,) = (one for one in said["parameter"] if one["name"] == "decision")
    texts = [{"parameter": one["part"]} for one in decision["part"] if one["name"] == "text"]
    (text,) = (one for one in texts if values(one, "language") == [language])
    return [str(sentence) for sentence in values(text, "sentence")]


if __name__ == "__main__":
    walk(server_from_arguments(__doc__))

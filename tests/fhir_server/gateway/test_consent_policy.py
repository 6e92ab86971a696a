"""The patient's Consents, on every read and write of a running server: who sees what, at once and everywhere."""

from typing import Any

import pytest

from fhir_server.interactions.load import Loaded, load_resources
from tests.fhir_server.inprocess import Caller, House, observation, opened, organization, patient

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
THO = "http://terminology.hl7.org/CodeSystem/"
GP_ROLE = {"system": "http://fhir.nl/fhir/NamingSystem/uzi-rolcode", "code": "01.015"}
SCOPE = "user/*.cruds"


def by(reference: str) -> Json:
    """An actor of a provision."""
    return {
        "role": {"coding": [{"system": THO + "v3-ParticipationType", "code": "IRCP"}]},
        "reference": {"reference": reference},
    }


def by_role() -> Json:
    """Everybody in the role of a general practitioner."""
    return {
        "role": {"coding": [{"system": THO + "v3-ParticipationType", "code": "IRCP"}]},
        "reference": {
            "type": "PractitionerRole",
            "identifier": {"system": GP_ROLE["system"], "value": GP_ROLE["code"]},
        },
    }


def consent(id: str, provision: Json, patient_id: str = "p", status: str = "active", **more: Any) -> Json:
    return {
        "resourceType": "Consent",
        "id": id,
        "status": status,
        "scope": {"coding": [{"system": THO + "consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient_id}"},
        "policyRule": {"coding": [{"system": THO + "v3-ActCode", "code": "OPTOUT"}]},
        "provision": provision,
        **more,
    }


def permit(*actors: Json, **more: Any) -> Json:
    return {"provision": [{"type": "permit", "actor": list(actors), **more}]}


def condition(id: str, patient_id: str = "p", **more: Any) -> Json:
    return {"resourceType": "Condition", "id": id, "subject": {"reference": f"Patient/{patient_id}"}, **more}


def of_type(*names: str) -> list[Json]:
    return [{"system": "http://hl7.org/fhir/resource-types", "code": name} for name in names]


def action(*codes: str) -> list[Json]:
    return [{"coding": [{"system": THO + "consentaction", "code": code}]} for code in codes]


def role(id: str, practitioner: str, organisation: str, **more: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": {"reference": f"Practitioner/{practitioner}"},
        "organization": {"reference": f"Organization/{organisation}"},
        "code": [{"coding": [GP_ROLE]}],
        **more,
    }


async def wijk(house: House) -> None:
    """Two patients with two measurements and a diagnosis each; a practice with a doctor."""
    await house.given(
        organization("group"),
        organization("practice", partOf={"reference": "Organization/group"}),
        {"resourceType": "Practitioner", "id": "doctor"},
        {"resourceType": "Practitioner", "id": "other"},
        role("gp", "doctor", "practice"),
    )
    for who in ("p", "q"):
        await house.given(
            patient(who),
            *(observation(f"{who}{n}", who) for n in (1, 2)),
            condition(f"{who}-diagnosis", who),
        )


async def total(caller: Caller, url: str) -> int:
    answer = await caller.get(f"{url}{'&' if '?' in url else '?'}_summary=count")
    assert answer.status == 200, answer.text
    found: int = answer.json["total"]
    return found


async def test_what_the_patient_opened_is_there_and_everything_else_is_not(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"), **{"class": of_type("Observation")})))
    doctor, other = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Practitioner/other", SCOPE)
    assert (await doctor.get("Observation/p1")).status == 200
    for hidden in ("Condition/p-diagnosis", "Observation/q1", "Patient/p", "Consent/c"):
        assert (await doctor.get(hidden)).status == 404, hidden
    assert (await doctor.get("Observation?_total=accurate")).json["total"] == 2
    assert sorted((await doctor.get("Observation")).ids) == ["p1", "p2"]
    assert await total(doctor, "Condition") == 0
    assert await total(doctor, "Observation?patient=p") == 2
    assert await total(doctor, "Observation?patient=q") == 0
    assert (await other.get("Observation/p1")).status == 404
    assert await total(other, "Observation") == 0


async def test_a_revoked_consent_is_gone_from_the_next_request_and_the_next_page(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"))))
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    page = await doctor.get("Observation?_count=1")
    following = page.link("next")
    assert page.ids
    assert following
    revoked = {**consent("c", permit(by("Practitioner/doctor"))), "status": "inactive"}
    assert (await resident.put("Consent/c", revoked)).status == 200
    assert (await doctor.get("Observation/p1")).status == 404
    assert await total(doctor, "Observation") == 0
    after = await doctor.get(following)
    assert after.status == 200
    assert after.ids == []
    assert (await doctor.get("Observation/p1/_history/1")).status == 404
    assert "entry" not in (await doctor.get("Observation/_history")).json


async def test_a_narrower_consent_leaves_the_next_page_what_is_still_open(house: House) -> None:
    await wijk(house)
    await house.given(*(observation(f"more{n}", "p", "height") for n in range(4)))
    await house.given(consent("c", permit(by("Practitioner/doctor"))))
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    page = await doctor.get("Observation?_count=2")
    seen = page.ids
    narrower = consent(
        "c", permit(by("Practitioner/doctor"), code=[{"coding": [{"system": "http://test/codes", "code": "height"}]}])
    )
    assert (await resident.put("Consent/c", narrower)).status == 200
    following = page.link("next")
    while following:
        page = await doctor.get(following)
        assert page.status == 200
        seen = seen + page.ids
        following = page.link("next")
    assert len(seen) == len(set(seen))
    assert {one for one in seen[2:] if not one.startswith("more")} == set()
    assert {f"more{n}" for n in range(4)} <= set(seen)


async def test_a_role_opens_only_with_a_treatment_relation(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by_role())))
    doctor = await house.caller("PractitionerRole/gp", SCOPE, purpose="TREAT")
    assert (await doctor.get("Observation/p1")).status == 404
    await house.given(patient("p", generalPractitioner=[{"reference": "Organization/practice"}]))
    assert (await doctor.get("Observation/p1")).status == 200
    assert await total(doctor, "Observation") == 2
    await house.given(patient("p"))
    assert (await doctor.get("Observation/p1")).status == 404


async def test_the_organisations_above_a_role_count_and_those_below_do_not(house: House) -> None:
    await wijk(house)
    await house.given(organization("ward", partOf={"reference": "Organization/practice"}))
    await house.given(role("ward-gp", "other", "ward"))
    await house.given(consent("c", permit(by("Organization/practice"))))
    assert (await (await house.caller("PractitionerRole/gp", SCOPE)).get("Observation/p1")).status == 200
    assert (await (await house.caller("PractitionerRole/ward-gp", SCOPE)).get("Observation/p1")).status == 200
    assert (await (await house.caller("Organization/group", SCOPE)).get("Observation/p1")).status == 404


async def test_an_ended_role_ends_what_it_opened(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Organization/practice"))))
    doctor = await house.caller("PractitionerRole/gp", SCOPE)
    assert await total(doctor, "Observation") == 2
    await house.given(role("gp", "doctor", "practice", active=False))
    assert await total(doctor, "Observation") == 0


def related(id: str, patient_id: str = "p", **more: Any) -> Json:
    return {
        "resourceType": "RelatedPerson",
        "id": id,
        "patient": {"reference": f"Patient/{patient_id}"},
        "relationship": [{"coding": [{"system": THO + "v3-RoleCode", "code": "GUARD"}]}],
        **more,
    }


async def test_a_related_person_is_a_proxy_once_verified_and_not_before(house: House) -> None:
    await wijk(house)
    await house.given(related("parent"))
    parent = await house.caller("RelatedPerson/parent", SCOPE)
    assert (await parent.get("Observation/p1")).status == 404
    assert await total(parent, "Observation") == 0
    result = {
        "resourceType": "VerificationResult",
        "id": "v",
        "status": "validated",
        "target": [{"reference": "RelatedPerson/parent"}],
    }
    await house.given(result)
    assert (await parent.get("Observation/p1")).status == 200
    assert await total(parent, "Observation") == 2
    assert (await parent.post("Consent", consent("", permit(by("Practitioner/doctor"))))).status == 201
    await house.given(related("parent", period={"end": "2020"}))
    assert (await parent.get("Observation/p1")).status == 404
    await house.given({**result, "status": "reval-fail"}, related("parent"))
    assert (await parent.get("Observation/p1")).status == 404


async def test_nobody_makes_themself_a_proxy(house: House) -> None:
    await wijk(house)
    await house.given(related("parent"))
    result = {
        "resourceType": "VerificationResult",
        "status": "validated",
        "target": [{"reference": "RelatedPerson/parent"}],
    }
    for user in ("RelatedPerson/parent", "Patient/p", "Practitioner/doctor"):
        assert (await (await house.caller(user, SCOPE)).post("VerificationResult", result)).status == 403


async def test_what_is_about_two_needs_a_permit_of_both(house: House) -> None:
    await wijk(house)
    both = {
        "resourceType": "Appointment",
        "id": "both",
        "status": "proposed",
        "participant": [{"actor": {"reference": f"Patient/{who}"}, "status": "accepted"} for who in ("p", "q")],
    }
    await house.given(both, consent("cp", permit(by("Practitioner/doctor"))))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert (await doctor.get("Appointment/both")).status == 404
    assert await total(doctor, "Appointment") == 0
    await house.given(consent("cq", permit(by("Practitioner/doctor")), "q"))
    assert (await doctor.get("Appointment/both")).status == 200
    assert await total(doctor, "Appointment") == 1
    assert await total(doctor, "Appointment?patient=p") == 1


async def test_whoever_wrote_something_reads_it_back_and_nothing_else(house: House) -> None:
    await wijk(house)
    await house.given(condition("mine", recorder={"reference": "Practitioner/doctor"}))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert (await doctor.get("Condition/mine")).status == 200
    assert await total(doctor, "Condition") == 1
    colleague = await house.caller("Practitioner/other", SCOPE)
    assert await total(colleague, "Condition") == 0


async def test_a_raised_label_hides_the_record_and_its_earlier_versions(house: House) -> None:
    await wijk(house)
    up_to_normal = permit(
        by("Practitioner/doctor"), securityLabel=[{"system": THO + "v3-Confidentiality", "code": "N"}]
    )
    await house.given(consent("c", up_to_normal))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert (await doctor.get("Observation/p1")).status == 200
    assert (await doctor.get("Observation/p1/_history/1")).status == 200
    secret = observation("p1", "p", meta={"security": [{"system": THO + "v3-Confidentiality", "code": "R"}]})
    await house.given(secret)
    assert (await doctor.get("Observation/p1")).status == 404
    assert (await doctor.get("Observation/p1/_history/1")).status == 404
    assert await total(doctor, "Observation") == 1
    assert {one["id"] for one in (await doctor.get("Observation/_history")).resources} == {"p2"}


async def test_chains_and_reverse_chains_feel_only_what_is_open(house: House) -> None:
    await wijk(house)
    await house.given(patient("p", gender="female"))
    await house.given(consent("c", permit(by("Practitioner/doctor"), **{"class": of_type("Observation")})))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert await total(doctor, "Observation?subject:Patient.gender=female") == 0
    await house.given(consent("c", permit(by("Practitioner/doctor"), **{"class": of_type("Observation", "Patient")})))
    assert await total(doctor, "Observation?subject:Patient.gender=female") == 2
    assert await total(doctor, "Patient?_has:Observation:patient:code=weight") == 1
    assert await total(doctor, "Patient?_has:Condition:patient:clinical-status:missing=true") == 0


async def test_included_resources_are_decided_too(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"), **{"class": of_type("Observation")})))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert {
        one["resourceType"] for one in (await doctor.get("Observation?_include=Observation:subject")).resources
    } == {"Observation"}


async def test_a_professional_adds_only_where_they_may_collect(house: House) -> None:
    await wijk(house)
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert (await doctor.post("Observation", observation("", "p"))).status == 403
    await house.given(consent("c", permit(by("Practitioner/doctor"), action=action("access"))))
    assert (await doctor.post("Observation", observation("", "p"))).status == 403
    await house.given(consent("c", permit(by("Practitioner/doctor"), action=action("access", "collect"))))
    created = await doctor.post("Observation", observation("", "p"))
    assert created.status == 201
    assert (await doctor.put(f"Observation/{created.json['id']}", {**created.json, "status": "amended"})).status == 403
    await house.given(consent("c", permit(by("Practitioner/doctor"))))
    assert (await doctor.put(f"Observation/{created.json['id']}", {**created.json, "status": "amended"})).status == 200


async def test_nobody_changes_what_somebody_else_authored(house: House) -> None:
    await wijk(house)
    written = condition("theirs", recorder={"reference": "Practitioner/other"})
    await house.given(written, consent("c", permit(by("Practitioner/doctor"))))
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    assert (await doctor.put("Condition/theirs", written)).status == 403
    assert (await doctor.delete("Condition/theirs")).status == 403
    assert (await resident.put("Condition/theirs", written)).status == 403
    assert (await resident.delete("Condition/theirs")).status == 204


async def test_an_author_is_who_wrote_it_whatever_it_says(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"), by("Practitioner/other"))))
    doctor, other = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Practitioner/other", SCOPE)
    created = (await doctor.post("Condition", condition(""))).json
    assert (await other.put(f"Condition/{created['id']}", created)).status == 403
    assert (await doctor.put(f"Condition/{created['id']}", created)).status == 200


async def test_only_the_patient_makes_a_consent_active(house: House) -> None:
    await wijk(house)
    await house.given(patient("p", generalPractitioner=[{"reference": "Practitioner/doctor"}]))
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    wish = permit(by("Practitioner/doctor"))
    assert (await doctor.post("Consent", consent("", wish))).status == 403
    assert (await doctor.post("Consent", consent("", wish, "q", "proposed"))).status == 403
    proposed = await doctor.post("Consent", consent("", wish, status="proposed"))
    assert proposed.status == 201
    assert (await doctor.get("Observation/p1")).status == 404
    location = proposed.headers["Location"].split("/fhir/")[1].split("/_history")[0]
    assert (await doctor.get(location)).status == 404
    assert (await doctor.put(location, consent(location.split("/")[1], wish))).status == 404
    confirmed = {**(await resident.get(location)).json, "status": "active"}
    assert (await resident.put(location, confirmed)).status == 200
    assert (await doctor.get("Observation/p1")).status == 200


async def test_a_consent_that_cannot_be_enforced_is_refused_with_its_element(house: House) -> None:
    await wijk(house)
    resident = await house.caller("Patient/p", SCOPE)
    display_only = permit({**by("x"), "reference": {"display": "my doctor"}})
    refused = await resident.post("Consent", consent("", display_only))
    assert refused.status == 422
    assert refused.issue["expression"] == ["Consent.provision.provision[0].actor[0].reference"]
    modified = consent(
        "", permit(by("Practitioner/doctor")), modifierExtension=[{"url": "http://x", "valueBoolean": True}]
    )
    assert (await resident.post("Consent", modified)).status == 422


async def test_whether_a_record_of_another_exists_is_not_told_by_a_consent_that_names_it(house: House) -> None:
    await wijk(house)
    resident = await house.caller("Patient/p", SCOPE)

    def naming(reference: str) -> Json:
        return consent(
            "",
            permit(by("Practitioner/doctor"), data=[{"meaning": "related", "reference": {"reference": reference}}]),
        )

    theirs, absent = [await resident.post("Consent", naming(one)) for one in ("Observation/q1", "Observation/none")]
    assert theirs.status == absent.status == 422
    assert theirs.text == absent.text
    assert (await resident.post("Consent", naming("Observation/p1"))).status == 201


async def test_a_conflict_is_told_to_whoever_writes(house: House) -> None:
    await wijk(house)
    resident = await house.caller("Patient/p", SCOPE)
    first = await resident.post("Consent", consent("", permit(by("Practitioner/doctor"))))
    assert "Warning" not in first.headers
    closed = consent("", {"provision": [{"type": "deny", "actor": [by("Practitioner/doctor")]}]})
    second = await resident.post("Consent", closed, prefer="return=OperationOutcome")
    assert f"Consent/{first.json['id']}" in second.headers["Warning"]
    assert any(issue["severity"] == "warning" for issue in second.json["issue"])


async def test_under_permit_a_deny_still_hides(permissive: House) -> None:
    await wijk(permissive)
    doctor = await permissive.caller("Practitioner/doctor", SCOPE)
    assert await total(doctor, "Condition") == 2
    await permissive.given(
        consent(
            "c",
            {"provision": [{"type": "deny", "class": of_type("Condition")}]},
            policyRule={"coding": [{"system": THO + "v3-ActCode", "code": "OPTIN"}]},
        )
    )
    assert await total(doctor, "Condition") == 1
    assert (await doctor.get("Condition/p-diagnosis")).status == 404
    assert (await doctor.get("Observation/p1")).status == 200
    assert {one["id"] for one in (await doctor.get("Condition/_history")).resources} == {"q-diagnosis"}


async def test_the_emergency_button_opens_tells_the_patient_once_and_ends_by_itself(house: House) -> None:
    await wijk(house)
    secret = observation("v", "p", meta={"security": [{"system": THO + "v3-Confidentiality", "code": "V"}]})
    await house.given(secret)
    now = house.clock.now
    terms = {"purpose": "BTG", "reason": "unconscious", "issued": now, "patient": "p"}
    doctor = await house.caller("Practitioner/doctor", "patient/*.rs", **terms)
    assert (await doctor.get("Observation/p1")).status == 200
    assert await total(doctor, "Observation") == 2
    assert (await doctor.get("Observation/v")).status == 404
    assert (await doctor.get("Observation/q1")).status == 404
    resident = await house.caller("Patient/p", SCOPE)
    messages = (await resident.get("Communication")).resources
    assert len(messages) == 1
    assert "unconscious" in messages[0]["payload"][0]["contentString"]
    house.clock.now += 3_600_000_000
    assert (await doctor.get("Observation/p1")).status == 404
    for reason, user in (("", "Practitioner/doctor"), ("unconscious", "Patient/q")):
        useless = await house.caller(
            user, SCOPE, **{**terms, "issued": house.clock.now, "reason": reason, "patient": ""}
        )
        assert (await useless.get("Observation/p1")).status == 404


async def test_a_consent_met_in_storage_that_cannot_be_enforced_opens_nothing_and_is_told(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """It came by an older rule: what it refers to is no longer where it was."""
    await wijk(house)
    naming = permit(
        by("Practitioner/doctor"), data=[{"meaning": "related", "reference": {"reference": "Observation/p1"}}]
    )
    await house.given(consent("c", naming))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert (await doctor.get("Observation/p1")).status == 200
    await house.given(observation("p1", "q"))
    assert (await doctor.get("Observation/p1")).status == 404
    assert (await doctor.get("Observation/p2")).status == 404
    assert "can't be enforced" in caplog.text


async def test_two_gateways_over_one_store_see_a_revocation_alike() -> None:
    async with opened() as house:
        await wijk(house)
        await house.given(consent("c", permit(by("Practitioner/doctor"))))
        doctor = await house.caller("Practitioner/doctor", SCOPE)
        assert (await doctor.get("Observation/p1")).status == 200
        generation = house.gateway.knowledge.generation
        await house.given(observation("unrelated", "q"))
        assert (await doctor.get("Observation/p1")).status == 200
        assert house.gateway.knowledge.generation == generation
        await house.given(consent("c", permit(by("Practitioner/doctor")), status="inactive"))
        assert (await doctor.get("Observation/p1")).status == 404


def provenance(id: str, target: str, agent: str) -> Json:
    return {
        "resourceType": "Provenance",
        "id": id,
        "target": [{"reference": target}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"reference": agent}}],
    }


async def test_a_provenance_makes_an_author_if_whoever_wrote_it_decides_about_the_dossier(house: House) -> None:
    await wijk(house)
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    await house.given(provenance("imported", "Condition/p-diagnosis", "Practitioner/doctor"))
    assert (await doctor.get("Condition/p-diagnosis")).status == 200
    assert await total(doctor, "Condition") == 1
    assert (await resident.post("Provenance", provenance("", "Observation/p1", "Practitioner/doctor"))).status == 201
    assert (await doctor.get("Observation/p1")).status == 200
    await house.maintenance.reindex(lambda count: None)
    assert await total(doctor, "Observation") == 1


async def test_a_professional_does_not_name_themself_the_author_of_what_others_wrote(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"))))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert (await doctor.post("Provenance", provenance("", "Observation/p1", "Practitioner/doctor"))).status == 201
    await house.given(consent("c", permit(by("Practitioner/doctor"), action=action("collect"))))
    assert (await doctor.get("Observation/p1")).status == 404
    assert await total(doctor, "Observation") == 0
    # Of what is hidden they may not even say that they made it: the answer would tell that it is there.
    for target in ("Observation/p1", "Observation/never"):
        assert (await doctor.post("Provenance", provenance("", target, "Practitioner/doctor"))).status == 403


async def test_a_provenance_that_comes_along_counts_in_whatever_order(house: House) -> None:
    await wijk(house)
    loaded = Loaded()
    along = [provenance("first", "Condition/new", "Practitioner/doctor"), condition("new")]
    await load_resources(house.maintenance, along, loaded)
    assert not loaded.refused
    assert (await (await house.caller("Practitioner/doctor", SCOPE)).get("Condition/new")).status == 200


async def test_a_conditional_create_feels_only_what_is_open(house: House) -> None:
    """The condition is asked again at the commit, over the same part of the dossier."""
    await wijk(house)
    height = [{"coding": [{"system": "http://test/codes", "code": "height"}]}]
    await house.given(
        observation("hidden", "p", "height", identifier=[{"value": "1"}]),
        consent(
            "c",
            {
                "provision": [
                    {"type": "permit", "actor": [by("Practitioner/doctor")]},
                    {"type": "deny", "actor": [by("Practitioner/doctor")], "code": height, "action": action("access")},
                ]
            },
        ),
    )
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    mine = observation("", "p", identifier=[{"value": "1"}])
    first = await doctor.post("Observation", mine, if_none_exist="identifier=1")
    assert first.status == 201
    again = await doctor.post("Observation", mine, if_none_exist="identifier=1")
    assert again.status == 200
    assert again.json["id"] == first.json["id"]


async def test_whoever_a_task_waits_for_works_on_it_and_nobody_else(house: House) -> None:
    await wijk(house)
    task = {
        "resourceType": "Task",
        "id": "t",
        "status": "requested",
        "intent": "order",
        "for": {"reference": "Patient/p"},
        "requester": {"reference": "Practitioner/other"},
        "owner": {"reference": "Organization/practice"},
    }
    await house.given(task, role("elsewhere", "other", "group"))
    await house.given(consent("c", permit(by("PractitionerRole/gp"), by("PractitionerRole/elsewhere"))))
    gp, elsewhere = [await house.caller(f"PractitionerRole/{one}", SCOPE) for one in ("gp", "elsewhere")]
    accepted = {**task, "status": "accepted", "owner": {"reference": "PractitionerRole/gp"}}
    assert (await gp.put("Task/t", accepted)).status == 200
    assert (await gp.delete("Task/t")).status == 204
    await house.given({**task, "requester": {"reference": "Practitioner/nobody"}})
    assert (await elsewhere.put("Task/t", accepted)).status == 403


async def test_a_deployment_says_whose_role_may_press_the_emergency_button() -> None:
    async with opened(emergency_roles=f"{GP_ROLE['system']}|{GP_ROLE['code']},http://x|y") as house:
        await wijk(house)
        terms = {"purpose": "BTG", "reason": "unconscious", "issued": house.clock.now, "patient": "p"}
        for user, status in (("PractitionerRole/gp", 200), ("Practitioner/doctor", 200), ("Practitioner/other", 404)):
            asked = await house.caller(user, "patient/*.rs", **terms)
            assert (await asked.get("Observation/p1")).status == status, user
        other = await house.caller("Practitioner/other", SCOPE)
        reason = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
        assert (await other.post("Patient/p/$emergency-access", reason)).status == 403


async def test_the_patients_log_says_which_consent_let_a_record_be_read_written_or_refused(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"), action=action("access", "collect"))))
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    await doctor.get("Observation/p1")
    created = (await doctor.post("Observation", observation("", "p"))).json
    assert (await doctor.put(f"Observation/{created['id']}", created)).status == 403
    events = (await resident.get("AuditEvent?_count=50")).resources
    decided = {
        event["subtype"][0]["code"]: [
            one["what"]["reference"]
            for one in event["entity"]
            if "Consent/" in one.get("what", {}).get("reference", "")
        ]
        for event in events
        if any(agent.get("who", {}).get("reference") == "Practitioner/doctor" for agent in event["agent"])
    }
    # Its permit let them read and add; what it says no to else, it refused.
    assert decided == {one: ["Consent/c/_history/1"] for one in ("read", "create", "update")}


def team(id: str, patient_id: str | None, *members: str) -> Json:
    about = {"subject": {"reference": f"Patient/{patient_id}"}} if patient_id else {}
    participants = [{"member": {"reference": member}} for member in members]
    return {"resourceType": "CareTeam", "id": id, "status": "active", "participant": participants, **about}


async def test_a_team_of_another_dossier_opens_nothing_for_its_owner_could_let_anybody_in(house: House) -> None:
    await wijk(house)
    await house.given(
        team("own", "p", "Practitioner/doctor"),
        team("theirs", "q", "Practitioner/other"),
        team("all", None, "Practitioner/nobody"),
    )
    resident = await house.caller("Patient/p", SCOPE)
    theirs, absent = [
        await resident.post("Consent", consent("", permit(by(one)))) for one in ("CareTeam/theirs", "CareTeam/none")
    ]
    assert theirs.status == absent.status == 422
    assert theirs.text == absent.text
    for mine in ("CareTeam/own", "CareTeam/all"):
        assert (await resident.post("Consent", consent("", permit(by(mine))))).status == 201
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    assert await total(doctor, "Observation") == 2
    await house.given(consent("imported", permit(by("CareTeam/theirs"))))
    other = await house.caller("Practitioner/other", SCOPE)
    assert await total(other, "Observation") == 0
    await house.given(team("theirs", "p", "Practitioner/other"))
    assert await total(other, "Observation") == 2


async def test_a_question_about_a_patient_stands_in_their_log_whatever_it_finds(house: House) -> None:
    await wijk(house)
    doctor, resident = await house.caller("Practitioner/doctor", SCOPE), await house.caller("Patient/p", SCOPE)
    assert await total(doctor, "Observation?patient=p") == 0
    assert await total(doctor, "Patient?_id=p") == 0
    asked = [
        event
        for event in (await resident.get("AuditEvent?_count=50")).resources
        if any(agent.get("who", {}).get("reference") == "Practitioner/doctor" for agent in event["agent"])
    ]
    assert len(asked) == 2
    assert await total(await house.caller("Patient/q", SCOPE), "AuditEvent?agent=Practitioner/doctor") == 0


async def test_a_confirmed_proposal_that_still_is_somebody_elses_warns_that_it_opens_nothing(house: House) -> None:
    await wijk(house)
    resident = await house.caller("Patient/p", SCOPE)
    theirs = consent("", permit(by("Practitioner/doctor")), performer=[{"reference": "Practitioner/doctor"}])
    answer = await resident.post("Consent", theirs)
    assert answer.status == 201
    assert "Consent.performer" in answer.headers["Warning"]
    mine = await resident.put(
        f"Consent/{answer.json['id']}", {**answer.json, "performer": [{"reference": "Patient/p"}]}
    )
    assert "Warning" not in mine.headers

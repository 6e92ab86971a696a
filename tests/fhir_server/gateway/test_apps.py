"""An app that a patient let in: no more than the person may, no more than the Consent opens, and gone when it ends."""

from typing import Any

import pytest

from tests.fhir_server.gateway.test_consent_policy import THO, action, by, condition, consent, of_type, wijk
from tests.fhir_server.inprocess import Answer, Caller, House, observation

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
APP = "Device/app-weight"
SCOPE = "patient/*.cruds"
NORMAL = [{"system": THO + "v3-Confidentiality", "code": "N"}]
RESTRICTED = [{"system": THO + "v3-Confidentiality", "code": "R"}]
READ = action("access")
WRITE = action("collect", "correct")


def app_consent(*children: Json, id: str = "app", patient_id: str = "p", **more: Any) -> Json:
    provision = {
        "type": "deny",
        "actor": [by(APP)],
        "purpose": [{"system": THO + "v3-ActReason", "code": "PATRQT"}],
        "provision": list(children),
        **more,
    }
    performer = [{"reference": f"Patient/{patient_id}"}]
    return consent(id, provision, patient_id, performer=performer)


def opens(*types: str, actions: list[Json] = READ, **more: Any) -> Json:
    return {"type": "permit", "class": of_type(*types), "action": actions, **more}


async def app_of(house: House, user: str = "Patient/p", scope: str = SCOPE, **terms: Any) -> Caller:
    return await house.caller(
        user, scope, **{"client": "weight", "app": APP, "patient": "p", "consent": "app", **terms}
    )


async def with_app(house: House, *children: Json, **more: Any) -> Caller:
    await wijk(house)
    await house.given(
        {"resourceType": "Device", "id": "app-weight", "identifier": [{"value": "weight"}]},
        app_consent(*children, **more),
    )
    return await app_of(house)


async def count(caller: Caller, url: str) -> int:
    answer = await caller.get(f"{url}{'&' if '?' in url else '?'}_summary=count")
    assert answer.status == 200, answer.text
    total: int = answer.json["total"]
    return total


def status(answer: Answer) -> int:
    return answer.status


async def test_an_app_sees_what_was_opened_to_it_and_the_patient_more(house: House) -> None:
    app = await with_app(house, opens("Observation"))
    patient = await house.caller("Patient/p", SCOPE)
    assert await count(patient, "Observation") == await count(app, "Observation") == 2
    assert await count(patient, "Condition") > await count(app, "Condition") == 0
    assert status(await app.get("Observation/p1")) == 200
    hidden, absent = await app.get("Condition/p-diagnosis"), await app.get("Condition/never")
    assert (hidden.status, hidden.text) == (absent.status, absent.text)
    assert status(await app.get("Observation/q1")) == 404
    assert await count(app, "Patient") == 0


async def test_what_the_scope_lacks_no_consent_gives(house: House) -> None:
    await with_app(house, opens("Observation", "Condition"))
    narrow = await app_of(house, scope="patient/Observation.rs")
    assert status(await narrow.get("Condition?code=x")) == 403
    assert await count(narrow, "Observation") == 2


async def test_ending_the_consent_ends_the_token_with_the_next_request(house: House) -> None:
    app = await with_app(house, opens("Observation"))
    patient = await house.caller("Patient/p", SCOPE)
    assert status(await app.get("Observation/p1")) == 200
    ended = app_consent(opens("Observation")) | {"status": "inactive"}
    assert status(await patient.put("Consent/app", ended)) == 200
    refused = await app.get("Observation/p1")
    assert refused.status == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert not await house.gateway.app_is_let_in("p", "app", APP)
    assert status(await patient.put("Consent/app", app_consent(opens("Observation")))) == 200
    assert status(await app.get("Observation/p1")) == 200


async def test_narrowing_the_consent_narrows_the_token_with_the_next_request(house: House) -> None:
    app = await with_app(house, opens("Observation", "Condition"))
    patient = await house.caller("Patient/p", SCOPE)
    before = await count(app, "Condition")
    assert before > 0
    assert status(await patient.put("Consent/app", app_consent(opens("Observation")))) == 200
    assert (await count(app, "Condition"), await count(app, "Observation")) == (0, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},  # another Consent than the token hangs on
        {"period": {"end": "2020-01-01"}},
        {"actor": [by("Device/another")]},
    ],
    ids=["deleted", "expired", "for another app"],
)
async def test_a_token_whose_consent_does_not_stand_is_no_token(house: House, change: Json) -> None:
    app = await with_app(house, opens("Observation"), **change)
    assert status(await app.get("Observation/p1")) == 401
    assert status(await app.get("HealthcareService")) == 401


async def test_an_app_writes_only_where_writing_was_opened(house: House) -> None:
    app = await with_app(house, opens("Observation", actions=[*READ, *WRITE]), opens("Condition"))
    added = await app.post("Observation", observation("", "p"))
    assert added.status == 201, added.text
    seen = await app.get(added.headers["Location"].partition("/_history")[0])
    assert seen.status == 200
    assert status(await app.put(f"Observation/{seen.json['id']}", seen.json | {"status": "amended"})) == 200
    assert status(await app.post("Condition", condition("", "p"))) in (403, 404)
    assert status(await app.delete("Condition/p-diagnosis")) in (403, 404)
    assert status(await app.post("Observation", observation("", "q"))) in (403, 404)


async def test_consents_and_the_log_are_reached_only_where_opened_by_name(house: House) -> None:
    app = await with_app(house, opens("Observation"))
    patient = await house.caller("Patient/p", SCOPE)
    assert await count(patient, "Consent") == 1
    assert await count(patient, "AuditEvent") > 0
    for kind in ("Consent", "AuditEvent"):
        assert await count(app, kind) == 0
    assert status(await app.get("Consent/app")) == 404
    everything = app_consent({"type": "permit", "action": READ})
    assert status(await patient.put("Consent/app", everything)) == 200
    assert await count(app, "Condition") > 0
    assert await count(app, "Consent") == await count(app, "AuditEvent") == 0
    assert status(await patient.put("Consent/app", app_consent(opens("Consent", "AuditEvent")))) == 200
    assert await count(app, "Consent") == 1
    assert await count(app, "AuditEvent") > 0
    assert status(await app.get("Consent/app")) == 200


async def test_what_decisions_rest_on_is_told_through_an_app_that_may_see_consents(house: House) -> None:
    app = await with_app(house, opens("Observation", "Patient"))
    question = f"Patient/p/$explain-access?actor={APP}&purpose=PATRQT&resource=Observation/p1"
    assert status(await app.get(question)) == 404
    patient = await house.caller("Patient/p", SCOPE)
    told = await patient.get(question)
    assert told.status == 200
    assert b"Consent/app" in told.text
    more = app_consent(opens("Observation", "Patient", "Consent"))
    assert status(await patient.put("Consent/app", more)) == 200
    assert status(await app.get(question)) == 200


async def test_an_app_that_manages_consents_has_no_say_about_itself(house: House) -> None:
    app = await with_app(house, opens("Consent", actions=[*READ, *WRITE]), opens("Observation"))
    wider = app_consent(opens("Observation", "Condition"))
    assert status(await app.put("Consent/app", wider)) in (403, 404)
    assert status(await app.post("Consent", wider | {"id": "new"})) in (403, 404)
    hidden_deeper = consent("deeper", {"provision": [{"provision": [{"type": "permit", "actor": [by(APP)]}]}]})
    assert status(await app.post("Consent", hidden_deeper)) in (403, 404)
    other = consent("x", {"provision": [{"type": "permit", "actor": [by("Practitioner/doctor")]}]})
    assert status(await app.post("Consent", other)) == 201
    everybody = consent("y", {"provision": [{"type": "permit"}]})
    await app.post("Consent", everybody)
    assert await count(app, "Condition") == 0


async def test_what_is_confidential_an_app_sees_only_if_it_was_let_in_that_far(house: House) -> None:
    ordinary = opens("Observation", securityLabel=NORMAL)
    app = await with_app(house, ordinary)
    labelled = observation("secret", "p") | {"meta": {"security": [*RESTRICTED]}}
    closed = consent("closed", {"type": "deny", "securityLabel": RESTRICTED})
    await house.given(labelled, closed)
    patient = await house.caller("Patient/p", SCOPE)
    assert await count(patient, "Observation") == 3
    assert await count(app, "Observation") == 2
    named = app_consent(ordinary, opens("Observation", securityLabel=RESTRICTED))
    assert status(await patient.put("Consent/app", named)) == 200
    assert await count(app, "Observation") == 3


async def test_a_proxy_lets_in_an_app_for_the_dossier_they_act_for_alone(house: House) -> None:
    await wijk(house)
    await house.given(
        {
            "resourceType": "RelatedPerson",
            "id": "daughter",
            "active": True,
            "patient": {"reference": "Patient/p"},
            "relationship": [{"coding": [{"system": THO + "v3-RoleCode", "code": "GUARD"}]}],
        },
        {
            "resourceType": "VerificationResult",
            "target": [{"reference": "RelatedPerson/daughter"}],
            "status": "validated",
            "id": "checked",
        },
        app_consent(opens("Observation")),
    )
    app = await app_of(house, "RelatedPerson/daughter", purpose="FAMRQT")
    assert await count(app, "Observation") == 2
    assert await count(app, "Condition") == 0
    wide = await app_of(house, "RelatedPerson/daughter", "user/*.rs", purpose="FAMRQT")
    assert await count(wide, "Observation") == 2


async def test_line_8_whoever_uses_the_same_app_sees_nothing_of_others_who_let_it_in(house: House) -> None:
    """Both patients opened their dossier to the app, neither to the other, whatever the scope."""
    opened = opens("Observation", "Patient", actions=[*READ, *WRITE])
    await with_app(house, opened)
    await house.given(app_consent(opened, id="app-q", patient_id="q"))
    for scope in ("user/*.cruds", "patient/*.cruds user/*.cruds"):
        other = await app_of(house, "Patient/q", scope, patient="q", consent="app-q")
        assert sorted((await other.get("Observation")).ids) == ["q1", "q2"]
        assert sorted((await other.get("Observation/_history")).ids) == ["q1", "q2"]
        assert (await other.get("Patient")).ids == ["q"]
        hidden, absent = await other.get("Observation/p1"), await other.get("Observation/never")
        assert (hidden.status, hidden.text) == (absent.status, absent.text)
        assert status(await other.post("Observation", observation("new", "p"))) == 403
        assert status(await other.put("Observation/p1", observation("p1", "p"))) == 404
        assert status(await other.delete("Observation/p1")) == 404
    assert await count(await house.caller("Patient/p", SCOPE), "Observation") == 2


async def test_the_log_names_the_app_and_the_consent_that_let_it_in(house: House) -> None:
    app = await with_app(house, opens("Observation"))
    await app.get("Observation/p1")
    patient = await house.caller("Patient/p", SCOPE)
    events = (await patient.get("AuditEvent?_sort=-date&_count=1")).resources
    text = str(events[0])
    assert "weight" in text
    assert "Consent/app" in text


async def test_a_question_by_an_app_stands_in_the_log_also_where_the_answer_is_a_number_or_nothing(
    house: House,
) -> None:
    app = await with_app(house, opens("Observation"))
    patient = await house.caller("Patient/p", SCOPE)
    assert await count(app, "Observation") == 2
    assert await count(app, "Condition") == 0
    assert status(await app.get("HealthcareService")) == 200  # about nobody
    events = (await patient.get("AuditEvent?patient=p&_count=50")).resources
    assert sum("weight" in str(event["agent"]) for event in events) == 2


async def test_whoever_uses_the_app_can_be_read_with_the_very_token(house: House) -> None:
    me = opens("Patient", data=[{"meaning": "instance", "reference": {"reference": "Patient/p"}}])
    await with_app(house, opens("Observation"), me)
    app = await app_of(house, scope="openid fhirUser patient/Observation.rs")
    assert status(await app.get("Patient/p")) == 200
    assert status(await app.get("Patient?_id=p")) == 403
    assert status(await app.get("Patient/q")) == 404
    doctor = await house.caller("Practitioner/doctor", "openid fhirUser", client="his")
    assert status(await doctor.get("Practitioner/doctor")) == 200

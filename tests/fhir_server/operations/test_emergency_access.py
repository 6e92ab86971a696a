"""$emergency-access, from the closed door to the patient's message. Semantics section 6: purpose BTG, a reason, an hour."""

from typing import Any

import pytest

from tests.fhir_server.inprocess import Answer, Caller, House, observation, opened, organization, patient
from tests.fhir_server.operations import dossier
from tests.fhir_server.operations.dossier import coded, consent, labelled, purposes

pytestmark = pytest.mark.anyio

HOUR = 3_600_000_000


async def furnish(house: House) -> None:
    await house.given(
        organization("hospital"),
        {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Acht"}]},
        patient("p"),
        observation("usual", "p"),
        observation("restricted", "p", **labelled("R")),
        observation("very", "p", **labelled("V")),
        observation("never", "p", code="never"),
        consent("no", "p", type="deny"),
        consent(
            "never",
            "p",
            type="deny",
            code=coded("never"),
            purpose=purposes("ETREAT"),
        ),
    )


def reason(text: str = "found unconscious", minutes: int | None = None) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [{"name": "reason", "valueString": text}]
    if minutes is not None:
        parameters.append({"name": "minutes", "valueInteger": minutes})
    return {"resourceType": "Parameters", "parameter": parameters}


def told(answer: Answer) -> dict[str, Any]:
    """The parameters of the answer by name, each once."""
    return {name: value for name, (value,) in dossier.told(answer).items()}


async def pressed(house: House, doctor: Caller, patient_id: str = "p", **terms: Any) -> Caller:
    opened_for = told(await doctor.post(f"Patient/{patient_id}/$emergency-access", reason(**terms)))
    return house.bearer(f"Bearer {opened_for['access_token']}")


async def test_the_whole_journey() -> None:
    async with opened() as house:
        await furnish(house)
        doctor = await house.caller("Practitioner/doctor", "user/*.cruds", purpose="TREAT")
        owner = await house.caller("Patient/p", "patient/*.rs")
        for id in ("usual", "restricted", "very", "never"):
            assert (await doctor.get(f"Observation/{id}")).status == 404
        in_emergency = await pressed(house, doctor)
        # There is no message as long as nothing was read: it would tell that there is something.
        assert (await owner.get("Communication")).ids == []
        assert (await in_emergency.get("Observation/usual")).status == 200
        assert (await in_emergency.get("Observation/restricted")).status == 200
        assert (await in_emergency.get("Observation/very")).status == 404
        assert (await in_emergency.get("Observation/never")).status == 404
        assert (await doctor.get("Observation/usual")).status == 404, "the old token opens what it opened"

        (message,) = (await owner.get("Communication")).resources
        assert "found unconscious" in message["payload"][0]["contentString"]
        assert "Practitioner/doctor" in message["payload"][1]["contentString"]
        marked = (await owner.get("AuditEvent?subtype=110127&_sort=date")).resources
        assert {event["subtype"][0]["code"] for event in marked} == {"operation", "read"}
        first = marked[0]
        assert first["outcomeDesc"] == "emergency-access"
        assert first["purposeOfEvent"][0]["text"] == "found unconscious"
        assert {"110127"} <= {subtype["code"] for subtype in first["subtype"]}

        house.clock.now += HOUR
        assert (await in_emergency.get("Observation/usual")).status == 401
        assert (await doctor.get("Observation/usual")).status == 404


async def test_the_button_reads_and_does_not_write() -> None:
    async with opened() as house:
        await furnish(house)
        doctor = await house.caller("Practitioner/doctor", "user/*.cruds")
        in_emergency = await pressed(house, doctor)
        assert (await in_emergency.delete("Observation/usual")).status == 403
        assert (await in_emergency.post("Observation", observation("", "p"))).status == 403


async def test_the_token_is_for_one_patient_and_for_the_scopes_that_read() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(patient("q"), observation("other", "q"))
        scope = "user/Observation.cruds?code=http://test/codes|weight user/Patient.cu user/Condition.r"
        doctor = await house.caller("Practitioner/doctor", scope)
        answer = await doctor.post("Patient/p/$emergency-access", reason(minutes=10))
        window = told(answer)
        assert window["scope"] == ("patient/Observation.rs?code=http%3A%2F%2Ftest%2Fcodes%7Cweight patient/Condition.r")
        assert window["expires_in"] == 600
        assert window["patient"] == {"reference": "Patient/p"}
        in_emergency = house.bearer(f"Bearer {window['access_token']}")
        assert (await in_emergency.get("Observation/usual")).status == 200
        assert (await in_emergency.get("Observation/other")).status == 404
        assert (await in_emergency.get("Patient/p")).status == 403


async def test_the_answer_is_alike_whether_there_is_anything_to_open() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(patient("open"), consent("yes", "open", type="permit"))
        doctor = await house.caller("Practitioner/doctor", "user/*.rs")
        answers = {}
        for id in ("p", "open", "nobody"):
            answer = await doctor.post(f"Patient/{id}/$emergency-access", reason())
            parameters = {
                name: value for name, value in told(answer).items() if name not in ("access_token", "patient")
            }
            answers[id] = (answer.status, parameters, {**answer.headers})
        assert answers["p"] == answers["open"] == answers["nobody"]


async def test_an_app_let_in_for_one_patient_is_not_let_in_for_another() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(patient("q"))
        doctor = await house.caller("Practitioner/doctor", "patient/*.rs", patient="q")
        assert (await doctor.post("Patient/p/$emergency-access", reason())).status == 403
        assert (await doctor.post("Patient/q/$emergency-access", reason())).status == 200


@pytest.mark.parametrize(
    "user", ["Patient/p", "RelatedPerson/r", "Organization/hospital", "Device/d", "system"], ids=str
)
async def test_the_button_is_for_professionals(user: str) -> None:
    async with opened() as house:
        await furnish(house)
        caller = await house.caller(user, "user/*.rs patient/*.rs system/*.rs", patient="p")
        for id in ("p", "nobody"):
            assert (await caller.post(f"Patient/{id}/$emergency-access", reason())).status == 403
        assert (await house.anonymous().post("Patient/p/$emergency-access", reason())).status == 401


@pytest.mark.parametrize(
    "bad",
    [
        {"resourceType": "Parameters"},
        reason(" "),
        reason("x" * 501),
        reason(minutes=0),
        reason(minutes=61),
        {"resourceType": "Parameters", "parameter": [*reason()["parameter"], {"name": "colour", "valueCode": "red"}]},
        {"resourceType": "Parameters", "parameter": [*reason()["parameter"], *reason()["parameter"]]},
        {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueInteger": 1}]},
    ],
)
async def test_what_is_asked_wrongly_is_refused(bad: dict[str, Any]) -> None:
    async with opened() as house:
        await furnish(house)
        doctor = await house.caller("Practitioner/doctor", "user/*.rs")
        assert (await doctor.post("Patient/p/$emergency-access", bad)).status == 400


async def test_the_window_never_outlasts_the_login_that_opened_it() -> None:
    async with opened() as house:
        await furnish(house)
        until = house.clock.now + 20 * 60_000_000
        doctor = await house.caller("Practitioner/doctor", "user/*.rs", expires=until)
        first = await doctor.post("Patient/p/$emergency-access", reason())
        assert told(first)["expires_in"] == 1199
        # Nor does a window open a longer one.
        again = house.bearer(f"Bearer {told(first)['access_token']}")
        assert told(await again.post("Patient/p/$emergency-access", reason()))["expires_in"] <= 1199


async def test_each_window_is_told_once() -> None:
    async with opened() as house:
        await furnish(house)
        doctor = await house.caller("Practitioner/doctor", "user/*.rs")
        owner = await house.caller("Patient/p", "patient/*.rs")
        in_emergency = await pressed(house, doctor)
        for _ in range(2):
            await in_emergency.get("Observation/usual")
            await in_emergency.get("Observation/restricted")
        assert len((await owner.get("Communication")).ids) == 1
        await (await pressed(house, doctor, text="again")).get("Observation/usual")
        assert len((await owner.get("Communication")).ids) == 2


async def test_a_number_of_a_citizen_in_the_reason_is_kept_nowhere() -> None:
    async with opened() as house:
        await furnish(house)
        doctor = await house.caller("Practitioner/doctor", "user/*.rs")
        owner = await house.caller("Patient/p", "patient/*.rs")
        in_emergency = await pressed(house, doctor, text="patient 111222333 fell")
        await in_emergency.get("Observation/usual")
        for url in ("AuditEvent", "Communication"):
            assert b"111222333" not in (await owner.get(url)).text

"""Letting an app in and out again: the grant, its Consent and its tokens are one thing."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from fhir_server.gateway.requester import Requester
from fhir_server.outcome import FhirError
from fhir_server.smart import authorize, consenting, grants
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.grants import as_person
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.records import Account, digest
from fhir_server.store.auth import AuthConflict
from tests.fhir_server.gateway.test_consent_policy import THO, by, condition, consent, permit
from tests.fhir_server.inprocess import Caller, observation
from tests.fhir_server.smart.house import ADDRESSES, CHALLENGE, REDIRECT, SECOND, SmartHouse, sent
from tests.fhir_server.smart.letting_in import Answered, app, caller, choice, let_in, login, waits

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
SCOPE = "launch/patient offline_access patient/Observation.rs patient/Condition.rs"
MEASUREMENTS = choice("measurements laboratory")
DAUGHTER = {
    "resourceType": "RelatedPerson",
    "id": "daughter",
    "active": True,
    "patient": {"reference": "Patient/p"},
    "relationship": [{"coding": [{"system": THO + "v3-RoleCode", "code": "GUARD"}]}],
}
VERIFIED = {
    "resourceType": "VerificationResult",
    "target": [{"reference": "RelatedPerson/daughter"}],
    "status": "validated",
    "id": "checked",
}


async def total(caller: Caller, url: str) -> int:
    answer = await caller.get(f"{url}{'&' if '?' in url else '?'}_summary=count")
    assert answer.status == 200, answer.text
    found: int = answer.json["total"]
    return found


async def stored(smart: SmartHouse, consent: str, patient: str = "p") -> Json:
    """The Consent as its patient sees it."""
    resident = await smart.house.caller(f"Patient/{patient}", "user/*.cruds")
    answer = await resident.get(f"Consent/{consent}")
    assert answer.status == 200, answer.text
    found: Json = answer.json
    return found


async def test_line_5_the_answer_goes_to_the_registered_address_with_code_state_and_iss(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    assert answered.location.startswith(f"{REDIRECT}?")
    assert set(answered.said) == {"code", "state", "iss"}
    assert answered.said["state"] == "its own state"
    assert answered.said["iss"] == ADDRESSES.issuer
    code = await smart.state.codes.get(digest(answered.said["code"]))
    assert code is not None
    assert 0 < code.value.expires - smart.server.now() <= 60 * SECOND
    assert answered.said["code"] not in str(code)


async def test_a_key_in_a_consent_that_somebody_else_wrote_ends_no_grant(smart: SmartHouse) -> None:
    client = await app(smart)
    await smart.house.given({"resourceType": "Patient", "id": "q"})
    theirs = await let_in(smart, client, SCOPE, MEASUREMENTS)
    copied = await stored(smart, theirs.grant.value.consent)
    mine = {**copied, "patient": {"reference": "Patient/q"}, "performer": [{"reference": "Patient/q"}]}
    mine["provision"] = {name: value for name, value in mine["provision"].items() if name != "provision"}
    neighbour = await smart.house.caller("Patient/q", "user/*.cruds")
    assert (await neighbour.post("Consent", mine)).status == 201
    await let_in(smart, client, SCOPE, MEASUREMENTS, "Patient/q", "q")
    kept = await smart.state.grants.get(theirs.grant.key)
    assert kept is not None
    assert not kept.value.ended
    assert await total(await caller(smart, theirs), "Observation") > 0


async def test_line_5_of_two_answers_to_one_request_one_counts(smart: SmartHouse) -> None:
    client, who = await app(smart), await login(smart)
    asked = await waits(smart, client, SCOPE)
    answers = await asyncio.gather(
        *(grants.let_in(smart.server, asked, who, MEASUREMENTS) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in answers) == ["AuthConflict", "AuthConflict", "str"]
    assert len(await grants.of_person(smart.server, "Patient/p")) == 1
    with pytest.raises(AuthConflict):
        await grants.refuse(smart.server, asked, who)


async def test_whoever_refuses_lets_nothing_in_and_the_app_is_told(smart: SmartHouse) -> None:
    client, who = await app(smart), await login(smart)
    location = await grants.refuse(smart.server, await waits(smart, client, SCOPE), who)
    assert location.startswith(f"{REDIRECT}?error=access_denied&")
    assert "state=its+own+state" in location
    assert "code=" not in location
    assert await grants.of_person(smart.server, "Patient/p") == []
    resident = await smart.house.caller("Patient/p", "user/*.cruds")
    assert await total(resident, "Consent") == 0


async def test_the_app_gets_what_was_ticked_and_nothing_beside_it(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    assert answered.grant.value.scope == "launch/patient patient/Observation.rs"
    it = await caller(smart, answered)
    assert await total(it, "Observation") == 2
    assert (await it.get("Condition")).status == 403
    made = await stored(smart, answered.grant.value.consent)
    assert made["status"] == "active"
    assert made["performer"] == [{"reference": "Patient/p"}]
    assert made["identifier"][0]["value"] == answered.grant.key


async def test_what_the_consent_closes_no_wider_scope_opens(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    grant = answered.grant.value
    wider = await smart.house.caller(
        "Patient/p", "patient/*.cruds", client="app", app="Device/app-app", patient="p", consent=grant.consent
    )
    assert await total(wider, "Observation") == 2
    for closed in ("Condition", "Patient", "Consent", "AuditEvent"):
        assert await total(wider, closed) == 0, closed
    assert (await wider.post("Observation", observation("", "p"))).status == 403


async def test_explain_access_tells_the_patient_what_the_app_may(smart: SmartHouse) -> None:
    await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    resident = await smart.house.caller("Patient/p", "user/*.cruds")

    async def decided(type: str, action: str = "access") -> set[str]:
        question = f"Patient/p/$explain-access?actor=Device/app-app&purpose=PATRQT&type={type}&action={action}"
        answer = await resident.get(question)
        assert answer.status == 200, answer.text
        parts = [part for one in answer.json["parameter"] for part in one.get("part", ())]
        return {part["valueCode"] for part in parts if part["name"] == "effect"}

    assert await decided("Observation") == {"permit"}
    assert await decided("Observation", "collect") == {"deny"}
    assert await decided("Condition") == {"deny"}
    assert await decided("Patient") == {"deny"}


async def test_a_professional_who_uses_the_same_app_is_not_let_in_by_it(smart: SmartHouse) -> None:
    client = await app(smart, purpose="PATRQT")
    await let_in(smart, client, SCOPE, MEASUREMENTS)
    doctor = await smart.house.caller("Practitioner/doctor", "user/*.rs", client="app", purpose="TREAT")
    assert await total(doctor, "Observation") == 0
    answered = await let_in(smart, client, "user/Observation.rs", choice("measurements"), "Practitioner/doctor", "")
    assert answered.grant.value.purpose == "TREAT"
    assert await total(await caller(smart, answered), "Observation") == 0


async def test_the_person_ends_it_and_every_token_is_gone_at_once(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, choice("measurements laboratory", duration="always"))
    token = await smart.redeem(answered.said["code"])
    assert await smart.status(token["access_token"]) == 200
    await grants.end(smart.server, answered.grant, as_person("Patient/p"))
    assert await smart.status(token["access_token"]) == 401
    with pytest.raises(OAuthError):
        await smart.refresh(token["refresh_token"])
    assert (await stored(smart, answered.grant.value.consent))["status"] == "inactive"
    assert await grants.of_person(smart.server, "Patient/p") == []
    await grants.end(smart.server, answered.grant, as_person("Patient/p"))
    assert (await stored(smart, answered.grant.value.consent))["meta"]["versionId"] == "2"


async def test_a_grant_that_the_protocol_ends_takes_its_consent_along(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    await grants.end(smart.server, answered.grant, Requester("system", "app", ()), "a code was used again")
    assert (await stored(smart, answered.grant.value.consent))["status"] == "inactive"
    assert "a code was used again" in await smart.log()


async def test_a_grant_ends_whole_while_tokens_are_issued_under_it(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, choice("measurements laboratory", duration="always"))
    first = await smart.redeem(answered.said["code"])
    refreshed, _ = await asyncio.gather(
        smart.refresh(first["refresh_token"]),
        grants.end(smart.server, answered.grant, as_person("Patient/p")),
        return_exceptions=True,
    )
    if isinstance(refreshed, dict):
        assert await smart.status(refreshed["access_token"]) == 401
    assert await smart.status(first["access_token"]) == 401


async def test_nobody_else_ends_what_a_patient_let_in(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    with pytest.raises(FhirError):
        await grants.narrow(smart.server, answered.grant, await app(smart, "b"), as_person("Patient/q"), choice())
    assert (await stored(smart, answered.grant.value.consent))["status"] == "active"


async def test_the_same_app_let_in_anew_takes_the_place_of_what_it_had(smart: SmartHouse) -> None:
    client = await app(smart)
    first = await let_in(smart, client, SCOPE, MEASUREMENTS)
    token = await smart.redeem(first.said["code"])
    hand_made = consent("mine", permit(by("Device/app-app"), code=[{"coding": [{"system": "x", "code": "y"}]}]))
    await smart.house.given(hand_made)
    second = await let_in(smart, client, SCOPE, choice("diagnoses"))
    assert await smart.status(token["access_token"]) == 401
    assert (await stored(smart, first.grant.value.consent))["status"] == "inactive"
    assert (await stored(smart, "mine"))["status"] == "active"
    assert [kept.key for kept in await grants.of_person(smart.server, "Patient/p")] == [second.grant.key]
    it = await caller(smart, second)
    assert await total(it, "Condition") == 1
    assert (await it.get("Observation")).status == 403


async def test_another_app_and_another_dossier_keep_what_they_had(smart: SmartHouse) -> None:
    one, other = await app(smart), await app(smart, "other")
    first = await let_in(smart, one, SCOPE, MEASUREMENTS)
    await let_in(smart, other, SCOPE, MEASUREMENTS)
    await let_in(smart, one, SCOPE, MEASUREMENTS, "Patient/q", "q")
    assert await total(await caller(smart, first), "Observation") == 2


async def test_a_proxy_lets_an_app_in_to_the_dossier_of_whom_they_act_for(smart: SmartHouse) -> None:
    await smart.house.given(DAUGHTER, VERIFIED)
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS, "RelatedPerson/daughter")
    assert answered.grant.value.purpose == "FAMRQT"
    assert await total(await caller(smart, answered), "Observation") == 2
    assert (await stored(smart, answered.grant.value.consent))["performer"] == [{"reference": "RelatedPerson/daughter"}]


async def test_whoever_is_no_proxy_lets_nobody_in_and_no_token_comes_of_it(smart: SmartHouse) -> None:
    await smart.house.given(DAUGHTER)
    client, who = await app(smart), await login(smart, "RelatedPerson/daughter")
    asked = await waits(smart, client, SCOPE)
    with pytest.raises(FhirError):
        await grants.let_in(smart.server, asked, who, MEASUREMENTS)
    assert await grants.of_person(smart.server, "RelatedPerson/daughter") == []
    resident = await smart.house.caller("Patient/p", "user/*.cruds")
    assert await total(resident, "Consent") == 0


async def test_line_7_no_fhir_scope_grants_nothing_and_needs_no_consent(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), "openid patient/Observation.rs", choice())
    grant = answered.grant.value
    assert (grant.scope, grant.consent, grant.patient) == ("openid", "", "")
    it = await caller(smart, answered)
    assert (await it.get("Observation")).status == 403


async def test_line_12_whoever_is_told_who_uses_it_can_read_that_person_and_no_more(smart: SmartHouse) -> None:
    await smart.house.given(DAUGHTER, VERIFIED)
    client = await app(smart)
    for person in ("Patient/p", "RelatedPerson/daughter"):
        answered = await let_in(smart, client, "openid fhirUser patient/Observation.rs", MEASUREMENTS, person)
        it = await caller(smart, answered)
        assert (await it.get(person)).status == 200, person
        assert (await it.get("Condition/p-diagnosis")).status == 403
    assert (await it.get("Patient/p")).status != 200


async def test_once_means_no_refresh_and_an_hour_at_most(smart: SmartHouse) -> None:
    answered = await let_in(smart, await app(smart), SCOPE, MEASUREMENTS)
    token = await smart.redeem(answered.said["code"])
    assert "refresh_token" not in token
    assert "offline_access" not in token["scope"]
    assert token["expires_in"] <= 3600
    made = await stored(smart, answered.grant.value.consent)
    smart.house.clock.now = answered.grant.value.until + SECOND
    assert await smart.status(token["access_token"]) == 401
    assert made["provision"]["period"]["end"][:4] == "2026"
    again = await smart.house.caller(
        "Patient/p", "patient/*.rs", client="app", app="Device/app-app", patient="p", consent=made["id"]
    )
    assert (await again.get("Observation/p1")).status == 401


async def test_three_months_end_with_the_consent_and_no_end_has_none(smart: SmartHouse) -> None:
    client = await app(smart)
    months = await let_in(smart, client, SCOPE, choice("measurements laboratory", duration="months"))
    days = (months.grant.value.until - months.grant.value.created) / (24 * 3600 * SECOND)
    assert 88 < days < 93
    assert months.grant.value.refresh == "offline"
    token = await smart.redeem(months.said["code"])
    smart.house.clock.now = months.grant.value.until
    with pytest.raises(OAuthError):
        await smart.refresh(token["refresh_token"])
    always = await let_in(smart, client, SCOPE, choice("measurements laboratory", duration="always"))
    assert always.grant.value.until == 0
    assert "period" not in (await stored(smart, always.grant.value.consent))["provision"]


async def test_narrowing_takes_away_what_was_unticked_from_the_token_that_is_there(smart: SmartHouse) -> None:
    client = await app(smart)
    answered = await let_in(smart, client, SCOPE, choice("measurements laboratory diagnoses", duration="always"))
    token = await smart.redeem(answered.said["code"])
    it = smart.bearer(token["access_token"])
    assert await total(it, "Condition") == 1
    await grants.narrow(smart.server, answered.grant, client, as_person("Patient/p"), MEASUREMENTS)
    assert await total(it, "Observation") == 2
    assert await total(it, "Condition") == 0
    narrowed = await smart.refresh(token["refresh_token"])
    assert narrowed["scope"] == "launch/patient offline_access patient/Observation.rs"
    assert (await stored(smart, answered.grant.value.consent))["meta"]["versionId"] == "2"


async def test_a_part_of_a_type_is_narrowed_by_taking_the_tokens_that_say_more(smart: SmartHouse) -> None:
    await smart.house.given(laboratory("blood"))
    client = await app(smart)
    answered = await let_in(smart, client, SCOPE, choice("measurements laboratory", duration="always"))
    token = await smart.redeem(answered.said["code"])
    await grants.narrow(smart.server, answered.grant, client, as_person("Patient/p"), choice("laboratory"))
    assert await smart.status(token["access_token"]) == 401
    refreshed = await smart.refresh(token["refresh_token"])
    it = smart.bearer(refreshed["access_token"])
    assert (await it.get("Observation")).ids == ["blood"]


async def test_narrowing_never_widens(smart: SmartHouse) -> None:
    client = await app(smart)
    answered = await let_in(smart, client, SCOPE, MEASUREMENTS)
    everything = choice("measurements laboratory diagnoses", "measurements", "mental", "always")
    await grants.narrow(smart.server, answered.grant, client, as_person("Patient/p"), everything)
    changed = await smart.found(answered.grant.key)
    assert changed.value.scope == answered.grant.value.scope
    assert changed.value.until == answered.grant.value.until
    made = await stored(smart, answered.grant.value.consent)
    types = smart.server.gateway.registry.resource_types
    assert consenting.ticked(changed.value.scope, made, types).sensitive == frozenset()


async def test_line_7_laboratory_results_alone_are_a_finer_scope_that_holds(smart: SmartHouse) -> None:
    await smart.house.given(laboratory("blood"))
    lab = await let_in(smart, await app(smart), SCOPE, choice("laboratory"))
    it = await caller(smart, lab)
    assert (await it.get("Observation")).ids == ["blood"]
    assert (await it.get("Observation/p1")).status == 404
    rest = await let_in(smart, await app(smart, "b"), SCOPE, choice("measurements"))
    other = await caller(smart, rest, "b")
    assert sorted((await other.get("Observation")).ids) == ["p1", "p2"]
    assert (await other.get("Observation/blood")).status == 404


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("patient/Observation.read", "patient/Observation.read"), ("patient/Observation.rs", "patient/Observation.rs")],
)
async def test_line_7_the_words_of_version_1_last_from_the_request_to_the_answer(
    smart: SmartHouse, asked: str, answered: str
) -> None:
    client = await app(smart)
    form = sent(response_type="code", client_id="app", redirect_uri=REDIRECT, scope=asked, state="s", aud=ADDRESSES.base,
                code_challenge=CHALLENGE, code_challenge_method="S256")  # fmt: skip
    types = smart.server.gateway.registry.resource_types
    authorization = authorize.check(form, client, None, ADDRESSES, types, smart.server.now())
    kept = await waits(smart, client, authorization.scope, version_1=authorization.version_1)
    location = await grants.let_in(smart.server, kept, await login(smart), MEASUREMENTS)
    (newest, *_) = await grants.of_person(smart.server, "Patient/p")
    assert newest.value.scope == "patient/Observation.rs"
    assert (await smart.redeem(Answered(location, newest).said["code"]))["scope"] == answered


async def test_writing_is_let_in_apart_from_reading(smart: SmartHouse) -> None:
    scope = "patient/Observation.cruds patient/Condition.cruds"
    answered = await let_in(smart, await app(smart), scope, choice("measurements laboratory", "diagnoses"))
    it = await caller(smart, answered)
    assert (await it.post("Observation", observation("", "p"))).status == 403
    assert await total(it, "Observation") == 2
    assert (await it.post("Condition", condition("new", "p"))).status == 201
    assert (await it.get("Condition")).status == 403


def laboratory(id: str, patient: str = "p") -> Json:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return observation(id, patient, category=[{"coding": [{"system": system, "code": "laboratory"}]}])


@pytest.mark.parametrize(("person", "patient"), [("Practitioner/doctor", ""), ("Patient/p", "p")])
async def test_line_11_what_was_let_in_with_an_account_ends_with_it(
    smart: SmartHouse, person: str, patient: str
) -> None:
    """Somebody who left can stop nothing any more, and no app goes on in their name."""
    scope, always = "offline_access user/Observation.rs", choice("measurements laboratory", duration="always")
    await smart.house.given(consent("opens", permit(by("Practitioner/doctor"))))
    issued = []
    for id in ("app", "other"):
        answered = await let_in(smart, await app(smart, id), scope, always, person, patient)
        issued.append((answered.grant, await smart.redeem(answered.said["code"], client_id=id)))
    (ends, mine), (stays, theirs) = issued
    somebody_else = await smart.found(stays.key)
    write = smart.state.grants.change(somebody_else, replace(somebody_else.value, account="account-2"))
    account = Account(id=ends.value.account, username="leaves", name="Leaves", people=(person,))
    await smart.state.commit(write, smart.state.accounts.add("leaves", account))
    accounts = Accounts(smart.server, Passwords())
    there = await accounts.get("leaves")
    assert there is not None
    await accounts.remove(there, "operator")
    assert await smart.status(mine["access_token"]) == 401
    refused = await smart.refused(
        "invalid_grant", grant_type="refresh_token", refresh_token=mine["refresh_token"], client_id="app"
    )
    assert refused.description == "what was granted has ended"
    assert await smart.status(theirs["access_token"]) == 200

"""$explain-access: why somebody can, or can't, see what is in a dossier. Semantics section 9."""

from typing import Any

import pytest

from fhir_server.gateway.stored_text import instant
from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Caller, House, observation, opened, organization, patient
from tests.fhir_server.operations.dossier import (
    coded,
    consent,
    furnish,
    parameters,
    practitioner,
    purposes,
    recipients,
    ref,
    role,
    sentences,
    told,
    types,
)

pytestmark = pytest.mark.anyio

URL = "Patient/p/$explain-access"
DAY = 86_400_000_000


async def asked(caller: Caller, **question: Any) -> dict[str, list[Any]]:
    return told(await caller.post(URL, parameters(**{"actor": "Practitioner/acht", **question})))


async def decided(caller: Caller, resource: str, **question: Any) -> dict[str, list[Any]]:
    """The one decision about a resource."""
    (decision,) = (await asked(caller, resource=resource, **question))["decision"]
    return dict(decision)


def fates(decision: dict[str, list[Any]]) -> dict[str, str]:
    return {part["consent"][0]["reference"]: part["fate"][0] for part in decision.get("provision", [])}


async def test_it_names_the_consent_that_decided_and_what_lost() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(
            consent("acht", type="permit", actor=recipients("Practitioner/acht")),
            consent("no", type="deny"),
            consent("study", type="permit", purpose=purposes("HRESCH")),
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        decision = await decided(owner, "Observation/usual", purpose="TREAT")
        assert (decision["effect"], decision["rule"], decision["count"]) == (["permit"], ["consent"], [1])
        assert decision["resource"] == [ref("Observation/usual")]
        assert fates(decision) == {
            "Consent/acht/_history/1": "stands",
            "Consent/no/_history/1": "beaten",
            "Consent/study/_history/1": "no-match",
        }
        (beaten,) = (part for part in decision["provision"] if part["fate"] == ["beaten"])
        assert beaten["by"] == ["Consent/acht Consent.provision"]
        assert beaten["path"] == ["Consent.provision"]
        assert "Nee. Voor iedereen en over alles." in sentences(beaten, "nl")
        (study,) = (part for part in decision["provision"] if part["fate"] == ["no-match"])
        assert study["element"] == [{"name": ["purpose"], "answer": ["no"]}]
        assert sentences(study, "en") == "Yes. The purpose: research."
        (stands,) = (part for part in decision["provision"] if part["fate"] == ["stands"])
        assert sentences(stands, "nl") == "Ja. Wie het vraagt: dr. Acht."
        assert "Dit mag. De keuze van 21 september 2026, Consent/acht (versie 1) zegt ja." in sentences(decision, "nl")
        assert "The choice of 21 September 2026, Consent/acht (version 1) says yes." in sentences(decision, "en")


async def test_what_it_says_is_what_happens() -> None:
    """For every record the explanation and a read agree."""
    async with opened() as house:
        await furnish(house)
        await house.given(
            consent(
                "some",
                type="permit",
                actor=recipients("Organization/practice"),
                provision=[{"type": "deny", "code": coded("height")}],
            ),
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        for login in ("acht", "negen"):
            doctor = await house.caller(f"Practitioner/{login}", "user/*.rs", purpose="TREAT")
            for id in ("usual", "restricted", "height"):
                decision = await decided(owner, f"Observation/{id}", actor=f"Practitioner/{login}", purpose="TREAT")
                status = (await doctor.get(f"Observation/{id}")).status
                assert decision["effect"] == ["permit" if status == 200 else "deny"], (login, id)


async def test_a_type_is_told_in_groups_with_one_basis() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(
            consent("no-height", type="deny", code=coded("height")),
            consent("yes", type="permit", actor=recipients("Practitioner/acht")),
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        answer = await asked(owner, type="Observation", purpose="TREAT")
        assert answer["summary"] == [{"type": ["Observation"], "permitted": [2], "denied": [1]}]
        groups = {decision["effect"][0]: decision for decision in answer["decision"]}
        assert groups["permit"]["resource"] == [ref("Observation/restricted"), ref("Observation/usual")]
        assert groups["deny"]["resource"] == [ref("Observation/height")]
        assert fates(groups["deny"])["Consent/no-height/_history/1"] == "stands"
        assert groups["permit"]["count"] == [2]


async def test_the_whole_dossier_is_counted_by_type() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(
            consent("yes", type="permit", class_=types("Observation"), actor=recipients("Practitioner/acht"))
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        answer = await asked(owner, purpose="TREAT")
        assert answer["summary"] == [
            {"type": ["Consent"], "permitted": [0], "denied": [1]},
            {"type": ["Observation"], "permitted": [3], "denied": [0]},
            {"type": ["Patient"], "permitted": [0], "denied": [1]},
        ]
        assert all("resource" not in decision for decision in answer["decision"])
        assert {decision["rule"][0] for decision in answer["decision"]} == {"personal", "consent", "base"}


async def test_one_language_or_both() -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        assert len((await decided(owner, "Patient/p"))["text"]) == 2
        (dutch,) = (await decided(owner, "Patient/p", language="nl"))["text"]
        assert dutch["language"] == ["nl"]
        assert dutch["sentence"][0] == "Dit mag niet."


@pytest.mark.parametrize(
    "terms",
    [
        {"user": "Practitioner/acht", "scope": "user/*.cruds"},
        {"user": "Patient/q", "scope": "user/*.cruds"},
        {"user": "RelatedPerson/neighbour", "scope": "patient/*.rs", "patient": "p"},
        {"user": "system", "scope": "system/Consent.rs system/Patient.rs system/Observation.rs"},
    ],
    ids=lambda terms: terms["user"],
)
async def test_everybody_else_is_told_what_they_are_told_of_nobody(terms: dict[str, Any]) -> None:
    async with opened() as house:
        await furnish(house)
        neighbour = {"resourceType": "RelatedPerson", "id": "neighbour", "patient": ref("Patient/p")}
        await house.given(neighbour, consent("yes", type="permit"))
        caller = await house.caller(**terms)
        hidden = await caller.post(URL, parameters(actor="Practitioner/acht"))
        absent = await caller.post("Patient/none/$explain-access", parameters(actor="Practitioner/acht"))
        assert (hidden.status, hidden.text, hidden.headers) == (404, absent.text, absent.headers)


async def test_a_verified_proxy_and_the_auditor_are_told() -> None:
    async with opened() as house:
        await furnish(house)
        guardian = {
            "resourceType": "RelatedPerson",
            "id": "guardian",
            "patient": ref("Patient/p"),
            "relationship": [
                {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "GUARD"}]}
            ],
        }
        verified = {
            "resourceType": "VerificationResult",
            "id": "v",
            "target": [ref("RelatedPerson/guardian")],
            "status": "validated",
        }
        await house.given(guardian, verified)
        proxy = await house.caller("RelatedPerson/guardian", "patient/*.rs", patient="p")
        assert (await decided(proxy, "Observation/usual"))["effect"] == ["deny"]
        assert (await decided(proxy, "Observation/usual", actor="RelatedPerson/guardian"))["rule"] == ["proxy"]
        auditor = await house.caller("system", "system/*.rs")
        assert (await decided(auditor, "Observation/usual"))["effect"] == ["deny"]
        assert (await house.anonymous().post(URL, parameters(actor="Practitioner/acht"))).status == 401


async def test_a_scope_bounds_what_is_told() -> None:
    async with opened() as house:
        await furnish(house)
        narrow = await house.caller(
            "Patient/p", "patient/Patient.rs patient/Consent.rs patient/Observation.rs?code=height"
        )
        answer = await asked(narrow)
        assert answer["summary"] == [
            {"type": ["Observation"], "permitted": [0], "denied": [1]},
            {"type": ["Patient"], "permitted": [0], "denied": [1]},
        ]
        for resource, status in (("Observation/usual", 404), ("Condition/x", 403), ("Observation/height", 200)):
            answer_of = await narrow.post(URL, parameters(actor="Practitioner/acht", resource=resource))
            assert answer_of.status == status, resource
        without = await house.caller("Patient/p", "patient/Patient.rs patient/Observation.rs")
        assert (await without.post(URL, parameters(actor="Practitioner/acht"))).status == 403


async def test_a_record_of_another_dossier_is_as_one_that_is_not_there() -> None:
    async with opened() as house:
        await furnish(house)
        shared = {**observation("shared", "p"), "performer": [ref("Patient/q")]}
        await house.given(shared)
        owner = await house.caller("Patient/p", "patient/*.rs")
        absent = await owner.post(URL, parameters(actor="Practitioner/acht", resource="Observation/none"))
        assert absent.status == 404
        for other in ("Observation/of-q", "Observation/shared", "Organization/practice"):
            found = await owner.post(URL, parameters(actor="Practitioner/acht", resource=other))
            assert (found.status, found.text) == (404, absent.text), other


async def test_who_is_asked_about_need_not_be_known() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(
            {"resourceType": "RelatedPerson", "id": "of-q", "patient": ref("Patient/q"), "name": [{"text": "Buur"}]}
        )
        await house.given(consent("all", type="permit", actor=recipients("RelatedPerson/of-q", "RelatedPerson/none")))
        owner = await house.caller("Patient/p", "patient/*.rs")
        answers = []
        for actor in ("RelatedPerson/of-q", "RelatedPerson/none"):
            answer = await asked(owner, actor=actor, resource="Observation/usual")
            assert answer["actor"] == [{"reference": actor, "display": actor}]
            answers.append(answer["decision"])
        assert answers[0] == answers[1]
        assert answers[0][0]["effect"] == ["permit"]
        # About a patient who is known elsewhere only, so in no dossier here.
        elsewhere = {"patient": {"identifier": {"value": "1"}}, "name": [{"text": "Buur"}]}
        await house.given({"resourceType": "RelatedPerson", "id": "nobodys", **elsewhere})
        answer = await asked(owner, actor="RelatedPerson/nobodys")
        assert answer["actor"] == [{"reference": "RelatedPerson/nobodys", "display": "RelatedPerson/nobodys"}]
        unknown = await decided(owner, "Observation/usual", actor="PractitionerRole/none")
        assert unknown["effect"] == ["deny"]


async def test_an_app_goes_by_the_name_of_its_device_and_a_thing_that_somebody_uses_by_none() -> None:
    async with opened() as house:
        await furnish(house)
        names = {"deviceName": [{"name": "Samen wandelen", "type": "user-friendly-name"}]}
        app = {"resourceType": "Device", "id": "app-wandelen", "identifier": [{"value": "wandelen"}], **names}
        elsewhere = {"patient": {"identifier": {"value": "1"}}}
        await house.given(
            app, {**app, "id": "theirs", "patient": ref("Patient/q")}, {**app, "id": "nobodys", **elsewhere}
        )
        await house.given(consent("all", type="permit", actor=recipients("Device/app-wandelen")))
        owner = await house.caller("Patient/p", "patient/*.rs")
        for device, name in (
            ("Device/app-wandelen", "Samen wandelen"),
            ("Device/theirs", "Device/theirs"),
            ("Device/nobodys", "Device/nobodys"),
        ):
            answer = await asked(owner, actor=device, purpose="PATRQT", resource="Observation/usual")
            assert answer["actor"] == [{"reference": device, "display": name}]
        answer = await asked(owner, actor="Device/app-wandelen", purpose="PATRQT", resource="Observation/usual")
        assert "Samen wandelen" in str(answer["decision"])


async def test_a_team_in_another_dossier_is_not_told_of() -> None:
    """Who names a team of another's dossier in a Consent must not learn from the explanation who is in it."""
    async with opened() as house:
        await furnish(house)
        team = {
            "resourceType": "CareTeam",
            "status": "active",
            "participant": [{"member": ref("Practitioner/acht")}],
        }
        await house.given(
            {**team, "id": "mine", "subject": ref("Patient/p")}, {**team, "id": "theirs", "subject": ref("Patient/q")}
        )
        await house.given(
            consent("mine", type="permit", actor=recipients("CareTeam/mine"), code=coded("weight")),
            consent(
                "theirs", type="permit", actor=recipients("CareTeam/theirs", "CareTeam/none"), code=coded("height")
            ),
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        assert (await decided(owner, "Observation/usual", purpose="TREAT"))["effect"] == ["permit"]
        assert (await decided(owner, "Observation/height", purpose="TREAT"))["effect"] == ["deny"]


async def test_as_of_another_day() -> None:
    """Who could see this on that day: Consent, membership and label as they were."""
    async with opened() as house:
        clock = house.clock
        await house.given(organization("practice"), practitioner("acht", "Acht"), role("r", "acht", "practice"))
        await house.given(patient("p"), observation("weight", "p"))
        days = {"before": clock.now}

        async def next_day(name: str, *changed: dict[str, Any]) -> None:
            clock.now += DAY
            await house.given(*changed)
            days[name] = clock.now

        restricted = {
            "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
        }
        label = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]
        yes = consent("yes", type="permit", actor=recipients("Organization/practice"), securityLabel=label)
        await next_day("opened", yes)
        await next_day("labelled", observation("weight", "p", **restricted))
        await next_day("unlabelled", observation("weight", "p"))
        await next_day("left", role("r", "acht", "practice", active=False))
        await next_day("back", role("r", "acht", "practice"))
        await next_day("revoked", {**yes, "status": "inactive"})
        clock.now += DAY

        owner = await house.caller("Patient/p", "patient/*.rs")
        effects = {}
        for name, day in days.items():
            effects[name] = (await _at(owner, instant(day + DAY // 2)))["effect"][0]
        assert effects == {
            "before": "deny",
            "opened": "permit",
            "labelled": "deny",
            "unlabelled": "permit",
            "left": "deny",
            "back": "permit",
            "revoked": "deny",
        }
        then = await _at(owner, instant(days["labelled"] + DAY // 2))
        (part,) = then["provision"]
        assert part["consent"] == [ref("Consent/yes/_history/1")]
        assert {"name": ["securityLabel"], "answer": ["no"]} in part["element"]


async def test_before_a_record_was_there_it_was_not_in_the_dossier() -> None:
    async with opened() as house:
        start = house.clock.now
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        early = f"{URL}?actor=Practitioner/acht&resource=Observation/usual&at={instant(start - DAY)}"
        assert (await owner.get(early)).status == 404
        summary = told(await owner.get(f"{URL}?actor=Practitioner/acht&at={instant(start - DAY)}"))
        assert "decision" not in summary
        while_there = house.clock.now + 60_000_000
        house.clock.now += DAY
        await house.maintenance.write("delete", "", lambda unit: unit.delete("Observation", "usual"))
        now = f"{URL}?actor=Practitioner/acht&resource=Observation/usual"
        assert (await owner.get(now)).status == 404
        assert (await owner.get(f"{now}&at={instant(while_there)}")).status == 200


async def test_it_tells_until_when_a_decision_holds() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(
            consent("year", type="permit", actor=recipients("Practitioner/acht"), period={"end": "2027-12-31"})
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        decision = await decided(owner, "Observation/usual", purpose="TREAT")
        assert decision["validUntil"] == ["2027-12-31T23:00:00.000Z"]
        later = told(await owner.get(f"{URL}?actor=Practitioner/acht&purpose=TREAT&type=Observation&at=2028-01-01"))
        assert later["summary"] == [{"type": ["Observation"], "permitted": [0], "denied": [3]}]


async def test_it_tells_what_the_emergency_button_would_open() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(consent("no", type="deny"))
        owner = await house.caller("Patient/p", "patient/*.rs")
        assert (await decided(owner, "Observation/usual", purpose="BTG"))["rule"] == ["emergency"]
        by_app = await decided(owner, "Observation/usual", purpose="BTG", actor="Organization/practice")
        assert by_app["effect"] == ["deny"]


async def test_the_question_stands_in_the_log() -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        auditor = await house.caller("system", "system/*.rs")
        await decided(auditor, "Observation/usual")
        log = (await owner.get("AuditEvent")).resources
        assert [event["outcomeDesc"] for event in log if event.get("outcomeDesc") == "explain-access"]


@pytest.mark.parametrize(
    "bad",
    [
        {"actor": "Group/g"},
        {"actor": "Practitioner"},
        {"purpose": "FUN"},
        {"action": "read"},
        {"type": "Nothing"},
        {"resource": "Nothing/1"},
        {"at": "yesterday"},
        {"at": "1900"},
        {"language": "fr"},
        {"resource": "Observation/usual", "type": "Observation"},
        {"colour": "red"},
    ],
    ids=str,
)
async def test_what_is_asked_wrongly_is_refused(bad: dict[str, Any]) -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        asked_for = "&".join(f"{name}={value}" for name, value in {"actor": "Practitioner/acht", **bad}.items())
        assert (await owner.get(f"{URL}?{asked_for}")).status == 400
        assert (await owner.get(URL)).status == 400


async def test_the_answer_is_a_valid_resource(house: House) -> None:
    await furnish(house)
    await house.given(consent("yes", type="permit", actor=recipients("Practitioner/acht"), purpose=purposes("TREAT")))
    owner = await house.caller("Patient/p", "patient/*.rs")
    for about in ({}, {"type": "Observation"}, {"resource": "Observation/usual"}):
        answer = await owner.post(URL, parameters(actor="Practitioner/acht", purpose="TREAT", **about))
        assert [i for i in iter_issues(answer.json, house.gateway.registry) if i.severity in ("error", "fatal")] == []


async def _at(owner: Caller, at: str) -> dict[str, list[Any]]:
    url = f"{URL}?actor=Practitioner/acht&purpose=TREAT&resource=Observation/weight&at={at}"
    (decision,) = told(await owner.get(url))["decision"]
    return dict(decision)

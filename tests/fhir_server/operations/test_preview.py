"""Consent/$preview: before signing, which people and which records a Consent opens or closes. Semantics section 9."""

from typing import Any

import pytest

from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Answer, Caller, House, observation, opened, patient
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

URL = "Consent/$preview"


async def previewed(owner: Caller, made: dict[str, Any], **more: Any) -> dict[str, list[Any]]:
    return told(await owner.post(URL, parameters(resource=made, **more)))


def changes(answer: dict[str, list[Any]]) -> dict[str, dict[str, list[Any]]]:
    """What changes, by person."""
    found: dict[str, dict[str, list[Any]]] = {}
    for change in answer.get("change", []):
        (actor,) = change["actor"]
        found[actor.get("reference", actor["display"])] = change
    return found


def records(several: list[Any]) -> set[str]:
    return {one["reference"] for counted in several for one in counted.get("resource", [])}


async def test_it_tells_what_a_yes_opens_for_the_staff_of_a_practice() -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        answer = await previewed(
            owner,
            consent("new", type="permit", actor=recipients("Organization/practice"), class_=types("Observation")),
        )
        found = changes(answer)
        assert set(found) == {"Organization/practice", "Practitioner/acht"}
        acht = found["Practitioner/acht"]
        assert acht["opens"][0]["count"] == [3]
        assert records(acht["opens"]) == {f"Observation/{id}" for id in ("usual", "restricted", "height")}
        assert "closes" not in acht
        assert acht["purpose"] == ["TREAT"]
        assert sentences(acht, "nl") == (
            "dr. Acht kan dan meer zien dan nu: metingen en waarnemingen (3). Dit geldt als het doel dit is: behandeling."
        )
        assert sentences(acht, "en") == (
            "dr. Acht can then see more than now: observations (3). This holds if the purpose is: treatment."
        )
        assert answer["patient"] == [ref("Patient/p")]


async def test_what_it_foretells_is_what_happens() -> None:
    """Each person's reads before and after the write differ by exactly what the preview said."""
    async with opened() as house:
        await furnish(house)
        await house.given(
            consent("today", type="permit", actor=recipients("Practitioner/acht"), class_=types("Observation")),
            practitioner("tien", "Tien"),
        )
        owner = await house.caller("Patient/p", "patient/*.cruds")
        logins = ("acht", "negen", "tien")
        doctors = {login: await house.caller(f"Practitioner/{login}", "user/*.rs", purpose="TREAT") for login in logins}
        places = ("Patient/p", "Observation/usual", "Observation/restricted", "Observation/height")

        async def seen() -> dict[str, set[str]]:
            return {
                login: {place for place in places if (await doctor.get(place)).status == 200}
                for login, doctor in doctors.items()
            }

        before = await seen()
        made = consent(
            "new",
            type="permit",
            actor=recipients("Practitioner/negen"),
            provision=[
                {
                    "type": "deny",
                    "actor": recipients("Practitioner/acht", "Practitioner/negen"),
                    "code": coded("height"),
                }
            ],
        )
        foretold = changes(await previewed(owner, made))
        assert await seen() == before, "a preview stores nothing"
        assert (await owner.get("Consent/new")).status == 404
        await owner.post("Consent", {key: value for key, value in made.items() if key != "id"})
        after = await seen()
        assert before != after
        for login in logins:
            change = foretold.get(f"Practitioner/{login}", {})
            assert records(change.get("opens", [])) == after[login] - before[login], login
            assert records(change.get("closes", [])) == before[login] - after[login], login


async def test_a_kind_of_professional_is_looked_up_in_the_directory() -> None:
    """A category opens to those who treat the patient, and closes to all of the kind."""
    async with opened() as house:
        await furnish(house)
        kind = {"coding": [{"system": "http://test/roles", "code": "gp"}]}
        await house.given(
            *(practitioner(id, id) for id in ("treats", "stranger", "other")),
            role("r1", "treats", "practice", code=[kind]),
            role("r2", "stranger", "practice", code=[kind]),
            role("r3", "other", "practice"),
            patient("p", generalPractitioner=[ref("Practitioner/treats")]),
        )
        named = recipients("")
        named[0]["reference"] = {
            "type": "PractitionerRole",
            "identifier": {"system": "http://test/roles", "value": "gp"},
        }
        owner = await house.caller("Patient/p", "patient/*.rs")
        opens = changes(await previewed(owner, consent("new", type="permit", actor=named)))
        assert set(opens) == {"Practitioner/treats"}
        await house.given(consent("all", type="permit", actor=recipients("Organization/practice")))
        closes = changes(await previewed(owner, consent("new", type="deny", actor=named, code=coded("height"))))
        assert {who: records(change["closes"]) for who, change in closes.items()} == {
            "Practitioner/treats": {"Observation/height"},
            "Practitioner/stranger": {"Observation/height"},
        }


async def test_a_yes_does_not_favour_the_professional_who_recorded_it() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(role("negen-in-practice", "negen", "practice"))
        owner = await house.caller("Patient/p", "patient/*.rs")
        recorded = {
            **consent("new", type="permit", actor=recipients("Organization/practice")),
            "performer": [ref("Practitioner/acht")],
            "verification": [{"verified": True}],
        }
        assert set(changes(await previewed(owner, recorded))) == {"Organization/practice", "Practitioner/negen"}


async def test_it_takes_the_place_of_the_consent_with_its_id() -> None:
    async with opened() as house:
        await furnish(house)
        yes = consent("yes", type="permit", actor=recipients("Practitioner/acht"))
        await house.given(yes)
        owner = await house.caller("Patient/p", "patient/*.rs")
        assert changes(await previewed(owner, yes)) == {}
        ended = changes(await previewed(owner, yes, status="inactive"))
        assert records(ended["Practitioner/acht"]["closes"]) >= {"Observation/usual", "Patient/p"}
        narrowed = consent("yes", type="permit", actor=recipients("Practitioner/acht"), code=coded("height"))
        closed = changes(await previewed(owner, narrowed))["Practitioner/acht"]["closes"]
        # A Patient has no code, so a yes to a code is none to the Patient.
        assert records(closed) == {"Observation/usual", "Observation/restricted", "Patient/p"}


async def test_a_stored_proposal_is_previewed_as_if_it_were_signed() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(consent("wish", status="proposed", type="permit", actor=recipients("Practitioner/acht")))
        owner = await house.caller("Patient/p", "patient/*.rs")
        assert set(changes(told(await owner.get("Consent/wish/$preview")))) == {"Practitioner/acht"}
        assert changes(told(await owner.get("Consent/wish/$preview?status=rejected"))) == {}
        nothing = told(await owner.post("Consent/wish/$preview", parameters(status="inactive")))
        assert "Voor niemand verandert er iets." in sentences(nothing, "nl")


async def test_it_looks_at_each_purpose_that_a_consent_names() -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        study = consent("study", type="permit", purpose=purposes("HRESCH"), actor=recipients("Practitioner/acht"))
        assert changes(await previewed(owner, study))["Practitioner/acht"]["purpose"] == ["HRESCH"]
        whatever = consent("study", type="permit", actor=recipients("Practitioner/acht"))
        await house.given(
            consent("other", type="deny", purpose=purposes("HMARKT"), actor=recipients("Practitioner/acht"))
        )
        assert changes(await previewed(owner, whatever))["Practitioner/acht"]["purpose"] == ["TREAT"]


async def test_a_yes_that_names_nobody_opens_to_everybody_and_it_says_so() -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.rs")
        found = changes(await previewed(owner, consent("all", type="permit", class_=types("Observation"))))
        # A professional whom it does not name has no treatment relation; a resident needs none.
        assert set(found) == {"Iedere andere bewoner"}
        assert "Any other resident can then see more" in sentences(found["Iedere andere bewoner"], "en")


async def test_it_looks_at_those_who_treat_the_patient_and_at_who_wrote() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(
            practitioner("gp", "Huis"),
            practitioner("writer", "Schrijver"),
            practitioner("team", "Team"),
            practitioner("stranger", "Vreemd"),
            patient("p", generalPractitioner=[ref("Practitioner/gp")]),
            observation("written", "p", performer=[ref("Practitioner/writer")]),
            {
                "resourceType": "CareTeam",
                "id": "team",
                "status": "active",
                "subject": ref("Patient/p"),
                "participant": [{"member": ref("Practitioner/team")}],
            },
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        found = changes(await previewed(owner, consent("all", type="permit", class_=types("Observation"))))
        assert {"Practitioner/gp", "Practitioner/team"} <= set(found)
        # Who wrote something has no treatment relation, and reads back their own as before.
        assert "Practitioner/writer" not in found
        denied = changes(await previewed(owner, consent("none", type="deny", class_=types("Observation"))))
        assert set(denied) == {"Practitioner/writer"}
        assert records(denied["Practitioner/writer"]["closes"]) == {"Observation/written"}
        assert "Practitioner/stranger" not in found


async def test_a_visible_record_that_mentions_a_hidden_one_is_told() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(observation("linked", "p", "sum", derivedFrom=[ref("Observation/height")]))
        owner = await house.caller("Patient/p", "patient/*.rs")
        made = consent("new", type="permit", actor=recipients("Practitioner/acht"), code=coded("sum"))
        change = changes(await previewed(owner, made))["Practitioner/acht"]
        assert change["mentioned"] == [1]
        assert change["mentions"] == [{"visible": [ref("Observation/linked")], "hidden": [ref("Observation/height")]}]
        assert "noemt iets wat dicht blijft (1 keer)" in sentences(change, "nl")
        both = consent("new", type="permit", actor=recipients("Practitioner/acht"))
        assert changes(await previewed(owner, both))["Practitioner/acht"]["mentioned"] == [0]


async def test_it_warns_as_a_write_would() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(consent("no", type="deny", actor=recipients("Practitioner/acht")))
        owner = await house.caller("Patient/p", "patient/*.rs")
        answer = await previewed(owner, consent("yes", type="permit", actor=recipients("Practitioner/acht")))
        (warnings,) = answer["warnings"]
        assert warnings["issue"][0]["code"] == "conflict"
        assert "Consent/no" in warnings["issue"][0]["diagnostics"]


async def test_what_cannot_be_enforced_is_refused_as_a_write_would() -> None:
    async with opened() as house:
        await furnish(house)
        owner = await house.caller("Patient/p", "patient/*.cruds")
        unknown = consent("new", type="permit", data=[{"meaning": "instance", "reference": ref("Observation/none")}])
        refused = await owner.post(URL, parameters(resource=unknown))
        unknown.pop("id")
        assert (refused.status, refused.issue["expression"]) == (422, ["Consent.provision.data"])
        assert (await owner.post("Consent", unknown)).json == refused.json
        invalid = await owner.post(URL, parameters(resource={**consent("new"), "status": "maybe"}))
        assert invalid.status == 400


@pytest.mark.parametrize(
    "terms",
    [
        {"user": "Practitioner/acht", "scope": "user/*.cruds"},
        {"user": "Patient/q", "scope": "user/*.cruds"},
        {"user": "system", "scope": "system/*.cruds"},
    ],
    ids=lambda terms: terms["user"],
)
async def test_it_is_for_the_patient_alone(terms: dict[str, Any]) -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(consent("stored", type="permit"))
        caller = await house.caller(**terms)

        async def asked(patient_id: str) -> Answer:
            return await caller.post(URL, parameters(resource=consent("new", patient_id, type="permit")))

        hidden, absent = await asked("p"), await asked("none")
        assert (hidden.status, hidden.text) == (404, absent.text)
        assert (await caller.get("Consent/stored/$preview")).text == absent.text
        assert (await caller.get("Consent/none/$preview")).text == absent.text
        assert (await house.anonymous().get("Consent/stored/$preview")).status == 401


async def test_a_consent_of_another_is_not_touched_by_its_id() -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(consent("theirs", "q", type="permit", actor=recipients("Practitioner/acht")))
        owner = await house.caller("Patient/p", "patient/*.rs")
        made = consent("theirs", "p", type="permit", actor=recipients("Practitioner/acht"))
        free = {**made, "id": "free"}
        assert changes(await previewed(owner, made)) == changes(await previewed(owner, free))


async def test_a_team_in_another_dossier_is_not_opened_up() -> None:
    async with opened() as house:
        await furnish(house)
        team = {"resourceType": "CareTeam", "status": "active", "participant": [{"member": ref("Practitioner/acht")}]}
        await house.given(
            {**team, "id": "mine", "subject": ref("Patient/p")}, {**team, "id": "theirs", "subject": ref("Patient/q")}
        )
        owner = await house.caller("Patient/p", "patient/*.rs")
        made = consent("new", type="permit", actor=recipients("CareTeam/mine"))
        assert set(changes(await previewed(owner, made))) == {"Practitioner/acht"}
        refused = []
        for name in ("theirs", "none"):
            made = consent("new", type="permit", actor=recipients(f"CareTeam/{name}"))
            refused.append(await owner.post(URL, parameters(resource=made)))
        assert [answer.status for answer in refused] == [422, 422]
        assert refused[0].text == refused[1].text


async def test_more_people_than_it_looks_at_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from fhir_server.gateway import previewing

    monkeypatch.setattr(previewing, "PEOPLE_MAX", 2)
    async with opened() as house:
        await furnish(house)
        await house.given(*(role(f"r{n}", f"n{n}", "practice") for n in range(5)))
        owner = await house.caller("Patient/p", "patient/*.rs")
        answer = await previewed(owner, consent("new", type="permit", actor=recipients("Organization/practice")))
        assert (answer["people"], answer["leftOut"]) == ([2], [5])
        assert "5 mensen en organisaties zijn niet bekeken" in sentences(answer, "nl")


async def test_a_proxy_may_ask_and_a_new_proxy_is_foretold() -> None:
    async with opened() as house:
        await furnish(house)
        code = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "POWATT"}
        child = {
            "resourceType": "RelatedPerson",
            "id": "child",
            "patient": ref("Patient/p"),
            "name": [{"text": "Kind"}],
            "relationship": [{"coding": [code]}],
        }
        await house.given(child)
        owner = await house.caller("Patient/p", "patient/*.rs")
        made = consent("new", type="permit", actor=recipients("RelatedPerson/child"), purpose=purposes("PWATRNY"))
        change = changes(await previewed(owner, made))["RelatedPerson/child"]
        assert change["actor"] == [{"reference": "RelatedPerson/child", "display": "Kind"}]
        # A proxy sees all, to whatever end.
        assert change["purpose"] == ["FAMRQT", "PWATRNY"]
        await house.given(made)
        proxy = await house.caller("RelatedPerson/child", "patient/*.rs", patient="p")
        ended = changes(told(await proxy.get("Consent/new/$preview?status=inactive")))
        assert records(ended["RelatedPerson/child"]["closes"]) >= {"Observation/usual", "Patient/p", "Consent/new"}


async def test_the_answer_is_a_valid_resource(house: House) -> None:
    await furnish(house)
    owner = await house.caller("Patient/p", "patient/*.rs")
    made = consent("new", type="deny", class_=types("Observation"))
    answer = await owner.post(URL, parameters(resource=made))
    assert [i for i in iter_issues(answer.json, house.gateway.registry) if i.severity in ("error", "fatal")] == []
    assert "change" in told(answer)


@pytest.mark.parametrize("query", ["language=fr", "colour=red", "status=maybe"])
async def test_what_is_asked_wrongly_is_refused(query: str) -> None:
    async with opened() as house:
        await furnish(house)
        await house.given(consent("stored", type="permit"))
        owner = await house.caller("Patient/p", "patient/*.rs")
        assert (await owner.get(f"Consent/stored/$preview?{query}")).status == 400
        assert (await owner.post(URL, {"resourceType": "Parameters"})).status == 400
        assert (await owner.post("Consent/stored/$preview", parameters(resource=consent("x")))).status == 400

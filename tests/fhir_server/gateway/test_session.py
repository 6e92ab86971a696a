"""Who gets what from a Session: tokens, scopes, compartments, ownership that changes."""

from hashlib import sha256

import pytest

from fhir_server.gateway.policies import ConsentPolicy
from fhir_server.store.auth import AccessToken
from tests.fhir_server.inprocess import FAR, House, observation, opened, organization, patient

pytestmark = pytest.mark.anyio

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def categorised(id: str, who: str, code: str, **more: object) -> dict[str, object]:
    return observation(id, who, category=[{"coding": [{"system": CATEGORY, "code": code}]}], **more)


async def test_without_a_token_the_public_types_are_open_and_all_else_asks_for_one_alike(house: House) -> None:
    await house.given(patient("p"), organization("o"), {"resourceType": "Practitioner", "id": "d"})
    nobody = house.anonymous()
    assert (await nobody.get("Organization/o")).status == 200
    assert (await nobody.get("Organization?_total=accurate")).json["total"] == 1
    answers = [
        await nobody.get(url)
        for url in (
            "Patient/p",
            "Patient/none",
            "Practitioner/d",
            "Patient",
            "Observation/x/_history",
            "Patient/p/$everything",
        )
    ]
    answers.append(await nobody.post("Organization", organization("x")))
    answers.append(await nobody.delete("Patient/p"))
    assert {(a.status, a.text, a.headers["WWW-Authenticate"]) for a in answers} == {
        (401, answers[0].text, answers[0].headers["WWW-Authenticate"])
    }


async def test_a_deployment_can_keep_its_directory_to_itself() -> None:
    async with opened(public_directory=False) as house:
        await house.given(organization("o"))
        assert (await house.anonymous().get("Organization/o")).status == 401
        assert (await house.anonymous().get("metadata")).status == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic dG9rZW4tMTo=", "token-1", ""])
async def test_anything_but_a_known_bearer_token_is_refused(house: House, header: str) -> None:
    await house.caller()
    refused = await house.bearer(header).get("metadata")
    assert refused.status == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


async def test_an_expired_token_is_refused(house: House) -> None:
    late = await house.caller("system", "system/*.rs", expires=house.clock.now - 1)
    assert (await late.get("metadata")).status == 401


async def test_a_revoked_token_is_refused_on_the_next_request(house: House) -> None:
    me = await house.caller()
    assert (await me.get("Organization")).status == 200
    await house.store.commit_auth(revoke=[sha256(b"token-1").digest()])
    assert (await me.get("Organization")).status == 401


async def test_terms_that_change_under_the_same_token_count_at_once(house: House) -> None:
    await house.given(patient("p"))
    me = await house.caller("Patient/p", "patient/*.rs")
    assert (await me.get("Patient/p")).status == 200
    narrower = AccessToken(client="app", user="Patient/p", scope="patient/Observation.rs", issued=0, expires=FAR)
    await house.store.commit_auth(issue=[(sha256(b"token-1").digest(), narrower)])
    assert (await me.get("Patient/p")).status == 403


async def test_a_missing_scope_is_said_alike_for_what_is_there_and_what_is_not(house: House) -> None:
    await house.given(patient("p"), observation("a", "p"))
    me = await house.caller("Patient/p", "patient/Condition.rs")
    answers = [await me.get(f"Observation/{id}") for id in ("a", "none")]
    assert [a.status for a in answers] == [403, 403]
    assert answers[0].text == answers[1].text
    assert 'error="insufficient_scope"' in answers[0].headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("letters", "allowed"),
    [
        ("r", {"read", "vread", "history"}),
        ("s", {"search", "type-history"}),
        ("c", {"create"}),
        ("u", {"update"}),
        ("d", {"delete"}),
    ],
)
async def test_each_letter_of_a_scope_opens_its_own_interactions(house: House, letters: str, allowed: set[str]) -> None:
    await house.given(patient("p"), observation("a", "p"))
    me = await house.caller("Patient/p", f"patient/Observation.{letters}")
    new = {key: value for key, value in observation("x", "p").items() if key != "id"}
    answers = {
        "read": await me.get("Observation/a"),
        "vread": await me.get("Observation/a/_history/1"),
        "history": await me.get("Observation/a/_history"),
        "search": await me.get("Observation"),
        "type-history": await me.get("Observation/_history"),
        "create": await me.post("Observation", new),
        "update": await me.put("Observation/a", observation("a", "p")),
        "delete": await me.delete("Observation/a"),
    }
    assert {name for name, answer in answers.items() if answer.status < 300} == allowed
    assert {answer.status for name, answer in answers.items() if name not in allowed} == {403}


async def test_whoever_may_update_may_make_what_is_not_there_by_it(house: House) -> None:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources"""
    updates = await house.caller(scope="system/Organization.u")
    assert (await updates.put("Organization/o", organization("o"))).status == 201
    assert (await updates.put("Organization/o", organization("o"))).status == 200
    assert (await updates.post("Organization", organization("x"))).status == 403
    creates = await house.caller(scope="system/Organization.c")
    assert (await creates.put("Organization/n", organization("n"))).status == 403


async def test_a_resident_reads_and_writes_their_own_dossier(house: House) -> None:
    await house.given(patient("p"), patient("q"), observation("a", "p"), observation("b", "q"), organization("o"))
    me = await house.caller("Patient/p", "patient/*.cruds")
    assert (await me.get("Observation?_total=accurate")).json["total"] == 1
    assert (await me.get("Patient")).ids == ["p"]
    assert (await me.get("Organization/o")).status == 200
    assert (await me.put("Observation/a", observation("a", "p", "height"))).status == 200
    # Nor under an id of their own choice: a taken id would be refused, and so tell itself apart from a free one.
    assert (await me.put("Observation/new", observation("new", "p"))).status == 404
    assert (await me.put("Observation/b", observation("b", "p"))).status == 404
    assert (await me.put("Observation/a", observation("a", "q"))).status == 403
    assert (await me.put("Observation/other", observation("other", "q"))).status == 404
    assert (await me.post("Observation", observation("x", "q"))).status == 403
    assert (await me.post("Patient", patient("x"))).status == 403
    assert (await me.put("Organization/o", organization("o"))).status == 403
    assert (await me.put("Organization/new", organization("new"))).status == 404
    assert (await me.delete("Observation/b")).status == 404
    assert (await me.delete("Observation/a")).status == 204


async def test_the_system_keeps_the_directory_and_sees_no_dossier(house: House) -> None:
    await house.given(patient("p"), observation("a", "p"))
    system = await house.caller()
    assert (await system.put("Organization/o", organization("o"))).status == 201
    assert (await system.get("Organization/o")).status == 200
    assert (await system.get("Observation/a")).status == 404
    assert (await system.post("Observation", observation("x", "p"))).status == 403
    assert (await system.put("Observation/x", observation("x", "p"))).status == 404


async def test_a_practitioner_writes_nothing_under_deny(house: House) -> None:
    await house.given(organization("o"))
    doctor = await house.caller("Practitioner/d", "user/*.cruds")
    assert (await doctor.put("Organization/o", organization("o"))).status == 403
    assert (await doctor.put("Organization/new", organization("new"))).status == 404
    assert (await doctor.post("Organization", organization("x"))).status == 403
    assert (await doctor.delete("Organization/o")).status == 403


async def test_a_taken_id_is_refused_like_one_that_nobody_may_make(house: House) -> None:
    """Deleted or not: an id of somebody else's is not to be had, and nothing tells whether it was free."""
    await house.given(patient("q"), observation("b", "q"), observation("gone", "q"))
    await house.maintenance.write("delete", "", lambda unit: unit.delete("Observation", "gone"))
    doctor = await house.caller("Practitioner/d", "user/*.cruds")
    me = await house.caller("Patient/p", "patient/*.cruds")
    answers = [await doctor.put(f"Observation/{id}", observation(id, "p")) for id in ("b", "gone", "free")]
    answers += [await me.put(f"Observation/{id}", observation(id, "p")) for id in ("b", "gone")]
    assert {(a.status, a.text) for a in answers} == {(404, answers[0].text)}


async def test_a_patient_scope_stays_in_its_compartment_under_permit(permissive: House) -> None:
    await permissive.given(patient("p"), patient("q"), observation("a", "p"), observation("b", "q"), organization("o"))
    app = await permissive.caller("Practitioner/d", "patient/*.cruds", patient="p")
    assert (await app.get("Observation")).ids == ["a"]
    assert (await app.get("Observation/b")).status == 404
    assert (await app.get("Observation/b/_history")).status == 404
    assert (await app.get("Organization/o")).status == 200
    assert (await app.put("Observation/b", observation("b", "p"))).status == 404
    assert (await app.post("Observation", observation("x", "q"))).status == 403
    assert (await app.get("Observation?_has:Observation:focus:_id=b")).ids == []
    nowhere = await permissive.caller("Practitioner/d", "patient/*.cruds")
    assert (await nowhere.get("Observation")).status == 403


async def test_a_constrained_scope_holds_on_every_way_to_a_resource(permissive: House) -> None:
    await permissive.given(
        patient("p"), categorised("lab", "p", "laboratory"), categorised("vital", "p", "vital-signs")
    )
    await permissive.given(categorised("vital", "p", "vital-signs", hasMember=[{"reference": "Observation/lab"}]))
    app = await permissive.caller(
        "Patient/p", f"patient/Patient.rs patient/Observation.cruds?category={CATEGORY}|vital-signs"
    )
    assert (await app.get("Observation?_total=accurate")).ids == ["vital"]
    assert (await app.get("Observation/vital")).status == 200
    for url in ("Observation/lab", "Observation/lab/_history", "Observation/lab/_history/1"):
        assert (await app.get(url)).status == 404, url
    assert (await app.get("Observation/_history")).ids == ["vital", "vital"]
    assert (await app.get("Observation/_history?_count=1")).ids == ["vital"]
    assert (await app.get("Observation?_include=Observation:has-member")).ids == ["vital"]
    assert (await app.get("Patient?_revinclude=Observation:subject")).ids == ["p", "vital"]
    assert (await app.get("Observation?has-member.code=weight")).ids == []
    assert (await app.put("Observation/lab", categorised("lab", "p", "vital-signs"))).status == 404
    assert (await app.put("Observation/vital", categorised("vital", "p", "laboratory"))).status == 403
    assert (await app.post("Observation", categorised("x", "p", "laboratory"))).status == 403
    assert (await app.delete("Observation/lab")).status == 404
    assert (await app.delete("Observation/vital")).status == 204


@pytest.mark.parametrize(
    "constraint", ["unknown=1", "subject.name=x", "_has:Task:focus:status=x", "date=2020", "category"]
)
async def test_a_constraint_that_cannot_be_enforced_grants_nothing(permissive: House, constraint: str) -> None:
    await permissive.given(patient("p"), observation("a", "p"))
    app = await permissive.caller("Patient/p", f"patient/Observation.rs?{constraint}")
    assert (await app.get("Observation/a")).status == 403


async def test_a_system_scope_is_for_the_system_only(permissive: House) -> None:
    await permissive.given(patient("p"))
    doctor = await permissive.caller("Practitioner/d", "system/*.cruds")
    assert (await doctor.get("Patient/p")).status == 403


async def test_an_old_version_about_somebody_else_stays_hidden(house: House) -> None:
    await house.given(patient("p"), patient("q"), observation("moved", "q"))
    await house.given(observation("moved", "p"))
    me, other = [await house.caller(f"Patient/{who}", "patient/*.rs") for who in ("p", "q")]
    for reader, current in ((me, 200), (other, 404)):
        assert (await reader.get("Observation/moved")).status == current
        assert (await reader.get("Observation/moved/_history/2")).status == current
        assert (await reader.get("Observation/moved/_history/1")).status == 404
    history = await me.get("Observation/moved/_history")
    assert [resource["meta"]["versionId"] for resource in history.resources] == ["2"]
    assert (await other.get("Observation/moved/_history")).status == 404
    assert "moved" not in (await other.get("Observation/_history")).ids


async def test_a_deletion_shows_to_whom_the_resource_showed(house: House) -> None:
    await house.given(patient("p"), patient("q"), observation("a", "p"))
    me, other = [await house.caller(f"Patient/{who}", "patient/*.cruds") for who in ("p", "q")]
    await me.delete("Observation/a")
    assert (await me.get("Observation/a")).status == 410
    assert len((await me.get("Observation/a/_history")).json["entry"]) == 2
    assert (await other.get("Observation/a")).status == 404
    assert (await other.get("Observation/a/_history")).status == 404
    assert "entry" not in (await other.get("Observation/_history")).json


async def test_a_row_that_the_query_should_not_have_found_is_withheld_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If `visible` and `permits` disagree, `permits` has the last word, and no personal data is in the log."""
    monkeypatch.setattr(ConsentPolicy, "permits", lambda self, stored: stored.id != "secretive")
    async with opened(base_policy="permit") as house:
        await house.given(patient("p"), observation("a", "p"), observation("secretive", "p"))
        doctor = await house.caller("Practitioner/d", "user/*.rs")
        assert (await doctor.get("Observation")).ids == ["a"]
    assert "the query and the decision disagree about a Observation" in caplog.text
    assert "secretive" not in caplog.text

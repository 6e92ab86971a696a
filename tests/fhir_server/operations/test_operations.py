"""$everything, $lastn, $validate, $meta. https://hl7.org/fhir/R4/operations.html"""

from typing import Any

import pytest

from tests.fhir_server.inprocess import Caller, House, observation, organization, patient

pytestmark = pytest.mark.anyio


async def dossier(house: House) -> None:
    await house.given(
        organization("o"),
        patient("p", managingOrganization={"reference": "Organization/o"}),
        patient("q"),
        *(observation(f"p{n}", "p", effectiveDateTime=f"2026-0{n}-01") for n in range(1, 6)),
        observation("q1", "q"),
        {"resourceType": "Task", "id": "t", "status": "draft", "intent": "order", "for": {"reference": "Patient/p"}},
    )


def named(answer: Any) -> set[str]:
    """What the answer holds, without what the server itself wrote down about it."""
    own = ("AuditEvent", "Provenance")
    return {f"{r['resourceType']}/{r['id']}" for r in answer.resources if r["resourceType"] not in own}


async def test_everything_is_the_dossier_and_the_directory_around_it(house: House, operator: Caller) -> None:
    await dossier(house)
    answer = await operator.get("Patient/p/$everything")
    assert named(answer) == {"Patient/p", "Organization/o", "Task/t", *(f"Observation/p{n}" for n in range(1, 6))}
    assert (await operator.get("Patient/none/$everything")).status == 404


async def test_everything_comes_in_pages_without_repeats(house: House, operator: Caller) -> None:
    await dossier(house)
    url: str | None = "Patient/p/$everything?_count=2&_type=Patient,Observation,Task"
    seen: list[str] = []
    while url:
        answer = await operator.get(url)
        assert len(answer.resources) in (1, 2)
        seen += answer.ids
        url = answer.link("next")
    assert sorted(seen) == ["p", "p1", "p2", "p3", "p4", "p5", "t"]


async def test_everything_is_bounded_by_type_and_time(house: House, operator: Caller) -> None:
    await dossier(house)
    assert named(await operator.get("Patient/p/$everything?_type=Task")) == {"Task/t"}
    bounded = await operator.get("Patient/p/$everything?_type=Observation&start=2026-02-01&end=2026-03-31")
    assert named(bounded) == {"Observation/p2", "Observation/p3"}
    later = (await operator.get("Task/t")).json["meta"]["lastUpdated"]
    assert named(await operator.get(f"Patient/p/$everything?_type=Patient,Task&_since={later}")) == {"Task/t"}
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "Task"}]}
    assert named(await operator.post("Patient/p/$everything", body)) == {"Task/t"}
    assert (await operator.get("Patient/p/$everything?colour=red")).status == 400
    assert (await operator.get("Patient/p/$everything?_type=Nothing")).status == 400


async def test_lastn_gives_the_latest_of_each_code(house: House, operator: Caller) -> None:
    await house.given(
        patient("p"),
        *(observation(f"w{n}", "p", "weight", effectiveDateTime=f"2026-0{n}-01") for n in range(1, 4)),
        *(observation(f"h{n}", "p", "height", effectiveDateTime=f"2026-0{n}-02") for n in range(1, 3)),
    )
    assert sorted((await operator.get("Observation/$lastn?patient=Patient/p")).ids) == ["h2", "w3"]
    two = await operator.get("Observation/$lastn?subject=Patient/p&max=2&code=weight")
    assert two.ids == ["w3", "w2"]
    for bad in ("max=1", "patient=Patient/p&max=0", "patient=Patient/p&max=x", "patient=Patient/p&max=1&max=2"):
        assert (await operator.get(f"Observation/$lastn?{bad}")).status == 400


async def test_validate_reports_and_stores_nothing(house: House, operator: Caller) -> None:
    good = await operator.post("Patient/$validate", {"resourceType": "Patient"})
    assert good.status == 200
    assert {issue["severity"] for issue in good.json["issue"]} <= {"information", "warning"}
    bad = await operator.post("Patient/$validate", {"resourceType": "Patient", "gender": "x"})
    assert (bad.status, bad.issue["severity"]) == (200, "error")
    assert (await operator.get("Patient?_summary=count")).json["total"] == 0
    await house.given(patient("p"))
    assert (await operator.get("Patient/p/$validate")).issue["severity"] in ("information", "warning")
    assert (await operator.post("Patient/$validate", organization("o"))).status == 400
    assert (await house.anonymous().post("Patient/$validate", {"resourceType": "Patient"})).status == 401


async def test_validate_rehearses_a_write(house: House, operator: Caller) -> None:
    await house.given(patient("p"), organization("o"))
    wrapped = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "mode", "valueCode": "create"},
            {"name": "resource", "resource": {"resourceType": "Patient"}},
        ],
    }
    assert (await operator.post("Patient/$validate", wrapped)).status == 200
    reader = await house.caller("Practitioner/x", "user/*.rs")
    assert (await reader.post("Patient/$validate", wrapped)).status == 403
    assert (await operator.post("Patient/p/$validate?mode=delete", None)).status == 200
    assert (await operator.post("Patient/none/$validate?mode=delete", None)).status == 404
    assert (await operator.get("Patient/p")).status == 200
    assert (await operator.post("Patient/$validate?mode=update", patient("p"))).status == 400
    assert (await operator.post("Patient/$validate?mode=dream", patient("p"))).status == 400


async def test_validate_says_that_profiles_are_not_supported(operator: Caller) -> None:
    answer = await operator.post("Patient/$validate?profile=http://x", {"resourceType": "Patient"})
    assert (answer.status, answer.issue["code"]) == (400, "not-supported")


async def test_meta_is_read_added_to_and_taken_from(house: House, operator: Caller) -> None:
    await house.given(organization("o", meta={"tag": [{"system": "s", "code": "1"}]}))

    def given(code: str) -> dict[str, Any]:
        meta = {"tag": [{"system": "s", "code": code}]}
        return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}

    def tags(answer: Any) -> list[str]:
        return [tag["code"] for tag in answer.json["parameter"][0]["valueMeta"].get("tag", [])]

    assert tags(await operator.get("Organization/o/$meta")) == ["1"]
    assert tags(await operator.post("Organization/o/$meta-add", given("2"))) == ["1", "2"]
    assert tags(await operator.post("Organization/o/$meta-add", given("2"))) == ["1", "2"]
    assert tags(await operator.post("Organization/o/$meta-delete", given("1"))) == ["2"]
    assert tags(await operator.get("Organization/o/_history/1/$meta")) == ["1"]
    assert tags(await operator.get("Organization/$meta")) == ["2"]
    assert "2" in tags(await operator.get("$meta"))
    assert (await operator.post("Organization/o/$meta-add", {"resourceType": "Parameters"})).status == 400

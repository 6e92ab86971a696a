"""read, vread, create, update, delete on one resource. https://hl7.org/fhir/R4/http.html"""

import asyncio

import pytest

from tests.fhir_server.inprocess import BASE, Caller, House, observation, organization, patient

pytestmark = pytest.mark.anyio


async def test_a_created_resource_is_read_back_with_its_decimals_and_key_order(operator: Caller) -> None:
    body = (
        b'{"status":"final","resourceType":"Observation","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00,"unit":"kg"},"subject":{"reference":"Patient/p"}}'
    )
    created = await operator("POST", "Observation", body)
    assert created.status == 201
    id = created.json["id"]
    read = await operator.get(f"Observation/{id}")
    assert b'"value":1.00' in read.text
    assert list(read.json)[:1] == ["resourceType"]
    assert [key for key in read.json if key not in ("id", "meta")] == [
        "resourceType",
        "status",
        "code",
        "valueQuantity",
        "subject",
    ]


async def test_create_answers_where_the_resource_is(operator: Caller) -> None:
    created = await operator.post("Organization", {"resourceType": "Organization", "name": "A"})
    id = created.json["id"]
    assert created.headers["Location"] == f"{BASE}/Organization/{id}/_history/1"
    assert created.headers["ETag"] == 'W/"1"'
    assert created.headers["Last-Modified"].endswith("GMT")


async def test_create_ignores_the_id_and_the_version_of_the_client(operator: Caller) -> None:
    created = await operator.post(
        "Organization",
        organization("mine", meta={"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "tag": [{"code": "t"}]}),
    )
    assert created.json["id"] != "mine"
    assert created.json["meta"]["versionId"] == "1"
    assert not created.json["meta"]["lastUpdated"].startswith("2020")
    assert created.json["meta"]["tag"] == [{"code": "t"}]


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [("minimal", None), ("OperationOutcome", "OperationOutcome"), ("representation", "Organization")],
)
async def test_prefer_return_says_what_a_write_answers(operator: Caller, prefer: str, kind: str | None) -> None:
    created = await operator.post("Organization", organization("x"), prefer=f"return={prefer}")
    assert created.status == 201
    assert (created.json["resourceType"] if created.text else None) == kind


async def test_a_resource_of_another_type_than_the_path_says_is_refused(operator: Caller) -> None:
    refused = await operator.post("Patient", organization("x"))
    assert refused.status == 400
    assert "Organization" in refused.issue["diagnostics"]


async def test_an_invalid_resource_is_refused_with_all_its_issues_and_not_stored(operator: Caller) -> None:
    refused = await operator.post("Patient", {"resourceType": "Patient", "gender": "nope", "unknown": 1})
    assert refused.status == 400
    said = [issue["diagnostics"] for issue in refused.json["issue"]]
    assert any("gender" in text for text in said) or "Patient.gender" in str(refused.json)
    assert any("`unknown`" in text for text in said)
    assert (await operator.get("Patient?_total=accurate")).json["total"] == 0


async def test_a_broken_invariant_is_unprocessable(operator: Caller) -> None:
    contact = {"resourceType": "Patient", "contact": [{"gender": "male"}]}
    refused = await operator.post("Patient", contact)
    assert refused.status == 422
    assert refused.issue["code"] == "invariant"


async def test_update_makes_a_new_version(operator: Caller) -> None:
    assert (await operator.put("Organization/a", organization("a"))).status == 201
    updated = await operator.put("Organization/a", organization("a", active=True))
    assert updated.status == 200
    assert updated.headers["ETag"] == 'W/"2"'
    assert (await operator.get("Organization/a")).json["active"] is True
    first = await operator.get("Organization/a/_history/1")
    assert "active" not in first.json


async def test_update_needs_the_id_of_the_path(operator: Caller) -> None:
    assert (await operator.put("Organization/a", organization("b"))).status == 400
    assert (await operator.put("Organization/a", {"resourceType": "Organization", "name": "a"})).status == 400


async def test_if_match_refuses_an_update_of_another_version(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    stale = await operator.put("Organization/a", organization("a"), if_match='W/"2"')
    assert stale.status == 412
    good = await operator.put("Organization/a", organization("a"), if_match='W/"1"')
    assert good.status == 200
    nonsense = await operator.put("Organization/a", organization("a"), if_match="tomorrow")
    assert nonsense.status == 412


async def test_concurrent_updates_are_all_kept_in_the_history(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    answers = await asyncio.gather(
        *(operator.put("Organization/a", organization("a", alias=[str(n)])) for n in range(5))
    )
    assert [answer.status for answer in answers] == [200] * 5
    assert sorted(answer.headers["ETag"] for answer in answers) == [f'W/"{n}"' for n in range(2, 7)]


async def test_of_two_updates_of_one_version_only_one_wins(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    answers = await asyncio.gather(
        *(operator.put("Organization/a", organization("a", alias=[str(n)]), if_match='W/"1"') for n in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]


async def test_a_deleted_resource_is_gone_and_comes_back_by_update(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    assert (await operator.delete("Organization/a")).status == 204
    gone = await operator.get("Organization/a")
    assert (gone.status, gone.issue["code"]) == (410, "deleted")
    assert (await operator.get("Organization/a/_history/2")).status == 410
    assert (await operator.get("Organization/a/_history/1")).status == 200
    assert (await operator.delete("Organization/a")).status == 204
    back = await operator.put("Organization/a", organization("a"))
    assert (back.status, back.headers["ETag"]) == (201, 'W/"3"')


async def test_what_never_was_is_not_found(operator: Caller) -> None:
    for url in (
        "Organization/none",
        "Organization/none/_history/1",
        "Organization/none/_history/x",
        "Organization/none/_history",
    ):
        assert (await operator.get(url)).status == 404, url
    assert (await operator.delete("Organization/none")).status == 404


async def test_a_read_of_a_known_version_is_not_modified(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    first = await operator.get("Organization/a")
    again = await operator.get("Organization/a", if_none_match=first.headers["ETag"])
    assert (again.status, again.text) == (304, b"")
    assert (await operator.get("Organization/a", if_none_match='W/"9"')).status == 200
    since = await operator.get("Organization/a", if_modified_since=first.headers["Last-Modified"])
    assert since.status == 304
    earlier = await operator.get("Organization/a", if_modified_since="Mon, 01 Jan 2001 00:00:00 GMT")
    assert earlier.status == 200


async def test_head_is_a_read_without_content(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    head = await operator("HEAD", "Organization/a")
    assert (head.status, head.headers["ETag"], head.text) == (200, 'W/"1"', b"")


async def test_unknown_types_methods_and_operations_are_told_apart(operator: Caller) -> None:
    assert (await operator.get("Nothing/1")).status == 404
    assert (await operator.get("DomainResource/1")).status == 404
    assert (await operator.get("Patient/1/$unheard-of")).status == 404
    assert (await operator.get("Organization/1/$everything")).status == 404
    refused = await operator("DELETE", "Patient/1/_history/1")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_binary_is_sent_as_its_bytes(operator: Caller) -> None:
    created = await operator("POST", "Binary", b"hello", content_type="text/plain")
    assert (created.status, created.json["contentType"], created.json["data"]) == (201, "text/plain", "aGVsbG8=")
    stored = await operator("PUT", "Binary/b", b"bye", content_type="image/png")
    assert (stored.status, stored.json["id"]) == (201, "b")
    nameless = await operator("PUT", "Binary/b", {"resourceType": "Binary", "contentType": "text/plain"})
    assert nameless.status == 400


async def test_an_audit_event_cannot_be_changed_or_removed(house: House, operator: Caller) -> None:
    await house.given(patient("p"))
    await operator.get("Patient/p")
    events = (await operator.get("AuditEvent")).resources
    event = events[0]
    assert (await operator.delete(f"AuditEvent/{event['id']}")).status == 403
    assert (await operator.put(f"AuditEvent/{event['id']}", event)).status == 403


async def test_conditional_create_finds_what_is_there(operator: Caller) -> None:
    body = organization("x", identifier=[{"system": "http://agb", "value": "1"}])
    first = await operator.post("Organization", body, if_none_exist="identifier=http://agb|1")
    second = await operator.post("Organization", body, if_none_exist="identifier=http://agb|1")
    assert (first.status, second.status) == (201, 200)
    assert first.headers["Location"] == second.headers["Location"]
    await operator.post("Organization", body)
    assert (await operator.post("Organization", body, if_none_exist="identifier=http://agb|1")).status == 412


async def test_concurrent_conditional_creates_make_one_resource(operator: Caller) -> None:
    body = organization("x", identifier=[{"system": "http://agb", "value": "1"}])
    answers = await asyncio.gather(
        *(operator.post("Organization", body, if_none_exist="identifier=http://agb|1") for _ in range(6))
    )
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert len({answer.headers["Location"] for answer in answers}) == 1


@pytest.mark.parametrize("condition", ["", "_format=json", "nothing-known=1", "_count=1"])
async def test_a_condition_without_criteria_is_refused(operator: Caller, condition: str) -> None:
    assert (await operator.post("Organization", organization("x"), if_none_exist=condition)).status == 400
    assert (await operator.delete(f"Organization?{condition}")).status == 400


async def test_conditional_update_creates_updates_or_refuses(operator: Caller) -> None:
    body = {"resourceType": "Organization", "name": "a", "identifier": [{"system": "http://agb", "value": "1"}]}
    url = "Organization?identifier=http://agb|1"
    created = await operator.put(url, body)
    assert created.status == 201
    id = created.json["id"]
    updated = await operator.put(url, {**body, "name": "b"})
    assert (updated.status, updated.json["id"]) == (200, id)
    other = await operator.put(url, {**body, "id": "another"})
    assert other.status == 400
    await operator.post("Organization", body)
    assert (await operator.put(url, body)).status == 412


async def test_conditional_delete_takes_one_and_refuses_several(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a", identifier=[{"system": "http://agb", "value": "1"}]))
    assert (await operator.delete("Organization?identifier=http://agb|2")).status == 204
    assert (await operator.delete("Organization?identifier=http://agb|1")).status == 204
    assert (await operator.get("Organization/a")).status == 410
    await operator.put("Organization/b", organization("b", name="same"))
    await operator.put("Organization/c", organization("c", name="same"))
    assert (await operator.delete("Organization?name=same")).status == 412
    assert (await operator.get("Organization/b")).status == 200


async def test_json_patch_changes_a_resource(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    operations = b'[{"op":"replace","path":"/name","value":"new"}]'
    patched = await operator("PATCH", "Organization/a", operations, content_type="application/json-patch+json")
    assert (patched.status, patched.json["name"], patched.headers["ETag"]) == (200, "new", 'W/"2"')
    by_name = await operator("PATCH", "Organization?name=new", operations, content_type="application/json-patch+json")
    assert by_name.status == 200
    nobody = await operator("PATCH", "Organization?name=old", operations, content_type="application/json-patch+json")
    assert nobody.status == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'[],"x":[]',
        b"[",
        b'[{"op":"replace","path":"/id","value":"b"}]',
        b'[{"op":"remove","path":"/resourceType"}]',
    ],
)
async def test_a_bad_patch_changes_nothing(operator: Caller, body: bytes) -> None:
    await operator.put("Organization/a", organization("a"))
    refused = await operator("PATCH", "Organization/a", body, content_type="application/json-patch+json")
    assert refused.status in (400, 422)
    assert (await operator.get("Organization/a")).headers["ETag"] == 'W/"1"'


async def test_a_fhirpath_patch_is_validated_like_any_write(operator: Caller) -> None:
    await operator.put("Observation/o", observation("o", "p"))
    part = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Observation.status"},
        {"name": "value", "valueCode": "no-status"},
    ]
    refused = await operator(
        "PATCH", "Observation/o", {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    )
    assert refused.status == 400
    assert refused.issue["expression"] == ["Observation.status"]
    part[2] = {"name": "value", "valueCode": "amended"}
    patched = await operator(
        "PATCH", "Observation/o", {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    )
    assert (patched.status, patched.json["status"]) == (200, "amended")

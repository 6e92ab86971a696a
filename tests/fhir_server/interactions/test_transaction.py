"""batch and transaction. https://hl7.org/fhir/R4/http.html#transaction"""

from typing import Any

import pytest

from tests.fhir_server.inprocess import Caller, House, observation, organization, patient

pytestmark = pytest.mark.anyio

PERSON, SEEN = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222"


def entry(method: str, url: str, resource: Any = None, full_url: str = "", **request: str) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def transaction(*entries: dict[str, Any], type: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def nameless(resource: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "id"}


def statuses(answer: Any) -> list[str]:
    return [one["response"]["status"][:3] for one in answer.json["entry"]]


def places(answer: Any) -> list[str]:
    return ["/".join(one["response"]["location"].split("/")[:2]) for one in answer.json["entry"]]


async def total(caller: Caller, type: str) -> int:
    found: int = (await caller.get(f"{type}?_total=accurate")).json["total"]
    return found


async def test_references_between_entries_become_literal_whatever_the_order(operator: Caller) -> None:
    seen = nameless(observation("", ""))
    seen["subject"] = {"reference": PERSON}
    answer = await operator.post(
        "",
        transaction(
            entry("POST", "Observation", seen, SEEN), entry("POST", "Patient", {"resourceType": "Patient"}, PERSON)
        ),
    )
    assert answer.status == 200, answer.text
    assert answer.json["type"] == "transaction-response"
    assert statuses(answer) == ["201", "201"]
    where = places(answer)
    stored = await operator.get(where[0])
    assert stored.json["subject"]["reference"] == where[1]


async def test_uris_and_narrative_links_are_rewritten_and_identifiers_are_not(operator: Caller) -> None:
    group = {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{PERSON}">x</a></div>',
        },
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": PERSON}],
        "extension": [
            {"url": "http://test/uri", "valueUri": PERSON},
            {"url": "http://test/canonical", "valueCanonical": PERSON},
        ],
    }
    answer = await operator.post("", transaction(entry("POST", "Patient", group, PERSON)))
    where = places(answer)[0]
    stored = (await operator.get(where)).json
    assert f'href="{where}"' in stored["text"]["div"]
    assert stored["identifier"][0]["value"] == PERSON
    assert [e.get("valueUri", e.get("valueCanonical")) for e in stored["extension"]] == [where, PERSON]


async def test_a_reference_to_an_entry_that_is_not_there_refuses_the_whole(operator: Caller) -> None:
    seen = {**nameless(observation("", "")), "subject": {"reference": SEEN}}
    answer = await operator.post(
        "",
        transaction(entry("POST", "Patient", {"resourceType": "Patient"}, PERSON), entry("POST", "Observation", seen)),
    )
    assert answer.status == 400
    assert "Bundle.entry[1]" in answer.issue["diagnostics"]
    assert await total(operator, "Patient") == 0


async def test_an_invalid_entry_refuses_the_whole_and_is_named(operator: Caller) -> None:
    answer = await operator.post(
        "",
        transaction(
            entry("POST", "Patient", {"resourceType": "Patient"}),
            entry("POST", "Patient", {"resourceType": "Patient", "gender": "x"}),
        ),
    )
    assert answer.status == 400
    assert answer.issue["expression"] == ["Bundle.entry[1].resource.gender"]
    assert await total(operator, "Patient") == 0


async def test_the_order_is_delete_post_put_get(operator: Caller) -> None:
    await operator.put("Organization/old", organization("old", name="same"))
    answer = await operator.post(
        "",
        transaction(
            entry("GET", "Organization?name=same"),
            entry("PUT", "Organization/put", organization("put", name="same")),
            entry("POST", "Organization", nameless(organization("x", name="same"))),
            entry("DELETE", "Organization/old"),
        ),
    )
    assert statuses(answer) == ["200", "201", "201", "204"]
    assert len(answer.json["entry"][0]["resource"]["entry"]) == 2, "the GET sees what came of the rest"


async def test_two_entries_for_one_resource_are_refused(operator: Caller) -> None:
    answer = await operator.post(
        "", transaction(entry("PUT", "Organization/a", organization("a")), entry("DELETE", "Organization/a"))
    )
    assert answer.status == 400
    assert "Bundle.entry[1]" in answer.issue["diagnostics"]
    twice = await operator.post(
        "",
        transaction(
            entry("POST", "Patient", {"resourceType": "Patient"}, PERSON),
            entry("POST", "Patient", {"resourceType": "Patient"}, PERSON),
        ),
    )
    assert (twice.status, await total(operator, "Patient")) == (400, 0)


async def test_a_conditional_create_in_a_transaction_is_what_others_refer_to(operator: Caller) -> None:
    await operator.put("Patient/known", patient("known", identifier=[{"system": "http://id", "value": "1"}]))
    seen = {**nameless(observation("", "")), "subject": {"reference": PERSON}}
    bundle = transaction(
        entry("POST", "Patient", {"resourceType": "Patient"}, PERSON, ifNoneExist="identifier=http://id|1"),
        entry("POST", "Observation", seen),
    )
    answer = await operator.post("", bundle)
    assert statuses(answer) == ["200", "201"]
    assert (await operator.get(places(answer)[1])).json["subject"]["reference"] == "Patient/known"
    assert await total(operator, "Patient") == 1


async def test_conditional_references_are_resolved_against_the_store_and_the_bundle(operator: Caller) -> None:
    await operator.put("Patient/known", patient("known", identifier=[{"system": "http://id", "value": "1"}]))

    def about(condition: str) -> dict[str, Any]:
        return entry("POST", "Observation", {**nameless(observation("", "")), "subject": {"reference": condition}})

    new = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [{"system": "http://id", "value": "2"}]})
    answer = await operator.post(
        "", transaction(about("Patient?identifier=http://id|1"), about("Patient?identifier=http://id|2"), new)
    )
    if answer.status != 200:
        pytest.fail(answer.text.decode())
    first, second, made = places(answer)
    assert (await operator.get(first)).json["subject"]["reference"] == "Patient/known"
    assert (await operator.get(second)).json["subject"]["reference"] == made
    nobody = await operator.post("", transaction(about("Patient?identifier=http://id|3")))
    assert (nobody.status, nobody.issue["expression"]) == (412, ["Bundle.entry[0]"])


async def test_relative_references_beside_a_rest_full_url_follow_it(operator: Caller) -> None:
    seen = observation("2", "1")
    answer = await operator.post(
        "",
        transaction(
            entry("POST", "Patient", patient("1"), "http://elsewhere/fhir/Patient/1"),
            entry("POST", "Observation", seen, "http://elsewhere/fhir/Observation/2"),
        ),
    )
    where = places(answer)
    assert (await operator.get(where[1])).json["subject"]["reference"] == where[0]
    assert where[0] != "Patient/1"


async def test_provenance_before_its_target_still_belongs_to_the_patient(house: House, operator: Caller) -> None:
    agent = [{"who": {"display": "somebody"}}]
    provenance = {
        "resourceType": "Provenance",
        "recorded": "2026-01-01T00:00:00Z",
        "agent": agent,
        "target": [{"reference": SEEN}],
    }
    await house.given(patient("p"))
    answer = await operator.post(
        "",
        transaction(
            entry("POST", "Provenance", provenance), entry("POST", "Observation", nameless(observation("", "p")), SEEN)
        ),
    )
    assert statuses(answer) == ["201", "201"], answer.text
    where = places(answer)[0]
    mine = await house.caller("Patient/p", "patient/*.rs")
    assert (await mine.get(where)).status == 200


async def test_if_match_in_a_transaction_refuses_the_whole(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    answer = await operator.post(
        "",
        transaction(
            entry("POST", "Patient", {"resourceType": "Patient"}),
            entry("PUT", "Organization/a", organization("a"), ifMatch='W/"4"'),
        ),
    )
    assert (answer.status, answer.issue["expression"]) == (412, ["Bundle.entry[1]"])
    assert await total(operator, "Patient") == 0


async def test_a_patch_in_a_transaction_is_a_parameters_or_a_binary(operator: Caller) -> None:
    await operator.put("Organization/a", organization("a"))
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9uYW1lIiwidmFsdWUiOiJuZXcifV0=",
    }
    answer = await operator.post("", transaction(entry("PATCH", "Organization/a", binary)))
    assert statuses(answer) == ["200"], answer.text
    assert (await operator.get("Organization/a")).json["name"] == "new"


@pytest.mark.parametrize(
    "bad",
    [
        {"resource": {"resourceType": "Patient"}},
        {"request": {"method": "POST"}},
        {"request": {"method": "FETCH", "url": "Patient"}},
        {"request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Organization"}},
        {"request": {"method": "PUT", "url": "Patient/a"}, "resource": {"resourceType": "Patient", "id": "b"}},
        {"request": {"method": "PUT", "url": "Patient"}, "resource": {"resourceType": "Patient"}},
        {"request": {"method": "DELETE", "url": "Patient"}},
        {"request": {"method": "POST", "url": "Patient/1/$everything"}, "resource": {"resourceType": "Parameters"}},
        {"request": {"method": "POST", "url": "Patient", "ifNoneExist": 3}, "resource": {"resourceType": "Patient"}},
        {"request": {"method": "DELETE", "url": "patient?name=x"}},
        {"request": {"method": "PUT", "url": "Element?name=x"}, "resource": {"resourceType": "Element"}},
        {
            "request": {"method": "POST", "url": "Patient"},
            "resource": {"resourceType": "Patient", "implicitRules": {"x": "an object where a uri belongs"}},
        },
        "nonsense",
    ],
)
async def test_an_entry_that_makes_no_sense_is_named(operator: Caller, bad: Any) -> None:
    good = entry("POST", "Patient", {"resourceType": "Patient"})
    answer = await operator.post("", transaction(good, bad))
    assert 400 <= answer.status < 500, answer.text
    assert "Bundle.entry[1]" in answer.issue["expression"][0]
    assert await total(operator, "Patient") == 0


@pytest.mark.parametrize("type", ["collection", "searchset", "nonsense"])
async def test_only_batch_and_transaction_are_processed(operator: Caller, type: str) -> None:
    answer = await operator.post("", transaction(type=type))
    assert (answer.status, answer.issue["expression"]) == (400, ["Bundle.type"])


async def test_entries_of_a_batch_stand_or_fall_by_themselves(operator: Caller) -> None:
    answer = await operator.post(
        "",
        transaction(
            entry("POST", "Patient", {"resourceType": "Patient"}),
            entry("POST", "Patient", {"resourceType": "Patient", "gender": "x"}),
            entry("GET", "Patient/none"),
            entry("GET", "Patient?_total=accurate"),
            entry("DELETE", "Patient/none"),
            entry("GET", "metadata"),
            type="batch",
        ),
    )
    assert answer.json["type"] == "batch-response"
    assert statuses(answer) == ["201", "400", "404", "200", "404", "200"]
    assert answer.json["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert answer.json["entry"][3]["resource"]["total"] == 1
    assert "resource" not in answer.json["entry"][0]


async def test_prefer_representation_repeats_what_was_stored(operator: Caller) -> None:
    bundle = transaction(entry("POST", "Patient", {"resourceType": "Patient", "active": True}))
    answer = await operator.post("", bundle, prefer="return=representation")
    assert answer.json["entry"][0]["resource"]["active"] is True
    batch = await operator.post("", {**bundle, "type": "batch"}, prefer="return=representation")
    assert batch.json["entry"][0]["resource"]["active"] is True


async def test_a_batch_within_a_batch_is_refused(operator: Caller) -> None:
    inner = transaction(type="batch")
    answer = await operator.post("", transaction(entry("POST", "/", inner), type="batch"))
    assert answer.status == 404

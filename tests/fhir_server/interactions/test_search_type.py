"""search: bundles, links, pages, includes, compartments. https://hl7.org/fhir/R4/http.html#search"""

import pytest

from tests.fhir_server.inprocess import BASE, Caller, House, observation, organization, patient

pytestmark = pytest.mark.anyio

BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
FORM = "application/x-www-form-urlencoded"


async def pages(caller: Caller, url: str | None) -> list[list[str]]:
    """The ids on each page."""
    found: list[list[str]] = []
    while url is not None:
        answer = await caller.get(url)
        assert answer.status == 200, answer.text
        found.append(answer.ids)
        url = answer.link("next")
    return found


async def test_pages_are_full_and_no_resource_comes_twice(house: House, operator: Caller) -> None:
    await house.given(*(organization(f"o{n}") for n in range(7)))
    found = await pages(operator, "Organization?_count=3&_sort=name")
    assert [len(page) for page in found] == [3, 3, 1]
    assert sorted(id for page in found for id in page) == [f"o{n}" for n in range(7)]


async def test_a_next_link_shows_nothing_of_what_was_asked(house: House, operator: Caller) -> None:
    await house.given(*(organization(f"o{n}", name="secretname") for n in range(3)))
    answer = await operator("POST", "Organization/_search?_format=json", b"name=secretname&_count=1", content_type=FORM)
    link = answer.link("next")
    assert link is not None
    assert "secretname" not in link
    assert "_format=json" in link
    rest = [id for page in await pages(operator, link) for id in page]
    assert sorted([*answer.ids, *rest]) == ["o0", "o1", "o2"]


async def test_a_cursor_works_for_its_own_requester_and_search_only(house: House, operator: Caller) -> None:
    await house.given(*(organization(f"o{n}") for n in range(3)))
    link = (await operator.get("Organization?_count=1")).link("next")
    assert link is not None
    other = await house.caller("Practitioner/x", "user/*.rs")
    assert (await other.get(link)).status == 400
    assert (await operator.get(link.replace("/Organization?", "/Location?"))).status == 400
    assert (await operator.get(link[:-4] + "AAAA")).status == 400
    assert (await operator.get("Organization?_cursor=x")).status == 400


async def test_the_self_link_has_no_citizen_service_number(house: House, operator: Caller) -> None:
    await house.given(patient("p", identifier=[{"system": BSN, "value": "999990019"}]))
    body = f"identifier={BSN}|999990019".encode()
    answer = await operator("POST", "Patient/_search", body, content_type=FORM)
    assert answer.ids == ["p"]
    assert "999990019" not in str(answer.json["link"])
    bare = await operator("POST", "Patient/_search", b"identifier=999990019", content_type=FORM)
    assert bare.ids == ["p"]
    assert "999990019" not in str(bare.json["link"])


async def test_the_total_is_exact_when_asked_and_known_when_all_is_on_the_page(house: House, operator: Caller) -> None:
    await house.given(*(organization(f"o{n}") for n in range(5)))
    assert (await operator.get("Organization?_count=2&_total=accurate")).json["total"] == 5
    assert "total" not in (await operator.get("Organization?_count=2")).json
    assert (await operator.get("Organization?_count=10")).json["total"] == 5
    for counting in ("_summary=count", "_count=0"):
        counted = await operator.get(f"Organization?{counting}")
        assert (counted.json["total"], counted.resources, counted.link("next")) == (5, [], None)


async def test_includes_are_marked_and_not_repeated(house: House, operator: Caller) -> None:
    await house.given(patient("p", managingOrganization={"reference": "Organization/o"}), organization("o"))
    await house.given(observation("a", "p"), observation("b", "p"))
    answer = await operator.get("Observation?_include=Observation:subject&_include:iterate=Patient:organization")
    modes = sorted((entry["resource"]["id"], entry["search"]["mode"]) for entry in answer.json["entry"])
    assert modes == [("a", "match"), ("b", "match"), ("o", "include"), ("p", "include")]
    assert answer.json["entry"][0]["fullUrl"].startswith(f"{BASE}/Observation/")
    back = await operator.get("Organization?_revinclude=Patient:organization&_revinclude:iterate=Observation:subject")
    assert sorted(back.ids) == ["a", "b", "o", "p"]
    once = await operator.get("Organization?_revinclude=Patient:organization&_revinclude=Observation:subject")
    assert sorted(once.ids) == ["o", "p"]


async def test_an_include_by_canonical_finds_the_definition(house: House, operator: Caller) -> None:
    await house.given(
        {"resourceType": "Questionnaire", "id": "q", "status": "active", "url": "http://test/q"},
        {"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed", "questionnaire": "http://test/q"},
    )
    answer = await operator.get("QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire")
    assert sorted(answer.ids) == ["q", "r"]


async def test_a_compartment_holds_what_is_about_its_patient(house: House, operator: Caller) -> None:
    await house.given(patient("p"), patient("q"), observation("a", "p"), observation("b", "q"))
    assert (await operator.get("Patient/p/Observation")).ids == ["a"]
    assert (await operator.get("Patient/p/Observation?code=other")).ids == []
    assert (await operator("POST", "Patient/p/Observation/_search", b"code=weight", content_type=FORM)).ids == ["a"]
    everything = (await operator.get("Patient/p/*?_type=Patient,Observation")).ids
    assert sorted(everything) == ["a", "p"]
    assert (await operator.get("Organization/p/Observation")).status == 404


async def test_the_system_is_searched_by_what_every_resource_has(house: House, operator: Caller) -> None:
    await house.given(patient("x"), organization("x"), organization("y"))
    answer = await operator.get("?_id=x")
    assert sorted(r["resourceType"] for r in answer.resources) == ["Organization", "Patient"]
    assert [r["resourceType"] for r in (await operator.get("?_id=x&_type=Patient")).resources] == ["Patient"]
    assert (await operator.get("?name=x")).status == 400


async def test_unknown_parameters_are_refused_unless_lenience_is_asked(house: House, operator: Caller) -> None:
    await house.given(organization("o"))
    refused = await operator.get("Organization?colour=red")
    assert (refused.status, refused.issue["code"]) == (400, "not-supported")
    lenient = await operator.get("Organization?colour=red", prefer="handling=lenient")
    assert [entry["search"]["mode"] for entry in lenient.json["entry"]] == ["match", "outcome"]
    assert "colour" not in str(lenient.link("self"))


async def test_a_form_that_is_none_is_refused(operator: Caller) -> None:
    assert (await operator("POST", "Organization/_search", b"{}", content_type="application/json")).status == 415
    assert (await operator("POST", "Organization/_search", b"name=%ff%fe", content_type=FORM)).status == 400

"""What bad input gets: a 4xx OperationOutcome that names the element and the rule, and nothing stored. Over HTTP."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import Live, live

JSON = {"Content-Type": "application/fhir+json"}
XML = {"Content-Type": "application/fhir+xml"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("bad") / "data", "--base-policy", "permit") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Live) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def stored(client: httpx.Client) -> int:
    """How many versions there are, AuditEvents apart."""
    count = 0
    for kind in ("Patient", "Observation", "Bundle", "Basic"):
        answer = client.get(f"/{kind}/_history", params={"_count": 1000})
        count += len(answer.json().get("entry", []))
    return count


def refused(answer: httpx.Response, *words: str) -> dict[str, Any]:
    assert 400 <= answer.status_code < 500, answer.text[:500]
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert all(issue["severity"] in ("error", "fatal", "warning", "information") for issue in outcome["issue"])
    told = json.dumps(outcome)
    for word in words:
        assert word in told, told[:500]
    assert "Traceback" not in told
    return outcome


PATIENT = '{"resourceType":"Patient"%s}'
BODIES = {
    "malformed": (b'{"resourceType":"Patient",', "json"),
    "empty": (b"", "empty"),
    "not an object": (b"[]", "object"),
    "no type": (b"{}", "resourceType"),
    "another type": (b'{"resourceType":"Observation"}', "Observation"),
    "unknown type": (b'{"resourceType":"Person2"}', "Person2"),
    "unknown element": ((PATIENT % ',"colour":"red"').encode(), "`colour` is unknown"),
    "wrong type": ((PATIENT % ',"birthDate":1990').encode(), "Patient.birthDate"),
    "not a date": ((PATIENT % ',"birthDate":"1990-02-30"').encode(), "Patient.birthDate"),
    "not an array": ((PATIENT % ',"name":{"family":"x"}').encode(), "Patient.name"),
    "empty array": ((PATIENT % ',"name":[]').encode(), "Patient.name"),
    "empty object": ((PATIENT % ',"name":[{}]').encode(), "Patient.name[0]"),
    "null": ((PATIENT % ',"active":null').encode(), "Patient.active"),
    "required binding": ((PATIENT % ',"gender":"x"').encode(), "Patient.gender"),
    "two choices": ((PATIENT % ',"deceasedBoolean":true,"deceasedDateTime":"2020"').encode(), "deceased"),
    "invariant": ((PATIENT % ',"contact":[{"gender":"male"}]').encode(), "pat-1"),
    "duplicate key": ((PATIENT % ',"active":true,"active":false').encode(), "active"),
    "number bomb": ((PATIENT % ',"multipleBirthInteger":1e999999999').encode(), "exponent"),
    "long number": ((PATIENT % (',"multipleBirthInteger":' + "9" * 5000)).encode(), "number"),
    "NaN": ((PATIENT % ',"multipleBirthInteger":NaN').encode(), "NaN"),
    "NUL": ((PATIENT % ',"language":"a\\u0000"').encode(), "NUL"),
    "raw NUL": ((PATIENT % ',"language":"a\x00"').encode(), "json"),
    "lone surrogate": ((PATIENT % ',"name":[{"family":"\\ud800"}]').encode(), "surrogate"),
    "not UTF-8": (b'{"resourceType":"Patient","language":"\xff"}', "utf-8"),
    "depth bomb": (b'{"resourceType":"Patient","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "script in the narrative": (
        (
            PATIENT
            % ',"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><script>x</script></div>"}'
        ).encode(),
        "Patient.text",
    ),
    "reference to another type": (
        (PATIENT % ',"managingOrganization":{"reference":"Patient/1"}').encode(),
        "Patient.managingOrganization",
    ),
    "reference to nothing": ((PATIENT % ',"managingOrganization":{"reference":"#x"}').encode(), "ref-1"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_named_and_not_stored(client: httpx.Client, name: str) -> None:
    body, words = BODIES[name]
    before = stored(client)
    refused(client.post("/Patient", content=body, headers=JSON), words)
    refused(client.put("/Patient/bad", content=body, headers=JSON))
    assert stored(client) == before


def test_an_id_of_65_characters_is_refused_where_the_client_chooses_it(client: httpx.Client) -> None:
    """On a create the id in the body is ignored, as https://hl7.org/fhir/R4/http.html#create says."""
    long = "a" * 65
    refused(client.put(f"/Patient/{long}", json={"resourceType": "Patient", "id": long}), "id")
    refused(client.put("/Patient/a_b", json={"resourceType": "Patient", "id": "a_b"}), "id")


@pytest.mark.parametrize(
    "body",
    [
        b"<Patient",
        b'<Patient xmlns="urn:other"/>',
        b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><birthDate value="1990-02-30"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><colour value="red"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<contact>" * 10_000,
        b"\x00\x01",
    ],
)
def test_bad_xml_is_refused_and_not_stored(client: httpx.Client, body: bytes) -> None:
    before = stored(client)
    refused(client.post("/Patient", content=body, headers=XML))
    assert stored(client) == before


def test_a_body_over_the_limit_is_413(client: httpx.Client) -> None:
    big = b'{"resourceType":"Patient","language":"' + b"a" * (17 * 1024 * 1024) + b'"}'
    assert client.post("/Patient", content=big, headers=JSON).status_code == 413
    packed = gzip.compress(b" " * (64 * 1024 * 1024))
    answer = client.post("/Patient", content=packed, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 413
    refused(answer, "larger than")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/Patient?colour=red", ("colour",)),
        ("/Patient?name:colour=red", ("colour",)),
        ("/Patient?birthdate=1990-13", ("birthdate",)),
        ("/Patient?birthdate=xx1990", ("birthdate",)),
        ("/Observation?value-quantity=abc", ("value-quantity",)),
        ("/Observation?code:in=http://nowhere", ("code",)),
        ("/Patient?_count=-1", ("_count",)),
        ("/Patient?_count=x", ("_count",)),
        ("/Patient?_sort=colour", ("colour",)),
        ("/Patient?_include=Patient:colour", ("colour",)),
        ("/Patient?_summary=half", ("_summary",)),
        ("/Patient?_total=some", ("_total",)),
        ("/Patient?_has:Observation=1", ("_has",)),
        ("/Patient?general-practitioner.colour=1", ("colour",)),
        ("/Patient?_filter=name eq", ("_filter",)),
        ("/Patient?_filter=" + "(" * 500, ("_filter",)),
        ("/Patient?name=" + "a" * 10_000, ("name",)),
        ("/Patient?identifier=" + "a,b" * 3_000, ("identifier",)),
        ("/Patient?_cursor=abc", ()),
        ("/Location?near=abc", ("near",)),
        ("/Location?near=95|200|1|km", ("near",)),
        ("/Colour", ("Colour",)),
        ("/Patient/" + "a" * 65, ()),
        ("/Patient/a%00b", ()),
        ("/Patient/%ff", ()),
        ("/Patient?name=%ff", ()),
        ("/Patient/1/_history/x", ()),
        ("/Patient/$colour", ()),
        ("/Patient/1/2/3/4/5/6/7/8/9/10/11/12", ()),
        ("/_history?_since=yesterday", ("_since",)),
    ],
)
def test_a_bad_request_line_is_refused_and_named(client: httpx.Client, path: str, words: tuple[str, ...]) -> None:
    refused(client.get(path), *words)


def test_a_huge_count_is_served_with_the_largest_page_there_is(client: httpx.Client) -> None:
    assert client.get("/Patient?_count=" + "9" * 30).status_code in (200, 400)
    assert client.get("/Patient?_count=100000").status_code == 200


def test_another_method_is_405_and_another_media_type_415(client: httpx.Client) -> None:
    answer = client.request("PATCH", "/metadata")
    assert answer.status_code == 405
    refused(answer)
    answer = client.post("/Patient", content=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    refused(answer)
    answer = client.get("/Patient", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    refused(answer)


def test_a_version_conflict_and_a_double_match_are_412(client: httpx.Client) -> None:
    patient = client.post("/Patient", json={"resourceType": "Patient", "active": True}).json()
    again = {**patient, "active": False}
    for condition in ('W/"7"', 'W/"x"', "*x"):
        answer = client.put(f"/Patient/{patient['id']}", json=again, headers={"If-Match": condition})
        assert answer.status_code in (400, 412)
        refused(answer)
    assert client.put(f"/Patient/{patient['id']}", json=again, headers={"If-Match": 'W/"7"'}).status_code == 412
    tag = {"meta": {"tag": [{"system": "urn:test", "code": "twin"}]}, "resourceType": "Basic", "code": {"text": "x"}}
    for _ in range(2):
        assert client.post("/Basic", json=tag).status_code == 201
    answer = client.post("/Basic", json=tag, headers={"If-None-Exist": "_tag=urn:test|twin"})
    assert answer.status_code == 412
    refused(answer)
    assert client.put("/Basic?_tag=urn:test|twin", json=tag).status_code == 412


def test_one_bad_entry_refuses_the_whole_transaction_and_is_named(client: httpx.Client) -> None:
    before = stored(client)
    good = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    bads: list[dict[str, Any]] = [
        {"resource": {"resourceType": "Patient", "gender": "x"}, "request": {"method": "POST", "url": "Patient"}},
        {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Observation"}},
        {"resource": {"resourceType": "Patient"}},
        {"request": {"method": "DELETE", "url": "Colour/1"}},
        {"request": {"method": "PUT", "url": "Patient/1"}},
        {"resource": {"resourceType": "Patient"}, "request": {"method": "PUT", "url": "Patient"}},
    ]
    for bad in bads:
        answer = client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [good, bad]})
        refused(answer, "Bundle.entry[1]")
    assert stored(client) == before


def test_a_refusal_never_repeats_a_long_value(client: httpx.Client) -> None:
    answer = client.get("/Patient", params={"birthdate": "geheim" * 300})
    refused(answer)
    assert len(answer.text) < 2000


def test_the_server_is_still_there(server: Live) -> None:
    assert Path(f"/proc/{server.process.pid}").exists()
    assert httpx.get(server.url + "/metadata").status_code == 200

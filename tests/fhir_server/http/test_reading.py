"""Requests are taken apart within limits. https://asgi.readthedocs.io/en/latest/specs/www.html"""

import gzip
import json
from typing import Any

import httpx
import pytest

from fhir_server.http import reading
from fhir_server.outcome import Category, FhirError
from tests.fhir_server.http.conftest import BODY_BYTES_MAX
from tests.fhir_server.inprocess import House, organization

pytestmark = pytest.mark.anyio
FHIR_JSON = {"Content-Type": "application/fhir+json"}


def scope(path: bytes, **more: Any) -> dict[str, Any]:
    return {"type": "http", "raw_path": path, "path": path.decode("latin-1"), "scheme": "http", **more}


def test_segments_are_decoded_one_by_one() -> None:
    assert reading.segments(scope(b"/fhir/Patient/a%20b"), "/fhir") == ("Patient", "a b")
    assert reading.segments(scope(b"/fhir/Patient/a%2Fb?x=/y"), "/fhir") == ("Patient", "a/b")
    assert reading.segments(scope(b"/fhir//Patient/"), "/fhir") == ("Patient",)
    assert reading.segments(scope(b"/fhir"), "/fhir") == ()


@pytest.mark.parametrize(
    "path, category", [(b"/fhir/Patient/%ff", Category.VALUE), (b"/fhir" + b"/x" * 11, Category.NOT_SUPPORTED)]
)
def test_a_path_that_is_no_text_or_too_long_is_refused(path: bytes, category: Category) -> None:
    with pytest.raises(FhirError) as caught:
        reading.segments(scope(path), "/fhir")
    assert caught.value.category is category


def test_pairs_keep_their_order_their_repetitions_and_empty_values() -> None:
    assert reading.pairs(b"b=1&a=&b=2%2C3&n%C3%A9=x+y") == (("b", "1"), ("a", ""), ("b", "2,3"), ("né", "x y"))
    assert reading.pairs(b"") == ()


@pytest.mark.parametrize("query", [b"a=%ff", "a=é".encode(), b"&".join([b"a=1"] * 501)])
def test_a_query_that_is_not_utf_8_or_has_too_many_parameters_is_refused(query: bytes) -> None:
    with pytest.raises(FhirError) as caught:
        reading.pairs(query)
    assert caught.value.category is Category.VALUE


def test_a_repeated_header_is_one_list() -> None:
    raw = [(b"accept", b"a"), (b"prefer", b"return=minimal"), (b"prefer", b"handling=lenient")]
    assert reading.headers(raw) == {"accept": "a", "prefer": "return=minimal, handling=lenient"}


@pytest.mark.parametrize("host", ["wijk.test", "wijk.test:8080", "127.0.0.1:1", "[::1]:8080"])
def test_links_begin_with_the_host_as_the_client_wrote_it(host: str) -> None:
    assert reading.origin(scope(b"/"), {"host": host}) == f"http://{host}"


@pytest.mark.parametrize("host", ["", "a/b", "a b", "user@wijk.test", 'x"><script>', "wijk.test:port", "a" * 300])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(FhirError, match="Host"):
        reading.origin(scope(b"/"), {"host": host})


async def test_a_wrong_host_gets_an_outcome(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metadata", headers={"Host": "evil.test/x?"})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["diagnostics"] == "the Host header is not a host name"


async def test_a_body_at_the_limit_is_read_and_one_over_it_is_not(client: httpx.AsyncClient) -> None:
    text = json.dumps({"resourceType": "Organization", "name": "x"}).encode()
    just = text + b" " * (BODY_BYTES_MAX - len(text))
    assert (await client.post("/Organization", content=just, headers=FHIR_JSON)).status_code == 201
    over = await client.post("/Organization", content=just + b" ", headers=FHIR_JSON)
    assert over.status_code == 413
    assert over.json()["issue"][0] == {
        "severity": "error",
        "code": "too-long",
        "diagnostics": f"the body is larger than {BODY_BYTES_MAX} bytes",
    }


async def test_a_body_that_does_not_say_its_size_is_limited_too(client: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(30):
            yield b" " * 1000

    answer = await client.post("/Organization", content=chunks(), headers=FHIR_JSON)
    assert answer.status_code == 413


async def test_a_gzip_body_is_unpacked(client: httpx.AsyncClient) -> None:
    packed = gzip.compress(json.dumps({"resourceType": "Organization", "name": "ingepakt"}).encode())
    answer = await client.post("/Organization", content=packed, headers={**FHIR_JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 201
    assert answer.json()["name"] == "ingepakt"


@pytest.mark.parametrize(
    "encoding, body, status",
    [
        ("gzip", gzip.compress(b" " * 10_000_000, mtime=0), 413),
        ("gzip", b"not gzip", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", 400),
        ("br", b"{}", 415),
        ("gzip, gzip", gzip.compress(b"{}", mtime=0), 415),
    ],
)
async def test_packed_bodies_that_are_bombs_broken_or_unknown_are_refused(
    client: httpx.AsyncClient, encoding: str, body: bytes, status: int
) -> None:
    answer = await client.post("/Organization", content=body, headers={**FHIR_JSON, "Content-Encoding": encoding})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_search_by_form_reads_the_form(client: httpx.AsyncClient, house: House) -> None:
    await house.given(organization("a"), organization("b"))
    form = {"_id": "a", "_pretty": "true"}
    answer = await client.post("/Organization/_search", data=form)
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["a"]
    assert answer.text.startswith("{\n")

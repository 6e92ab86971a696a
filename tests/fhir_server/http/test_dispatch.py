"""The FHIR surface: headers, forms of an answer, and what becomes of errors. https://hl7.org/fhir/R4/http.html"""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from lxml import etree

from fhir_server.http import dispatch
from fhir_server.http.dispatch import GZIP_BYTES_MIN, FhirApplication
from fhir_server.interactions.exchange import Request, Response
from tests.fhir_server.http.conftest import SURFACE
from tests.fhir_server.inprocess import House, organization, patient

pytestmark = pytest.mark.anyio
FHIR = "{http://hl7.org/fhir}"


async def test_personal_data_stays_out_of_caches_and_content_cannot_run(
    client: httpx.AsyncClient, house: House
) -> None:
    await house.given(patient("p"))
    for path in ("/Patient/p", "/Patient/nobody", "/metadata"):
        headers = (await client.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


async def test_head_says_what_get_would(client: httpx.AsyncClient, house: House) -> None:
    await house.given(organization("a"))
    got, asked = await client.get("/Organization/a"), await client.head("/Organization/a")
    assert asked.content == b""
    assert asked.status_code == 200
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert asked.headers[name] == got.headers[name]
    assert (await client.head("/Organization/nowhere")).status_code == 404


async def test_names_of_a_request_come_back_as_they_were(client: httpx.AsyncClient) -> None:
    sent = {
        "X-Request-Id": "3f0c-17",
        "X-Correlation-Id": "a:b/c=d_e.f",
        "MedMij-Request-ID": "c2b4a1d0-0000-4000-8000-000000000000",
        "AORTA-ID": "initialRequestID=1",
    }
    for path in ("/metadata", "/Patient/nobody"):
        headers = (await client.get(path, headers=sent)).headers
        assert {name: headers[name] for name in sent} == sent


@pytest.mark.parametrize("name", ["<script>", "a b", "x" * 129, "é", ""])
async def test_a_name_that_could_be_more_than_a_name_does_not_come_back(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get("/metadata", headers={"X-Request-Id": name.encode()})
    assert answer.status_code == 200
    assert "x-request-id" not in answer.headers


async def test_long_answers_are_packed_for_who_takes_gzip(client: httpx.AsyncClient, house: House) -> None:
    await house.given(organization("long", alias=["x" * GZIP_BYTES_MIN]), organization("short"))
    plain = await client.get("/Organization/long")
    assert "content-encoding" not in plain.headers
    packed = await client.get("/Organization/long", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.content == plain.content  # httpx unpacks
    short = await client.get("/Organization/short", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers


async def test_gzip_that_is_ruled_out_is_not_used(client: httpx.AsyncClient, house: House) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2: a weight of 0 means not acceptable."""
    await house.given(organization("long", alias=["x" * GZIP_BYTES_MIN]))
    for refused in ("gzip;q=0", "identity, gzip; q=0.0", "br"):
        answer = await client.get("/Organization/long", headers={"Accept-Encoding": refused})
        assert "content-encoding" not in answer.headers, refused


async def test_not_modified_has_no_body_and_no_length(client: httpx.AsyncClient, house: House) -> None:
    await house.given(organization("a"))
    answer = await client.get("/Organization/a", headers={"If-None-Match": 'W/"1"'})
    assert answer.status_code == 304
    assert answer.content == b""
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "path, headers",
    [
        ("/Patient/nobody", {"Accept": "application/fhir+xml"}),
        ("/Patient/nobody?_format=xml", {}),
        ("/Patient/nobody", {"Accept": "application/xml", "Authorization": "Bearer wrong"}),
        ("/Patient/nobody", {"Accept": "application/fhir+xml", "Host": "no host"}),
        ("/Patient?naam=x&_format=application/fhir%2Bxml", {}),
    ],
)
async def test_errors_are_told_in_xml_to_who_asked_for_xml(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await client.get(path, headers=headers)
    assert answer.status_code >= 400
    assert answer.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    root = etree.fromstring(answer.content)
    assert root.tag == f"{FHIR}OperationOutcome"
    assert root.find(f"{FHIR}issue/{FHIR}diagnostics").get("value")


async def test_an_error_about_the_format_itself_is_told_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metadata", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert answer.json()["issue"][0]["code"] == "not-supported"


async def test_pretty_text_ends_its_last_line(client: httpx.AsyncClient, house: House) -> None:
    """So that a shell prompt does not stick to it."""
    await house.given(organization("a"))
    for wanted in ("json", "xml"):
        text = (await client.get(f"/Organization/a?_pretty=true&_format={wanted}")).text
        assert text.endswith((">\n", "}\n"))
        assert "\n  " in text


async def test_other_methods_are_named_in_allow(client: httpx.AsyncClient, house: House) -> None:
    await house.given(organization("a"))
    answer = await client.post("/Organization/a", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


@pytest.mark.parametrize("path", ["/Patient/p", "/metadata", "/Organization", "/Patient/nobody", "/"])
@pytest.mark.parametrize("query", ["access_token=token-1", "_format=json&access_token=", "access%5Ftoken=token-1"])
async def test_line_9_a_token_among_the_parameters_is_refused(
    client: httpx.AsyncClient, house: House, path: str, query: str
) -> None:
    """Also if it is a good one, and if the header has a good one: https://datatracker.ietf.org/doc/html/rfc9700#section-4.3.2"""
    await house.given(patient("p"))
    for headers in ({}, {"Authorization": ""}):
        answer = await client.get(f"{path}?{query}", headers=headers)
        assert answer.status_code == 400
        assert answer.headers["www-authenticate"].startswith('Bearer realm="fhir", error="invalid_request"')
        assert answer.json()["issue"][0]["expression"] == ["access_token"]
        assert "token-1" not in answer.text


async def test_line_9_a_token_in_the_form_of_a_search_is_refused(client: httpx.AsyncClient, house: House) -> None:
    await house.given(patient("p"))
    asked = await client.post("/Patient/_search", data={"_id": "p", "access_token": "token-1"})
    assert asked.status_code == 400
    assert asked.json()["issue"][0]["expression"] == ["access_token"]
    assert (await client.post("/Patient/_search", data={"_id": "p"})).status_code == 200


async def test_line_9_prefer_lenient_takes_no_token_either(client: httpx.AsyncClient, house: House) -> None:
    """Unknown parameters may be passed over if the client says so; this one is known, and refused."""
    answer = await client.get("/Patient?access_token=token-1", headers={"Prefer": "handling=lenient"})
    assert answer.status_code == 400


async def test_a_public_address_begins_every_link(
    surface: Callable[..., FhirApplication], bearer: str, house: House
) -> None:
    await house.given(organization("a"))
    transport = httpx.ASGITransport(app=surface(base_url="https://dossier.example.nl/fhir/"))
    async with httpx.AsyncClient(transport=transport, base_url=SURFACE, headers={"Authorization": bearer}) as client:
        bundle = (await client.get("/Organization")).json()
    assert bundle["link"][0]["url"] == "https://dossier.example.nl/fhir/Organization"
    assert bundle["entry"][0]["fullUrl"] == "https://dossier.example.nl/fhir/Organization/a"


async def test_a_fault_of_ours_is_told_without_its_words(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault injection: the interaction fails with a text that holds personal data."""

    async def broken(_: Request) -> Response:
        raise RuntimeError("mevrouw Huijnen, 999901011")

    monkeypatch.setattr(dispatch, "perform", broken)
    with caplog.at_level(logging.DEBUG):
        answer = await client.get("/Patient/p?family=Huijnen")
    assert answer.status_code == 500
    assert answer.json()["issue"] == [
        {"severity": "fatal", "code": "exception", "diagnostics": "the server failed to answer"}
    ]
    assert "Huijnen" not in answer.text + str(answer.headers)
    ours = [record for record in caplog.records if record.name.startswith("wijkdossier")]
    assert [record.levelname for record in ours] == ["ERROR"]
    assert "RuntimeError" in ours[0].getMessage()
    assert "test_dispatch" in ours[0].getMessage()  # where it was raised
    told = "".join(record.getMessage() + str(record.exc_info) for record in ours)
    assert "Huijnen" not in told
    assert "999901011" not in told


def bare_scope(method: str, path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"wijk.test"), *headers],
        "scheme": "http",
    }


async def spoken(app: FhirApplication, scope: dict[str, Any], received: dict[str, Any]) -> list[Any]:
    """What the application sends over bare ASGI, where no server or client mends it."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return received

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def test_a_client_that_leaves_early_gets_nothing_and_breaks_nothing(
    surface: Callable[..., FhirApplication],
) -> None:
    scope = bare_scope("POST", "/fhir/Patient", (b"content-length", b"10"))
    assert await spoken(surface(), scope, {"type": "http.disconnect"}) == []


async def test_the_answer_to_head_has_no_body(surface: Callable[..., FhirApplication]) -> None:
    start, body = await spoken(surface(), bare_scope("HEAD", "/fhir/metadata"), {"type": "http.request", "body": b""})
    assert start["status"] == 200
    assert int(dict(start["headers"])[b"content-length"]) > 100_000
    assert body["body"] == b""


async def test_binary_comes_and_goes_as_it_is(client: httpx.AsyncClient) -> None:
    picture = b"\x89PNG" + bytes(range(256))
    made = await client.post("/Binary", content=picture, headers={"Content-Type": "image/png"})
    assert made.status_code == 201
    read = await client.get(f"/Binary/{made.json()['id']}", headers={"Accept": "image/*"})
    assert read.headers["content-type"] == "image/png"
    assert read.content == picture
    assert "sandbox" in read.headers["content-security-policy"]

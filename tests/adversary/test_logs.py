"""What a live server writes down about whoever asks: nothing personal in its output and metrics, no BSN in its audit log.

NEN 7513 wants the log of accesses; the AVG wants that no other log becomes one.
"""

import base64
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.adversary.hostile import Hostility
from tests.live import COMMAND, ROOT, token
from tests.performance.server_process import free_port

NAME = "Zeldzaamgenaamd"
BSN = "999999990"  # a test number: it passes the eleven test, and is nobody's
BSN_SYSTEM = "http://fhir.nl/fhir/NamingSystem/bsn"
FOREIGN_TOKEN = "tok-Zeldzaamgenaamd"
START_SECONDS_MAX = 30.0
REQUESTS = 250

PERSON: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "person",
    "name": [{"family": NAME}],
    "identifier": [{"system": BSN_SYSTEM, "value": BSN}],
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A server whose output goes to a file."""

    client: httpx.Client
    token: str
    port: int
    output: Path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("logs")
    output = folder / "output"
    with output.open("wb") as written, process(folder / "data", written) as port:
        held = token(folder / "data", "system", "system/*.cruds")
        headers = {"Authorization": f"Bearer {held}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            yield Watched(client, held, port, output)


class process:  # noqa: N801 - a context manager, used like a function
    def __init__(self, data: Path, output: IO[bytes]) -> None:
        self._port = free_port()
        arguments = ["serve", "--data", str(data), "--port", str(self._port), "--base-policy", "permit"]
        self._process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    def __enter__(self) -> int:
        transport = httpx.HTTPTransport(retries=12)  # with a pause that doubles: some 30 seconds in all
        with httpx.Client(transport=transport, timeout=START_SECONDS_MAX) as client:
            assert client.get(f"http://127.0.0.1:{self._port}/health/ready").status_code == 200
        return self._port

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


def personal_requests(client: httpx.Client) -> None:
    """A name, a BSN and tokens wherever a request has room for them, in what succeeds and in what fails."""
    client.put("/fhir/Patient/person", json=PERSON)
    searches = [
        {"name": NAME},
        {"identifier": f"{BSN_SYSTEM}|{BSN}"},
        {"identifier": BSN},
        {"_filter": f'identifier eq "{BSN_SYSTEM}|{BSN}" or name eq "{NAME}"'},
        {"_content": f"{NAME} {BSN}"},
        {"birthdate": f"{NAME}{BSN}"},
        {NAME: BSN},
        {"_sort": f"{NAME}{BSN}"},
        {"_cursor": f"{NAME}{BSN}"},
    ]
    for parameters in searches:
        for path in ("/fhir/Patient", "/fhir", f"/fhir/Patient/{BSN}/Observation", "/fhir/Observation/$lastn"):
            client.get(path, params=parameters)
            client.post(f"{path}/_search", data=parameters)
    client.get("/fhir/Observation", params={"patient.identifier": f"{BSN_SYSTEM}|{BSN}"})
    client.get("/fhir/Observation", params={"patient:identifier": f"{BSN_SYSTEM}|{BSN}"})
    client.get("/fhir/Patient", params={"_has:Observation:patient:subject.name": NAME, "_count": "1"})
    for path in (f"Patient/{BSN}", f"Patient/{BSN}/_history/{BSN}", f"{NAME}/{BSN}", f"Patient/{NAME}/$everything", f"Patient/{BSN}/$meta"):  # fmt: skip
        client.get(f"/fhir/{path}")
        client.delete(f"/fhir/{path}")
        client.put(f"/fhir/{path}", json={**PERSON, "id": BSN, "birthDate": NAME})
    bad = {**PERSON, "name": [{"family": NAME, NAME: BSN}], "gender": NAME, "deceasedBoolean": BSN}
    for content in (json.dumps(bad), json.dumps(bad)[:-4], f"<Patient xmlns='http://hl7.org/fhir'><{NAME} value='{BSN}'/>"):  # fmt: skip
        for kind in ("application/fhir+json", "application/fhir+xml", f"text/{NAME}"):
            client.post("/fhir/Patient", content=content, headers={"Content-Type": kind})
    client.post("/fhir/Patient", json=PERSON, headers={"If-None-Exist": f"identifier={BSN_SYSTEM}|{BSN}"})
    client.post("/fhir/Patient", json=PERSON, headers={"If-None-Exist": f"{NAME}={BSN}"})
    client.patch("/fhir/Patient/person", content=json.dumps([{"op": "test", "path": f"/{NAME}", "value": BSN}]), headers={"Content-Type": "application/json-patch+json"})  # fmt: skip
    entries = [
        {"request": {"method": "GET", "url": f"Patient?identifier={BSN_SYSTEM}|{BSN}"}},
        {"request": {"method": "PUT", "url": f"Patient?identifier={BSN_SYSTEM}|{BSN}"}, "resource": PERSON},
        {"request": {"method": "DELETE", "url": f"Patient/{BSN}"}},
    ]
    for kind in ("batch", "transaction"):
        client.post("/fhir", json={"resourceType": "Bundle", "type": kind, "entry": entries})
    for authorization in (f"Bearer {FOREIGN_TOKEN}", f"Basic {NAME}", f"{NAME} {BSN}"):
        client.get("/fhir/Patient", params={"name": NAME}, headers={"Authorization": authorization})
    for path in (
        f"/{NAME}?access_token={FOREIGN_TOKEN}",
        f"/fhir/{NAME}%ff",
        f"/metrics?{NAME}",
        f"/health/ready/{BSN}",
    ):
        client.get(path)


def broken_requests(port: int) -> None:
    """What the HTTP layer itself refuses."""
    for text in (f"GET /fhir/{NAME} {BSN} HTTP/1.1\r\n\r\n", f"{NAME}\r\n\r\n", f"GET / HTTP/1.1\r\nHost: x\r\n{NAME}\r\n\r\n", f"POST /fhir/{NAME} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{BSN}"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass


def test_output_and_metrics_hold_nothing_personal(watched: Watched) -> None:
    personal_requests(watched.client)
    broken_requests(watched.port)
    hostility = Hostility(7, [PERSON])
    for _ in range(REQUESTS):
        raw = hostility.request()
        try:
            url = f"http://127.0.0.1:{watched.port}{raw.target.decode('latin-1')}"
            answer = watched.client.request(raw.method, url, content=raw.body)
        except httpx.InvalidURL:
            continue
        assert answer.status_code < 500, raw
    metrics = watched.client.get("/metrics").text
    assert "wijkdossier_requests_total" in metrics
    output = watched.output.read_text()
    for secret in (NAME, NAME.lower(), BSN, watched.token, FOREIGN_TOKEN, "Traceback"):
        assert secret not in output
        assert secret not in metrics


def test_audit_events_hold_no_bsn_nor_token(watched: Watched) -> None:
    personal_requests(watched.client)
    events = list(everything(watched.client, "/fhir/AuditEvent?_count=500"))
    assert len(events) > 100
    for event in events:
        told = json.dumps(event)
        queries = [base64.b64decode(one["query"]).decode() for one in event.get("entity", ()) if "query" in one]
        for secret in (BSN, watched.token, FOREIGN_TOKEN):
            assert secret not in told, event
            assert all(secret not in query for query in queries), queries
    assert any("identifier=" in query for event in events for query in queries_of(event)), (
        "the questions themselves stay"
    )


def test_links_hold_no_bsn(watched: Watched) -> None:
    """A self or next link ends up in histories and proxies; the search itself still works."""
    watched.client.put("/fhir/Patient/person", json=PERSON)
    watched.client.put("/fhir/Patient/twin", json={**PERSON, "id": "twin"})
    answer = watched.client.get("/fhir/Patient", params={"identifier": f"{BSN_SYSTEM}|{BSN}", "_count": 1}).json()
    assert answer["entry"]
    links = {link["relation"]: link["url"] for link in answer["link"]}
    assert BSN not in json.dumps(links)
    following = watched.client.get(links["next"]).json()
    assert following["entry"]
    assert BSN not in json.dumps(following["link"])


def queries_of(event: dict[str, Any]) -> list[str]:
    return [base64.b64decode(one["query"]).decode() for one in event.get("entity", ()) if "query" in one]


def everything(client: httpx.Client, url: str) -> Iterator[dict[str, Any]]:
    while url:
        page = client.get(url).json()
        yield from (entry["resource"] for entry in page.get("entry", ()))
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")

"""What only a real process shows: health, figures of several workers added up, the wire itself."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live import Live, live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("http") / "data", "--workers", "2") as served:
        yield served


def root(server: Live) -> str:
    return server.url.removesuffix("/fhir")


def test_health_says_that_the_process_runs_and_the_store_answers(server: Live) -> None:
    assert httpx.get(f"{root(server)}/health/live").json() == {"status": "live"}
    ready = httpx.get(f"{root(server)}/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


def test_figures_of_the_workers_are_added_up(server: Live) -> None:
    for _ in range(20):  # a connection each, so that both workers get some
        assert httpx.get(f"{server.url}/Patient/figures").status_code == 401
    text = httpx.get(f"{root(server)}/metrics").text
    assert 'wijkdossier_requests_total{interaction="read",status="401"} 20.0' in text
    assert "figures" not in text


def test_the_root_tells_a_passer_by_where_fhir_is(server: Live) -> None:
    found = httpx.get(f"{root(server)}/")
    assert (found.status_code, found.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "/fhir/metadata" in found.text


def test_only_what_is_below_the_base_is_fhir(server: Live) -> None:
    assert httpx.get(f"{root(server)}/fhirstarter").status_code == 404
    assert httpx.get(f"{root(server)}/fhir/").json()["resourceType"] == "Bundle"


def spoken(server: Live, text: bytes) -> bytes:
    """Everything the server says to these bytes until it closes."""
    with socket.create_connection((server.process.host, server.process.port), 10) as connection:
        connection.sendall(text)
        said = b""
        while part := connection.recv(65536):
            said += part
        return said


def test_a_connection_serves_on_after_a_refused_body(server: Live) -> None:
    refused = b"POST /fhir/Patient HTTP/1.1\r\nHost: wijk\r\nContent-Type: application/fhir+json\r\nContent-Length: 2\r\n\r\n{}"
    asked = b"HEAD /fhir/metadata HTTP/1.1\r\nHost: wijk\r\nConnection: close\r\n\r\n"
    first, second = spoken(server, refused + asked).split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"401 ")
    assert second.startswith(b"200 ")
    assert second.endswith(b"\r\n\r\n")  # the headers of metadata, without its body


def test_a_body_that_says_it_is_too_large_is_refused_at_once(server: Live) -> None:
    said = spoken(
        server,
        b"POST /fhir/Patient HTTP/1.1\r\nHost: wijk\r\nContent-Length: 99999999999999999999999\r\n"
        b"Connection: close\r\n\r\n",
    )
    assert said.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))


def test_what_is_no_http_gets_no_traceback(server: Live) -> None:
    said = spoken(server, b"HELLO\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"Traceback" not in said


def test_the_data_folder_belongs_to_its_user_alone(server: Live) -> None:
    assert server.data.stat().st_mode & 0o077 == 0
    paths: list[Path] = list(server.data.iterdir())
    assert paths
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths), paths

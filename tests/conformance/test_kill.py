"""`kill -9` of a serving process at any moment: no acknowledged write lost, no half transaction, no audited read missing."""

import os
import random
import signal
import subprocess
import threading
from pathlib import Path

import httpx

from tests.live import COMMAND, ROOT, Live, live, token

KILLS = 6
SYSTEM = "system/*.cruds"


def test_what_was_acknowledged_over_http_survives_kill_9(tmp_path: Path) -> None:
    data = tmp_path / "data"
    acknowledged: list[tuple[str, str]] = []  # pairs of ids made by one transaction
    reads = 0
    chance = random.Random(20261122)
    with live(data):  # a store is made by the first to serve it
        bearer = token(data, "system", SYSTEM)
    for _ in range(KILLS):
        with live(data, "--base-policy", "permit") as server:
            _check(server, bearer, acknowledged, reads)
            timer = threading.Timer(chance.uniform(0.05, 0.6), os.kill, (server.process.pid, signal.SIGKILL))
            timer.start()
            reads += _write_until_killed(server, bearer, acknowledged)
            timer.join()
    with live(data, "--base-policy", "permit") as server:
        _check(server, bearer, acknowledged, reads)
    verified = subprocess.run(
        [*COMMAND, "audit", "verify", "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert len(acknowledged) > KILLS
    assert reads > KILLS


def _client(server: Live, bearer: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)


def _write_until_killed(server: Live, bearer: str, acknowledged: list[tuple[str, str]]) -> int:
    """How many reads were answered; appends each pair that the server said it stored."""
    reads = 0
    entries = [
        {
            "fullUrl": f"urn:uuid:0000000{n}-0000-4000-8000-000000000000",
            "resource": {"resourceType": "Basic", "code": {"text": "x"}},
            "request": {"method": "POST", "url": "Basic"},
        }
        for n in range(2)
    ]
    with _client(server, bearer) as client:
        try:
            while True:
                answer = client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
                assert answer.status_code == 200, answer.text
                first, second = (entry["response"]["location"].split("/")[-3] for entry in answer.json()["entry"])
                acknowledged.append((first, second))
                assert client.get(f"/Basic/{first}").status_code == 200
                reads += 1
        except httpx.TransportError:
            return reads


def _check(server: Live, bearer: str, acknowledged: list[tuple[str, str]], reads: int) -> None:
    with _client(server, bearer) as client:
        stored = set()
        path = "/Basic?_count=1000&_elements=id"
        while path:
            page = client.get(path).json()
            stored |= {entry["resource"]["id"] for entry in page.get("entry", [])}
            path = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        lost = [pair for pair in acknowledged if not set(pair) <= stored]
        assert lost == [], "an acknowledged write is gone"
        assert len(stored) % 2 == 0, "half a transaction is there"
        audited = client.get("/AuditEvent", params={"subtype": "read", "_summary": "count"}).json()["total"]
        assert audited >= reads, "an answered read is missing from the audit log"

"""Logging in at a real server of two workers: what one worker knows the other knows, also after a restart."""

import json
import re
import subprocess
from pathlib import Path

import httpx

from tests.live import COMMAND, ROOT, Live, live, load

PASSWORD = "een lang wachtwoord"
REQUESTS = 12  # on a connection each: both workers get some


class Visitor:
    """Keeps cookies, and takes a new connection for every request."""

    def __init__(self, server: Live) -> None:
        self.site = server.url.removesuffix("/fhir")
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **form: str) -> httpx.Response:
        with httpx.Client(base_url=self.site, cookies=self.cookies, timeout=60) as http:
            answer = http.request(method, path, data=form or None)
        self.cookies.update(answer.cookies)
        return answer

    def log_in(self, password: str) -> httpx.Response:
        page = self.ask("GET", "/portal/login")
        proof = re.search(r'name="csrf" value="(\w+)"', page.text)
        assert proof
        return self.ask("POST", "/portal/login", csrf=proof[1], username="annie", password=password)


def test_line_18_workers_share_logins_and_counts_and_keep_them_over_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "annie.json"
    file.write_text(json.dumps({"resourceType": "Patient", "id": "annie"}))
    data = tmp_path / "data"
    load(data, [file])
    adding = [*COMMAND, "account", "add", "--data", str(data), "annie", "--person", "Patient/annie"]
    subprocess.run(adding, cwd=ROOT, input=PASSWORD, text=True, timeout=120, check=True, capture_output=True)
    with live(data, "--workers", "2") as server:
        visitor, stranger = Visitor(server), Visitor(server)
        assert visitor.log_in(PASSWORD).status_code == 303
        assert {visitor.ask("GET", "/portal/account").status_code for _ in range(REQUESTS)} == {200}
        statuses = [stranger.log_in("een ander wachtwoord").status_code for _ in range(7)]
        assert statuses == [403] * 5 + [429] * 2
    with live(data) as server:
        visitor.site = stranger.site = server.url.removesuffix("/fhir")
        assert visitor.ask("GET", "/portal/account").status_code == 200
        assert stranger.log_in(PASSWORD).status_code == 429
        assert visitor.log_in(PASSWORD).status_code == 303

"""What every walkthrough needs: where the server is, a token, a client that speaks FHIR, and steps that can be read.

Run one as `python -m examples.walkthroughs.NAME --base http://127.0.0.1:8080/fhir --data DIR`, where DIR is the folder
that the server was started with: tokens come from the command `wijkdossier token`.
https://hl7.org/fhir/R4/http.html
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

Resource = dict[str, Any]
FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True)
class Server:
    """`base` is the FHIR base URL without a closing slash, `data` the folder of its store."""

    base: str
    data: Path

    def anonymous(self) -> httpx.Client:
        return httpx.Client(base_url=self.base + "/", headers={"Accept": FHIR_JSON}, timeout=30)

    def as_user(self, user: str, scope: str, purpose: str = "", client: str = "walkthrough") -> httpx.Client:
        """A client with a fresh token for `user`, say `Patient/bewoner-01`; `purpose` is a v3 ActReason code."""
        headers = {"Accept": FHIR_JSON, "Authorization": f"Bearer {self._token(user, scope, purpose, client)}"}
        return httpx.Client(base_url=self.base + "/", headers=headers, timeout=30)

    def _token(self, user: str, scope: str, purpose: str, client: str) -> str:
        asked = ["--user", user, "--client", client, "--scope", scope, *(["--purpose", purpose] if purpose else [])]
        return self.command("token", *asked).split()[-1]

    def command(self, *words: str, typed: str = "") -> str:
        """What `wijkdossier words…` prints, about the data of this server; `typed` is what somebody would type."""
        beside_python = Path(sys.executable).with_name("wijkdossier")
        name = str(beside_python) if beside_python.exists() else shutil.which("wijkdossier") or "wijkdossier"
        asked = [name, *words, "--data", str(self.data)]
        answer = subprocess.run(asked, input=typed, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise SystemExit(f"`wijkdossier {words[0]}` failed: {answer.stderr.strip()}")
        return answer.stdout


def server_from_arguments(description: str) -> Server:
    """The server named on the command line."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--base", default="http://127.0.0.1:8080/fhir", help="FHIR base URL (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the server's store (default: %(default)s)")
    chosen = parser.parse_args()
    return Server(chosen.base.rstrip("/"), chosen.data)


def step(text: str) -> None:
    print(f"\n== {text}", flush=True)


def tell(text: str) -> None:
    print(f"   {text}", flush=True)


def expect(holds: bool, what: str) -> None:
    """Prints what was checked; ends the walkthrough if it does not hold."""
    if not holds:
        raise SystemExit(f"   NO: {what}")
    print(f"   ok: {what}", flush=True)


def answer(response: httpx.Response, *statuses: int) -> Resource:
    """The resource in a response with one of these statuses (200 if none is named); otherwise the walkthrough ends."""
    wanted = statuses or (200,)
    if response.status_code not in wanted:
        asked = f"{response.request.method} {response.request.url.path}"
        raise SystemExit(f"   NO: {asked} answered {response.status_code}, not {wanted}: {response.text[:400]}")
    resource: Resource = response.json() if response.content else {}
    return resource


def pages(client: httpx.Client, url: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Resource]:
    """The Bundles of a search, page after page, along the server's own `next` links."""
    bundle = answer(client.get(url, params=parameters))
    while True:
        yield bundle
        following = [link["url"] for link in bundle.get("link", []) if link["relation"] == "next"]
        if not following:
            return
        bundle = answer(client.get(following[0]))


def resources(bundle: Resource, resource_type: str = "", mode: str = "") -> list[Resource]:
    """The resources in a Bundle, of one type and one search mode (match, include) if these are named."""
    return [
        entry["resource"]
        for entry in bundle.get("entry", [])
        if "resource" in entry
        and resource_type in ("", entry["resource"]["resourceType"])
        and mode in ("", entry.get("search", {}).get("mode", ""))
    ]

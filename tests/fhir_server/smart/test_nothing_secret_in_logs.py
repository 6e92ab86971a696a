"""Nothing that opens a door is written down: not in the output of a live server, its metrics, its audit log, its store.

People log in (and fail to), apps are let in, use what they were given, give it back and are refused; every secret of
that is looked for afterwards. NEN 7513; https://datatracker.ietf.org/doc/html/rfc9700#section-4.3
"""

import asyncio
import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pyotp
import pytest

from fhir_server.cli.opening import authorization_server
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.settings import Settings
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.passwords import Passwords
from tests.adversary.authorizing import jwks, signed
from tests.clients.people import register
from tests.clients.visitor import Visitor
from tests.live import COMMAND, ROOT, command, load
from tests.performance.server_process import free_port

PASSWORD: Final = "Wachtwoordvanvandaag"
WRONG: Final = "Verkeerdwachtwoord"
BSN: Final = "999999990"  # a test number: it passes the eleven test, and is nobody's
REDIRECT: Final = "http://localhost:8004/after"
SCOPE: Final = "openid fhirUser launch launch/patient offline_access patient/*.rs user/*.rs"
VERIFIER: Final = "een-geheim-van-de-app-dat-lang-genoeg-is-voor-pkce"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

PEOPLE: Final = (
    {"resourceType": "Patient", "id": "bewoner", "name": [{"family": "Voorbeeld"}], "generalPractitioner": [{"reference": "Practitioner/dokter"}],
     "identifier": [{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": BSN}]},
    {"resourceType": "Practitioner", "id": "dokter", "name": [{"family": "Dokter"}]},
    {"resourceType": "Organization", "id": "praktijk", "name": "Praktijk"},
    {"resourceType": "Observation", "id": "meting", "status": "final", "code": {"text": "x"},
     "subject": {"reference": "Patient/bewoner"}},
)  # fmt: skip


@dataclass
class Journey:
    """`secrets` by what they are; where to look for them."""

    site: str
    data: Path
    output: Path
    secrets: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)

    def keep(self, **secrets: str) -> None:
        """Under a name of its own each: the second of a kind too."""
        for name, secret in secrets.items():
            assert len(secret) >= 6, name
            self.secrets[f"{name} {len(self.secrets)}"] = secret

    def found(self, text: bytes) -> list[str]:
        """Which secrets are there, as they are or in the encodings that they travel in."""
        return [name for name, secret in self.secrets.items() if any(one in text for one in _ways(secret))]

    def post(self, endpoint: str, form: dict[str, str], status: int, **headers: str) -> Any:
        answer = httpx.post(f"{self.site}/auth/{endpoint}", data=form, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else {}


def _ways(secret: str) -> set[bytes]:
    return {secret.encode(), quote(secret).encode(), base64.b64encode(secret.encode()).rstrip(b"=")[:-1]}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("secrets")
    data, output = folder / "data", folder / "output"
    file = folder / "people.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in PEOPLE))
    load(data, [file])
    asyncio.run(_accounts(data))
    with _served(data, output) as site:
        made = Journey(site, data, output)
        made.keep(password=PASSWORD, wrong=WRONG, bsn=BSN, verifier=VERIFIER)
        _register(made)
        _log_in_and_fail_to(made)
        _let_in(made)
        _serve_itself(made)
        _launch(made)
        _go_wrong(made)
        yield made


async def _accounts(data: Path) -> None:
    async with authorization_server(Settings(data=data)) as server:
        accounts, absent = Accounts(server, Passwords()), Maintenance(server.gateway, "test").absent
        for username, person in (("bewoner", "Patient/bewoner"), ("dokter", "Practitioner/dokter")):
            await accounts.add(username, (person,), "test", absent, password=PASSWORD)


@contextmanager
def _served(data: Path, output: Path) -> Iterator[str]:
    site = f"http://127.0.0.1:{free_port()}"
    arguments = [
        "serve",
        "--data",
        str(data),
        "--port",
        site.rpartition(":")[2],
        "--dynamic-registration",
        "--base-policy",
        "permit",
    ]
    with output.open("wb") as written:
        process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=written, stderr=subprocess.STDOUT)
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=12), timeout=30) as client:
                assert client.get(f"{site}/health/ready").status_code == 200
            yield site
        finally:
            process.terminate()
            process.wait(20)


# --- the journey -------------------------------------------------------------------------------------------------


def _register(journey: Journey) -> None:
    common: dict[str, Any] = {"scope": SCOPE, "redirect_uris": (REDIRECT,)}
    public = register(journey.data, name="Openbare app", kind="public", launch_uri="http://localhost:8004/", **common)
    secret = register(journey.data, name="Geheime app", kind="symmetric", introspects=True, **common)
    backend = register(journey.data, name="Praktijksysteem", kind="asymmetric", jwks=jwks(), scope="system/*.rs",
                       grants=("client_credentials",), user="Organization/praktijk")  # fmt: skip
    journey.clients = {"public": public.client.id, "secret": secret.client.id, "backend": backend.client.id}
    told = {"client_name": "Zelf gekomen", "redirect_uris": [REDIRECT], "scope": "patient/*.rs"}
    answer = httpx.post(f"{journey.site}/auth/register", json=told)
    journey.keep(client_secret=secret.secret, registered=answer.json()["client_secret"])
    journey.clients["own secret"] = secret.secret


def _log_in_and_fail_to(journey: Journey) -> None:
    with Visitor(journey.site) as visitor:
        visitor.open("/portal/login")
        visitor.fill("Gebruikersnaam", "bewoner")
        visitor.fill("Wachtwoord", WRONG)
        visitor.press("Inloggen")
        assert visitor.status == 403
    with _logged_in(journey, "dokter") as visitor:
        visitor.open("/portal/account")
        visitor.fill("Uw wachtwoord van nu", PASSWORD, "Zet de code aan")
        visitor.press("Zet de code aan")
        typed = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", visitor.page.text)
        assert typed
        secret = typed[0].replace(" ", "")
        visitor.fill("Typ hier de 6 cijfers die de app laat zien", pyotp.TOTP(secret).now())
        visitor.press("Zet de code aan")
        journey.keep(second_factor=secret)
        visitor.open("/portal/account")
        visitor.fill("Uw wachtwoord van nu", PASSWORD, "Zet de code uit")
        visitor.press("Zet de code uit")


@contextmanager
def _logged_in(journey: Journey, username: str, path: str = "/portal/") -> Iterator[Visitor]:
    with Visitor(journey.site) as visitor:
        visitor.open(path)
        visitor.fill("Gebruikersnaam", username)
        visitor.fill("Wachtwoord", PASSWORD)
        visitor.press("Inloggen")
        _keep_cookies(journey, visitor)
        yield visitor


def _keep_cookies(journey: Journey, visitor: Visitor) -> None:
    journey.keep(**{name: value for name, value in visitor.cookies.items() if not name.endswith("language")})
    for one in visitor.page.all("input"):
        if one.attributes.get("name") == "csrf":
            journey.keep(csrf=one.attributes["value"])


def _asks(journey: Journey, client: str, **more: str) -> str:
    challenge = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    told = {"response_type": "code", "client_id": client, "redirect_uri": REDIRECT, "scope": SCOPE, "state": f"state-{BSN}",
            "aud": f"{journey.site}/fhir", "code_challenge": challenge, "code_challenge_method": "S256",
            "nonce": "een-nonce-van-de-app", "login_hint": BSN, **more}  # fmt: skip
    return f"/auth/authorize?{urlencode(told)}"


def _code(journey: Journey, username: str, client: str, **more: str) -> str:
    with _logged_in(journey, username, _asks(journey, client, **more)) as visitor:
        journey.keep(handle=urlsplit(visitor.url).path.rpartition("/")[2])
        visitor.tick("Tot ik ermee stop")
        visitor.press("Toestaan")
        code = parse_qs(urlsplit(visitor.left_for).query)["code"][0]
    journey.keep(code=code)
    return code


def _redeem(journey: Journey, code: str, **proof: str) -> dict[str, str]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **proof,
    }
    told: dict[str, str] = journey.post("token", form, 200)
    journey.keep(**{name: told[name] for name in ("access_token", "refresh_token", "id_token")})
    return told


def _let_in(journey: Journey) -> None:
    id, secret = journey.clients["secret"], journey.clients["own secret"]
    proof = {"client_id": id, "client_secret": secret}
    told = _redeem(journey, _code(journey, "bewoner", id), **proof)
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert httpx.get(f"{journey.site}/fhir/Patient/bewoner", headers=bearer).status_code == 200
    httpx.get(f"{journey.site}/fhir/Patient?identifier=http://fhir.nl/fhir/NamingSystem/bsn|{BSN}", headers=bearer)
    assert journey.post("introspect", {"token": told["access_token"], **proof}, 200)["active"]
    again = journey.post("token", {"grant_type": "refresh_token", "refresh_token": told["refresh_token"], **proof}, 200)
    journey.keep(access_token=again["access_token"], refresh_token=again["refresh_token"])
    # A token that was used comes again: the whole family ends.
    journey.post("token", {"grant_type": "refresh_token", "refresh_token": told["refresh_token"], **proof}, 400)
    public = journey.clients["public"]
    code = _code(journey, "bewoner", public)
    told = _redeem(journey, code, client_id=public)
    journey.post("token", {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
                           "code_verifier": VERIFIER, "client_id": public}, 400)  # fmt: skip
    journey.post("revoke", {"token": told["refresh_token"], "client_id": public}, 200)
    for url in ("/fhir/Patient/bewoner", f"/fhir/Patient/bewoner?access_token={told['access_token']}"):
        assert (
            httpx.get(journey.site + url, headers={"Authorization": f"Bearer {told['access_token']}"}).status_code
            >= 400
        )


def _serve_itself(journey: Journey) -> None:
    id = journey.clients["backend"]
    claims = {"iss": id, "sub": id, "aud": f"{journey.site}/auth/token", "exp": 2**31, "jti": "een-jti-van-het-systeem"}
    header = {"alg": "ES384", "kid": "one", "typ": "JWT"}
    for exp, status in ((_soon(), 200), (_soon(), 401), (2**31, 401)):
        assertion = signed(header, {**claims, "exp": exp})
        journey.keep(assertion=assertion, signature=assertion.rpartition(".")[2], jti=claims["jti"])
        form = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion_type": ASSERTION,
                "client_assertion": assertion}  # fmt: skip
        told = journey.post("token", form, status)
        if status == 200:
            journey.keep(access_token=told["access_token"])


def _soon() -> int:
    return int(time.time()) + 200


def _launch(journey: Journey) -> None:
    """A professional starts the app from the portal."""
    with _logged_in(journey, "dokter", "/portal/launch") as visitor:
        visitor.fill("Naam van de bewoner", "Voorbeeld")
        visitor.press("Zoeken")
        visitor.open("/portal/launch/bewoner")
        visitor.press("Openbare app")
        launch = parse_qs(urlsplit(visitor.left_for).query)["launch"][0]
        journey.keep(launch=launch)
        visitor.open(_asks(journey, journey.clients["public"], launch=launch))
        visitor.press("Weigeren")


def _go_wrong(journey: Journey) -> None:
    """Every endpoint is sent what it does not know, with a secret wherever there is room for one."""
    strange = "Een-vreemd-geheim"
    journey.keep(strange=strange)
    id = journey.clients["secret"]
    for endpoint in ("token", "introspect", "revoke"):
        for form in (
            {"grant_type": strange, "client_id": id, "client_secret": strange, "token": strange},
            {"grant_type": "refresh_token", "refresh_token": strange, "client_id": strange},
            {"grant_type": "authorization_code", "code": strange, "code_verifier": strange, "client_id": id},
            {"grant_type": "client_credentials", "client_assertion": strange, "client_assertion_type": strange},
            {strange: strange, "scope": strange},
        ):
            for headers in ({}, {"Authorization": f"Basic {strange}"}, {"Authorization": f"Bearer {strange}"}):
                httpx.post(f"{journey.site}/auth/{endpoint}", data=form, headers=headers)
        httpx.get(f"{journey.site}/auth/{endpoint}", params={"token": strange, "code": strange})
        httpx.post(f"{journey.site}/auth/{endpoint}/{strange}", json={strange: strange})
    httpx.post(
        f"{journey.site}/auth/register", json={"client_name": strange, "redirect_uris": [strange], "jwks": strange}
    )
    with httpx.Client(base_url=journey.site, cookies={"wijkdossier": strange}) as client:
        for path in ("/auth/authorize", "/portal/", "/portal/login", f"/portal/authorize/{strange}", f"/portal/apps/{strange}", f"/portal/{strange}", "/portal/external/callback"):  # fmt: skip
            client.get(path, params={"code": strange, "state": strange, "launch": strange, "redirect_uri": strange, "next": strange})  # fmt: skip
            client.post(path, data={"password": strange, "username": strange, "csrf": strange, "code": strange})


# --- where they are not ------------------------------------------------------------------------------------------


def test_line_18_no_secret_is_in_the_output(journey: Journey) -> None:
    assert len(journey.secrets) > 30, "the journey was one"
    output = journey.output.read_bytes()
    assert b"Traceback" not in output
    assert journey.found(output) == []


def test_line_18_no_secret_is_in_the_metrics(journey: Journey) -> None:
    metrics = httpx.get(f"{journey.site}/metrics").content
    assert b"wijkdossier_requests_total" in metrics
    assert journey.found(metrics) == []


def test_line_18_no_secret_is_in_the_audit_log_which_tells_what_was_done(journey: Journey) -> None:
    told = command("audit", "--data", str(journey.data))
    for words in ("logged in", "app let in", "registered", "a wrong name or password was given"):
        assert words in told, words
    queries = [base64.b64decode(one) for one in re.findall(r'"query": ?"([^"]+)"', told)]
    assert journey.found("\n".join([told, *(one.decode() for one in queries)]).encode()) == []


def test_line_10_no_secret_is_in_the_store(journey: Journey) -> None:
    """What is kept of it is a digest, a hash or sealed. A resident's own identifier is not a secret of the server."""
    stored = b"".join(path.read_bytes() for path in journey.data.rglob("*") if path.is_file())
    assert journey.clients["public"].encode() in stored, "what is no secret can be read"
    assert [name for name in journey.found(stored) if not name.startswith("bsn")] == []

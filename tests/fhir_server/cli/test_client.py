"""`wijkdossier client` as an operator types it: what it prints, its exit status, and what the server then knows."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from fhir_server.cli.main import main
from fhir_server.smart.assertions import ASSERTION_TYPE
from tests.fhir_server.cli.test_commands import PATIENT, put, typed
from tests.fhir_server.smart.signing import claims, ec, key_set, rsa, signed
from tests.live import live

REDIRECT = "https://app.test/after"
SCOPE = "openid patient/*.rs"


class Done(NamedTuple):
    status: int
    out: str
    err: str


Client = Callable[..., Done]


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A store with one patient."""
    folder = tmp_path / "data"
    assert main(["load", "--data", str(folder), str(put(tmp_path, "patient.ndjson", json.dumps(PATIENT)))]) == 0
    capsys.readouterr()
    return folder


@pytest.fixture
def client(data: Path, capsys: pytest.CaptureFixture[str]) -> Client:
    """`wijkdossier client`, in this very process: starting one takes longer than what it does."""

    def run(action: str, *arguments: object) -> Done:
        status = main(["client", action, "--data", str(data), *map(str, arguments)])
        return Done(status, *capsys.readouterr())

    return run


def added(client: Client, *arguments: object) -> tuple[str, str]:
    """The client id and the secret, '' if there is none, that were printed."""
    done = client("add", "--name", "Metingen", "--redirect-uri", REDIRECT, "--scope", SCOPE, *arguments)
    assert done.status == 0, done.err
    match = re.fullmatch(r"client id: ([a-z0-9-]{36})\n(?:secret: ([\w-]{43})\n)?", done.out)
    assert match is not None, done.out
    return match[1], match[2] or ""


def listed(client: Client) -> list[str]:
    done = client("list")
    assert (done.status, done.err) == (0, "")
    lines: list[str] = done.out.splitlines()
    return lines


def test_an_app_is_public_unless_it_is_said_to_have_a_secret_which_is_shown_once(data: Path, client: Client) -> None:
    assert added(client)[1] == ""
    id, secret = added(client, "--kind", "symmetric", "--publisher", "Wijk BV", "--verified")
    assert secret
    lines = listed(client)
    assert len(lines) == 2
    (line,) = [one for one in lines if one.startswith(id)]
    assert line.split() == [id, "symmetric", "Metingen", "(Wijk", "BV,", "verified)", *SCOPE.split()]
    assert secret not in "\n".join(lines)
    assert not stores(data, secret)


def stores(data: Path, secret: str) -> bool:
    """Whether the secret stands in some file of the store."""
    return any(secret.encode() in path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_a_secret_is_given_anew_and_an_app_without_one_has_none_to_give(client: Client) -> None:
    id, secret = added(client, "--kind", "symmetric")
    done = client("rotate", id)
    assert (done.status, done.err) == (0, "the secret can't be shown again\n")
    again = done.out.splitlines()[1].removeprefix("secret: ")
    assert len(again) == 43
    assert again != secret
    public, _ = added(client)
    refused = client("rotate", public)
    assert (refused.status, refused.out) == (2, "")
    assert "client is public" in refused.err


def test_a_backend_service_is_registered_with_its_keys_or_with_where_they_are(client: Client, tmp_path: Path) -> None:
    keys = put(tmp_path, "keys.json", key_set(ec(), rsa()))
    backend = ("--name", "Nachtelijk", "--scope", "system/*.rs", "--user", "Organization/o", "--purpose", "TREAT")
    reminder = "whenever its keys change, give the new ones with `wijkdossier client rotate`\n"
    for where, told in ((("--jwks", keys), reminder), (("--jwks-uri", "https://backend.test/keys"), "")):
        done = client("add", *backend, *where, "--assertion-profile", "rfc10070", "--introspects")
        assert (done.status, done.err) == (0, told)
        assert re.fullmatch(r"client id: \S{36}\n", done.out)
    assert [line.split()[1] for line in listed(client)] == ["asymmetric", "asymmetric"]
    id = listed(client)[0].split()[0]
    assert client("rotate", id, "--jwks", keys).status == 0
    assert client("rotate", id).status == 2


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--redirect-uri", "http://app.test"), "redirect_uri is https"),
        (("--redirect-uri", REDIRECT, "--scope", "everything"), "scope `everything`"),
        (("--redirect-uri", REDIRECT, "--kind", "asymmetric"), "jwks"),
        (("--redirect-uri", REDIRECT, "--user", "Organization/o"), "asymmetric"),
        (("--redirect-uri", REDIRECT, "--origin", "https://app.test/"), "origin"),
        (("--redirect-uri", REDIRECT, "--launch-uri", "http://app.test"), "launch_uri"),
        (("--redirect-uri", REDIRECT, "--verified"), "verified"),
        (("--redirect-uri", REDIRECT, "--purpose", "FUN"), "purpose"),
        (("--redirect-uri", REDIRECT, "--jwks", "nowhere.json"), "no such file"),
        ((), "redirect_uri"),
    ],
)
def test_what_an_app_may_not_be_is_said_and_nothing_is_registered(
    client: Client, arguments: tuple[str, ...], words: str
) -> None:
    done = client("add", "--name", "Metingen", "--scope", SCOPE, *arguments)
    assert (done.status, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err
    assert listed(client) == []


def test_an_app_that_is_taken_away_is_known_no_more(
    data: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    id, _ = added(client)
    kept, _ = added(client)
    done = client("remove", id)
    assert (done.status, done.out, done.err) == (0, f"removed: {id}\n", "")
    assert [line.split()[0] for line in listed(client)] == [kept]
    for action in ("remove", "rotate"):
        again = client(action, id)
        assert (again.status, again.out) == (1, "")
        assert again.err == f"wijkdossier: there is no client `{id}`\n"
    assert main(["audit", "--data", str(data)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [event.get("outcomeDesc", "") for event in events]
    assert f"client {id} registered" in told
    assert f"client {id} removed" in told
    deleted = [event for event in events if event["action"] == "D"]
    assert [event["entity"][0]["what"]["reference"] for event in deleted] == [f"Device/app-{id}/_history/2"]


def test_the_command_is_there_and_makes_no_store(tmp_path: Path) -> None:
    done = typed("client", "list", "--data", tmp_path / "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no store" in done.stderr
    assert not (tmp_path / "data").exists()


def test_line_14_a_running_server_lets_a_backend_service_in_until_it_is_taken_away(
    data: Path, client: Client, tmp_path: Path
) -> None:
    keys = put(tmp_path, "keys.json", key_set(ec()))
    backend = ("--name", "Nachtelijk", "--scope", "system/Organization.rs", "--user", "Organization/o", "--jwks", keys)
    with live(data) as server, httpx.Client(base_url=server.url.removesuffix("/fhir"), timeout=60) as http:
        id = client("add", *backend).out.removeprefix("client id: ").strip()

        def asks(assertion: str) -> httpx.Response:
            form = {"grant_type": "client_credentials", "scope": "system/Organization.rs",
                    "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}  # fmt: skip
            return http.post("/auth/token", data=form)

        def reads(token: str) -> int:
            return http.get("/fhir/Organization", headers={"Authorization": f"Bearer {token}"}).status_code

        once = signed(claims(id, time.time_ns() // 1000, aud=server.url.replace("/fhir", "/auth/token")))
        answer = asks(once)
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert reads(token) == 200
        again = asks(once)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
        assert client("remove", id).status == 0
        assert reads(token) == 401
        assert asks(once).json()["error"] == "invalid_client"

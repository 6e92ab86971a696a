"""`wijkdossier account` and the accounts of the demo, as an operator meets them."""

import asyncio
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from fhir_server.cli import demo
from fhir_server.cli.opening import authorization_server
from fhir_server.settings import Settings
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.passwords import Passwords
from tests.live import COMMAND, ROOT, load

PASSWORD = "een lang wachtwoord"


def typed(data: Path, *arguments: str, typing: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, "account", arguments[0], "--data", str(data), *arguments[1:]],
        cwd=ROOT,
        input=typing,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one patient."""
    folder = tmp_path_factory.mktemp("accounts")
    file = folder / "annie.json"
    file.write_text(json.dumps({"resourceType": "Patient", "id": "annie"}))
    load(folder / "data", [file])
    return folder / "data"


def logs_in(data: Path, username: str, password: str) -> bool:
    async def ask() -> bool:
        async with authorization_server(Settings(data=data)) as server:
            checking = Passwords()
            kept = await Accounts(server, checking).get(username)
            return kept is not None and await checking.verify(kept.value.password, password)

    return asyncio.run(ask())


def test_an_account_comes_and_changes_and_goes(data: Path) -> None:
    added = typed(data, "add", "annie", "--person", "Patient/annie", "--name", "Annie", typing=f"{PASSWORD}\n")
    assert (added.returncode, added.stdout, added.stderr) == (0, "", "")
    assert logs_in(data, "annie", PASSWORD)
    listed = typed(data, "list")
    assert listed.stdout == "annie  Patient/annie  password\n"

    changed = typed(data, "password", "annie", "--generate")
    assert changed.returncode == 0, changed.stderr
    made = changed.stdout.strip().removeprefix("password: ")
    assert len(made) == 23
    assert "can't be shown again" in changed.stderr
    assert logs_in(data, "annie", made)
    assert not logs_in(data, "annie", PASSWORD)

    linked = typed(data, "link", "annie", "https://provider.example", "s-1")
    assert (linked.returncode, linked.stdout) == (0, "")
    assert typed(data, "list").stdout == "annie  Patient/annie  password, OpenID Provider\n"

    assert typed(data, "remove", "annie").returncode == 0
    assert typed(data, "list").stdout == ""


def test_mistakes_are_told_in_one_line_that_holds_no_password(data: Path) -> None:
    for arguments, words in {
        ("add", "piet", "--person", "Patient/nobody"): "person `Patient/nobody` is not there",
        ("add", "p t", "--person", "operator"): "username is",
        ("add", "piet", "--person", "Device/1"): "person is `operator` or",
        ("password", "piet"): "there is no account",
        ("remove", "piet"): "there is no account",
        ("link", "piet", "https://e.example", "s"): "there is no account",
    }.items():
        done = typed(data, *arguments, typing=f"{PASSWORD}\n")
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert PASSWORD not in done.stderr
    for typing, words in {"kort\n": "12 to 256 characters", "": "a password is needed"}.items():
        done = typed(data, "add", "piet", "--person", "operator", typing=typing)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert "kort" not in done.stderr
    done = typed(data / "nowhere", "list")
    assert done.returncode == 2
    assert not (data / "nowhere").exists()


def test_at_a_terminal_a_password_is_asked_for_twice_and_never_shown(data: Path) -> None:
    ours, theirs = pty.openpty()
    arguments = [*COMMAND, "account", "add", "--data", str(data), "beheer", "--person", "operator"]
    process = subprocess.Popen(arguments, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    for asked in (b"Password", b"Once more"):
        while asked not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, f"{PASSWORD}\n".encode())
    assert process.wait(60) == 0
    os.close(ours)
    assert PASSWORD.encode() not in shown
    assert logs_in(data, "beheer", PASSWORD)


def test_the_demo_gives_accounts_where_nobody_else_reaches_the_server_and_nowhere_else(tmp_path: Path) -> None:
    people = [
        {"resourceType": kind, "id": id, **more}
        for kind, id, more in (
            ("Patient", "bewoner-01", {}),
            ("Patient", "bewoner-04", {}),
            ("Patient", "bewoner-05", {}),
            ("RelatedPerson", "bewoner-01-dochter", {"patient": {"reference": "Patient/bewoner-01"}}),
            ("RelatedPerson", "bewoner-04-moeder", {"patient": {"reference": "Patient/bewoner-04"}}),
            ("PractitionerRole", "huisarts-vermeulen", {}),
        )
    ]
    file = tmp_path / "people.ndjson"
    file.write_text("\n".join(map(json.dumps, people)))
    data = tmp_path / "data"
    load(data, [file])

    def given(**settings: str) -> bool:
        return asyncio.run(demo.give_accounts(Settings(data=data, **settings)))  # type: ignore[arg-type]

    assert not given(host="0.0.0.0")
    assert not given(base_url="https://wijk.example/fhir")
    assert typed(data, "list").stdout == ""
    assert given()
    listed = typed(data, "list").stdout
    assert [line.split()[0] for line in listed.splitlines()] == sorted(demo.ACCOUNTS)
    assert logs_in(data, "annie", demo.PASSWORD)
    assert given()  # again: they are there, and stay what they are
    assert typed(data, "list").stdout == listed


def test_the_people_of_the_demo_are_in_the_example_wijk() -> None:
    wijk = "".join(path.read_text() for path in (ROOT / "examples" / "wijk").glob("*.json"))
    for _, people in demo.ACCOUNTS.values():
        for person in people:
            assert person == "operator" or f'"url": "{person}"' in wijk, person


def test_the_demo_leaves_a_store_where_people_log_in_already_alone(data: Path) -> None:
    assert typed(data, "add", "ander", "--person", "operator", typing=f"{PASSWORD}\n").returncode == 0
    before = typed(data, "list").stdout
    assert not asyncio.run(demo.give_accounts(Settings(data=data)))
    assert typed(data, "list").stdout == before

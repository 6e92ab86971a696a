"""`wijkdossier keys` as an operator types it, beside a server that runs."""

import json
import os
import re
from pathlib import Path

import httpx
import pytest

from fhir_server import keys
from tests.fhir_server.cli.test_commands import typed
from tests.live import live

THUMBPRINT = r"[A-Za-z0-9_-]{43}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with one patient."""
    folder = tmp_path / "data"
    patient = tmp_path / "patient.json"
    patient.write_text(json.dumps({"resourceType": "Patient", "id": "mieke"}))
    assert typed("load", "--data", folder, patient).returncode == 0
    return folder


def shown(url: str) -> list[str]:
    return [key["kid"] for key in httpx.get(f"{url.removesuffix('/fhir')}/auth/jwks").json()["keys"]]


def test_line_12_a_rotation_counts_in_running_workers_at_once(tmp_path: Path) -> None:
    with live(tmp_path, "--workers", "2") as server:
        before = shown(server.url)
        assert len(before) == 1
        done = typed("keys", "rotate", "--data", tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        made = re.fullmatch(rf"({THUMBPRINT}) signs from now on\n", done.stdout)
        assert made
        for _ in range(8):  # whichever worker answers
            assert shown(server.url) == [*before, made[1]]


def test_the_list_says_which_key_signs_and_how_long_the_others_are_shown(data: Path) -> None:
    assert typed("keys", "rotate", "--data", data).returncode == 0
    done = typed("keys", "list", "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    earlier, later = done.stdout.splitlines()
    assert re.fullmatch(rf"{THUMBPRINT}  {TIME}  shown until {TIME}", earlier)
    assert re.fullmatch(rf"{THUMBPRINT}  {TIME}  signs", later)
    # Long ago: the key that signed until then is nobody's concern any more.
    os.utime(data / "signing" / "0002.pem", (1_700_000_000, 1_700_000_000))
    assert typed("keys", "list", "--data", data).stdout.splitlines()[0].endswith("  no longer shown")


def test_a_rotation_is_in_the_audit_log(data: Path) -> None:
    made = typed("keys", "rotate", "--data", data).stdout.split()[0]
    log = typed("audit", "--data", data).stdout
    assert [line for line in log.splitlines() if f"signing key {made} made" in line]


def test_a_missing_passphrase_is_told_of_in_one_line_and_nothing_is_made(data: Path) -> None:
    environ = {**os.environ, "WIJKDOSSIER_KEY_PASSPHRASE": "correct horse"}
    assert typed("keys", "rotate", "--data", data, environ=environ).returncode == 0
    for arguments in (("keys", "rotate"), ("keys", "list"), ("serve", "--port", "1")):
        done = typed(*arguments, "--data", data)
        assert done.returncode == 2
        assert done.stderr == ("wijkdossier: the signing key `0001.pem` is encrypted and key_passphrase is not set\n")
    assert len(list((data / "signing").iterdir())) == 2
    assert typed("keys", "list", "--data", data, environ=environ).returncode == 0


def test_keys_of_a_folder_without_a_store_are_not_made(tmp_path: Path) -> None:
    done = typed("keys", "list", "--data", tmp_path)
    assert done.returncode == 2
    assert "there is no store" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_backup_has_the_keys_so_that_what_they_sealed_and_signed_stays_good(data: Path, tmp_path: Path) -> None:
    """Without them people would be others to apps after a restore, and their second step would be lost."""
    assert typed("keys", "rotate", "--data", data).returncode == 0
    made = keys.key(data, "subject")
    listed = typed("keys", "list", "--data", data).stdout
    copy = tmp_path / "copy"
    assert typed("backup", "--data", data, copy).returncode == 0
    assert keys.key(copy, "subject") == made
    assert typed("keys", "list", "--data", copy).stdout == listed
    assert (copy / "signing").stat().st_mode & 0o777 == 0o700
    copied = [*copy.glob("*.key"), *copy.glob("signing/*")]
    assert {path.stat().st_mode & 0o777 for path in copied} == {0o600}
    assert {path.name for path in copied} == {path.name for path in (*data.glob("*.key"), *data.glob("signing/*"))}

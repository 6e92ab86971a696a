"""The commands as an operator types them: what they print, their exit status, and what stands in the store afterwards."""

import json
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import COMMAND, ROOT, live

PATIENT = {"resourceType": "Patient", "id": "mieke", "name": [{"family": "Jansen"}]}
WEIGHT = {
    "resourceType": "Observation",
    "id": "weight",
    "status": "final",
    "code": {"text": "Gewicht"},
    "subject": {"reference": "Patient/mieke"},
}


def typed(*arguments: object, environ: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environ,
    )


def put(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with one patient and one observation."""
    folder = tmp_path / "data"
    done = typed("load", "--data", folder, put(tmp_path, "two.ndjson", f"{json.dumps(PATIENT)}\n{json.dumps(WEIGHT)}"))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_load_counts_by_type_and_says_how_it_ended(tmp_path: Path) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}, {"resource": WEIGHT}]}
    done = typed("load", "--data", tmp_path / "data", put(tmp_path, "bundle.json", bundle))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["        1 Observation", "        1 Patient", "2 stored, 0 refused"]


def test_load_says_what_was_refused_and_why_and_stores_the_rest(tmp_path: Path) -> None:
    wrong = {"resourceType": "Patient", "id": "piet", "gender": "man", "birthDate": "gisteren"}
    files = [
        put(tmp_path, "lines.ndjson", "\n".join([json.dumps(PATIENT), json.dumps(wrong), "{broken"])),
        put(tmp_path, "empty.json", ""),
    ]
    done = typed("load", "--data", tmp_path / "data", *files)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "        1 Patient"
    assert lines[-1] == "1 stored, 3 refused"
    assert any(line.startswith("refused lines.ndjson:3: ") for line in lines)
    assert any(line.startswith("refused empty.json: ") for line in lines)
    told = [line for line in lines if line.startswith("refused lines.ndjson: Patient/piet: ")]
    assert any("Patient.gender" in line for line in told)
    assert any("Patient.birthDate" in line for line in told)


def test_load_reports_dangling_references_or_refuses_them(tmp_path: Path) -> None:
    file = put(tmp_path, "weight.json", WEIGHT)
    done = typed("load", "--data", tmp_path / "tolerant", file)
    assert done.returncode == 0
    assert "1 references lead to resources that are not here: 1 Patient" in done.stdout.splitlines()
    done = typed("load", "--data", tmp_path / "strict", "--strict-references", file)
    assert done.returncode == 1
    assert "0 stored, 1 refused" in done.stdout
    assert "refused weight.json: Observation/weight: " in done.stdout


def test_a_refused_transaction_stores_nothing_and_names_the_entry(tmp_path: Path) -> None:
    entries = [
        {"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/mieke"}},
        {"resource": {**WEIGHT, "status": "klaar"}, "request": {"method": "PUT", "url": "Observation/weight"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    done = typed("load", "--data", tmp_path / "data", put(tmp_path, "bundle.json", bundle))
    assert done.returncode == 1
    assert "Bundle.entry[1]" in done.stdout
    assert "Bundle.entry[1].resource.status" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("0 stored, ")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("load", "--data", "{}", "nowhere.json"), "`nowhere.json` does not exist"),
        (("token", "--data", "{}", "--user", "Huijnen", "--client", "c", "--scope", "patient/*.rs"), "user is"),
        (("token", "--data", "{}", "--user", "Patient/a b", "--client", "c", "--scope", "patient/*.rs"), "user is"),
        (
            ("token", "--data", "{}", "--user", "system", "--client", "c", "--scope", "everything"),
            "scope grants nothing",
        ),
        (("token", "--data", "{}", "--user", "system", "--client", "", "--scope", "system/*.rs"), "client is"),
        (
            ("token", "--data", "{}", "--user", "system", "--client", "c", "--scope", "system/*.rs", "--ttl", "0"),
            "ttl is",
        ),
        (
            (
                "token",
                "--data",
                "{}",
                "--user",
                "system",
                "--client",
                "c",
                "--scope",
                "system/*.rs",
                "--purpose",
                "FUN",
            ),
            "purpose `FUN` is not a code",
        ),
        (("serve", "--data", "{}", "--port", "0"), "port"),
        (("serve", "--data", "{}", "--port", "70000"), "port"),
        (("serve", "--data", "{}", "--timezone", "Europe/Hoensbroek"), "`Europe/Hoensbroek` is not a time zone"),
        (("backup", "--data", "{}", "{}"), "exists already"),
        (("backup", "--data", "{}/nothing-here", "{}-copy"), "nothing-here"),
        (("audit", "--data", "{}/nothing-here"), "nothing-here"),
        (("audit", "verify", "--data", "{}/nothing-here"), "nothing-here"),
        (("audit", "--data", "{}", "--expect", "00"), "--expect goes with `audit verify`"),
        (("audit", "verify", "--data", "{}", "--patient", "mieke"), "--patient does not go with"),
        (("reindex", "--data", "{}/nothing-here"), "nothing-here"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_status_2(data: Path, arguments: tuple[str, ...], words: str) -> None:
    done = typed(*(argument.format(data) for argument in arguments))
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("wijkdossier: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.parametrize("command", [("audit",), ("serve", "--port", "18999")])
def test_a_store_that_is_none_is_told_in_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "wijkdossier.sqlite3").write_text(
        "this is not a database, and long enough to be looked at as one " * 20
    )
    done = typed(*command, "--data", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "wijkdossier: the store can't be used: file is not a database\n"


def test_a_store_of_a_newer_program_is_left_alone(data: Path) -> None:
    with closing(sqlite3.connect(data / "wijkdossier.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 9999")
    done = typed("audit", "--data", data)
    assert done.returncode == 2
    assert "upgrade it" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = typed("load", "--data", tmp_path / "file" / "data", put(tmp_path, "a.json", PATIENT))
    assert done.returncode == 2
    assert done.stderr == f"wijkdossier: not a directory: `{tmp_path}/file/data`\n"


def test_a_misspelt_folder_is_not_made(tmp_path: Path) -> None:
    for command in ("audit", "reindex"):
        assert typed(command, "--data", tmp_path / "dta").returncode == 2
    assert not (tmp_path / "dta").exists()


def test_a_variable_that_is_wrong_is_named(data: Path) -> None:
    done = typed("audit", "--data", data, environ={**os.environ, "WIJKDOSSIER_PORT": "many"})
    assert done.returncode == 2
    assert done.stderr == "wijkdossier: WIJKDOSSIER_PORT must be a whole number, not `many`\n"


def test_a_command_that_is_none_lists_those_there_are() -> None:
    done = typed("purr")
    assert done.returncode == 2
    assert "choose from serve, demo, load" in done.stderr.replace("'", "")


def test_a_token_is_all_that_is_printed_and_opens_the_dossier(data: Path) -> None:
    done = typed("token", "--data", data, "--user", "Patient/mieke", "--client", "app", "--scope", "patient/*.rs")
    assert (done.returncode, done.stderr) == (0, "")
    token = done.stdout.rstrip("\n")
    assert len(token) == 43
    with live(data) as server, httpx.Client(base_url=server.url) as client:
        answer = client.get("/Patient/mieke", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["name"] == PATIENT["name"]
        assert client.get("/Patient/mieke").status_code == 401
    for path in filter(Path.is_file, data.rglob("*")):
        assert token.encode() not in path.read_bytes(), path.name


def test_validate_prints_an_issue_a_line_and_counts(tmp_path: Path) -> None:
    files = [
        put(tmp_path, "good.json", {**PATIENT, "text": {"status": "empty", "div": XHTML}}),
        put(tmp_path, "wrong.json", {"resourceType": "Patient", "gender": "man", "birthDate": "1942-02-30"}),
        put(tmp_path, "broken.ndjson", "{"),
        put(tmp_path, "other.xml", '<Patient xmlns="http://hl7.org/fhir"><gender value="man"/></Patient>'),
    ]
    done = typed("validate", "--quiet", *files)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "4 resources, 3 with errors"
    assert [line for line in lines if line.startswith("good.json")] == []
    assert any(line.startswith("wrong.json: error: Patient.gender: ") for line in lines)
    assert any(line.startswith("wrong.json: error: Patient.birthDate: ") for line in lines)
    assert any(line.startswith("broken.ndjson:1: error: ") for line in lines)
    assert any(line.startswith("other.xml: error: Patient.gender: ") for line in lines)


XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">leeg</div>'


def test_validate_warns_unless_it_is_to_be_quiet(tmp_path: Path) -> None:
    file = put(tmp_path, "bare.json", PATIENT)  # dom-6: a resource should have narrative
    loud, quiet = typed("validate", file), typed("validate", "--quiet", file)
    assert (loud.returncode, quiet.returncode) == (0, 0)
    assert "bare.json: warning: Patient: " in loud.stdout
    assert quiet.stdout == "1 resources, 0 with errors\n"


def test_validate_of_what_is_not_there_is_a_mistake() -> None:
    done = typed("validate", "nowhere.json")
    assert done.returncode == 2
    assert done.stderr == "wijkdossier: `nowhere.json` does not exist\n"


def test_a_backup_is_served_as_it_was_while_the_original_goes_on(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with live(data, "--base-policy", "permit") as server, server.client() as client:
        done = typed("backup", "--data", data, copy)
        assert (done.returncode, done.stdout) == (0, f"backed up to {copy}\n")
        assert client.put("/Patient/mieke", json={**PATIENT, "active": True}).status_code == 200
    with live(copy, "--base-policy", "permit") as server, server.client() as client:
        restored = client.get("/Patient/mieke")
        assert restored.headers["etag"] == 'W/"1"'
        assert "active" not in restored.json()
        assert client.get("/Observation?subject.name=jansen&_total=accurate").json()["total"] == 1
        assert client.put("/Patient/mieke", json={**PATIENT, "active": False}).headers["etag"] == 'W/"2"'
    assert copy.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in copy.glob("*.sqlite3*"))


def test_reindex_files_everything_anew(data: Path) -> None:
    done = typed("reindex", "--data", data)
    assert done.returncode == 0
    assert done.stdout.startswith("2 resources filed anew")


def test_the_audit_log_is_one_event_a_line_oldest_first(data: Path) -> None:
    typed("token", "--data", data, "--user", "Patient/mieke", "--client", "app", "--scope", "patient/*.rs")
    done = typed("audit", "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["resourceType"] for event in events} == {"AuditEvent"}
    recorded = [event["recorded"] for event in events]
    assert recorded == sorted(recorded)
    assert all(any(agent["requestor"] for agent in event["agent"]) for event in events)
    assert len(events) >= 2  # the load, the token


def test_the_audit_log_of_one_patient_holds_that_patient_only(data: Path) -> None:
    for user in ("Patient/mieke", "Patient/piet"):
        typed("token", "--data", data, "--user", user, "--client", "app", "--scope", "patient/*.rs")
    events = [json.loads(line) for line in typed("audit", "--data", data, "--patient", "mieke").stdout.splitlines()]
    assert events
    for event in events:
        assert "Patient/mieke" in json.dumps(event)
        assert "Patient/piet" not in json.dumps(event)


def test_reading_the_audit_log_stands_in_it(data: Path) -> None:
    before = len(typed("audit", "--data", data).stdout.splitlines())
    assert len(typed("audit", "--data", data).stdout.splitlines()) > before


def test_the_audit_log_is_verified_and_a_change_is_named(data: Path) -> None:
    typed("audit", "--data", data)  # makes AuditEvents of the log
    done = typed("audit", "verify", "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    main, journal, held, whole = done.stdout.splitlines()
    assert re.fullmatch(r"wijkdossier\.sqlite3: \d+ entries in \d+ batches, head [0-9a-f]{64}", main)
    assert re.fullmatch(r"[1-9]\d* AuditEvents and Provenances were held against their entries", held)
    assert whole == "the audit log is what was written"
    heads = [line.rpartition(" ")[2] for line in (main, journal)]
    expect = [argument for head in heads for argument in ("--expect", head)]
    assert typed("audit", "verify", "--data", data, *expect).returncode == 0
    done = typed("audit", "verify", "--data", data, "--expect", "0" * 64)
    assert (done.returncode, done.stdout.splitlines()[-1].split(":")[1]) == (1, f" no batch has the hash {'0' * 64}")
    with closing(sqlite3.connect(data / "wijkdossier.sqlite3")) as connection:
        connection.execute("DROP TRIGGER audit_batch_is_not_removed")
        connection.execute("DELETE FROM audit_batch WHERE num = 1")
        connection.commit()
    done = typed("audit", "verify", "--data", data)
    assert done.returncode == 1
    assert "broken: wijkdossier.sqlite3: batch 1: batch 1 is missing" in done.stdout.splitlines()
    assert "the audit log is what was written" not in done.stdout


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    """`wijkdossier audit | head -1` ends quietly, also when there is far more to print."""
    lines = "\n".join(json.dumps({"resourceType": "Patient", "id": f"p-{n}"}) for n in range(600))
    typed("load", "--data", tmp_path / "data", put(tmp_path, "many.ndjson", lines))
    pipe = f"{' '.join(COMMAND)} audit --data {tmp_path / 'data'} | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout == "{141\n"

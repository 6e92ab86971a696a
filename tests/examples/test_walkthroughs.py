"""Every walkthrough runs to its end, as a program of its own, against a real server that serves the example wijk.

https://hl7.org/fhir/R4/http.html
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from examples import bundle_paths

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [str(Path(sys.executable).with_name("wijkdossier"))]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the example wijk in it, loaded by the command that operators use."""
    folder = tmp_path_factory.mktemp("wijk") / "data"
    load = subprocess.run(
        [*COMMAND, "load", "--data", str(folder), "--strict-references", *map(str, bundle_paths())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert load.returncode == 0, load.stdout + load.stderr
    return folder


@contextmanager
def serving(data: Path, base_policy: str, log: Path) -> Iterator[str]:
    """The FHIR base URL of a server process on a free port; it is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["serve", "--data", str(data), "--port", str(port), "--base-policy", base_policy]
    with log.open("wb") as output:
        process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/health/ready", process, log)
        yield f"http://127.0.0.1:{port}/fhir"
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server was not ready in time: {log.read_text()}")


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, loaded: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """(FHIR base URL, data folder) of a server with the base policy asked for and its own copy of the loaded store."""
    folder = tmp_path_factory.mktemp(f"server-{request.param}")
    data = folder / "data"
    shutil.copytree(loaded, data)
    with serving(data, request.param, folder / "server.log") as base:
        yield base, data


# (base policy, walkthrough), grouped by policy so that one server does for all of a group
WALKTHROUGHS = (
    ("deny", "app"),
    ("deny", "consent"),
    ("deny", "gp_system"),
    ("deny", "integrator"),
    ("deny", "my_dossier"),
    ("deny", "referral"),
    ("deny", "social_map"),
    ("permit", "app"),
    ("permit", "gp_system"),
    ("permit", "my_dossier"),
    ("permit", "social_map"),
)


@pytest.mark.parametrize(("server", "name"), WALKTHROUGHS, indirect=["server"])
def test_the_walkthrough_reaches_its_end(server: tuple[str, Path], name: str) -> None:
    base, data = server
    run = subprocess.run(
        [sys.executable, "-m", f"examples.walkthroughs.{name}", "--base", base, "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("   ok: ") >= 8


def test_no_walkthrough_is_left_untested() -> None:
    folder = ROOT / "examples" / "walkthroughs"
    scripts = {path.stem for path in folder.glob("*.py")} - {"__init__", "walk"}
    assert scripts == {name for _, name in WALKTHROUGHS}

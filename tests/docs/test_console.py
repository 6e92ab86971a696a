"""Every command that the README shows is typed into a shell beside a live server, and prints what the README says."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.transcript import Block, Command, Ran, blocks, difference, run
from tests.performance.server_process import serving

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = blocks(README)
PORT = "127.0.0.1:8080"


def typed(found: list[Block]) -> list[Command]:
    """The commands that are run, without the first: that is the server itself."""
    return [command for block in found if not block.not_run for command in block.commands][1:]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[int, Ran]]]:
    """What the server printed, and what each command (by its line) printed."""
    folder = tmp_path_factory.mktemp("newcomer")
    # The folder looks like a checkout in which `make serve` was typed.
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (folder / "examples").symlink_to(ROOT / "examples")
    log = folder / "server.log"
    demo = ("-m", "fhir_server.cli.main", "demo", "--data", str(folder / "data"))
    with log.open("wb") as output, serving(demo, "/health/ready", output=output, seconds_max=120) as process:
        address = f"{process.host}:{process.port}"
        commands = [Command(c.line, c.text.replace(PORT, address), c.shown) for c in typed(BLOCKS)]
        ran = run(commands, folder, seconds=240)
        outputs = {c.line: Ran(r.output.replace(address, PORT), r.status) for c, r in zip(commands, ran)}
        yield log.read_text().replace(address, PORT).replace(f"{folder}/", ""), outputs


def test_make_serve_prints_what_is_shown(session: tuple[str, dict[int, Ran]]) -> None:
    first = BLOCKS[0].commands[0]
    assert first.text == "make serve"
    assert difference(first.shown, session[0].strip("\n")) == ""
    assert re.search(r"^serve:.*\n\t\S+/wijkdossier demo ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", typed(BLOCKS), ids=lambda command: f"line {command.line}")
def test_the_command_prints_what_is_shown(command: Command, session: tuple[str, dict[int, Ran]]) -> None:
    ran = session[1][command.line]
    assert ran.status == 0, ran.output
    assert difference(command.shown, ran.output) == "", command.text


def test_only_servers_and_foreign_data_are_not_run() -> None:
    assert len(BLOCKS) == README.count("```console")
    reasons = [block.not_run for block in BLOCKS if block.not_run]
    assert all("server" in reason or "needs" in reason for reason in reasons)
    assert all(block.not_run for block in BLOCKS if any("wijkdossier serve" in c.text for c in block.commands))

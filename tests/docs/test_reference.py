"""The README's reference and the code name the same settings, options, targets, variables and operations."""

import argparse
import re
from dataclasses import fields
from pathlib import Path

from fhir_server.cli.main import parser
from fhir_server.interactions.routes import ROUTES
from fhir_server.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CODE = ("consent", "profiles", "fhir_server", "examples", "tests")


def table(heading: str, first_column: str) -> list[list[str]]:
    """The rows, without back quotes, of the table with this first column under this heading."""
    section = re.split(r"\n#+ ", README.split(f" {heading}\n", 1)[1], maxsplit=1)[0]
    rows = section.split(f"| {first_column} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


def commands(of: argparse.ArgumentParser | None = None) -> dict[str, argparse.ArgumentParser]:
    """The parsers of all commands by name, `serve`, `client add`."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in (of or parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                deeper = commands(command)
                found |= {f"{name} {below}": one for below, one in deeper.items()} or {name: command}
    return found


def command_of(documented: str) -> str:
    """`client rotate CLIENT` is the command `client rotate`."""
    return next(name for name in sorted(commands(), reverse=True) if f"{documented} ".startswith(f"{name} "))


def flags(command: argparse.ArgumentParser) -> set[str]:
    return {option for a in command._actions for option in a.option_strings if option not in ("-h", "--help")}


def test_the_settings_are_those_of_the_code() -> None:
    documented = {row[0]: (row[1], row[2]) for row in table("Settings", "flag")}
    expected = {
        "--" + setting.name.replace("_", "-"): (variable(setting.name), shown(setting.default))
        for setting in fields(Settings)
        if setting.repr
    }
    assert documented == expected
    secrets = {row[0] for row in table("Settings", "secret, as a variable only")}
    assert secrets == {variable(setting.name) for setting in fields(Settings) if not setting.repr}


def shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) or "empty"


def test_every_setting_is_a_flag_of_serve_and_demo() -> None:
    settings = {row[0] for row in table("Settings", "flag")}
    for name in ("serve", "demo"):
        switches = {"--no-public-directory", "--no-local-accounts", "--no-dynamic-registration"}
        assert flags(commands()[name]) - switches == settings
    assert "--no-public-directory" in README


def test_the_help_of_a_setting_tells_its_default() -> None:
    for action in commands()["serve"]._actions:
        told = re.search(r"\(default: (.+?)\)", action.help or "")
        if told and action.dest in Settings.__dataclass_fields__:
            default = Settings.__dataclass_fields__[action.dest].default
            # What an empty text means is told in words.
            assert default == "" or told[1] == (
                {True: "yes", False: "no"}[default] if isinstance(default, bool) else str(default)
            )


def test_the_commands_and_their_options_are_those_of_the_code() -> None:
    documented = {row[0]: row[1] for row in table("Commands", "command")}
    assert {command_of(name) for name in documented} == set(commands())
    for name, options in documented.items():
        command = commands()[command_of(name)]
        if options != "every setting below":
            assert set(options.split()) == flags(command), name
        positional = [str(a.metavar) for a in command._actions if not a.option_strings]
        assert name.removeprefix(command_of(name)).split() == [
            f"{one}…" if one == "FILE" else one for one in positional
        ]


def test_the_targets_of_make_are_those_of_the_makefile() -> None:
    documented = {row[0].removeprefix("make ") for row in table("Work on it", "command")}
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert documented == set(phony.split()) == set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_variable_in_the_code_is_documented_and_every_documented_one_is_there() -> None:
    paths = [path for folder in CODE for path in (ROOT / folder).rglob("*.py") if "docs" not in path.parts]
    used = {name for path in paths for name in re.findall(r"WIJKDOSSIER_[A-Z]+(?:_[A-Z]+)*", path.read_text())}
    used |= {variable(setting.name) for setting in fields(Settings)}
    assert set(re.findall(r"WIJKDOSSIER_[A-Z]+(?:_[A-Z]+)*", README)) == used


def test_the_operations_are_those_of_the_routes() -> None:
    (row,) = (row for row in README.splitlines() if row.startswith("| operations |"))
    documented = dict(re.findall(r"`(\$[a-z-]+)`(?: \(([A-Za-z ]+)\))?", row))
    offered = {"$" + route.pattern.rpartition("$")[2]: route.types for route in ROUTES if route.name == "operation"}
    assert set(documented) == set(offered)
    for operation, types in offered.items():
        if types:
            assert documented[operation] == ", ".join(types)


def test_every_kind_of_interaction_is_named() -> None:
    section = README.split("### What it speaks", 1)[1].split("## ", 1)[0]
    for route in ROUTES:
        for word in route.name.split("-")[:1]:
            assert word in section, route.name

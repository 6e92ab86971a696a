"""Console blocks of a Markdown file: the commands in them, what is shown of their output, and how the two compare.

In what is shown, `…` stands for what was left out: within a line for any text, on a line by itself for any lines; in
JSON for any members, items or value.
"""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'")
_MARK = "\x1e"
OMITTED = "…"


@dataclass(frozen=True, slots=True)
class Command:
    """`line` is where it stands in the file, from 1; `shown` has no empty lines around it."""

    line: int
    text: str
    shown: str


@dataclass(frozen=True, slots=True)
class Block:
    commands: tuple[Command, ...]
    not_run: str  # the reason, '' for a block that is run


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed (both streams, without empty lines around it), and its exit status."""

    output: str
    status: int


def blocks(markdown: str) -> list[Block]:
    """The console blocks in order."""
    return [
        Block(tuple(_commands(found["text"], markdown.count("\n", 0, found.start("text")) + 1)), found["reason"] or "")
        for found in _BLOCK.finditer(markdown)
    ]


def _commands(text: str, line: int) -> list[Command]:
    found: list[Command] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        start = at
        assert lines[at].startswith("$ "), f"line {line + at}: a block begins with a command"
        typed = [lines[at][2:]]
        here = _HERE_DOCUMENT.search(typed[0])
        while here and lines[at] != here[1]:
            at += 1
            typed.append(lines[at])
        at += 1
        shown = []
        while at < len(lines) and not lines[at].startswith("$ "):
            shown.append(lines[at])
            at += 1
        found.append(Command(line + start, "\n".join(typed), "\n".join(shown).strip("\n")))
    return found


def run(commands: Sequence[Command], folder: Path, *, seconds: float) -> list[Ran]:
    """Run the commands one after another in one shell, as if they were typed in `folder`."""
    mark = "__status=$?; printf '\\n\\x1e%d\\x1e' $__status; ( exit $__status )\n"
    script = "".join(f"{command.text}\n{mark}" for command in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    parts = done.stdout.split(_MARK)
    assert len(parts) == 2 * len(commands) + 1, f"the shell stopped early: {done.stdout[-2000:]}"
    return [Ran(output.strip("\n"), int(status)) for output, status in zip(parts[::2], parts[1::2])]


def difference(shown: str, printed: str) -> str:
    """'' if what is shown is what was printed, apart from what was left out; otherwise what differs."""
    shown_head, shown_json = _split(shown)
    printed_head, printed_json = _split(printed)
    if shown_json and not printed_json:
        return f"JSON is shown, printed was {printed[:400]!r}"
    if not shown_json:
        shown_head, printed_head = shown, printed
    if not _lines_match(shown_head, printed_head):
        return f"shown was {shown_head!r}, printed {printed_head!r}"
    return (
        _json_difference(_shown_json(shown_json), json.loads(printed_json, parse_float=str), "$") if shown_json else ""
    )


def _split(text: str) -> tuple[str, str]:
    """What comes before the first line that opens a JSON object, and from there."""
    lines = text.replace("\r", "").split("\n")
    for number, line in enumerate(lines):
        if line.startswith("{"):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return "\n".join(lines), ""


def _lines_match(shown: str, printed: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == OMITTED else _glob(line) + r"\n" for line in shown.split("\n") if shown
    )
    return re.fullmatch(pattern, printed + "\n" if printed else "") is not None


def _glob(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split(OMITTED))


def _shown_json(text: str) -> Any:
    text = re.sub(rf"^\s*{OMITTED},?$", "", text, flags=re.MULTILINE)
    text = re.sub(rf"[\[{{]{OMITTED}[\]}}]", f'"{OMITTED}"', text)
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text), parse_float=str)


def _json_difference(shown: Any, printed: Any, path: str) -> str:
    if shown == OMITTED:
        return ""
    if isinstance(shown, dict) and isinstance(printed, dict):
        for name, value in shown.items():
            if name not in printed:
                return f"{path}.{name} was not printed"
            different = _json_difference(value, printed[name], f"{path}.{name}")
            if different:
                return different
        return ""
    if isinstance(shown, list) and isinstance(printed, list):
        rest = list(printed)
        for number, item in enumerate(shown):
            while rest and _json_difference(item, rest[0], path):
                rest.pop(0)
            if not rest:
                closest = _json_difference(item, printed[min(number, len(printed) - 1)], f"{path}[{number}]")
                return closest or f"{path}[{number}] was not printed at its place" if printed else f"{path} is empty"
            rest.pop(0)
        return ""
    if isinstance(shown, str) and isinstance(printed, str):
        return "" if re.fullmatch(_glob(shown), printed, re.DOTALL) else f"{path} was {printed!r}, shown is {shown!r}"
    return "" if shown == printed else f"{path} was {printed!r}, shown is {shown!r}"

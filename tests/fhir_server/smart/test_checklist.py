"""The index of the SMART checklist, `checklist.md`: it names tests that exist, and every test that names a line."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
INDEX = HERE / "checklist.md"
HEADING = re.compile(r"## (?:(?P<line>\d+)\. \S.*|(?P<prose>\S.*))")
ROW = re.compile(r"\| (?P<clause>[^|]+) \| (?P<tests>(?:`[^`|]+` ?)+) \|")
NAMED = re.compile(r"test_lines?_(\d+)(?:_and_(\d+))?_")
LINES = [str(line) for line in range(1, 19)]
PROSE = ["Login", "The authorization screen"]


def rows() -> list[tuple[str, str, list[str]]]:
    """Section (the number of a line, or a heading of prose), clause, and its tests."""
    found, section = [], ""
    for line in INDEX.read_text().splitlines():
        if heading := HEADING.fullmatch(line):
            section = heading["line"] or heading["prose"]
        elif line.startswith("|") and not line.endswith("| tests |") and line != "|---|---|":
            row = ROW.fullmatch(line)
            assert row, f"a row of the index can't be read: {line[:60]}"
            found.append((section, row["clause"], re.findall(r"`([^`]+)`", row["tests"])))
    return found


def existing() -> Iterator[str]:
    """Every test there is, as the index has them: from the folder of the index."""
    for module in sorted(TESTS.rglob("test_*.py")):
        name = os.path.relpath(module, HERE)
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{name}::{node.name}"


ROWS = rows()
EXISTING = set(existing())
BY_SECTION = {section: {test for one, _, tests in ROWS if one == section for test in tests} for section, _, _ in ROWS}


def test_every_line_and_every_piece_of_prose_has_tests() -> None:
    assert list(dict.fromkeys(section for section, _, _ in ROWS)) == [*LINES, *PROSE]
    assert len(ROWS) > 80


@pytest.mark.parametrize("section, clause, tests", ROWS, ids=[f"{section}: {clause}" for section, clause, _ in ROWS])
def test_every_clause_points_to_tests_that_exist(section: str, clause: str, tests: list[str]) -> None:
    assert set(tests) <= EXISTING, f"{section}: {clause}"


def test_every_test_that_names_a_line_stands_under_it() -> None:
    named = [
        (line, test)
        for test in EXISTING
        if (match := NAMED.match(test.partition("::")[2]))
        for line in match.groups()
        if line
    ]
    assert len(named) > 250
    assert [test for line, test in named if test not in BY_SECTION.get(line, set())] == []


def test_every_line_has_a_test_of_its_own() -> None:
    """One that names it, and no other."""
    for line in LINES:
        assert any(f"_line_{line}_" in test for test in BY_SECTION[line]), line

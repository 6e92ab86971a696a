"""The index of the consent rules, `rules.md`: it names tests that exist, and leaves no rule test out."""

import ast
import os
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INDEX = HERE / "rules.md"
ROW = re.compile(r"\| (?P<rule>[^|]+) \| (?P<tests>(?:`[^`|]+` ?)+) \|")
SECTIONS = ["1", "2", "3", "4", "5", "6", "8", "Where the text is open"]


def in_module(module: Path) -> set[str]:
    """The names of the tests in a file, as the index has them: from the folder of the index."""
    tree, name = ast.parse(module.read_text()), os.path.relpath(module, HERE)
    return {f"{name}::{node.name}" for node in ast.walk(tree) if getattr(node, "name", "").startswith("test_")}


def rows() -> list[tuple[str, list[str]]]:
    lines = [line for line in INDEX.read_text().splitlines() if line.startswith("|")]
    found = [ROW.fullmatch(line) for line in lines if not line.endswith("| tests |") and line != "|---|---|"]
    assert all(found), "a row of the index can't be read"
    return [(row["rule"], re.findall(r"`([^`]+)`", row["tests"])) for row in found if row]


ROWS = rows()
INDEXED = {test for _, tests in ROWS for test in tests}
FILES = {HERE / test.partition("::")[0] for test in INDEXED}
EXISTING = {test for module in FILES if module.is_file() for test in in_module(module)}
# A file of rule tests says in its first line which section it is about.
OF_RULES = [m for m in sorted(HERE.glob("test_*.py")) if m.read_text().startswith('"""Section')]


def test_the_index_has_every_section() -> None:
    headings = re.findall(r"^## ([1-8]|Where the text is open)\b", INDEX.read_text(), re.MULTILINE)
    assert headings == SECTIONS
    assert len(ROWS) > 80


@pytest.mark.parametrize("rule, tests", ROWS, ids=[rule for rule, _ in ROWS])
def test_every_rule_points_to_tests_that_exist(rule: str, tests: list[str]) -> None:
    assert set(tests) <= EXISTING, rule


def test_no_two_rules_rest_on_one_test_alone() -> None:
    firsts = [tests[0] for rule, tests in ROWS if not re.match(r"\d+\.", rule)]
    assert len(firsts) == len(set(firsts))


@pytest.mark.parametrize("module", OF_RULES, ids=lambda module: module.name)
def test_every_rule_test_stands_in_the_index(module: Path) -> None:
    assert in_module(module) - INDEXED == set()


def test_the_files_of_rules_are_known() -> None:
    here = {module.name for module in FILES if module.parent == HERE}
    assert {module.name for module in OF_RULES} >= here - {
        "test_among.py",
        "test_bad_input.py",
        "test_differential.py",
        "test_parse.py",
    }

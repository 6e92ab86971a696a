"""The engine is a library of its own: the standard library and nothing else, and no I/O."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "consent").glob("*.py"))
# Modules that reach outside the process.
OUTSIDE = {
    "os",
    "io",
    "socket",
    "subprocess",
    "pathlib",
    "urllib",
    "http",
    "sqlite3",
    "asyncio",
    "time",
    "random",
    "logging",
}


def imported(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_it_needs_the_standard_library_only_and_does_no_io(module: Path) -> None:
    needed = imported(module) - {"consent"}
    assert needed <= set(sys.stdlib_module_names)
    assert not needed & OUTSIDE
    assert "open(" not in module.read_text()


def test_it_can_be_imported_with_nothing_else_installed() -> None:
    command = [sys.executable, "-S", "-c", "from consent import decide; print(decide.__name__)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "decide\n"

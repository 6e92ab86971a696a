"""Node and what npm brings: programs run with stock packages, and a browser where one is installed.

Packages are found in WIJKDOSSIER_NPM (default build/npm), where `make clients` puts them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

HERE: Final = Path(__file__).parent
PACKAGES: Final = Path(os.environ.get("WIJKDOSSIER_NPM", HERE.parents[1] / "build" / "npm"))
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def require(*packages: str) -> None:
    """Skips the test, saying why, where Node or one of the packages is not there."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    for package in packages:
        if not (PACKAGES / "node_modules" / package).is_dir():
            pytest.skip(f"{package} of npm not found (WIJKDOSSIER_NPM, default build/npm)")


def browser() -> str:
    """The path of Chromium, '' where there is none."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), "")


def require_browser() -> str:
    """The path of Chromium; skips the test, saying why, where there is none."""
    require("playwright-core")
    found = browser()
    if not found:
        pytest.skip("no browser: chromium is not installed")
    return found


def run(script: str, seconds: float = 60, **told: Any) -> Any:
    """What the script in this folder prints as JSON, of what it is told as JSON; `packages` is told always."""
    done = subprocess.run(
        ["node", str(HERE / script)],
        input=json.dumps({"packages": str(PACKAGES), **told}),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

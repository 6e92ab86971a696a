"""A real server in a process of its own, for what crosses HTTP: started, spoken to with httpx, and ended by its id."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.performance.server_process import ServerProcess, serving

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "fhir_server.cli.main")
SYSTEM = "system/*.cruds"


@dataclass(frozen=True, slots=True)
class Live:
    """A server that serves `data`. `url` is its FHIR base."""

    process: ServerProcess
    data: Path

    @property
    def url(self) -> str:
        return f"http://{self.process.host}:{self.process.port}/fhir"

    def client(self, user: str = "system", scope: str = SYSTEM, **options: Any) -> httpx.Client:
        """A client with a token of its own; `user` empty: without a token."""
        headers = {"Authorization": f"Bearer {token(self.data, user, scope)}"} if user else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)


def command(*arguments: str, status: int = 0, seconds: float = 240) -> str:
    """What `wijkdossier arguments…` printed; asserts its exit status."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def token(data: Path, user: str, scope: str, *more: str) -> str:
    return command("token", "--data", str(data), "--user", user, "--client", "test", "--scope", scope, *more).strip()


def load(data: Path, files: Sequence[Path], *more: str, status: int = 0) -> str:
    return command("load", "--data", str(data), *more, *map(str, files), status=status)


@contextmanager
def live(data: Path, *options: str) -> Iterator[Live]:
    """Serve `data` on a free port of 127.0.0.1 until the end of the block."""
    arguments = ("-m", "fhir_server.cli.main", "serve", "--data", str(data), *options)
    with serving(arguments, "/health/ready") as process:
        yield Live(process, data)

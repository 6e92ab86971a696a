"""A server in a process of its own, with the processor time and memory the kernel counts for it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

START_SECONDS_MAX = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    pid: int
    host: str
    port: int
    start_seconds: float  # from the start of the process to its first answer

    def cpu_seconds(self) -> float:
        """User and system time so far, of the process and its worker processes."""
        return sum(_cpu(pid) for pid in self.family())

    def resident_bytes(self) -> int:
        """The largest resident set among the process and its workers."""
        return max(_resident(pid) for pid in self.family())

    def family(self) -> list[int]:
        """The process and its workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [self.pid, *map(int, children.read_text().split() if children.exists() else ())]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    arguments: Sequence[str],
    path: str,
    environ: dict[str, str] | None = None,
    *,
    output: int | IO[bytes] = subprocess.DEVNULL,
    seconds_max: float = START_SECONDS_MAX,
) -> Iterator[ServerProcess]:
    """Run `python arguments… --port PORT`, wait until `path` answers, and end it by its own id afterwards.

    `output` takes what the process prints; it has `seconds_max` to come to its first answer.
    """
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments, "--port", str(port)],
        env={**os.environ, **(environ or {})},
        stdout=output,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        _wait(process, port, path, seconds_max)
        yield ServerProcess(process.pid, "127.0.0.1", port, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, path: str, seconds_max: float) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    deadline = time.perf_counter() + seconds_max
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode} before its first answer")
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(request)
                if b" 200 " in connection.recv(64):
                    return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(f"no answer within {seconds_max} s")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0

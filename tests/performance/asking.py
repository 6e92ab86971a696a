"""One request at a time over one kept connection, timed, and which worker process is at its other end."""

import http.client
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from profiles import json
from tests.performance.server_process import START_SECONDS_MAX, ServerProcess

_SECONDS_MAX: Final = 60.0
_ANYTHING: Final = "/fhir/Organization?_count=1"


@dataclass(frozen=True, slots=True)
class Answer:
    """`ms`: from the first byte sent to the last one received."""

    status: int
    body: bytes
    ms: float

    @property
    def json(self) -> Any:
        return json.parse(self.body)


class Connection:
    """A connection on which whoever has `token` asks."""

    def __init__(self, server: ServerProcess, token: str) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        self._client = http.client.HTTPConnection(server.host, server.port, timeout=_SECONDS_MAX)
        self._client.connect()

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def put(self, path: str, resource: Mapping[str, Any]) -> Answer:
        return self._ask("PUT", path, json.dumps(resource))

    def worker(self) -> int:
        """The process that the server's end of this connection belongs to; 0 while nobody has accepted it."""
        own_port = self._client.sock.getsockname()[1]
        inode = _inode(self._server.port, own_port)
        return next((pid for pid in self._server.family() if f"socket:[{inode}]" in _files(pid)), 0)

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        started = time.perf_counter()
        self._client.request(method, path, body, self._headers)
        response = self._client.getresponse()
        content = response.read()
        return Answer(response.status, content, (time.perf_counter() - started) * 1000)


def one_to_each(server: ServerProcess, token: str, workers: int) -> list[Connection]:
    """A connection to each of the worker processes. Raises RuntimeError if some worker never takes one."""
    found: dict[int, Connection] = {}
    deadline = time.perf_counter() + START_SECONDS_MAX
    while time.perf_counter() < deadline:
        connection = Connection(server, token)
        for kept in (connection, *found.values()):  # one that nobody asks anything is closed after a while
            kept.get(_ANYTHING)
        if found.setdefault(connection.worker(), connection) is not connection:
            connection.close()
        if len(found) == workers:
            return list(found.values())
        time.sleep(0.01)  # one of them may still be starting
    raise RuntimeError(f"{len(found)} of {workers} workers took a connection")


def _files(pid: int) -> set[str]:
    """What the process has open."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(os.readlink(link))
    return found


def _inode(port: int, other_port: int) -> str:
    """Of the socket from `port` to `other_port`. https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html"""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [int(end.partition(":")[2], 16) for end in fields[1:3]] == [port, other_port]:
            return fields[9]
    return ""

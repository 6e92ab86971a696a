"""A small HTTP/1.1 load generator: some keep-alive connections, each with one request under way, for a fixed count.

It counts and times answers and looks at nothing else, so that it costs less than what it measures.
"""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import cast


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds`: the whole run; `latencies`: each request, in seconds; `failures`: answers other than 200."""

    seconds: float
    latencies: tuple[float, ...]
    failures: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.latencies) * 1000


def request_bytes(path: str, token: str = "", host: str = "127.0.0.1") -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: application/fhir+json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def form_bytes(path: str, form: str, *headers: str, host: str = "127.0.0.1") -> bytes:
    """A POST of a form that is encoded already."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/x-www-form-urlencoded"]
    lines += [*headers, f"Content-Length: {len(form)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + form).encode()


class _Connection(asyncio.Protocol):
    """Sends the next request of the shared list as soon as the answer to the last one is whole."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._buffer = b""
        self._missing = -1  # bytes of the body not here yet; -1 while the head is awaited
        self._started = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own classes do not derive from it
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost()

    def data_received(self, data: bytes) -> None:
        if self._missing >= 0:
            self._missing -= len(data)
        else:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            start = head.find(b"content-length:") + len(b"content-length:")
            stop = head.find(b"\r\n", start)
            length = int(head[start : stop if stop >= 0 else None])
            self._missing = length - (len(self._buffer) - end - 4)
            if not head.startswith(b"http/1.1 200"):
                self._run.failures += 1
            self._buffer = b""
        if self._missing == 0:
            self._missing = -1
            self._run.latencies.append(perf_counter() - self._started)
            self._next()

    def _next(self) -> None:
        assert self._transport is not None
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._started = perf_counter()
        self._transport.write(request)


class _Run:
    def __init__(self, requests: Sequence[bytes], count: int, connections: int) -> None:
        self.latencies: list[float] = []
        self.failures = 0
        self._requests = requests
        self._count = count
        self._sent = 0
        self._open = connections
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        if self._sent >= self._count:
            return None
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        return request

    def lost(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.finished.done():
            self.finished.set_result(None)


async def run(host: str, port: int, requests: Sequence[bytes], *, count: int, connections: int) -> Outcome:
    """Send `count` requests, taken from `requests` in turn, over so many connections."""
    state = _Run(requests, count, connections)
    loop = asyncio.get_running_loop()
    started = perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(state), host, port)
    await state.finished
    return Outcome(perf_counter() - started, tuple(state.latencies), state.failures)

"""The same comparison over HTTP: two servers in processes of their own, one of which never had what is denied."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.adversary.comparing import Template
from tests.adversary.oracle import pair
from tests.adversary.pools import pool
from tests.adversary.questions import asks
from tests.adversary.surface import HOST, Answer, Ask, Complaints, Surface
from tests.adversary.worlds import random_world
from tests.live import Live, live

ASKS = 60
# What the HTTP server adds, and what depends on when it is sent.
_OF_THE_WIRE = frozenset({"date", "server", "connection", "transfer-encoding"})


class Wire(Surface):
    """A server spoken to over HTTP, under the name that the servers in this process have."""

    def __init__(self, served: Live) -> None:
        self.complaints = Complaints()
        self._client = httpx.AsyncClient(timeout=60)
        self._url = served.url

    async def ask(self, ask: Ask, token: str = "") -> Answer:
        headers = {"host": HOST, **dict(ask.headers)}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if ask.content and "content-type" not in headers:
            headers["content-type"] = "application/fhir+json"
        answer = await self._client.request(
            ask.method, f"{self._url}{ask.target}", content=ask.content, headers=headers
        )
        told = {name: value for name, value in answer.headers.items() if name not in _OF_THE_WIRE}
        return Answer(answer.status_code, told, answer.content)


@pytest.mark.parametrize("kind", ["the GP", "the neighbour"])
def test_two_processes_answer_alike(kind: str, tmp_path: Path) -> None:
    world = random_world(3, (kind,))
    template = Template(tmp_path, pair(world))
    with ExitStack() as stack:
        full, bare = (
            stack.enter_context(live(tmp_path / name, "--base-policy", world.base_policy)) for name in ("full", "bare")
        )
        answered = asyncio.run(template.compare_live(pool(asks, ASKS, 7), Wire(full), Wire(bare)))
    assert sum(status == 200 for _, status in answered) > ASKS / 4, answered

"""Under random Consents an exact total is the number of resources that paging brings, and of those that are permitted.

What is permitted is worked out without the server, by `oracle`. WIJKDOSSIER_LONG=1 tries some hundreds of worlds.
"""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.adversary.comparing import Side
from tests.adversary.oracle import Oracle
from tests.adversary.surface import Ask, Surface, folder_settings, furnish, running
from tests.adversary.worlds import REQUESTERS, TYPES, World, random_world

WORLDS = 15 if os.environ.get("WIJKDOSSIER_LONG") == "1" else 2
# What the server itself makes in the course of things is in no world.
_OF_THE_SERVER = ("AuditEvent", "Communication", "Provenance")
TYPES_ASKED = tuple(name for name in TYPES if name not in _OF_THE_SERVER)


@pytest.mark.parametrize("kind", REQUESTERS)
@pytest.mark.parametrize("number", range(WORLDS))
def test_totals_are_exact(kind: str, number: int, tmp_path: Path) -> None:
    asyncio.run(exact(random_world(1_000 * number + len(kind), (kind,)), tmp_path / "data"))


async def exact(world: World, folder: Path) -> None:
    oracle = Oracle(world)
    settings = folder_settings(folder, base_policy=world.base_policy)
    furnished = await furnish(settings, world.batches, {"requester": world.terms} if world.terms else {})
    async with running(settings) as surface:
        for name in TYPES_ASKED:
            await _exact(surface, furnished.tokens.get("requester", ""), name, oracle.visible(name))


async def _exact(surface: Surface, token: str, type: str, permitted: set[str]) -> None:
    counted = await surface.ask(Ask("GET", f"/{type}?_summary=count"), token)
    if counted.status in (401, 403):
        assert not permitted, f"{counted.status} for {type}, of which {sorted(permitted)} are permitted"
        return
    ids = sorted(permitted | {"absent"})
    for criteria in ({}, {"_sort": "-_lastUpdated"}, {"_id": ",".join(ids)}):
        found: list[str] = []
        following = f"/{type}?{urlencode({**criteria, '_count': '4', '_total': 'accurate'}, safe=',')}"
        while following:
            page = await surface.ask(Ask("GET", following), token)
            assert page.status == 200, page.body
            found += [entry["resource"]["id"] for entry in page.json.get("entry", ())]
            assert page.json["total"] == counted.json["total"], f"the total of a page of {following}"
            following = Side.next(page)
        assert sorted(found) == sorted(permitted), f"{type} {criteria}"
    assert counted.json["total"] == len(permitted)

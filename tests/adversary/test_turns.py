"""What a patient changes counts on the very next request and on the next page: nothing of before is used again.

WIJKDOSSIER_LONG=1 tries some hundreds of worlds.
"""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.adversary.comparing import TOKENS, Side, Template
from tests.adversary.oracle import Oracle
from tests.adversary.pools import chunks, pool
from tests.adversary.questions import asks, reads
from tests.adversary.surface import Ask, folder_settings, furnish, running
from tests.adversary.turns import Turned, random_turn
from tests.adversary.worlds import REQUESTERS, random_world

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
WORLDS = int(os.environ.get("WIJKDOSSIER_RUNS", "10" if LONG else "1"))
SEED = int(os.environ.get("WIJKDOSSIER_SEED", "0"))
ASKS = 16
PAGED = ("Observation", "Encounter", "RelatedPerson", "List")
# Whom a change can concern.
CONCERNED = tuple(name for name in REQUESTERS if name not in ("nobody", "the operator"))


@pytest.mark.parametrize("kind", CONCERNED)
def test_a_change_counts_on_the_next_request(kind: str) -> None:
    number = SEED + 1_000 * list(REQUESTERS).index(kind)
    before = pool(reads, 6, number)
    for seed, questions in enumerate(chunks(pool(asks, WORLDS * ASKS, number), ASKS), number):
        turned = random_turn(seed, random_world(seed, (kind,)))
        with TemporaryDirectory() as folder:
            # Most of what was kept of before was kept for the same question.
            Template(Path(folder), turned.pair()).check(questions, turned.turn([*before, *questions[: ASKS // 2]]))


@pytest.mark.parametrize("kind", CONCERNED)
def test_a_change_counts_on_the_next_page(kind: str, tmp_path: Path) -> None:
    for number in range(WORLDS):
        seed = SEED + 7_000 + number
        turned = random_turn(seed, random_world(seed, (kind,)))
        asyncio.run(paged(turned, tmp_path / str(number)))


async def paged(turned: Turned, folder: Path) -> None:
    """Read first pages, change something, read on: what comes is permitted now, and nothing that is now is left out."""
    world = turned.before
    assert world.terms is not None
    settings = folder_settings(folder, base_policy=world.base_policy)
    furnished = await furnish(settings, world.batches, {**TOKENS, "requester": world.terms})
    token = furnished.tokens["requester"]
    after = Oracle(turned.after)
    async with running(settings) as surface:
        paging: list[tuple[str, list[str], str]] = []
        for name in PAGED:
            for size in (1, 2, 5):
                page = await surface.ask(Ask("GET", f"/{name}?_count={size}&_total=accurate"), token)
                if page.status == 200 and Side.next(page):
                    paging.append((name, _ids(page.json), Side.next(page)))
        changed = await surface.ask(turned.ask, furnished.tokens[turned.who])
        assert changed.status in (200, 204), changed.body
        for name, seen, following in paging:
            permitted = after.visible(name)
            found: list[str] = []
            while following:
                page = await surface.ask(Ask("GET", following), token)
                if not after.lets_in():
                    assert page.status == 401, f"{page.status} to an app that is let in no longer after {turned.ask}"
                    return
                assert page.status == 200, f"{page.status} {page.body!r} to a next page of {name} after {turned.ask}"
                if "total" in page.json:
                    assert page.json["total"] == len(permitted), f"the total of a page of {name} after {turned.ask}"
                found += _ids(page.json)
                following = Side.next(page)
            assert set(found) <= permitted, f"{name} after {turned.ask}"
            # What changed may have moved to another page.
            lost = permitted - set(found) - set(seen)
            gained = permitted - Oracle(world).visible(name) - {turned.change.place[1]}
            assert lost <= gained | {turned.change.place[1]}, f"{name} after {turned.ask}"


def _ids(bundle: dict[str, object]) -> list[str]:
    entries = bundle.get("entry", ())
    assert isinstance(entries, list | tuple)
    return [entry["resource"]["id"] for entry in entries]

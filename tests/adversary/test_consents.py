"""Non-interference under Consents: whoever asks can't tell a server that holds what is denied from one that never had it.

Each example is a random world: dossiers, Consents of every shape, a requester. What the requester may see is worked out
by `oracle`, without the server. WIJKDOSSIER_LONG=1 tries some hundreds of worlds.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.adversary.comparing import Template
from tests.adversary.oracle import pair
from tests.adversary.pools import chunks, pool
from tests.adversary.questions import asks
from tests.adversary.shrinking import smallest, told
from tests.adversary.surface import Ask
from tests.adversary.test_planted_faults import unfiltered_total
from tests.adversary.worlds import REQUESTERS, World, random_world

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
WORLDS = int(os.environ.get("WIJKDOSSIER_RUNS", "25" if LONG else "2"))
SEED = int(os.environ.get("WIJKDOSSIER_SEED", "0"))
ASKS = 24


def check(world: World, questions: list[Ask]) -> None:
    """Raises AssertionError with the smallest world and the fewest questions that still differ."""
    with TemporaryDirectory() as folder:
        template = Template(Path(folder), pair(world))
        if template.difference(questions) is None:
            return
        fewest = template.fewest(questions)
    small = smallest(world, lambda one: difference(one, fewest) is not None)
    raise AssertionError("\n".join([difference(small, fewest) or "", *map(str, fewest), told(small)]))


def difference(world: World, questions: Sequence[Ask]) -> str | None:
    """What compare says; None also where there is no such world, as its Consents speak of what is not there."""
    with TemporaryDirectory() as folder:
        try:
            template = Template(Path(folder), pair(world))
        except AssertionError:
            return None
        return template.difference(questions)


def test_a_counterexample_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    unfiltered_total(monkeypatch)
    with pytest.raises(AssertionError) as raised:
        check(random_world(1, ("the neighbour",)), [Ask("GET", "/Observation?_summary=count")])
    lines = str(raised.value).splitlines()
    assert "full …" in lines[0]
    assert sum(line.startswith("Ask(") for line in lines[1:]) == 1
    assert len(lines) <= 8, "the question, who asks, and the resource that is counted, perhaps what that needs"


@pytest.mark.parametrize("kind", REQUESTERS)
def test_what_is_denied_makes_no_difference(kind: str) -> None:
    number = SEED + 1_000 * list(REQUESTERS).index(kind)
    for seed, questions in enumerate(chunks(pool(asks, WORLDS * ASKS, number), ASKS), number):
        check(random_world(seed, (kind,)), questions)

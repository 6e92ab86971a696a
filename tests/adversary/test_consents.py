"""Non-interference under Consents: whoever asks can't tell a server that holds what is denied from one that never had it.

Each example is a random world: dossiers, Consents of every shape, a requester. What the requester may see is worked out
by `oracle`, without the server. WIJKDOSSIER_LONG=1 tries some hundreds of worlds.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.adversary.comparing import Template
from tests.adversary.oracle import pair
from tests.adversary.pools import chunks, pool
from tests.adversary.questions import asks
from tests.adversary.surface import Ask
from tests.adversary.worlds import REQUESTERS, World, random_world

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
WORLDS = int(os.environ.get("WIJKDOSSIER_RUNS", "50" if LONG else "2"))
SEED = int(os.environ.get("WIJKDOSSIER_SEED", "0"))
ASKS = 24


def check(world: World, questions: list[Ask]) -> None:
    with TemporaryDirectory() as folder:
        Template(Path(folder), pair(world)).check(questions)


@pytest.mark.parametrize("kind", REQUESTERS)
def test_what_is_denied_makes_no_difference(kind: str) -> None:
    number = SEED + 1_000 * list(REQUESTERS).index(kind)
    for seed, questions in enumerate(chunks(pool(asks, WORLDS * ASKS, number), ASKS), number):
        check(random_world(seed, (kind,)), questions)

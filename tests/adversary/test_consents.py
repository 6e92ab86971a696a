"""Non-interference under Consents: whoever asks can't tell a server that holds what is denied from one that never had it.

Each example is a random world: dossiers, Consents of every shape, a requester. What the requester may see is worked out
by `oracle`, without the server. WIJKDOSSIER_LONG=1 tries some hundreds of worlds.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.adversary.comparing import Template
from tests.adversary.oracle import pair
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
    @settings(
        max_examples=WORLDS,
        deadline=None,
        database=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(st.lists(asks, min_size=ASKS, max_size=ASKS))
    def alike(questions: list[Ask]) -> None:
        check(random_world(SEED + crc32(repr(questions).encode()), (kind,)), questions)

    alike()

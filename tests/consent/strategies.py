"""The random cases of `making` for Hypothesis: many or few, large or small, so that a failure shrinks to a small one.

https://hypothesis.readthedocs.io
"""

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from consent.compile import Rules
from consent.model import AccessRequest, ResourceFacts
from tests.consent import making
from tests.consent.wijk import Wijk

Json = dict[str, Any]
T = TypeVar("T")

INSTANTS = making.INSTANTS
FLAWS = making.FLAWS

_seeds = st.integers(0, 2**32 - 1)


def _made(make: Callable[[Random], T]) -> st.SearchStrategy[T]:
    return _seeds.map(lambda seed: make(Random(seed)))


def _element(name: str) -> st.SearchStrategy[Any]:
    return _made(making.ELEMENTS[name])


ELEMENTS: dict[str, st.SearchStrategy[Any]] = {name: _element(name) for name in making.ELEMENTS}


def provisions(depth: int, flaws: bool) -> st.SearchStrategy[Json]:
    return st.builds(lambda seed, depth: making.tree(Random(seed), depth, flaws), _seeds, st.integers(0, depth))


def consents() -> st.SearchStrategy[list[Json]]:
    """Up to four Consents of patient 1, shrinking to fewer and to plainer ones."""
    return st.builds(_consents, _seeds, st.sampled_from([0, 1, 2, 2, 3, 3, 4]), st.sampled_from([0, 1, 2, 2, 2, 2]))


def _consents(seed: int, count: int, size: int) -> list[Json]:
    randoms = [Random(seed + n) for n in range(count)]
    return [
        making.one_consent(random, n, min(size, random.choice([0, 1, 2, 2, 2]))) for n, random in enumerate(randoms)
    ]


def requests(count: int) -> st.SearchStrategy[list[AccessRequest]]:
    return _seeds.map(lambda seed: [making.request(Random(seed + n)) for n in range(count)])


def resources(count: int) -> st.SearchStrategy[list[ResourceFacts]]:
    return _seeds.map(lambda seed: [making.facts(Random(seed + n)) for n in range(count)])


worlds: st.SearchStrategy[Wijk] = _made(making.world)
chosen_rules: st.SearchStrategy[Rules] = _made(making.deployment)

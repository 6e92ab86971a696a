"""Pools of made-up questions, drawn one by one: a list of many at once is more than Hypothesis makes up without skimping.

https://hypothesis.readthedocs.io/en/latest/reference/api.html
"""

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.adversary.surface import Ask


def pool(strategy: st.SearchStrategy[Ask], size: int, number: int = 0) -> list[Ask]:
    """At most `size` questions, no two alike; the same ones for the same number."""
    found: dict[str, Ask] = {}

    @seed(number)
    @settings(
        max_examples=size,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(strategy)
    def collect(ask: Ask) -> None:
        found.setdefault(repr(ask), ask)

    collect()
    return list(found.values())


def chunks(asks: Sequence[Ask], size: int) -> Iterator[list[Any]]:
    """The questions, so many at a time."""
    for start in range(0, len(asks), size):
        yield list(asks[start : start + size])

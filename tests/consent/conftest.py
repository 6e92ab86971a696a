"""For `make mutation`: the same cases every time, no time spent on making a failure small, and the quick tests first.

https://hypothesis.readthedocs.io/en/latest/reference/api.html#settings
"""

import sys

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

settings.register_profile(
    "mutation",
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tool runs the tests of a mutant in any order and stops at the first that fails."""
    if settings.get_current_profile_name() == "mutation":
        items.sort(key=lambda item: is_hypothesis_test(getattr(item, "obj", None)))


def pytest_sessionstart() -> None:
    """A mutant's process is a copy of one that has run the tests before; what it remembers would hide the mutant."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "consent"]:
        for value in vars(sys.modules[name]).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()

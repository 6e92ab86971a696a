"""A Hypothesis profile for `make mutation`: the same cases every time, and no time spent on making a failure small.

https://hypothesis.readthedocs.io/en/latest/reference/api.html#settings
"""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation",
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

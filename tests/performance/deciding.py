"""The consent engine by itself: a Consent compiled, a resource decided."""

from consent.bind import bind
from consent.compile import compile_consent
from consent.decide import decide_bound
from consent.parse import parse
from tests.consent.test_speed import TWENTY, median_us
from tests.consent.wijk import WIJK, ZONE, observation, policy_of, request, words
from tests.consent.wijk import rules as rules_of
from tests.performance.measure import Row, Scale

COMPILE_TARGET_MS = 2.0
DECIDE_TARGET_US = 5.0
_DECISIONS = 20  # for each Consent that is compiled


def rows(scale: Scale) -> list[Row]:
    chosen = rules_of()
    compiled = median_us(lambda: compile_consent(parse(TWENTY, words(), ZONE), WIJK, chosen), scale.repeats) / 1000
    asked, facts = request(), observation()
    bounds = {"1": bind(policy_of(TWENTY), asked, chosen)}
    decided = median_us(lambda: decide_bound(bounds, asked, facts, chosen), scale.repeats * _DECISIONS)
    return [
        Row(
            "a Consent of 20 provisions, parsed and compiled, median",
            f"≤ {COMPILE_TARGET_MS:g} ms",
            f"{compiled:.2f} ms",
            COMPILE_TARGET_MS / compiled,
        ),
        Row(
            "a decision by a Consent of 20 provisions, median",
            f"≤ {DECIDE_TARGET_US:g} µs",
            f"{decided:.1f} µs",
            DECIDE_TARGET_US / decided,
        ),
    ]

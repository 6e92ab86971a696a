"""What the consent rules may cost: a Consent of 20 provisions compiled in 2 ms, a decision in 5 µs (medians)."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from consent.bind import bind
from consent.compile import compile_consent
from consent.decide import decide_bound
from consent.parse import parse
from tests.consent.wijk import (
    LOINC,
    WIJK,
    ZONE,
    actor,
    concept,
    consent,
    deny,
    observation,
    permit,
    policy_of,
    request,
    resource_type,
    rules,
    sensitivity,
    words,
)

pytestmark = pytest.mark.skipif(
    os.environ.get("WIJKDOSSIER_LONG") != "1", reason="times a machine that does nothing else"
)

TWENTY: dict[str, Any] = consent(
    permit(
        *[
            (deny if number % 2 else permit)(
                class_=[resource_type("Observation")],
                code=[concept(LOINC, f"{number}-1"), concept(LOINC, "85354-9")],
                securityLabel=[sensitivity("HIV")],
            )
            for number in range(19)
        ],
        actor=[actor("Organization/o1")],
        purpose=["TREAT"],
    )
)


def median_us(run: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter_ns()
        run()
        taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1000


def test_a_consent_of_twenty_provisions_compiles_in_two_milliseconds() -> None:
    assert median_us(lambda: compile_consent(parse(TWENTY, words(), ZONE), WIJK, rules()), 200) <= 2000


def test_a_decision_takes_five_microseconds() -> None:
    chosen, asked, facts = rules(), request(), observation()
    bounds = {"1": bind(policy_of(TWENTY), asked, chosen)}
    assert median_us(lambda: decide_bound(bounds, asked, facts, chosen), 5000) <= 5

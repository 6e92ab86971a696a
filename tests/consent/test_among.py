"""A predicate asked of many resources at once answers as it does for each."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.among import Among, indexes
from consent.bind import bind
from consent.model import Answer, ResourceFacts
from consent.predicate import EVERYTHING, NOTHING, Certainly, Not, Possibly, Predicate, evaluate
from consent.predicate import Any as AnyOf
from consent.residual import residual
from consent.resource_tests import Coded, OneOf
from tests.consent.strategies import chosen_rules, consents, requests, resources, worlds
from tests.consent.wijk import LOINC, observation, policy_of


@given(mine=consents(), asked=requests(4), about=resources(7), world=worlds, chosen=chosen_rules)
@settings(max_examples=80, deadline=None)
def test_many_at_once_are_answered_as_each_alone(
    mine: list[Any], asked: list[Any], about: list[ResourceFacts], world: Any, chosen: Any
) -> None:
    policy = policy_of(*mine, chosen=chosen, world=world)
    among = Among(about)
    for one in asked:
        predicate = residual(bind(policy, one, chosen))
        each = [evaluate(predicate, facts) for facts in about]
        assert indexes(among.holds(predicate)) == [at for at, holds in enumerate(each) if holds]
        assert indexes(among.holds(Not(predicate))) == [at for at, holds in enumerate(each) if not holds]


SEVERAL = [
    observation(id="a"),
    observation(id="b", codes=frozenset(), codes_unclear=True),
    observation(id="c", codes=frozenset()),
]
CODED = Coded(frozenset({(LOINC, "85354-9")}), contained=False)


@pytest.mark.parametrize(
    "predicate, bits",
    [
        (EVERYTHING, 0b111),
        (NOTHING, 0b000),
        (Certainly(CODED), 0b001),
        (Possibly(CODED), 0b011),
        (Not(Certainly(CODED)), 0b110),
        (Not(Possibly(CODED)), 0b100),
        (AnyOf((Certainly(CODED), Certainly(OneOf(frozenset({"Observation/c"}))))), 0b101),
    ],
)
def test_the_first_resource_is_the_lowest_bit(predicate: Predicate, bits: int) -> None:
    assert Among(SEVERAL).holds(predicate) == bits
    assert Among([]).holds(predicate) == 0


def test_each_resource_is_asked_once() -> None:
    asked: list[str] = []

    class Counted(Coded):
        def ask(self, facts: ResourceFacts) -> Answer:
            asked.append(facts.id)
            return super().ask(facts)

    among = Among(SEVERAL)
    test = Counted(CODED.codes, contained=False)
    for predicate in (Certainly(test), Possibly(test), Not(Certainly(test))):
        among.holds(predicate)
    assert asked == ["a", "b", "c"]


@given(st.sets(st.integers(0, 200)))
def test_bits_are_places(places: set[int]) -> None:
    assert indexes(sum(1 << place for place in places)) == sorted(places)

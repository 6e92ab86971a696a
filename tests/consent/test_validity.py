"""Section 8 of the consent rules: a decision says until when it holds, and asking twice changes nothing."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.bind import bind
from consent.compile import compile_policy
from consent.decide import decide
from consent.model import FOREVER, Emergency
from tests.consent.strategies import INSTANTS, consents, requests, resources
from tests.consent.wijk import GP, NOW, actor, at, consent, decision, deny, permit, policy_of, request, rules


def test_the_end_of_a_period_is_the_next_change() -> None:
    yes = consent(permit(actor=[actor("Practitioner/p1")], period={"start": "2026-01-01", "end": "2026-12-31"}))
    assert decision(yes).valid_until == at("2027-01-01T00:00:00")
    assert decision(yes, asked=request(instant=at("2025-06-01T00:00:00"))).valid_until == at("2026-01-01T00:00:00")
    assert decision(yes, asked=request(instant=at("2027-01-01T00:00:00"))).valid_until == FOREVER


def test_a_provision_of_somebody_else_changes_too() -> None:
    no = consent(deny(actor=[actor("RelatedPerson/x1")], period={"end": "2026-11-30"}))
    assert decision(no).valid_until == at("2026-12-01T00:00:00")


def test_a_membership_or_a_relation_that_ends_is_a_change() -> None:
    assert decision(asked=request(replace(GP, valid_until=NOW + 1))).valid_until == NOW + 1
    assert decision(asked=replace(request(), valid_until=NOW + 2)).valid_until == NOW + 2
    assert decision().valid_until == FOREVER


@given(mine=consents(), asked=requests(4), about=resources(4), later=st.sampled_from(INSTANTS))
@settings(max_examples=60, deadline=None)
def test_nothing_changes_before_valid_until(mine: list[Any], asked: Any, about: Any, later: int) -> None:
    chosen = rules()
    policy = policy_of(*mine)
    policies = {"1": policy, "2": compile_policy("2", ())}
    for one in asked:
        for facts in about:
            now = decide(one, facts, policies, chosen)
            moments = (
                {later, one.instant + 1, now.valid_until - 1} if now.valid_until < FOREVER else {later, one.instant + 1}
            )
            for moment in moments:
                if one.instant <= moment < now.valid_until:
                    assert decide(replace(one, instant=moment), facts, policies, chosen).effect is now.effect


@given(mine=consents(), asked=requests(2), about=resources(6))
@settings(max_examples=40, deadline=None)
def test_a_bound_policy_forgets_nothing_and_mixes_nothing_up(mine: list[Any], asked: Any, about: Any) -> None:
    policy = policy_of(*mine)
    for one in asked:
        bound = bind(policy, one, rules())
        first = [bound.decide(facts) for facts in about]
        again = [bound.decide(facts) for facts in reversed(about)]
        assert first == list(reversed(again))
        assert first == [bind(policy, one, rules()).decide(facts) for facts in about]


def test_only_what_is_to_come_is_a_change() -> None:
    open_ended = consent(permit(period={"start": "2026-01-01"}), id="a"), consent(deny(period={"end": "2027"}), id="b")
    unreadable = consent(deny(period={"start": "morgen"}), id="c")
    assert policy_of(*open_ended, unreadable).changes == (at("2026-01-01T00:00:00"), at("2028-01-01T00:00:00"))
    just_opened = Emergency(allowed=True, reason="val", opened=NOW, closes=NOW + 1)
    for instant, until in ((NOW - 1, NOW), (NOW, NOW + 1), (NOW + 1, FOREVER)):
        asked = request(purpose="BTG", emergency=just_opened, instant=instant)
        assert decision(asked=asked).valid_until == until

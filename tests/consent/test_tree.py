"""Section 3 of the consent rules: one Consent, and the tree of its provisions."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.model import Effect, Fate
from tests.consent.strategies import ELEMENTS, provisions, requests, resources
from tests.consent.wijk import (
    COLLEAGUE,
    LOINC,
    NEIGHBOUR,
    actor,
    allowed,
    concept,
    confidentiality,
    consent,
    decision,
    deny,
    observation,
    permit,
    provision,
    request,
    resource_type,
    rules,
)

Json = dict[str, Any]
OPEN = rules(base=Effect.PERMIT)
GP, NURSE = actor("Practitioner/p1"), actor("Practitioner/p2")
OBSERVATIONS, TASKS = [resource_type("Observation")], [resource_type("Task")]


def narrowed(draw: st.DrawFn) -> Json:
    return {name: draw(ELEMENTS[name]) for name in draw(st.sets(st.sampled_from(sorted(ELEMENTS)), max_size=3))}


conditions = st.composite(narrowed)()
bases = st.sampled_from([rules(), OPEN])


@given(
    kind=st.sampled_from(["permit", "deny"]),
    above=conditions,
    own=conditions,
    asked=requests(3),
    about=resources(3),
    chosen=bases,
)
@settings(max_examples=80, deadline=None)
def test_child_restates_replaces(kind: str, above: Json, own: Json, asked: Any, about: Any, chosen: Any) -> None:
    """A child of a root that says nothing itself is as good as one provision with its elements over the root's."""
    child = consent({"provision": [{"type": kind} | own]} | above)
    alone = consent({"type": kind} | above | own)
    for one in asked:
        for facts in about:
            assert allowed(child, asked=one, facts=facts, chosen=chosen) == allowed(
                alone, asked=one, facts=facts, chosen=chosen
            )


def test_a_child_that_restates_the_class_is_not_about_its_parents() -> None:
    tree = permit(permit(class_=OBSERVATIONS), class_=TASKS, actor=[GP])
    assert allowed(consent(tree))
    assert not allowed(consent(permit(permit(class_=OBSERVATIONS), class_=TASKS, actor=[NURSE])))


def test_child_inherits_what_it_does_not_restate() -> None:
    tree = consent(
        permit(deny(class_=OBSERVATIONS), purpose=["TREAT"]),
    )
    assert not allowed(tree)
    assert allowed(tree, asked=request(purpose="HPAYMT"), chosen=OPEN)


def test_a_restated_actor_replaces_every_kind_of_actor() -> None:
    tree = permit(permit(actor=[GP]), actor=[NURSE, actor("Organization/o8", "CST")])
    assert allowed(consent(tree))


@given(
    tree=provisions(1, flaws=False),
    expired=provisions(1, flaws=False),
    asked=requests(3),
    about=resources(3),
    chosen=bases,
)
@settings(max_examples=80, deadline=None)
def test_expired_child_says_nothing(tree: Json, expired: Json, asked: Any, about: Any, chosen: Any) -> None:
    # Nothing below it restates the period, so all of the branch is over.
    over = without_period(expired) | {"period": {"end": "2025-12-31"}}
    with_child = consent(tree | {"provision": [*tree.get("provision", []), over]})
    for one in asked:
        for facts in about:
            assert allowed(with_child, asked=one, facts=facts, chosen=chosen) == allowed(
                consent(tree), asked=one, facts=facts, chosen=chosen
            )


def without_period(tree: Json) -> Json:
    rest = {name: value for name, value in tree.items() if name != "period"}
    return rest | ({"provision": [without_period(child) for child in tree["provision"]]} if "provision" in tree else {})


def test_an_expired_exception_gives_the_word_back_to_its_parent() -> None:
    expired = {"end": "2025-12-31"}
    assert allowed(consent(permit(deny(period=expired), actor=[GP])))
    assert not allowed(consent(deny(permit(period=expired), actor=[GP])), chosen=OPEN)


def test_child_inherits_the_period_of_its_parent() -> None:
    tree = deny(permit(actor=[GP]), period={"end": "2025-12-31"})
    assert not allowed(consent(tree))


@pytest.mark.parametrize("parent, child_matches", [("permit", False), ("deny", True)])
def test_untyped_child_is_the_opposite_of_its_parent(parent: str, child_matches: bool) -> None:
    tree = provision(parent, provision(class_=OBSERVATIONS), actor=[GP])
    assert allowed(consent(tree)) == child_matches
    grandchild = provision(
        parent, provision("", provision(code=[concept(LOINC, "85354-9")]), class_=OBSERVATIONS), actor=[GP]
    )
    assert allowed(consent(grandchild)) != child_matches


def test_untyped_child_of_a_silent_root_is_silent() -> None:
    tree = consent(provision("", provision(actor=[GP])))
    assert not allowed(tree)
    assert allowed(tree, chosen=OPEN)


@pytest.mark.parametrize(
    "policy, base, expected",
    [
        ("OPTIN", Effect.DENY, True),
        ("OPTOUT", Effect.PERMIT, False),
        ("", Effect.DENY, False),
        ("", Effect.PERMIT, True),
    ],
)
def test_root_type_comes_from_the_policy_rule(policy: str, base: Effect, expected: bool) -> None:
    assert allowed(consent(provision(actor=[GP]), policy=policy), chosen=rules(base=base)) == expected
    assert allowed(consent(policy=policy), chosen=rules(base=base)) == expected


def test_an_explicit_root_type_goes_before_the_policy_rule() -> None:
    assert not allowed(consent(deny(), policy="OPTIN"), chosen=OPEN)
    assert allowed(consent(permit(actor=[GP]), policy="OPTOUT"))
    assert not allowed(consent(deny(), policy="EMRGONLY"), asked=request(purpose="ETREAT"), chosen=OPEN)


def test_emrgonly_denies_and_permits_emergency_treatment() -> None:
    for tree in (consent(policy="EMRGONLY"), consent(provision(actor=[GP]), policy="EMRGONLY")):
        assert allowed(tree, asked=request(purpose="ETREAT"))
        assert not allowed(tree, asked=request(purpose="TREAT"), chosen=OPEN)
        assert not allowed(tree, asked=request(purpose="BTG"), chosen=OPEN)


def test_a_silent_root_leaves_the_word_to_its_children() -> None:
    assert allowed(consent(provision("", permit(actor=[GP]))))
    assert not allowed(consent(provision("", deny(actor=[GP]))), chosen=OPEN)


@given(st.lists(st.sampled_from(["permit", "deny"]), min_size=1, max_size=8))
@settings(deadline=None)
def test_deepest_match_wins(kinds: list[str]) -> None:
    tree: Json = {}
    for kind in reversed(kinds):
        tree = provision(kind, *([tree] if tree else []))
    assert allowed(consent(tree | {"actor": [GP]}), chosen=rules()) == (kinds[-1] == "permit")


def test_a_branch_that_does_not_match_has_no_say() -> None:
    no_but = consent(deny(permit(actor=[GP]), permit(actor=[NURSE])))
    assert allowed(no_but)
    assert allowed(no_but, asked=request(COLLEAGUE))
    assert not allowed(no_but, asked=request(NEIGHBOUR), chosen=OPEN)


@given(first=st.sampled_from(["permit", "deny"]), second=st.sampled_from(["permit", "deny"]))
def test_where_branches_disagree_deny_wins(first: str, second: str) -> None:
    tree = permit(provision(first, actor=[GP]), provision(second, class_=OBSERVATIONS))
    assert allowed(consent(tree)) == (first == second == "permit")


def test_the_order_of_branches_does_not_matter() -> None:
    @given(provisions(1, flaws=False), provisions(1, flaws=False))
    @settings(max_examples=60, deadline=None)
    def holds(one: Json, two: Json) -> None:
        assert allowed(consent(deny(one, two))) == allowed(consent(deny(two, one)))

    holds()


def test_a_permit_that_escapes_its_parent_is_legal_and_flagged() -> None:
    tree = consent(permit(permit(class_=OBSERVATIONS), class_=TASKS, actor=[GP]))
    findings = decision(tree).basis[0].findings
    assert [f.escapes for f in findings] == [False, True]
    within = decision(consent(permit(permit(code=[concept(LOINC, "85354-9")]), class_=OBSERVATIONS, actor=[GP])))
    assert [f.escapes for f in within.basis[0].findings] == [False, False]


def test_the_basis_names_the_exception_that_silenced_a_provision() -> None:
    findings = decision(consent(deny(permit(actor=[GP])))).basis[0].findings
    assert [(f.path, f.fate) for f in findings] == [
        ("Consent.provision", Fate.EXCEPTION),
        ("Consent.provision.provision[0]", Fate.STANDS),
    ]
    assert findings[0].by == ("c1", "Consent.provision.provision[0]")


def test_an_inherited_label_keeps_the_direction_in_which_it_was_stated() -> None:
    nobody_but_the_gp = consent(deny(permit(actor=[GP]), securityLabel=[confidentiality("R")]))
    for level, opened in ((3, False), (4, True), (5, True)):
        assert allowed(nobody_but_the_gp, facts=observation(confidentiality=level)) == opened
    not_the_gp = consent(permit(deny(actor=[GP]), securityLabel=[confidentiality("N")]))
    for level, closed in ((2, True), (3, True), (4, False)):
        assert allowed(not_the_gp, facts=observation(confidentiality=level), chosen=OPEN) != closed


def test_a_label_of_a_silent_root_has_the_direction_of_whoever_speaks_first() -> None:
    label = {"securityLabel": [confidentiality("R")]}
    assert allowed(consent(provision("", permit(actor=[GP]), **label)), facts=observation(confidentiality=2))
    nobody_but = consent(provision("", deny(permit(actor=[GP])), **label))
    assert not allowed(nobody_but, facts=observation(confidentiality=2))
    assert allowed(nobody_but, facts=observation(confidentiality=5))


def test_the_basis_names_the_branch_that_said_no() -> None:
    findings = decision(consent(provision("", permit(actor=[GP]), deny(class_=OBSERVATIONS)))).basis[0].findings
    assert [(f.fate, f.by) for f in findings] == [
        (Fate.BRANCHES_DISAGREE, ("c1", "Consent.provision.provision[1]")),
        (Fate.STANDS, None),
    ]


def test_the_basis_names_the_consent_that_overruled() -> None:
    yes, no = consent(permit(actor=[GP]), id="a"), consent(deny(class_=OBSERVATIONS), id="b")
    findings = decision(yes, no).basis[0].findings
    assert [(f.fate, f.by) for f in findings] == [(Fate.OVERRULED, ("b", "Consent.provision")), (Fate.STANDS, None)]


def test_a_restated_label_has_the_direction_of_whoever_restates_it() -> None:
    # No to all from R on; yes to what is at most R, for the GP.
    tree = consent(deny(permit(actor=[GP], securityLabel=[confidentiality("R")]), securityLabel=[confidentiality("R")]))
    for level, opened in ((2, True), (4, True), (5, False)):
        assert allowed(tree, facts=observation(confidentiality=level)) == opened

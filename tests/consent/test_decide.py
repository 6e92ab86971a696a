"""What a Decision is made of: what it cites, whose it is, and how those of several patients come together."""

from dataclasses import replace
from typing import Any

import pytest

from consent.bind import EMERGENCY_OBLIGATIONS, Verdict, bind
from consent.decide import decide, decide_bound, unowned
from consent.findings import findings
from consent.model import (
    FOREVER,
    Action,
    Answer,
    Basis,
    Closure,
    Decision,
    Effect,
    Emergency,
    Fate,
    Finding,
    Rule,
)
from tests.consent.wijk import (
    GP,
    NOW,
    PATIENT,
    actor,
    at,
    consent,
    decision,
    deny,
    observation,
    permit,
    policy_of,
    provision,
    request,
    resource_type,
    rules,
)

Json = dict[str, Any]
P = "Consent.provision"
FOR_THE_GP = permit(actor=[actor("Practitioner/p1")])
WINDOW = Emergency(allowed=True, reason="val van de trap", opened=NOW, closes=NOW + 60_000_000)
OPEN = rules(base=Effect.PERMIT)


def test_a_decision_cites_the_version_of_the_consent_and_where_in_it() -> None:
    yes = consent({"provision": [FOR_THE_GP]}, id="yes") | {"meta": {"versionId": "7"}}
    stands = Finding("yes", "7", f"{P}.provision[0]", Effect.PERMIT, Fate.STANDS)
    assert bind(policy_of(yes), request(), rules()).decide(observation()) == Decision(
        Effect.PERMIT, (Basis("1", Effect.PERMIT, Rule.CONSENT, "nl-gf", (stands,)),)
    )
    (found,) = decision(yes).basis[0].findings
    assert found == replace(stands, elements=(("actor", Answer.YES),))


def test_a_lifted_deny_is_cited_as_lifted() -> None:
    button = request(purpose="BTG", emergency=WINDOW)
    lifted = Finding("no", "1", P, Effect.DENY, Fate.LIFTED)
    assert bind(policy_of(consent(deny(), id="no")), button, rules()).decide(observation()) == Decision(
        Effect.PERMIT,
        (Basis("1", Effect.PERMIT, Rule.EMERGENCY, "nl-gf", (lifted,)),),
        EMERGENCY_OBLIGATIONS,
        WINDOW.closes,
    )


@pytest.mark.parametrize("own", [True, False])
def test_what_rests_on_no_consent_cites_none(own: bool) -> None:
    """The patient's own dossier is theirs, and Consents are nobody else's, whatever the Consents say."""
    bound = bind(policy_of(consent(FOR_THE_GP)), request(PATIENT if own else GP), rules())
    facts = observation(type="Observation" if own else "Consent")
    verdict = bound.verdict(facts)
    effect, rule = (Effect.PERMIT, Rule.OWN) if own else (Effect.DENY, Rule.PERSONAL)
    assert verdict == Verdict(effect, rule, 0, 0, 0)
    assert findings(bound, facts, verdict) == ()
    assert bound.decide(facts) == Decision(effect, (Basis("1", effect, rule, "nl-gf"),))


def test_whoever_needs_no_consent_weighs_none() -> None:
    assert bind(policy_of(consent(FOR_THE_GP)), request(PATIENT), rules()).candidates == ()


def test_asked_twice_it_remembers() -> None:
    bound = bind(policy_of(consent(FOR_THE_GP)), request(), rules())
    assert bound.decide(observation()) is bound.decide(observation(id="b"))
    assert bound.verdict(observation()) is bound.verdict(observation(id="b"))


def test_a_patient_without_a_policy_has_given_no_consent() -> None:
    assert decide(request(), observation(patients=("9",)), {}, rules()) == Decision(
        Effect.DENY, (Basis("9", Effect.DENY, Rule.BASE, "nl-gf"),)
    )


@pytest.mark.parametrize(
    "type, action, base, effect, rule",
    [
        ("Location", Action.ACCESS, Effect.DENY, Effect.PERMIT, Rule.DIRECTORY),
        ("Location", Action.CORRECT, Effect.DENY, Effect.DENY, Rule.DIRECTORY),
        ("Location", Action.CORRECT, Effect.PERMIT, Effect.PERMIT, Rule.DIRECTORY),
        ("Observation", Action.ACCESS, Effect.DENY, Effect.DENY, Rule.NOBODY_KNOWN),
        ("Observation", Action.ACCESS, Effect.PERMIT, Effect.PERMIT, Rule.NOBODY_KNOWN),
        ("Consent", Action.ACCESS, Effect.PERMIT, Effect.DENY, Rule.PERSONAL),
    ],
)
def test_about_nobody_the_type_decides(type: str, action: Action, base: Effect, effect: Effect, rule: Rule) -> None:
    about = observation(type=type, patients=())
    asked, chosen = request(action=action), rules(base=base)
    expected = Decision(effect, (Basis("", effect, rule, "nl-gf"),), frozenset(), FOREVER)
    assert unowned(asked, about, chosen) == expected
    assert decide(asked, about, {}, chosen) == decide_bound({}, asked, about, chosen) == expected


# --- About two patients ------------------------------------------------------------------------------------------

BOTH = observation(patients=("1", "2"))


def of_both(mine: Json | None, theirs: Json | None, asked: Any) -> Decision:
    policies = {
        patient: replace(policy_of(*([] if one is None else [one | {"performer": []}])), patient=patient)
        for patient, one in (("1", mine), ("2", theirs))
    }
    found = decide(asked, BOTH, policies, rules())
    bounds = {patient: bind(policy, asked, rules()) for patient, policy in policies.items()}
    quick = decide_bound(bounds, asked, BOTH, rules())
    assert (quick.effect, quick.obligations, quick.valid_until) == (found.effect, found.obligations, found.valid_until)
    return found


def test_both_have_to_permit() -> None:
    yes, no = consent(FOR_THE_GP), consent(deny())
    assert of_both(yes, yes, request()).permitted
    for one, other in ((yes, None), (None, yes), (yes, no), (no, yes), (None, None)):
        assert not of_both(one, other, request()).permitted


def test_the_basis_tells_of_each_in_turn() -> None:
    found = of_both(consent(FOR_THE_GP), None, request())
    assert [(basis.patient, basis.effect) for basis in found.basis] == [("1", Effect.PERMIT), ("2", Effect.DENY)]


def test_who_uses_the_button_for_one_of_them_has_its_obligations() -> None:
    button = request(purpose="BTG", emergency=WINDOW)
    yes, by_name = consent(permit(actor=[actor("Practitioner/p1")])), consent(deny(purpose=["BTG"]))
    assert of_both(yes, None, button).obligations == EMERGENCY_OBLIGATIONS
    assert of_both(None, None, button).obligations == EMERGENCY_OBLIGATIONS
    assert of_both(yes, yes, button).obligations == frozenset()
    # Where the other's deny stands nothing is opened, and there is nothing to tell.
    refused = of_both(None, by_name, button)
    assert (refused.permitted, refused.obligations) == (False, frozenset())


def test_it_holds_until_the_first_of_them_changes() -> None:
    until = [
        consent(permit(actor=[actor("Practitioner/p1")], period={"end": end})) for end in ("2026-12-31", "2026-11-30")
    ]
    assert of_both(*until, request()).valid_until == at("2026-12-01T00:00:00")
    assert of_both(*reversed(until), request()).valid_until == at("2026-12-01T00:00:00")
    assert of_both(None, None, request()).valid_until == FOREVER


# --- Which findings there are, and who made them lose ------------------------------------------------------------


def fates(*consents: Json, **how: Any) -> list[tuple[str, str, Fate, tuple[str, str] | None]]:
    return [(f.consent, f.path, f.fate, f.by) for f in decision(*consents, **how).basis[0].findings]


def test_a_consent_that_is_not_about_the_request_leaves_the_others_in_the_basis() -> None:
    research = consent(FOR_THE_GP, id="a", scope="research")
    assert fates(research, consent(FOR_THE_GP, id="b")) == [("b", P, Fate.STANDS, None)]


def test_the_scope_is_told_where_it_is_in_doubt() -> None:
    (found,) = decision(consent(FOR_THE_GP, scope="research"), asked=request(purpose="")).basis[0].findings
    assert found.elements == (("scope", Answer.UNKNOWN), ("actor", Answer.YES))
    assert found.fate is Fate.NO_MATCH


def test_whoever_made_a_provision_lose_is_the_first_of_those_that_did() -> None:
    tasks, all_ = deny(class_=[resource_type("Task")]), deny(class_=[resource_type("Observation")])
    # Of the branches that disagree, the one that matches; of several denies, the first that stands.
    tree = provision("", FOR_THE_GP, tasks, all_, all_)
    assert fates(consent(tree, id="a"))[0] == (
        "a",
        f"{P}.provision[0]",
        Fate.BRANCHES_DISAGREE,
        ("a", f"{P}.provision[2]"),
    )
    two = [consent(provision("", FOR_THE_GP, all_), id=name) for name in ("a", "b")]
    assert fates(*two)[0][3] == ("a", f"{P}.provision[1]")
    assert fates(*two)[2][3] == ("b", f"{P}.provision[1]")


def test_only_a_permit_escapes() -> None:
    outside = {"class_": [resource_type("Observation")]}
    tree = permit(deny(**outside), permit(**outside), class_=[resource_type("Task")], actor=[actor("Practitioner/p1")])
    assert [f.escapes for f in decision(consent(tree)).basis[0].findings] == [False, False, False]
    tree = deny(permit(**outside), class_=[resource_type("Task")], actor=[actor("Practitioner/p1")])
    assert [f.escapes for f in decision(consent(tree)).basis[0].findings] == [False, True]
    tree = deny(deny(**outside), class_=[resource_type("Task")], actor=[actor("Practitioner/p1")])
    assert [f.escapes for f in decision(consent(tree)).basis[0].findings] == [False, False]


def test_a_parent_in_doubt_is_a_deny_that_matches_and_nothing_escapes_it() -> None:
    doubtful = observation(codes=frozenset(), codes_unclear=True)
    tree = deny(
        permit(code=[{"coding": [{"system": "urn:x", "code": "x"}]}], actor=[actor("Practitioner/p1")]),
        code=[{"coding": [{"system": "urn:y", "code": "y"}]}],
    )
    assert not decision(consent(tree), facts=doubtful).permitted
    tree = deny(
        permit(actor=[actor("Practitioner/p1")], class_=[resource_type("Observation")]),
        code=[{"coding": [{"system": "urn:y", "code": "y"}]}],
    )
    tree["provision"][0]["code"] = [{"coding": [{"system": "urn:z", "code": "z"}]}]
    inside = observation(codes=frozenset({("urn:z", "z")}), contained_codes_unclear=True)
    assert [f.escapes for f in decision(consent(tree), facts=inside).basis[0].findings] == [False, False]
    assert [
        f.escapes
        for f in decision(consent(tree), facts=replace(inside, contained_codes_unclear=False)).basis[0].findings
    ] == [False, True]


def test_a_permit_in_doubt_does_not_match_so_what_matches_below_it_escapes() -> None:
    tree = permit(
        permit(code=[{"coding": [{"system": "urn:z", "code": "z"}]}]),
        code=[{"coding": [{"system": "urn:y", "code": "y"}]}],
        actor=[actor("Practitioner/p1")],
    )
    for unclear in (True, False):
        facts = observation(codes=frozenset({("urn:z", "z")}), codes_unclear=unclear)
        assert [f.escapes for f in decision(consent(tree), facts=facts).basis[0].findings] == [False, True]


def test_a_closure_names_the_closest_way_to_say_who_it_is() -> None:
    somebody = Closure(
        individuals=frozenset({"Practitioner/p1"}),
        teams=frozenset({"CareTeam/t1", "CareTeam/t2"}),
        organisations=frozenset({"Organization/o1", "Organization/o2"}),
        devices=frozenset({"Device/d1"}),
    )
    assert {getattr(who, "reference", ""): int(level) for who, level in somebody.levels.items()} == {
        "Organization/o1": 2,
        "Organization/o2": 2,
        "CareTeam/t1": 3,
        "CareTeam/t2": 3,
        "Practitioner/p1": 4,
        "Device/d1": 4,
    }
    assert somebody.actors == set(somebody.levels)

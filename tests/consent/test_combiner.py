"""Section 4 of the consent rules: several Consents, brought together by `nl-gf` or `deny-overrides`."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.compile import Combiner, Rules
from consent.model import Effect, Fate
from consent.specificity import beats
from tests.consent.strategies import chosen_rules, consents, requests, resources
from tests.consent.wijk import (
    GP_ROLE,
    LOINC,
    actor,
    allowed,
    concept,
    confidentiality,
    consent,
    data,
    decision,
    deny,
    observation,
    permit,
    request,
    resource_type,
    rules,
)

Json = dict[str, Any]
OPEN = rules(base=Effect.PERMIT)

levels = st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 2), st.integers(0, 2))
# From least to most specific on the user axis; all of them name the GP.
USERS: list[Json] = [
    {},
    {"actor": [actor(GP_ROLE)]},
    {"actor": [actor("Organization/o1")]},
    {"actor": [actor("CareTeam/t1")]},
    {"actor": [actor("Practitioner/p1")]},
]
PARTS: list[Json] = [
    {"class_": [resource_type("Observation")]},
    {"code": [concept(LOINC, "85354-9")]},
    {"dataPeriod": {"start": "2026-11-01", "end": "2026-11-30"}},
    {"actor": [actor("Practitioner/p9", "AUT")]},
    {"data": [data("authoredby", "Practitioner/p9")]},
]


def outcome(yes: Json, no: Json) -> bool:
    """The answer where one Consent permits with the elements `yes` and another denies with `no`."""
    return allowed(consent(permit(**yes), id="yes"), consent(deny(**no), id="no"))


def together(*several: Json) -> Json:
    """The elements of several, their actors side by side."""
    merged: Json = {}
    for each in several:
        for name, value in each.items():
            merged[name] = merged.get(name, []) + value if name == "actor" else value
    return merged


@given(levels)
def test_nothing_beats_what_is_as_specific(level: Any) -> None:
    assert not beats(level, level)


@given(levels, levels)
def test_beating_takes_all_four_axes_and_more_on_one(one: Any, other: Any) -> None:
    assert beats(one, other) == (all(a >= b for a, b in zip(one, other)) and any(a > b for a, b in zip(one, other)))
    assert not (beats(one, other) and beats(other, one))


@pytest.mark.parametrize("elements", [*USERS, *PARTS, together(USERS[4], PARTS[0])], ids=str)
def test_deny_wins_on_equal_specificity(elements: Json) -> None:
    assert allowed(consent(permit(**elements)))
    assert not outcome(elements, elements)


@given(st.integers(0, 4), st.integers(0, 4))
@settings(deadline=None)
def test_the_closer_a_consent_names_the_user_the_more_specific(yes: int, no: int) -> None:
    assert outcome(USERS[yes], USERS[no]) == (yes > no)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: next(iter(part)))
def test_a_part_of_the_records_beats_all_of_them(part: Json) -> None:
    assert outcome(part, {})
    assert not outcome({}, part)
    assert not outcome(part, PARTS[0])
    assert outcome({"data": [data("instance", "Observation/a")]}, part)
    assert not outcome(part, {"data": [data("instance", "Observation/a")]})


def test_a_label_is_a_part_of_the_records() -> None:
    assert outcome({"securityLabel": [confidentiality("N")]}, {})
    assert not outcome({}, {"securityLabel": [confidentiality("N")]})


def test_a_named_holder_beats_a_kind_of_holder_beats_any() -> None:
    gp_wrote = observation(custodians=frozenset({"PractitionerRole/r1"}))
    named, kind, any_ = {"actor": [actor("Organization/o1", "CST")]}, {"actor": [actor(GP_ROLE, "CST")]}, {}

    def answer(yes: Json, no: Json) -> bool:
        return allowed(consent(permit(**yes), id="yes"), consent(deny(**no), id="no"), facts=gp_wrote)

    assert answer(named, kind)
    assert answer(kind, any_)
    assert answer(named, any_)
    assert not answer(kind, named)
    assert not answer(any_, kind)


def test_around_an_encounter_beats_elsewhere() -> None:
    during = observation(references=frozenset({"Encounter/e"}))
    around, one = {"data": [data("related", "Encounter/e")]}, {"data": [data("instance", "Observation/a")]}
    yes, no = consent(permit(**around), id="yes"), consent(deny(**one), id="no")
    assert allowed(yes, no, facts=during)
    assert not allowed(consent(permit(**one), id="yes"), consent(deny(**around), id="no"), facts=during)
    # What depends on an episode is around it as well; a care plan or the encounter's own record is not.
    assert allowed(consent(permit(data=[data("dependents", "Encounter/e")]), id="yes"), no, facts=during)
    plan = observation(references=frozenset({"CarePlan/e"}))
    assert not allowed(consent(permit(data=[data("related", "CarePlan/e")]), id="yes"), no, facts=plan)


def test_around_an_encounter_beats_for_a_purpose() -> None:
    during = observation(references=frozenset({"Encounter/e"}))
    for_treatment = consent(deny(purpose=["TREAT"]), id="no")
    around = {"data": [data("related", "Encounter/e")]}
    assert allowed(consent(permit(**around), id="yes"), for_treatment, facts=during)
    # As much about one resource, but around nothing: a purpose is more context than that.
    assert not allowed(consent(permit(data=[data("instance", "Observation/a")]), id="yes"), for_treatment, facts=during)


def test_a_permit_for_a_purpose_never_outranks_a_plain_no() -> None:
    assert not outcome({"purpose": ["TREAT"]}, {})
    assert not outcome({"purpose": ["TREAT"]} | USERS[4], USERS[4])


def test_a_purpose_makes_a_deny_more_specific() -> None:
    # "Nobody for marketing" stands beside "my GP, for anything".
    assert not allowed(
        consent(permit(**USERS[4]), id="yes"),
        consent(deny(purpose=["HMARKT"]), id="no"),
        asked=request(purpose="HMARKT"),
    )
    assert allowed(consent(permit(**USERS[4]), id="yes"), consent(deny(purpose=["HMARKT"]), id="no"))


def test_more_specific_on_one_axis_and_less_on_another_beats_nothing() -> None:
    assert not outcome(USERS[4], PARTS[0])
    assert not outcome(PARTS[0], USERS[4])
    assert outcome(together(USERS[4], PARTS[0]), USERS[4])


@given(mine=consents(), asked=requests(2), about=resources(3), data_=st.data())
@settings(max_examples=40, deadline=None)
def test_order_and_doubles_and_recency_decide_nothing(
    mine: list[Json], asked: Any, about: Any, data_: st.DataObject
) -> None:
    shuffled = data_.draw(st.permutations(mine))
    again = [each | {"id": f"{each['id']}-again", "dateTime": "2099-01-01"} for each in mine]
    for one in asked:
        for facts in about:
            expected = allowed(*mine, asked=one, facts=facts)
            assert allowed(*shuffled, asked=one, facts=facts) == expected
            assert allowed(*mine, *again, asked=one, facts=facts) == expected


@given(mine=consents(), asked=requests(2), about=resources(3))
@settings(max_examples=40, deadline=None)
def test_a_deny_for_everybody_and_everything_beats_nothing_and_closes_what_is_not_named(
    mine: list[Json], asked: Any, about: Any
) -> None:
    """Adding a plain no can only take away."""
    for one in asked:
        for facts in about:
            if allowed(*mine, consent(deny(), id="no"), asked=one, facts=facts, chosen=OPEN):
                assert allowed(*mine, asked=one, facts=facts, chosen=OPEN)


def test_deny_overrides_lets_no_permit_beat_a_deny() -> None:
    strict = rules(combiner=Combiner.DENY_OVERRIDES)
    pair = consent(permit(**USERS[4]), id="yes"), consent(deny(), id="no")
    assert allowed(*pair)
    found = decision(*pair, chosen=strict)
    assert not found.permitted
    assert found.basis[0].combiner == "deny-overrides"
    assert decision(*pair).basis[0].combiner == "nl-gf"


def test_the_basis_says_who_beat_whom() -> None:
    findings = decision(consent(permit(**USERS[4]), id="yes"), consent(deny(), id="no")).basis[0].findings
    assert {(f.consent, f.fate, f.by) for f in findings} == {
        ("yes", Fate.STANDS, None),
        ("no", Fate.BEATEN, ("yes", "Consent.provision")),
    }


def test_each_winning_provision_of_a_consent_is_an_outcome() -> None:
    # One Consent with two denies: the permit beats the plain one, not the one about this observation.
    two = consent(
        {"provision": [deny(), deny(class_=[resource_type("Observation")], code=[concept(LOINC, "85354-9")])]}, id="no"
    )
    assert not allowed(consent(permit(**USERS[4]), id="yes"), two)
    assert allowed(consent(permit(**together(USERS[4], PARTS[1])), id="yes"), two)


def test_mixed_kinds_count_as_the_least_for_a_permit_and_the_most_for_a_deny() -> None:
    mixed = {"data": [data("instance", "Observation/a"), data("authoredby", "Practitioner/p9")]}
    one, part = {"data": [data("instance", "Observation/a")]}, PARTS[0]
    assert not outcome(mixed, part)
    assert not outcome(part, mixed)
    assert not outcome(mixed, one)


CST, KIND = actor("Organization/o1", "CST"), actor(GP_ROLE, "CST")
KEPT_BY_GP = observation(
    custodians=frozenset({"PractitionerRole/r1"}), references=frozenset({"Encounter/e", "Observation/b"})
)
AROUND, ONE = data("related", "Encounter/e"), data("instance", "Observation/a")


@pytest.mark.parametrize(
    "yes, no, opened",
    [
        # Holders: named and a kind in one element.
        ({"actor": [CST, KIND]}, {"actor": [KIND]}, False),
        ({"actor": [CST]}, {"actor": [CST, KIND]}, False),
        ({"actor": [CST]}, {"actor": [KIND]}, True),
        # Contexts: around an encounter and elsewhere.
        ({"data": [AROUND, ONE]}, {"purpose": ["TREAT"], "data": [ONE]}, False),
        ({"data": [AROUND]}, {"data": [AROUND, ONE]}, False),
        ({"data": [AROUND]}, {"purpose": ["TREAT"], "data": [ONE]}, True),
        # Resources: one of them and a part of them.
        ({"data": [ONE, data("authoredby", "Practitioner/p9")]}, {"code": [concept(LOINC, "85354-9")]}, False),
        ({"data": [ONE]}, {"data": [ONE, data("authoredby", "Practitioner/p9")]}, False),
        ({"data": [ONE]}, {"data": [data("authoredby", "Practitioner/p9")]}, True),
        # What is not understood: a deny may mean the most specific there is.
        ({"actor": [CST]}, {"actor": [actor("#x", "CST")]}, False),
        ({"data": [AROUND]}, {"data": [{"meaning": "related", "reference": {"display": "die opname"}}]}, False),
        (USERS[4], {"actor": [actor("#x")]}, False),
    ],
    ids=str,
)
def test_on_each_axis_mixed_kinds_count_as_the_least_for_a_permit_and_the_most_for_a_deny(
    yes: Json, no: Json, opened: bool
) -> None:
    both = consent(permit(**yes), id="yes"), consent(deny(**no), id="no")
    assert allowed(both[0], facts=KEPT_BY_GP)
    assert allowed(*both, facts=KEPT_BY_GP) == opened
    assert not allowed(both[1], facts=KEPT_BY_GP, chosen=OPEN)


def test_a_permit_beats_a_deny_of_another_consent_whichever_stands_first_and_never_one_of_its_own() -> None:
    gp, plain = permit(**USERS[4]), deny()
    for names in (("a", "b"), ("b", "a")):
        assert allowed(consent(gp, id=names[0]), consent(plain, id=names[1]))
    assert not allowed(consent({"provision": [gp, plain]}))
    # Two permits as specific as each other both beat it, and so does either alone.
    two = [consent(permit(**USERS[4], **PARTS[0]), id="p"), consent(permit(**USERS[4], **PARTS[1]), id="q")]
    assert allowed(*two, consent(plain, id="no"))
    assert all(allowed(one, consent(plain, id="no")) for one in two)
    elsewhere = observation(codes=frozenset({(LOINC, "1-8")}))
    assert allowed(*two, consent(plain, id="no"), facts=elsewhere)
    assert not allowed(two[1], consent(plain, id="no"), facts=elsewhere)


@given(mine=consents(), asked=requests(3), about=resources(4), chosen=chosen_rules)
@settings(max_examples=60, deadline=None)
def test_beaten_is_beaten_by_a_permit_that_matches(mine: list[Json], asked: Any, about: Any, chosen: Rules) -> None:
    """Each deny that is beaten names a permit of another Consent that has a say, and under the other combiner none is."""
    for one in asked:
        for facts in about:
            for basis in decision(*mine, asked=one, facts=facts, chosen=chosen).basis:
                by_name = {(f.consent, f.path): f for f in basis.findings}
                for beaten in (f for f in basis.findings if f.fate is Fate.BEATEN):
                    assert chosen.combiner is Combiner.NL_GF
                    assert beaten.effect is Effect.DENY
                    assert beaten.by is not None
                    winner = by_name[beaten.by]
                    assert winner.consent != beaten.consent
                    assert winner.effect is Effect.PERMIT
                    assert winner.fate in (Fate.STANDS, Fate.OVERRULED)


def test_a_permit_that_its_own_consent_silences_beats_nobody() -> None:
    # Where branches disagree deny wins: this Consent permits nothing, though another beats its deny.
    silenced = consent({"provision": [permit(**USERS[4]), deny()]}, id="a")
    organisation, team = consent(permit(**USERS[2]), id="b"), consent(deny(**USERS[3]), id="c")
    assert allowed(silenced, organisation)
    assert not allowed(silenced, organisation, team)
    assert allowed(consent(permit(**USERS[4]), id="a"), organisation, team)


def test_only_a_permit_that_matches_and_is_more_specific_beats() -> None:
    tasks = {"class_": [resource_type("Task")]}
    role, plain = consent(permit(**USERS[1]), id="a"), consent(deny(), id="z")
    # One of two that are specific enough matches, whichever it is.
    both = [consent(permit(**USERS[4]), id="b"), consent(permit(**USERS[4], **tasks), id="c")]
    assert allowed(*both, plain)
    assert allowed(*[one | {"id": name} for one, name in zip(both, "cb")], plain)
    # The one that is specific enough does not match, and the one that matches is not.
    assert not allowed(role, both[1], consent(deny(**USERS[2]), id="z"))

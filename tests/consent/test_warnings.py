"""Sections 3 and 4 of the consent rules: what a writer of a Consent is told of exceptions and conflicts."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings

from consent.decide import decide
from consent.model import Actor, Answer, Effect, Party
from consent.parse import parse
from consent.warnings import Conflict, conflicts, escapes
from tests.consent.strategies import consents, requests, resources
from tests.consent.wijk import (
    GP_PRACTICE,
    GP_ROLE,
    LOINC,
    WIJK,
    ZONE,
    Wijk,
    actor,
    coding,
    concept,
    confidentiality,
    consent,
    data,
    deny,
    permit,
    policy_of,
    resource_type,
    rules,
    sensitivity,
    words,
)

Json = dict[str, Any]
P = "Consent.provision"
GP = [actor("Practitioner/p1")]


def escaping(root: Json) -> tuple[str, ...]:
    return escapes(parse(consent(root), words(), ZONE), words())


def between(yes: Json, no: Json) -> list[Effect]:
    """Who wins in each conflict between a Consent that permits and one that denies."""
    records = [
        parse(consent(root, id=name), words(), ZONE) for name, root in (("yes", permit(**yes)), ("no", deny(**no)))
    ]
    there = conflicts(records[0], records[1:], WIJK, words())
    back = conflicts(records[1], records[:1], WIJK, words())
    assert [c.wins for c in there] == [c.wins for c in back]
    return [c.wins for c in there]


@pytest.mark.parametrize(
    "parent, child, escaped",
    [
        ({"class_": [resource_type("Task")]}, {"class_": [resource_type("Observation")]}, True),
        ({"class_": [resource_type("Task"), resource_type("Goal")]}, {"class_": [resource_type("Task")]}, False),
        ({}, {"class_": [resource_type("Observation")]}, False),
        ({"purpose": ["TREAT"]}, {"purpose": ["COC"]}, False),
        ({"purpose": ["COC"]}, {"purpose": ["TREAT"]}, True),
        ({"period": {"end": "2026"}}, {"period": {"end": "2025"}}, False),
        ({"period": {"end": "2026"}}, {"period": {"start": "2025"}}, True),
        ({"actor": GP}, {"actor": [actor(GP_ROLE)]}, True),
        ({"data": [data("instance", "Task/1")]}, {"data": [data("instance", "Task/2")]}, True),
        ({"securityLabel": [confidentiality("N")]}, {"securityLabel": [confidentiality("V")]}, True),
    ],
)
def test_a_permit_that_restates_more_than_its_parent_escapes(parent: Json, child: Json, escaped: bool) -> None:
    assert escaping(deny(permit(**child), **parent)) == ((f"{P}.provision[0]",) if escaped else ())
    assert escaping(deny(deny(**child), **parent)) == ()


ONE, TWO = actor("Practitioner/p1"), actor("Practitioner/p2")
KEEPER, OTHER_KEEPER = actor("Organization/o1", "CST"), actor("Organization/o9", "CST")
AUTHOR, OTHER_AUTHOR = actor("Organization/o1", "AUT"), actor("Organization/o9", "AUT")
NARROW_AND_WIDE: list[tuple[Json, Json]] = [
    ({"period": {"start": "2026-02", "end": "2026-03"}}, {"period": {"start": "2026"}}),
    ({"period": {"end": "2026"}}, {"period": {"end": "2027"}}),
    ({"dataPeriod": {"start": "2026-02", "end": "2026-03"}}, {"dataPeriod": {"start": "2026"}}),
    ({"actor": [ONE]}, {"actor": [ONE, TWO]}),
    ({"actor": [KEEPER]}, {"actor": [KEEPER, OTHER_KEEPER]}),
    ({"actor": [AUTHOR]}, {"actor": [AUTHOR, OTHER_AUTHOR]}),
    ({"actor": [ONE, KEEPER]}, {"actor": [KEEPER]}),
    ({"action": ["access"]}, {"action": ["access", "correct"]}),
    ({"class_": [resource_type("Task")]}, {"class_": [resource_type("Task"), resource_type("Goal")]}),
    ({"code": [concept(LOINC, "1-8")]}, {"code": [concept(LOINC, "1-8"), concept(LOINC, "2-8")]}),
    ({"data": [data("instance", "Task/1")]}, {"data": [data("instance", "Task/1"), data("instance", "Task/2")]}),
    ({"purpose": ["COC"]}, {"purpose": ["TREAT", "HRESCH"]}),
]


@pytest.mark.parametrize("narrow, wide", NARROW_AND_WIDE, ids=str)
def test_an_element_that_is_restated_as_much_or_narrower_does_not_escape(narrow: Json, wide: Json) -> None:
    below = (f"{P}.provision[0]",)
    assert escaping(deny(permit(**narrow), **wide)) == ()
    assert escaping(deny(permit(**wide), **narrow)) == below
    assert escaping(deny(permit(**narrow), **narrow)) == ()
    assert escaping(deny(permit(**wide), **wide)) == ()
    assert escaping(deny(permit(**narrow))) == ()


def test_a_label_that_is_restated_otherwise_escapes() -> None:
    low, high = {"securityLabel": [confidentiality("L")]}, {"securityLabel": [confidentiality("R")]}
    assert escaping(deny(permit(**low), **low)) == ()
    assert escaping(deny(permit(**low))) == ()
    assert escaping(permit(permit(**low), **high)) == (f"{P}.provision[0]",)


@given(mine=consents(), asked=requests(4), about=resources(6))
@settings(max_examples=60, deadline=None)
def test_whatever_escapes_in_a_decision_was_flagged_when_written(mine: list[Json], asked: Any, about: Any) -> None:
    flagged = {(each["id"], path) for each in mine for path in escapes(parse(each, words(), ZONE), words())}
    policies = {"1": policy_of(*mine)}
    for one in asked:
        for facts in about:
            for finding in decide(one, facts, policies, rules()).basis[0].findings if facts.patients == ("1",) else ():
                missing = any(answer is Answer.UNKNOWN for _, answer in finding.elements)
                assert not finding.escapes or missing or (finding.consent, finding.path) in flagged


@pytest.mark.parametrize(
    "yes, no",
    [
        ({"actor": GP}, {"actor": GP}),
        ({"actor": GP}, {"actor": [actor("Organization/o1")]}),
        ({"actor": [actor(GP_ROLE)]}, {"actor": GP}),
        ({"actor": [actor("CareTeam/t1")]}, {"actor": GP}),
        ({"purpose": ["TREAT"]}, {"purpose": ["COC"]}),
        ({"securityLabel": [confidentiality("R")]}, {"securityLabel": [sensitivity("HIV")]}),
        ({"action": ["access"]}, {"action": ["use"]}),
        ({"class_": [resource_type("DocumentReference")]}, {"class_": [{"system": LOINC, "code": "34133-9"}]}),
        ({"data": [data("related", "Encounter/1")]}, {"data": [data("instance", "Observation/1")]}),
        ({}, {}),
        # Said by one of them only.
        ({"period": {"end": "2025"}}, {}),
        ({"dataPeriod": {"end": "2025"}}, {}),
        ({"actor": [KEEPER]}, {}),
        ({"actor": [AUTHOR]}, {}),
        ({"actor": [KEEPER]}, {"actor": [AUTHOR]}),
        ({"action": ["access"]}, {}),
        ({"action": ["correct"]}, {}),
        ({"action": ["correct"]}, {"action": ["access", "correct"]}),
        ({"purpose": ["HMARKT"]}, {}),
        ({"purpose": ["BTG"]}, {"purpose": ["ETREAT"]}),
        ({"purpose": ["BTG"]}, {"purpose": ["HMARKT", "BTG"]}),
        ({"securityLabel": [sensitivity("HIV")]}, {}),
        ({"class_": [resource_type("Task")]}, {}),
        ({"code": [concept(LOINC, "1-8")]}, {}),
        ({"data": [data("instance", "Task/1")]}, {}),
        # Somebody of the one is somebody of the other; nobody knows who all the GPs are.
        ({"actor": [AUTHOR]}, {"actor": [actor("Practitioner/p1", "AUT")]}),
        ({"actor": [actor(GP_PRACTICE, "CST")]}, {"actor": [actor("Practitioner/p9", "CST")]}),
        ({"actor": [actor("Group/g1")]}, {"actor": [actor("Practitioner/p9")]}),
        ({"period": {"end": "2026-06-30"}}, {"period": {"start": "2026-06-30"}}),
        ({"class_": [{"system": LOINC, "code": "1-8"}]}, {"class_": [{"system": LOINC, "code": "2-8"}]}),
        ({"securityLabel": [confidentiality("R")]}, {"securityLabel": [confidentiality("N")]}),
    ],
)
def test_opposite_provisions_that_can_meet_conflict(yes: Json, no: Json) -> None:
    assert len(between(yes, no)) == 1


@pytest.mark.parametrize(
    "yes, no",
    [
        ({"actor": GP}, {"actor": [actor("Practitioner/p2")]}),
        ({"purpose": ["TREAT"]}, {"purpose": ["HMARKT"]}),
        ({"period": {"end": "2025"}}, {"period": {"start": "2026"}}),
        ({"dataPeriod": {"end": "2025"}}, {"period": {"start": "2026"}, "dataPeriod": {"start": "2026"}}),
        ({"securityLabel": [sensitivity("HIV")]}, {"securityLabel": [sensitivity("PSY")]}),
        ({"action": ["access"]}, {"action": ["correct"]}),
        ({"class_": [resource_type("Task")]}, {"class_": [resource_type("Goal")]}),
        ({"code": [concept(LOINC, "1-8")]}, {"code": [concept(LOINC, "2-8")]}),
        ({"data": [data("instance", "Task/1")]}, {"data": [data("instance", "Task/2")]}),
        ({"purpose": ["ETREAT"]}, {"purpose": ["BTG"]}),
        ({"purpose": ["BTG"]}, {"purpose": ["TREAT"]}),
        ({"actor": [KEEPER]}, {"actor": [OTHER_KEEPER]}),
        ({"actor": [AUTHOR]}, {"actor": [OTHER_AUTHOR]}),
        ({"period": {"end": "2026-06-30"}}, {"period": {"start": "2026-07-01"}}),
        ({"action": ["collect"]}, {"action": ["correct", "access"]}),
        ({"securityLabel": [{"system": "urn:x", "code": "R"}]}, {"securityLabel": [sensitivity("HIV")]}),
        ({"securityLabel": [sensitivity("HIV")]}, {"securityLabel": [coding("v3-Confidentiality", "PSY")]}),
    ],
)
def test_provisions_that_cannot_meet_do_not_conflict(yes: Json, no: Json) -> None:
    assert between(yes, no) == []


@given(mine=consents(), asked=requests(4), about=resources(6))
@settings(max_examples=80, deadline=None)
def test_whatever_meets_in_a_decision_was_warned_about_when_written(mine: list[Json], asked: Any, about: Any) -> None:
    records = {each["id"]: parse(each, words(), ZONE) for each in mine}
    warned = {
        frozenset({(name, found.path), (found.other, found.other_path)})
        for name, record in records.items()
        for found in conflicts(record, records.values(), WIJK, words())
    }
    policies = {"1": policy_of(*mine)}
    for one, facts in product(asked, about):
        for basis in decide(one, facts, policies, rules()).basis if facts.patients == ("1",) else ():
            sure = [f for f in basis.findings if all(answer is Answer.YES for _, answer in f.elements)]
            for yes, no in product(sure, sure):
                if (yes.effect, no.effect) == (Effect.PERMIT, Effect.DENY) and yes.consent != no.consent:
                    assert records[yes.consent].scope is not records[no.consent].scope or (
                        frozenset({(yes.consent, yes.path), (no.consent, no.path)}) in warned
                    )


@pytest.mark.parametrize(
    "yes, no, wins",
    [
        ({"actor": [ONE]}, {"actor": [actor("CareTeam/t1")]}, Effect.PERMIT),
        ({"actor": [actor("CareTeam/t1")]}, {"actor": [actor("Organization/o1")]}, Effect.PERMIT),
        ({"actor": [actor("CareTeam/t1")]}, {"actor": [ONE]}, Effect.DENY),
        ({"actor": [actor("Group/g1")]}, {"actor": [actor(GP_ROLE)]}, Effect.PERMIT),
        ({"actor": [actor("Organization/o1")]}, {"actor": [actor(GP_ROLE)]}, Effect.PERMIT),
        ({"actor": [actor("Organization/o1")]}, {"actor": [ONE]}, Effect.DENY),
        ({"actor": [actor(GP_ROLE)]}, {}, Effect.PERMIT),
        ({"actor": [ONE]}, {"actor": [ONE, actor(GP_ROLE)]}, Effect.DENY),
        ({"actor": [actor("Organization/o1")]}, {"actor": [actor("Organization/o1"), actor(GP_ROLE)]}, Effect.DENY),
        ({"actor": [actor("CareTeam/t1")]}, {"actor": [actor("Organization/o1"), actor(GP_ROLE)]}, Effect.PERMIT),
        ({"actor": [KEEPER]}, {"actor": [KEEPER, actor(GP_ROLE, "CST")]}, Effect.DENY),
        ({"actor": [KEEPER]}, {"actor": [actor(GP_ROLE, "CST")]}, Effect.PERMIT),
        ({"data": [data("related", "Encounter/1")]}, {"purpose": ["TREAT"]}, Effect.PERMIT),
        ({"data": [data("instance", "Task/1")]}, {"purpose": ["TREAT"]}, Effect.DENY),
        (
            {"data": [data("related", "Encounter/1")]},
            {"data": [data("related", "Encounter/1"), data("instance", "Task/1")]},
            Effect.DENY,
        ),
        (
            {"data": [data("instance", "Task/1")]},
            {"data": [data("instance", "Task/1"), data("authoredby", "Practitioner/p1")]},
            Effect.DENY,
        ),
    ],
    ids=str,
)
def test_where_they_meet_the_more_specific_wins(yes: Json, no: Json, wins: Effect) -> None:
    assert between(yes, no) == [wins]


def test_whoever_may_be_the_other_conflicts() -> None:
    class Unknown(Wijk):
        def within(self, actor: Actor) -> frozenset[str] | None:
            return None if actor == Party("Organization/far") else super().within(actor)

    far, near = {"actor": [actor("Organization/far", "CST")]}, {"actor": [actor("Practitioner/p9", "CST")]}
    for yes, no in ((far, near), (near, far)):
        records = [
            parse(consent(root, id=name), words(), ZONE) for name, root in (("y", permit(**yes)), ("n", deny(**no)))
        ]
        assert len(conflicts(records[0], records[1:], Unknown(), words())) == 1
        assert conflicts(records[0], records[1:], WIJK, words()) == ()


def test_nobody_knows_whom_a_deny_means_that_names_nobody() -> None:
    in_words = {"actor": [{"role": concept("v3-ParticipationType", "PRCP"), "reference": {"display": "de buurvrouw"}}]}
    assert between({}, in_words) == [Effect.DENY]


def test_every_pair_of_opposite_provisions_is_looked_at() -> None:
    silent_between = {"provision": [permit(actor=[TWO]), {"actor": [ONE]}, permit(actor=[ONE]), deny(actor=[TWO])]}
    new = parse(consent(silent_between, id="new"), words(), ZONE)
    old = parse(consent({"provision": [{}, permit(actor=[ONE]), deny(actor=[ONE])]}, id="old"), words(), ZONE)
    found = conflicts(new, [old], WIJK, words())
    assert [(c.path, c.other_path, c.wins) for c in found] == [
        (f"{P}.provision[2]", f"{P}.provision[2]", Effect.DENY),
    ]


def test_the_warning_says_who_wins() -> None:
    assert between({"actor": GP}, {}) == [Effect.PERMIT]
    assert between({}, {"actor": GP}) == [Effect.DENY]
    assert between({"actor": GP}, {"actor": GP}) == [Effect.DENY]
    assert between({"actor": [*GP, actor(GP_ROLE)]}, {"actor": [actor("Organization/o1")]}) == [Effect.DENY]


def test_only_active_consents_of_the_same_patient_and_scope_conflict() -> None:
    new = parse(consent(permit(), id="new"), words(), ZONE)
    old = consent(deny(), id="old")
    assert conflicts(new, [parse(old, words(), ZONE)], WIJK, words()) == (Conflict(P, "old", P, Effect.DENY),)
    for change in ({"status": "inactive"}, {"id": "new"}, {"patient": {"reference": "Patient/2"}}):
        assert conflicts(new, [parse(old | change, words(), ZONE)], WIJK, words()) == ()
    clinical = parse(consent(permit(), id="new", scope="treatment"), words(), ZONE)
    assert (
        conflicts(clinical, [parse(consent(deny(), id="old", scope="treatment"), words(), ZONE)], WIJK, words()) == ()
    )

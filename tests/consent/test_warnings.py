"""Sections 3 and 4 of the consent rules: what a writer of a Consent is told of exceptions and conflicts."""

from typing import Any

import pytest
from hypothesis import given, settings

from consent.decide import decide
from consent.model import Answer, Effect
from consent.parse import parse
from consent.warnings import Conflict, conflicts, escapes
from tests.consent.strategies import consents, requests, resources
from tests.consent.wijk import (
    GP_ROLE,
    LOINC,
    WIJK,
    ZONE,
    actor,
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
        ({"actor": [actor("Organization/o1", "CST")]}, {"actor": [actor("Organization/o9", "CST")]}),
    ],
)
def test_provisions_that_cannot_meet_do_not_conflict(yes: Json, no: Json) -> None:
    assert between(yes, no) == []


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

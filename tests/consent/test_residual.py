"""Section 8 of the consent rules: what is left of a policy for a request, and that it says nothing of whose it is."""

from typing import Any

import pytest
from hypothesis import given, settings

from consent import predicate, resource_tests
from consent.bind import bind
from consent.compile import compile_consent, compile_policy
from consent.model import Answer, Closure, Effect
from consent.parse import parse
from consent.predicate import (
    EVERYTHING,
    NOTHING,
    All,
    Certainly,
    Not,
    Possibly,
    all_of,
    any_of,
    evaluate,
    for_type,
    negation,
)
from consent.predicate import Any as AnyOf
from consent.residual import residual
from consent.resource_tests import AnyTest, OfType, OneOf, Personal, Timed, Unclear
from consent.resource_tests import any_of as one_of
from tests.consent.strategies import consents, requests
from tests.consent.wijk import (
    GP,
    PATIENT,
    WIJK,
    ZONE,
    actor,
    consent,
    deny,
    observation,
    permit,
    policy_of,
    request,
    resource_type,
    rules,
)

Json = dict[str, Any]
OF_TASK = Certainly(OfType(frozenset({"Task"})))


def test_the_patients_own_dossier_is_everything() -> None:
    assert residual(bind(policy_of(consent(deny())), request(PATIENT), rules())) == EVERYTHING


def test_where_nothing_can_match_nothing_is_left() -> None:
    plain = bind(policy_of(consent(permit(actor=[actor("Practitioner/p2")]))), request(purpose="HPAYMT"), rules())
    assert residual(bind(policy_of(), request(GP), rules())) == residual(plain)


def test_a_type_that_no_rule_opens_is_nothing() -> None:
    only_tasks = bind(policy_of(consent(permit(class_=[resource_type("Task")]))), request(), rules())
    assert for_type(residual(only_tasks), "Consent") == NOTHING
    assert evaluate(residual(only_tasks), observation(type="Task"))
    assert not evaluate(residual(only_tasks), observation())


@given(mine=consents(), asked=requests(3))
@settings(max_examples=40, deadline=None)
def test_patients_with_the_same_choices_leave_equal_predicates(mine: list[Json], asked: Any) -> None:
    chosen = rules(base=Effect.PERMIT)
    theirs = [
        each | {"id": f"other-{each['id']}", "meta": {"versionId": "9"}, "patient": {"reference": "Patient/2"}}
        for each in mine
    ]
    for each in theirs:
        each["performer"] = [{"reference": p["reference"].replace("Patient/1", "Patient/2")} for p in each["performer"]]
    left = []
    for patient, several in (("1", mine), ("2", theirs)):
        compiled = [compile_consent(parse(each, chosen.vocabulary, ZONE), WIJK, chosen) for each in several]
        policy = compile_policy(patient, compiled)
        left.append([residual(bind(policy, one, chosen)) for one in asked if self_and_treats_alike(one)])
    assert left[0] == left[1]
    assert [hash(p) for p in left[0]] == [hash(p) for p in left[1]]


def self_and_treats_alike(one: Any) -> bool:
    people = one.closure.individuals & {"Patient/1", "Patient/2"}
    return not people and not one.represents and ("1" in one.treats) == ("2" in one.treats)


def test_predicates_are_laid_flat_and_constants_fold() -> None:
    task = OF_TASK
    assert all_of(()) == EVERYTHING
    assert any_of(()) == NOTHING
    assert all_of((task, EVERYTHING, task)) == task
    assert all_of((task, NOTHING)) == NOTHING
    assert any_of((task, EVERYTHING)) == EVERYTHING
    assert any_of((task, NOTHING)) == task
    other = Certainly(OfType(frozenset({"Goal"})))
    assert all_of((all_of((task, other)), task)) == All((task, other))
    assert any_of((any_of((task, other)), task)) == AnyOf((task, other))
    assert negation(negation(task)) == task
    assert negation(EVERYTHING) == NOTHING
    assert negation(NOTHING) == EVERYTHING
    assert for_type(Not(task), "Task") == NOTHING
    assert for_type(Not(task), "Goal") == EVERYTHING


def test_a_type_answers_what_asks_for_it_at_any_depth() -> None:
    goal, task = Certainly(OfType(frozenset({"Goal"}))), OF_TASK
    other = Certainly(OneOf(frozenset({"Task/1"})))
    assert for_type(AnyOf((goal, other)), "Task") == other
    assert for_type(AnyOf((goal, other)), "Goal") == EVERYTHING
    assert for_type(AnyOf((goal, Not(task))), "Task") == NOTHING
    assert for_type(All((AnyOf((task, other)), other)), "Task") == other
    assert for_type(Possibly(OfType(frozenset({"Task"}))), "Task") == EVERYTHING
    assert for_type(Possibly(OfType(frozenset({"Task"}))), "Goal") == NOTHING
    assert for_type(other, "Goal") == other


@pytest.mark.parametrize("type, left", [("Consent", NOTHING), ("AuditEvent", NOTHING), ("Task", EVERYTHING)])
def test_what_is_personal_by_its_type_is_known_by_it(type: str, left: Any) -> None:
    for ask in (Certainly(Personal()), Possibly(Personal())):
        assert for_type(Not(ask), type) == left
        assert for_type(Not(ask), "Provenance") == Not(ask)


def test_equal_predicates_are_one_and_others_are_not() -> None:
    """Searches are joined by them: two that differ must never be taken for one."""
    one, two = OneOf(frozenset({"Task/1"})), OneOf(frozenset({"Task/2"}))
    several = [kind(test) for kind in (Certainly, Possibly) for test in (one, two)]
    several += [All(tuple(several)), AnyOf(tuple(several)), All(()), AnyOf(()), *(Not(each) for each in several)]
    assert len(set(several)) == len(several)
    assert len({hash(each) for each in several}) == len(several)
    assert set(several) == {eval(repr(each), {**vars(predicate), **vars(resource_tests)}) for each in several}


def test_who_has_no_name_has_written_nothing() -> None:
    nobody = Closure(frozenset())
    assert residual(bind(policy_of(), request(nobody), rules())) == NOTHING


def test_a_test_alone_stands_alone() -> None:
    assert one_of((OneOf(frozenset()),)) == OneOf(frozenset())
    assert one_of((Unclear(), Personal())) == AnyTest((Unclear(), Personal()))


@pytest.mark.parametrize(
    "low, high, permit_, deny_",
    [
        (10, 20, Answer.YES, Answer.YES),
        (10, 21, Answer.NO, Answer.YES),
        (9, 20, Answer.NO, Answer.YES),
        (19, 30, Answer.NO, Answer.YES),
        (20, 30, Answer.NO, Answer.NO),
        (0, 11, Answer.NO, Answer.YES),
        (0, 10, Answer.NO, Answer.NO),
    ],
)
def test_a_time_lies_within_another_or_partly(low: int, high: int, permit_: Answer, deny_: Answer) -> None:
    facts = observation(interval=(low, high))
    assert Timed(10, 20, partly=False).ask(facts) is permit_
    assert Timed(10, 20, partly=True).ask(facts) is deny_

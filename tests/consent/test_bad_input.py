"""Consents that nobody should have written: each is refused with the element named, quickly, and opens nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consent.bind import bind
from consent.closure import closure
from consent.compile import compile_consent, compile_policy
from consent.decide import decide
from consent.facts import facts
from consent.model import ConsentRecord, Effect
from consent.parse import NESTING_MAX, PROVISIONS_MAX, parse
from consent.parse_elements import PROBLEMS_MAX, VALUES_MAX
from consent.predicate import evaluate
from consent.proxy import representative
from consent.residual import residual
from consent.treatment import treats
from consent.warnings import escapes
from tests.consent.wijk import (
    COLLEAGUE,
    GP,
    GP_ROLE,
    LOINC,
    NOW,
    WIJK,
    ZONE,
    Wijk,
    actor,
    allowed,
    coding,
    concept,
    confidentiality,
    consent,
    data,
    decision,
    deny,
    observation,
    permit,
    provision,
    request,
    resource_type,
    rules,
    words,
)

Json = dict[str, Any]
OPEN = rules(base=Effect.PERMIT)
P = "Consent.provision"
CPU_SECONDS_MAX = 1.0  # measured: 0.05 at most; a machine that does much else is no reason to fail


@contextmanager
def quickly() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < CPU_SECONDS_MAX


def refused(resource: Json) -> ConsentRecord:
    """The record of a Consent that can't be enforced, and that permits nothing."""
    with quickly():
        record = parse(resource, words(), ZONE)
        compiled = compile_consent(record, WIJK, rules())
    assert compiled.problems
    assert not allowed(resource)
    return record


def names(resource: Json) -> list[str]:
    return [problem.expression for problem in refused(resource).problems]


def nested(depth: int, kind: Callable[[int], str] = lambda level: "permit" if level % 2 else "deny") -> Json:
    """So many provisions inside each other, the outermost of kind 0."""
    tree: Json = {}
    for level in reversed(range(depth)):
        tree = provision(kind(level), *([tree] if tree else []))
    return tree


# --- Too much ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [NESTING_MAX + 2, 200, 5_000])
def test_provisions_nested_too_deep_are_refused_where_it_gets_too_deep(depth: int) -> None:
    (problem,) = refused(consent(nested(depth))).problems
    assert problem.expression == P + ".provision[0]" * NESTING_MAX + ".provision"
    assert problem.diagnostics == f"is nested more than {NESTING_MAX} deep"


def test_provisions_may_be_nested_as_deep_as_the_limit() -> None:
    assert parse(consent(nested(NESTING_MAX + 1)), words(), ZONE).problems == ()
    assert allowed(consent(nested(NESTING_MAX, lambda level: "permit")))


def test_denies_above_what_is_too_deep_stand_and_what_is_below_may_be_one() -> None:
    yes = consent(permit(), id="yes")
    # Everybody else keeps their permit where the deny is about somebody else and does not reach too deep.
    beside = {"type": "deny", "actor": [actor("Practitioner/p2")], "provision": [nested(5)]}
    assert allowed(yes, consent(beside, id="no"))
    beneath = permit(nested(NESTING_MAX + 5), actor=[actor("Practitioner/p2")])
    assert not allowed(yes, consent(beneath, id="no"))


@pytest.mark.parametrize("count", [PROVISIONS_MAX, 10_000, 1_000_000])
def test_too_many_provisions_are_refused(count: int) -> None:
    assert names(consent(deny(*[permit()] * count))) == [P]


def test_provisions_may_be_as_many_as_the_limit() -> None:
    many = deny(*[permit(actor=[actor("Practitioner/p1")])] * (PROVISIONS_MAX - 1))
    assert parse(consent(many), words(), ZONE).problems == ()
    assert allowed(consent(many))


def test_too_many_provisions_are_counted_over_all_branches() -> None:
    branch = permit(*[deny(*[permit()] * 20)] * 5)
    assert names(consent(deny(*[branch] * 5))) == [P]
    assert parse(consent(deny(*[branch] * 4)), words(), ZONE).problems == ()


def test_denies_among_too_many_stand_and_the_rest_may_be_one() -> None:
    yes = consent(permit(actor=[actor("Practitioner/p1")]), id="yes")
    nobody = [permit(actor=[actor("Practitioner/p2")])] * PROVISIONS_MAX
    found = decision(yes, consent({"provision": [deny(actor=[actor("Practitioner/p1")]), *nobody]}, id="no"))
    assert not found.permitted
    assert not allowed(yes, consent({"provision": nobody}, id="no"))


@pytest.mark.parametrize(
    "element, value",
    [
        ("actor", actor("Practitioner/p2")),
        ("actor", {}),
        ("action", concept("consentaction", "access")),
        ("purpose", coding("v3-ActReason", "HMARKT")),
        ("purpose", coding("v3-ActReason", "NOSUCH")),
        ("securityLabel", coding("v3-ActCode", "HIV")),
        ("class", coding(LOINC, "x")),
        ("code", concept(LOINC, "x")),
        ("data", data("instance", "Observation/b")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_too_many_values_are_refused(element: str, value: Json) -> None:
    limit = (f"{P}.{element}", f"a Consent holds at most {VALUES_MAX} values")
    found = [
        (p.expression, p.diagnostics) for p in refused(consent({"type": "deny", element: [value] * 500_000})).problems
    ]
    assert limit in found or len(found) == PROBLEMS_MAX
    assert len(found) <= PROBLEMS_MAX
    # A value that was not read may have been any value.
    assert not allowed(consent({"type": "deny", element: [value] * 500_000}), chosen=OPEN)


def test_values_may_be_as_many_as_the_limit_in_all_provisions_together() -> None:
    codes = [concept(LOINC, str(n)) for n in range(VALUES_MAX // 2)]
    two = [permit(code=codes), permit(code=codes)]
    assert parse(consent({"provision": two}), words(), ZONE).problems == ()
    assert names(consent({"provision": [*two, permit(code=codes[:1])]})) == [f"{P}.provision[2].code"]


@pytest.mark.parametrize(
    "element, value",
    [("actor", actor("Practitioner/p1")), ("class", coding(LOINC, "x")), ("data", data("instance", "Task/1"))],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_value_takes_the_room_of_one(element: str, value: Json) -> None:
    assert parse(consent(deny() | {element: [value] * VALUES_MAX}), words(), ZONE).problems == ()
    assert names(consent(deny() | {element: [value] * (VALUES_MAX + 1)})) == [f"{P}.{element}"]


def test_the_codings_of_one_code_are_values_too() -> None:
    one = {"coding": [coding(LOINC, str(n)) for n in range(VALUES_MAX + 1)]}
    assert names(consent(deny(code=[one]))) == [f"{P}.code[0]"]


def test_a_thousand_problems_are_told_as_the_first_hundred() -> None:
    wrong = [permit(purpose=["NOSUCH"], action=["sell"])] * 400
    found = names(consent({"provision": wrong}))
    assert len(found) == PROBLEMS_MAX
    assert found[:2] == [f"{P}.provision[0].action[0]", f"{P}.provision[0].purpose[0]"]


# --- Circles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("meaning", ["instance", "related", "dependents", "authoredby"])
@pytest.mark.parametrize("reference", ["Consent/c1", "Consent/c2", "Consent/c2/_history/3"])
def test_a_consent_about_a_consent_is_refused(meaning: str, reference: str) -> None:
    assert names(consent(permit(data=[data(meaning, reference)]))) == [f"{P}.data[0].reference"]


@pytest.mark.parametrize("meaning", ["related", "dependents"])
def test_resources_that_refer_in_circles_are_followed_one_step(meaning: str) -> None:
    a, b, c = "Observation/a", "Observation/b", "Observation/c"
    circle = Wijk({a: frozenset({b, a}), b: frozenset({c}), c: frozenset({a})})
    about = consent(deny(data=[data(meaning, c)]))
    with quickly():
        # c refers to a and b to c, so all that is one step away in either direction is closed, and nothing more.
        assert not allowed(about, world=circle, chosen=OPEN)
        assert not allowed(about, world=circle, chosen=OPEN, facts=observation(id="b", references=frozenset({c})))
        assert allowed(about, world=circle, chosen=OPEN, facts=observation(id="d", references=frozenset({a, b})))


# --- Contradictions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("element", ["period", "dataPeriod"])
@pytest.mark.parametrize(
    "backwards",
    [
        {"start": "2026-12-01", "end": "2026-11-30"},
        {"start": "2027", "end": "2026"},
        {"start": "2026-01-01T10:00:00+01:00", "end": "2026-01-01T08:59:59Z"},
    ],
    ids=str,
)
def test_a_period_that_ends_before_it_starts_is_refused(element: str, backwards: Json) -> None:
    assert names(consent(deny(permit(**{element: backwards})))) == [f"{P}.provision[0].{element}"]


def test_a_child_outside_its_parents_period_is_legal_and_a_permit_flagged() -> None:
    """What a child restates replaces: "yes this year, and to the GP next year as well" is no contradiction."""
    tree = permit(
        permit(period={"start": "2027", "end": "2027"}, actor=[actor("Practitioner/p1")]),
        deny(period={"start": "2028"}),
        period={"start": "2026", "end": "2026"},
    )
    record = parse(consent(tree), words(), ZONE)
    assert record.problems == ()
    assert escapes(record, words()) == (f"{P}.provision[0]",)
    assert not allowed(consent(tree), asked=request(instant=2**52))


# --- What can't be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource, element",
    [
        ({"resourceType": "Consent"}, "Consent.patient"),
        (consent(permit()) | {"provision": [permit()]}, P),
        (consent(permit()) | {"provision": "everything"}, P),
        (consent({"type": "permit", "provision": {"type": "deny"}}), f"{P}.provision"),
        (consent({"type": "permit", "provision": []}), f"{P}.provision"),
        (consent({"type": ["permit"]}), f"{P}.type"),
        (consent({"type": "permit", "actor": [None]}), f"{P}.actor[0].role"),
        (consent({"type": "permit", "code": [[]]}), f"{P}.code[0]"),
        (consent({"type": "permit", "data": [{"meaning": ["instance"]}]}), f"{P}.data[0].meaning"),
        (
            consent(permit(actor=[actor("Practitioner/1") | {"reference": {"type": [], "identifier": {"value": {}}}}])),
            f"{P}.actor[0].reference",
        ),
        (consent({"type": "permit", "class": [{"system": 1, "code": 2}]}), f"{P}.class[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_consent_is_refused(resource: Json, element: str) -> None:
    assert element in names(resource)


EVERYTHING_SAID = consent(
    permit(
        deny(period={"start": "2026-01-01", "end": "2026-12-31"}, dataPeriod={"end": "2025"}),
        actor=[actor("Practitioner/p1"), actor(GP_ROLE, "CST")],
        purpose=["TREAT"],
        action=["access"],
        class_=[resource_type("Observation")],
        code=[concept(LOINC, "85354-9")],
        securityLabel=[confidentiality("R")],
        data=[data("related", "Encounter/e")],
    ),
    policy="OPTIN",
    verification=[{"verified": True}],
)
A_RECORD: Json = {
    "resourceType": "DocumentReference",
    "id": "d",
    "meta": {"lastUpdated": "2026-01-01T00:00:00Z", "security": [confidentiality("R")]},
    "contained": [{"resourceType": "Observation", "id": "o", "code": concept(LOINC, "85354-9")}],
    "subject": {"reference": "Patient/1"},
    "type": concept(LOINC, "34133-9"),
    "author": [{"reference": "Practitioner/p1"}],
    "custodian": {"reference": "Organization/o1"},
    "securityLabel": [concept("v3-Confidentiality", "N")],
    "content": [{"attachment": {"contentType": "text/plain"}}],
    "context": {"period": {"start": "2026-01-01"}},
}
A_RELATIVE: Json = {
    "resourceType": "RelatedPerson",
    "id": "x1",
    "patient": {"reference": "Patient/1"},
    "relationship": [concept("v3-RoleCode", "GUARD")],
    "period": {"start": "2026-01-01"},
}
A_ROLE: Json = {
    "resourceType": "PractitionerRole",
    "id": "r1",
    "practitioner": {"reference": "Practitioner/p1"},
    "organization": {"reference": "Organization/o1"},
    "code": [concept("urn:roles", "gp")],
    "period": {"start": "2026-01-01"},
}
A_TEAM: Json = {
    "resourceType": "CareTeam",
    "id": "t1",
    "status": "active",
    "period": {"start": "2026-01-01"},
    "participant": [{"member": {"reference": "Practitioner/p1"}, "period": {"start": "2026-01-01"}}],
}
A_GROUP: Json = {
    "resourceType": "Group",
    "id": "g1",
    "member": [{"entity": {"reference": "Practitioner/p1"}, "period": {"start": "2026-01-01"}}],
}
AN_ENCOUNTER: Json = {
    "resourceType": "Encounter",
    "id": "e",
    "status": "in-progress",
    "period": {"start": "2026-01-01"},
    "participant": [{"individual": {"reference": "Practitioner/p1"}, "period": {"start": "2026-01-01"}}],
}


def spoilt(node: Any) -> Iterator[Any]:
    """The node with something else in the place of each of its parts, one by one."""
    yield from (None, True, 7, "x", [], {}, [[]], [{}], [None], {"coding": 7}, {"reference": []})
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        for other in spoilt(node[key]):
            yield node | {key: other} if isinstance(node, dict) else [*node[:key], other, *node[key + 1 :]]


def test_nothing_in_the_place_of_an_element_makes_a_consent_raise_or_open_more() -> None:
    gp, colleague = request(), request(COLLEAGUE)
    assert parse(EVERYTHING_SAID, words(), ZONE).problems == ()
    for broken in spoilt(EVERYTHING_SAID):
        if isinstance(broken, dict):
            record = parse(broken, words(), ZONE)
            policy = compile_policy("1", [compile_consent(record, WIJK, rules())])
            for asked in (gp, colleague):
                permitted = decide(asked, observation(), {"1": policy}, rules()).permitted
                assert not (permitted and record.problems)
                assert evaluate(residual(bind(policy, asked, rules())), observation()) == permitted


@pytest.mark.parametrize(
    "sound, read",
    [
        (A_RECORD, lambda found: facts(found, {"DocumentReference": ("subject",)}, ZONE)),
        (A_RELATIVE, lambda found: representative(found, True, ZONE)),
        (A_ROLE, lambda found: closure("Practitioner/p1", [found], {}, [], NOW, ZONE)),
        (
            {"partOf": {"reference": "Organization/o2"}},
            lambda found: closure("Organization/o1", [], {"Organization/o1": found}, [], NOW, ZONE),
        ),
        (A_TEAM, lambda found: closure("Practitioner/p1", [], {}, [found], NOW, ZONE)),
        (A_GROUP, lambda found: closure("Practitioner/p1", [], {}, [found], NOW, ZONE)),
        (A_TEAM, lambda found: treats(GP, {}, [found], NOW, ZONE)),
        (AN_ENCOUNTER, lambda found: treats(GP, {}, [found], NOW, ZONE)),
        ({"generalPractitioner": [{"reference": "Practitioner/p1"}]}, lambda found: treats(GP, found, [], NOW, ZONE)),
    ],
    ids=["facts", "proxy", "role", "organisation", "team", "group", "treating team", "encounter", "practitioner"],
)
def test_nothing_in_the_place_of_an_element_makes_a_record_raise(sound: Json, read: Callable[[Json], Any]) -> None:
    read(sound)
    for broken in spoilt(sound):
        if isinstance(broken, dict):
            read(broken)

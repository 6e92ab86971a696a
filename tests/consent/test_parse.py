"""Consents as JSON: what is read, what is a problem, and that nothing is ever raised."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.compile import compile_consent
from consent.model import Category, ConsentRecord, Effect, Period, Problem, Scope, Stated
from consent.parse import NESTING_MAX, PROVISIONS_MAX, parse
from consent.parse_elements import VALUES_MAX
from consent.vocabulary import ACT_CODE, ACT_REASON, CONSENT_ACTION, CONSENT_SCOPE
from tests.consent.strategies import consents
from tests.consent.wijk import (
    WIJK,
    ZONE,
    actor,
    allowed,
    coding,
    concept,
    consent,
    data,
    deny,
    permit,
    resource_type,
    rules,
    words,
)

Json = dict[str, Any]
OPEN = rules(base=Effect.PERMIT)
P = "Consent.provision"


def problems(resource: Json) -> list[str]:
    return [problem.expression for problem in parse(resource, words(), ZONE).problems]


def in_root(**elements: Any) -> list[str]:
    return problems(consent({"type": "permit"} | elements))


@given(consents())
@settings(max_examples=60, deadline=None)
def test_what_the_rules_can_enforce_has_no_problems(several: list[Json]) -> None:
    for one in several:
        record = parse(one, words(), ZONE)
        sound = "elsewhere" not in json.dumps(one["scope"]) and "OPTOUTE" not in json.dumps(one)
        if sound and not any(
            sign in json.dumps(one) for sign in ("modifierExtension", "display", "text", "NOSUCH", "perhaps")
        ):
            assert record.problems == ()
        else:
            assert record.problems


@pytest.mark.parametrize(
    "elements, expression",
    [
        ({"modifierExtension": [{"url": "urn:x"}]}, f"{P}.modifierExtension"),
        ({"type": "perhaps"}, f"{P}.type"),
        ({"period": {"start": "2026-02-01", "end": "2026-01-01"}}, f"{P}.period"),
        ({"period": {}}, f"{P}.period"),
        ({"period": {"start": "gisteren"}}, f"{P}.period"),
        ({"dataPeriod": {"start": "2026-02-30"}}, f"{P}.dataPeriod"),
        ({"actor": "Practitioner/1"}, f"{P}.actor"),
        ({"actor": []}, f"{P}.actor"),
        ({"actor": [actor("Practitioner/1") | {"role": {"text": "huisarts"}}]}, f"{P}.actor[0].role"),
        ({"actor": [actor("Practitioner/1", "WIT")]}, f"{P}.actor[0].role"),
        ({"actor": [{"role": concept("v3-ParticipationType", "PRCP")}]}, f"{P}.actor[0].reference"),
        ({"actor": [actor("Location/1")]}, f"{P}.actor[0].reference.reference"),
        ({"actor": [actor("https://elders.nl/fhir/Practitioner/1")]}, f"{P}.actor[0].reference.reference"),
        ({"actor": [actor("#gp")]}, f"{P}.actor[0].reference.reference"),
        ({"actor": [actor(Category("Practitioner", "urn:agb", "123"))]}, f"{P}.actor[0].reference"),
        ({"actor": [actor(Category("PractitionerRole", "", "123"))]}, f"{P}.actor[0].reference"),
        ({"actor": [actor(Category("Organization", "urn:x", ""))]}, f"{P}.actor[0].reference"),
        ({"actor": [actor("Practitioner/1") | {"modifierExtension": [{}]}]}, f"{P}.actor[0].modifierExtension"),
        ({"action": [concept("consentaction", "sell")]}, f"{P}.action[0]"),
        ({"purpose": [coding("v3-ActReason", "NOSUCH")]}, f"{P}.purpose[0]"),
        ({"purpose": [coding("urn:x", "TREAT")]}, f"{P}.purpose[0]"),
        ({"securityLabel": [coding("v3-Confidentiality", "X")]}, f"{P}.securityLabel[0]"),
        ({"securityLabel": [{"display": "gevoelig"}]}, f"{P}.securityLabel[0]"),
        ({"class": [resource_type("Cake")]}, f"{P}.class[0]"),
        ({"class": [{"code": "Observation"}]}, f"{P}.class[0]"),
        ({"code": [concept("http://loinc.org", "1-8"), {"text": "bloeddruk"}]}, f"{P}.code[1]"),
        ({"data": [{"meaning": "about", "reference": {"reference": "Observation/1"}}]}, f"{P}.data[0].meaning"),
        ({"data": [{"meaning": "instance", "reference": {"display": "die brief"}}]}, f"{P}.data[0].reference"),
        ({"data": [data("instance", "Consent/c1")]}, f"{P}.data[0].reference"),
        ({"data": [data("instance", "Observation/1") | {"modifierExtension": [{}]}]}, f"{P}.data[0].modifierExtension"),
        ({"provision": "deny"}, f"{P}.provision"),
        ({"provision": [permit(), 7]}, f"{P}.provision[1]"),
        ({"provision": [deny(permit(purpose=["NOSUCH"]))]}, f"{P}.provision[0].provision[0].purpose[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_problem_names_the_element(elements: Json, expression: str) -> None:
    assert expression in in_root(**elements)


@pytest.mark.parametrize(
    "change, expression",
    [
        ({"modifierExtension": [{"url": "urn:x"}]}, "Consent.modifierExtension"),
        ({"implicitRules": "urn:x"}, "Consent.implicitRules"),
        ({"policyRule": {"text": "alles mag"}}, "Consent.policyRule"),
        ({"policyRule": concept("v3-ActCode", "NOCONSENT")}, "Consent.policyRule"),
        ({"policy": [{"uri": "urn:x", "modifierExtension": [{}]}]}, "Consent.policy[0].modifierExtension"),
        (
            {"verification": [{"verified": True, "modifierExtension": [{}]}]},
            "Consent.verification[0].modifierExtension",
        ),
        ({"scope": {"text": "privacy"}}, "Consent.scope"),
        ({"patient": {"display": "Annie"}}, "Consent.patient"),
        ({"provision": None}, "Consent.provision"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_problem_of_the_consent_names_its_element(change: Json, expression: str) -> None:
    assert problems(consent(permit()) | change) == [expression]


@pytest.mark.parametrize(
    "change, expression, diagnostics",
    [
        ({"implicitRules": "urn:x"}, "Consent.implicitRules", "implicit rules can't be enforced"),
        ({"modifierExtension": []}, "Consent.modifierExtension", "an unknown modifier extension can't be enforced"),
        ({"patient": {}}, "Consent.patient", "does not refer to a patient on this server"),
        ({"scope": {}}, "Consent.scope", f"is not one scope of {CONSENT_SCOPE}"),
        ({"policyRule": {}}, "Consent.policyRule", "unsupported: must be one of OPTIN, OPTOUT, EMRGONLY"),
        ({"provision": 7}, P, "is not a provision"),
        ({"provision": {"provision": []}}, f"{P}.provision", "must be a list of at least one"),
        ({"provision": {"type": "no"}}, f"{P}.type", "is not permit or deny"),
        ({"provision": {"period": {}}}, f"{P}.period", "is not a period, or ends before it starts"),
        ({"provision": {"actor": {}}}, f"{P}.actor", "must be a list of at least one"),
        ({"provision": {"code": []}}, f"{P}.code", "must be a list of at least one"),
        (
            {"provision": {"actor": [actor("Practitioner/1") | {"role": {}}]}},
            f"{P}.actor[0].role",
            "is not a role of a recipient, a custodian or an author",
        ),
        (
            {"provision": {"actor": [{"role": concept("v3-ParticipationType", "PRCP")}]}},
            f"{P}.actor[0].reference",
            "is missing",
        ),
        (
            {"provision": {"actor": [actor("Location/1")]}},
            f"{P}.actor[0].reference.reference",
            "does not refer to somebody on this server",
        ),
        (
            {"provision": {"actor": [actor("Practitioner/1") | {"reference": {"display": "de huisarts"}}]}},
            f"{P}.actor[0].reference",
            "a display alone names nobody: use a reference or an identifier",
        ),
        (
            {"provision": {"actor": [actor(Category("Practitioner", "urn:agb", "1"))]}},
            f"{P}.actor[0].reference",
            "a category is a type (PractitionerRole, Organization) and an identifier with system and value",
        ),
        ({"provision": {"action": [{}]}}, f"{P}.action[0]", f"is not an action of {CONSENT_ACTION}"),
        ({"provision": {"purpose": [{}]}}, f"{P}.purpose[0]", f"is not a purpose of use of {ACT_REASON}"),
        ({"provision": {"securityLabel": [{}]}}, f"{P}.securityLabel[0]", "needs a system and a code"),
        (
            {"provision": {"securityLabel": [coding("v3-ActCode", "x" * 50)]}},
            f"{P}.securityLabel[0]",
            f"unknown code `{'x' * 40}` of {ACT_CODE}",
        ),
        ({"provision": {"class": [{"system": "urn:x"}]}}, f"{P}.class[0]", "needs a system and a code"),
        ({"provision": {"class": [resource_type("Cake")]}}, f"{P}.class[0]", "unknown resource type `Cake`"),
        (
            {"provision": {"code": [{"text": "bloeddruk"}]}},
            f"{P}.code[0]",
            "a code in words only can't be enforced: it needs a coding with a system and a code",
        ),
        (
            {"provision": {"data": [data("about", "Observation/1")]}},
            f"{P}.data[0].meaning",
            "is not instance, related, dependents or authoredby",
        ),
        (
            {"provision": {"data": [data("instance", "#1")]}},
            f"{P}.data[0].reference",
            "does not refer to a resource on this server",
        ),
        (
            {"provision": {"data": [data("instance", "Consent/1")]}},
            f"{P}.data[0].reference",
            "a Consent can't be about a Consent",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_problem_says_which_rule_is_broken(change: Json, expression: str, diagnostics: str) -> None:
    assert parse(consent() | change, words(), ZONE).problems == (Problem(expression, diagnostics),)


def test_a_resource_that_was_never_here_is_a_problem_where_it_is_stated() -> None:
    never = "refers to a resource that was never here"
    tree = permit(deny(), permit(data=[data("authoredby", "Organization/never")]), data=[data("related", "Task/never")])
    record = parse(consent(tree), words(), ZONE)
    assert record.problems == ()
    assert compile_consent(record, WIJK, OPEN).problems == (Problem(f"{P}.data", never),)
    two = permit(data=[data("related", "Task/never"), data("instance", "Task/1"), data("instance", "Goal/never")])
    assert (
        compile_consent(parse(consent(two), words(), ZONE), WIJK, OPEN).problems == (Problem(f"{P}.data", never),) * 2
    )


def test_no_problem_repeats_a_whole_value() -> None:
    long = "x" * 500
    for problem in parse(
        consent(permit(class_=[resource_type(long)], securityLabel=[coding("v3-ActCode", long)])), words(), ZONE
    ).problems:
        assert len(problem.diagnostics) < 150


def test_what_cannot_be_read_at_all_is_a_deny_that_may_match() -> None:
    yes = consent(permit(), id="yes")
    assert allowed(yes)
    assert not allowed(yes, consent({"provision": [7]}, id="no"))
    assert not allowed(yes, consent(id="no") | {"provision": "nee"}, chosen=OPEN)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "provision",
                    "coding",
                    "reference",
                    "code",
                    "system",
                    "period",
                    "start",
                    "actor",
                    "role",
                    "data",
                    "meaning",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "meta",
                "status",
                "scope",
                "patient",
                "performer",
                "policy",
                "policyRule",
                "verification",
                "provision",
            ]
        ),
        values,
    )
)
@settings(max_examples=100, deadline=None)
def test_no_json_makes_it_raise(resource: Json) -> None:
    record = parse(resource, words(), ZONE)
    assert record.problems


@given(values)
@settings(max_examples=200, deadline=None)
def test_a_provision_of_any_json_never_permits(broken: Any) -> None:
    """Unless it is sound by accident: then it has no problems."""
    resource = consent({"type": "permit", "actor": [actor("Practitioner/p1")], "provision": [broken]})
    if problems(resource):
        assert not allowed(resource)


def test_the_record_keeps_who_when_and_which_version() -> None:
    record = parse(consent(permit(), verification=[{"verified": True}]) | {"meta": {"versionId": "7"}}, words(), ZONE)
    assert (record.id, record.version, record.patient) == ("c1", "7", "1")
    assert record.performers == {"Patient/1"}
    assert (record.active, record.verified, record.scope) == (True, True, Scope.PRIVACY)
    assert [(p.path, p.parent, p.end, p.effect) for p in record.provisions] == [(P, -1, 1, Effect.PERMIT)]


def test_a_consent_that_says_nothing_of_itself_is_nobodys() -> None:
    record = parse({"resourceType": "Consent", "meta": 7}, words(), ZONE)
    assert record == ConsentRecord(
        id="",
        version="",
        patient="",
        active=False,
        scope=Scope.UNCLEAR,
        performers=frozenset(),
        verified=False,
        provisions=record.provisions,
        problems=record.problems,
    )
    assert parse({"meta": {}}, words(), ZONE).version == ""


def test_a_value_that_is_not_understood_leaves_the_others_of_its_element_in_doubt() -> None:
    """Whichever stands last: the Consent's permits are void, and its denies are about whatever was meant."""
    known, unknown = coding("v3-ActReason", "HMARKT"), coding("v3-ActReason", "NOSUCH")
    for several in ([known, unknown], [unknown, known]):
        (provision,) = parse(consent(deny() | {"purpose": several}), words(), ZONE).provisions
        assert provision.condition.purpose == Stated(frozenset({"HMARKT"}), unclear=True)
    (provision,) = parse(consent(deny(purpose=["HMARKT"])), words(), ZONE).provisions
    assert provision.condition.purpose == Stated(frozenset({"HMARKT"}), unclear=False)


@pytest.mark.parametrize(
    "half", [{"system": "urn:x", "code": ""}, {"system": "", "code": "x"}, {"system": 1, "code": "x"}]
)
def test_half_a_coding_is_none(half: Json) -> None:
    assert in_root(securityLabel=[half]) == [f"{P}.securityLabel[0]"]
    assert in_root(code=[{"coding": [half]}]) == [f"{P}.code[0]"]


def test_children_that_are_no_list_are_one_child_or_none() -> None:
    yes = consent(permit(actor=[actor("Practitioner/p1")]), id="yes")
    one = deny(actor=[actor("Practitioner/p1")])
    assert not allowed(yes, consent({"provision": one}, id="no"))
    for nothing in ([], {}, None, ""):
        assert allowed(yes, consent(deny(actor=[actor("Practitioner/p2")]) | {"provision": nothing}, id="no"))


def laid_flat(resource: Json) -> list[tuple[str, int, int, Effect | None]]:
    return [(p.path, p.parent, p.end, p.effect) for p in parse(resource, words(), ZONE).provisions]


def test_the_tree_is_laid_flat_with_what_cannot_be_read_in_its_place() -> None:
    tree = {"provision": [7, deny(permit()), "x", permit()]}
    assert laid_flat(consent(tree)) == [
        (P, -1, 6, None),
        (f"{P}.provision[0]", 0, 2, Effect.DENY),
        (f"{P}.provision[1]", 0, 4, Effect.DENY),
        (f"{P}.provision[1].provision[0]", 2, 4, Effect.PERMIT),
        (f"{P}.provision[2]", 0, 5, Effect.DENY),
        (f"{P}.provision[3]", 0, 6, Effect.PERMIT),
    ]


def test_what_is_too_deep_is_one_deny_and_its_neighbours_are_read() -> None:
    deepest = deny(deny(), period={"start": "2026"})
    for _ in range(NESTING_MAX - 1):
        deepest = permit(deepest)
    top, path = laid_flat(consent(permit(deepest, deny())))[NESTING_MAX:], P + ".provision[0]" * NESTING_MAX
    assert top == [
        (path, NESTING_MAX - 1, NESTING_MAX + 2, Effect.DENY),
        (f"{path}.provision", NESTING_MAX, NESTING_MAX + 2, Effect.DENY),
        (f"{P}.provision[1]", 0, NESTING_MAX + 3, Effect.DENY),
    ]


def test_what_is_too_much_is_one_deny_at_the_end() -> None:
    (problem,) = parse(consent(deny(*[permit()] * PROVISIONS_MAX)), words(), ZONE).problems
    assert problem == Problem(P, f"holds more than {PROVISIONS_MAX} provisions")
    flat = laid_flat(consent(deny(*[permit()] * PROVISIONS_MAX)))
    assert flat[-1] == (P, 0, PROVISIONS_MAX + 1, Effect.DENY)
    assert len(flat) == PROVISIONS_MAX + 1


def test_a_policy_rule_alone_stands_where_it_is_stated() -> None:
    assert laid_flat(consent(policy="OPTIN")) == [("Consent.policyRule", -1, 1, Effect.PERMIT)]
    assert laid_flat(consent(policy="EMRGONLY")) == [
        ("Consent.policyRule", -1, 2, Effect.DENY),
        ("Consent.policyRule", 0, 2, Effect.PERMIT),
    ]
    emergency = parse(consent({"purpose": []}, policy="EMRGONLY"), words(), ZONE).provisions[1]
    assert emergency.restated == {"purpose"}
    assert emergency.condition.purpose == Stated(frozenset({"ETREAT"}))


@pytest.mark.parametrize("element", ["actor", "class", "code", "data"])
def test_as_many_values_as_the_limit_are_all_understood(element: str) -> None:
    value = {
        "actor": actor("Practitioner/p2"),
        "class": coding("http://loinc.org", "x"),
        "code": concept("http://loinc.org", "x"),
        "data": data("instance", "Task/1"),
    }[element]
    for count, unclear in ((VALUES_MAX, False), (VALUES_MAX + 1, True)):
        (found,) = parse(consent(deny() | {element: [value] * count}), words(), ZONE).provisions
        condition = found.condition
        stated = {
            "actor": condition.recipients,
            "class": condition.class_,
            "code": condition.code,
            "data": condition.data,
        }[element]
        assert stated is not None
        assert (len(stated.values), stated.unclear) == (1, unclear)


def test_a_period_that_cannot_be_read_is_said_to_be_unclear() -> None:
    (found,) = parse(consent(deny(period={"start": "morgen"})), words(), ZONE).provisions
    assert found.condition.period == Period(unclear=True)

"""Invariants over raw JSON: what they say on values made to keep and to break them (profiles/fhirpath/rule.py)."""

import contextlib
import timeit
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import registry
from profiles.fhirpath import Context, FhirPathError, Node, compile, compile_rule

XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def holds(key: str, type_name: str, value: Any, twin: dict[str, Any] | None = None, **context: Any) -> bool | None:
    expression = registry.load().invariants[key].expression
    return compile_rule(expression, type_name)(value, twin, Context(**context))


@pytest.mark.parametrize(
    "key, type_name, good, bad",
    [
        ("ele-1", "HumanName", {"family": "x"}, {"id": "1"}),
        ("ext-1", "Extension", {"url": "u", "valueString": "x"}, {"url": "u"}),
        ("ext-1", "Extension", {"url": "u", "extension": [{"url": "v"}]}, {"url": "u", "_valueCode": {}, "extension": [{}]}),
        ("pat-1", "Patient.contact", {"_telecom": 1, "telecom": [{}]}, {"gender": "male"}),
        ("cpt-2", "ContactPoint", {"value": "1", "system": "phone"}, {"value": "1"}),
        ("att-1", "Attachment", {"data": "", "contentType": "t"}, {"data": "QQ=="}),
        ("per-1", "Period", {"start": "2019", "end": "2020-01-01"}, {"start": "2020-02", "end": "2020-01"}),
        ("per-1", "Period", {"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T11:30:00+01:00"}, {"start": "2021", "end": "2020-05-05"}),
        ("per-1", "Period", {"start": "2020-01-01T12:00:00+02:00", "end": "2020-01-01T11:00:00Z"},
         {"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T10:30:00+01:00"}),
        ("per-1", "Period", {"start": "2020-01-01T10:00:00+01:00", "end": "2020-01-01T09:30:00-02:00"},
         {"start": "2020-01-01T09:30:00-02:00", "end": "2020-01-01T10:00:00+01:00"}),
        ("qty-3", "Quantity", {"code": "kg", "system": "s"}, {"code": "kg"}),
        ("rng-2", "Range", {"low": {"value": 1}, "high": {"value": Decimal("1.5")}}, {"low": {"value": 2}, "high": {"value": 1}}),
        ("obs-6", "Observation", {"valueString": "x"}, {"_valueString": {}, "dataAbsentReason": {}}),
        ("obs-7", "Observation", {"valueString": "x", "component": []},
         {"valueString": "x", "code": {"coding": [{"code": "c"}]}, "component": [{"code": {"coding": [{"code": "c"}]}}]}),
        ("org-1", "Organization", {"name": "n"}, {"active": True}),
        ("org-3", "Organization.telecom" if "Organization.telecom" in registry.load().types else "ContactPoint",
         {"use": "work"}, {"use": "home"}),
        ("ppc-1", "Consent", {"policyRule": {}}, {"status": "active"}),
        ("con-4", "Condition", {"abatementString": "x", "clinicalStatus": {"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]}},
         {"abatementString": "x", "clinicalStatus": {"coding": [{"system": "other", "code": "resolved"}]}}),
        ("tim-9", "Timing.repeat", {"offset": 1, "when": ["MORN"]}, {"offset": 1, "when": ["C"]}),
        ("tim-5", "Timing.repeat", {"period": 1}, {"period": -1}),
        ("lst-2", "List", {"mode": "changes", "entry": [{"deleted": True}]}, {"mode": "working", "entry": [{"deleted": False}]}),
        ("grp-1", "Group", {"actual": True, "member": [{}]}, {"actual": False, "member": [{}]}),
        ("que-12", "Questionnaire.item", {"enableWhen": [{}, {}]}, {"enableWhen": [{}, {}, {}]}),
        ("adf-0", "ActivityDefinition", {"name": "Good"}, {"name": "bad"}),
        ("bdl-8", "Bundle.entry", {"fullUrl": "http://x/Patient/1"}, {"fullUrl": "http://x/Patient/1/_history/2"}),
        ("cpb-7", "CapabilityStatement", {"document": [{"mode": "a", "profile": "b"}]},
         {"document": [{"mode": "a", "profile": "b"}, {"mode": "a", "profile": "b"}]}),
        ("dom-6", "Patient", {"text": {"div": "x"}}, {"text": {"status": "generated"}}),
    ],
)  # fmt: skip
def test_a_rule_tells_a_good_value_from_a_bad_one(key: str, type_name: str, good: Any, bad: Any) -> None:
    assert holds(key, type_name, good, resource={"resourceType": type_name, **good}) is True
    assert holds(key, type_name, bad, resource={"resourceType": type_name, **bad}) is False


@pytest.mark.parametrize(
    "key, type_name, value",
    [
        ("per-1", "Period", {"start": "2020", "end": "2020-01-01"}),
        ("adf-0", "ActivityDefinition", {"status": "draft"}),
        ("ref-1", "Reference", {"reference": "#"}),
        ("bdl-8", "Bundle.entry", {"resource": {"resourceType": "Patient"}}),
        ("vsd-9", "ValueSet.expansion.contains", {"display": "x"}),
    ],
)
def test_a_rule_about_what_is_absent_or_not_comparable_is_empty(key: str, type_name: str, value: Any) -> None:
    assert holds(key, type_name, value, resource={"resourceType": "Patient"}) is None


def test_ele_1_counts_the_extensions_of_a_primitive_without_a_value() -> None:
    assert holds("ele-1", "string", None, {"extension": [{"url": "u"}]})
    assert holds("ele-1", "string", "x", None)
    assert not holds("ele-1", "string", None, {"id": "1"})
    assert not holds("ele-1", "string", None, None)


def test_a_narrative_is_checked_as_a_value_of_its_own() -> None:
    assert holds("txt-1", "xhtml", XHTML.format("<p>x</p>"))
    assert not holds("txt-1", "xhtml", XHTML.format("<script>x</script>"))


def contained(reference: str, identifier: str = "a") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "contained": [{"resourceType": "Organization", "id": identifier, "name": "n"}],
        "managingOrganization": {"reference": reference},
    }


@pytest.mark.parametrize(
    "resource, kept", [(contained("#a"), True), (contained("#b"), False), (contained("Organization/a"), False)]
)
def test_dom_3_wants_every_contained_resource_to_be_referred_to(resource: dict[str, Any], kept: bool) -> None:
    assert holds("dom-3", "Patient", resource, resource=resource) is kept


def test_dom_3_accepts_a_contained_resource_that_refers_to_its_container() -> None:
    resource = contained("Organization/1")
    resource["contained"][0]["partOf"] = {"reference": "#"}
    assert holds("dom-3", "Patient", resource, resource=resource)


def test_ref_1_finds_the_contained_resource_in_the_root() -> None:
    resource = contained("#a")
    inner = resource["contained"][0]
    assert holds("ref-1", "Reference", {"reference": "#a"}, resource=inner, root_resource=resource)
    assert not holds("ref-1", "Reference", {"reference": "#b"}, resource=inner, root_resource=resource)


def test_many_contained_resources_do_not_take_quadratic_time() -> None:
    """dom-3 looks at all descendants once for each contained resource: they are collected once."""

    def seconds(count: int) -> float:
        resource = {
            "resourceType": "List",
            "contained": [{"resourceType": "Organization", "id": str(at), "name": "n"} for at in range(count)],
            "entry": [{"item": {"reference": f"#{at}"}} for at in range(count)],
        }
        rule = compile_rule(registry.load().invariants["dom-3"].expression, "List")
        context = Context(resource=resource)
        return min(timeit.repeat(lambda: rule(resource, None, context), number=1, repeat=3))

    assert seconds(400) < 12 * seconds(100)


NAMES = [
    "id",
    "extension",
    "url",
    "valueString",
    "start",
    "_start",
    "end",
    "system",
    "value",
    "code",
    "use",
    "low",
    "reference",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "x", "2020", "2020-01-01", "#a", "home", "final"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    JSON, st.sampled_from(["Period", "Quantity", "Extension", "ContactPoint", "CodeableConcept", "Range", "Reference"])
)
def test_malformed_json_gives_an_answer_or_a_fhirpath_error(value: Any, type_name: str) -> None:
    definitions = registry.load()
    resource = {"resourceType": "Patient"}
    for key in definitions.types[type_name].constraints:
        rule = compile_rule(definitions.invariants[key].expression, type_name)
        with contextlib.suppress(FhirPathError):
            assert rule(value, None, Context(resource=resource)) in (True, False, None)


SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "start": st.sampled_from(
            ["2020", "2020-01-01", "2020-01-01T10:00:00Z", "2020-01-01T10:00:00+02:00", "2021-05"]
        ),
        "_start": st.just({"id": "s"}),
        "end": st.sampled_from(["2020", "2020-01-02", "2020-01-01T11:00:00+01:00", "2020-01-01T09:00:00Z"]),
        "id": st.just("p"),
        "extension": st.just([{"url": "u", "valueCode": "c"}]),
    },
)
EXPRESSIONS = [
    "start.exists() xor end.exists()",
    "start.empty() implies end.hasValue()",
    "start <= end",
    "start < end or end.empty()",
    "start > end and id = 'p'",
    "id != 'p' or extension.count() + start.count() >= 2",
    "id in ('q' | 'p')",
    "(start | end).exists()",
    "extension.where(url = 'u').exists() = start.exists()",
    "extension.all(value.exists() and url.startsWith('u'))",
    "extension.exists(value is code)",
    "id.matches('^p$').not()",
    "extension.url.contains('u') and Period.id.empty().not()",
    "extension.value.exists() != extension('u').exists()",
    "(start | end).count() = 1",
    "start & end = '2020'",
    "extension.select(url & value).isDistinct() and (id | start | end).count() < 3",
]


@given(SHAPED, st.sampled_from(EXPRESSIONS))
def test_a_rule_answers_as_the_general_evaluation_does(value: dict[str, Any], expression: str) -> None:
    resource = {"resourceType": "Patient"}
    context = Context(resource=resource)
    found = compile(expression).evaluate(Node(value, "Period"), context)
    expected = found[0].value if found else None
    assert compile_rule(expression, "Period")(value, None, context) is expected

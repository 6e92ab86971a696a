"""Each invariant written by hand says what its expression says, on random input, or leaves it to the expression.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from profiles import fhirpath
from profiles.registry import load
from profiles.rules.native import NATIVE
from profiles.rules.scope import Scope
from tests.profiles.rules.asking import errors, observation

SOME = st.sampled_from
OPTION = {"max_examples": 200, "deadline": None}


def agree(key: str, value: dict[str, Any], type_name: str, resource: dict[str, Any]) -> None:
    """The native form of `key` on `value` gives what the expression gives, or None."""
    scope = Scope(resource)
    native = NATIVE[key](value, scope)
    result = fhirpath.compile(load().invariants[key].expression).evaluate(
        fhirpath.Node(value, type_name), scope.context
    )
    if native is not None and result:
        assert [item.value for item in result] == [native], (key, value)


META = st.fixed_dictionaries(
    {},
    optional={
        "versionId": SOME(["1", "2"]),
        "_versionId": st.just({"extension": [{"url": "http://example.org/e", "valueCode": "a"}]}),
        "lastUpdated": st.just("2020-01-02T03:04:05Z"),
        "security": st.just([{"code": "a"}]),
        "source": st.just("http://example.org"),
    },
)
INNER = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={"id": SOME("ab"), "meta": META, "contained": st.just([{"resourceType": "Basic"}])},
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "fullUrl": SOME(["http://a.b/Patient/1", "http://a.b/Patient/1/_history/1", "urn:uuid:1"]),
        "resource": INNER,
        "request": st.just({"method": "GET", "url": "a"}),
        "response": st.just({"status": "200"}),
    },
)
BUNDLE_TYPES = ["batch", "transaction", "history", "collection", "searchset", "batch-response", "transaction-response"]


@settings(**OPTION)
@given(
    st.fixed_dictionaries(
        {"resourceType": st.just("Bundle"), "type": SOME(BUNDLE_TYPES), "entry": st.lists(ENTRY, max_size=4)}
    )
)
def test_the_rules_of_bundles_agree_with_their_expressions(bundle: dict[str, Any]) -> None:
    for key in ("bdl-3", "bdl-4", "bdl-7"):
        agree(key, bundle, "Bundle", bundle)
    for entry in bundle["entry"]:
        agree("bdl-8", entry, "Bundle.entry", bundle)


@settings(**OPTION)
@given(st.lists(INNER, min_size=1, max_size=3))
def test_the_rules_of_contained_resources_agree_with_their_expressions(contained: list[dict[str, Any]]) -> None:
    resource = {"resourceType": "Patient", "contained": contained}
    for key in ("dom-2", "dom-4", "dom-5"):
        agree(key, resource, "Patient", resource)


CODING = st.dictionaries(SOME(["system", "code", "id"]), SOME(["a", "b"]), min_size=1)
CONCEPT = st.one_of(st.just({"text": "a"}), st.fixed_dictionaries({"coding": st.lists(CODING, min_size=1, max_size=3)}))


@settings(**OPTION)
@given(CONCEPT, st.lists(CONCEPT, min_size=1, max_size=3))
def test_the_rule_of_components_agrees_with_its_expression(code: dict[str, Any], codes: list[dict[str, Any]]) -> None:
    resource = observation(code=code, valueString="a", component=[{"code": one} for one in codes])
    agree("obs-7", resource, "Observation", resource)


MOMENT = SOME(
    """2020 2021 2020-01 2020-02 2020-01-01 2020-01-02 2020-01-01T10:00:00Z 2020-01-01T10:00:01Z 2020-01-01T10:00:00.5Z
    2020-01-01T10:00:00.6Z 2020-01-01T09:00:00+01:00 2020-01-01T11:00:00+01:00 2020-01-01T10:30:00-01:00
    2020-01-01T10:00:00.50Z 2020-01-01T10:30:00.1234Z 2020-01-01T10:00:00.500+01:00 2020-01-01T10:00:00.400+01:00 9999 0001-01-01""".split()  # noqa: SIM905
)


@settings(max_examples=500, deadline=None)
@given(MOMENT, MOMENT)
def test_the_rule_of_periods_agrees_with_its_expression(start: str, end: str) -> None:
    resource = {"resourceType": "Patient"}
    agree("per-1", {"start": start, "end": end}, "Period", resource)


JUNK = SOME(
    [None, 1, "a", [], {}, [None], [1], {"a": 1}, [{"coding": 1}], {"coding": [1]}, [{"meta": [1]}], [{"resource": 1}]]
)


@settings(**OPTION)
@given(
    SOME(sorted(NATIVE)),
    st.dictionaries(SOME(["entry", "type", "contained", "component", "code", "start", "fullUrl"]), JUNK),
)
def test_no_input_makes_an_exception(key: str, value: dict[str, Any]) -> None:
    assert NATIVE[key](value, Scope({"resourceType": "Basic", **value})) in (True, False, None)


def test_thousands_of_codings_are_compared_in_no_time() -> None:
    # One Observation of 300 kB once took a minute and a half: every coding against every other.
    codings = [{"system": "http://example.org", "code": str(i), "id": str(i)} for i in range(6000)]
    components = [{"code": {"coding": [coding]}, "valueString": "a"} for coding in codings[3000:]]
    started = time.perf_counter()
    found = errors(observation(code={"coding": codings[:3000]}, valueString="a", component=components))
    assert time.perf_counter() - started < 5
    assert found == []


def test_what_occurs_every_day_is_decided_by_hand() -> None:
    entry = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "meta": {"versionId": "1"}}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry, {**entry, "fullUrl": "urn:uuid:2"}]}
    contained = {
        "resourceType": "Patient",
        "contained": [{"resourceType": "Patient", "id": "a", "meta": {"source": "a:b"}}],
    }
    measured = observation(valueString="a", component=[{"code": {"coding": [{"code": "a"}]}}])
    period = {"start": "2020-01-01T10:00:00+01:00", "end": "2020-01-01T10:00:00+01:00"}
    day_to_day = {"per-1": period, "bdl-8": entry, "obs-7": measured}
    day_to_day |= dict.fromkeys(("bdl-3", "bdl-4", "bdl-7"), bundle) | dict.fromkeys(
        ("dom-2", "dom-4", "dom-5"), contained
    )
    assert set(day_to_day) == set(NATIVE)
    assert {key: NATIVE[key](value, Scope(value)) for key, value in day_to_day.items()} == dict.fromkeys(NATIVE, True)

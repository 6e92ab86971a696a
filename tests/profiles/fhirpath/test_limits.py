"""A client's expression cannot hold the server: length, nesting, patterns and work are bounded (`compile(…, untrusted=True)`)."""

import time
from typing import Any

import pytest

from profiles.fhirpath import FhirPathError, FhirPathLimitError, FhirPathSyntaxError, compile

SECONDS_MAX = 3.0  # generous for a busy machine; each takes some milliseconds, unbounded ones take minutes or for ever
CHARS = "'" + "ab" * 2000 + "'.toChars()"
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": str(at), "name": [{"given": ["A"]}]}} for at in range(3000)
    ],
}


@pytest.mark.parametrize(
    "expression",
    [
        f"{CHARS}.aggregate($total & $total, 'ab')",
        f"{CHARS}.aggregate($total.combine($total), 1 | 2)",
        f"{CHARS}.select({CHARS}.select($this & 'c'))",
        f"{CHARS}.where('z' in $this.combine({CHARS}))",
        "1.repeat($this + 1)",
        "'a'.repeat($this & 'a')",
        "'" + "a" * 2000 + "'.replace('', '" + "b" * 2000 + "')",
        "descendants().where(iif($this.exists(), %context, 1).descendants().count() = 0)",
        f"{CHARS}.all(iif($this = 'z', 1, %resource) = %context)",
        f"{CHARS}.all((iif($this = 'z', %context, %resource) | %context).count() = 1)",
        "'" + "a" * 200 + "!'.matches('(a+)+$')",
        "'" + "a" * 200 + "!'.matches('(a|aa)+$')",
        "'" + "a" * 200 + "!'.matches('" + "(a|aa)" * 30 + "$')",
        "'" + "a" * 200 + "!'.matches('" + "a?" * 60 + "b')",
        "'" + "a" * 200 + "!'.matches('a*a*a*a*b')",
        "'" + "a" * 300 + "'.matches('a')",
        "'aa'.matches('(a)\\\\1')",
        "'a'.replaceMatches('" + "a" * 300 + "', 'b')",
        "'aaa'.matches('(?:a{1,1000}){1,1000}b')",
    ],
)
def test_an_expression_over_its_budget_is_stopped(expression: str) -> None:
    started = time.monotonic()
    with pytest.raises(FhirPathLimitError):
        compile(expression, untrusted=True).evaluate(BUNDLE)
    assert time.monotonic() - started < SECONDS_MAX


@pytest.mark.parametrize(
    "expression",
    ["(" * 3000 + "1" + ")" * 3000, "-" * 3000 + "1", "1" + "+1" * 3000, "id" + ".id" * 3000, "a" * 20000, "9" * 5000],
)
def test_a_long_or_deep_expression_is_a_syntax_error(expression: str) -> None:
    with pytest.raises(FhirPathSyntaxError):
        compile(expression, untrusted=True)


@pytest.mark.parametrize(
    "expression",
    [
        "2.power(1000000000)",
        "9.9.power(100000000)",
        "99999.exp()",
        "@2014-01-01 + 99999999999999999 days",
        "@2014 + 99999 years",
    ],
)
def test_an_overflow_is_empty(expression: str) -> None:
    assert compile(expression, untrusted=True).evaluate(BUNDLE) == []


def test_a_harmless_pattern_of_a_client_works() -> None:
    found = compile("'ab-12'.matches('^[a-z]+-[0-9]{2}$')", untrusted=True).evaluate(BUNDLE)
    assert [node.value for node in found] == [True]


def test_a_malformed_pattern_is_a_fhirpath_error() -> None:
    with pytest.raises(FhirPathError):
        compile("'a'.matches('(')").evaluate(BUNDLE)


def test_a_patch_path_over_a_large_resource_stays_within_the_budget() -> None:
    found = compile("Bundle.entry.where(resource.id = '2999').resource.name[0].given[0]", untrusted=True).locate(BUNDLE)
    assert [place.path for place in found] == ["Bundle.entry[2999].resource.name[0].given[0]"]

"""https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.gateway.scopes import Scope, parse

TYPES = ("Patient", "Observation")


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("patient/Observation.rs", Scope("patient", "Observation", "rs")),
        ("user/*.cruds", Scope("user", "*", "cruds")),
        ("system/Patient.read", Scope("system", "Patient", "rs")),
        ("user/Patient.write", Scope("user", "Patient", "cud")),
        ("user/Patient.*", Scope("user", "Patient", "cruds")),
        (
            "patient/Observation.rs?category=http://x|laboratory",
            Scope("patient", "Observation", "rs", (("category", "http://x|laboratory"),)),
        ),
    ],
)
def test_both_versions_are_read(text: str, scope: Scope) -> None:
    assert parse(text, TYPES) == (scope,)


@pytest.mark.parametrize(
    "text",
    ["", "openid", "launch/patient", "offline_access", "patient/Observation", "patient/Observation.", "patient/Nothing.r",
     "patient/Observation.sr", "patient/Observation.rr", "patient/Observation.x", "PATIENT/Observation.r",
     "patient/Observation.r?", "patient/Observation.rs?=", "Observation.r", "patient/*.r/x"],
)  # fmt: skip
def test_what_is_no_fhir_scope_grants_nothing(text: str) -> None:
    assert [scope for scope in parse(text, TYPES) if scope.parameters != (("", ""),)] == []


def test_scopes_of_one_type_are_merged() -> None:
    assert parse("user/Patient.r user/Patient.s user/Patient.rs patient/Patient.r", TYPES) == (
        Scope("user", "Patient", "rs"),
        Scope("patient", "Patient", "r"),
    )


def test_a_constrained_scope_does_not_merge_with_an_unconstrained_one() -> None:
    assert len(parse("user/Patient.r user/Patient.r?name=x", TYPES)) == 2


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for scope in parse(text, TYPES):
        assert scope.actions
        assert set(scope.actions) <= set("cruds")

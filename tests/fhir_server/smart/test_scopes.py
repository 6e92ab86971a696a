"""https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.gateway.scopes import parse
from fhir_server.smart.scopes import asks_version_1, common, in_version_1, known, of_context, within

TYPES = ("Patient", "Observation", "Condition")
LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("patient/Observation.read", "patient/Observation.rs"),
        ("patient/Observation.write", "patient/Observation.cud"),
        ("patient/*.*", "patient/*.cruds"),
        ("patient/Observation.r patient/Observation.s", "patient/Observation.rs"),
        ("patient/Observation.rs patient/Observation.read", "patient/Observation.rs"),
        ("openid openid fhirUser", "openid fhirUser"),
        ("patient/Patient.rs launch/patient offline_access", "launch/patient offline_access patient/Patient.rs"),
        ("launch/patient?role=https://roles.test/sibling launch/patient", "launch/patient"),
        ("launch/patients launch/practitioner?role=launch openid?x=y", ""),
        ("launch/encounter patient/Nothing.rs admin patient/Observation.sr", ""),
        (f"patient/Observation.rs?category={LAB}", f"patient/Observation.rs?category={LAB}"),
        ("patient/Observation.rs?code=%22a%5C+%C3%A9", "patient/Observation.rs?code=%22a%5C%20%C3%A9"),
    ],
)
def test_line_7_unknown_scopes_are_dropped_and_the_others_combined(asked: str, answered: str) -> None:
    assert known(asked, TYPES) == answered


@pytest.mark.parametrize(
    ("asked", "version_1"),
    [
        ("openid fhirUser launch offline_access patient/*.read", True),
        ("user/Observation.write system/*.* patient/Nothing.read", True),
        ("patient/*.read patient/*.rs", False),
        ("patient/*.read?category=a", False),
        ("patient/*.rs?category=a.read", False),
        ("openid launch/patient", False),
        ("", False),
    ],
)
def test_line_7_it_is_version_1_that_says_nothing_of_version_2(asked: str, version_1: bool) -> None:
    assert asks_version_1(asked) is version_1


@pytest.mark.parametrize(
    ("kept", "answered"),
    [
        ("openid patient/Observation.rs", "openid patient/Observation.read"),
        ("user/*.cud system/*.cruds", "user/*.write system/*.*"),
        ("patient/Observation.r patient/Condition.crs", "patient/Observation.r patient/Condition.crs"),
        ("patient/Observation.rs?category=a.rs", "patient/Observation.rs?category=a.rs"),
    ],
)
def test_line_7_what_version_1_has_words_for_is_said_in_them(kept: str, answered: str) -> None:
    assert in_version_1(kept) == answered
    assert known(answered, (*TYPES, "Nothing")) == kept


@pytest.mark.parametrize(
    ("subset", "superset"),
    [
        ("patient/Observation.r", "patient/Observation.rs"),
        ("patient/Observation.rs", "patient/*.read"),
        ("patient/Observation.rs", "patient/*.r patient/Observation.s"),
        (f"patient/Observation.rs?category={LAB}", "patient/Observation.rs"),
        ("patient/Observation.rs?category=a&code=b", "patient/*.rs?category=a"),
        ("patient/Observation.rs?category=a", "patient/Observation.rs?category=b,a"),
        ("openid", "fhirUser openid"),
        ("", "patient/*.rs"),
        ("unheard-of", "patient/*.rs"),
    ],
)
def test_line_11_a_narrower_scope_lies_within(subset: str, superset: str) -> None:
    assert within(subset, superset, TYPES)
    assert common(subset, superset, TYPES) == known(subset, TYPES)


@pytest.mark.parametrize(
    ("subset", "superset"),
    [
        ("patient/Observation.rs", "patient/Observation.r"),
        ("patient/*.rs", "patient/Observation.rs"),
        ("user/Observation.rs", "patient/Observation.rs"),
        ("patient/Observation.rs", "system/Observation.rs"),
        ("patient/Observation.rs", f"patient/Observation.rs?category={LAB}"),
        ("patient/Observation.rs?category=a,b", "patient/Observation.rs?category=a"),
        ("patient/Observation.rs?category:not=a", "patient/Observation.rs?category:not=a,b"),
        (r"patient/Observation.rs?code=b", r"patient/Observation.rs?code=a\,b"),
        ("openid", "patient/*.rs"),
        ("offline_access", "online_access"),
        ("patient/Observation.rs", ""),
    ],
)
def test_line_11_a_wider_scope_does_not(subset: str, superset: str) -> None:
    assert not within(subset, superset, TYPES)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("patient/Observation.cruds", "patient/*.rs", "patient/Observation.rs"),
        ("patient/*.cruds", "patient/Observation.rs patient/Patient.r", "patient/Observation.rs patient/Patient.r"),
        (
            "patient/Observation.rs?code=a",
            "patient/Observation.r?category=b",
            "patient/Observation.r?code=a&category=b",
        ),
        ("patient/Observation.rs?code=a,b", "patient/Observation.rs?code=b,a", "patient/Observation.rs?code=a,b"),
        ("patient/Observation.cr?code=a", "patient/Observation.r?code=a,b", "patient/Observation.r?code=a"),
        ("patient/Observation.rs", "patient/*.rs?code=a patient/Observation.rs", "patient/Observation.rs"),
        ("patient/Observation.c", "patient/Observation.r", ""),
        ("user/Observation.r", "patient/Observation.r", ""),
        ("launch openid patient/*.rs", "openid patient/*.r", "openid patient/*.r"),
    ],
)
def test_line_7_two_scopes_have_in_common_what_both_allow(one: str, other: str, both: str) -> None:
    assert common(one, other, TYPES) == both


def test_line_18_two_long_lists_have_no_more_in_common_than_can_be_told() -> None:
    one, other = (" ".join(f"user/*.r?{name}={n}" for n in range(500)) for name in "ab")
    assert len(common(one, other, TYPES).split()) == 1000
    assert within(common(one, other, TYPES), one, TYPES)
    assert within(common(one, other, TYPES), other, TYPES)
    assert common(one, one, TYPES) == one


def test_scopes_of_one_context_are_told_apart() -> None:
    assert of_context("openid system/Patient.r user/Patient.r", "system", TYPES) == "system/Patient.r"


_SCOPES = st.lists(
    st.builds(
        "{}/{}.{}{}".format,
        st.sampled_from(("patient", "user", "system")),
        st.sampled_from(("*", "Patient", "Observation")),
        st.sampled_from(("r", "rs", "read", "cud", "*")),
        st.sampled_from(("", "?code=a", "?code=b,a", "?code:not=a", "?code=a&category=b", "?category=%26%2b")),
    )
    | st.sampled_from(("openid", "launch", "launch/patient", "fhirUser", "nonsense")),
    max_size=5,
).map(" ".join)


@given(_SCOPES)
def test_what_is_known_stays_what_it_is(text: str) -> None:
    assert known(known(text, TYPES), TYPES) == known(text, TYPES)
    assert set(parse(known(text, TYPES), TYPES)) == set(parse(text, TYPES))
    assert within(text, text, TYPES)


@given(_SCOPES, _SCOPES)
def test_what_two_have_in_common_lies_within_both(one: str, other: str) -> None:
    assert within(common(one, other, TYPES), one, TYPES)
    assert within(common(one, other, TYPES), other, TYPES)
    if within(one, other, TYPES):
        assert within(one, common(one, other, TYPES), TYPES)

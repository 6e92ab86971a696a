"""https://datatracker.ietf.org/doc/html/rfc6749#section-3.2"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.smart.errors import OAuthError
from fhir_server.smart.form import BYTES_MAX, PARAMETERS_MAX, SCOPE_CHARACTERS_MAX, Form, parse


def test_a_form_is_read_by_name() -> None:
    form = parse("code=a%2Bb+c&state=é&empty=&bare".encode())
    assert form.one("code") == "a+b c"
    assert form.one("state") == "é"
    assert form.one("missing") is None


def test_a_parameter_without_a_value_is_as_good_as_none() -> None:
    form = parse(b"code=&bare")
    assert form.one("code") is None
    assert form.one("bare") is None
    with pytest.raises(OAuthError, match="code is missing"):
        form.required("code")


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"code=a&code=b", id="two values"),
        pytest.param(b"code=a&code=a", id="the same twice"),
        pytest.param(b"code=a&c%6Fde=b", id="one in disguise"),
        pytest.param(b"other=&other=", id="of no use, empty"),
    ],
)
def test_line_3_a_repeated_parameter_is_refused(encoded: bytes) -> None:
    with pytest.raises(OAuthError) as refused:
        parse(encoded)
    assert refused.value.error == "invalid_request"
    assert refused.value.status == 400


def test_what_may_be_repeated_keeps_all_its_values() -> None:
    form = parse(b"allow=a&allow=b&x=1", repeatable=("allow",))
    assert form.all("allow") == ("a", "b")
    with pytest.raises(OAuthError, match="more than once"):
        form.one("allow")


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"code=\xff", id="bytes that are no text"),
        pytest.param(b"code=%ff%fe", id="escaped bytes that are no text"),
        pytest.param(b"code=%c0%80", id="overlong NUL"),
        pytest.param(b"code=%ed%a0%80", id="half of a surrogate pair"),
        pytest.param(b"code=%zz", id="an escape that is none"),
        pytest.param(b"code=%2", id="half an escape"),
        pytest.param(b"c%ffde=a", id="a name that is no text"),
        pytest.param(b"code=a%00b", id="NUL"),
        pytest.param(b"code=a%1bb", id="escape character"),
    ],
)
def test_line_18_bytes_that_are_no_parameters_are_refused(encoded: bytes) -> None:
    with pytest.raises(OAuthError) as refused:
        parse(encoded)
    assert refused.value.error == "invalid_request"


@pytest.mark.parametrize(
    ("at_most", "too_much"),
    [
        pytest.param(b"x=" + b"a" * (BYTES_MAX - 2), b"x=" + b"a" * (BYTES_MAX - 1), id="bytes"),
        pytest.param(
            b"&".join(b"x%d=" % i for i in range(PARAMETERS_MAX)),
            b"&".join(b"x%d=" % i for i in range(PARAMETERS_MAX + 1)),
            id="parameters",
        ),
        pytest.param(
            b"scope=" + b"a" * SCOPE_CHARACTERS_MAX, b"scope=" + b"a" * (SCOPE_CHARACTERS_MAX + 1), id="scope"
        ),
    ],
)
def test_line_18_there_is_a_most_to_all_of_it(at_most: bytes, too_much: bytes) -> None:
    assert isinstance(parse(at_most), Form)
    with pytest.raises(OAuthError, match="at most"):
        parse(too_much)


@given(st.binary(max_size=200))
def test_any_bytes_are_parameters_or_refused(encoded: bytes) -> None:
    with suppress(OAuthError):
        assert all(isinstance(value, str) for _, value in parse(encoded).pairs)


@given(st.text(max_size=40))
def test_an_error_says_only_what_its_rfc_allows(text: str) -> None:
    description = OAuthError("invalid_request", text).json()["error_description"]
    assert all(" " <= character <= "~" and character not in '"\\' for character in description)

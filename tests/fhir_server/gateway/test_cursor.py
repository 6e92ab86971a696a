"""Sealed cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.gateway.cursor import Cursor, Sealer
from fhir_server.outcome import FhirError

SEALER = Sealer(b"k" * 32)
CURSOR = Cursor(("Patient",), (("name", "geheim"),), b"\x00position")


def test_a_cursor_opens_for_whom_it_was_sealed() -> None:
    assert SEALER.open(SEALER.seal(CURSOR, b"me"), b"me") == CURSOR


def test_a_cursor_opens_for_nobody_else_and_with_no_other_key() -> None:
    token = SEALER.seal(CURSOR, b"me")
    for sealer, binding in ((SEALER, b"you"), (Sealer(b"x" * 32), b"me")):
        with pytest.raises(FhirError) as refused:
            sealer.open(token, binding)
        assert refused.value.category.status == 400


def test_a_cursor_shows_nothing_and_never_looks_the_same() -> None:
    first, second = SEALER.seal(CURSOR, b"me"), SEALER.seal(CURSOR, b"me")
    assert first != second
    assert "geheim" not in first


@given(st.text(max_size=80))
def test_any_other_text_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(FhirError) as refused:
        SEALER.open(text, b"me")
    assert refused.value.diagnostics == "the page cursor is not one that this server gave to this requester"


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_cursor_with_any_byte_changed_is_refused(position: int, change: int) -> None:
    token = SEALER.seal(CURSOR, b"me")
    place = position % (len(token) - 1)
    other = "A" if token[place] != "A" else "B"
    with pytest.raises(FhirError):
        SEALER.open(token[:place] + other + token[place + 1 :], b"me")

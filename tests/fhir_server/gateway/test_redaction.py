"""No citizen service number stays in a link or in the audit."""

import pytest

from fhir_server.gateway.redaction import BSN_SYSTEM, passes_eleven_test, redact

BSN = "999990019"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", f"{BSN_SYSTEM}|{BSN}"),
        ("identifier", BSN),
        ("identifier", f"http://other|1,{BSN_SYSTEM}|{BSN}"),
        ("subject:identifier", f"{BSN_SYSTEM}|{BSN}"),
        ("patient.identifier", BSN),
        ("_filter", f'identifier eq "{BSN}"'),
        ("identifier", f"{BSN_SYSTEM}|not-even-a-number"),
    ],
)
def test_a_number_is_taken_out_wherever_it_stands(name: str, value: str) -> None:
    ((kept, text),) = redact([(name, value)])
    assert kept == name
    assert BSN not in text
    assert "not-even" not in text


@pytest.mark.parametrize("value", ["123456789012", "2026-11-22", "12345678X", "a|999990018", "000000000", "http://x|1"])
def test_other_values_stay_as_they_are(value: str) -> None:
    assert redact([("identifier", value)]) == (("identifier", value),)


def test_the_eleven_test() -> None:
    assert passes_eleven_test("999990019")
    assert passes_eleven_test("111222333")
    assert not passes_eleven_test("123456789")
    assert not passes_eleven_test("000000000")

"""Content negotiation (https://hl7.org/fhir/R4/http.html#mime-type)."""

import pytest

from fhir_server.outcome import FhirError
from fhir_server.representation.negotiation import negotiate, prefer_lenient, prefer_return, sent


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/fhir+xml", "xml"),
        ("application/json", "json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.4", "xml"),
        ("application/fhir+json; fhirVersion=4.0", "json"),
        ("application/xml;q=0, application/json;q=0.1", "json"),
    ],
)
def test_accept_chooses_the_format(accept: str, expected: str) -> None:
    assert negotiate({"accept": accept} if accept else {}, ()).format == expected


def test_format_wins_over_accept_and_survives_a_plus_that_became_a_space() -> None:
    assert negotiate({"accept": "application/fhir+json"}, (("_format", "xml"),)).format == "xml"
    assert negotiate({}, (("_format", "application/fhir xml"),)).format == "xml"


@pytest.mark.parametrize(
    ("headers", "parameters"),
    [
        ({"accept": "image/png"}, ()),
        ({"accept": "application/fhir+json; fhirVersion=3.0"}, ()),
        ({}, (("_format", "csv"),)),
    ],
)
def test_what_this_server_cannot_write_is_not_acceptable(
    headers: dict[str, str], parameters: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(FhirError) as refusal:
        negotiate(headers, parameters)
    assert refusal.value.category.status == 406


@pytest.mark.parametrize("parameter", [("_summary", "half"), ("_pretty", "yes")])
def test_a_malformed_parameter_is_named(parameter: tuple[str, str]) -> None:
    with pytest.raises(FhirError) as refusal:
        negotiate({}, (parameter,))
    assert refusal.value.category.status == 400
    assert parameter[0] in refusal.value.diagnostics


def test_a_binary_comes_as_it_is_unless_fhir_is_named() -> None:
    assert negotiate({}, (), binary=True).format == "native"
    assert negotiate({"accept": "*/*"}, (), binary=True).format == "native"
    assert negotiate({"accept": "application/pdf"}, (), binary=True).format == "native"
    assert negotiate({"accept": "application/fhir+json"}, (), binary=True).format == "json"
    assert negotiate({}, (("_format", "json"),), binary=True).format == "json"


def test_what_is_sent_is_told_by_its_content_type() -> None:
    assert sent({}) == "json"
    assert sent({"content-type": "application/fhir+xml; charset=UTF-8"}) == "xml"
    assert sent({"content-type": "application/json-patch+json"}) == "json-patch"
    assert sent({"content-type": "image/png"}, binary=True) == "native"
    assert sent({"content-type": "application/fhir+json"}, binary=True) == "json"


@pytest.mark.parametrize("content_type", ["image/png", "application/fhir+json; charset=latin-1", "text/plain"])
def test_another_content_type_is_unsupported(content_type: str) -> None:
    with pytest.raises(FhirError) as refusal:
        sent({"content-type": content_type})
    assert refusal.value.category.status == 415


def test_prefer_is_read_in_every_spelling() -> None:
    assert prefer_return({"prefer": "return=minimal; handling=lenient"}) == "minimal"
    assert prefer_return({"prefer": 'handling=strict, return="OperationOutcome"'}) == "OperationOutcome"
    assert prefer_return({}) == "representation"
    assert prefer_lenient({"prefer": "handling=lenient"})
    assert not prefer_lenient({"prefer": "handling=strict"})

"""XML by the tables (https://hl7.org/fhir/R4/xml.html): both ways, and what a hostile text gets."""

from decimal import Decimal

import pytest

from fhir_server.outcome import FhirError
from fhir_server.representation import xml
from profiles import json as fhir_json

PATIENT = b"""<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- a comment -->
  <id value="p1"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">Jan <b>de Wit</b>&#160;<br/></div></text>
  <contained><Organization><id value="o"/><name value="Praktijk"/></Organization></contained>
  <active value="true"/>
  <name id="n1"><family value="de Wit"><extension url="http://example.org/x"><valueString value="y"/></extension></family>
    <given value="Jan"/><given id="g2" value="Piet"/></name>
  <birthDate><extension url="http://hl7.org/fhir/StructureDefinition/data-absent-reason">
    <valueCode value="masked"/></extension></birthDate>
  <multipleBirthInteger value="2"/>
</Patient>"""


def test_every_kind_of_element_finds_its_place_in_json() -> None:
    patient = xml.parse(PATIENT)
    assert patient == {
        "resourceType": "Patient",
        "id": "p1",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">Jan <b>de Wit</b>\u00a0<br/></div>',
        },
        "contained": [{"resourceType": "Organization", "id": "o", "name": "Praktijk"}],
        "active": True,
        "name": [
            {
                "id": "n1",
                "family": "de Wit",
                "_family": {"extension": [{"url": "http://example.org/x", "valueString": "y"}]},
                "given": ["Jan", "Piet"],
                "_given": [None, {"id": "g2"}],
            }
        ],
        "_birthDate": {
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
        },
        "multipleBirthInteger": 2,
    }


def test_json_to_xml_and_back_is_the_same_resource() -> None:
    patient = xml.parse(PATIENT)
    assert xml.parse(xml.serialize(patient)) == patient
    assert xml.parse(xml.serialize(patient, pretty=True)) == patient


@pytest.mark.parametrize("digits", ["1.00", "-0.0", "1E-22", "100", "1.000000000000000000E-245"])
def test_a_decimal_keeps_its_digits(digits: str) -> None:
    text = f'{{"resourceType":"Observation","valueQuantity":{{"value":{digits}}}}}'.encode()
    observation = fhir_json.parse(text)
    assert fhir_json.dumps(xml.parse(xml.serialize(observation))) == text


def test_an_integer_beyond_64_bits_in_a_decimal_element_survives() -> None:
    observation = {"resourceType": "Observation", "valueQuantity": {"value": 10**30}}
    assert xml.parse(xml.serialize(observation)) == observation


def test_a_number_beyond_the_limits_stays_text_for_the_validator_to_refuse() -> None:
    text = b'<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1e999999999"/></valueQuantity></Observation>'
    assert xml.parse(text)["valueQuantity"]["value"] == "1e999999999"


def test_named_html_entities_of_a_stored_narrative_become_characters() -> None:
    patient = {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a&nbsp;b &lt;c&gt;</div>'},
    }
    text = xml.serialize(patient)
    assert xml.parse(text)["text"]["div"] == '<div xmlns="http://www.w3.org/1999/xhtml">a\u00a0b &lt;c&gt;</div>'


def test_elements_come_in_the_order_of_the_tables_whatever_the_order_in_json() -> None:
    text = xml.serialize({"resourceType": "Patient", "birthDate": "1990-01-01", "active": True})
    assert text.index(b"<active") < text.index(b"<birthDate")


def test_one_element_too_many_and_unknown_ones_are_kept_for_the_validator() -> None:
    patient = xml.parse(
        b'<Patient xmlns="http://hl7.org/fhir"><birthDate value="1990"/><birthDate value="1991"/><colour value="red"/></Patient>'
    )
    assert patient["birthDate"] == ["1990", "1991"]
    assert patient["colour"] == "red"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "XML"),
        (b"<Patient", "not well-formed"),
        (b"<Patient/>", "namespace"),
        (b'<Nothing xmlns="http://hl7.org/fhir"/>', "not a resource type"),
        (b'<DomainResource xmlns="http://hl7.org/fhir"/>', "not a resource type"),
        (b'<Patient xmlns="http://hl7.org/fhir" colour="red"/>', "no attributes"),
        (b'<Patient xmlns="http://hl7.org/fhir">text</Patient>', "text is not allowed"),
        (b'<Patient xmlns="http://hl7.org/fhir"><active value="true" x="y"/></Patient>', "unknown attribute"),
        (b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/><id value="x"/></Patient>', "wrong place"),
        (b'<Patient xmlns="http://hl7.org/fhir"><contained/></Patient>', "exactly one resource"),
        (b'<Patient xmlns="http://hl7.org/fhir"><a:b xmlns:a="urn:other"/></Patient>', "another namespace"),
        (b'<?xml version="1.0" encoding="UTF-16"?><Patient xmlns="http://hl7.org/fhir"/>', "UTF-8"),
        ('<Patient xmlns="http://hl7.org/fhir"/>'.encode("utf-16"), "XML"),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir">&x;</Patient>',
            "document type",
        ),
        (
            b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Patient xmlns="http://hl7.org/fhir">&b;</Patient>',
            "document type",
        ),
        (b'<Patient xmlns="http://hl7.org/fhir">&undeclared;</Patient>', ""),
        (b'<Patient xmlns="http://hl7.org/fhir">' + b"<contact>" * 5000, ""),
        (
            b'<Patient xmlns="http://hl7.org/fhir">'
            + b'<extension url="u">' * 240
            + b"</extension>" * 240
            + b"</Patient>",
            "",
        ),
        (b"\x00\xff\xfe", ""),
    ],
)
def test_a_text_that_is_no_fhir_xml_is_refused_with_the_rule(text: bytes, rule: str) -> None:
    with pytest.raises(FhirError) as refusal:
        xml.parse(text)
    assert refusal.value.category.status == 400
    assert rule in refusal.value.diagnostics


def test_minus_zero_and_plain_integers_are_told_apart() -> None:
    text = b'<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="-0"/></valueQuantity></Observation>'
    assert xml.parse(text)["valueQuantity"]["value"] == Decimal("-0")

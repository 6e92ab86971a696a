"""Which rows each data type gives: https://hl7.org/fhir/R4/search.html#ptypes."""

from collections.abc import Callable
from decimal import Decimal
from math import inf
from typing import Any

import pytest

from fhir_server.search.dates import SECOND
from fhir_server.search.rows import (
    MAX_TIME,
    MIN_TIME,
    IndexRows,
    NumberRow,
    OfTypeRow,
    PointRow,
    ReferenceRow,
    StringRow,
    TextRow,
    TokenRow,
    UriRow,
)
from tests.fhir_server.search.test_dates import at

Extract = Callable[..., IndexRows]
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def of(rows: list[Any], param: str) -> list[Any]:
    return [row for row in rows if row.param == param]


# --- token ---------------------------------------------------------------------------------------------------------


def test_a_codeable_concept_gives_each_coding_its_display_and_its_text(extract: Extract) -> None:
    concept = {
        "coding": [{"system": LOINC, "code": "8480-6", "display": "Systolic"}, {"code": "x"}],
        "text": "Bovendruk",
    }
    rows = extract("Observation", code=concept)
    assert of(rows.tokens, "code") == [TokenRow("code", LOINC, "8480-6"), TokenRow("code", "", "x")]
    assert of(rows.texts, "code") == [TextRow("code", "systolic"), TextRow("code", "bovendruk")]


def test_a_concept_with_only_a_text_still_counts_as_a_value(extract: Extract) -> None:
    assert of(extract("Observation", code={"text": "Pijn"}).tokens, "code") == [TokenRow("code", "", "")]


def test_an_identifier_gives_its_value_its_type_and_the_text_of_its_type(extract: Extract) -> None:
    kind = {"coding": [{"system": "urn:s", "code": "MR"}], "text": "Dossiernummer"}
    rows = extract("Patient", identifier=[{"system": "urn:i", "value": "12", "type": kind}, {"value": "13"}])
    assert of(rows.tokens, "identifier") == [TokenRow("identifier", "urn:i", "12"), TokenRow("identifier", "", "13")]
    assert rows.of_types == [OfTypeRow("identifier", "urn:s", "MR", "12")]
    assert of(rows.texts, "identifier") == [TextRow("identifier", "dossiernummer")]


def test_a_bound_code_has_the_system_of_its_value_set(extract: Extract) -> None:
    rows = extract("Patient", gender="female")
    assert of(rows.tokens, "gender") == [TokenRow("gender", "http://hl7.org/fhir/administrative-gender", "female")]


@pytest.mark.parametrize("value, expected", [(True, "true"), (False, "false")])
def test_a_boolean_is_true_or_false(extract: Extract, value: bool, expected: str) -> None:
    assert of(extract("Patient", active=value).tokens, "active") == [TokenRow("active", "", expected)]


def test_a_telephone_number_is_filed_with_and_without_punctuation_and_only_under_its_kind(extract: Extract) -> None:
    telecom = [{"system": "phone", "value": "045 - 123 45 67"}, {"system": "email", "value": "A.B@Wijk.example"}]
    rows = extract("Patient", telecom=telecom)
    assert of(rows.tokens, "phone") == [
        TokenRow("phone", "phone", "045 - 123 45 67"),
        TokenRow("phone", "phone", "0451234567"),
    ]
    assert [row.code for row in of(rows.tokens, "email")] == ["A.B@Wijk.example"]
    assert len(of(rows.tokens, "telecom")) == 3


@pytest.mark.parametrize(
    "elements, expected",
    [
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedDateTime": "2020"}, "true"),
        ({}, "false"),
    ],
)
def test_deceased_takes_the_fhirpath_engine(extract: Extract, elements: dict[str, Any], expected: str) -> None:
    """Patient.deceased.exists() and Patient.deceased != false: the one expression of R4 that is not a path."""
    assert of(extract("Patient", **elements).tokens, "deceased") == [TokenRow("deceased", "", expected)]


def test_tags_and_security_labels_are_found_on_every_type(extract: Extract) -> None:
    meta = {"tag": [{"system": "urn:t", "code": "a"}], "security": [{"code": "R"}], "source": "urn:bron"}
    rows = extract("Basic", meta=meta | {"profile": ["http://p.example/x|2"]})
    assert of(rows.tokens, "_tag") == [TokenRow("_tag", "urn:t", "a")]
    assert of(rows.tokens, "_security") == [TokenRow("_security", "", "R")]
    assert of(rows.uris, "_source") == [UriRow("_source", "urn:bron")]
    assert of(rows.uris, "_profile") == [
        UriRow("_profile", "http://p.example/x|2"),
        UriRow("_profile", "http://p.example/x"),
    ]


def test_id_and_last_updated_are_columns_and_no_rows(extract: Extract) -> None:
    rows = extract("Basic", id="x", meta={"lastUpdated": "2026-01-01T00:00:00Z"})
    assert (rows.tokens, rows.dates) == ([], [])


# --- string --------------------------------------------------------------------------------------------------------


def test_a_name_is_found_by_each_part_and_as_a_whole(extract: Extract) -> None:
    rows = extract(
        "Patient", name=[{"family": "van der Berg", "given": ["Zoë", "Ria"], "prefix": ["mw."], "text": "Zoë B."}]
    )
    assert [row.normal for row in of(rows.strings, "name")] == [
        "mw.",
        "zoe",
        "ria",
        "van der berg",
        "zoe ria van der berg",
        "zoe b.",
    ]
    assert of(rows.strings, "family") == [StringRow("family", "van der berg", "van der Berg")]
    assert [row.exact for row in of(rows.strings, "given")] == ["Zoë", "Ria"]


def test_an_address_is_found_by_each_part_and_as_a_whole(extract: Extract) -> None:
    rows = extract("Patient", address=[{"line": ["Markt 1"], "postalCode": "6431 LR", "city": "Hoensbroek"}])
    assert [row.normal for row in of(rows.strings, "address")] == [
        "markt 1",
        "hoensbroek",
        "6431 lr",
        "markt 1 6431 lr hoensbroek",
    ]
    assert of(rows.strings, "address-postalcode") == [StringRow("address-postalcode", "6431 lr", "6431 LR")]


@pytest.mark.parametrize(
    "one, other", [("Jansen", "Janssen"), ("Meijer", "Meyer"), ("Smit", "Smid"), ("Robert", "Rupert")]
)
def test_names_that_sound_alike_have_the_same_phonetic_row(extract: Extract, one: str, other: str) -> None:
    rows = [of(extract("Patient", name=[{"family": name}]).strings, "phonetic")[0].normal for name in (one, other)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    "word, code", [("Tymczak", "t522"), ("Pfister", "p236"), ("Ashcraft", "a261"), ("Lee", "l000")]
)
def test_soundex_follows_the_archives_rules(extract: Extract, word: str, code: str) -> None:
    """https://www.archives.gov/research/census/soundex: its own examples."""
    assert of(extract("Patient", name=[{"family": word}]).strings, "phonetic")[0].normal == code


def test_a_dutch_family_name_is_found_without_its_prefix(extract: Extract) -> None:
    """nl-core-NameInformation: van der Berg - Smit."""
    own, partner = (f"http://hl7.org/fhir/StructureDefinition/humanname-{whose}-name" for whose in ("own", "partner"))
    twin = {"extension": [{"url": own, "valueString": "Berg"}, {"url": partner, "valueString": "Smit"}, {"url": "x"}]}
    rows = extract("Patient", name=[{"family": "van der Berg - Smit", "_family": twin}])
    assert [row.normal for row in of(rows.strings, "name")] == ["van der berg - smit", "berg", "smit"]


def test_a_null_in_a_primitive_array_is_passed_over(extract: Extract) -> None:
    rows = extract("Patient", name=[{"given": [None, "Jan"], "_given": [{"id": "x"}, None]}])
    assert [row.exact for row in of(rows.strings, "given")] == ["Jan"]
    assert [row.exact for row in of(rows.strings, "name")] == ["Jan"]


# --- reference -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference, expected",
    [
        ("Patient/1", ("Patient", "1", "", "")),
        ("Patient/1/_history/2", ("Patient", "1", "", "2")),
        ("https://wijk.example/fhir/Patient/1", ("Patient", "1", "", "")),
        ("https://elders.example/fhir/Patient/1", ("Patient", "", "https://elders.example/fhir/Patient/1", "")),
        ("https://elders.example/r4/Patient/1/_history/3", ("Patient", "", "https://elders.example/r4/Patient/1", "3")),
        (
            "urn:uuid:0c4ad9c4-41b8-4f2c-9a5e-7a0f5a6e1111",
            ("", "", "urn:uuid:0c4ad9c4-41b8-4f2c-9a5e-7a0f5a6e1111", ""),
        ),
        ("#inside", ("", "", "#inside", "")),
    ],
)
def test_a_reference_is_here_elsewhere_or_inside(extract: Extract, reference: str, expected: tuple[str, ...]) -> None:
    rows = extract("Observation", subject={"reference": reference})
    assert of(rows.references, "subject") == [ReferenceRow("subject", *expected, "", "")]


def test_patient_is_filed_only_if_the_subject_is_one(extract: Extract) -> None:
    assert of(extract("Observation", subject={"reference": "Patient/1"}).references, "patient")
    assert not of(extract("Observation", subject={"reference": "Group/1"}).references, "patient")
    assert not of(extract("Observation", subject={"reference": "#inside"}).references, "patient")


def test_a_logical_reference_has_its_identifier_and_its_stated_type(extract: Extract) -> None:
    subject = {"type": "Patient", "identifier": {"system": "urn:bsn", "value": "9"}, "display": "Jan B."}
    rows = extract("Observation", subject=subject)
    assert of(rows.references, "patient") == [ReferenceRow("patient", "Patient", "", "", "", "urn:bsn", "9")]
    assert of(rows.texts, "subject") == [TextRow("subject", "jan b.")]


def test_a_canonical_is_filed_by_url_and_version(extract: Extract) -> None:
    rows = extract("QuestionnaireResponse", questionnaire="http://q.example/welzijn|1.2")
    assert of(rows.references, "questionnaire") == [
        ReferenceRow("questionnaire", "", "", "http://q.example/welzijn", "1.2", "", "")
    ]


def test_a_document_bundle_refers_to_its_composition_and_a_message_to_its_header(extract: Extract) -> None:
    entry = [
        {"resource": {"resourceType": "Composition", "id": "c"}},
        {"resource": {"resourceType": "Patient", "id": "p"}},
    ]
    rows = extract("Bundle", entry=entry)
    assert [(row.param, row.type, row.id) for row in rows.references] == [("composition", "Composition", "c")]


# --- date ----------------------------------------------------------------------------------------------------------


def test_a_partial_date_is_filed_in_the_zone_of_the_deployment(extract: Extract) -> None:
    row = of(extract("Patient", birthDate="1970-06-15").dates, "birthdate")[0]
    assert (row.low, row.high) == (at(1970, 6, 14, 23), at(1970, 6, 15, 23))


@pytest.mark.parametrize(
    "period, low, high",
    [
        ({"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}, at(2026, 1, 1), at(2026, 1, 2) + SECOND),
        ({"start": "2026-01-01T00:00:00Z"}, at(2026, 1, 1), MAX_TIME),
        ({"end": "2026-01-01T00:00:00Z"}, MIN_TIME, at(2026, 1, 1) + SECOND),
    ],
)
def test_a_period_without_an_end_stays_open(extract: Extract, period: dict[str, str], low: int, high: int) -> None:
    row = of(extract("Encounter", period=period).dates, "date")[0]
    assert (row.low, row.high) == (low, high)


def test_of_a_timing_only_the_outer_limits_matter(extract: Extract) -> None:
    timing = {"event": ["2026-03-01T10:00:00Z", "2026-02-01T10:00:00Z"]}
    row = of(extract("ServiceRequest", occurrenceTiming=timing).dates, "occurrence")[0]
    assert (row.low, row.high) == (at(2026, 2, 1, 10), at(2026, 3, 1, 10) + SECOND)
    bounds = {"repeat": {"boundsPeriod": {"start": "2026-02-01T10:00:00Z"}}}
    assert of(extract("ServiceRequest", occurrenceTiming=bounds).dates, "occurrence")[0].high == MAX_TIME


# --- quantity and number -------------------------------------------------------------------------------------------


def quantity(extract: Extract, **value: Any) -> Any:
    return of(extract("Observation", valueQuantity=value).quantities, "value-quantity")[0]


def test_a_ucum_quantity_is_filed_in_base_units_too(extract: Extract) -> None:
    milli = quantity(extract, value=Decimal("5.0"), unit="mmol/L", system=UCUM, code="mmol/L")
    whole = quantity(extract, value=Decimal("0.005"), unit="mol/L", system=UCUM, code="mol/L")
    assert (milli.low, milli.high, milli.unit) == (5.0, 5.0, "mmol/L")
    assert milli[6:9] == whole[6:9]
    assert milli.canonical_code


def test_a_quantity_without_ucum_has_no_canonical_unit(extract: Extract) -> None:
    row = quantity(extract, value=3, unit="tabletten")
    assert row == ("value-quantity", 3.0, 3.0, "", "", "tabletten", 3.0, 3.0, "", 0)


@pytest.mark.parametrize("comparator, low, high", [("<", -inf, 5), ("<=", -inf, 5), (">", 5, inf), (">=", 5, inf)])
def test_a_comparator_opens_the_range(extract: Extract, comparator: str, low: float, high: float) -> None:
    row = quantity(extract, value=5, comparator=comparator, system=UCUM, code="1")
    assert (row.low, row.high, row.canonical_low, row.canonical_high) == (low, high, low, high)


def test_a_range_is_filed_from_low_to_high(extract: Extract) -> None:
    onset = {
        "low": {"value": 40, "unit": "a", "system": UCUM, "code": "a"},
        "high": {"value": 50, "system": UCUM, "code": "a"},
    }
    row = of(extract("Condition", onsetRange=onset).quantities, "onset-age")[0]
    assert (row.low, row.high, row.code) == (40.0, 50.0, "a")
    assert of(extract("Condition", onsetRange={"high": {"value": 50}}).quantities, "onset-age")[0].low == -inf


def test_an_age_is_a_quantity(extract: Extract) -> None:
    row = of(extract("Condition", onsetAge={"value": 52, "system": UCUM, "code": "a"}).quantities, "onset-age")[0]
    assert (row.low, row.canonical_code) == (52.0, "s")


def test_money_is_in_its_currency(extract: Extract) -> None:
    row = of(extract("Invoice", totalNet={"value": Decimal("12.50"), "currency": "EUR"}).quantities, "totalnet")[0]
    assert (row.low, row.system, row.code) == (12.5, "urn:iso:std:iso:4217", "EUR")


def test_sampled_data_is_filed_as_the_range_of_its_samples(extract: Extract) -> None:
    sampled = {"origin": {"value": 10, "unit": "mV"}, "period": 1, "factor": 2, "dimensions": 1, "data": "-1 0 3 E"}
    row = of(extract("Observation", valueSampledData=sampled).quantities, "value-quantity")[0]
    assert (row.low, row.high, row.unit) == (8.0, 16.0, "mV")
    beyond = of(extract("Observation", valueSampledData=sampled | {"data": "1 U"}).quantities, "value-quantity")[0]
    assert (beyond.low, beyond.high) == (12.0, inf)


def test_a_stored_number_is_a_point(extract: Extract) -> None:
    rows = extract("RiskAssessment", prediction=[{"probabilityDecimal": Decimal("0.80")}])
    assert of(rows.numbers, "probability") == [NumberRow("probability", 0.8, 0.8)]


# --- composite, special, text --------------------------------------------------------------------------------------


def test_the_components_of_one_occurrence_share_a_group(extract: Extract) -> None:
    def part(code: str, value: int) -> dict[str, Any]:
        return {
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg"},
        }

    rows = extract("Observation", code={"text": "bloeddruk"}, component=[part("8480-6", 120), part("8462-4", 80)])
    codes = [(row.code, row.group) for row in of(rows.tokens, "component-code-value-quantity$0")]
    values = [(row.low, row.group) for row in of(rows.quantities, "component-code-value-quantity$1")]
    assert codes == [("8480-6", 1), ("8462-4", 2)]
    assert values == [(120.0, 1), (80.0, 2)]


def test_an_occurrence_that_lacks_a_component_gives_no_composite_rows(extract: Extract) -> None:
    rows = extract("Observation", code={"coding": [{"code": "x"}]}, valueString="hoog")
    assert {row.param for row in rows.tokens if "$" in row.param} == {"code-value-string$0"}


def test_a_component_may_look_at_the_whole_resource(extract: Extract) -> None:
    """MolecularSequence chromosome-variant-coordinate: %resource.referenceSeq.chromosome."""
    sequence = {"chromosome": {"coding": [{"code": "7"}]}, "windowStart": 1, "windowEnd": 9}
    rows = extract("MolecularSequence", coordinateSystem=0, referenceSeq=sequence, variant=[{"start": 3, "end": 4}])
    assert of(rows.tokens, "chromosome-variant-coordinate$0") == [
        TokenRow("chromosome-variant-coordinate$0", "", "7", 1)
    ]
    assert of(rows.numbers, "chromosome-variant-coordinate$2")[0].low == 4.0


def test_a_location_has_a_point(extract: Extract) -> None:
    position = {"longitude": Decimal("5.925"), "latitude": Decimal("50.920")}
    assert extract("Location", position=position).points == [PointRow("near", 50.92, 5.925)]


def test_narrative_and_content_hold_the_words_and_not_the_keys(extract: Extract) -> None:
    rows = extract(
        "Basic",
        id="geheim-id",
        text={"status": "generated", "div": "<div>Samen <b>eten</b></div>"},
        code={"coding": [{"system": "http://s.example", "code": "inloop", "display": "Café"}]},
        subject={"reference": "Patient/7", "display": "Ria"},
    )
    assert rows.narrative == "samen eten"
    assert rows.content == "generated inloop cafe ria samen eten"


def test_no_row_is_filed_twice(extract: Extract) -> None:
    rows = extract("Patient", name=[{"family": "Jan", "given": ["Jan"]}, {"family": "Jan"}])
    assert len(set(rows.strings)) == len(rows.strings)

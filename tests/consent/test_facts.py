"""Section 2 of the consent rules, what they ask of a resource: labels, codes, times, authors, references, patients."""

import json
from pathlib import Path
from typing import Any

import pytest

from consent.elements import AUTHORS, CODES, CUSTODIANS, DOCUMENTS
from consent.facts import facts
from consent.model import FOREVER, ResourceFacts
from profiles.registry import load
from tests.consent.wijk import LOINC, ZONE, at, coding, concept, confidentiality, sensitivity

Json = dict[str, Any]
COMPARTMENT = {"Observation": ("subject",), "Appointment": ("participant.actor",), "Group": ("member.entity",)}


def read(kind: str, /, **elements: Any) -> ResourceFacts:
    return facts({"resourceType": kind, "id": "a"} | elements, COMPARTMENT, ZONE)


def labelled(*labels: Json) -> ResourceFacts:
    return read("Observation", meta={"security": list(labels)})


# --- patients ----------------------------------------------------------------------------------------------------


def test_patients_come_from_the_compartment_definition() -> None:
    assert read("Observation", subject={"reference": "Patient/1"}).patients == ("1",)
    assert read("Observation", subject={"reference": "Patient/1/_history/3"}).patients == ("1",)
    assert read("Observation", focus=[{"reference": "Patient/2"}]).patients == ()
    several = [
        {"actor": {"reference": "Patient/2"}},
        {"actor": {"reference": "Patient/1"}},
        {"actor": {"reference": "Location/1"}},
    ]
    assert read("Appointment", participant=several).patients == ("1", "2")
    assert read("Patient").patients == ("a",)


def test_the_caller_may_know_the_patients_better() -> None:
    found = facts({"resourceType": "Provenance", "id": "a"}, COMPARTMENT, ZONE, patients=["2", "1", "2"])
    assert found.patients == ("1", "2")


# --- labels ------------------------------------------------------------------------------------------------------


def test_unlabelled_is_normal() -> None:
    plain = read("Observation")
    assert (plain.confidentiality, plain.labels, plain.labels_unclear) == (3, frozenset(), False)


def test_the_strictest_of_several_labels_counts() -> None:
    assert labelled(confidentiality("L"), confidentiality("R"), confidentiality("N")).confidentiality == 4
    assert labelled(confidentiality("U")).confidentiality == 0


def test_other_labels_are_sensitivities() -> None:
    found = labelled(sensitivity("HIV"), confidentiality("R"))
    assert found.labels == {("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HIV")}


@pytest.mark.parametrize("label", [{"display": "gevoelig"}, {"code": "R"}, {"system": "urn:x"}, None])
def test_a_label_without_a_system_or_a_code_is_unclear(label: Any) -> None:
    assert labelled(label).labels_unclear


def test_a_document_is_as_confidential_as_it_says() -> None:
    assert read("DocumentReference", securityLabel=[concept("v3-Confidentiality", "V")]).confidentiality == 5
    assert read("DocumentReference", securityLabel=[{"text": "geheim"}]).labels_unclear
    assert read("Composition", confidentiality="R").confidentiality == 4


# --- codes -------------------------------------------------------------------------------------------------------


def test_every_coding_of_the_principal_code_counts() -> None:
    found = read("Observation", code={"coding": [coding(LOINC, "85354-9") | {"version": "2.72"}, coding("urn:x", "b")]})
    assert found.codes == {(LOINC, "85354-9"), ("urn:x", "b")}
    assert not found.codes_unclear


@pytest.mark.parametrize("code", [{"text": "bloeddruk"}, {"coding": [{"code": "85354-9"}]}, {}, {"coding": []}])
def test_a_code_in_words_only_is_unclear(code: Json) -> None:
    found = read("Observation", code=code)
    assert (found.codes, found.codes_unclear) == (frozenset(), True)


def test_a_missing_code_is_unclear_and_a_type_without_one_lacks_nothing() -> None:
    assert read("AllergyIntolerance").codes_unclear
    assert not read("RelatedPerson").codes_unclear
    assert not read("Patient").codes_unclear


def test_a_medication_may_be_a_code_a_contained_resource_or_elsewhere() -> None:
    medicine = {"coding": [coding("urn:atc", "N02")]}
    assert read("MedicationRequest", medicationCodeableConcept=medicine).codes == {("urn:atc", "N02")}
    inside = read(
        "MedicationRequest",
        contained=[{"resourceType": "Medication", "id": "m", "code": medicine}],
        medicationReference={"reference": "#m"},
    )
    assert (inside.codes, inside.codes_unclear) == ({("urn:atc", "N02")}, False)
    assert read("MedicationRequest", medicationReference={"reference": "Medication/1"}).codes_unclear


def test_codes_of_contained_resources_are_kept_apart() -> None:
    inner = {"resourceType": "Condition", "id": "i", "code": concept(LOINC, "1-8")}
    found = read("Observation", code=concept(LOINC, "85354-9"), contained=[inner])
    assert (found.codes, found.contained_codes) == ({(LOINC, "85354-9")}, {(LOINC, "1-8")})


def test_a_bundle_is_what_its_entries_are() -> None:
    inner = {
        "resourceType": "Condition",
        "meta": {"security": [confidentiality("V"), sensitivity("PSY")]},
        "code": concept(LOINC, "1-8"),
        "contained": [{"resourceType": "Condition", "id": "x", "code": concept(LOINC, "2-8")}],
    }
    nested = {"resourceType": "Bundle", "entry": [{"resource": inner}]}
    found = read("Bundle", entry=[{"resource": nested}, {"fullUrl": "urn:uuid:1"}])
    assert found.types_within == {"Bundle", "Condition"}
    assert found.contained_codes == {(LOINC, "1-8"), (LOINC, "2-8")}
    assert found.confidentiality == 5
    assert found.labels == {("http://terminology.hl7.org/CodeSystem/v3-ActCode", "PSY")}


# --- class -------------------------------------------------------------------------------------------------------


def test_a_documents_class_is_its_type_category_and_format() -> None:
    found = read(
        "DocumentReference",
        type=concept(LOINC, "34133-9"),
        category=[concept(LOINC, "11488-4")],
        content=[{"attachment": {"contentType": "application/pdf"}}],
    )
    assert found.documents == {(LOINC, "34133-9"), (LOINC, "11488-4"), ("urn:ietf:bcp:13", "application/pdf")}
    assert not found.documents_unclear
    assert read("DocumentReference", type={"text": "brief"}).documents_unclear
    assert read("DocumentReference").documents_unclear
    assert not read("Observation", category=[concept(LOINC, "11488-4")]).documents_unclear


# --- time --------------------------------------------------------------------------------------------------------

DAY = (at("2026-11-05T00:00:00"), at("2026-11-06T00:00:00"))


@pytest.mark.parametrize(
    "type, elements",
    [
        ("Observation", {"effectiveDateTime": "2026-11-05", "issued": "2020-01-01T00:00:00Z"}),
        ("Observation", {"effectivePeriod": {"start": "2026-11-05", "end": "2026-11-05"}}),
        ("Observation", {"effectiveTiming": {"event": ["2026-11-05"]}}),
        (
            "Observation",
            {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2026-11-05", "end": "2026-11-05"}}}},
        ),
        ("Procedure", {"performedDateTime": "2026-11-05"}),
        ("Immunization", {"occurrenceDateTime": "2026-11-05", "recorded": "2020"}),
        ("Encounter", {"period": {"start": "2026-11-05", "end": "2026-11-05"}}),
        ("Condition", {"onsetDateTime": "2026-11-05", "abatementDateTime": "2026-11-05"}),
        ("Condition", {"onsetAge": {"value": 40}, "recordedDate": "2026-11-05"}),
        ("MedicationRequest", {"authoredOn": "2026-11-05"}),
        ("QuestionnaireResponse", {"authored": "2026-11-05"}),
        ("Composition", {"date": "2026-11-05", "meta": {"lastUpdated": "2026-11-20T00:00:00Z"}}),
        ("Specimen", {"collection": {"collectedDateTime": "2026-11-05"}}),
    ],
)
def test_clinical_time_then_authored_then_last_updated(type: str, elements: Json) -> None:
    assert read(type, **elements).interval == DAY


def test_last_updated_is_what_is_left() -> None:
    moment = at("2026-11-05T10:00:00+00:00")
    assert read("RelatedPerson", meta={"lastUpdated": "2026-11-05T10:00:00.000Z"}).interval == (moment, moment + 1000)
    assert read("RelatedPerson").interval is None


def test_a_condition_lasts_until_it_abates() -> None:
    assert read("Condition", onsetDateTime="2026-11-05").interval == (DAY[0], FOREVER)
    assert read("Condition", onsetDateTime="2026-11-01", abatementDateTime="2026-11-05").interval == (
        at("2026-11-01T00:00:00"),
        DAY[1],
    )
    assert read("Condition", onsetDateTime="2026-11-05", abatementString="vorig jaar").interval == (DAY[0], FOREVER)


def test_an_appointment_lasts_from_start_to_end() -> None:
    start, end = "2026-11-05T10:00:00+01:00", "2026-11-05T10:30:00+01:00"
    assert read("Appointment", start=start, end=end).interval == (at(start), at(end) + 1_000_000)
    assert read("Appointment", start=start).interval == (at(start), at(start) + 1_000_000)


# --- authors, custodians, references -----------------------------------------------------------------------------


def test_authors_are_those_who_made_the_record() -> None:
    found = read("Condition", recorder={"reference": "Practitioner/1"}, asserter={"reference": "Patient/1"})
    assert (found.authors, found.authors_unclear) == ({"Practitioner/1", "Patient/1"}, False)
    performed = read("Procedure", performer=[{"actor": {"reference": "Practitioner/2"}}])
    assert performed.authors == {"Practitioner/2"}


def test_who_is_asked_to_act_has_written_nothing() -> None:
    found = read(
        "ServiceRequest", requester={"reference": "Practitioner/1"}, performer=[{"reference": "Practitioner/2"}]
    )
    assert found.authors == {"Practitioner/1"}


def test_an_author_that_is_missing_or_not_by_reference_is_unclear() -> None:
    assert read("Observation").authors_unclear
    in_words = read("Observation", performer=[{"reference": "Practitioner/1"}, {"display": "de zuster"}])
    assert (in_words.authors, in_words.authors_unclear) == ({"Practitioner/1"}, True)


def test_provenance_adds_authors_and_custodians() -> None:
    found = facts(
        {"resourceType": "Encounter", "id": "a"}, {}, ZONE, authors=["Practitioner/1"], custodians=["Organization/1"]
    )
    assert (found.authors, found.authors_unclear) == ({"Practitioner/1"}, False)
    assert (found.custodians, found.custodians_unclear) == ({"Organization/1"}, False)


def test_custodians_are_those_who_keep_the_record() -> None:
    assert read("Encounter", serviceProvider={"reference": "Organization/1"}).custodians == {"Organization/1"}
    assert read("Observation").custodians_unclear


def test_all_literal_references_go_out_and_no_others() -> None:
    found = read(
        "Observation",
        subject={"reference": "Patient/1"},
        encounter={"reference": "Encounter/2/_history/4"},
        hasMember=[
            {"reference": "https://elders.nl/fhir/Observation/3"},
            {"reference": "urn:uuid:1"},
            {"display": "x"},
        ],
        contained=[
            {"resourceType": "Specimen", "id": "s", "collection": {"collector": {"reference": "Practitioner/5"}}}
        ],
    )
    assert found.references == {"Patient/1", "Encounter/2", "Practitioner/5"}


# --- the tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table", [CODES, DOCUMENTS, AUTHORS, CUSTODIANS], ids=["codes", "documents", "authors", "custodians"]
)
def test_the_tables_name_elements_that_r4_has(table: dict[str, tuple[str, ...]]) -> None:
    registry = load()
    for kind, paths in table.items():
        for path in paths:
            here = kind
            for name in path.split("."):
                found = {e.name: e for e in registry.types[here].elements}[name.removesuffix("[x]")]
                assert found.choice == name.endswith("[x]"), (kind, path)
                here = found.types[0]


def test_every_official_example_has_facts(definition_packages: Path) -> None:
    examples = sorted((definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package").glob("*.json"))
    types = set()
    for path in examples:
        resource = json.loads(path.read_bytes())
        if resource.get("resourceType") in load().resource_types:
            found = facts(resource, COMPARTMENT, ZONE)
            assert found.type == resource["resourceType"]
            types.add(found.type)
    assert len(types) > 100


# --- Nothing there, and everything ------------------------------------------------------------------------------


def test_a_record_that_says_nothing_has_no_facts_but_those_it_lacks() -> None:
    assert facts({}, COMPARTMENT, ZONE) == ResourceFacts(type="", id="")
    # Identity matters too: what is false is False, for whoever files it.
    plain = read("Basic", code=concept(LOINC, "1-8"), author={"reference": "Practitioner/1"})
    assert (plain.labels_unclear, plain.codes_unclear, plain.contained_codes_unclear) == (False, False, False)
    assert {type(value) for value in (plain.documents_unclear, plain.authors_unclear, plain.personal)} == {bool}
    assert {type(value) for value in (plain.codes_unclear, plain.contained_codes_unclear, plain.labels_unclear)} == {
        bool
    }
    assert (plain.documents_unclear, plain.authors_unclear, plain.personal) == (False, False, False)


def test_a_document_with_all_there_is() -> None:
    inner = {"resourceType": "Observation", "id": "i", "code": {"text": "bloeddruk"}}
    found = facts(
        {
            "resourceType": "DocumentReference",
            "id": "d",
            "meta": {"lastUpdated": "2026-01-02T00:00:00Z", "security": [sensitivity("HIV"), confidentiality("L")]},
            "contained": [inner],
            "subject": {"reference": "Patient/1"},
            "type": concept(LOINC, "34133-9"),
            "category": [{"text": "brief"}],
            "author": [{"reference": "Practitioner/1"}],
            "custodian": {"reference": "Organization/1"},
            "securityLabel": [concept("v3-Confidentiality", "R")],
            "date": "2026-01-01T00:00:00Z",
        },
        {"DocumentReference": ("subject",)},
        ZONE,
        personal=True,
    )
    assert found == ResourceFacts(
        type="DocumentReference",
        id="d",
        patients=("1",),
        confidentiality=4,
        labels=frozenset({("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HIV")}),
        labels_unclear=False,
        codes=frozenset({(LOINC, "34133-9")}),
        codes_unclear=False,
        contained_codes=frozenset(),
        contained_codes_unclear=True,
        documents=frozenset({(LOINC, "34133-9")}),
        documents_unclear=True,
        interval=(at("2026-01-01T00:00:00+00:00"), at("2026-01-01T00:00:01+00:00")),
        authors=frozenset({"Practitioner/1"}),
        authors_unclear=False,
        custodians=frozenset({"Organization/1"}),
        custodians_unclear=False,
        references=frozenset({"Patient/1", "Practitioner/1", "Organization/1"}),
        personal=True,
    )
    assert found.reference == "DocumentReference/d"


@pytest.mark.parametrize("words_first", [True, False])
def test_one_code_in_words_leaves_all_in_doubt_wherever_it_stands(words_first: bool) -> None:
    several = [concept(LOINC, "1-8"), {"text": "iets anders"}]
    found = read("Encounter", type=several[:: -1 if words_first else 1], **{"class": coding(LOINC, "2-8")})
    assert (found.codes, found.codes_unclear) == ({(LOINC, "1-8"), (LOINC, "2-8")}, True)


def test_a_coding_of_a_concept_that_is_whole_is_enough() -> None:
    found = read("Observation", code={"coding": [{"display": "bloeddruk"}, coding(LOINC, "85354-9"), None]})
    assert (found.codes, found.codes_unclear) == ({(LOINC, "85354-9")}, False)


def test_a_confidentiality_of_another_system_is_a_label_like_any_other() -> None:
    found = labelled(coding("urn:x", "V"), coding("v3-Confidentiality", "PSY"))
    assert found.confidentiality == 3
    assert found.labels == {("urn:x", "V"), ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "PSY")}


def test_an_end_without_an_offset_is_in_the_zone_of_the_deployment() -> None:
    found = read("Appointment", start="2026-01-01T00:00:00Z", end="2026-01-01T10:00")
    assert found.interval == (at("2026-01-01T00:00:00+00:00"), at("2026-01-01T10:01:00+01:00"))


def test_only_a_bundle_has_entries() -> None:
    entry = {"resource": {"resourceType": "Condition", "code": concept(LOINC, "1-8")}}
    assert read("Basic", entry=[entry]).types_within == frozenset()
    assert read("Bundle", entry=[entry]).types_within == {"Condition"}

"""Chains and reverse chains: https://hl7.org/fhir/R4/search.html#chaining and #has."""

from collections.abc import Callable

import pytest

from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import Chain, Has, Ids, Missing, Not, Or, Predicate, String, Token

Where = Callable[..., Predicate]


def test_a_chain_names_the_type_it_leads_to(where: Where) -> None:
    assert where("DiagnosticReport", "subject:Patient.name=peter") == Chain(
        "subject", "Patient", String("name", "starts", "peter")
    )


def test_a_chain_without_a_type_leads_to_each_target_that_has_the_parameter(where: Where) -> None:
    assert where("Observation", "subject.name=peter") == Or(
        (
            Chain("subject", "Location", String("name", "starts", "peter")),
            Chain("subject", "Patient", String("name", "starts", "peter")),
        )
    )


def test_patient_leads_to_patients_only(where: Where) -> None:
    assert where("Observation", "patient.identifier=9") == Chain("patient", "Patient", Token("identifier", None, "9"))


def test_a_chain_may_be_long_and_its_last_link_may_have_a_modifier(where: Where) -> None:
    assert where("Observation", "encounter.location:Location.organization.name:exact=X") == Chain(
        "encounter",
        "Encounter",
        Chain("location", "Location", Chain("organization", "Organization", String("name", "exact", "X"))),
    )


def test_the_alternatives_of_a_chain_hold_of_the_same_resource(where: Where) -> None:
    assert where("Patient", "organization.name:missing=true") == Chain(
        "organization", "Organization", Missing("name", True)
    )
    assert where("Patient", "organization.type:not=a,b") == Chain(
        "organization", "Organization", Not(Or((Token("type", None, "a"), Token("type", None, "b"))))
    )


def test_common_parameters_can_be_chained_to(where: Where) -> None:
    assert where("Patient", "organization._id=1") == Chain("organization", "Organization", Ids(("1",)))


def test_has_looks_from_the_other_side(where: Where) -> None:
    assert where("Patient", "_has:Observation:patient:code=1234-5") == Has(
        "Observation", "patient", Token("code", None, "1234-5")
    )


def test_has_may_be_nested_and_mixed_with_chains(where: Where) -> None:
    assert where("Patient", "_has:Observation:patient:_has:AuditEvent:entity:agent=Device/1") == Has(
        "Observation", "patient", Has("AuditEvent", "entity", where("AuditEvent", "agent=Device/1"))
    )
    assert where("Encounter", "patient._has:Group:member:_id=102") == Chain(
        "patient", "Patient", Has("Group", "member", Ids(("102",)))
    )
    assert where("Patient", "_has:Observation:patient:performer:Practitioner.name=x") == Has(
        "Observation", "patient", Chain("performer", "Practitioner", String("name", "starts", "x"))
    )


def test_alternatives_within_has_stay_within_it(where: Where) -> None:
    assert where("Patient", "_has:Observation:patient:code=a,b") == Has(
        "Observation", "patient", Or((Token("code", None, "a"), Token("code", None, "b")))
    )


@pytest.mark.parametrize(
    "pair",
    [
        "gender.name=x",  # not a reference
        "organization:Practitioner.name=x",  # not a target
        "organization.onzin=x",  # no such parameter there
        "organization.=x",
        "onzin.name=x",
        "_has:Observation:patient=x",
        "_has:Observation=x",
        "_has:Onzin:patient:code=x",
        "_has:Observation:onzin:code=x",
        "_has:Observation:code:code=x",
        "_has:Observation:encounter:code=x",  # does not refer to Patient
        "_has:Observation:patient:onzin=x",
        "_has:::=x",
    ],
)
def test_a_chain_that_leads_nowhere_is_refused(where: Where, pair: str) -> None:
    with pytest.raises(FhirError) as caught:
        where("Patient", pair)
    assert caught.value.category.status == 400


def test_a_bad_value_is_told_of_the_type_that_has_the_parameter(where: Where) -> None:
    with pytest.raises(FhirError, match="not a date"):
        where("Observation", "subject.birthdate=gisteren")


def test_an_unknown_parameter_at_the_end_is_told_rather_than_that_a_target_leads_elsewhere(where: Where) -> None:
    with pytest.raises(FhirError, match="`onzin` is not known for Account"):
        where("Observation", "focus.onzin=x")


def test_a_chain_of_ten_links_is_read_and_one_of_eleven_refused(where: Where) -> None:
    assert isinstance(where("Location", "partof." * 10 + "name=x"), Chain)
    with pytest.raises(FhirError, match="10 links"):
        where("Location", "partof." * 11 + "name=x")
    with pytest.raises(FhirError, match="links"):
        where("Patient", "_has:Observation:patient:" + "_has:Observation:has-member:" * 12 + "code=x")


def test_a_chain_that_fans_out_over_all_types_is_too_costly(where: Where) -> None:
    with pytest.raises(FhirError) as caught:
        where("Observation", "focus.focus.focus.focus.focus.focus.focus.focus._id=x")
    assert caught.value.category is Category.TOO_COSTLY


def test_many_short_chains_to_all_types_are_too_costly_together(where: Where) -> None:
    assert where("Observation", "focus._id=x", "focus._id=y")
    with pytest.raises(FhirError) as caught:
        where("Observation", "focus._id=x", "focus._id=y", "focus._id=z")
    assert caught.value.category is Category.TOO_COSTLY


def test_a_chain_that_tries_all_types_in_vain_is_too_costly(where: Where) -> None:
    with pytest.raises(FhirError, match="is not known"):
        where("Observation", "focus.focus.onzin=x")
    with pytest.raises(FhirError) as caught:
        where("Observation", "focus.focus.focus.focus.focus.focus.onzin=x")
    assert caught.value.category is Category.TOO_COSTLY

"""What each type and modifier asks: https://hl7.org/fhir/R4/search.html#modifiers."""

from collections.abc import Callable

import pytest

from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import (
    EVERYTHING,
    NOTHING,
    And,
    Compare,
    Composite,
    FullText,
    Has,
    Ids,
    Missing,
    Near,
    Not,
    OfType,
    Or,
    Predicate,
    Quantity,
    Reference,
    String,
    Token,
    TokenIn,
    TokenText,
    Uri,
)

Where = Callable[..., Predicate]
GENDER = "http://hl7.org/fhir/administrative-gender"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


# --- and, or, escapes ----------------------------------------------------------------------------------------------


def test_a_comma_is_or_and_a_repeated_parameter_is_and(where: Where) -> None:
    assert where("Patient", "given=jan,piet", "given=klaas") == And(
        (
            Or((String("given", "starts", "jan"), String("given", "starts", "piet"))),
            String("given", "starts", "klaas"),
        )
    )


def test_no_parameter_asks_for_everything(where: Where) -> None:
    assert where("Patient") == EVERYTHING


def test_escaped_separators_are_part_of_the_value(where: Where) -> None:
    assert where("Patient", r"name:exact=a\,b\|c\$d\\e\f") == String("name", "exact", r"a,b|c$d\e\f")
    assert where("Observation", r"code=urn:s\|x|a\,b") == Token("code", "urn:s|x", "a,b")
    assert where("Patient", "name:exact=a\\") == String("name", "exact", "a\\")


# --- missing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gender", "name", "birthdate", "general-practitioner", "_tag"])
@pytest.mark.parametrize("value, missing", [("true", True), ("false", False)])
def test_missing_applies_to_every_type(where: Where, name: str, value: str, missing: bool) -> None:
    assert where("Patient", f"{name}:missing={value}") == Missing(name, missing)


def test_a_composite_is_missing_when_its_first_component_is(where: Where) -> None:
    assert where("Observation", "code-value-quantity:missing=true") == Missing("code-value-quantity$0", True)


def test_no_resource_lacks_an_id_or_a_time(where: Where) -> None:
    assert where("Patient", "_id:missing=true") == NOTHING
    assert where("Patient", "_lastUpdated:missing=false") == EVERYTHING


@pytest.mark.parametrize("value", ["yes", "TRUE", "true,false", "1"])
def test_missing_takes_true_or_false_only(where: Where, value: str) -> None:
    with pytest.raises(FhirError, match="true or false"):
        where("Patient", f"gender:missing={value}")


# --- string --------------------------------------------------------------------------------------------------------


def test_a_string_starts_with_the_folded_value_unless_said_otherwise(where: Where) -> None:
    assert where("Patient", "family=Müller") == String("family", "starts", "muller")
    assert where("Patient", "family:contains=Berg") == String("family", "contains", "berg")
    assert where("Patient", "family:exact=Müller") == String("family", "exact", "Müller")


def test_a_value_of_accents_alone_does_not_match_everything(where: Where) -> None:
    with pytest.raises(FhirError, match="nothing in it"):
        where("Patient", "family=\u0301")


@pytest.mark.parametrize("text", ["6431LR", "6431 lr"])
@pytest.mark.parametrize("name", ["address-postalcode", "address"])
def test_a_dutch_postcode_is_found_with_and_without_its_space(where: Where, name: str, text: str) -> None:
    assert where("Patient", f"{name}={text}") == Or(
        (String(name, "starts", "6431 lr"), String(name, "starts", "6431lr"))
    )
    assert where("Patient", f"address-city={text}") == String("address-city", "starts", text.lower())


def test_phonetic_compares_sounds(where: Where) -> None:
    assert where("Patient", "phonetic=Meyer") == where("Patient", "phonetic=Meijer")
    assert where("Patient", "phonetic=Jan Smit") == And(
        (String("phonetic", "starts", "j500"), String("phonetic", "starts", "s530"))
    )


# --- token ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("8480-6", Token("code", None, "8480-6")),
        ("http://loinc.org|8480-6", Token("code", "http://loinc.org", "8480-6")),
        ("|8480-6", Token("code", "", "8480-6")),
        ("http://loinc.org|", Token("code", "http://loinc.org", None)),
    ],
)
def test_a_token_is_a_code_with_any_this_or_no_system(where: Where, text: str, expected: Token) -> None:
    assert where("Observation", f"code={text}") == expected


@pytest.mark.parametrize("text", ["|", "a|b|c"])
def test_a_token_needs_a_code_or_a_system(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="`code`"):
        where("Observation", f"code={text}")


def test_a_code_element_has_no_system_of_its_own(where: Where) -> None:
    """R4 lets `|male` find a code, though its binding implies a system, which may be given as well."""
    assert where("Patient", "gender=|male") == Token("gender", None, "male")
    assert where("Patient", f"gender={GENDER}|male") == Token("gender", GENDER, "male")


def test_a_boolean_is_true_or_false(where: Where) -> None:
    assert where("Patient", "active=true") == Token("active", None, "true")
    with pytest.raises(FhirError, match="true or false"):
        where("Patient", "active=ja")


def test_contact_points_are_compared_without_case_and_punctuation(where: Where) -> None:
    assert where("Patient", "email=Ria.B@Wijk") == Token("email", None, "ria.b@wijk", True)
    assert where("Patient", "telecom=phone|045-123") == Or(
        (Token("telecom", "phone", "045-123", True), Token("telecom", "phone", "045123", True))
    )


def test_not_is_the_complement_of_all_its_values(where: Where) -> None:
    """`gender:not=male,female`: neither, those without a gender included."""
    assert where("Patient", "gender:not=male,female") == Not(
        Or((Token("gender", None, "male"), Token("gender", None, "female")))
    )


def test_text_looks_at_display_and_text(where: Where) -> None:
    assert where("Observation", "code:text=Bloeddruk") == TokenText("code", "bloeddruk")
    assert where("Observation", "subject:text=Ria") == TokenText("subject", "ria")


def test_in_takes_the_codes_of_a_value_set(where: Where) -> None:
    found = where("Patient", "gender:in=http://hl7.org/fhir/ValueSet/administrative-gender")
    assert isinstance(found, TokenIn)
    assert set(found.codings) == {(GENDER, code) for code in ("male", "female", "other", "unknown")}
    assert where("Patient", "gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender") == Not(found)


def test_a_value_set_that_cannot_be_enumerated_is_said_to_be_unsupported(where: Where) -> None:
    with pytest.raises(FhirError, match="cannot be enumerated") as caught:
        where("Condition", "code:in=http://example.org/ValueSet/x")
    assert caught.value.issues[0].code == "not-supported"


def test_below_and_above_follow_the_hierarchy_of_the_code_system(where: Where) -> None:
    below = where("Encounter", f"class:below={ACT}|_ActEncounterCode")
    assert isinstance(below, TokenIn)
    assert (ACT, "AMB") in below.codings
    above = where("Encounter", f"class:above={ACT}|ACUTE")
    assert isinstance(above, TokenIn)
    assert {(ACT, "ACUTE"), (ACT, "IMP")} <= set(above.codings)
    assert (ACT, "AMB") not in above.codings


@pytest.mark.parametrize("text", ["AMB", "http://snomed.info/sct|404684003", "|AMB"])
def test_a_hierarchy_that_is_not_known_is_refused(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="`class`"):
        where("Encounter", f"class:below={text}")


def test_of_type_needs_all_three_parts(where: Where) -> None:
    assert where("Patient", "identifier:of-type=urn:t|MR|12") == OfType("identifier", "urn:t", "MR", "12")
    for text in ("urn:t|MR", "|MR|12", "MR"):
        with pytest.raises(FhirError, match=r"system\|code\|value"):
            where("Patient", f"identifier:of-type={text}")


# --- reference -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Patient/1", Reference("subject", "Patient", "1")),
        ("1", Reference("subject", None, "1")),
        ("https://wijk.example/fhir/Patient/1", Reference("subject", "Patient", "1")),
        ("https://elders.example/fhir/Patient/1", Reference("subject", url="https://elders.example/fhir/Patient/1")),
        ("Patient/1/_history/2", Reference("subject", "Patient", "1", version="2")),
        ("urn:uuid:77", Reference("subject", url="urn:uuid:77")),
    ],
)
def test_a_reference_is_an_id_a_type_and_id_or_a_url(where: Where, text: str, expected: Reference) -> None:
    assert where("Observation", f"subject={text}") == expected


def test_an_id_alone_has_the_type_that_the_parameter_leads_to(where: Where) -> None:
    assert where("Observation", "patient=1") == Reference("patient", "Patient", "1")


def test_the_type_may_be_a_modifier(where: Where) -> None:
    assert where("Observation", "subject:Group=1") == Reference("subject", "Group", "1")
    assert where("Observation", "subject:Group=Group/1") == Reference("subject", "Group", "1")
    for pair in ("subject:Group=Patient/1", "subject:Observation=1", "subject:Nonsense=1"):
        with pytest.raises(FhirError, match="`subject`"):
            where("Observation", pair)


@pytest.mark.parametrize("text", ["Onzin/1", "een naam", "a/b/c", "Patient/", "Patient/" + "x" * 65])
def test_what_is_no_reference_is_refused(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="`subject`"):
        where("Observation", f"subject={text}")


def test_a_logical_reference_is_found_by_its_identifier(where: Where) -> None:
    assert where("Observation", "subject:identifier=urn:bsn|9") == Reference("subject", identifier=("urn:bsn", "9"))
    assert where("Observation", "subject:identifier=9") == Reference("subject", identifier=(None, "9"))


def test_a_canonical_may_have_its_version(where: Where) -> None:
    assert where("QuestionnaireResponse", "questionnaire=http://q.example/x|1.2") == Reference(
        "questionnaire", url="http://q.example/x", version="1.2"
    )
    assert where("QuestionnaireResponse", "questionnaire=x") == Or(
        (Reference("questionnaire", "Questionnaire", "x"), Reference("questionnaire", url="x"))
    )


# --- uri, composite, near, text, id --------------------------------------------------------------------------------


def test_a_uri_is_the_same_above_or_below(where: Where) -> None:
    assert where("ValueSet", "url=http://a.example/x") == Uri("url", "exact", "http://a.example/x")
    assert where("ValueSet", "url:below=http://a.example/") == Uri("url", "below", "http://a.example/")
    assert where("ValueSet", "url:above=http://a.example/x/y") == Uri("url", "above", "http://a.example/x/y")


def test_a_composite_asks_its_components_by_their_index_names(where: Where) -> None:
    assert where("Observation", "component-code-value-quantity=http://loinc.org|8480-6$lt140") == Composite(
        "component-code-value-quantity",
        (
            Token("component-code-value-quantity$0", "http://loinc.org", "8480-6"),
            Quantity("component-code-value-quantity$1", Compare.LT, 140, 140),
        ),
    )


@pytest.mark.parametrize("text", ["8480-6", "8480-6$", "a$b$c", "8480-6$x"])
def test_a_composite_needs_each_component(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="code-value-quantity"):
        where("Observation", f"code-value-quantity={text}")


@pytest.mark.parametrize(
    "text, km",
    [
        ("50.9|5.9|800|m", 0.8),
        ("50.9|5.9|2|km", 2.0),
        ("50.9|5.9|2", 2.0),
        ("50.9|5.9|1|[mi_i]", 1.609344),
        ("50.9|5.9|1|mi", 1.609344),
        ("50.9|5.9", 5.0),
        ("50.9|5.9||", 5.0),
    ],
)
def test_near_is_a_distance_in_a_unit_of_length(where: Where, text: str, km: float) -> None:
    """Without a distance the server decides what is near: 5 km, which a resident cycles."""
    found = where("Location", f"near={text}")
    assert found == Near("near", 50.9, 5.9, pytest.approx(km))


@pytest.mark.parametrize(
    "text", ["50.9", "91|5", "50|181", "x|y", "50|5|-1", "50|5|1|kg", "50|5|1|km|x", "50|5|1e9999"]
)
def test_near_refuses_what_is_no_place_or_distance(where: Where, text: str) -> None:
    with pytest.raises(FhirError, match="`near`"):
        where("Location", f"near={text}")


def test_text_and_content_ask_for_words(where: Where) -> None:
    assert where("Basic", "_text=Samen Eten") == FullText("_text", ("samen", "eten"))
    assert where("Basic", "_content=café,thee") == Or(
        (FullText("_content", ("cafe",)), FullText("_content", ("thee",)))
    )
    with pytest.raises(FhirError, match="no word"):
        where("Basic", "_text=!?")


def test_ids_are_alternatives(where: Where) -> None:
    assert where("Patient", "_id=a,b") == Ids(("a", "b"))
    assert where("Patient", "_id:not=a") == Not(Ids(("a",)))


def test_a_list_holds_the_resources_that_it_refers_to(where: Where) -> None:
    assert where("Patient", "_list=l1") == Has("List", "item", Ids(("l1",)))
    with pytest.raises(FhirError, match="functional lists"):
        where("Patient", "_list=$current-problems")


# --- modifiers that do not apply -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type_name, pair",
    [
        ("Patient", "name:below=x"),
        ("Patient", "name:not=x"),
        ("Patient", "gender:exact=x"),
        ("Patient", "birthdate:exact=2020"),
        ("Patient", "birthdate:not=2020"),
        ("Observation", "value-quantity:contains=1"),
        ("Observation", "code-value-quantity:not=a$1"),
        ("Observation", "subject:contains=1"),
        ("RiskAssessment", "probability:above=1"),
        ("ValueSet", "url:contains=x"),
        ("Location", "near:exact=1|2"),
        ("Patient", "_text:exact=x"),
        ("Patient", "_id:contains=x"),
        ("Patient", "name:onzin=x"),
        ("Patient", "name:=x"),
    ],
)
def test_a_modifier_that_does_not_apply_is_refused_and_named(where: Where, type_name: str, pair: str) -> None:
    with pytest.raises(FhirError) as caught:
        where(type_name, pair)
    assert caught.value.category.status == 400
    assert pair.partition(":")[0] in caught.value.diagnostics


def test_an_unknown_parameter_is_refused_and_named(where: Where) -> None:
    for pair in ("onzin=1", "onzin:exact=1", "Name=1", "_onzin=1", ".=1", ":=1", "name.x=1", "=1"):
        with pytest.raises(FhirError) as caught:
            where("Patient", pair)
        assert caught.value.category in (Category.UNKNOWN_PARAMETER, Category.VALUE)
    with pytest.raises(FhirError, match="`onzin`"):
        where("Patient", "onzin=1")


def test_a_message_can_always_be_written(where: Where) -> None:
    with pytest.raises(FhirError) as caught:
        where("Patient", "\ud800\n=x")
    assert caught.value.diagnostics.encode().decode().isprintable()


def test_a_message_never_holds_a_whole_long_value(where: Where) -> None:
    with pytest.raises(FhirError) as caught:
        where("Observation", "date=" + "9" * 1000)
    assert len(caught.value.diagnostics) < 200

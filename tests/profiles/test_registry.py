"""The registry says what FHIR R4 says: figures of the whole, and spot checks against pages of the specification."""

import subprocess
import sys

import pytest

from profiles.packages import read_tables
from profiles.records import union_branches
from profiles.registry import CodeSystem, Registry, load
from profiles.terminology import Terminology

REGISTRY = load()
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def types_of(kind: str) -> int:
    return sum(1 for t in REGISTRY.types.values() if t.kind == kind)


def test_the_tables_hold_every_type_of_r4() -> None:
    """https://hl7.org/fhir/R4/resourcelist.html and datatypes.html."""
    assert len(REGISTRY.resource_types) == 146
    assert types_of("resource") == 148  # Resource and DomainResource too
    assert types_of("primitive") == 20
    assert types_of("complex") == 41
    assert types_of("backbone") == 473
    assert types_of("resource") + types_of("complex") + types_of("backbone") == 662
    assert sum(len(t.elements) for t in REGISTRY.types.values() if t.kind != "primitive") == 7406


def test_the_tables_hold_every_invariant_of_the_base_types() -> None:
    used = {key for t in REGISTRY.types.values() for key in t.constraints}
    used |= {key for t in REGISTRY.types.values() for e in t.elements for key in e.constraints}
    assert used <= set(REGISTRY.invariants)
    # What no base type states: MoneyQuantity, which no element is typed with, and the vital signs profiles.
    assert set(REGISTRY.invariants) - used == {"mqty-1", "vs-1", "vs-2", "vs-3"}
    assert len(REGISTRY.invariants) == 244


def test_rules_that_share_a_key_stay_apart() -> None:
    """R4 uses inv-1 for three different rules."""
    assert REGISTRY.invariants["inv-1@Task"].key == "inv-1"
    assert REGISTRY.types["Task"].constraints.count("inv-1@Task") == 1
    assert "inv-1@Parameters.parameter" in REGISTRY.types["Parameters.parameter"].constraints
    expressions = {i.expression for i in REGISTRY.invariants.values() if i.key == "inv-1"}
    assert len(expressions) == 3


def test_every_name_in_an_element_is_a_type() -> None:
    for owner in REGISTRY.types.values():
        assert owner.base == "" or owner.base in REGISTRY.types
        for element in owner.elements:
            system_value = owner.kind == "primitive" and element.name == "value"
            assert system_value or set(element.types) <= set(REGISTRY.types), (owner.name, element.name)
            assert set(element.targets) <= {*REGISTRY.resource_types, "Resource"}, (owner.name, element.name)


def test_a_choice_element_is_found_by_each_of_its_eleven_types() -> None:
    """https://hl7.org/fhir/R4/observation.html."""
    value = next(e for e in REGISTRY.types["Observation"].elements if e.name == "value")
    assert value.choice
    assert len(value.types) == 11
    assert REGISTRY.element("Observation", "valueQuantity") == (value, "Quantity")
    assert REGISTRY.element("Observation", "valueDateTime") == (value, "dateTime")
    assert REGISTRY.element("Observation", "value") is None
    assert REGISTRY.element("Observation", "valueAddress") is None


def test_a_content_reference_is_the_type_it_points_to() -> None:
    found = REGISTRY.element("Bundle.entry", "link")
    assert found is not None
    assert found[1] == "Bundle.link"
    assert REGISTRY.element("Questionnaire.item", "item")[1] == "Questionnaire.item"  # type: ignore[index]


def test_elements_come_in_xml_order_with_the_inherited_ones_first() -> None:
    names = [e.name for e in REGISTRY.types["Patient"].elements]
    assert names[:10] == [
        *("id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"),
        *("identifier", "active"),
    ]
    assert [e.name for e in REGISTRY.types["Patient.contact"].elements][:4] == [
        *("id", "extension", "modifierExtension", "relationship")
    ]


def test_cardinality_and_flags_are_those_of_the_specification() -> None:
    by_name = {e.name: e for e in REGISTRY.types["Patient"].elements}
    assert (by_name["identifier"].min, by_name["identifier"].max) == (0, None)
    assert (by_name["birthDate"].min, by_name["birthDate"].max) == (0, 1)
    assert by_name["active"].modifier
    assert by_name["active"].summary
    assert not by_name["contact"].summary
    assert by_name["gender"].binding == "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert by_name["maritalStatus"].binding == ""  # extensible, not required
    assert by_name["generalPractitioner"].targets == ("Organization", "Practitioner", "PractitionerRole")


def test_ids_and_extension_urls_are_xml_attributes_but_a_resource_id_is_not() -> None:
    """https://hl7.org/fhir/R4/xml.html: `id` of elements and `url` of extensions are attributes."""
    assert {e.name for e in REGISTRY.types["Extension"].elements if e.attribute} == {"id", "url"}
    assert {e.name for e in REGISTRY.types["HumanName"].elements if e.attribute} == {"id"}
    assert not any(e.attribute for e in REGISTRY.types["Patient"].elements)
    assert REGISTRY.element("Patient", "id")[1] == "id"  # type: ignore[index]
    assert REGISTRY.element("HumanName", "id")[1] == "string"  # type: ignore[index]


def test_a_simple_quantity_may_not_have_a_comparator() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity: sqty-1 on the elements typed with it, and only there."""
    low = REGISTRY.element("Range", "low")
    value = REGISTRY.element("Observation", "valueQuantity")
    assert low is not None
    assert value is not None
    assert "sqty-1" in low[0].constraints
    assert "sqty-1" not in value[0].constraints


def test_subtypes_follow_the_base_types() -> None:
    assert REGISTRY.is_subtype("Age", "Quantity")
    assert REGISTRY.is_subtype("Patient", "DomainResource")
    assert REGISTRY.is_subtype("Patient", "Patient")
    assert REGISTRY.is_subtype("code", "string")
    assert REGISTRY.is_subtype("Patient.contact", "BackboneElement")
    assert not REGISTRY.is_subtype("Bundle", "DomainResource")
    assert not REGISTRY.is_subtype("Quantity", "Age")
    assert not REGISTRY.is_subtype("Nonsense", "Nonsense")


def test_summary_and_mandatory_elements() -> None:
    assert REGISTRY.mandatory_elements("Observation") == ("status", "code")
    summary = REGISTRY.summary_elements("Observation")
    assert "value" in summary
    assert "note" not in summary


def test_search_parameters_include_those_of_the_base_types() -> None:
    parameters = REGISTRY.search_parameters("Patient")
    assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_text", "name", "general-practitioner"} <= {
        *parameters
    }
    assert "_text" not in REGISTRY.search_parameters("Bundle")  # a parameter of DomainResource
    assert parameters["name"].type == "string"
    assert parameters["general-practitioner"].target == ("Organization", "Practitioner", "PractitionerRole")
    with pytest.raises(KeyError):
        REGISTRY.search_parameters("Nonsense")


def test_the_number_of_search_parameters() -> None:
    rows = read_tables()["search_parameters"]
    assert len(rows) == 1385
    assert sum(len(row[3].split()) for row in rows) == 1716


def test_a_shared_search_parameter_is_narrowed_to_the_type() -> None:
    code = REGISTRY.search_parameters("Observation")["code"]
    assert code.expression == "Observation.code"
    assert "AllergyIntolerance" in code.base
    whole = REGISTRY.search_parameter(code.url)
    assert whole is not None
    assert "Condition.code" in whole.expression


def test_no_narrowed_expression_speaks_of_another_resource_type() -> None:
    for resource_type in REGISTRY.resource_types:
        for parameter in REGISTRY.search_parameters(resource_type).values():
            first = {word.strip("( ").partition(".")[0] for word in parameter.expression.split(" | ")}
            assert not (first & set(REGISTRY.resource_types)) - {resource_type}, parameter


def test_a_composite_names_its_components() -> None:
    parameter = REGISTRY.search_parameters("Observation")["component-code-value-quantity"]
    definitions = [REGISTRY.search_parameter(url) for url, _ in parameter.components]
    assert [d.code for d in definitions if d] == ["component-code", "component-value-quantity"]
    assert all(
        REGISTRY.search_parameter(url)
        for t in REGISTRY.resource_types
        for p in REGISTRY.search_parameters(t).values()
        for url, _ in p.components
    )


def test_the_five_compartments() -> None:
    """https://hl7.org/fhir/R4/compartmentdefinition-patient.html."""
    assert REGISTRY.compartments == ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")
    patient = REGISTRY.compartment("Patient")
    assert patient["Observation"] == ("subject", "performer")
    assert patient["AllergyIntolerance"] == ("patient", "recorder", "asserter")
    assert "Organization" not in patient
    assert len(patient) == 66


def test_every_compartment_parameter_is_a_reference_parameter_of_its_type() -> None:
    for compartment in REGISTRY.compartments:
        for resource_type, codes in REGISTRY.compartment(compartment).items():
            for code in codes:
                if code != "{def}":
                    assert REGISTRY.search_parameters(resource_type)[code].type == "reference"


def test_operations_tell_where_they_may_be_called() -> None:
    everything = REGISTRY.operations["Patient-everything"]
    assert (everything.code, everything.system, everything.type, everything.instance) == (
        "everything",
        False,
        True,
        True,
    )
    assert everything.resource == ("Patient",)
    assert [p.name for p in everything.parameters] == ["start", "end", "_since", "_type", "_count", "return"]
    assert len(REGISTRY.operations) == 46


def test_required_bindings_can_be_checked_but_for_three_open_ones() -> None:
    bindings = {e.binding for t in REGISTRY.types.values() for e in t.elements if e.binding}
    assert len(bindings) == 224
    # Media types (BCP 13), units (UCUM) and a LOINC answer list are not code lists one can write down here.
    assert {b for b in bindings if REGISTRY.valueset(b) is None} == {
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://loinc.org/vs/LL379-9",
    }


def test_a_value_set_knows_codes_with_and_without_their_system() -> None:
    gender = REGISTRY.valueset("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")
    assert gender is not None
    assert [code for _, code in gender.codes] == ["female", "male", "other", "unknown"]
    assert gender.contains(None, "male")
    assert gender.contains("http://hl7.org/fhir/administrative-gender", "male")
    assert not gender.contains("http://example.org", "male")
    assert not gender.contains(None, "man")


def test_a_value_set_leaves_out_what_it_excludes_and_headings() -> None:
    purpose = REGISTRY.valueset("http://terminology.hl7.org/ValueSet/v3-PurposeOfUse")
    assert purpose is not None
    assert purpose.contains(ACT_REASON, "TREAT")
    assert not purpose.contains(ACT_REASON, "_ActHealthInformationManagementReason")
    assert not purpose.contains(ACT_REASON, "ADMREV")


def test_purposes_stand_below_purpose_of_use() -> None:
    """https://terminology.hl7.org/CodeSystem-v3-ActReason.html."""
    reasons = REGISTRY.codesystem(ACT_REASON)
    assert reasons is not None
    assert reasons.subsumes("PurposeOfUse", "ETREAT")
    assert reasons.subsumes("TREAT", "ETREAT")
    assert not reasons.subsumes("ETREAT", "TREAT")
    assert "ETREAT" in reasons.descendants("PurposeOfUse")
    assert "PurposeOfUse" in reasons.ancestors("ETREAT")
    assert reasons.descendants("nonsense") == frozenset()
    assert "nonsense" not in reasons


def test_the_code_systems_that_consent_needs_are_there() -> None:
    confidentiality = REGISTRY.codesystem(CONFIDENTIALITY)
    assert confidentiality is not None
    assert {"U", "L", "M", "N", "R", "V"} <= set(confidentiality.codes)
    act_code = REGISTRY.codesystem(ACT_CODE)
    assert act_code is not None
    assert {"PSY", "HIV", "SEX", "ETH"} <= act_code.descendants("_InformationSensitivityPolicy")
    for name in ("consentscope", "v3-ParticipationType", "v3-RoleClass", "v3-RoleCode", "consentaction"):
        assert REGISTRY.codesystem(f"http://terminology.hl7.org/CodeSystem/{name}") is not None, name


def test_a_code_can_have_two_parents() -> None:
    flavors = REGISTRY.codesystem("http://terminology.hl7.org/CodeSystem/v3-NullFlavor")
    assert flavors is not None
    assert flavors.parents("NAV") == ("ASKU", "NAVU")
    assert flavors.ancestors("NAV") == {"NAV", "ASKU", "NAVU", "UNK", "NI"}


def test_a_hierarchy_with_a_cycle_ends() -> None:
    assert CodeSystem("http://example.org", ["a", "b"], [1, 0]).ancestors("a") == {"a", "b"}


def test_descendent_of_leaves_out_the_root_and_is_a_does_not() -> None:
    """https://hl7.org/fhir/R4/valueset-filter-operator.html."""
    systems = [["s", ["top", "sub"], [-1, 0]]]
    rows = [["below", [["s", "descendent-of", "top"]]], ["from", [["s", "is-a", "top"]], [["s", ["sub"]]]]]
    terminology = Terminology(
        systems, [*rows, ["both", [["", "below", "from"]]], ["either", [["", "below"], ["t", ["x"]]]]]
    )

    def codes(url: str) -> list[tuple[str, str]]:
        found = terminology.valueset(url)
        assert found is not None
        return list(found.codes)

    assert codes("below") == [("s", "sub")]
    assert codes("from") == [("s", "top")]
    assert codes("both") == []  # several value sets in one include: their intersection
    assert codes("either") == [("s", "sub"), ("t", "x")]


def test_what_the_tables_do_not_hold_is_none() -> None:
    assert REGISTRY.codesystem("http://snomed.info/sct") is None
    assert REGISTRY.valueset("http://hl7.org/fhir/ValueSet/observation-codes") is None
    assert REGISTRY.search_parameter("http://example.org") is None


def test_the_registry_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        REGISTRY.types["Patient"] = REGISTRY.types["Group"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        REGISTRY.types["Patient"].name = "Group"  # type: ignore[misc]
    with pytest.raises(TypeError):
        REGISTRY.search_parameters("Patient")["x"] = None  # type: ignore[index]


def test_a_registry_can_be_made_from_any_tables() -> None:
    tables = {**read_tables(), "compartments": [["Patient", "Observation", "subject"]]}
    assert Registry(tables).compartments == ("Patient",)


def test_loading_takes_little_memory() -> None:
    """The budget of a worker is 120 MB; the registry's share stays below 20 MB."""
    code = (
        "import resource, profiles.registry as r\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "r.load()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown_kb = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    assert grown_kb < 20_000


def test_a_union_is_split_outside_parentheses_and_strings_only() -> None:
    assert union_branches("A.b | (A.c | B.c).d | 'it | (is' | A.e") == ["A.b", "(A.c | B.c).d", "'it | (is'", "A.e"]


def test_a_parameter_of_the_type_itself_goes_before_one_of_its_base_types() -> None:
    rows = [
        ["own", "_tag", "token", "Patient", "Patient.meta.tag"],
        ["general", "_tag", "token", "Resource", "Resource.meta.tag"],
    ]
    registry = Registry({**read_tables(), "search_parameters": rows})
    assert registry.search_parameters("Patient")["_tag"].url.endswith("/own")
    assert registry.search_parameters("Group")["_tag"].url.endswith("/general")

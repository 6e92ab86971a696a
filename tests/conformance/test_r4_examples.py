"""All official R4 examples and definitions: what is valid by the rules of R4 validates clean, the rest is listed here.

They are the npm package hl7.fhir.r4.examples 4.0.1. The list is strict both ways: a listed resource that
validates clean fails the test, as does one with an error of another kind than its reason.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from profiles import json
from profiles.registry import load
from profiles.validate import iter_issues

# Words of the diagnostics → what is wrong with these resources as published, and which they are (file names).
MISTAKES = {
    "canonical url": (
        "a canonical is relative, though canonical urls are absolute or `#id` (references.html#canonical)",
        """
        ActivityDefinition-administer-zika-virus-exposure-assessment ActivityDefinition-blood-tubes-supply
        ActivityDefinition-provide-mosquito-prevention-advice
        ActivityDefinition-referralPrimaryCareMentalHealth
        ActivityDefinition-referralPrimaryCareMentalHealth-initial
        ActivityDefinition-serum-zika-dengue-virus-igm CapabilityStatement-example
        CapabilityStatement-knowledge-repository CapabilityStatement-measure-processor
        CapabilityStatement-messagedefinition CapabilityStatement-terminology-server
        Library-composition-example Library-example Library-library-cms146-example
        Library-library-exclusive-breastfeeding-cds-logic Library-library-exclusive-breastfeeding-cqm-logic
        Library-library-fhir-helpers Library-library-fhir-helpers-predecessor Library-omtk-logic
        Library-opioidcds-common Library-opioidcds-recommendation-04 Library-opioidcds-recommendation-05
        Library-opioidcds-recommendation-07 Library-opioidcds-recommendation-08
        Library-opioidcds-recommendation-10 Library-opioidcds-recommendation-11
        Library-suiciderisk-orderset-logic Library-zika-virus-intervention-logic Measure-composite-example
        Measure-measure-cms146-example Measure-measure-exclusive-breastfeeding
        Measure-measure-predecessor-example MeasureReport-measurereport-cms146-cat1-example
        MeasureReport-measurereport-cms146-cat2-example MeasureReport-measurereport-cms146-cat3-example
        MessageDefinition-patient-link-notification MessageDefinition-patient-link-response
        OperationDefinition-example PlanDefinition-chlamydia-screening-intervention
        PlanDefinition-exclusive-breastfeeding-intervention-01
        PlanDefinition-exclusive-breastfeeding-intervention-02
        PlanDefinition-exclusive-breastfeeding-intervention-03
        PlanDefinition-exclusive-breastfeeding-intervention-04 PlanDefinition-low-suicide-risk-order-set
        PlanDefinition-opioidcds-04 PlanDefinition-opioidcds-05 PlanDefinition-opioidcds-07
        PlanDefinition-opioidcds-08 PlanDefinition-opioidcds-10 PlanDefinition-opioidcds-11
        PlanDefinition-zika-virus-intervention PlanDefinition-zika-virus-intervention-initial Procedure-f201
        Questionnaire-phq-9-questionnaire QuestionnaireResponse-gcs QuestionnaireResponse-ussg-fht-answers
        RequestGroup-kdn5-example TestScript-testscript-example TestScript-testscript-example-history
        TestScript-testscript-example-multisystem TestScript-testscript-example-readtest
        TestScript-testscript-example-search TestScript-testscript-example-update
        """,
    ),
    "txt-2": (
        "the narrative is an empty div",
        """
        ActivityDefinition-blood-tubes-supply ActivityDefinition-heart-valve-replacement
        EventDefinition-example Questionnaire-zika-virus-exposure-assessment
        """,
    ),
    "disagrees": (
        "the fullUrl of an entry does not end in the id of its resource",
        """
        Bundle-10bb101f-a121-4264-a920-67be9cb82c74 Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe
        Bundle-lri-example
        """,
    ),
    "bdl-7": (
        "entries share a fullUrl and have no versions",
        """
        Bundle-dataelements
        """,
    ),
    "may only refer to": (
        "a reference has a target type that the element does not allow",
        """
        DeviceMetric-example DeviceUseStatement-example MedicationRequest-medrx0301
        Observation-clinical-gender
        """,
    ),
    "is missing": (
        "a mandatory element is missing",
        """
        ImplementationGuide-fhir Questionnaire-qs1 SearchParameter-codesystem-extensions-CodeSystem-author
        SearchParameter-codesystem-extensions-CodeSystem-effective
        SearchParameter-codesystem-extensions-CodeSystem-end
        SearchParameter-codesystem-extensions-CodeSystem-keyword
        SearchParameter-codesystem-extensions-CodeSystem-workflow
        SearchParameter-valueset-extensions-ValueSet-author
        SearchParameter-valueset-extensions-ValueSet-effective
        SearchParameter-valueset-extensions-ValueSet-end SearchParameter-valueset-extensions-ValueSet-keyword
        SearchParameter-valueset-extensions-ValueSet-workflow ig-r4
        """,
    ),
    "sdf-4": (
        "a structure that is not abstract has no base definition",
        """
        StructureDefinition-Definition StructureDefinition-Event StructureDefinition-FiveWs
        StructureDefinition-Request
        """,
    ),
    "no valid id": (
        "a reference has an id of 67 characters",
        """
        ImplementationGuide-fhir ig-r4
        """,
    ),
    "letters, digits": (
        "the id has 67 characters",
        """
        SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject
        """,
    ),
}
PARTS = 8


def expected_mistakes() -> dict[str, set[str]]:
    expected: dict[str, set[str]] = defaultdict(set)
    for words, (_, names) in MISTAKES.items():
        for name in names.split():
            expected[name].add(words)
    return expected


@pytest.mark.parametrize("part", range(PARTS))
def test_official_resources_validate_clean_but_for_the_published_mistakes(definition_packages: Path, part: int) -> None:
    files = sorted((definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package").glob("*-*.json"))
    assert len(files) > 5000
    found: dict[str, set[str]] = {}
    for file in files[part::PARTS]:
        errors = [i.diagnostics for i in iter_issues(json.parse(file.read_bytes()), load()) if i.severity == "error"]
        if errors:
            found[file.stem] = {next((words for words in MISTAKES if words in text), text) for text in errors}
    mine = {file.stem for file in files[part::PARTS]}
    assert found == {name: words for name, words in expected_mistakes().items() if name in mine}


def test_every_resource_in_the_list_of_mistakes_exists(definition_packages: Path) -> None:
    folder = definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package"
    assert [name for name in expected_mistakes() if not (folder / f"{name}.json").is_file()] == []

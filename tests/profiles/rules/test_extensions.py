"""Extensions: url, value or nested extensions, and the warning about modifiers.

https://hl7.org/fhir/R4/extensibility.html
"""

from typing import Any

from profiles.registry import load
from profiles.validate import iter_issues
from tests.profiles.rules.asking import errors, patient, says

URL = "http://example.org/e"


def extended(**extension: Any) -> dict[str, Any]:
    return patient(extension=[extension])


def test_an_extension_has_a_url() -> None:
    assert says(extended(valueString="a"), "Patient.extension[0]", "`url` is missing")


def test_the_url_of_an_extension_is_absolute() -> None:
    assert says(extended(url="e", valueString="a"), "Patient.extension[0].url", "`e` of an extension must be absolute")


def test_the_url_of_an_extension_in_an_extension_may_be_relative() -> None:
    assert errors(extended(url=URL, extension=[{"url": "e", "valueString": "a"}])) == []


def test_an_extension_has_a_value_or_extensions() -> None:
    assert says(extended(url=URL), "Patient.extension[0]", "ext-1")


def test_an_extension_never_has_both_a_value_and_extensions() -> None:
    both = extended(url=URL, valueString="a", extension=[{"url": "e", "valueString": "a"}])
    assert says(both, "Patient.extension[0]", "ext-1")


def test_the_value_of_an_extension_has_a_type_that_extensions_may_have() -> None:
    found = errors(extended(url=URL, valuePatient="a"))
    assert found[0] == ("Patient.extension[0]", "`value[x]` of `Extension` cannot be of type `Patient`")


def test_a_modifier_extension_is_a_warning() -> None:
    resource = patient(modifierExtension=[{"url": URL, "valueString": "a"}])
    issues = [i for i in iter_issues(resource, load()) if not i.diagnostics.startswith("dom-6")]
    assert [(i.severity, i.code, i.expression) for i in issues] == [
        ("warning", "extension", "Patient.modifierExtension[0]")
    ]


def test_a_data_type_has_no_modifier_extensions() -> None:
    wrong = patient(name=[{"text": "a", "modifierExtension": [{"url": URL, "valueString": "a"}]}])
    assert says(wrong, "Patient.name[0]", "`modifierExtension` is unknown in `HumanName`")

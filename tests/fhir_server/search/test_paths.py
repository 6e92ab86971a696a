"""Search expressions as direct routes: https://hl7.org/fhir/R4/searchparameter-registry.html."""

from typing import Any

import pytest

from fhir_server.search.paths import compile_routes
from profiles.registry import Registry

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "telecom": [
        {"system": "phone", "value": "1"},
        {"system": "email", "value": "2"},
        {"system": "phone", "value": "3"},
    ],
    "contact": [{"name": {"family": "a"}}, {}, {"name": {"family": "b"}}],
    "extension": [{"url": "urn:x", "valueString": "y"}, {"url": "urn:z", "valueCode": "w"}],
    "deceasedDateTime": "2020",
    "managingOrganization": {"reference": "Organization/1"},
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "Organization/2"}, {"display": "x"}],
}


@pytest.mark.parametrize(
    "expression, found",
    [
        ("Patient.contact.name.family", [("a", "string"), ("b", "string")]),
        ("contact.name.family", [("a", "string"), ("b", "string")]),
        ("Patient.telecom.where(system='phone').value", [("1", "string"), ("3", "string")]),
        ("Patient.telecom[0].value", [("1", "string")]),
        ("(Patient.deceased as dateTime)", [("2020", "dateTime")]),
        ("Patient.deceased.as(DateTime)", [("2020", "dateTime")]),
        ("Patient.deceased.ofType(boolean)", []),
        ("Patient.extension('urn:x')", [("y", "string")]),
        ("Patient.contact.onzin | Patient.contact[0].name.family", [("a", "string")]),
        (
            "Patient.generalPractitioner.where(resolve() is Organization)",
            [({"reference": "Organization/2"}, "Reference")],
        ),
        ("Patient.managingOrganization.where(resolve() is Patient)", []),
        ("%resource.contact.name.family", [("a", "string"), ("b", "string")]),
        ("DomainResource.extension('urn:z')", [("w", "code")]),
        ("Resource.managingOrganization.reference", [("Organization/1", "string")]),
    ],
)
def test_a_path_is_followed_without_the_engine(
    registry: Registry, expression: str, found: list[tuple[Any, str]]
) -> None:
    routes = compile_routes(expression, "Patient", registry)
    assert routes is not None
    assert [(value, route.code) for route in routes for value in route.values(PATIENT)] == found


@pytest.mark.parametrize(
    "expression",
    [
        "Patient.name.count()",
        "Patient.deceased.exists() and Patient.deceased != false",
        "Patient.telecom.where(system='phone' and use='home')",
        "Patient.telecom.where(system='phone').where(use='home')",
        "Patient.telecom[1]",
        "Patient.name.given + 'x'",
        "Observation.code",
        "Patient.name.where(",
        "Patient..name",
        "'Patient'",
        "Patient.where(active = true)",
        "Patient.name # family",
    ],
)
def test_what_is_more_than_a_path_is_left_to_the_engine(registry: Registry, expression: str) -> None:
    assert compile_routes(expression, "Patient", registry) is None

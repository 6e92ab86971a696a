"""The rows of the authorization screen: no type of the dossier is missing, and each stands where people look for it."""

import pytest

from consent.vocabulary import ACT_CODE
from fhir_server.gateway.directory import PERSONAL, UNOWNED
from fhir_server.gateway.scopes import Scope, parse
from fhir_server.smart.categories import CATEGORIES, SENSITIVE, SENSITIVITIES, Category
from profiles import registry
from tests.fhir_server.inprocess import opened

pytestmark = pytest.mark.anyio
REGISTRY = registry.load()


def named(name: str) -> Category:
    return next(one for one in CATEGORIES if one.name == name)


async def test_line_7_every_type_that_can_be_about_a_patient_is_in_a_row() -> None:
    async with opened() as house:
        ownable = house.gateway.tools.ownership.types
    assert set(REGISTRY.compartment("Patient")) | {"Patient"} <= ownable
    in_rows = {type for one in CATEGORIES for type in one.types}
    assert in_rows == ownable | UNOWNED


def test_no_type_is_in_two_rows_but_observation_which_is_divided() -> None:
    in_rows = sorted(type for one in CATEGORIES for type in one.types)
    assert {type for type in in_rows if in_rows.count(type) > 1} == {"Observation"}
    assert {one.laboratory for one in CATEGORIES if "Observation" in one.types} == {True, False}


def test_names_are_told_once_and_in_both_languages() -> None:
    for several in (CATEGORIES, SENSITIVITIES):
        assert len({one.name for one in several}) == len(several)
        assert len({one.title.nl for one in several}) == len({one.title.en for one in several}) == len(several)
    assert all(one.explained.nl and one.explained.en for one in CATEGORIES)


def test_what_tells_of_others_rules_is_sensitive_and_stands_alone() -> None:
    assert {one.types for one in CATEGORIES if one.sensitive} == {frozenset({type}) for type in PERSONAL}


def test_sensitive_subjects_do_not_overlap_and_are_all_below_the_one_that_closes_them() -> None:
    system = REGISTRY.codesystem(ACT_CODE)
    assert system is not None
    below = system.descendants(SENSITIVE)
    told = [code for one in SENSITIVITIES for code in one.codes]
    assert len(told) == len(set(told))
    for one in SENSITIVITIES:
        assert one.codes <= below
        # A code that covers one of another subject would open or close that too.
        assert all(system.descendants(code) <= one.codes for code in one.codes), one.name


@pytest.mark.parametrize(
    ("scope", "rows"),
    [
        ("patient/Observation.rs", {"measurements", "laboratory"}),
        ("patient/Observation.rs?category=laboratory", {"laboratory"}),
        ("patient/Observation.rs?category=http://x|laboratory", {"laboratory"}),
        ("patient/Observation.rs?category=vital-signs", {"measurements"}),
        ("patient/Observation.rs?category=vital-signs,laboratory", {"measurements", "laboratory"}),
        (f"patient/Observation.rs?category:not={named('laboratory').constraint[1]}", {"measurements"}),
        ("patient/Observation.rs?code=x", {"measurements", "laboratory"}),
        ("patient/DiagnosticReport.rs", {"laboratory"}),
        ("patient/Linkage.rs", set()),
        ("patient/*.rs", {one.name for one in CATEGORIES}),
    ],
)
def test_a_scope_touches_the_rows_that_it_reaches_anything_in(scope: str, rows: set[str]) -> None:
    (one,) = parse(scope, REGISTRY.resource_types)
    assert isinstance(one, Scope)
    assert {row.name for row in CATEGORIES if row.touches(one)} == rows

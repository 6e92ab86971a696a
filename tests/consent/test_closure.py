"""Section 2 of the consent rules, `actor.reference`: what a requester counts as."""

from typing import Any

import pytest

from consent.closure import closure
from consent.model import FOREVER, Category, Closure
from tests.consent.wijk import NOW, ZONE, at, concept

Json = dict[str, Any]
ZORG = "http://nictiz.nl/fhir/NamingSystem/organization-type"


def who(reference: str) -> Json:
    return {"reference": reference}


def role(name: str = "r1", organisation: str = "Organization/practice", **elements: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": name,
        "practitioner": who("Practitioner/p1"),
        "organization": who(organisation),
        "code": [concept("urn:roles", "gp")],
        "specialty": [concept("urn:specialties", "family")],
    } | elements


# The department is part of the practice, the practice of the group, and the group (by mistake) of the practice.
ORGANISATIONS: dict[str, Json] = {
    "Organization/department": {"partOf": who("Organization/practice")},
    "Organization/practice": {"partOf": who("Organization/group"), "type": [concept(ZORG, "Z3")]},
    "Organization/group": {"partOf": who("Organization/practice")},
    "Organization/other": {},
}


def of(login: str, *roles: Json, groups: tuple[Json, ...] = (), **how: Any) -> Closure:
    return closure(login, roles, ORGANISATIONS, groups, how.pop("instant", NOW), ZONE, **how)


def team(member: str = "Practitioner/p1", **elements: Any) -> Json:
    return {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "participant": [{"member": who(member)}],
    } | elements


def group(member: str = "Practitioner/p1", **elements: Any) -> Json:
    return {"resourceType": "Group", "id": "g", "member": [{"entity": who(member)} | elements]}


def test_a_practitioner_is_each_of_their_roles() -> None:
    found = of(
        "Practitioner/p1", role(), role("r2", "Organization/other"), role("r3", practitioner=who("Practitioner/p2"))
    )
    assert found.individuals == {"Practitioner/p1", "PractitionerRole/r1", "PractitionerRole/r2"}
    assert found.organisations == {"Organization/practice", "Organization/group", "Organization/other"}
    assert found.professional


def test_a_login_under_a_role_is_that_role_alone_with_the_person_behind_it() -> None:
    found = of("PractitionerRole/r1", role(), role("r2", "Organization/other"))
    assert found.individuals == {"Practitioner/p1", "PractitionerRole/r1"}
    assert "Organization/other" not in found.organisations


def test_organisations_roll_up_to_ancestors_and_never_down() -> None:
    assert of("PractitionerRole/r1", role()).organisations == {"Organization/practice", "Organization/group"}
    assert (
        "Organization/department"
        in of("PractitionerRole/r1", role(organisation="Organization/department")).organisations
    )


def test_categories_are_codes_of_roles_specialties_and_organisations() -> None:
    assert of("PractitionerRole/r1", role()).categories == {
        Category("PractitionerRole", "urn:roles", "gp"),
        Category("PractitionerRole", "urn:specialties", "family"),
        Category("Organization", ZORG, "Z3"),
    }


@pytest.mark.parametrize(
    "ended", [{"active": False}, {"period": {"end": "2026-11-21"}}, {"period": {"start": "morgen"}}]
)
def test_an_ended_role_is_nothing(ended: Json) -> None:
    assert of("PractitionerRole/r1", role(**ended)) == Closure(frozenset(), professional=True)
    assert of("Practitioner/p1", role(**ended)).individuals == {"Practitioner/p1"}


@pytest.mark.parametrize("member", ["Practitioner/p1", "PractitionerRole/r1"])
def test_active_memberships_count(member: str) -> None:
    assert of("PractitionerRole/r1", role(), groups=(team(member), group(member))).teams == {"CareTeam/t", "Group/g"}


def test_memberships_end_with_the_team_and_with_the_period() -> None:
    past = {"end": "2026-11-21"}
    gone = (
        team(status="inactive"),
        team(period=past),
        team(participant=[{"member": who("Practitioner/p1"), "period": past}]),
        group(period=past),
        group(inactive=True),
        group() | {"active": False},
        team() | {"resourceType": "List"},
    )
    assert of("PractitionerRole/r1", role(), groups=gone).teams == frozenset()


def test_staff_of_an_organisation_that_sits_in_a_team_are_not_in_it() -> None:
    assert of("PractitionerRole/r1", role(), groups=(team("Organization/practice"),)).teams == frozenset()


@pytest.mark.parametrize("login", ["Patient/1", "RelatedPerson/x1", "Device/d1"])
def test_others_are_themselves_with_their_groups_and_app(login: str) -> None:
    found = of(login, role(), groups=(group(login),), devices=frozenset({"Device/app"}))
    assert (found.individuals, found.teams, found.devices) == ({login}, {"Group/g"}, {"Device/app"})
    assert (found.organisations, found.categories, found.professional) == (frozenset(), frozenset(), False)


def test_an_organisation_counts_as_itself_and_what_it_is_part_of() -> None:
    found = of("Organization/department")
    assert found.individuals == frozenset()
    assert found.organisations == {"Organization/department", "Organization/practice", "Organization/group"}
    assert found.professional


def test_the_closure_says_until_when_it_holds() -> None:
    until = role(period={"start": "2026-01-01", "end": "2026-12-31"})
    later = team(period={"start": "2026-12-01"})
    assert of("PractitionerRole/r1", until).valid_until == at("2027-01-01T00:00:00")
    assert of("PractitionerRole/r1", until, groups=(later,)).valid_until == at("2026-12-01T00:00:00")
    assert of("PractitionerRole/r1", role()).valid_until == FOREVER


def test_an_ended_role_does_not_end_the_others_and_each_adds_its_kinds() -> None:
    ended, other = role("r0", active=False), role("r2", "Organization/other", code=[concept("urn:roles", "nurse")])
    found = of("Practitioner/p1", ended, role(), other)
    assert found.individuals == {"Practitioner/p1", "PractitionerRole/r1", "PractitionerRole/r2"}
    assert {category.code for category in found.categories} == {"gp", "nurse", "family", "Z3"}


def test_a_role_of_nobody_nowhere_is_that_role_alone() -> None:
    bare = {"resourceType": "PractitionerRole", "id": "r1"}
    found = of("PractitionerRole/r1", bare)
    assert (found.individuals, found.organisations) == ({"PractitionerRole/r1"}, frozenset())


def test_an_organisation_that_nobody_knows_is_part_of_nothing_known() -> None:
    assert of("PractitionerRole/r1", role(organisation="Organization/far")).organisations == {"Organization/far"}


@pytest.mark.parametrize(
    "half", [{"system": "urn:roles"}, {"code": "gp"}, {"system": "urn:roles", "code": 1}, "gp", None]
)
def test_a_kind_in_words_is_no_category(half: Any) -> None:
    assert of("PractitionerRole/r1", role(code=[{"coding": [half]}], specialty=[])).categories == {
        Category("Organization", ZORG, "Z3")
    }


def test_a_period_holds_from_its_first_moment_until_its_last() -> None:
    during = role(period={"start": "2026-11-22", "end": "2026-11-22"})
    first, after = at("2026-11-22T00:00:00"), at("2026-11-23T00:00:00")
    for instant, holds in ((first - 1, False), (first, True), (after - 1, True), (after, False)):
        assert bool(of("PractitionerRole/r1", during, instant=instant).individuals) == holds
    assert of("PractitionerRole/r1", during, instant=first - 1).valid_until == first
    assert of("PractitionerRole/r1", during, instant=first).valid_until == after
    assert of("PractitionerRole/r1", during, instant=after).valid_until == FOREVER


def test_circles_of_organisations_end_and_leave_no_other_out() -> None:
    """Whichever of two circles is followed first, the other is followed too."""
    circles = {f"Organization/{a}": {"partOf": who(f"Organization/{b}")} for a, b in ("ab", "ba", "cd", "dc", "ee")}
    roles = [role("r1", "Organization/a"), role("r2", "Organization/c"), role("r3", "Organization/e")]
    found = closure("Practitioner/p1", roles, circles, (), NOW, ZONE)
    assert found.organisations == {f"Organization/{name}" for name in "abcde"}

"""Section 5 of the consent rules: the treatment relation."""

from typing import Any

import pytest

from consent.treatment import treats
from tests.consent.wijk import COLLEAGUE, GP, NOW, ZONE, at

Json = dict[str, Any]
PAST, PRESENT = {"end": "2025-12-31"}, {"start": "2026-01-01"}


def who(reference: str) -> Json:
    return {"reference": reference}


def holds(*around: Json, patient: Json | None = None) -> bool:
    return treats(GP, {"resourceType": "Patient", "id": "1"} | (patient or {}), around, NOW, ZONE)


def team(**elements: Any) -> Json:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "participant": [{"member": who("Practitioner/p1")}],
    } | elements


def episode(**elements: Any) -> Json:
    return {"resourceType": "EpisodeOfCare", "status": "active", "careManager": who("PractitionerRole/r1")} | elements


def encounter(**elements: Any) -> Json:
    participant = [{"individual": who("PractitionerRole/r1")}]
    return {"resourceType": "Encounter", "status": "in-progress", "participant": participant} | elements


@pytest.mark.parametrize("gp", ["Practitioner/p1", "PractitionerRole/r1", "Organization/o1"])
def test_the_general_practitioner_treats(gp: str) -> None:
    assert holds(patient={"generalPractitioner": [who("Practitioner/p9"), who(gp)]})


def test_nobody_treats_by_default() -> None:
    assert not holds()
    assert not holds(patient={"generalPractitioner": [who("Practitioner/p9")]})
    assert not treats(COLLEAGUE, {"resourceType": "Patient"}, [team(), episode(), encounter()], NOW, ZONE)


@pytest.mark.parametrize(
    "resource", [team(), episode(), encounter(), episode(careManager=who("x"), team=[who("CareTeam/t1")])]
)
def test_active_team_episode_or_encounter(resource: Json) -> None:
    assert holds(resource)
    assert holds(resource | {"period": PRESENT})


@pytest.mark.parametrize("resource", [team(), episode(), encounter()])
def test_an_ended_one_does_not_count(resource: Json) -> None:
    assert not holds(resource | {"period": PAST})
    assert not holds(resource | {"period": {"start": "morgen"}})
    assert not holds(resource | {"status": "finished"})


def test_a_participant_who_left_does_not_treat() -> None:
    assert not holds(team(participant=[{"member": who("Practitioner/p1"), "period": PAST}]))
    assert not holds(encounter(participant=[{"individual": who("Practitioner/p1"), "period": PAST}]))
    assert holds(team(participant=[{"member": who("Practitioner/p1"), "period": PRESENT}]))


def test_staff_of_an_organisation_in_a_team_are_not_in_it() -> None:
    assert not holds(team(participant=[{"member": who("Organization/o1")}]))


def test_other_types_say_nothing() -> None:
    assert not holds(team(resourceType="CarePlan"))


def test_a_period_holds_from_its_first_moment_until_its_last() -> None:
    today = {"start": "2026-11-22", "end": "2026-11-22"}
    first, after = at("2026-11-22T00:00:00"), at("2026-11-23T00:00:00")
    for one in (team(period=today), episode(period=today), encounter(period=today)):
        for instant, during in ((first - 1, False), (first, True), (after - 1, True), (after, False)):
            assert treats(GP, {}, [one], instant, ZONE) == during


@pytest.mark.parametrize("participant", [None, "Practitioner/p1", 7])
def test_a_participant_that_cannot_be_read_is_nobody(participant: Any) -> None:
    assert not holds(team(participant=[participant]), encounter(participant=[participant]))

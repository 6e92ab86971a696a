"""The treatment relation: whether a requester is one of those who treat the patient, at an instant.

The patient's own general practitioner, a member of an active CareTeam, the manager or the team of an active
EpisodeOfCare, a participant of an Encounter in progress. https://wetten.overheid.nl/BWBR0005290 (WGBO, art. 7:457)
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from consent.facts import values
from consent.instants import period
from consent.model import Closure
from consent.references import local


def treats(
    closure: Closure, patient: Mapping[str, Any], around: Iterable[Mapping[str, Any]], instant: int, zone: tzinfo
) -> bool:
    """Whether the requester has a treatment relation with the patient.

    `patient` is the Patient; `around` their CareTeams, EpisodesOfCare and Encounters, of which other types are ignored.
    """
    people = closure.individuals | closure.organisations
    if any(local(one) in people for one in values(patient, "generalPractitioner")):
        return True
    return any(_in(resource, closure, instant, zone) for resource in around)


def _in(resource: Mapping[str, Any], closure: Closure, instant: int, zone: tzinfo) -> bool:
    kind, status = resource.get("resourceType"), resource.get("status")
    if not _now(resource, instant, zone):
        return False
    if kind == "CareTeam" and status == "active":
        # Staff of an Organization that sits in a team are not in it.
        return any(
            local(member) in closure.individuals
            for participant in values(resource, "participant")
            if _now(participant, instant, zone)
            for member in values(participant, "member")
        )
    if kind == "EpisodeOfCare" and status == "active":
        manager = any(local(one) in closure.individuals for one in values(resource, "careManager"))
        return manager or any(local(team) in closure.teams for team in values(resource, "team"))
    if kind == "Encounter" and status == "in-progress":
        return any(
            local(individual) in closure.individuals
            for participant in values(resource, "participant")
            if _now(participant, instant, zone)
            for individual in values(participant, "individual")
        )
    return False


def _now(element: Any, instant: int, zone: tzinfo) -> bool:
    """Whether the instant lies in the element's period, if it states one; a period that can't be read never holds."""
    if not isinstance(element, Mapping):
        return False
    if "period" not in element:
        return True
    span = period(element["period"], zone)
    return span is not None and span[0] <= instant < span[1]

"""Everything a login counts as, at one instant: roles, organisations above them, teams, kinds of role and organisation.

https://hl7.org/fhir/R4/practitionerrole.html, https://hl7.org/fhir/R4/careteam.html, https://hl7.org/fhir/R4/group.html
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final

from consent.facts import values
from consent.instants import period
from consent.model import FOREVER, Category, Closure
from consent.references import local

_PROFESSIONALS: Final = frozenset({"Organization", "Practitioner", "PractitionerRole"})

Json = Mapping[str, Any]


def closure(
    login: str,
    roles: Iterable[Json],
    organisations: Mapping[str, Json],
    groups: Iterable[Json],
    instant: int,
    zone: tzinfo,
    devices: frozenset[str] = frozenset(),
) -> Closure:
    """The closure of `login` (`Practitioner/1`, `PractitionerRole/2`, `Patient/3` …).

    `roles`: the PractitionerRoles that are the login or whose practitioner is; `organisations`: Organizations by
    `Organization/id`, at least those of the roles and all that they are part of; `groups`: the CareTeams and Groups
    that name one of these; `devices`: the Devices whose identifier is the client id. What doesn't apply is ignored.
    """
    clock = _Clock(instant, zone)
    kind = login.partition("/")[0]
    individuals: set[str] = set()
    belongs: set[str] = {login} if kind == "Organization" else set()
    categories: set[Category] = set()
    if kind not in ("Organization", "PractitionerRole"):
        individuals.add(login)
    for role in roles:
        reference = f"PractitionerRole/{role.get('id')}"
        person = local(role.get("practitioner"))
        # A login under a role is that role alone, with the person behind it; an ended role is nothing.
        mine = login == reference if kind == "PractitionerRole" else login == person
        if not mine or role.get("active") is False or not clock.holds(role):
            continue
        individuals |= {reference, person} - {""}
        belongs.add(local(role.get("organization")))
        categories |= _categories("PractitionerRole", role, ("code", "specialty"))
    above = _with_ancestors(belongs - {""}, organisations)
    for reference in above & organisations.keys():
        categories |= _categories("Organization", organisations[reference], ("type",))
    teams = frozenset(
        f"{group.get('resourceType')}/{group.get('id')}" for group in groups if _member(group, individuals, clock)
    )
    return Closure(
        individuals=frozenset(individuals),
        teams=teams,
        organisations=frozenset(above),
        categories=frozenset(categories),
        devices=devices,
        professional=kind in _PROFESSIONALS,
        valid_until=clock.next_change,
    )


class _Clock:
    """Tells which periods hold now, and remembers when the first of them changes."""

    def __init__(self, instant: int, zone: tzinfo) -> None:
        self.next_change = FOREVER
        self._instant = instant
        self._zone = zone

    def holds(self, element: Json) -> bool:
        """Whether the instant lies in the element's period, if it has one; one that can't be read never holds."""
        if "period" not in element:
            return True
        span = period(element["period"], self._zone)
        if span is None:
            return False
        self.next_change = min([self.next_change, *(edge for edge in span if edge > self._instant)])
        return span[0] <= self._instant < span[1]


def _with_ancestors(belongs: set[str], organisations: Mapping[str, Json]) -> set[str]:
    """The organisations and all they are part of: ancestors, never descendants."""
    found: set[str] = set()
    waiting = list(belongs)
    while waiting:
        reference = waiting.pop()
        if reference in found:
            continue  # partOf may run in a circle
        found.add(reference)
        parent = local(organisations.get(reference, {}).get("partOf"))
        if parent:
            waiting.append(parent)
    return found


def _categories(kind: str, resource: Json, paths: Iterable[str]) -> set[Category]:
    return {
        Category(kind, coding["system"], coding["code"])
        for path in paths
        for coding in values(resource, f"{path}.coding")
        if isinstance(coding, Mapping) and isinstance(coding.get("system"), str) and isinstance(coding.get("code"), str)
    }


def _member(group: Json, individuals: set[str], clock: _Clock) -> bool:
    """Whether one of the individuals is a member now. Staff of an Organization that sits in a team are not in it."""
    if group.get("resourceType") == "CareTeam":
        return (
            group.get("status") == "active"
            and clock.holds(group)
            and any(
                local(member) in individuals
                for participant in values(group, "participant")
                if isinstance(participant, Mapping) and clock.holds(participant)
                for member in values(participant, "member")
            )
        )
    return (
        group.get("resourceType") == "Group"
        and group.get("active") is not False
        and any(
            local(member.get("entity")) in individuals
            for member in values(group, "member")
            if isinstance(member, Mapping) and member.get("inactive") is not True and clock.holds(member)
        )
    )

"""The people whom a dossier's rules concern: whom its Consents name, who treat the patient, who wrote in it.

An organisation stands for its staff, a team for its members, as the directory or this dossier says; nobody is looked up
in another dossier. https://hl7.org/fhir/R4/practitionerrole.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from consent.facts import values
from consent.model import Actor, Category, ConsentRecord, Party, ResourceFacts
from consent.references import local
from fhir_server.gateway.actors import counting_as
from fhir_server.gateway.dossier import Dossier
from fhir_server.gateway.moment import Within
from fhir_server.gateway.naming import resource_of
from fhir_server.gateway.requester import USER_TYPES

_TEAMS: Final = {"CareTeam": "participant.member", "Group": "member.entity"}
# Where the treatment relation stands.
_TREATING: Final[Mapping[str, tuple[str, ...]]] = {
    "CareTeam": ("participant.member",),
    "Encounter": ("participant.individual",),
    "EpisodeOfCare": ("careManager", "team"),
}


@dataclass(frozen=True, slots=True)
class People:
    """Logins, `Type/id`, the ones most concerned first; and how many more there are."""

    logins: tuple[str, ...]
    left_out: int


async def concerned(
    known: Within,
    dossier: Dossier,
    consents: Iterable[ConsentRecord],
    records: Iterable[ResourceFacts],
    most: int,
) -> People:
    """At most `most` people: those whom these Consents name, then those around the patient, then authors."""
    gathered = _Gathering(known)
    for consent in consents:
        for actor in named_in(consent):
            await gathered.add(actor)
    for reference in _around(dossier):
        await gathered.add(Party(reference))
    for reference in sorted({author for facts in records for author in facts.authors}):
        await gathered.add(Party(reference), staff=False)
    found = tuple(login for login in gathered.logins if login != f"Patient/{dossier.patient}")
    return People(found[:most], max(0, len(found) - most))


class _Gathering:
    """Logins in the order in which they were met."""

    def __init__(self, known: Within) -> None:
        self.logins: dict[str, None] = {}
        self._known = known
        self._met: set[tuple[Actor, bool]] = set()
        self._behind: dict[str, str] = {}

    async def add(self, actor: Actor, *, staff: bool = True) -> None:
        if (actor, staff) in self._met:
            return
        self._met.add((actor, staff))
        if isinstance(actor, Category):
            await self._add_all(await counting_as(self._known, actor))
            return
        kind = actor.reference.partition("/")[0]
        if kind in _TEAMS:
            await self._add_all(await self._members(actor.reference))
        elif kind in USER_TYPES:
            self.logins[await self._login(actor.reference)] = None
            if kind == "Organization" and staff:
                await self._add_all(await counting_as(self._known, actor))

    async def _add_all(self, references: Iterable[str]) -> None:
        """People and their roles; what an organisation is made of is met through its people."""
        for reference in sorted(references):
            if reference.partition("/")[0] in USER_TYPES and not reference.startswith("Organization/"):
                self.logins[await self._login(reference)] = None

    async def _login(self, reference: str) -> str:
        """Whoever holds a role counts as all their roles, and is met once."""
        if not reference.startswith("PractitionerRole/"):
            return reference
        if reference not in self._behind:
            role = await resource_of(self._known, reference)
            self._behind[reference] = local(role.get("practitioner")) or reference
        return self._behind[reference]

    async def _members(self, team: str) -> set[str]:
        return {
            local(member) for member in values(await resource_of(self._known, team), _TEAMS[team.partition("/")[0]])
        } - {""}


def named_in(consent: ConsentRecord) -> Iterator[Actor]:
    """Whom the Consent names as recipients, in the order of its provisions."""
    for provision in consent.provisions:
        if provision.condition.recipients is not None:
            yield from sorted(provision.condition.recipients.values, key=repr)


def _around(dossier: Dossier) -> Iterator[str]:
    """Who may act for the patient, and who treats them."""
    for one in dossier.representatives:
        yield one.reference
    for resource, path in (
        (dossier.person, "generalPractitioner"),
        *((one, path) for one in dossier.around for path in _TREATING.get(one["resourceType"], ())),
    ):
        for reference in values(resource, path):
            if local(reference):
                yield local(reference)

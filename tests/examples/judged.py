"""What everybody may see of the example wijk, worked out from its files by the slow interpreter of the consent rules.

Nothing here asks the server, or the engine: who counts as whom is read from the files in the plainest way.
`tests/consent/reference.py` is the interpreter.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.facts import facts
from consent.model import AccessRequest, Action, Actor, Category, Closure, Emergency, Party, ResourceFacts
from consent.references import local
from fhir_server.gateway.directory import UNOWNED
from tests.consent.reference import ZONE, Case, answer, period
from tests.examples.askers import REASON, Asker
from tests.examples.conftest import Resource, of_type

HOUR = 3_600_000_000
_PROXY_ROLES = {"GUARD", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT"}


class Wijk:
    """The files at a moment (microseconds since 1970 UTC), when all of them were stored."""

    def __init__(self, wijk: dict[str, Resource], moment: int) -> None:
        self._all = wijk
        self._moment = moment
        stored = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).isoformat()
        self.owners = {reference: _owners(resource) for reference, resource in wijk.items()}
        self._facts = {
            reference: facts(
                {**resource, "meta": {**resource["meta"], "lastUpdated": stored}},
                {},
                ZONE,
                patients=self.owners[reference],
            )
            for reference, resource in wijk.items()
        }
        self._consents: dict[str, list[Resource]] = {}
        for consent in of_type(wijk, "Consent"):
            self._consents.setdefault(local(consent["patient"]), []).append(consent)
        self._proxies = set(self._find_proxies())

    def dossier(self, patient: str) -> list[str]:
        """`Type/id` of all that is about the patient (`Patient/id`), whoever else it is about."""
        return [reference for reference, owners in self.owners.items() if patient.partition("/")[2] in owners]

    def judge(self, asker: Asker, references: Iterable[str]) -> frozenset[str]:
        """Which of these (`Type/id`, about residents) the asker may see."""
        closure = self._closure(asker.login)
        return frozenset(
            one
            for one in references
            if answer([self._case(asker, closure, patient, one) for patient in self.owners[one]]) != "deny"
        )

    def _case(self, asker: Asker, closure: Closure, patient: str, reference: str) -> Case:
        mine = {proxy for proxy in self._proxies if local(self._all[proxy]["patient"]) == f"Patient/{patient}"}
        emergency = Emergency(True, REASON, self._moment, self._moment + HOUR) if asker.purpose == "BTG" else None
        request = AccessRequest(
            closure=closure,
            purpose=asker.purpose,
            action=Action.ACCESS,
            instant=self._moment,
            represents=frozenset({patient} if asker.login in mine else ()),
            treats=frozenset({patient} if closure.professional and self._treats(closure, patient) else ()),
            emergency=emergency,
        )
        consents = self._consents.get(f"Patient/{patient}", [])
        return Case(patient, consents, mine, request, self._facts[reference], self, UNOWNED, "deny", "nl-gf")

    # --- The world, as the interpreter asks it -----------------------------------------------------------------------

    def within(self, actor: Actor) -> frozenset[str] | None:
        """Who counts as the actor when they author or keep a record."""
        assert isinstance(actor, Party), "no example names authors or custodians by category"
        found = {actor.reference}
        if actor.reference.startswith("Organization/"):
            found |= {f"Organization/{o['id']}" for o in of_type(self._all, "Organization") if self._part_of(o, actor)}
            for role in of_type(self._all, "PractitionerRole"):
                if local(role["organization"]) in found:
                    found |= {f"PractitionerRole/{role['id']}", local(role["practitioner"])}
        return frozenset(found)

    def references(self, reference: str) -> frozenset[str] | None:
        known: ResourceFacts | None = self._facts.get(reference)
        return None if known is None else known.references

    def _part_of(self, organization: Resource, actor: Party) -> bool:
        return actor.reference in self._upwards(f"Organization/{organization['id']}")

    # --- Who counts as whom ------------------------------------------------------------------------------------------

    def _closure(self, login: str) -> Closure:
        kind, _, _ = login.partition("/")
        individuals, organisations, categories = {login}, set[str](), set[Category]()
        if kind == "Organization":
            individuals, organisations = set(), set(self._upwards(login))
        if kind == "PractitionerRole":
            role = self._all[login]
            assert role["active"]
            assert self._now(role)
            individuals.add(local(role["practitioner"]))
            organisations = set(self._upwards(local(role["organization"])))
            categories |= {
                Category(kind, coding["system"], coding["code"])
                for concept in (*role["code"], *role.get("specialty", ()))
                for coding in concept["coding"]
            }
        for organisation in organisations:
            for concept in self._all[organisation]["type"]:
                categories |= {Category("Organization", c["system"], c["code"]) for c in concept["coding"]}
        devices = {login} if kind == "Device" else set[str]()
        return Closure(
            frozenset(individuals),
            frozenset(self._teams(individuals)),
            frozenset(organisations),
            frozenset(categories),
            frozenset(devices),
            kind in ("Organization", "Practitioner", "PractitionerRole"),
        )

    def _upwards(self, organization: str) -> Iterator[str]:
        while organization:
            yield organization
            organization = local(self._all[organization].get("partOf"))

    def _teams(self, individuals: set[str]) -> Iterator[str]:
        for team in of_type(self._all, "CareTeam"):
            if self._in_team(team, individuals):
                yield f"CareTeam/{team['id']}"
        for group in of_type(self._all, "Group"):
            for member in group.get("member", ()):
                if local(member["entity"]) in individuals and self._now(member):
                    yield f"Group/{group['id']}"

    def _in_team(self, team: Resource, individuals: Any) -> bool:
        return team["status"] == "active" and any(
            local(participant["member"]) in individuals and self._now(participant)
            for participant in team["participant"]
        )

    def _treats(self, closure: Closure, patient: str) -> bool:
        me = f"Patient/{patient}"
        if {local(gp) for gp in self._all[me]["generalPractitioner"]} & (closure.individuals | closure.organisations):
            return True
        for item in self._all.values():
            if local(item.get("patient") or item.get("subject")) != me or not self._now(item):
                continue
            if item["resourceType"] == "CareTeam" and self._in_team(item, closure.individuals):
                return True
            if item["resourceType"] == "EpisodeOfCare" and local(item["careManager"]) in closure.individuals:
                return True
            if item["resourceType"] == "Encounter" and item["status"] == "in-progress":
                return any(local(one["individual"]) in closure.individuals for one in item["participant"])
        return False

    def _find_proxies(self) -> Iterator[str]:
        for result in of_type(self._all, "VerificationResult"):
            for target in result["target"]:
                person = self._all[local(target)]
                roles = {coding["code"] for concept in person["relationship"] for coding in concept["coding"]}
                if result["status"] == "validated" and person["active"] and roles & _PROXY_ROLES and self._now(person):
                    yield local(target)

    def _now(self, item: Resource) -> bool:
        low, high = period(item.get("period", {}))
        return low <= self._moment < high


def _owners(resource: Resource) -> tuple[str, ...]:
    """The residents (logical ids) that a resource is about. A VerificationResult is about nobody, and for nobody."""
    kind = resource["resourceType"]
    if kind == "Patient":
        return (resource["id"],)
    named = [resource.get(name) for name in ("subject", "patient", "for", "beneficiary", "securityContext")]
    named += [participant.get("actor") for participant in resource.get("participant", ())]
    named += [member["entity"] for member in resource.get("member", ())]
    patients = {local(one) for one in named}
    return tuple(sorted(one.partition("/")[2] for one in patients if one.startswith("Patient/")))

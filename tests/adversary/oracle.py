"""Who may see what in a world, worked out without the server: facts from the bodies, decisions by the slow interpreter.

Nothing of `fhir_server` is asked. What somebody counts as, whom they act for and whom they treat is worked out from the
resources by the engine's library; which of the Consents speaks, and what it says, by `tests.consent.reference`.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from consent.closure import closure
from consent.facts import facts, values
from consent.model import AccessRequest, Action, Actor, Category, Closure, Effect, Emergency, Party, ResourceFacts
from consent.parse import parse
from consent.proxy import proxies, representative
from consent.references import all_local, local
from consent.treatment import treats
from fhir_server.gateway.tokens import Terms
from tests.adversary.comparing import Pair
from tests.adversary.dossiers import mark
from tests.adversary.surface import AppTerms, Change
from tests.adversary.worlds import CLIENT, DIRECTORY, World, owners
from tests.consent import reference
from tests.consent.reference import DENY
from tests.consent.wijk import ZONE, words

Json = Mapping[str, Any]
Place = tuple[str, str]
_PUBLIC: Final = frozenset(
    {"HealthcareService", "Location", "Organization", "OrganizationAffiliation", "Questionnaire"}
)
_PROFESSIONALS: Final = ("Practitioner", "PractitionerRole")
# An hour from the moment the token is issued; nothing in a world is so close to now that it mattered which moment.
_WINDOW: Final = 3_600_000_000
_EMPTY: Final = AccessRequest(Closure(frozenset()), "", Action.ACCESS, 0)


class Surroundings:
    """What Consents ask about the world: who counts as whom, and what refers to what."""

    def __init__(self, current: Mapping[Place, Json], newest: Mapping[Place, Json], patient: str) -> None:
        self._current = current
        self._newest = newest
        self._patient = patient

    def within(self, actor: Actor) -> frozenset[str]:
        roles = [one for (kind, _), one in self._current.items() if kind == "PractitionerRole"]
        if isinstance(actor, Category):
            if actor.type == "Organization":
                return self._staffed({f"Organization/{one['id']}" for one in self._of("Organization") if _is(one, actor, "type")}, roles)  # fmt: skip
            return _people(one for one in roles if _is(one, actor, "code") or _is(one, actor, "specialty"))
        if actor.reference.startswith("Organization/"):
            return self._staffed({actor.reference}, roles)
        if actor.reference.startswith("Practitioner/"):
            own = {
                f"PractitionerRole/{one['id']}" for one in roles if local(one.get("practitioner")) == actor.reference
            }
            return frozenset({actor.reference} | own)
        return frozenset({actor.reference})

    def references(self, asked: str) -> frozenset[str] | None:
        kind, _, id = asked.partition("/")
        found = self._newest.get((kind, id))
        about = owners(id)
        if found is None or about != ((self._patient,) if about or kind not in DIRECTORY else ()):
            return None
        return frozenset(all_local(found))

    def _of(self, type: str) -> list[Json]:
        return [one for (kind, _), one in self._current.items() if kind == type]

    def _staffed(self, found: set[str], roles: list[Json]) -> frozenset[str]:
        while True:
            more = {
                f"Organization/{one['id']}" for one in self._of("Organization") if local(one.get("partOf")) in found
            }
            if more <= found:
                return frozenset(found) | _people(one for one in roles if local(one.get("organization")) in found)
            found |= more


def _is(resource: Json, kind: Category, element: str) -> bool:
    return any(
        (one.get("system"), one.get("code")) == (kind.system, kind.code)
        for one in values(resource, f"{element}.coding")
    )


def _people(roles: Iterable[Json]) -> frozenset[str]:
    found: set[str] = set()
    for role in roles:
        found |= {f"PractitionerRole/{role['id']}", local(role.get("practitioner"))}
    return frozenset(found - {""})


@dataclass
class Oracle:
    """The answers for the requester of a world."""

    world: World

    def __post_init__(self) -> None:
        self._current = self.world.current()
        self._now = time.time_ns() // 1000
        self._patients = sorted({patient for _, id in self.world.newest() for patient in owners(id)} | {"resident-a"})
        self._consents_of = {
            patient: [
                dict(one) for (kind, id), one in self._current.items() if kind == "Consent" and owners(id) == (patient,)
            ]
            for patient in self._patients
        }
        self._around = {
            patient: Surroundings(self._current, self.world.newest(), patient) for patient in self._patients
        }
        terms = self.world.terms
        # Who lets an app in counts as themself alone: what others open to that app is between them and it.
        used = "" if isinstance(terms, AppTerms) else CLIENT
        self._request = self._asked(terms, used) if terms else _EMPTY
        self._app: AccessRequest | None = None
        if isinstance(terms, AppTerms):
            self._app = self._asked(replace(terms, user=terms.app, purpose=terms.purpose or "PATRQT"), CLIENT)
        made_by: dict[str, set[str]] = {}
        for (kind, _), one in self._current.items():
            if kind == "Provenance":
                for target in values(one, "target"):
                    made_by.setdefault(local(target), set()).update(local(who) for who in values(one, "agent.who"))
        self._made_by = made_by
        changes = [change for batch in self.world.batches for change in batch]
        self._writers = {id(change.resource): {change.writer} for change in changes if change.writer}
        self._decisions: dict[int, bool] = {}

    @property
    def request(self) -> AccessRequest:
        return self._request

    def shown(self) -> list[list[bool]]:
        """Of each change of each batch, whether the requester may see the version that it made."""
        newest = self.world.newest()
        return [
            [self._permits(newest[change.place]) and self._permits(self._content(change, newest)) for change in batch]
            for batch in self.world.batches
        ]

    def lets_in(self) -> bool:
        """Whether the Consent that an app's token hangs on lets the app in; so for everybody who is no app."""
        terms = self.world.terms
        if not isinstance(terms, AppTerms):
            return True
        mine = self._current.get(("Consent", terms.consent))
        if mine is None or mine["status"] != "active":
            return False
        return any(
            provision.effect is Effect.PERMIT
            and provision.condition.recipients is not None
            and Party(terms.app) in provision.condition.recipients.values
            and (
                provision.condition.period is None
                or provision.condition.period.low <= self._now < provision.condition.period.high
            )
            for provision in parse(mine, words(), ZONE).provisions
        )

    def visible(self, type: str) -> set[str]:
        """The ids of what is there now of a type and may be seen."""
        return {id for (kind, id), one in self._current.items() if kind == type and self._permits(one)}

    def counts(self, change: Change) -> bool:
        """Whether a resource that is hidden may have a part in what this requester may see."""
        body = change.resource
        kind, name = body["resourceType"], f"{body['resourceType']}/{body['id']}"
        me = self._request.closure
        # A draft is not in force, and yet what it names has to be there when it is written.
        consents = [one for (type, _), one in self._current.items() if type == "Consent"]
        named = {one for consent in consents for one in all_local(consent)}
        if kind == "Consent":
            # A draft says nothing, and so it need not be there.
            return any(one["id"] == body["id"] for one in self._consents())
        if kind in ("Organization", "PractitionerRole", "Provenance", "VerificationResult") or name in named:
            return True  # who is who, who made what, and whose proxies' Consents count
        if any(name in set(all_local(one)) for (other, _), one in self._current.items() if other in ("Provenance", "Binary")):  # fmt: skip
            return True  # whom these are about follows from it
        mine = me.individuals | me.organisations | me.teams | me.devices
        if self._app is not None:
            mine |= self._app.closure.individuals
        return kind in _RULING and (name in mine or not mine.isdisjoint(all_local(body)))

    # --- inner steps -------------------------------------------------------------------------------------------------

    def _consents(self) -> list[Json]:
        return [one for (kind, _), one in self._current.items() if kind == "Consent" and one["status"] == "active"]

    def _content(self, change: Change, newest: Mapping[Place, Json]) -> Json:
        # A deletion is about what it deleted.
        return newest[change.place] if change.deleted else change.resource

    def _permits(self, body: Json) -> bool:
        """Whether this version may be seen, by itself. A body is asked about again and again."""
        key = id(body)
        if key not in self._decisions:
            self._decisions[key] = self._in_scope(body) and self._by_rules(body)
        return self._decisions[key]

    def _by_rules(self, body: Json) -> bool:
        kind, about = body["resourceType"], owners(body["id"])
        terms = self.world.terms
        if terms is None:
            return kind in _PUBLIC and not about
        if terms.user == "system":
            if self.world.base_policy == "permit":
                return True
            return kind in DIRECTORY and not about
        if not about:
            return kind in DIRECTORY or (self.world.base_policy == "permit" and kind not in ("Consent", "AuditEvent"))
        found = self._facts(body, about)
        asked = [self._request] if self._app is None or kind == "Consent" else [self._request, self._app]
        if kind == "Consent" and self._app is not None and not self._consents_opened(about):
            return False
        return all(
            reference.answer([self._case(patient, found, request) for patient in about]) != DENY for request in asked
        )

    def _consents_opened(self, about: tuple[str, ...]) -> bool:
        """Whether the Consent that let in the app opens the class Consent by name, and none closes it by name."""
        assert isinstance(self.world.terms, AppTerms)
        mine = self._current.get(("Consent", self.world.terms.consent), {})
        opened = [one for one in values(mine, "provision.provision.class") if one["code"] == "Consent"]
        return about == (self.world.terms.patient,) and bool(opened)

    def _case(self, patient: str, found: ResourceFacts, request: AccessRequest) -> reference.Case:
        return reference.Case(
            patient=patient,
            consents=self._consents_of[patient],
            proxies=set(self._proxies(patient)),
            request=request,
            facts=found,
            world=self._around[patient],
            directory=DIRECTORY,
            base=self.world.base_policy,
            combiner="nl-gf",
        )

    def _facts(self, body: Json, about: tuple[str, ...]) -> ResourceFacts:
        dated = {
            **body,
            "meta": {**body.get("meta", {}), "lastUpdated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
        }
        made_by = self._made_by.get(f"{body['resourceType']}/{body['id']}", set()) | self._writers.get(id(body), set())
        return facts(dated, {}, ZONE, patients=about, authors=made_by)

    def _in_scope(self, body: Json) -> bool:
        terms, kind, about = self.world.terms, body["resourceType"], owners(body["id"])
        if terms is None:
            return True
        for word in terms.scope.split():
            context, _, rest = word.partition("/")
            if rest.partition(".")[0] not in ("*", kind):
                continue
            mine = (terms.patient or terms.user.partition("/")[2],)
            if context != "patient" or about == mine or (not about and kind in DIRECTORY):
                return True
        return False

    def _proxies(self, patient: str) -> frozenset[str]:
        validated = {
            local(target)
            for (kind, _), one in self._current.items()
            if kind == "VerificationResult" and one["status"] == "validated"
            for target in one["target"]
        }
        related = [
            representative(one, f"RelatedPerson/{one['id']}" in validated, ZONE)
            for (kind, id), one in self._current.items()
            if kind == "RelatedPerson" and owners(id) == (patient,)
        ]
        records = [parse(one, words(), ZONE) for one in self._consents_of[patient] if one["status"] == "active"]
        return proxies(patient, related, records, self._now, words())

    def _asked(self, terms: Terms, client: str) -> AccessRequest:
        kind = terms.user.partition("/")[0]
        of = {
            name: [one for (type, _), one in self._current.items() if type == name]
            for name in ("PractitionerRole", "Organization", "CareTeam", "Group", "Device")
        }
        organisations = {f"Organization/{one['id']}": one for one in of["Organization"]}
        devices = frozenset(
            f"Device/{one['id']}"
            for one in of["Device"]
            if not owners(one["id"]) and any(x.get("value") == client for x in one.get("identifier", ()))
        )
        mine = closure(
            terms.user, of["PractitionerRole"], organisations, [*of["CareTeam"], *of["Group"]], self._now, ZONE, devices
        )
        emergency = None
        if terms.purpose == "BTG":
            emergency = Emergency(kind in _PROFESSIONALS, terms.reason, self._now - 1, self._now - 1 + _WINDOW)
        purpose = terms.purpose or ("PATRQT" if kind == "Patient" else "")
        asked = AccessRequest(mine, purpose, Action.ACCESS, self._now, emergency=emergency)
        return replace(
            asked,
            represents=frozenset(one for one in self._patients if mine.individuals & self._proxies(one)),
            treats=frozenset(one for one in self._patients if mine.professional and self._treats(one, mine)),
        )

    def _treats(self, patient: str, mine: Closure) -> bool:
        person = self._current.get(("Patient", patient), {})
        around = [
            one
            for (kind, id), one in self._current.items()
            if kind in ("CareTeam", "EpisodeOfCare", "Encounter") and patient in owners(id)
        ]
        return treats(mine, person, around, self._now, ZONE)


# What the rules look at besides the Consents and the directory.
_RULING: Final = frozenset({"CareTeam", "Device", "Encounter", "EpisodeOfCare", "Group", "Patient", "RelatedPerson"})


def pair(world: World, kept: Place | None = None) -> Pair:
    """The two servers for whoever asks in the world: `bare` keeps of what is hidden only what decides about the rest.

    And it keeps `kept`.
    """
    oracle = Oracle(world)
    shown = oracle.shown()
    flags = {
        id(change): flag
        for batch, row in zip(world.batches, shown, strict=True)
        for change, flag in zip(batch, row, strict=True)
    }
    changes = [change for batch in world.batches for change in batch]
    seen = {change.place for change in changes if flags[id(change)]}
    hidden = {change.place for change in changes if not flags[id(change)]}
    misplaced = _misplaced([change for change in changes if change.place in seen], flags, kept)
    full = [[change for change in batch if id(change) not in misplaced] for batch in world.batches]
    bare = [[one for one in batch if flags[id(one)] or one.place == kept or oracle.counts(one)] for batch in full]
    return Pair(
        full=full,
        bare=bare,
        terms=world.terms,
        base_policy=world.base_policy,
        marks=[mark(id) for _, id in sorted(hidden - seen)],
        renumbered=sorted({id for kind, id in hidden & seen if (kind, id) != kept}),
    )


def _misplaced(changes: list[Change], flags: Mapping[int, bool], kept: Place | None) -> set[int]:
    """The hidden first versions of what is seen, by identity, where another of its kind came between.

    Resources come in the order in which they were created, as long as nobody asks for another. What is first seen as
    it is altered has its place from before, and that place is a time, which the two servers need not have in common.
    """
    found: set[int] = set()
    order = list(dict.fromkeys(change.place for change in changes))
    kin = [(place[0], owners(place[1])) for place in order]
    for change in changes:
        at = order.index(change.place)
        first = next(one for one in changes if one.place == change.place)
        if not flags[id(first)] and change.place != kept and kin[at] in kin[at + 1 :]:
            versions = [one for one in changes if one.place == change.place]
            for one in versions:
                if flags[id(one)]:
                    break
                found.add(id(one))
    return found

"""One patient's dossier as far as it decides about access: their Consents, who acts for them, who treats them.

Loaded for many patients at a time, and kept until something in it changes.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from consent.compile import CompiledConsent, Policy, Rules, compile_consent, compile_policy
from consent.facts import values
from consent.instants import period
from consent.model import FOREVER, Actor, Closure, ConsentRecord, Party, Problem
from consent.parse import parse
from consent.provision import World
from consent.proxy import Representative, proxies, representative
from consent.references import local
from consent.treatment import treats
from consent.warnings import Conflict, conflicts
from fhir_server.gateway.actors import counting_as
from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.filing import Filer, Filing
from fhir_server.gateway.moment import Moment
from fhir_server.search.query import EVERYTHING, Or, OwnedBy, Predicate, Reference, Token
from fhir_server.store.protocol import StoredVersion
from profiles import json

Json = Mapping[str, Any]
T = TypeVar("T")
Staged: TypeAlias = Callable[[str], Filing | None]
"""What is filed with `Type/id` where the transaction at hand writes it."""
_log = logging.getLogger(__name__)

# What a dossier is made of, and which of each type counts.
_IN_USE: Final[Mapping[str, Predicate]] = {
    "CareTeam": Token("status", None, "active"),
    "Consent": Token("status", None, "active"),
    "Encounter": Token("status", None, "in-progress"),
    "EpisodeOfCare": Token("status", None, "active"),
    "Patient": EVERYTHING,
    "RelatedPerson": EVERYTHING,
}
DOSSIER_TYPES: Final = frozenset(_IN_USE)
_TEAMS: Final = frozenset(("CareTeam", "Group"))


def nothing_staged(reference: str) -> Filing | None:
    return None


@dataclass(frozen=True, slots=True)
class Signed:
    """A compiled Consent, and when its version was written (microseconds since 1970 UTC)."""

    compiled: CompiledConsent
    written: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """`watched` are the resources that a Consent names as `data`: when one of them changes, its rules may."""

    patient: str
    consents: tuple[Signed, ...]
    representatives: tuple[Representative, ...]
    around: tuple[Json, ...]
    person: Json
    watched: frozenset[str]
    edges: tuple[int, ...]

    def next_edge(self, instant: int) -> int:
        """When one of the periods outside the Consents next begins or ends."""
        return min((edge for edge in self.edges if edge > instant), default=FOREVER)

    def proxies(self, instant: int, rules: Rules) -> frozenset[str]:
        """The RelatedPersons, `Type/id`, who are the patient's verified proxies at the instant."""
        if not self.representatives:
            return frozenset()
        records = [signed.compiled.record for signed in self.consents]
        return proxies(self.patient, self.representatives, records, instant, rules.vocabulary)

    def policy(self, instant: int, rules: Rules) -> Policy:
        """The patient's policy. A Consent that a proxy signed outlives the proxy's term."""
        own = self.proxies(instant, rules)
        for signed in self.consents:
            if any(performer.startswith("RelatedPerson/") for performer in signed.compiled.record.performers):
                own |= self.proxies(signed.written, rules)
        return compile_policy(self.patient, (signed.compiled for signed in self.consents), own)

    def treated_by(self, closure: Closure, instant: int, zone: ZoneInfo) -> bool:
        return closure.professional and treats(closure, self.person, self.around, instant, zone)


@dataclass(slots=True)
class Answers:
    """What the engine was told of the world. It asks without waiting, so what it lacks is found, and it is asked again.

    An answer may lead to another question, but none takes back an answer.
    """

    patient: str
    members: dict[Actor, frozenset[str]] = field(default_factory=dict)
    referred: dict[str, frozenset[str] | None] = field(default_factory=dict)
    lacking: set[Actor | str] = field(default_factory=set)

    def within(self, actor: Actor) -> frozenset[str] | None:
        if actor not in self.members:
            self.lacking.add(actor)
            return None
        return self.members[actor]

    def references(self, reference: str) -> frozenset[str] | None:
        if reference not in self.referred:
            self.lacking.add(reference)
            return None
        return self.referred[reference]

    async def find(self, moment: Moment, filer: Filer, staged: Staged) -> bool:
        """Find what was lacking; whether there was anything."""
        found = bool(self.lacking)
        for asked in self.lacking:
            if isinstance(asked, str):
                self.referred[asked] = await self._referred(asked, moment, filer, staged)
            else:
                self.members[asked] = await counting_as(moment, asked)
        self.lacking.clear()
        return found

    async def _referred(self, asked: str, moment: Moment, filer: Filer, staged: Staged) -> frozenset[str] | None:
        """What a resource of this dossier, or of nobody's, refers to.

        Whatever is in another dossier was never here: a Consent must not tell its writer what exists elsewhere.
        """
        filing = staged(asked)
        if filing is None:
            kind, _, logical_id = asked.partition("/")
            stored = await moment.get(kind, logical_id)
            filing = None if stored is None else filer.of(stored)
        if filing is None:
            return None
        facts = filing.facts
        if facts.type in _TEAMS:
            # Whoever alone decides about a team could let anybody in; so it must be nobody's alone but this patient's.
            open_to_all = len(facts.patients) != 1
        else:
            open_to_all = not facts.patients and facts.type in UNOWNED
        return facts.references if open_to_all or facts.patients == (self.patient,) else None


def _foreign_teams(record: ConsentRecord, world: World) -> Iterator[Problem]:
    """The teams that a Consent names and that are another patient's, or nowhere: one and the same to its writer."""
    named: set[str] = set()
    for provision in record.provisions:
        stated = provision.condition.recipients
        for actor in stated.values if stated is not None else ():
            reference = actor.reference if isinstance(actor, Party) else ""
            if reference.partition("/")[0] in _TEAMS and reference not in named:
                named.add(reference)
                if world.references(reference) is None:
                    yield Problem(f"{provision.path}.actor", "names a team that is neither this patient's nor nobody's")


class Loader:
    """Loads dossiers from a moment."""

    def __init__(self, rules: Rules, filer: Filer, zone: ZoneInfo) -> None:
        self.rules = rules
        self._filer = filer
        self._zone = zone

    async def load(self, moment: Moment, patients: Sequence[str]) -> dict[str, Dossier]:
        """The dossiers of these patients (logical ids), also of those of whom nothing is stored."""
        stored: dict[str, dict[str, list[StoredVersion]]] = {patient: {} for patient in patients}
        for kind, where in _IN_USE.items():
            for row in await moment.find(kind, where, OwnedBy(tuple(patients))):
                for owner in row.owners:
                    stored[owner].setdefault(kind, []).append(row)
        validated = await self._validated(moment, stored)
        return {patient: await self._dossier(moment, patient, rows, validated) for patient, rows in stored.items()}

    async def compiled(self, moment: Moment, record: ConsentRecord, staged: Staged) -> CompiledConsent:
        """One Consent, compiled against the world of the moment."""
        return (await self._asked(moment, record.patient, staged, lambda world: self._compile(record, world)))[0]

    async def warnings(
        self, moment: Moment, record: ConsentRecord, others: Sequence[ConsentRecord], staged: Staged
    ) -> tuple[Conflict, ...]:
        """Where the Consent and the others can say yes and no about the same thing."""
        vocabulary = self.rules.vocabulary
        found = await self._asked(
            moment, record.patient, staged, lambda world: conflicts(record, others, world, vocabulary)
        )
        return found[0]

    def record(self, consent: Json) -> ConsentRecord:
        return parse(consent, self.rules.vocabulary, self._zone)

    async def _dossier(
        self, moment: Moment, patient: str, rows: Mapping[str, list[StoredVersion]], validated: frozenset[str]
    ) -> Dossier:
        consents = []
        watched: set[str] = set()
        for row in rows.get("Consent", ()):
            record = self.record(json.parse(row.body))
            compiled, answers = await self._asked(moment, patient, nothing_staged, partial(self._compile, record))
            if compiled.problems:
                # Refused when it is written; one that is here all the same came by a rule of before.
                _log.warning(
                    "Consent/%s can't be enforced, its permits are void and its denies stand: %s %s",
                    row.id,
                    compiled.problems[0].expression,
                    compiled.problems[0].diagnostics,
                )
            consents.append(Signed(compiled, row.updated))
            watched.update(answers.referred)
        related = [json.parse(row.body) for row in rows.get("RelatedPerson", ())]
        around = [
            json.parse(row.body) for kind in ("CareTeam", "EpisodeOfCare", "Encounter") for row in rows.get(kind, ())
        ]
        persons = [json.parse(row.body) for row in rows.get("Patient", ()) if row.id == patient]
        edges = {edge for resource in (*related, *around) for edge in self._edges(resource)}
        return Dossier(
            patient=patient,
            consents=tuple(consents),
            representatives=tuple(
                representative(one, f"RelatedPerson/{one['id']}" in validated, self._zone) for one in related
            ),
            around=tuple(around),
            person=persons[0] if persons else {},
            watched=frozenset(watched),
            edges=tuple(sorted(edges)),
        )

    def _compile(self, record: ConsentRecord, world: World) -> CompiledConsent:
        compiled = compile_consent(record, world, self.rules)
        problems = tuple(_foreign_teams(record, world))
        return replace(compiled, problems=(*compiled.problems, *problems)) if problems else compiled

    async def _asked(
        self, moment: Moment, patient: str, staged: Staged, ask: Callable[[World], T]
    ) -> tuple[T, Answers]:
        """The answer to a question that asks about the world, and what it was told."""
        answers = Answers(patient)
        while True:
            answer = ask(answers)
            if not await answers.find(moment, self._filer, staged):
                return answer, answers

    async def _validated(
        self, moment: Moment, stored: Mapping[str, Mapping[str, list[StoredVersion]]]
    ) -> frozenset[str]:
        """The RelatedPersons that a VerificationResult with status `validated` targets."""
        ids = [row.id for rows in stored.values() for row in rows.get("RelatedPerson", ())]
        if not ids:
            return frozenset()
        asked = Or(tuple(Reference("target", "RelatedPerson", logical_id) for logical_id in ids))
        results = [json.parse(row.body) for row in await moment.find("VerificationResult", asked)]
        targets = [values(result, "target") for result in results if result.get("status") == "validated"]
        return frozenset(local(target) for several in targets for target in several)

    def _edges(self, resource: Json) -> Iterable[int]:
        """Beginning and end of the resource's periods: its own, and those of its participants."""
        for path in ("period", "participant.period"):
            for value in values(resource, path):
                yield from period(value, self._zone) or ()

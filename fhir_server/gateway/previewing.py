"""What a Consent would change before it is signed: which people, which records, compared with today.

Everybody concerned asks for everything in the dossier, by the Consents of today and by those as they would be; nothing
is stored. For the patient and their proxies only.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from consent import foretell
from consent.among import Among, indexes
from consent.bind import bind
from consent.compile import Policy
from consent.model import AccessRequest, Action, Closure, ConsentRecord, Party, ResourceFacts
from consent.residual import residual
from consent.words import LANGUAGES, Text
from fhir_server.gateway import stored_text, validation
from fhir_server.gateway.access import SHOWN, not_found
from fhir_server.gateway.actors import closure_of
from fhir_server.gateway.dossier import Dossier, Signed, nothing_staged
from fhir_server.gateway.dossier_records import records
from fhir_server.gateway.explaining import Both
from fhir_server.gateway.moment import Now, Within
from fhir_server.gateway.naming import names
from fhir_server.gateway.people import concerned, named_in
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.standing import request_of
from fhir_server.gateway.unfolding import UNFOLDED
from fhir_server.outcome import Category, FhirError, Issue

if TYPE_CHECKING:
    from fhir_server.gateway.gateway import Gateway

PEOPLE_MAX: Final = 300
PURPOSES_MAX: Final = 12
REFERENCES_MAX: Final = 100
_PROFESSIONALS: Final = ("Organization", "Practitioner", "PractitionerRole")
# To what end people ask, unless a Consent speaks of other ends.
_ENDS: Final[Mapping[str, str]] = {"Patient": "PATRQT", "RelatedPerson": "FAMRQT", "Device": ""}
# Whoever no Consent names: a care professional, and somebody else.
_ANYBODY: Final[tuple[tuple[Text, Closure], ...]] = (
    (foretell.ANY_PROFESSIONAL, Closure(frozenset(), professional=True)),
    (foretell.ANY_RESIDENT, Closure(frozenset())),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Records of one type; `resources` are the first REFERENCES_MAX of them, `Type/id`."""

    type: str
    count: int
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What changes for one person, or for whoever is not named (`actor` ''), to each of these ends.

    `mentions`: of what they would see, the first references that lead to what stays closed (`mentioned` in all).
    """

    actor: str
    name: str
    purposes: tuple[str, ...]
    opens: tuple[Counted, ...]
    closes: tuple[Counted, ...]
    mentions: tuple[tuple[str, str], ...]
    mentioned: int
    sentences: Both


@dataclass(frozen=True, slots=True)
class Preview:
    """`people` and `records` were looked at, `left_out` people were not; `warnings` are what a write would warn of."""

    patient: str
    people: int
    left_out: int
    records: int
    changes: tuple[Change, ...]
    warnings: tuple[Issue, ...]
    sentences: Both


def named(gateway: "Gateway", consent: Mapping[str, Any], status: str) -> tuple[Mapping[str, Any], str]:
    """The Consent with an id and the status it would have, and the patient (logical id) whose it is.

    Raises FhirError for one that is not valid, or names no patient.
    """
    logical_id = consent.get("id") if isinstance(consent.get("id"), str) else gateway.tools.new_id()
    made = stored_text.with_id({**consent, "status": status} if status else consent, str(logical_id))
    validation.check(made, gateway.registry)
    patient = gateway.knowledge.loader.record(made).patient
    if not patient:
        raise FhirError(Category.UNPROCESSABLE, "it does not name a patient of this server", ("Consent.patient",))
    return made, patient


async def compare(gateway: "Gateway", sight: Sight, consent: Mapping[str, Any], patient: str) -> Preview:
    """The preview, for the patient and their proxies; it replaces the stored Consent with this id, if it is theirs.

    Raises FhirError: 404 for everybody else, 422 for a Consent that can't be enforced.
    """
    snapshot, knowledge = sight.snapshot, gateway.knowledge
    person = await sight.read("Patient", patient, SHOWN)
    if person is None or not sight.judge.owns((patient,)) or not sight.permits(person, SHOWN):
        raise not_found()
    await gateway.tools.consents.check(consent, snapshot, nothing_staged, imported=False)
    warnings = await gateway.tools.consents.warnings(consent, snapshot, nothing_staged)
    moment, instant = Now(snapshot), gateway.clock()
    known = Within(moment, patient)
    today = await knowledge.dossier(snapshot, patient)
    compiled = await knowledge.loader.compiled(moment, knowledge.loader.record(consent), nothing_staged)
    others = tuple(signed for signed in today.consents if signed.compiled.record.id != compiled.record.id)
    then = replace(today, consents=(*others, Signed(compiled, instant)))
    held = [name for name in gateway.tools.ownership.types - UNFOLDED if sight.authority.holds(name, SHOWN)]
    rows = [row for row in await records(snapshot, patient, held) if sight.judge.reaches(row, SHOWN)]
    facts = [replace(gateway.tools.filer.of(row).facts, patients=(patient,)) for row in rows]
    spoken = [compiled.record, *(signed.compiled.record for signed in today.consents)]
    people = await concerned(known, today, spoken, facts, PEOPLE_MAX)
    comparing = _Comparing(gateway, today, then, facts, instant, _ends(spoken))
    known_as = await names(known, people.logins)
    changes: list[Change] = []
    for login in people.logins:
        await asyncio.sleep(0)  # other requests go on
        closure = await closure_of(known, login, "", instant, knowledge.zone)
        changes += comparing.changes(login, (known_as[login], known_as[login]), closure)
    for name, closure in _ANYBODY:
        changes += comparing.changes("", name, closure)
    looked = len(people.logins), people.left_out, len(rows)
    dutch, english = (tuple(foretell.overall(len(changes), *looked, language)) for language in LANGUAGES)
    return Preview(patient, *looked, tuple(changes), warnings, (dutch, english))


def _ends(consents: Iterable[ConsentRecord]) -> list[str]:
    """The purposes that the Consents speak of. The emergency button is not one to ask with."""
    spoken: dict[str, None] = {}
    for consent in consents:
        for provision in consent.provisions:
            if provision.condition.purpose is not None:
                spoken.update(dict.fromkeys(sorted(provision.condition.purpose.values)))
    return [end for end in spoken if end != "BTG"][:PURPOSES_MAX]


class _Comparing:
    """Two states of one dossier's rules, asked about the same records."""

    def __init__(
        self,
        gateway: "Gateway",
        today: Dossier,
        then: Dossier,
        facts: Sequence[ResourceFacts],
        instant: int,
        ends: Sequence[str],
    ) -> None:
        self._knowledge = gateway.knowledge
        self._states = tuple((dossier, dossier.policy(instant, gateway.rules)) for dossier in (today, then))
        self._facts = facts
        self._among = Among(facts)
        # Those who work together mostly see the same.
        self._counts: dict[int, tuple[Counted, ...]] = {}
        self._instant = instant
        self._ends = ends
        self._seen_by: dict[tuple[int, AccessRequest], int] = {}
        self._asked_about = {f"Patient/{today.patient}"} | {author for one in facts for author in one.authors}
        spoken = [consent.record for _, policy in self._states for consent in policy.consents]
        named = [actor for consent in spoken for actor in named_in(consent)]
        self._asked_about.update(*(consent.performers for consent in spoken))
        self._asked_about.update(actor.reference for actor in named if isinstance(actor, Party))
        self._kinds = {actor for actor in named if not isinstance(actor, Party)}
        places = {one.reference: at for at, one in enumerate(facts) if one.type != "Patient"}
        self._references = [
            (at, places[reference])
            for at, one in enumerate(facts)
            for reference in sorted(one.references)
            if reference in places and places[reference] != at
        ]

    def changes(self, login: str, name: Text, closure: Closure) -> list[Change]:
        """What changes for somebody; ends to which the same changes stand together."""
        kind = login.partition("/")[0]
        usual = "TREAT" if kind in _PROFESSIONALS or closure.professional else _ENDS.get(kind, "FAMRQT")
        by_change: dict[tuple[int, int], list[str]] = {}
        for purpose in dict.fromkeys((usual, *self._ends)):
            before, after = self._seen(closure, purpose)
            if before != after:
                by_change.setdefault((before, after), []).append(purpose)
        return [self._change(login, name, *seen, tuple(purposes)) for seen, purposes in by_change.items()]

    def _seen(self, closure: Closure, purpose: str) -> tuple[int, int]:
        """Which records they see today, and which they would."""
        before, after = (self._seen_in(state, closure, purpose) for state in self._states)
        return before, after

    def _seen_in(self, state: tuple[Dossier, Policy], closure: Closure, purpose: str) -> int:
        dossier, policy = state
        request = request_of(self._knowledge, dossier, closure, purpose, Action.ACCESS, self._instant)
        # What nothing here asks about makes no difference, so that colleagues are mostly one and the same requester.
        request = replace(request, closure=self._as_asked(closure))
        key = (id(policy), request)
        if key not in self._seen_by:
            self._seen_by[key] = self._among.holds(residual(bind(policy, request, self._knowledge.rules)))
        return self._seen_by[key]

    def _as_asked(self, closure: Closure) -> Closure:
        return replace(
            closure,
            individuals=closure.individuals & self._asked_about,
            teams=closure.teams & self._asked_about,
            organisations=closure.organisations & self._asked_about,
            categories=closure.categories & self._kinds,
        )

    def _change(self, login: str, name: Text, before: int, after: int, purposes: tuple[str, ...]) -> Change:
        opens, closes = self._counted(after & ~before), self._counted(before & ~after)
        arising = [
            (at, to) for at, to in self._references if _leads_out(after, at, to) and not _leads_out(before, at, to)
        ]
        dutch, english = (
            tuple(
                foretell.change(
                    called,
                    {one.type: one.count for one in opens},
                    {one.type: one.count for one in closes},
                    purposes,
                    len(arising),
                    language,
                )
            )
            for called, language in zip(name, LANGUAGES, strict=True)
        )
        return Change(
            actor=login,
            name=name[0],
            purposes=purposes,
            opens=opens,
            closes=closes,
            mentions=tuple(
                (self._facts[at].reference, self._facts[to].reference) for at, to in arising[:REFERENCES_MAX]
            ),
            mentioned=len(arising),
            sentences=(dutch, english),
        )

    def _counted(self, bits: int) -> tuple[Counted, ...]:
        if bits not in self._counts:
            by_type: dict[str, list[str]] = {}
            for at in indexes(bits):
                by_type.setdefault(self._facts[at].type, []).append(self._facts[at].reference)
            self._counts[bits] = tuple(
                Counted(type, len(several), tuple(sorted(several)[:REFERENCES_MAX]))
                for type, several in sorted(by_type.items())
            )
        return self._counts[bits]


def _leads_out(seen: int, at: int, to: int) -> bool:
    """Whether what is seen mentions what is not."""
    return bool(seen >> at & 1) and not seen >> to & 1

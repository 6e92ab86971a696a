"""Why somebody can, or can't, see what is in a dossier: decisions with their full basis, now or as of another day.

For the patient, their verified proxies and the auditor only: a basis tells of restrictions (EHDS art. 8). Whoever is
asked about may be anybody: what they count as is in the directory or in this dossier, and nothing of another is told.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Final, TypeAlias

from consent.bind import bind
from consent.explain import explain, limit
from consent.findings import findings
from consent.instants import interval
from consent.model import EMERGENCY_WINDOW_MAX, Action, Decision, Emergency, Finding, Party
from consent.say import day, say
from consent.words import LANGUAGES, Language
from fhir_server.gateway.access import SHOWN, not_found
from fhir_server.gateway.actors import closure_of
from fhir_server.gateway.dossier import Dossier
from fhir_server.gateway.dossier_records import record, records
from fhir_server.gateway.moment import Moment, Now, Then, Within
from fhir_server.gateway.naming import names
from fhir_server.gateway.ownership import local_reference
from fhir_server.gateway.requester import SYSTEM_KIND, USER_TYPES
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.standing import request_of
from fhir_server.gateway.unfolding import UNFOLDED
from fhir_server.outcome import Category, FhirError
from fhir_server.store.protocol import StoredVersion

if TYPE_CHECKING:
    from fhir_server.gateway.gateway import Gateway

# The last instant that a FHIR instant can say.
_LAST_INSTANT: Final = 253_402_300_799_000_000
_AT_ONCE: Final = 200

Both: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Sentences in Dutch, and the same in English."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as text; '' for what was left open. `about` is `Type/id`, a type, or '' for the whole dossier."""

    actor: str
    purpose: str = ""
    action: str = ""
    about: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A Question that can be answered. `instant` None: now."""

    actor: str
    purpose: str
    action: Action
    type: str
    id: str
    instant: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """One provision of one Consent version, what became of it, and what it says. `by`: what made it lose."""

    consent: str
    path: str
    effect: str
    fate: str
    by: str
    elements: tuple[tuple[str, str], ...]
    says: Both


@dataclass(frozen=True, slots=True)
class Told:
    """One decision, and the records for which it is the decision; `valid_until` None: nothing is due.

    `resources` are `Type/id`, () where only their number was asked for.
    """

    type: str
    effect: str
    rule: str
    count: int
    resources: tuple[str, ...]
    valid_until: int | None
    parts: tuple[Part, ...]
    sentences: Both


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: who was asked about, under which name, at which instant, and what was decided."""

    actor: str
    name: str
    purpose: str
    action: str
    instant: int
    told: tuple[Told, ...]


def check(gateway: "Gateway", question: Question) -> Asked:
    """Raises FhirError 400 for a question that can't be answered, whatever is stored."""
    actor = local_reference(question.actor)
    if actor is None or actor[0] not in USER_TYPES:
        raise FhirError(Category.VALUE, f"`actor` refers to one of {', '.join(USER_TYPES)}", ("actor",))
    if question.purpose and question.purpose not in gateway.rules.vocabulary.purposes:
        raise FhirError(Category.VALUE, "`purpose` is a code of v3 ActReason, such as TREAT", ("purpose",))
    try:
        action = Action(question.action or Action.ACCESS.value)
    except ValueError:
        known = ", ".join(one.value for one in Action)
        raise FhirError(Category.VALUE, f"`action` is one of {known}", ("action",)) from None
    about = local_reference(question.about) or (question.about, "")
    if about[0] and about[0] not in gateway.registry.resource_types:
        raise FhirError(Category.VALUE, "`resource` is `Type/id`, `type` a resource type", ("resource",))
    instant = None
    if question.at:
        span = interval(question.at, gateway.settings.zone)
        if span is None or not 0 <= span[0] <= _LAST_INSTANT:
            raise FhirError(Category.VALUE, "`at` is a date or a date and time from 1970 on", ("at",))
        instant = span[0]
    purpose = question.purpose or ("PATRQT" if actor[0] == "Patient" else "")
    return Asked("/".join(actor), purpose, action, *about, instant)


def entitled(sight: Sight, patient: StoredVersion | None) -> bool:
    """Whether the basis of decisions in the dossier of this Patient may be told; `know` comes first.

    The auditor is the operator with a token that reads the log.
    """
    if patient is None:
        return False
    authority = sight.authority
    if authority.requester.kind == SYSTEM_KIND:
        return authority.holds("AuditEvent", "r")
    return sight.judge.owns((patient.id,)) and sight.permits(patient, "r")


async def answer(gateway: "Gateway", sight: Sight, patient: str, asked: Asked) -> Explanation:
    """The explanation, for whoever is `entitled`. Raises FhirError 404 for a record that is not in the dossier."""
    knowledge, zone = gateway.knowledge, gateway.settings.zone
    now = gateway.clock()
    instant = now if asked.instant is None else asked.instant
    moment: Moment
    if asked.instant is None:
        moment = Now(sight.snapshot)
        dossier = await knowledge.dossier(sight.snapshot, patient)
    else:
        moment = Then(sight.snapshot, instant, gateway.tools.extract)
        dossier = (await knowledge.loader.load(moment, (patient,)))[patient]
    # A team in another dossier is none of this patient's business, though their own Consent names it.
    known = Within(moment, patient)
    closure = await closure_of(known, asked.actor, "", instant, zone)
    emergency = None
    if asked.purpose == "BTG":
        # What the button would open, if it were pressed.
        allowed = gateway.may_press(asked.actor, closure)
        emergency = Emergency(allowed, "?", instant, instant + EMERGENCY_WINDOW_MAX)
    request = request_of(knowledge, dossier, closure, asked.purpose, asked.action, instant, emergency)
    bound = bind(dossier.policy(instant, knowledge.rules), request, knowledge.rules)
    found = await _records(gateway, sight, patient, asked)
    teller = _Teller(dossier, asked.action, zone, await names(known, _mentioned(dossier, asked.actor)))
    groups: dict[tuple[str, Decision], list[str]] = {}
    for at, row in enumerate(found):
        if at % _AT_ONCE == 0:
            await asyncio.sleep(0)  # other requests go on
        facts = replace(gateway.tools.filer.of(row).facts, patients=(patient,))
        decision = bound.decide(facts)
        if asked.type:
            verdict = bound.verdict(facts)
            decision = bound.decision(verdict, findings(bound, facts, verdict))
        groups.setdefault((row.type, decision), []).append(f"{row.type}/{row.id}")
    told = [
        teller.told(type, decision, references, named=bool(asked.type))
        for (type, decision), references in sorted(groups.items(), key=lambda group: (group[0][0], -len(group[1])))
    ]
    name = teller.names[asked.actor]
    return Explanation(asked.actor, name, asked.purpose, asked.action.value, instant, tuple(told))


async def _records(gateway: "Gateway", sight: Sight, patient: str, asked: Asked) -> list[StoredVersion]:
    """The records that were asked about, as far as the asker's scopes reach."""
    snapshot = sight.snapshot
    if asked.id:
        row = await record(snapshot, patient, asked.type, asked.id, asked.instant)
        if row is None or not sight.judge.reaches(row, SHOWN):
            raise not_found()
        return [row]
    # What the log and the trail of writing hold is for the patient alone, and would bury the rest.
    types = (asked.type,) if asked.type else sorted(gateway.tools.ownership.types - UNFOLDED)
    held = [name for name in types if sight.authority.holds(name, SHOWN)]
    rows = await records(snapshot, patient, held, asked.instant) if held else []
    return [row for row in rows if sight.judge.reaches(row, SHOWN)]


def _mentioned(dossier: Dossier, actor: str) -> list[str]:
    """Whom the Consents name, and who is asked about."""
    mentioned = {actor}
    for signed in dossier.consents:
        for provision in signed.compiled.record.provisions:
            condition = provision.condition
            for who in (condition.recipients, condition.authors, condition.custodians):
                if who is not None:
                    mentioned.update(one.reference for one in who.values if isinstance(one, Party))
            if condition.data is not None:
                mentioned.update(one.reference for one in condition.data.values)
    return sorted(mentioned)


class _Teller:
    """Puts decisions about one dossier into words."""

    def __init__(self, dossier: Dossier, action: Action, zone: tzinfo, known_as: Mapping[str, str]) -> None:
        self.names = known_as
        self._action = action
        self._zone = zone
        self._provisions = {
            (signed.compiled.record.id, provision.path): provision
            for signed in dossier.consents
            for provision in signed.compiled.record.provisions
        }
        self._written = {signed.compiled.record.id: signed.written for signed in dossier.consents}

    def told(self, type: str, decision: Decision, references: Sequence[str], *, named: bool) -> Told:
        until = decision.valid_until
        return Told(
            type=type,
            effect=decision.effect.value,
            rule=decision.basis[0].rule.value,
            count=len(references),
            resources=tuple(sorted(references)) if named else (),
            valid_until=until if until <= _LAST_INSTANT else None,
            parts=tuple(self._part(finding) for basis in decision.basis for finding in basis.findings),
            sentences=self._both(lambda language: self._sentences(decision, language)),
        )

    def _sentences(self, decision: Decision, language: Language) -> tuple[str, ...]:
        sentences = explain(decision, language, lambda consent: self._consent(consent, language))
        limited = limit(self._action, language)
        return (*sentences, limited) if limited else tuple(sentences)

    def _part(self, finding: Finding) -> Part:
        provision = self._provisions[finding.consent, finding.path]
        return Part(
            consent=f"Consent/{finding.consent}/_history/{finding.version}",
            path=finding.path,
            effect=finding.effect.value,
            fate=finding.fate.value,
            by="" if finding.by is None else f"Consent/{finding.by[0]} {finding.by[1]}",
            elements=tuple((name, found.name.lower()) for name, found in finding.elements),
            says=self._both(lambda language: (say(provision, language, self._zone, self._known_as),)),
        )

    def _consent(self, consent: str, language: Language) -> str:
        """What the reader knows a Consent by: the day since which it says what it says, and its id."""
        since = day(self._written[consent], language, self._zone)
        what = ("de keuze van", "the choice of")[LANGUAGES.index(language)]
        return f"{what} {since}, Consent/{consent}"

    def _known_as(self, reference: str) -> str:
        return self.names.get(reference, reference)

    def _both(self, tell: Callable[[Language], tuple[str, ...]]) -> Both:
        dutch, english = (tell(language) for language in LANGUAGES)
        return dutch, english

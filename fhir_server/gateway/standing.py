"""Where one requester stands: what they count as, and each patient's rules bound to them, kept while they hold.

A Standing is shared by all requests with the same user, client, purpose and emergency window.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from consent.bind import Bound, bind
from consent.compile import compile_policy
from consent.model import FOREVER, AccessRequest, Action, Closure, Emergency
from consent.predicate import Predicate as Residual
from consent.residual import residual
from fhir_server.gateway import audit
from fhir_server.gateway.actors import employers
from fhir_server.gateway.dossier import Dossier
from fhir_server.gateway.knowledge import Knowledge
from fhir_server.gateway.moment import Now
from fhir_server.gateway.requester import Requester
from fhir_server.gateway.residuals import as_query
from fhir_server.search.query import EVERYTHING, NOTHING, ByOwner, Predicate
from fhir_server.store.protocol import Snapshot

_BOUNDS_MAX: Final = 50_000
_HOUR: Final = 3_600_000_000


@dataclass(slots=True, eq=False)
class Kept:
    """A patient's rules for the requester, what they were made from, and what was worked out from them."""

    dossier: Dossier
    closure: Closure
    bound: Bound
    _residual: Residual | None = None
    _queries: dict[str, Predicate] = field(default_factory=dict)

    @property
    def residual(self) -> Residual:
        if self._residual is None:
            self._residual = residual(self.bound)
        return self._residual

    def query(self, type: str) -> Predicate:
        """Which resources of the type and of this patient the requester may have."""
        found = self._queries.get(type)
        if found is None:
            found = self._queries[type] = as_query(self.residual, type)
        return found


@dataclass(slots=True, eq=False)
class _Everybody:
    """The rules of all patients for the requester, as long as `generation` lasts and before `valid_until`."""

    generation: int
    valid_until: int
    groups: tuple[tuple[tuple[str, ...], Residual], ...]
    otherwise: Residual
    queries: dict[str, ByOwner] = field(default_factory=dict)
    by_owner: dict[str, ByOwner] = field(default_factory=dict)

    def query(self, type: str) -> ByOwner:
        found = self.queries.get(type)
        if found is None:
            otherwise = as_query(self.otherwise, type)
            found = self.queries[type] = together(
                [(patients, as_query(rest, type)) for patients, rest in self.groups], otherwise
            )
        return found

    def query_by_owner(self, type: str) -> ByOwner:
        """The same as far as owners tell: everything of those of whom something may be had."""
        found = self.by_owner.get(type)
        if found is None:
            owned = self.query(type)
            otherwise = _as_a_whole(owned.otherwise)
            answers = [(patients, _as_a_whole(answer)) for patients, answer in owned.groups]
            found = self.by_owner[type] = together(answers, otherwise)
        return found


class Standing:
    """`may_press` tells whether the deployment lets a login use the emergency button."""

    def __init__(self, knowledge: Knowledge, requester: Requester, may_press: Callable[[str, Closure], bool]) -> None:
        self._knowledge = knowledge
        self._requester = requester
        self._may_press = may_press
        self._bounds: dict[tuple[str, Action], Kept] = {}
        self._abouts: dict[tuple[str, ...], tuple[list[Kept], ByOwner]] = {}
        self._everybody: _Everybody | None = None
        self._known_as: tuple[Closure, audit.Standing] | None = None

    @property
    def login(self) -> str:
        """`Practitioner/1` …"""
        return self._requester.user

    async def closure(self, snapshot: Snapshot, instant: int) -> Closure:
        return await self._knowledge.closure(snapshot, self._requester.user, self._requester.client, instant)

    async def known_as(self, snapshot: Snapshot, instant: int) -> audit.Standing:
        """As whom the requester counts, for the audit."""
        closure = await self.closure(snapshot, instant)
        if self._known_as is None or self._known_as[0] is not closure:
            first = await employers(Now(snapshot), self.login)
            above = sorted(closure.organisations.difference(first))
            own = [one for one in first if one in closure.organisations]
            known = audit.Standing(tuple(sorted(closure.individuals)), (*own, *above))
            self._known_as = (closure, known)
        return self._known_as[1]

    async def bound(self, snapshot: Snapshot, patient: str, instant: int, action: Action = Action.ACCESS) -> Kept:
        """The rules of one patient for the requester."""
        dossier = await self._knowledge.dossier(snapshot, patient)
        return self._bound(dossier, await self.closure(snapshot, instant), instant, action)

    async def query_about(self, snapshot: Snapshot, patients: Iterable[str], type: str, instant: int) -> ByOwner:
        """What the requester may have of the type that is about these patients and nobody else."""
        closure = await self.closure(snapshot, instant)
        dossiers = await self._knowledge.dossiers(snapshot, patients)
        kept = [self._bound(dossier, closure, instant, Action.ACCESS) for dossier in dossiers.values()]
        key = (type, *dossiers)
        known = self._abouts.get(key)
        if known is None or any(one is not other for one, other in zip(known[0], kept, strict=True)):
            answers = [((patient,), one.query(type)) for patient, one in zip(dossiers, kept, strict=True)]
            if len(self._abouts) >= _BOUNDS_MAX:
                self._abouts.clear()
            # The same object for as long as it says the same: a store keeps what it works out for it.
            known = self._abouts[key] = (kept, together(answers, NOTHING))
        return known[1]

    async def query(self, snapshot: Snapshot, type: str, instant: int) -> ByOwner:
        """What the requester may have of the type, whoever it is about."""
        return (await self._rules_of_all(snapshot, instant)).query(type)

    async def query_by_owner(self, snapshot: Snapshot, type: str, instant: int) -> ByOwner:
        """The same as far as owners tell: everything of those of whom something may be had."""
        return (await self._rules_of_all(snapshot, instant)).query_by_owner(type)

    async def _rules_of_all(self, snapshot: Snapshot, instant: int) -> _Everybody:
        knowledge = self._knowledge
        known = self._everybody
        current = knowledge.holds(snapshot)
        if known is None or not current or known.generation != knowledge.generation or instant >= known.valid_until:
            generation = knowledge.generation
            known = await self._gather(snapshot, instant, generation)
            if knowledge.holds(snapshot) and generation == knowledge.generation:
                self._everybody = known
        return known

    async def _gather(self, snapshot: Snapshot, instant: int, generation: int) -> _Everybody:
        closure = await self.closure(snapshot, instant)
        patients = set(await self._knowledge.consenting(snapshot))
        kind, _, logical_id = self._requester.user.partition("/")
        if kind == "Patient":
            patients.add(logical_id)
        elif kind == "RelatedPerson":
            related = await snapshot.read(kind, logical_id)
            patients.update(related.owners if related is not None else ())
        groups: dict[Residual, list[str]] = {}
        valid_until = closure.valid_until
        for patient, dossier in (await self._knowledge.dossiers(snapshot, sorted(patients))).items():
            kept = self._bound(dossier, closure, instant, Action.ACCESS)
            groups.setdefault(kept.residual, []).append(patient)
            valid_until = min(valid_until, kept.bound.valid_until)
        # Of whom nothing is known here, no Consent speaks; whoever wrote something about them may still read it.
        silent = bind(
            compile_policy("", ()), self._request(None, closure, instant, Action.ACCESS), self._knowledge.rules
        )
        return _Everybody(
            generation,
            min(valid_until, silent.valid_until),
            tuple((tuple(several), rest) for rest, several in groups.items()),
            residual(silent),
        )

    def _bound(self, dossier: Dossier, closure: Closure, instant: int, action: Action) -> Kept:
        key = (dossier.patient, action)
        kept = self._bounds.get(key)
        if (
            kept is not None
            and kept.dossier is dossier
            and kept.closure is closure
            and instant < kept.bound.valid_until
        ):
            return kept
        rules = self._knowledge.rules
        request = self._request(dossier, closure, instant, action)
        kept = Kept(dossier, closure, bind(dossier.policy(instant, rules), request, rules))
        if len(self._bounds) >= _BOUNDS_MAX:
            self._bounds.clear()
        self._bounds[key] = kept
        return kept

    def _request(self, dossier: Dossier | None, closure: Closure, instant: int, action: Action) -> AccessRequest:
        requester = self._requester
        purpose = requester.purpose or ("PATRQT" if requester.own_patient else "")
        return request_of(self._knowledge, dossier, closure, purpose, action, instant, self._emergency(closure))

    def _emergency(self, closure: Closure) -> Emergency | None:
        requester = self._requester
        if requester.purpose != "BTG":
            return None
        opened = requester.since
        allowed = self._may_press(requester.user, closure)
        return Emergency(allowed, requester.reason, opened, min(requester.until, opened + _HOUR))


def request_of(
    knowledge: Knowledge,
    dossier: Dossier | None,
    closure: Closure,
    purpose: str,
    action: Action,
    instant: int,
    emergency: Emergency | None = None,
) -> AccessRequest:
    """What somebody who counts as `closure` asks of the dossier (None: of one in which nothing is known)."""
    represents = treats = frozenset[str]()
    valid_until = FOREVER
    if dossier is not None:
        who = frozenset((dossier.patient,))
        if not closure.individuals.isdisjoint(dossier.proxies(instant, knowledge.rules)):
            represents = who
        if dossier.treated_by(closure, instant, knowledge.zone):
            treats = who
        valid_until = dossier.next_edge(instant)
    return AccessRequest(
        closure=closure,
        purpose=purpose,
        action=action,
        instant=instant,
        represents=represents,
        treats=treats,
        emergency=emergency,
        valid_until=valid_until,
    )


def _as_a_whole(answer: Predicate) -> Predicate:
    return NOTHING if answer == NOTHING else EVERYTHING


def together(answers: Iterable[tuple[tuple[str, ...], Predicate]], otherwise: Predicate) -> ByOwner:
    """Patients with equal answers stand together; those with the answer of everybody else need not be named."""
    groups: dict[Predicate, list[str]] = {}
    for patients, answer in answers:
        if answer != otherwise:
            groups.setdefault(answer, []).extend(patients)
    return ByOwner(tuple((tuple(sorted(patients)), answer) for answer, patients in groups.items()), otherwise)

"""Policies: which resources one requester may read or write at one moment, scope apart.

A Policy answers twice: `visible` becomes part of every query, `permits` is asked again of every row that comes back.

Three kinds of requester: whoever has a token is judged by the Consents of each patient concerned; nobody known sees
what the deployment publishes; `system`, the operator over REST, keeps the directory and reads the access log. Base
policy `permit` opens the rest to `system`, as it opens to everybody what no Consent speaks of.
https://hl7.org/fhir/R4/security.html#access-control
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from consent.bind import Bound
from consent.compile import Rules
from consent.decide import decide_bound
from consent.model import (
    PERSONAL_IN_PART,
    AccessRequest,
    Action,
    Closure,
    Decision,
    Effect,
    Obligation,
    ResourceFacts,
    Rule,
)
from fhir_server.gateway import audit
from fhir_server.gateway.audit import Ground
from fhir_server.gateway.directory import PERSONAL, UNOWNED
from fhir_server.gateway.filing import PERSONAL as PERSONAL_ROW
from fhir_server.gateway.filing import Filer, Filing
from fhir_server.gateway.narrow import conjunction, disjunction
from fhir_server.gateway.standing import Standing
from fhir_server.gateway.writing import CONSENT_ACTION, Leave, WriteAction, may_write
from fhir_server.search.query import EVERYTHING, NOTHING, Filed, Not, Predicate, Unowned
from fhir_server.store.protocol import Snapshot, StoredVersion

_log = logging.getLogger(__name__)


class Policy(Protocol):
    """A rule of access. `visible` and `permits` must agree; where they do not, the row is withheld and logged."""

    async def know(self, patients: Iterable[str]) -> None:
        """Find what must be known of these patients before `permits` is asked about what is theirs."""
        ...

    async def visible(self, type: str, about: frozenset[str] | None) -> Predicate:
        """Which resources of the type may be read, as a part of a query that is about these patients (None: any)."""
        ...

    async def visible_by_owner(self, type: str) -> Predicate:
        """The same as far as owners tell: what a history can be filtered by."""
        ...

    def permits(self, stored: StoredVersion) -> bool:
        """Whether this very version may be read, by its own owners and facts."""
        ...

    async def permits_write(
        self, action: WriteAction, type: str, owners: tuple[str, ...], filing: Filing, resource: Mapping[str, Any]
    ) -> Leave:
        """Whether this resource, with these facts, may be written; an update is asked of old and of new content."""
        ...

    def grounds(self, stored: StoredVersion) -> tuple[Ground, ...]:
        """What the decision about this version rested on."""
        ...

    def owns(self, patients: Iterable[str]) -> bool:
        """Whether the requester is each of these patients, or acts for them; at least one, all known."""
        ...

    def told(self) -> frozenset[str]:
        """The patients of whom something was opened by the emergency button, who are to be told so."""
        ...

    async def writers(self) -> tuple[str, ...]:
        """Whom this server records as the author of what the requester writes, `Type/id`."""
        ...

    async def standing(self) -> audit.Standing:
        """As whom the requester counts, for the audit."""
        ...


class ConsentPolicy:
    """Whoever has a token: the Consents of each patient concerned decide, in one snapshot.

    `ownable` are the types that can be about a patient.
    """

    def __init__(
        self,
        standing: Standing,
        snapshot: Snapshot,
        filer: Filer,
        rules: Rules,
        ownable: frozenset[str],
        instant: int,
    ) -> None:
        self._standing = standing
        self._snapshot = snapshot
        self._filer = filer
        self._rules = rules
        self._ownable = ownable
        self._instant = instant
        self._known: dict[str, Bound] = {}
        self._decisions: dict[tuple[str, str, int], Decision] = {}
        self._cited: dict[int, tuple[Ground, ...]] = {}

    async def know(self, patients: Iterable[str]) -> None:
        for patient in patients:
            if patient not in self._known:
                self._known[patient] = (await self._standing.bound(self._snapshot, patient, self._instant)).bound

    async def visible(self, type: str, about: frozenset[str] | None) -> Predicate:
        unowned = self._unowned(type)
        if type not in self._ownable:
            return unowned
        if about is None:
            owned = await self._standing.query(self._snapshot, type, self._instant)
        else:
            patients = sorted(await self._snapshot.sharers(sorted(about)))
            owned = await self._standing.query_about(self._snapshot, patients, type, self._instant)
        if not owned.groups:
            if owned.otherwise == NOTHING:
                return unowned
            if owned.otherwise == EVERYTHING and unowned == Unowned():
                return EVERYTHING
        return disjunction(unowned, owned)

    async def visible_by_owner(self, type: str) -> Predicate:
        if type not in self._ownable:
            return Unowned() if self._opens_unowned(type) else NOTHING
        whoever = await self._standing.query_by_owner(self._snapshot, type, self._instant)
        answers = {whoever.otherwise, *(answer for _, answer in whoever.groups)}
        if not self._opens_unowned(type):
            return NOTHING if answers == {NOTHING} else whoever
        return EVERYTHING if answers == {EVERYTHING} else disjunction(Unowned(), whoever)

    def permits(self, stored: StoredVersion) -> bool:
        key = (stored.type, stored.id, stored.version)
        decision = self._decisions.get(key)
        if decision is None:
            facts = self._filer.of(stored).facts
            if facts.patients != stored.owners:
                facts = replace(facts, patients=stored.owners)
            try:
                decision = decide_bound(self._known, _READ, facts, self._rules)
            except KeyError:
                _log.error("a %s was to be decided before its patients were known; it was withheld", stored.type)
                return False
            self._decisions[key] = decision
        return decision.effect is Effect.PERMIT

    async def permits_write(
        self, action: WriteAction, type: str, owners: tuple[str, ...], filing: Filing, resource: Mapping[str, Any]
    ) -> Leave:
        asked = CONSENT_ACTION[action]
        bounds = await self.bounds(owners, asked)
        closure = await self._standing.closure(self._snapshot, self._instant)
        request = AccessRequest(closure, "", asked, self._instant)
        granted = may_write(action, resource, filing.facts, bounds, request, self._standing.login, self._rules)
        return Leave(granted, tuple(ground for bound in bounds for ground in _grounds(bound.decide(filing.facts))))

    async def bounds(self, patients: Iterable[str], asked: Action) -> tuple[Bound, ...]:
        """The rules of each of these patients, for what is asked."""
        standing, snapshot, instant = self._standing, self._snapshot, self._instant
        return tuple([(await standing.bound(snapshot, patient, instant, asked)).bound for patient in patients])

    def known(self, patient: str) -> Bound:
        """The rules of a patient for reading; `know` comes first."""
        return self._known[patient]

    async def opens(self, asked: Action, owners: tuple[str, ...], facts: ResourceFacts) -> Leave:
        """Whether the Consents of all its patients open this to the requester, whoever wrote it."""
        decisions = [bound.decide(facts) for bound in await self.bounds(owners, asked)]
        granted = all(decision.permitted for decision in decisions)
        return Leave(granted, tuple(ground for decision in decisions for ground in _grounds(decision)))

    def grounds(self, stored: StoredVersion) -> tuple[Ground, ...]:
        decision = self._decisions.get((stored.type, stored.id, stored.version))
        if decision is None:
            return ()
        # Most rows of a search rest on the same decision.
        found = self._cited.get(id(decision))
        if found is None:
            found = self._cited[id(decision)] = _grounds(decision)
        return found

    def owns(self, patients: Iterable[str]) -> bool:
        known = [self._known[patient] for patient in patients]
        return bool(known) and all(bound.always is not None for bound in known)

    def told(self) -> frozenset[str]:
        return frozenset(
            basis.patient
            for decision in self._decisions.values()
            if Obligation.TELL_PATIENT in decision.obligations
            for basis in decision.basis
            if basis.rule is Rule.EMERGENCY
        )

    async def writers(self) -> tuple[str, ...]:
        closure = await self._standing.closure(self._snapshot, self._instant)
        return tuple(sorted(closure.individuals | {self._standing.login}))

    async def standing(self) -> audit.Standing:
        return await self._standing.known_as(self._snapshot, self._instant)

    def _unowned(self, type: str) -> Predicate:
        """What they may read of the type that is about nobody."""
        if not self._opens_unowned(type):
            return NOTHING
        # What the server noted of who wrote what is nobody's where what was written is.
        return conjunction(Unowned(), Not(Filed(PERSONAL_ROW, ("",)))) if type in PERSONAL_IN_PART else Unowned()

    def _opens_unowned(self, type: str) -> bool:
        """Whether they may read what is of the type and about nobody, as the engine says of such a resource."""
        if type in PERSONAL:
            return False
        return type in self._rules.directory or self._rules.base is Effect.PERMIT


_NOBODY = Closure(frozenset())
# What `decide_bound` asks of a request beyond what is bound already: that it reads.
_READ = AccessRequest(_NOBODY, "", Action.ACCESS, 0)


def _grounds(decision: Decision) -> tuple[Ground, ...]:
    found: list[Ground] = []
    for basis in decision.basis:
        cited = [Ground(basis.patient, basis.rule.value, f.consent, f.version, f.path) for f in basis.findings]
        found += cited or [Ground(basis.patient, basis.rule.value)]
    return tuple(found)


class FixedPolicy:
    """Whoever no Consent speaks of: nobody known, and `system`."""

    def __init__(self, base: Effect, *, system: bool) -> None:
        self._open = system and base is Effect.PERMIT
        self._system = system
        # A Device that is about nobody is an app: the operator keeps them, others meet them by name only.
        self._directory = UNOWNED | {"Device"} if system else UNOWNED

    async def know(self, patients: Iterable[str]) -> None:
        return None

    async def visible(self, type: str, about: frozenset[str] | None) -> Predicate:
        return self._visible(type)

    async def visible_by_owner(self, type: str) -> Predicate:
        return self._visible(type)

    def permits(self, stored: StoredVersion) -> bool:
        answer = self._visible(stored.type)
        return answer == EVERYTHING or (answer != NOTHING and not stored.owners)

    async def permits_write(
        self, action: WriteAction, type: str, owners: tuple[str, ...], filing: Filing, resource: Mapping[str, Any]
    ) -> Leave:
        if not self._system or filing.facts.personal or (type == "AuditEvent" and action != "create"):
            return Leave(False)
        return Leave(self._open or (type in self._directory and not owners), _operator(owners))

    def grounds(self, stored: StoredVersion) -> tuple[Ground, ...]:
        return _operator(stored.owners)

    def owns(self, patients: Iterable[str]) -> bool:
        return False

    def told(self) -> frozenset[str]:
        return frozenset()

    async def writers(self) -> tuple[str, ...]:
        return ()

    async def standing(self) -> audit.Standing:
        return audit.UNKNOWN

    def _visible(self, type: str) -> Predicate:
        if self._open or (self._system and type == "AuditEvent"):
            return EVERYTHING
        return Unowned() if type in self._directory else NOTHING


def _operator(owners: tuple[str, ...]) -> tuple[Ground, ...]:
    return tuple(Ground(owner, "operator") for owner in owners)

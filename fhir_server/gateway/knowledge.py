"""What the rules know of the world, kept from request to request for as long as it is true.

A snapshot says by its epoch whether anything was committed since the last look, in this process or another, and by its
changes what: so a Consent that was revoked is gone from here before the next request is decided.

INVARIANT: what is kept was true in the snapshot whose epoch is `_epoch`. A snapshot of another moment is answered from
itself, and nothing of that is kept.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from consent.compile import Rules
from consent.model import Closure
from fhir_server.gateway.actors import DIRECTORY_TYPES, closure_of
from fhir_server.gateway.dossier import DOSSIER_TYPES, Dossier, Loader
from fhir_server.gateway.filing import Filer
from fhir_server.gateway.moment import Now
from fhir_server.search.query import OwnedBy, Token
from fhir_server.store.protocol import Change, Snapshot

# No rule looks at these, and they are most of what is written.
_UNASKED: Final = ("AuditEvent", "Provenance")
_DOSSIERS_MAX: Final = 100_000
_CLOSURES_MAX: Final = 4_096


class Knowledge:
    """One for all Sessions of a gateway. `generation` changes whenever something that was known no longer holds."""

    def __init__(self, rules: Rules, filer: Filer, zone: ZoneInfo) -> None:
        self.rules = rules
        self.zone = zone
        self.loader = Loader(rules, filer, zone)
        self.generation = 0
        self._epoch = -1
        self._latest = 0
        self._dossiers: dict[str, Dossier] = {}
        self._watched: dict[str, set[str]] = {}
        self._closures: dict[tuple[str, str], Closure] = {}
        # Who has a Consent in force; of those who are unsure, one changed since.
        self._consenting: frozenset[str] | None = None
        self._unsure: frozenset[str] = frozenset()

    async def refresh(self, snapshot: Snapshot) -> None:
        """Forget what the snapshot shows to have changed."""
        epoch = snapshot.epoch
        if epoch == self._epoch:
            return
        found = await snapshot.changes(self._latest, _UNASKED)
        if found.latest < self._latest:
            return  # an older snapshot than the last one; it is answered from itself
        self._epoch, self._latest = epoch, found.latest
        if found.changes is None:
            self._forget_all()
        else:
            self._forget(found.changes)

    async def closure(self, snapshot: Snapshot, login: str, client: str, instant: int) -> Closure:
        """What the login counts as."""
        key = (login, client)
        known = self._closures.get(key) if self.holds(snapshot) else None
        if known is None or known.valid_until <= instant:
            known = await closure_of(Now(snapshot), login, client, instant, self.zone)
            if self.holds(snapshot):
                if len(self._closures) >= _CLOSURES_MAX:
                    self._closures.clear()
                self._closures[key] = known
        return known

    async def dossier(self, snapshot: Snapshot, patient: str) -> Dossier:
        if self.holds(snapshot) and (known := self._dossiers.get(patient)) is not None:
            return known
        return (await self.dossiers(snapshot, (patient,)))[patient]

    async def dossiers(self, snapshot: Snapshot, patients: Iterable[str]) -> dict[str, Dossier]:
        """The dossiers of these patients."""
        wanted = list(dict.fromkeys(patients))
        found: dict[str, Dossier] = {}
        if self.holds(snapshot):
            found = {patient: self._dossiers[patient] for patient in wanted if patient in self._dossiers}
        lacking = [patient for patient in wanted if patient not in found]
        if lacking:
            loaded = await self.loader.load(Now(snapshot), lacking)
            found.update(loaded)
            if self.holds(snapshot):
                self._keep(loaded.values())
        return found

    async def consenting(self, snapshot: Snapshot) -> frozenset[str]:
        """The patients who have a Consent in force."""
        current = self.holds(snapshot)
        known, unsure = (self._consenting, self._unsure) if current else (None, frozenset[str]())
        if known is not None and not unsure:
            return known
        about = None if known is None else OwnedBy(tuple(sorted(unsure)))
        rows = await Now(snapshot).find("Consent", Token("status", None, "active"), about)
        found = frozenset(owner for row in rows for owner in row.owners)
        if known is not None:
            found |= known - unsure
        if self.holds(snapshot):
            self._consenting, self._unsure = found, frozenset()
        return found

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether what is kept is true in the snapshot."""
        return snapshot.epoch == self._epoch

    def _keep(self, dossiers: Iterable[Dossier]) -> None:
        if len(self._dossiers) >= _DOSSIERS_MAX:
            self._forget_all()
        for dossier in dossiers:
            self._dossiers[dossier.patient] = dossier
            for reference in dossier.watched:
                self._watched.setdefault(reference, set()).add(dossier.patient)

    def _forget(self, changes: Sequence[Change]) -> None:
        patients: set[str] = set()
        for change in changes:
            if change.type in DIRECTORY_TYPES or change.type == "VerificationResult":
                # Who counts as whom may be part of any Consent's rules.
                if change.type != "CareTeam" or not change.owners:
                    self._forget_all()
                    return
                self._closures.clear()
                self.generation += 1
            if change.type in DOSSIER_TYPES:
                patients.update(change.owners)
            patients |= self._watched.get(f"{change.type}/{change.id}", set())
            if change.type == "Consent" and self._consenting is not None:
                self._unsure |= frozenset(change.owners)
        if patients:
            for patient in patients:
                self._dossiers.pop(patient, None)
            self.generation += 1

    def _forget_all(self) -> None:
        self._dossiers.clear()
        self._watched.clear()
        self._closures.clear()
        self._consenting, self._unsure = None, frozenset()
        self.generation += 1

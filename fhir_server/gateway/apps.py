"""An app that a patient, or their proxy, let in: it may do what they may themselves and their Consents open to it.

The app is a Device that a Consent names. Two policies are asked, the person's and the app's, and both must permit; so
whatever narrows or ends the Consent holds with the next request. What is for the patient alone (Consents, the access
log) the app reaches only where a provision opens that class to it by name.
https://hl7.org/fhir/smart-app-launch/STU2.2/, https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from consent.bind import Bound
from consent.facts import values
from consent.model import Action, Condition, Effect, Party
from consent.references import local
from consent.vocabulary import RESOURCE_TYPES
from fhir_server.gateway import audit
from fhir_server.gateway.audit import Ground
from fhir_server.gateway.directory import PERSONAL
from fhir_server.gateway.dossier import Dossier
from fhir_server.gateway.filing import Filing
from fhir_server.gateway.narrow import conjunction
from fhir_server.gateway.policies import ConsentPolicy, Policy
from fhir_server.gateway.requester import Requester
from fhir_server.gateway.writing import CONSENT_ACTION, Leave, WriteAction
from fhir_server.search.query import EVERYTHING, NOTHING, ByOwner, Predicate
from fhir_server.store.protocol import StoredVersion

_PURPOSE: Final = "PATRQT"
_CONSENT_ACTORS: Final = "actor.reference"


def itself(who: Requester) -> Requester:
    """The app as a requester of its own, on the patient's behalf."""
    return replace(who, user=who.app, app="", purpose=who.purpose or _PURPOSE)


def stands(dossier: Dossier, consent: str, app: str, instant: int) -> bool:
    """Whether the Consent is in force at the instant and names the app among those it lets in."""
    party = Party(app)
    for signed in dossier.consents:
        record = signed.compiled.record
        if record.id == consent and record.active:
            return any(
                compiled.effect is Effect.PERMIT and _lets_in(compiled.provision.condition, party, instant)
                for compiled in signed.compiled.speaking
            )
    return False


def _lets_in(condition: Condition, party: Party, instant: int) -> bool:
    period = condition.period
    within = period is None or (not period.unclear and period.low <= instant < period.high)
    return within and condition.recipients is not None and party in condition.recipients.values


class AppPolicy:
    """See Policy. `person` decides for whoever let the app in, `app` for the app itself, by the same Consents."""

    def __init__(self, person: Policy, app: ConsentPolicy, who: Requester) -> None:
        self._person = person
        self._app = app
        self._patient = who.patient
        self._party = Party(who.app)

    async def know(self, patients: Iterable[str]) -> None:
        wanted = {*patients, self._patient}
        await self._person.know(wanted)
        await self._app.know(wanted)

    async def visible(self, type: str, about: frozenset[str] | None) -> Predicate:
        theirs = await self._person.visible(type, about)
        if type in PERSONAL:
            return conjunction(theirs, await self._personal(type))
        return conjunction(theirs, await self._app.visible(type, about))

    async def visible_by_owner(self, type: str) -> Predicate:
        theirs = await self._person.visible_by_owner(type)
        if type in PERSONAL:
            return conjunction(theirs, await self._personal(type))
        return conjunction(theirs, await self._app.visible_by_owner(type))

    def permits(self, stored: StoredVersion) -> bool:
        if not self._person.permits(stored):
            return False
        if stored.type in PERSONAL:
            return self._opens_personal(stored.type, stored.owners)
        return self._app.permits(stored)

    async def permits_write(
        self, action: WriteAction, type: str, owners: tuple[str, ...], filing: Filing, resource: Mapping[str, Any]
    ) -> Leave:
        leave = await self._person.permits_write(action, type, owners, filing, resource)
        if not leave.granted or not owners:
            return leave
        if type in PERSONAL:
            # What an app may do is not the app's to say: no Consent about itself.
            granted = self._party not in _actors(resource) and all(
                _opened(bound, type, self._party) and owner == self._patient
                for owner, bound in zip(owners, await self._app.bounds(owners, CONSENT_ACTION[action]), strict=True)
            )
            return Leave(granted, leave.grounds)
        opened = await self._app.opens(CONSENT_ACTION[action], owners, filing.facts)
        return Leave(opened.granted, (*opened.grounds, *leave.grounds))

    def grounds(self, stored: StoredVersion) -> tuple[Ground, ...]:
        return (*self._app.grounds(stored), *self._person.grounds(stored))

    def owns(self, patients: Iterable[str]) -> bool:
        """Whoever may not see the Consents through the app is not told through it what they come to either."""
        asked = tuple(patients)
        return self._person.owns(asked) and self._opens_personal("Consent", asked)

    def told(self) -> frozenset[str]:
        return self._person.told()

    async def writers(self) -> tuple[str, ...]:
        return await self._person.writers()

    async def standing(self) -> audit.Standing:
        return await self._person.standing()

    async def _personal(self, type: str) -> Predicate:
        (bound,) = await self._app.bounds((self._patient,), Action.ACCESS)
        return _of(self._patient) if _opened(bound, type, self._party) else NOTHING

    def _opens_personal(self, type: str, owners: Iterable[str]) -> bool:
        bound = self._app.known(self._patient)
        return all(owner == self._patient for owner in owners) and _opened(bound, type, self._party)


def _opened(bound: Bound, type: str, party: Party) -> bool:
    """Whether a provision opens the class by name to the app, and none closes it by name to anybody like it."""
    effects = set()
    for candidate in bound.candidates:
        condition = candidate.compiled.provision.condition
        named = condition.class_ is not None and (RESOURCE_TYPES, type) in condition.class_.values
        mine = condition.recipients is not None and party in condition.recipients.values
        if named and (mine or candidate.compiled.effect is Effect.DENY):
            effects.add(candidate.compiled.effect)
    return effects == {Effect.PERMIT}


def _actors(consent: Mapping[str, Any]) -> frozenset[Party]:
    """Everybody whom a provision of the Consent names, however deep."""
    found: set[Party] = set()
    waiting = [consent.get("provision")]
    while waiting:
        provision = waiting.pop()
        if isinstance(provision, Mapping):
            found.update(Party(local(reference)) for reference in values(provision, _CONSENT_ACTORS))
            nested = provision.get("provision")
            waiting += nested if isinstance(nested, list) else []
    return frozenset(found)


@lru_cache(maxsize=4096)
def _of(patient: str) -> ByOwner:
    """What is about this patient and nobody else; the same object each time, as a store keeps what it makes of it."""
    return ByOwner((((patient,), EVERYTHING),), NOTHING)

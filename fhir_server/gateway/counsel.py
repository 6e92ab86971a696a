"""Counsel: what a patient is told about their own Consents, and the emergency button of those who care for them.

Regulation (EU) 2025/327 (EHDS), art. 3 to 11
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fhir_server.gateway import audit
from fhir_server.gateway.access import READ, SEARCH, not_found
from fhir_server.gateway.asking import Asking
from fhir_server.gateway.emergency_window import Window, window
from fhir_server.gateway.explaining import Explanation, Question, answer, check, entitled
from fhir_server.gateway.moment import Now, Within
from fhir_server.gateway.naming import app_names, names
from fhir_server.gateway.previewing import Preview, compare, named
from fhir_server.outcome import FhirError
from fhir_server.store.protocol import StoredVersion
from profiles import json


class Counsel(Asking):
    """Questions about Consents; each is audited before it is answered."""

    async def explain(self, patient: str, question: Question) -> Explanation:
        """Why somebody can or can't see what is in the dossier, for the patient, a proxy and the auditor.

        Raises FhirError: 400 for what can't be asked, 401 or 403 without a scope to read Consents and what is asked
        about, 404 for everybody else as if there were no such patient, and for a record that is not in this dossier.
        """
        target = f"Patient/{patient}"
        asked_of: StoredVersion | None = None
        try:
            self._access.require("Consent", READ)
            asked = check(self._gateway, question)
            if asked.type:
                self._require_any((asked.type,), READ if asked.id else SEARCH)
            await self._unfold(asked.type)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                asked_of = await sight.read("Patient", patient, READ)
                if not entitled(sight, asked_of):
                    raise not_found()
                explanation = await answer(self._gateway, sight, patient, asked)
        except FhirError as error:
            await self._refused("operation", target, error, (() if asked_of is None else (asked_of,)))
            raise
        concerned = audit.touched((() if asked_of is None else (asked_of,)), sight.judge.grounds)
        await self._trail.shown("operation", target, concerned, f"actor={asked.actor}", "explain-access")
        return explanation

    async def preview(self, consent: Mapping[str, Any] | str, status: str) -> Preview:
        """What a Consent, or the stored one with this id, would change if it had this status ('': its own).

        Raises FhirError: 401 or 403 without a scope to read Consents, 400 or 422 for one that is not valid or can't be
        enforced, 404 for everybody but the patient and their proxies.
        """
        target = f"Consent/{consent}" if isinstance(consent, str) else "Consent"
        asked_of: StoredVersion | None = None
        try:
            self._access.require("Consent", READ)
            async with self._store.snapshot() as snapshot:
                sight = await self._look(snapshot)
                if isinstance(consent, str):
                    asked_of = await sight.read("Consent", consent, READ)
                    if asked_of is None or asked_of.deleted or not sight.permits(asked_of, READ):
                        raise not_found()
                    consent = json.parse(asked_of.body)
                made, patient = named(self._gateway, consent, status)
                preview = await compare(self._gateway, sight, made, patient)
        except FhirError as error:
            await self._refused("operation", target, error, (() if asked_of is None else (asked_of,)))
            raise
        await self._trail.shown("operation", f"Patient/{patient}", (), detail="preview")
        return preview

    async def app_names(self, clients: Iterable[str]) -> Mapping[str, str]:
        """What the registered apps among these client ids are called. That is about nobody, so no log tells of it."""
        async with self._store.snapshot() as snapshot:
            return await app_names(snapshot, clients)

    async def names(self, patient: str, references: Iterable[str]) -> Mapping[str, str]:
        """What those whom a Consent of the patient names, `Type/id`, are called; the reference where no name is known.

        For the patient and their proxies; for others nobody is known. No record is shown, so no log tells of it.
        """
        self._access.require("Consent", READ)
        async with self._store.snapshot() as snapshot:
            sight = await self._look(snapshot)
            if not entitled(sight, await sight.read("Patient", patient, READ)):
                return {}
            return await names(Within(Now(snapshot), patient), references)

    async def open_emergency(self, patient: str, reason: str, minutes: int) -> Window:
        """A token for one dossier in an emergency, durable and in the log of that patient id when it is returned.

        Raises FhirError as `emergency_window.window` says; never one that depends on whether there is such a patient.
        """
        target, gateway = f"Patient/{patient}", self._gateway
        try:
            async with self._store.snapshot() as snapshot:
                await self._look(snapshot)  # as whom the requester is known, for the log
                login, client = self.requester.user, self.requester.client
                closure = await gateway.knowledge.closure(snapshot, login, client, gateway.clock())
            allowed = gateway.may_press(login, closure)
            opened = window(self.requester, allowed, patient, reason, minutes, gateway.clock())
        except FhirError as error:
            await self._refused("operation", target, error)
            raise
        asked = replace(self.requester, purpose=opened.stored.purpose, reason=opened.stored.reason)
        trail = self._trail_of(asked)
        trail.standing = self._trail.standing
        entry = trail.entry("operation", 200, target, (), detail="emergency-access", emergency=True)
        await self._store.commit_auth(issue=[(opened.digest, opened.stored)], audit=(entry,))
        return opened

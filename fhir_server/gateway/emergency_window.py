"""The emergency button is pressed: a token for one patient, for reading, for an hour at most.

Nothing of the patient is looked at, so the answer is alike whether there is anything to open or nobody at all.
https://wetten.overheid.nl/BWBR0005290 (WGBO), NEN 7513; https://datatracker.ietf.org/doc/html/rfc6749#section-5.1
"""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from fhir_server.gateway.access import login_required, not_found
from fhir_server.gateway.redaction import redact_text
from fhir_server.gateway.requester import Requester
from fhir_server.outcome import Category, FhirError
from fhir_server.store.auth import AccessToken

BREAK_THE_GLASS: Final = "BTG"
MINUTES_MAX: Final = 60
_MINUTE: Final = 60_000_000
_REASON_MAX: Final = 500
# The button opens what there is to read; it lifts no rule about writing.
_READING: Final = "rs"
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """The token as its bearer gets it, and as it is stored."""

    token: str
    stored: AccessToken

    @property
    def digest(self) -> bytes:
        return sha256(self.token.encode()).digest()

    @property
    def seconds(self) -> int:
        """How long it lasts, as OAuth says it: `expires_in`."""
        return (self.stored.expires - self.stored.issued) // 1_000_000


def window(requester: Requester, allowed: bool, patient: str, reason: str, minutes: int, now: int) -> Window:
    """The window on the dossier of `patient` (a logical id), open from `now` (microseconds since 1970 UTC).

    `allowed`: whether the requester may press the button. Raises FhirError: 401 for nobody known, 403 for whoever may
    not or has no scope to read with, 400 for a reason without words or minutes out of range, 404 for what can be
    nobody's id.
    """
    if not requester.user:
        raise login_required()
    if not allowed:
        raise FhirError(Category.FORBIDDEN, "the emergency button is for care professionals who may use it")
    if not reason.strip() or len(reason) > _REASON_MAX:
        raise FhirError(Category.VALUE, f"`reason` says why, in 1 to {_REASON_MAX} characters", ("reason",))
    if not 1 <= minutes <= MINUTES_MAX:
        raise FhirError(Category.VALUE, f"`minutes` is 1 to {MINUTES_MAX}", ("minutes",))
    if not _ID.fullmatch(patient):
        raise not_found()
    scope = _narrowed(requester, patient)
    if not scope:
        raise FhirError(Category.FORBIDDEN, "the token has no scope to read this patient's dossier with")
    return Window(
        secrets.token_urlsafe(32),
        AccessToken(
            client=requester.client,
            user=requester.user,
            scope=scope,
            issued=now,
            # Whoever was let in until four is out at four: the button opens a dossier, it does not prolong a login.
            expires=min(now + minutes * _MINUTE, requester.until),
            patient=patient,
            purpose=BREAK_THE_GLASS,
            reason=redact_text(reason.strip()),
            grant=requester.grant,
        ),
    )


def _narrowed(requester: Requester, patient: str) -> str:
    """The scopes that the token has, as far as they read, for this one patient.

    An app that was let in for one patient only is not let in for another by a button.
    """
    words: dict[str, None] = {}
    for scope in requester.scopes:
        letters = "".join(letter for letter in scope.actions if letter in _READING)
        mine = scope.context == "user" or (scope.context == "patient" and requester.patient == patient)
        if letters and mine:
            limit = f"?{urlencode(scope.parameters)}" if scope.parameters else ""
            words[f"patient/{scope.type}.{letters}{limit}"] = None
    return " ".join(words)

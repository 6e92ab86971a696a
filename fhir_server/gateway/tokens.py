"""Access tokens as the operator issues them: opaque, stored as their SHA-256, audited.

https://datatracker.ietf.org/doc/html/rfc6750
"""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fhir_server.gateway import audit, scopes
from fhir_server.gateway.gateway import Gateway, new_uuid
from fhir_server.gateway.requester import SYSTEM_KIND, USER_TYPES, Requester
from fhir_server.store.auth import AccessToken

ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
TTL_SECONDS_MAX: Final = 24 * 3600
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token is to stand for; `patient` is a launch context, `ttl` seconds."""

    user: str
    client: str
    scope: str
    patient: str = ""
    purpose: str = ""
    reason: str = ""
    ttl: int = 3600


async def issue(gateway: Gateway, operator: str, terms: Terms) -> str:
    """A new token, durable when it returns. Raises ValueError that names the term that is out of range."""
    _check(gateway, terms)
    token = secrets.token_urlsafe(32)
    now = gateway.clock()
    record = audit.record(
        Requester(SYSTEM_KIND, operator, ()), "operation", 200, target=terms.user, detail=f"token for {terms.client}"
    )
    granted = AccessToken(
        client=terms.client,
        user=terms.user,
        scope=terms.scope,
        issued=now,
        expires=now + terms.ttl * 1_000_000,
        patient=terms.patient,
        purpose=terms.purpose,
        reason=terms.reason,
    )
    await gateway.store.commit_auth(
        issue=[(sha256(token.encode()).digest(), granted)], audit=(audit.entry(new_uuid(), now, record),)
    )
    return token


def _check(gateway: Gateway, terms: Terms) -> None:
    kind, _, logical_id = terms.user.partition("/")
    if terms.user != SYSTEM_KIND and (kind not in USER_TYPES or not _ID.fullmatch(logical_id)):
        raise ValueError(f"user is `{SYSTEM_KIND}` or one of {', '.join(USER_TYPES)} with an id, such as Patient/1")
    if not terms.client or len(terms.client) > 200:
        raise ValueError("client is a name of 1 to 200 characters")
    if not scopes.parse(terms.scope, gateway.registry.resource_types):
        raise ValueError("scope grants nothing; one that does is `patient/*.rs`")
    if terms.patient and not _ID.fullmatch(terms.patient):
        raise ValueError("patient is a logical id")
    if terms.purpose:
        reasons = gateway.registry.codesystem(ACT_REASON)
        if reasons is None or terms.purpose not in reasons:
            raise ValueError(f"purpose `{terms.purpose[:20]}` is not a code of v3 ActReason, such as TREAT")
    if not 1 <= terms.ttl <= TTL_SECONDS_MAX:
        raise ValueError(f"ttl is 1 to {TTL_SECONDS_MAX} seconds")

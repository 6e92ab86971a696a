"""What a store keeps for whoever lets people and apps in: access tokens, and records that change by comparison.

A record is whatever the authorization server has to remember: a client, an account, a grant, a code, a used assertion.
The store knows of none of these more than its kind, its key and what it belongs to. Times are microseconds since 1970
UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from fhir_server.store.protocol import AuditEntry


class AccessToken(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an opaque bearer token stands for. The token itself is never stored, its SHA-256 is.

    https://datatracker.ietf.org/doc/html/rfc6750
    """

    client: str
    user: str  # Patient/1, Practitioner/2 … or `system`
    scope: str
    issued: int
    expires: int
    patient: str = ""  # launch context, a logical id
    purpose: str = ""  # v3 ActReason code
    reason: str = ""
    grant: str = ""  # the grant that it ends with, '' for none
    consent: str = ""  # the patient's Consent that it hangs on, a logical id, '' for none
    app: str = ""  # the app as that Consent names it, `Device/1`


class AuthRecord(msgspec.Struct, frozen=True):
    """`revision` counts its changes, from 1. `expires` 0: never; who reads an expired one judges that."""

    kind: str
    key: str
    revision: int
    subject: str
    expires: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AuthWrite:
    """A record as it is to be, if its revision is still `expected` (0: there is none); `body` None takes it away.

    `subject` is what it can be found by besides its key: the account of a login, the person of a grant. A record that
    expired more than a day ago may be gone.
    """

    kind: str
    key: str
    expected: int
    body: bytes | None
    subject: str = ""
    expires: int = 0


class AuthConflict(Exception):
    """The record of the write at `position` has another revision than expected; nothing of the commit was stored."""

    def __init__(self, position: int) -> None:
        super().__init__(f"write {position}: the record is not what it was")
        self.position = position


class AuthStore(Protocol):
    """A token that was revoked, by whichever process, is gone with the next read; so are records."""

    async def token(self, digest: bytes) -> AccessToken | None:
        """None if unknown or revoked; expiry is the caller's to judge."""
        ...

    async def record(self, kind: str, key: str) -> AuthRecord | None: ...

    async def records(self, kind: str, subject: str | None = None) -> tuple[AuthRecord, ...]:
        """Every record of the kind, or those with the subject, by key."""
        ...

    async def commit_auth(
        self,
        writes: Sequence[AuthWrite] = (),
        *,
        issue: Sequence[tuple[bytes, AccessToken]] = (),
        revoke: Sequence[bytes] = (),
        revoke_grants: Sequence[str] = (),
        audit: Sequence["AuditEntry"] = (),
    ) -> None:
        """All or nothing, durable when it returns: first revoke tokens (by digest, by grant), then write and issue.

        Raises AuthConflict, StoreUnavailable.
        """
        ...

"""The records of the authorization server in the store, typed; every change says from which revision it starts.

What may happen once (a code, a refresh, an assertion) happens once, because of two who change one revision the store
lets one win. https://datatracker.ietf.org/doc/html/rfc9700#section-4.14
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from fhir_server.smart.records import (
    Account,
    Assertion,
    Attempts,
    Authorization,
    Client,
    Code,
    Grant,
    Identity,
    Launch,
    Login,
    ProviderRequest,
    Refresh,
    SecondStep,
)
from fhir_server.store.auth import AccessToken, AuthRecord, AuthStore
from fhir_server.store.auth import AuthConflict as AuthConflict  # raised by commit, caught on every floor above
from fhir_server.store.auth import AuthWrite as AuthWrite
from fhir_server.store.protocol import AuditEntry

T = TypeVar("T", bound=msgspec.Struct)

_ENCODE: Final = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A record as it was read: change it only from here."""

    key: str
    revision: int
    subject: str
    expires: int
    value: T


class Shelf(Generic[T]):
    """The records of one kind. Writes are made here and stored by `State.commit`, several together if need be."""

    def __init__(self, store: AuthStore, kind: str, type: type[T]) -> None:
        self._store = store
        self._kind = kind
        self._decode = msgspec.msgpack.Decoder(type).decode

    async def get(self, key: str) -> Kept[T] | None:
        """The record, also if it expired: whoever asks knows what that means."""
        found = await self._store.record(self._kind, key)
        return None if found is None else self._kept(found)

    async def all(self, subject: str | None = None) -> list[Kept[T]]:
        """Every record, or those with the subject, by key."""
        return [self._kept(found) for found in await self._store.records(self._kind, subject)]

    def add(self, key: str, value: T, *, subject: str = "", expires: int = 0) -> AuthWrite:
        """A record that must not be there yet."""
        return AuthWrite(self._kind, key, 0, _ENCODE(value), subject, expires)

    def change(self, kept: Kept[T], value: T, *, expires: int | None = None) -> AuthWrite:
        """The record with another value; its subject stays, and its expiry unless one is given."""
        until = kept.expires if expires is None else expires
        return AuthWrite(self._kind, kept.key, kept.revision, _ENCODE(value), kept.subject, until)

    def remove(self, kept: Kept[T]) -> AuthWrite:
        return AuthWrite(self._kind, kept.key, kept.revision, None)

    def _kept(self, found: AuthRecord) -> Kept[T]:
        return Kept(found.key, found.revision, found.subject, found.expires, self._decode(found.body))


class State:
    """All shelves of one store."""

    def __init__(self, store: AuthStore) -> None:
        self._store = store
        self.clients = Shelf(store, "client", Client)
        self.accounts = Shelf(store, "account", Account)
        self.identities = Shelf(store, "identity", Identity)
        self.logins = Shelf(store, "login", Login)
        self.second_steps = Shelf(store, "second-step", SecondStep)
        self.provider_requests = Shelf(store, "provider-request", ProviderRequest)
        self.attempts = Shelf(store, "attempts", Attempts)
        self.authorizations = Shelf(store, "authorization", Authorization)
        self.launches = Shelf(store, "launch", Launch)
        self.grants = Shelf(store, "grant", Grant)
        self.codes = Shelf(store, "code", Code)
        self.refreshes = Shelf(store, "refresh", Refresh)
        self.assertions = Shelf(store, "assertion", Assertion)

    async def token(self, digest: bytes) -> AccessToken | None:
        """See AuthStore.token."""
        return await self._store.token(digest)

    async def commit(
        self,
        *writes: AuthWrite,
        issue: Sequence[tuple[bytes, AccessToken]] = (),
        revoke: Sequence[bytes] = (),
        revoke_grants: Sequence[str] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> None:
        """See AuthStore.commit_auth: all or nothing, durable when it returns. Raises AuthConflict, StoreUnavailable."""
        await self._store.commit_auth(writes, issue=issue, revoke=revoke, revoke_grants=revoke_grants, audit=audit)

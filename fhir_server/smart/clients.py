"""The applications that are known here: registering them, giving them new credentials, taking them away.

Each has a Device about nobody, by which Consents and the audit log name it.
https://datatracker.ietf.org/doc/html/rfc7591, https://hl7.org/fhir/R4/device.html
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.gateway.scopes import Scope
from fhir_server.gateway.session import Session
from fhir_server.gateway.unit import Staged, Unit
from fhir_server.smart import client_metadata
from fhir_server.smart.grants import end
from fhir_server.smart.records import Client, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AuthConflict, AuthWrite
from fhir_server.store.protocol import AuditEntry

CLIENT_ID_SYSTEM: Final = "https://wijkdossier.nl/fhir/NamingSystem/client-id"
_SECRET_BYTES: Final = 32
_DEVICES: Final = (Scope("system", "Device", "crud"),)


class UnknownClient(Exception):
    """There is no client with this id."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as it was stored. `secret` is '' unless its kind is `symmetric`; it can't be shown again."""

    client: Client
    secret: str


class Clients:
    """The clients of one server. `by` is whom the audit log names for a change."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server
        self._shelf = server.state.clients

    def new_id(self) -> str:
        """A client id that nobody has."""
        return self._server.gateway.tools.new_id()

    async def get(self, id: str) -> Client | None:
        """The client as it is now; whether it may do what it asks for is another question."""
        kept = await self._shelf.get(id)
        return None if kept is None else kept.value

    async def all(self) -> list[Client]:
        """By id."""
        return [kept.value for kept in await self._shelf.all()]

    async def add(self, client: Client, by: str) -> Registered:
        """Register the client under its `id`. Its `secret` and `created` are made here.

        Raises ValueError that names what it may not be, or if the id is taken.
        """
        client_metadata.check(client, self._server.gateway.registry)
        if await self.get(client.id) is not None:  # before anything is said of its Device
            raise _taken(client.id)
        secret = _new_secret() if client.kind == "symmetric" else ""
        stored = msgspec.structs.replace(client, secret=secret and digest(secret), created=self._server.now())
        # The Device comes first: a Consent can't name an app that has none, whereas one that nobody names does no harm.
        await self._write_device(stored, by)
        entry = self._server.entry("", by, 201, f"client {client.id} registered", client.device)
        try:
            await self._server.state.commit(self._shelf.add(client.id, stored), audit=(entry,))
        except AuthConflict:
            raise _taken(client.id) from None
        return Registered(stored, secret)

    async def rotate(self, id: str, by: str, *, jwks: str = "", jwks_uri: str = "") -> Registered:
        """A new secret for a client that has one, or the keys that take the place of the present ones.

        The old secret, or keys, are of no use from here on; what was granted stays. Raises UnknownClient, and
        ValueError if there is nothing to give to a client of its kind.
        """
        kept = await self._kept(id)
        client = kept.value
        secret = ""
        if client.kind == "symmetric" and not (jwks or jwks_uri):
            secret = _new_secret()
            changed = msgspec.structs.replace(client, secret=digest(secret))
        elif client.kind == "asymmetric" and (jwks or jwks_uri):
            changed = msgspec.structs.replace(client, jwks=jwks, jwks_uri=jwks_uri)
            client_metadata.check(changed, self._server.gateway.registry)
        else:
            wanted = {"asymmetric": "keys or their address are needed", "symmetric": "it has a secret, not keys"}
            raise ValueError(
                f"client is {client.kind}: {wanted.get(client.kind, 'it has nothing to prove itself with')}"
            )
        entry = self._server.entry("", by, 200, f"client {id} has new credentials", client.device)
        await self._commit(self._shelf.change(kept, changed), entry)
        return Registered(changed, secret)

    async def remove(self, id: str, by: str) -> None:
        """The client is unknown, and what it was granted has ended, when this returns.

        Raises UnknownClient. If it fails halfway, the client is still known and can be removed again.
        """
        kept = await self._kept(id)
        await self._end_grants(id, by)
        entry = self._server.entry("", by, 200, f"client {id} removed", kept.value.device)
        await self._commit(self._shelf.remove(kept), entry, [kept.value.itself])
        await self._end_grants(id, by)  # somebody may have let it in at that very moment
        await self._delete_device(kept.value, by)

    async def _end_grants(self, id: str, by: str) -> None:
        for grant in await self._server.state.grants.all():
            if grant.value.client == id and not grant.value.ended:
                await end(self._server, grant, Requester(SYSTEM_KIND, by, ()), "app removed")

    async def _commit(self, write: AuthWrite, entry: AuditEntry, revoke_grants: Sequence[str] = ()) -> None:
        try:
            await self._server.state.commit(write, revoke_grants=revoke_grants, audit=(entry,))
        except AuthConflict:
            raise ValueError("client is being changed by somebody else, try again") from None

    async def _kept(self, id: str) -> Kept[Client]:
        kept = await self._shelf.get(id)
        if kept is None:
            raise UnknownClient(f"there is no client `{id[:100]}`")
        return kept

    async def _write_device(self, client: Client, by: str) -> None:
        resource = device(client)

        async def stage(unit: Unit) -> Staged:
            return await unit.update(resource)

        await self._session(by).write("update", client.device, stage)

    async def _delete_device(self, client: Client, by: str) -> None:
        type, _, id = client.device.partition("/")

        async def stage(unit: Unit) -> Staged | None:
            return await unit.delete(type, id)

        await self._session(by).write("delete", client.device, stage)

    def _session(self, by: str) -> Session:
        return self._server.gateway.session_of(Requester(SYSTEM_KIND, by, _DEVICES))


def device(client: Client) -> dict[str, Any]:
    """The client as a Device: what it is called, and its client id as its identifier."""
    return {
        "resourceType": "Device",
        "id": client.device.partition("/")[2],
        "identifier": [{"system": CLIENT_ID_SYSTEM, "value": client.id}],
        "status": "active",
        "deviceName": [{"name": client.name, "type": "user-friendly-name"}],
    }


def _taken(id: str) -> ValueError:
    return ValueError(f"client id `{id}` is taken")


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)

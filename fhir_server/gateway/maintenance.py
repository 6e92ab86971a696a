"""Maintenance: the operator's own door for imports. Audited like every other; only the command line opens it.

It decides nothing, because the operator holds the data already; it shows nothing of what is stored, and what it writes
is validated, indexed and given owners like everything else. No flag or token makes a Session one.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from fhir_server.gateway import stored_text
from fhir_server.gateway.audit import UNKNOWN, Ground, Standing
from fhir_server.gateway.filing import Filing, decode
from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.provenance import server_made
from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.gateway.results import Written
from fhir_server.gateway.session import Session
from fhir_server.gateway.unit import Unit
from fhir_server.gateway.writing import Leave, WriteAction
from fhir_server.search.context import Context
from fhir_server.search.query import EVERYTHING, Predicate
from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import Snapshot, StoredVersion, never
from profiles import json
from profiles.registry import Registry

T = TypeVar("T")


class Maintenance:
    """Writes for the operator named `operator`, a word for the audit such as the login on this machine."""

    def __init__(self, gateway: Gateway, operator: str) -> None:
        self._gateway = gateway
        self._session = Session(gateway, _Operator(Requester(SYSTEM_KIND, operator, ())))

    @property
    def registry(self) -> Registry:
        return self._session.registry

    def context(self, *, lenient: bool = False) -> Context:
        return self._session.context(lenient=lenient)

    async def write(
        self, interaction: str, target: str, stage: Callable[[Unit], Awaitable[T]]
    ) -> tuple[T, tuple[Written, ...]]:
        """As Session.write, for the operator."""
        return await self._session.write(interaction, target, stage)

    async def provide(self, resources: Iterable[Mapping[str, Any]]) -> int:
        """Store those resources (each with its id) that are not stored in these very words; how many."""
        wanted = [stored_text.with_id(resource, resource["id"]) for resource in resources]

        async def stage(unit: Unit) -> None:
            # Looked at anew in each attempt: who provides the same at the same time makes this one's work.
            for resource in await self._differing(wanted):
                await unit.update(resource)

        if not await self._differing(wanted):
            return 0
        _, written = await self.write("update", "", stage)
        return len(written)

    async def _differing(self, resources: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        found = []
        async with self._gateway.store.snapshot() as snapshot:
            for resource in resources:
                stored = await snapshot.read(resource["resourceType"], resource["id"])
                text = stored_text.body(resource)
                if stored is None or stored.body != stored_text.complete(text, stored.version, stored.updated):
                    found.append(resource)
        return found

    async def absent(self, targets: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the (type, id) that do not exist: where references of an import dangle."""
        async with self._gateway.store.snapshot() as snapshot:
            found = [(target, await snapshot.read(*target, never)) for target in targets]
        return [target for target, stored in found if stored is None or stored.deleted]

    async def reindex(self, progress: Callable[[int], None]) -> int:
        """File every current resource anew; how many."""
        store, tools = self._gateway.store, self._gateway.tools

        async def find(type: str, id: str) -> tuple[str, ...] | None:
            async with store.snapshot() as snapshot:
                stored = await snapshot.read(type, id, never)
            return None if stored is None else stored.owners

        async def extract(body: bytes, facts: bytes) -> tuple[IndexRows, tuple[str, ...], bytes]:
            resource = json.parse(body)
            recorded = decode(facts).recorded if facts else ()
            rows = tools.extract(resource)
            owners = await tools.ownership.owners(resource, rows, find)
            return rows, owners, tools.filer.file(resource, owners, rows, recorded, personal=server_made(resource))

        await self._session.performed("operation", detail="reindex")
        return await store.reindex(extract, progress)

    async def unfold_audit(self) -> int:
        """Turn the audit trail into AuditEvents, for whoever reads them outside a Session; how many entries."""
        return await self._gateway.store.unfold_audit(self._gateway.expand)


class _Operator:
    """The authority of the operator: everything, in every snapshot."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    @property
    def requester(self) -> Requester:
        return self._requester

    @property
    def imports(self) -> bool:
        return True

    def require(self, type: str, action: str) -> None:
        return None

    def holds(self, type: str, actions: str) -> bool:
        return True

    async def judge(self, snapshot: Snapshot) -> "_Everything":
        return _Everything()


class _Everything:
    """The Judge that decides nothing."""

    async def know(self, patients: Iterable[str]) -> None:
        return None

    async def visible(self, type: str, actions: str, about: frozenset[str] | None = None) -> Predicate:
        return EVERYTHING

    async def visible_by_owner(self, type: str, actions: str) -> Predicate:
        return EVERYTHING

    def permits(self, stored: StoredVersion, actions: str) -> bool:
        return True

    may_permit = permits
    reaches = permits

    async def permits_write(
        self,
        action: WriteAction,
        type: str,
        owners: tuple[str, ...],
        filing: Filing,
        rows: IndexRows,
        scope_action: str,
        resource: Mapping[str, Any],
    ) -> Leave:
        """Everything but the log: an import may add to it, and changes nothing that stands in it."""
        return Leave(action == "create" or not (type == "AuditEvent" or filing.facts.personal))

    def grounds(self, stored: StoredVersion) -> tuple[Ground, ...]:
        return ()

    def owns(self, patients: Iterable[str]) -> bool:
        return True

    def told(self) -> frozenset[str]:
        return frozenset()

    async def writers(self) -> tuple[str, ...]:
        return ()

    async def standing(self) -> Standing:
        return UNKNOWN

"""Asking: what every question of one requester has in common, whatever it is about.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fhir_server.gateway import audit
from fhir_server.gateway.access import SEARCH, SHOWN, Authority, login_required
from fhir_server.gateway.audit import Touched
from fhir_server.gateway.cursor import Cursor, unknown_cursor
from fhir_server.gateway.emergency import tell
from fhir_server.gateway.redaction import redact_text
from fhir_server.gateway.requester import Requester
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.trail import Trail
from fhir_server.gateway.unfolding import UNFOLDED
from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import Context
from fhir_server.search.results import ANY
from fhir_server.store.protocol import Capabilities, Snapshot, StoredVersion
from profiles.registry import Registry

if TYPE_CHECKING:
    from fhir_server.gateway.gateway import Gateway


class Asking:
    """One requester before the gateway: their scopes, their trail, and how they look at a snapshot."""

    def __init__(self, gateway: "Gateway", access: Authority) -> None:
        self._gateway = gateway
        self._store = gateway.store
        self._access = access
        self._sight: Sight | None = None
        self._trail = self._trail_of(access.requester)

    # --- what an interaction may know --------------------------------------------------------------------------------

    @property
    def requester(self) -> Requester:
        return self._access.requester

    @property
    def registry(self) -> Registry:
        return self._gateway.registry

    @property
    def capabilities(self) -> Capabilities:
        return self._store.capabilities

    def context(self, *, lenient: bool = False) -> Context:
        """What a search is parsed against."""
        return self._gateway.context(lenient=lenient)

    def require(self, type: str, action: str) -> None:
        """Raises FhirError 401 or 403 unless a scope covers the action (one of `cruds`) on the type."""
        self._access.require(type, action)

    def holds(self, type: str, actions: str = SEARCH) -> bool:
        """Whether some scope covers one of the actions on the type."""
        return self._access.holds(type, actions)

    def types(self, actions: str) -> tuple[str, ...]:
        """The resource types on which some scope covers one of the actions."""
        return tuple(name for name in self.registry.resource_types if self._access.holds(name, actions))

    def seal(self, path: tuple[str, ...], parameters: Sequence[tuple[str, str]], position: bytes) -> str:
        """A page cursor for this requester alone."""
        return self._gateway.sealer.seal(Cursor(path, tuple(parameters), position), self.requester.binding)

    def unseal(self, token: str, path: tuple[str, ...]) -> Cursor:
        """Raises FhirError 400 unless the cursor was made for this requester and this path."""
        cursor = self._gateway.sealer.open(token, self.requester.binding)
        if cursor.path != path:
            raise unknown_cursor()
        return cursor

    # --- auditing ----------------------------------------------------------------------------------------------------

    async def performed(self, interaction: str, target: str = "", detail: str = "") -> None:
        """An interaction that touched nothing stored: capabilities, `$validate`."""
        await self._trail.shown(interaction, target, (), detail=detail)

    async def refused(self, interaction: str, target: str, error: FhirError) -> None:
        """An interaction that was refused before it reached the Session; does nothing if the Session itself refused."""
        if not self._trail.knows(error):
            await self._trail.refused(interaction, target, error)

    # --- inner steps -------------------------------------------------------------------------------------------------

    def _trail_of(self, requester: Requester) -> Trail:
        gateway = self._gateway
        return Trail(self._store, requester, gateway.tools.new_id, gateway.clock, gateway.settings.base_url)

    async def _look(self, snapshot: Snapshot) -> Sight:
        sight = self._sight = Sight(
            snapshot,
            self._access,
            await self._access.judge(snapshot),
            self._gateway.tools.ownership.codes,
        )
        self._trail.standing = await sight.judge.standing()
        return sight

    async def _shown(
        self,
        interaction: str,
        target: str,
        rows: Iterable[StoredVersion],
        query: str = "",
        asked_about: frozenset[str] = frozenset(),
    ) -> None:
        """Put on the trail what was shown, and why; whoever must be told of it is.

        A question about a patient stands in their log, also where the answer is a number or nothing.
        """
        sight = self._sight
        assert sight is not None, "nothing is shown that was not looked at"
        told = sight.judge.told()
        concerned = audit.touched(rows, sight.judge.grounds)
        shown_of = {owner for one in concerned for owner in one.owners}
        # A citizen service number in the place of an id names nobody here, and stands in no log.
        others = [one for one in sorted(asked_about - shown_of) if redact_text(one) == one]
        concerned += tuple(Touched("Patient", one, 0, (one,)) for one in others)
        await self._trail.shown(interaction, target, concerned, query, emergency=bool(told))
        if told:
            await tell(self._gateway, self.requester, told)

    async def _refused(
        self, interaction: str, target: str, error: FhirError, rows: Iterable[StoredVersion] = (), query: str = ""
    ) -> None:
        grounds = self._sight.judge.grounds if self._sight is not None else None
        await self._trail.refused(interaction, target, error, audit.touched(rows, grounds), query)

    def _require_any(self, types: Sequence[str], action: str) -> None:
        if len(types) == 1:
            self._access.require(types[0], action)
        elif not any(self._access.holds(name, action) for name in types):
            if not self.requester.user:
                raise login_required()
            raise FhirError(Category.FORBIDDEN, "the token has no scope for this interaction")

    async def _unfold(self, *types: str) -> None:
        """Make AuditEvents and Provenances of the trail before anybody looks for them."""
        asked = UNFOLDED if ANY in types else UNFOLDED.intersection(types)
        if any(self._access.holds(name, SHOWN) for name in asked):
            await self._store.unfold_audit(self._gateway.expand)

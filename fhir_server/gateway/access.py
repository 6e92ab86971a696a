"""Access: the scopes of one requester, and with the policy of a moment the Judge of everything they ask for.

Scope ∩ compartment ∩ policy are three conjuncts, each enough to withhold. A missing scope is said aloud (401, 403),
whatever else withholds a resource makes it absent.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from fhir_server.gateway.audit import Ground, Standing
from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.filing import Filing
from fhir_server.gateway.matching import judgeable, matches
from fhir_server.gateway.narrow import conjunction, disjunction
from fhir_server.gateway.policies import Policy
from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.gateway.scopes import Context, Scope
from fhir_server.gateway.writing import Leave, WriteAction
from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import EVERYTHING, NOTHING, Or, OwnedBy, Predicate, Unowned
from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import Snapshot, StoredVersion
from profiles import json

Constrain: TypeAlias = Callable[[str, Sequence[tuple[str, str]]], Predicate]
"""Turns the constraint of a scope into a predicate on a type; raises FhirError where it is none."""
Extract: TypeAlias = Callable[[Mapping[str, Any]], IndexRows]

READ = "r"
SEARCH = "s"
SHOWN = "rs"  # either lets a resource be shown that another one leads to
# Whom a `system` scope is of use to: nobody who is a person.
# https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
_SYSTEMS = (SYSTEM_KIND, "Organization", "Device")


class Judge(Protocol):
    """Answers, within one snapshot, what a requester may see and do."""

    async def know(self, patients: Iterable[str]) -> None: ...

    async def visible(self, type: str, actions: str, about: frozenset[str] | None = None) -> Predicate: ...

    async def visible_by_owner(self, type: str, actions: str) -> Predicate: ...

    def permits(self, stored: StoredVersion, actions: str) -> bool: ...

    def may_permit(self, stored: StoredVersion, actions: str) -> bool: ...

    def reaches(self, stored: StoredVersion, actions: str) -> bool: ...

    async def permits_write(
        self,
        action: WriteAction,
        type: str,
        owners: tuple[str, ...],
        filing: Filing,
        rows: IndexRows,
        scope_action: str,
        resource: Mapping[str, Any],
    ) -> Leave: ...

    def grounds(self, stored: StoredVersion) -> tuple[Ground, ...]: ...

    def owns(self, patients: Iterable[str]) -> bool: ...

    def told(self) -> frozenset[str]: ...

    async def writers(self) -> tuple[str, ...]: ...

    async def standing(self) -> Standing: ...


class Authority(Protocol):
    """Whoever stands behind a Session and its units of work: a requester's Access, or the operator's maintenance."""

    @property
    def requester(self) -> Requester: ...

    @property
    def imports(self) -> bool:
        """Whether what is written may refer to what is still to come."""
        ...

    def holds(self, type: str, actions: str) -> bool: ...

    def require(self, type: str, action: str) -> None: ...

    async def judge(self, snapshot: Snapshot) -> Judge: ...


class Access:
    """What one requester's scopes reach. Lives as long as the token's terms do; holds no decision about any resource.

    `refresh` makes what is known of the world true for a snapshot, before a policy is asked for it.
    """

    def __init__(
        self,
        requester: Requester,
        policy: Callable[[Requester, Snapshot], Policy],
        refresh: Callable[[Snapshot], Awaitable[None]],
        constrain: Constrain,
        extract: Extract,
    ) -> None:
        self._requester = requester
        self._policy = policy
        self._refresh = refresh
        self._constrain = constrain
        self._extract = extract
        self._held: dict[tuple[str, str], tuple[tuple[Context, Predicate], ...]] = {}

    @property
    def requester(self) -> Requester:
        return self._requester

    @property
    def imports(self) -> bool:
        return False

    def holds(self, type: str, actions: str) -> bool:
        """Whether some scope covers one of the actions on the type."""
        return bool(self._scopes(type, actions))

    def require(self, type: str, action: str) -> None:
        """Raises FhirError: 401 without a token, 403 if no scope of the token covers the action on the type."""
        if self._scopes(type, action):
            return
        if not self._requester.user:
            raise login_required()
        raise FhirError(
            Category.FORBIDDEN,
            f"the token has no scope for this interaction on {type}",
            headers=(("WWW-Authenticate", 'Bearer error="insufficient_scope"'),),
        )

    async def judge(self, snapshot: Snapshot) -> "ScopedJudge":
        """The judge of all that is asked of the snapshot."""
        await self._refresh(snapshot)
        return ScopedJudge(self, self._policy(self._requester, snapshot))

    def reach(self, type: str, actions: str) -> Predicate:
        """Which resources of the type the scopes reach, by one of the actions, as a part of a query."""
        return disjunction(
            *(conjunction(self._compartment(context, type), limit) for context, limit in self._scopes(type, actions))
        )

    def reach_by_owner(self, type: str, actions: str) -> Predicate:
        """The same as far as owners tell."""
        return disjunction(*(self._compartment(context, type) for context, _ in self._scopes(type, actions)))

    def confined(self, type: str, actions: str) -> bool:
        """Whether every scope that counts reaches the patient in context, and what is about nobody, only."""
        return all(context == "patient" for context, _ in self._scopes(type, actions))

    def reaches(self, type: str, owners: tuple[str, ...], actions: str, content: IndexRows | bytes) -> bool:
        """Whether the scopes reach this very version."""
        for context, limit in self._scopes(type, actions):
            if not self._in_compartment(context, type, owners):
                continue
            if limit == EVERYTHING:
                return True
            # A deletion has no content left to judge, so a constrained scope does not reach it.
            if content == b"":
                continue
            if isinstance(content, bytes):
                content = self._extract(json.parse(content))
            if matches(limit, content):
                return True
        return False

    def may_reach(self, type: str, owners: tuple[str, ...], actions: str) -> bool:
        """Whether `reaches` may hold, told without the content."""
        return any(self._in_compartment(context, type, owners) for context, _ in self._scopes(type, actions))

    def _scopes(self, type: str, actions: str) -> tuple[tuple[Context, Predicate], ...]:
        """The context and constraint of each scope that counts for one of the actions on the type."""
        held = self._held.get((type, actions))
        if held is None:
            found: list[tuple[Context, Predicate]] = []
            for scope in self._requester.scopes:
                limit = self._limit(scope, type) if self._counts(scope, type, actions) else None
                if limit is not None:
                    found.append((scope.context, limit))
            held = self._held[type, actions] = tuple(found)
        return held

    def _counts(self, scope: Scope, type: str, actions: str) -> bool:
        if scope.type not in (type, "*") or not any(action in scope.actions for action in actions):
            return False
        if scope.context == "patient":
            return self._requester.patient != ""
        return scope.context == "user" or self._requester.kind in _SYSTEMS

    def _limit(self, scope: Scope, type: str) -> Predicate | None:
        """The constraint; None if it cannot be enforced on the type, and then the scope grants nothing of it."""
        if not scope.parameters:
            return EVERYTHING
        try:
            limit = self._constrain(type, scope.parameters)
        except FhirError:
            return None
        return limit if judgeable(limit) else None

    def _compartment(self, context: Context, type: str) -> Predicate:
        if context != "patient":
            return EVERYTHING
        own = OwnedBy((self._requester.patient,))
        return Or((Unowned(), own)) if type in UNOWNED else own

    def _in_compartment(self, context: Context, type: str, owners: tuple[str, ...]) -> bool:
        if context != "patient":
            return True
        return owners == (self._requester.patient,) or (not owners and type in UNOWNED)


class ScopedJudge:
    """The scopes and the policy together."""

    def __init__(self, access: Access, policy: Policy) -> None:
        self._access = access
        self._policy = policy
        self.know = policy.know
        self.grounds = policy.grounds
        self.owns = policy.owns
        self.told = policy.told
        self.writers = policy.writers
        self.standing = policy.standing

    async def visible(self, type: str, actions: str, about: frozenset[str] | None = None) -> Predicate:
        """Which resources of the type the requester may see, as a part of a query that is about these patients."""
        if self._access.confined(type, actions):
            patient = self._access.requester.patient
            about = frozenset((patient,)) if patient else about
        reach = self._access.reach(type, actions)
        return NOTHING if reach == NOTHING else conjunction(reach, await self._policy.visible(type, about))

    async def visible_by_owner(self, type: str, actions: str) -> Predicate:
        """The same as far as owners tell: what a history can be filtered by. `permits` still judges each version."""
        reach = self._access.reach_by_owner(type, actions)
        return NOTHING if reach == NOTHING else conjunction(reach, await self._policy.visible_by_owner(type))

    def permits(self, stored: StoredVersion, actions: str) -> bool:
        """Whether the requester may see this very version; `know` comes first."""
        return self._policy.permits(stored) and self.reaches(stored, actions)

    def reaches(self, stored: StoredVersion, actions: str) -> bool:
        """Whether the scopes reach this very version, whatever the policy says of it."""
        return self._access.reaches(stored.type, stored.owners, actions, stored.body)

    def may_permit(self, stored: StoredVersion, actions: str) -> bool:
        """Whether `permits` may hold, told without the body."""
        return self._policy.permits(stored) and self._access.may_reach(stored.type, stored.owners, actions)

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
        """Whether the requester may write (or take away) a version with these owners, facts and rows."""
        if not self._access.reaches(type, owners, scope_action, rows):
            return Leave(False)
        return await self._policy.permits_write(action, type, owners, filing, resource)


def login_required() -> FhirError:
    """The one answer to whoever comes without a token and needs one, alike for every type and id."""
    return FhirError(
        Category.LOGIN, "this needs an access token", headers=(("WWW-Authenticate", 'Bearer realm="fhir"'),)
    )


def invalid_token() -> FhirError:
    """https://datatracker.ietf.org/doc/html/rfc6750#section-3.1"""
    return FhirError(
        Category.UNKNOWN_TOKEN,
        "the access token is unknown or has expired",
        headers=(("WWW-Authenticate", 'Bearer realm="fhir", error="invalid_token"'),),
    )


def not_found() -> FhirError:
    """Absent, hidden, never there: one and the same, byte for byte."""
    return FhirError(Category.NOT_FOUND, "there is no such resource")

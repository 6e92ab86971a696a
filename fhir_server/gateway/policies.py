"""Policies: which resources a requester may read or write, scope apart.

A Policy answers twice: `visible` becomes part of every query, `permits` is asked again of every row that comes back.

Reading, in `BasePolicy`: directory and knowledge types in which no patient is named are open to whoever has the
scope; a patient reads what is about exactly themself; `system`, the operator, reads AuditEvents; base policy `permit`
opens the rest, except that Consents and AuditEvents stay with the patient and the operator. Everything else does not
exist.

Writing, chosen with privacy first where the rules are silent: patients write what is and stays about exactly
themself, their AuditEvents excepted; `system` writes directory and knowledge types; nobody else writes at all unless
the base policy is `permit`, and then whoever has the scope does. An AuditEvent is never changed or removed: NEN 7513
asks for a log that its subjects cannot edit.

The default and its reasons: https://hl7.org/fhir/R4/security.html#access-control
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from fhir_server.gateway.directory import PERSONAL, UNOWNED
from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.search.query import EVERYTHING, NOTHING, Or, OwnedBy, Predicate, Unowned
from fhir_server.settings import BasePolicy as BasePolicyName
from fhir_server.store.protocol import StoredVersion

WriteAction = Literal["create", "update", "delete"]


class Policy(Protocol):
    """A rule of access. `visible` and `permits` must agree; where they do not, the row is withheld and logged."""

    def visible(self, requester: Requester, type: str) -> Predicate:
        """Which resources of the type the requester may read, as a part of a query."""
        ...

    def permits(self, requester: Requester, stored: StoredVersion) -> bool:
        """Whether the requester may read this very version, by its own owners and facts."""
        ...

    def permits_write(self, requester: Requester, action: WriteAction, type: str, owners: tuple[str, ...]) -> bool:
        """Whether they may write a resource about these patients; an update is asked of old and of new content."""
        ...


@dataclass(frozen=True, slots=True)
class BasePolicy:
    """What holds when no Consent speaks."""

    base: BasePolicyName

    def visible(self, requester: Requester, type: str) -> Predicate:
        if self._open(requester, type):
            return EVERYTHING
        own = requester.own_patient
        choices: list[Predicate] = []
        if type in UNOWNED:
            choices.append(Unowned())
        if own:
            choices.append(OwnedBy((own,)))
        if not choices:
            return NOTHING
        return choices[0] if len(choices) == 1 else Or(tuple(choices))

    def permits(self, requester: Requester, stored: StoredVersion) -> bool:
        if not stored.owners:
            return stored.type in UNOWNED or self._open(requester, stored.type)
        own = requester.own_patient
        return (own != "" and stored.owners == (own,)) or self._open(requester, stored.type)

    def permits_write(self, requester: Requester, action: WriteAction, type: str, owners: tuple[str, ...]) -> bool:
        if requester.user == "":
            return False
        if type == "AuditEvent" and (action != "create" or requester.own_patient):
            return False
        own = requester.own_patient
        if own and owners == (own,):
            return True
        if self.base == "permit":
            return type not in PERSONAL or requester.kind == SYSTEM_KIND
        return requester.kind == SYSTEM_KIND and type in UNOWNED and not owners

    def _open(self, requester: Requester, type: str) -> bool:
        if type in PERSONAL:
            return requester.kind == SYSTEM_KIND and (type == "AuditEvent" or self.base == "permit")
        return self.base == "permit" and requester.user != ""

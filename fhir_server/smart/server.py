"""What every part of the authorization server works with: the gateway, the records, the settings, the signing keys."""

from dataclasses import dataclass, field

from fhir_server.gateway import audit
from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.settings import Settings
from fhir_server.smart.jwks import Fetcher, KeySets
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.limits import Limits
from fhir_server.smart.state import State
from fhir_server.store.protocol import AuditEntry


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """One per process; what is remembered is in `state`, the same for all workers."""

    gateway: Gateway
    state: State
    settings: Settings
    keys: SigningKeys
    key_sets: KeySets = field(default_factory=lambda: KeySets(Fetcher()))  # those that clients publish
    limits: Limits = field(default_factory=Limits)

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return self.gateway.clock()

    def entry(self, user: str, client: str, outcome: int, detail: str, target: str = "") -> AuditEntry:
        """An audit entry of the kind `operation`: somebody logged in, a token was issued, an app was stopped.

        `user` is `Patient/1` …, or `system` for the operator; `outcome` an HTTP status; `detail` says what was done, in
        words without anything secret.
        """
        who = Requester(user or SYSTEM_KIND, client, ())
        record = audit.record(who, "operation", outcome, target=target or user, detail=detail)
        return audit.entry(self.gateway.tools.new_id(), self.now(), record)

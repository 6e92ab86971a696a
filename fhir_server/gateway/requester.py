"""The requester: who asks, through which client, with which scopes, for whom and to what end.

https://datatracker.ietf.org/doc/html/rfc6750
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from fhir_server.gateway import scopes
from fhir_server.gateway.directory import PUBLIC
from fhir_server.gateway.scopes import Scope
from fhir_server.store.auth import AccessToken

ANONYMOUS_KIND: Final = "anonymous"
SYSTEM_KIND: Final = "system"
USER_TYPES: Final = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Device")


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. `user` is `Patient/1`, `Practitioner/2` …, `system`, or '' for nobody known.

    `patient` is the logical id of the launch context ('' if none), `purpose` a v3 ActReason code, `reason` the words
    given with it. The token holds from `since` until `until` (microseconds since 1970 UTC) and ends with its
    `grant`. `app` is the Device that a patient, or a proxy, let in by a Consent and that acts for them here: it may do
    what they may and their Consents open to it. `kind` is `anonymous`, `system`, or the resource type of the user;
    `own_patient` the logical id of a patient who asks for themself, '' for everybody else.
    """

    user: str
    client: str
    scopes: tuple[Scope, ...]
    patient: str = ""
    purpose: str = ""
    reason: str = ""
    since: int = 0
    until: int = 0
    grant: str = ""
    app: str = ""
    kind: str = field(init=False, default="")
    own_patient: str = field(init=False, default="")

    def __post_init__(self) -> None:
        # Asked of every row, so worked out once.
        kind, _, logical_id = self.user.partition("/")
        object.__setattr__(self, "kind", kind or ANONYMOUS_KIND)
        object.__setattr__(self, "own_patient", logical_id if kind == "Patient" else "")

    @property
    def binding(self) -> bytes:
        """What a page cursor is bound to: another person, client or launch context cannot use it."""
        return "\0".join((self.user, self.client, self.patient)).encode()


def anonymous(public_directory: bool) -> Requester:
    """The requester without a token: reads and searches the public types if the deployment publishes them."""
    granted = tuple(Scope("user", name, "rs") for name in sorted(PUBLIC)) if public_directory else ()
    return Requester(user="", client="", scopes=granted)


def from_token(token: AccessToken, resource_types: Collection[str]) -> Requester:
    """The requester that a token stands for. A patient's own token has that patient as its context by itself."""
    kind, _, logical_id = token.user.partition("/")
    return Requester(
        user=token.user,
        client=token.client,
        scopes=(*scopes.parse(token.scope, resource_types), *_of_oneself(token)),
        patient=token.patient or (logical_id if kind == "Patient" else ""),
        purpose=token.purpose,
        reason=token.reason,
        since=token.issued,
        until=token.expires,
        grant=token.grant,
        app=token.app,
    )


def _of_oneself(token: AccessToken) -> tuple[Scope, ...]:
    """An app that is told who uses it (`fhirUser`) may read that very resource.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
    """
    kind = token.user.partition("/")[0]
    if "fhirUser" not in token.scope.split() or kind not in USER_TYPES:
        return ()
    return (Scope("patient" if kind == "Patient" else "user", kind, "r"),)

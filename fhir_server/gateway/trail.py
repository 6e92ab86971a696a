"""The trail of one requester: what they did and what they were refused, durable before they are answered.

NEN 7513; https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Callable

from fhir_server.gateway import audit
from fhir_server.gateway.audit import UNKNOWN, Standing, Touched
from fhir_server.gateway.requester import Requester
from fhir_server.outcome import FhirError
from fhir_server.store.protocol import AuditEntry, ResourceStore


class Trail:
    """Writes audit entries in the requester's name.

    `source` is how this server names itself. `standing` may be set as soon as it is known as whom the requester counts.
    """

    def __init__(
        self,
        store: ResourceStore,
        requester: Requester,
        new_id: Callable[[], str],
        clock: Callable[[], int],
        source: str = "",
    ) -> None:
        self.standing: Standing = UNKNOWN
        self._store = store
        self._requester = requester
        self._new_id = new_id
        self._clock = clock
        self._source = source
        self._refused: FhirError | None = None

    def entry(
        self,
        interaction: str,
        status: int,
        target: str,
        concerned: tuple[Touched, ...],
        query: str = "",
        detail: str = "",
        *,
        emergency: bool = False,
    ) -> AuditEntry:
        """An entry that a commit is to carry along."""
        what = audit.record(
            self._requester,
            interaction,
            status,
            target=target,
            query=query,
            detail=detail,
            touched=concerned,
            standing=self.standing,
            emergency=emergency,
            source=self._source,
        )
        return audit.entry(self._new_id(), self._clock(), what)

    async def shown(
        self,
        interaction: str,
        target: str,
        concerned: tuple[Touched, ...],
        query: str = "",
        detail: str = "",
        *,
        emergency: bool = False,
    ) -> None:
        """An interaction that showed these."""
        entry = self.entry(interaction, 200, target, concerned, query, detail, emergency=emergency)
        await self._store.append_audit((entry,))

    async def refused(
        self,
        interaction: str,
        target: str,
        error: FhirError,
        concerned: tuple[Touched, ...] = (),
        query: str = "",
        *,
        emergency: bool = False,
    ) -> None:
        """A refusal. What was withheld is named in the log of the patient it is about, and nowhere else."""
        self._refused = error
        category = error.category
        entry = self.entry(interaction, category.status, target, concerned, query, category.code, emergency=emergency)
        await self._store.append_audit((entry,))

    def knows(self, error: FhirError) -> bool:
        """Whether this very refusal is on the trail already."""
        return error is self._refused

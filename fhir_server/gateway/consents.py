"""Consents as they are written: what cannot be enforced is refused with its element, what surprises is warned about.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from consent.model import Effect, Scope
from consent.warnings import escapes
from fhir_server.gateway.dossier import Staged
from fhir_server.gateway.knowledge import Knowledge
from fhir_server.gateway.moment import Now
from fhir_server.outcome import Category, FhirError, Issue
from fhir_server.store.protocol import Snapshot

# A Consent that has ended, or was never meant, says nothing any more and may be put away as it is.
_ENDED: Final = frozenset({"entered-in-error", "inactive", "rejected"})


_WINNER: Final = {Effect.PERMIT: "yes", Effect.DENY: "no"}


class ConsentRules:
    """The rules for writing Consents; each is compiled as it will be when it is asked."""

    def __init__(self, knowledge: Knowledge, clock: Callable[[], int]) -> None:
        self._knowledge = knowledge
        self._clock = clock
        self._loader = knowledge.loader

    async def check(self, consent: Mapping[str, Any], snapshot: Snapshot, staged: Staged, *, imported: bool) -> None:
        """Raises FhirError 422 with an issue for each element that cannot be enforced.

        An `imported` one may name data that are still to come: until then its permits are void and its denies stand.
        """
        if consent.get("status") in _ENDED:
            return
        record = self._loader.record(consent)
        if record.scope is Scope.CLINICAL:
            return
        problems = record.problems
        if not imported:
            problems = (await self._loader.compiled(Now(snapshot), record, staged)).problems
        if problems:
            issues = [
                Issue("error", "business-rule", f"can't be enforced: {found.diagnostics}", (found.expression,))
                for found in problems
            ]
            raise FhirError(Category.UNPROCESSABLE, issues[0].diagnostics, issues[0].expression, issues)

    async def warnings(self, consent: Mapping[str, Any], snapshot: Snapshot, staged: Staged) -> tuple[Issue, ...]:
        """What to tell whoever writes a Consent that is to be in force."""
        record = self._loader.record(consent)
        if not record.active or record.scope is Scope.CLINICAL:
            return ()
        dossier = await self._knowledge.dossier(snapshot, record.patient)
        others = [signed.compiled.record for signed in dossier.consents]
        found = await self._loader.warnings(Now(snapshot), record, others, staged)
        own = dossier.proxies(self._clock(), self._knowledge.rules) | {f"Patient/{record.patient}"}
        void = record.performers and not record.verified and record.performers.isdisjoint(own)
        return (
            *(
                [
                    Issue(
                        "warning",
                        "business-rule",
                        "nothing that this consent permits counts: neither the patient nor a proxy gave it, and nobody"
                        " has verified it; its denies count",
                        ("Consent.performer",),
                    )
                ]
                if void
                else []
            ),
            *(
                Issue(
                    "warning",
                    "business-rule",
                    "this exception reaches further than the rule it is an exception to",
                    (path,),
                )
                for path in escapes(record, self._knowledge.rules.vocabulary)
            ),
            *(
                Issue(
                    "warning",
                    "conflict",
                    f"Consent/{conflict.other} ({conflict.other_path}) says the opposite, and where both apply"
                    f" the {_WINNER[conflict.wins]} holds; to end the older one set its status to `inactive`",
                    (conflict.path,),
                )
                for conflict in found
            ),
        )

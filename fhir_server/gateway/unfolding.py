"""What an audit entry stands for in FHIR: AuditEvents, and for what was written Provenances; the same at every time.

https://hl7.org/fhir/R4/auditevent.html and https://hl7.org/fhir/R4/provenance.html
"""

from typing import Final

from fhir_server.gateway import audit
from fhir_server.gateway.audit_events import Owned, audit_events
from fhir_server.gateway.provenance import provenances
from fhir_server.store.protocol import AuditEntry

# Whoever asks for one of these asks for what the trail has not told yet.
UNFOLDED: Final = frozenset({"AuditEvent", "Provenance"})


def unfold(entry: AuditEntry) -> list[Owned]:
    """The resources of one entry, each with the patients it is about."""
    what = audit.decode(entry.entry)
    return [*audit_events(entry.id, entry.at, what), *provenances(entry.id, entry.at, what)]

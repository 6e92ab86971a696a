"""The audit log as the operator reads it: AuditEvents, oldest first; reading it is audited like everything else.

NEN 7513 asks that the log can be shown to the auditor and to the person whose dossier it is about.
"""

from collections.abc import AsyncIterator

from fhir_server.gateway import scopes
from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.release import Released
from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.search.parse import parse

PAGE_COUNT = 200


async def audit_events(gateway: Gateway, operator: str, patient: str = "") -> AsyncIterator[Released]:
    """Every AuditEvent, or those about one patient (a logical id), each decided as for a `system` requester."""
    granted = scopes.parse("system/AuditEvent.rs", gateway.registry.resource_types)
    session = gateway.session_of(Requester(SYSTEM_KIND, operator, granted))
    parameters = [("_sort", "date"), *([("patient", f"Patient/{patient}")] if patient else [])]
    query = parse(("AuditEvent",), parameters, session.context()).query
    position = b""
    while True:
        found = await session.search(
            query, target="AuditEvent", parameters=parameters, count=PAGE_COUNT, position=position
        )
        for released in found.matches:
            yield released
        position = found.position
        if not position:
            return

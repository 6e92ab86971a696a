"""Stopping what was let in, and leaving an app less than it had; both count from the next request on.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#management_endpoint
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.gateway.session import Session
from fhir_server.smart import grants
from fhir_server.smart.connections import Connection, client_of_grant
from fhir_server.smart.consenting import Choice
from fhir_server.smart.server import AuthorizationServer


async def stop(server: AuthorizationServer, session: Session, connection: Connection) -> None:
    """Nobody is let in by it any more when this returns: the next request of an app is refused.

    Raises FhirError as Session.write does, StoreUnavailable.
    """
    if connection.grant is not None:
        await grants.end(server, connection.grant, session.requester)
    else:
        target = f"Consent/{connection.consent}"
        await session.write("patch", target, lambda unit: unit.patch("Consent", connection.consent, _inactive))


async def narrow(server: AuthorizationServer, session: Session, connection: Connection, choice: Choice) -> None:
    """Leave the app, of what it may, what is ticked as well; at once. See grants.narrow.

    Raises ValueError if nothing would be left to it, or if there is nothing to untick; FhirError 412 if its Consent
    changed since the connection was read.
    """
    grant, had = connection.grant, connection.choice
    if grant is None or had is None:
        raise ValueError("only what was ticked for an app can be unticked")
    if not (choice.reading & had.reading or choice.writing & had.writing):
        raise ValueError("nothing would be left")
    client = await client_of_grant(server, grant.value)
    await grants.narrow(server, grant, client, session.requester, choice, connection.version or None)


def _inactive(consent: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**consent, "status": "inactive"}

"""Stopping what was let in, and leaving an app less than it had; both count from the next request on.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#management_endpoint
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from fhir_server.gateway.session import Session
from fhir_server.smart.connections import Connection, client_of_grant
from fhir_server.smart.consenting import Choice, Terms, consent, granted
from fhir_server.smart.granted import end
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import AuthConflict

Json = Mapping[str, Any]

_OK: Final = 200


async def stop(server: AuthorizationServer, session: Session, connection: Connection) -> None:
    """Nobody is let in by it any more when this returns: the next request of an app is refused.

    Raises FhirError as Session.write does, StoreUnavailable.
    """
    if connection.consent:
        # First, because everything hangs on it: what follows only tidies up.
        target = f"Consent/{connection.consent}"
        await session.write("patch", target, lambda unit: unit.patch("Consent", connection.consent, _inactive))
    for kept in connection.grants:
        await end(server, kept.key, await client_of_grant(server, kept.value), _OK, "an app was stopped")


async def narrow(server: AuthorizationServer, session: Session, connection: Connection, choice: Choice) -> None:
    """Leave the app, of what it may, what is ticked as well; at once. `choice.duration` changes nothing.

    Raises ValueError if nothing would be left to it, or if it rests on no Consent that was made for it here; FhirError
    412 if the Consent changed since the connection was read.
    """
    if connection.choice is None:
        raise ValueError("only what was let in on the authorization screen can be narrowed")
    types = server.gateway.registry.resource_types
    (kept,) = connection.grants
    # INVARIANT: nothing is opened that was closed, whatever was sent.
    left = Choice(
        reading=choice.reading & connection.choice.reading,
        writing=choice.writing & connection.choice.writing,
        sensitive=choice.sensitive & connection.choice.sensitive,
        duration="always",
    )
    if not left.reading and not left.writing:
        raise ValueError("nothing would be left")
    grant = kept.value
    scope = granted(grant.scope, left, types)
    terms = Terms(
        grant=kept.key,
        client=await client_of_grant(server, grant),
        person=session.requester.user,
        patient=grant.patient,
        at=_moment(server, server.now()),
        until=_moment(server, grant.until) if grant.until else None,
    )
    resource = {**consent(terms, scope, left.sensitive, types), "id": connection.consent}
    target = f"Consent/{connection.consent}"
    await session.write("update", target, lambda unit: unit.update(resource, connection.version))
    await _rescope(server, kept.key, scope)


async def _rescope(server: AuthorizationServer, key: str, scope: str) -> None:
    """What is issued from now on says what is left; what was issued is held to the Consent."""
    while True:
        kept = await server.state.grants.get(key)
        if kept is None or kept.value.ended:
            return
        try:
            await server.state.commit(
                server.state.grants.change(kept, msgspec.structs.replace(kept.value, scope=scope))
            )
        except AuthConflict:
            continue  # a token was issued meanwhile
        return


def _inactive(resource: Json) -> Json:
    return {**resource, "status": "inactive"}


def _moment(server: AuthorizationServer, instant: int) -> datetime:
    return datetime.fromtimestamp(instant // 1_000_000, server.settings.zone)

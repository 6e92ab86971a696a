"""Whether what a person granted still stands: asked before every token that is issued under it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from msgspec.structs import replace

from fhir_server.smart.errors import invalid_grant
from fhir_server.smart.records import Client, Grant
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AuthConflict


async def standing(server: AuthorizationServer, key: str, client: Client, now: int) -> Kept[Grant]:
    """The grant, which has not ended, nor has the patient's Consent that it hangs on.

    Raises OAuthError invalid_grant: the same words for everything that ends one, as an app need not know why.
    """
    kept = await server.state.grants.get(key)
    if kept is None or kept.value.ended or 0 < kept.value.until <= now:
        raise invalid_grant("what was granted has ended")
    grant = kept.value
    if grant.consent and not await server.gateway.app_is_let_in(grant.patient, grant.consent, client.device):
        raise invalid_grant("what was granted has ended")
    return kept


async def end(server: AuthorizationServer, key: str, client: Client, outcome: int, why: str) -> None:
    """The grant, and every token under it, is of no use when this returns.

    `outcome`, an HTTP status, and `why` are for the audit log.
    """
    while True:
        kept = await server.state.grants.get(key)
        if kept is None or kept.value.ended:
            return
        grant = kept.value
        about = f"Patient/{grant.patient}" if grant.patient else grant.person
        try:
            await server.state.commit(
                server.state.grants.change(kept, replace(grant, ended=server.now())),
                revoke_grants=[key],
                audit=[server.entry(grant.person, client.id, outcome, why, about)],
            )
        except AuthConflict:
            continue  # somebody changed it meanwhile: look again

"""Whether what a person granted still stands: asked before every token that is issued under it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.smart import grants
from fhir_server.smart.errors import invalid_grant
from fhir_server.smart.records import Client, Grant
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept


async def standing(server: AuthorizationServer, key: str, client: Client, now: int) -> Kept[Grant]:
    """The grant, which has not ended, nor has the patient's Consent that it hangs on.

    Raises OAuthError invalid_grant: the same words for everything that ends one, as an app need not know why.
    """
    kept = await server.state.grants.get(key)
    if kept is None or not grants.running(kept.value, now):
        raise invalid_grant("what was granted has ended")
    grant = kept.value
    if grant.consent and not await server.gateway.app_is_let_in(grant.patient, grant.consent, client.device):
        raise invalid_grant("what was granted has ended")
    return kept


async def end(server: AuthorizationServer, key: str, client: Client, why: str) -> None:
    """The grant, and every token under it, is of no use when this returns; `why` is for the audit log."""
    kept = await server.state.grants.get(key)
    if kept is not None and not kept.value.ended:
        await grants.end(server, kept, Requester(SYSTEM_KIND, client.id, ()), why)

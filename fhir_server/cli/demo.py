"""Who can log in to the example wijk, and an app that asks to be let in: synthetic people, one password for all.

Only where the server can be reached from this machine alone: everybody can read the password here.
"""

from typing import Final

from fhir_server.cli.opening import authorization_server, operator
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.settings import Settings
from fhir_server.smart.accounts import OPERATOR, Accounts
from fhir_server.smart.clients import Clients
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.records import Client

PASSWORD: Final = "hoensbroek in de zon"  # noqa: S105

# Username → the name that pages show, and as whom they log in.
ACCOUNTS: Final = {
    "annie": ("Annie Huijnen", ("Patient/bewoner-01",)),
    "els": ("Els Huijnen", ("RelatedPerson/bewoner-01-dochter",)),
    "lotte": ("Lotte Vaessen", ("Patient/bewoner-05", "RelatedPerson/bewoner-04-moeder")),
    "vermeulen": ("Huisarts Vermeulen", ("PractitionerRole/huisarts-vermeulen",)),
    "beheer": ("Beheer", (OPERATOR,)),
}

APP: Final = Client(
    id="demo-app",
    name="Voorbeeld-app",
    kind="public",
    scope="openid fhirUser launch launch/patient offline_access online_access patient/*.cruds user/*.cruds",
    redirect_uris=("http://127.0.0.1:3000/", "http://localhost:3000/"),
    launch_uri="http://127.0.0.1:3000/launch",
    explanation="Ik laat zien wat er in het dossier staat, zodat u een app kunt uitproberen.",
    publisher="wijkdossier",
)


async def give_accounts(configured: Settings) -> bool:
    """Whether there are accounts of this demo: made if nobody can log in yet and nobody else can reach the server."""
    if not (configured.only_here and configured.local_accounts):
        return False
    async with authorization_server(configured) as server:
        accounts, clients = Accounts(server, Passwords()), Clients(server)
        there = {account.username for account in await accounts.list()}
        if there:
            return set(ACCOUNTS) <= there
        absent = Maintenance(server.gateway, operator()).absent
        for username, (name, people) in ACCOUNTS.items():
            await accounts.add(username, people, operator(), absent, name=name, password=PASSWORD, published=True)
        if await clients.get(APP.id) is None:
            await clients.add(APP, operator())
    return True

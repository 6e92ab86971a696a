"""Who can log in and which apps there are, on a server with the example wijk: registered as an operator would."""

import asyncio
from pathlib import Path
from typing import Any, Final

from fhir_server.cli.opening import authorization_server
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.settings import Settings
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.clients import Clients, Registered
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.records import Client

PASSWORD: Final = "drie blauwe fietsen"
# A resident; a mother who is a resident and acts for her child; a family doctor; and who keeps the server running.
ACCOUNTS: Final = {
    "annie": ("Patient/bewoner-01",),
    "vaessen": ("Patient/bewoner-05", "RelatedPerson/bewoner-04-moeder"),
    "vermeulen": ("PractitionerRole/huisarts-vermeulen",),
    "beheer": ("operator",),
}


def give_accounts(data: Path) -> None:
    """An account for each of ACCOUNTS, with PASSWORD."""
    asyncio.run(_give_accounts(data))


async def _give_accounts(data: Path) -> None:
    async with authorization_server(Settings(data=data)) as server:
        accounts = Accounts(server, Passwords())
        absent = Maintenance(server.gateway, "test").absent
        for username, people in ACCOUNTS.items():
            await accounts.add(username, people, "test", absent, password=PASSWORD)


def register(data: Path, **client: Any) -> Registered:
    """A client like `records.Client`, under an id of its own; a secret can be read here and nowhere else."""
    return asyncio.run(_register(data, client))


async def _register(data: Path, told: dict[str, Any]) -> Registered:
    async with authorization_server(Settings(data=data)) as server:
        clients = Clients(server)
        return await clients.add(Client(**{"id": clients.new_id(), **told}), "test")

"""Who can log in and which apps there are, on a server with the example wijk: registered as an operator would."""

import asyncio
from pathlib import Path
from typing import Any

from fhir_server.cli.demo import PASSWORD as PASSWORD
from fhir_server.cli.demo import give_accounts as give_demo_accounts
from fhir_server.cli.opening import authorization_server
from fhir_server.portal.connections import WORDS
from fhir_server.settings import Settings
from fhir_server.smart.clients import Clients, Registered
from fhir_server.smart.records import Client
from tests.clients.visitor import Visitor


def give_accounts(data: Path) -> None:
    """Those of `wijkdossier demo`, with PASSWORD."""
    asyncio.run(give_demo_accounts(Settings(data=data)))


def register(data: Path, **client: Any) -> Registered:
    """A client like `records.Client`, under an id of its own; a secret can be read here and nowhere else."""
    return asyncio.run(_register(data, client))


async def _register(data: Path, told: dict[str, Any]) -> Registered:
    async with authorization_server(Settings(data=data)) as server:
        clients = Clients(server)
        return await clients.add(Client(**{"id": clients.new_id(), **told}), "test")


def log_in(visitor: Visitor, username: str, person: str = "") -> None:
    """On the login page; `person` are the words of the choice as whom, for who has one."""
    visitor.fill("Gebruikersnaam", username)
    visitor.fill("Wachtwoord", PASSWORD)
    visitor.press("Inloggen")
    if person:
        visitor.press(person)


def let_in(site: str, url: str, username: str, *, person: str = "", duration: str = "") -> str:
    """Where the browser of a person who allows all that is ticked beforehand ends up; `url` is where the app sends it."""
    with Visitor(site) as visitor:
        visitor.open(url)
        log_in(visitor, username, person)
        if duration:
            visitor.tick(duration)
        visitor.press("Toestaan")
        assert visitor.left_for, f"still on {visitor.heading}"
        return visitor.left_for


def stop(site: str, username: str, app: str) -> None:
    """As the person does it in the portal."""
    with Visitor(site) as visitor:
        visitor.open("/portal/apps")
        log_in(visitor, username)
        visitor.follow(stop_words(app))
        visitor.press("Nu stoppen")
        assert visitor.heading == "Gestopt"


def stop_words(app: str) -> str:
    """What the link is called that stops it, to who can't see beside what it stands."""
    return WORDS["apps_stop_named"][0].format(name=app)

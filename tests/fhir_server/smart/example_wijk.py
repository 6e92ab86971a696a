"""The authorization server over the example wijk, with apps that are registered as the operator does it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fhir_server.smart.clients import Clients
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.records import Client
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from tests.examples.seen import wijk_server
from tests.fhir_server.smart.house import REDIRECT, SmartHouse

SCOPE = "openid fhirUser launch/patient offline_access patient/*.cruds user/*.rs"


@asynccontextmanager
async def smart_wijk() -> AsyncIterator[SmartHouse]:
    async with wijk_server() as house:
        settings = house.gateway.settings
        yield SmartHouse(
            house, AuthorizationServer(house.gateway, State(house.store), settings, SigningKeys(settings.data))
        )


async def registered(smart: SmartHouse, id: str, name: str, **more: Any) -> Client:
    """A public app that may ask for everything, unless `more` says otherwise."""
    terms: dict[str, Any] = {"kind": "public", "scope": SCOPE, "redirect_uris": (REDIRECT,), **more}
    return (await Clients(smart.server).add(Client(id=id, name=name, **terms), "operator")).client

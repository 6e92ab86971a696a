"""The authorization server over the example wijk, with apps that are registered as the operator does it."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from examples import bundle_paths
from fhir_server.interactions.load import load
from fhir_server.smart.clients import Clients
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.records import Client
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from profiles import json
from tests.examples.seen import MOMENT
from tests.fhir_server.inprocess import MEMORY, opened
from tests.fhir_server.smart.house import REDIRECT, SmartHouse

SCOPE = "openid fhirUser launch/patient offline_access patient/*.cruds user/*.rs"


# Whom these tests are about; the whole wijk takes three times as long to load.
FEW: Final = ("bewoner-01", "bewoner-04", "bewoner-05", "bewoner-11")


@asynccontextmanager
async def smart_wijk(residents: Collection[str] = FEW) -> AsyncIterator[SmartHouse]:
    """With the directory and these residents."""
    async with opened() as house:
        house.clock.now = MOMENT
        for path in bundle_paths():
            if path.stem == "00-sociale-kaart" or path.stem.partition("-")[2] in residents:
                loaded = await load(house.maintenance, json.parse(path.read_bytes()), strict_references=False)
                assert not loaded.refused, [(one.name, one.error.diagnostics) for one in loaded.refused]
        settings = house.gateway.settings
        yield SmartHouse(
            house, AuthorizationServer(house.gateway, State(house.store), settings, SigningKeys(Path(_folder().name)))
        )


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(dir=MEMORY)


async def registered(smart: SmartHouse, id: str, name: str, **more: Any) -> Client:
    """A public app that may ask for everything, unless `more` says otherwise."""
    terms: dict[str, Any] = {"kind": "public", "scope": SCOPE, "redirect_uris": (REDIRECT,), **more}
    return (await Clients(smart.server).add(Client(id=id, name=name, **terms), "operator")).client

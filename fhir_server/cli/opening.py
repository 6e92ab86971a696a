"""The store and a gateway over it for one command, as the operator who typed it."""

import getpass
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fhir_server.app import microseconds
from fhir_server.collector import keep_what_is_loaded
from fhir_server.gateway.added_parameters import in_force
from fhir_server.gateway.gateway import Gateway
from fhir_server.keys import key
from fhir_server.settings import Settings
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from fhir_server.store.protocol import ResourceStore
from fhir_server.store.sqlite import open_store
from fhir_server.store.sqlite.connection import FILE_NAME
from profiles import registry as definitions


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[ResourceStore, Gateway]]:
    store = await open_store(settings.data)
    try:
        gateway = gateway_over(store, settings, in_force(settings.data))
        keep_what_is_loaded()
        yield store, gateway
    finally:
        await store.close()


@asynccontextmanager
async def authorization_server(settings: Settings) -> AsyncIterator[AuthorizationServer]:
    """The authorization server over that store. Raises ValueError if its signing keys can't be read."""
    async with opened(settings) as (store, gateway):
        yield AuthorizationServer(gateway, State(store), settings, SigningKeys(settings.data, settings.key_passphrase))


def gateway_over(store: ResourceStore, settings: Settings, added: Sequence[Mapping[str, Any]]) -> Gateway:
    """`added` are the SearchParameters that resources are filed by, besides those of R4."""
    return Gateway(
        store,
        definitions.load(),
        settings,
        clock=microseconds,
        cursor_key=key(settings.data, "cursor"),
        added=added,
    )


def require_store(data: Path) -> None:
    """Raises ValueError if the folder holds no store: a misspelt name must not become an empty store without a word."""
    if not (data / FILE_NAME).exists():
        raise ValueError(f"there is no store in `{data}`; `load`, `demo` and `serve` make one")


def operator() -> str:
    """Who the audit log names as the client of what a command does: the login on this machine."""
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):  # a container without a user database
        return "operator"

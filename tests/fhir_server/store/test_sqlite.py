"""The SQLite store passes the contract, and what is its own: permissions, schema versions."""

from collections.abc import Callable
from pathlib import Path

from fhir_server.store.protocol import ResourceStore
from fhir_server.store.sqlite import open_store
from tests.fhir_server.store.contract import StoreContract


class TestSqliteStore(StoreContract):
    async def open(self, directory: Path, clock: Callable[[], int]) -> ResourceStore:
        return await open_store(directory, clock=clock)

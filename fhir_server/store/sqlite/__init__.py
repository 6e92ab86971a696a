"""The embedded store: one SQLite file, read in the event loop, written by one thread with group commit."""

from fhir_server.store.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "open_store"]

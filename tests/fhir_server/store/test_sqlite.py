"""The SQLite store passes the contract; and what is its own: files, schema versions, shared read transactions."""

import asyncio
import sqlite3
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

import pytest

from fhir_server.search.query import EVERYTHING, NOTHING, ByOwner, Filed, Not, Query
from fhir_server.search.rows import FiledRow, IndexRows
from fhir_server.store.auth import AccessToken
from fhir_server.store.protocol import AuditEntry, Guard, ResourceStore, Write
from fhir_server.store.sqlite import open_store
from fhir_server.store.sqlite.connection import FILE_NAME, JOURNAL_NAME, connect
from fhir_server.store.sqlite.schema import STEPS, NewerSchema, migrate
from tests.fhir_server.store.contract import StoreContract
from tests.fhir_server.store.contracts.material import (
    START,
    audit_event,
    by_code,
    entry,
    matches,
    present,
    versions,
    write,
)


class TestSqliteStore(StoreContract):
    async def open(self, directory: Path, clock: Callable[[], int]) -> ResourceStore:
        return await open_store(directory, clock=clock)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def version_of(directory: Path) -> int:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def remove_journal(directory: Path) -> None:
    for file in directory.glob(f"{JOURNAL_NAME}*"):
        file.unlink()


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    """NEN 7510: what is at rest is for the service account only."""
    store = await open_store(tmp_path / "deep" / "data")
    await store.commit([write("Patient", "1")])
    await store.append_audit([entry()])
    await store.backup(tmp_path / "copy")
    for directory in (tmp_path / "deep" / "data", tmp_path / "copy"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}
        assert {FILE_NAME, JOURNAL_NAME} <= set(modes)
        assert set(modes.values()) == {0o600}, modes
    await store.close()


@pytest.mark.anyio
async def test_a_backup_never_overwrites(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "data")
    await store.backup(tmp_path / "copy")
    with pytest.raises(FileExistsError):
        await store.backup(tmp_path / "copy")
    with pytest.raises(FileExistsError):
        await store.backup(tmp_path / "data")
    await store.close()


@pytest.mark.anyio
async def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """https://www.sqlite.org/pragma.html#pragma_synchronous: FULL is 2; in WAL mode anything less can lose commits."""
    store = await open_store(tmp_path)
    await store.close()
    for name in (FILE_NAME, JOURNAL_NAME):
        with closing(connect(tmp_path / name)) as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


# --- schema versions ----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_file_of_schema_version_1_is_brought_up_to_date_with_what_is_in_it(tmp_path: Path) -> None:
    """Version 1 had resources and no audit nor tokens; such a file is made here by its own steps."""
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        migrate(connection, STEPS[:1])
        connection.execute("INSERT INTO type_name (num, name) VALUES (1, 'Patient')")
        connection.execute("INSERT INTO resource VALUES (1, 1, 'old', 1, 1000, 0, 0, 1)")
        connection.execute("INSERT INTO version VALUES (1, 1, 1, 1, 1000, 0, 0, '{}', '')")
    assert version_of(tmp_path) == 1
    store = await open_store(tmp_path)
    assert version_of(tmp_path) == len(STEPS) > 1
    assert await versions(store) == ["old/1"]
    await store.commit([write("Patient", "old", 1)], audit=[entry()])
    assert await store.unfold_audit(audit_event) == 1
    await store.close()


@pytest.mark.anyio
async def test_a_file_from_before_filing_is_filed_by_reindexing(tmp_path: Path) -> None:
    """Version 2 knew nothing of what the gateway files. Until then no rule holds that asks for it, not even for a lack."""
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        migrate(connection, STEPS[:2])
        connection.execute("INSERT INTO type_name (num, name) VALUES (1, 'Observation')")
        connection.execute("INSERT INTO owner (num, patient) VALUES (1, 'a'), (2, 'b')")
        connection.execute(
            "INSERT INTO resource VALUES (1, 1, 'one', 1, 1000, 1, 0, 1), (2, 1, 'both', 1, 1000, -1, 0, 2)"
        )
        connection.execute(
            "INSERT INTO version VALUES (1, 1, 1, 1, 1000, 0, 1, '{}', ''), (2, 2, 1, 1, 1000, 0, -1, '{}', '')"
        )
        connection.execute("INSERT INTO version_owner VALUES (2, 1), (2, 2)")
    store = await open_store(tmp_path)
    seen = Query(("Observation",), ByOwner(((("a", "b"), Not(Filed("code", ("secret",)))),), NOTHING))
    everything = Query(("Observation",), ByOwner(((("a", "b"), EVERYTHING),), NOTHING))
    assert await matches(store, seen) == []
    assert sorted(await matches(store, everything)) == ["both", "one"]
    async with store.snapshot() as snapshot:
        assert await snapshot.sharers(["a"]) == {"a", "b"}
    await store.commit([write("Observation", "new", owners=("b",))])

    async def extract(body: bytes, facts: bytes) -> tuple[IndexRows, tuple[str, ...], bytes]:
        return IndexRows(filed=[FiledRow("code", "secret")] if not facts else []), ("a", "b"), b"facts"

    assert await store.reindex(extract, lambda count: None) == 3
    assert await matches(store, seen) == ["new"]
    assert await matches(store, Query(("Observation",), Filed("code", ("secret",)))) == ["one", "both"]
    await store.close()


def _added(connection: Connection) -> None:
    connection.execute("ALTER TABLE resource ADD COLUMN added TEXT NOT NULL DEFAULT 'x'")


def _broken(connection: Connection) -> None:
    connection.execute("CREATE TABLE half (a)")
    connection.execute("SELECT * FROM missing")


@pytest.mark.anyio
async def test_a_newer_step_reaches_a_file_once_and_keeps_its_content(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.commit([write("Observation", "1", code="a")])
    await store.close()
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        migrate(connection, (*STEPS, _added))
        migrate(connection, (*STEPS, _added))
        assert connection.execute("SELECT id, added FROM resource").fetchall() == [("1", "x")]
    assert version_of(tmp_path) == len(STEPS) + 1
    with pytest.raises(NewerSchema, match=f"schema version {len(STEPS) + 1}.*up to {len(STEPS)}"):
        await open_store(tmp_path)


@pytest.mark.anyio
async def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    await (await open_store(tmp_path)).close()
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (*STEPS, _added, _broken))
        columns = [row[1] for row in connection.execute("PRAGMA table_info(resource)")]
        assert "added" not in columns
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
    assert version_of(tmp_path) == len(STEPS)


# --- reads that share a transaction -------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_commit_of_another_connection_is_seen_in_the_next_turn(tmp_path: Path) -> None:
    """The pool's invariant: whoever was told of a commit sees it, also through a store that has just read."""
    first, second = await open_store(tmp_path), await open_store(tmp_path)
    for version in range(50):
        # Reads of both stores before, in the same turn, whose transactions the next reads must not inherit.
        readers = [asyncio.ensure_future(_read_a_while(store)) for store in (first, second)]
        writer, other = (first, second) if version % 2 else (second, first)
        await writer.commit([write("Basic", "1", version)])
        assert (await present(other, "Basic", "1")).version == version + 1
        assert (await present(writer, "Basic", "1")).version == version + 1
        await asyncio.gather(*readers)
    await first.close()
    await second.close()


async def _read_a_while(store: ResourceStore) -> None:
    for _ in range(20):
        async with store.snapshot() as snapshot:
            await snapshot.read("Basic", "1")
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_a_snapshot_kept_over_turns_does_not_age_those_that_come_after_it(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.commit([write("Basic", "1")])
    async with store.snapshot() as kept:
        await kept.read("Basic", "1")
        await store.commit([write("Basic", "1", 1)])
        old = await kept.read("Basic", "1")
        assert old is not None
        assert old.version == 1
    # The kept snapshot has just given its connection back: its transaction must not be handed on.
    assert (await present(store, "Basic", "1")).version == 2
    await store.close()


@pytest.mark.anyio
async def test_many_snapshots_at_once_are_all_served_and_closed(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.commit([write("Observation", "1", code="a")])

    async def look() -> list[str]:
        async with store.snapshot() as snapshot:
            await snapshot.read("Observation", "1")
            await asyncio.sleep(0)
            return [row.id for row in (await snapshot.search(by_code("a"), count=1)).rows]

    assert await asyncio.gather(*[look() for _ in range(50)]) == [["1"]] * 50
    await store.close()
    with pytest.raises(RuntimeError, match="closed"):
        await matches(store, by_code("a"))


# --- groups -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_guard_sees_the_commits_before_it_in_the_same_group(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await asyncio.gather(
        store.commit([write("Observation", "1", code="a")]),
        store.commit([write("Observation", "2")], [Guard(by_code("a"), (("Observation", "1"),))]),
    )
    assert (await present(store, "Observation", "2")).version == 1
    await store.close()


# --- the journal --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_journal_older_than_the_main_file_loses_no_new_entry(tmp_path: Path) -> None:
    """Older programs copied the journal first: put back, it may be behind the mark in the main file."""
    store = await open_store(tmp_path)
    for _ in range(5):
        await store.append_audit([entry()])
    assert await store.unfold_audit(audit_event) == 5
    await store.close()
    remove_journal(tmp_path)
    again = await open_store(tmp_path)
    await again.append_audit([entry(START), entry(START)])
    assert await again.unfold_audit(audit_event) == 2
    assert len(await versions(again, "AuditEvent")) == 7
    await again.close()


async def unfold_all(directory: Path) -> int:
    store = await open_store(directory)
    unfolded = await store.unfold_audit(audit_event)
    await store.close()
    return unfolded


@pytest.mark.anyio
@pytest.mark.parametrize("with_a_commit", [True, False])
async def test_who_finds_a_batch_unfolded_by_another_lets_it_be(tmp_path: Path, with_a_commit: bool) -> None:
    """Another process unfolds everything between this one's reading of a batch and its writing of the events."""
    store = await open_store(tmp_path)
    for _ in range(3):
        await (store.commit([], audit=[entry()]) if with_a_commit else store.append_audit([entry()]))
    by_the_other: list[int] = []

    def overtaken(audited: AuditEntry) -> Sequence[Write]:
        if not by_the_other:
            with ThreadPoolExecutor(1) as other:
                by_the_other.append(other.submit(lambda: asyncio.run(unfold_all(tmp_path))).result())
        return audit_event(audited)

    assert await store.unfold_audit(overtaken) == 0
    assert by_the_other == [3]
    assert len(await versions(store, "AuditEvent")) == 3
    await store.close()


@pytest.mark.anyio
async def test_what_is_unfolded_stays_and_cannot_be_changed_by_mistake(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.append_audit([entry() for _ in range(1000)])
    await store.commit([], audit=[entry()])
    await store.unfold_audit(audit_event)
    await store.close()
    for name, batches in ((JOURNAL_NAME, 4), (FILE_NAME, 1)):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            assert connection.execute("SELECT count(*) FROM audit_batch").fetchone() == (batches,)
            for mistake in ("DELETE FROM audit_batch", "UPDATE audit_batch SET entries = x'90'"):
                with pytest.raises(sqlite3.IntegrityError, match="the audit log is not changed"):
                    connection.execute(mistake)


@pytest.mark.anyio
async def test_a_token_revoked_by_one_process_is_gone_with_the_next_read_of_another(tmp_path: Path) -> None:
    """Two stores on one folder stand for two workers: each keeps tokens it has read, for an epoch."""
    first, second = await open_store(tmp_path), await open_store(tmp_path)
    digest, token = b"d" * 32, AccessToken(client="c", user="system", scope="system/*.rs", issued=0, expires=1)
    try:
        assert await second.token(digest) is None
        await first.commit_auth(issue=[(digest, token)])
        assert [await second.token(digest) for _ in range(3)] == [token] * 3
        await first.commit_auth(revoke=[digest])
        assert await second.token(digest) is None
        assert await first.token(digest) is None
    finally:
        await first.close()
        await second.close()

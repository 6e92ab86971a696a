"""`audit verify` on a store that somebody tampered with by plain SQL: whatever was done, it is named. NEN 7513"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from fhir_server.gateway.verification import verify
from fhir_server.interactions.load import Loaded, load_resources
from fhir_server.store.sqlite import open_store
from fhir_server.store.sqlite.connection import FILE_NAME, JOURNAL_NAME
from fhir_server.store.sqlite.schema import JOURNAL_STEPS, STEPS
from tests.fhir_server.inprocess import House, observation, opened, organization, patient

pytestmark = pytest.mark.anyio

# Numbers of the batches that `furnished` leaves in each file.
LAST = {FILE_NAME: 5, JOURNAL_NAME: 6}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened(base_policy="permit") as house:
        await furnish(house)
        yield house


async def furnish(house: House) -> None:
    """Five batches of writes, six of reads, all unfolded but the last of each."""
    await house.given(patient("p"), patient("q"), organization("o"), observation("a", "p"))
    doctor = await house.caller("Practitioner/d", "user/*.cruds")
    for url in ("Patient/p", "Observation/a", "Observation", "Organization/o", "Observation/none"):
        await doctor.get(url)
    await house.maintenance.unfold_audit()
    await doctor.put("Observation/a", observation("a", "p", "other"))
    await doctor.get("Patient/q")


def folder(house: House) -> Path:
    return house.gateway.settings.data


async def tamper(house: House, file: str, *statements: str) -> None:
    await asyncio.sleep(0)  # reads of one turn of the event loop share a view
    with closing(sqlite3.connect(folder(house) / file)) as connection:
        for name in ("changed", "removed"):
            connection.execute(f"DROP TRIGGER audit_batch_is_not_{name}")
        for statement in statements:
            done = connection.execute(statement)
            assert done.rowcount > 0, f"{statement}: nothing to tamper with"
        connection.commit()


async def test_a_log_that_nobody_touched_is_whole(house: House) -> None:
    found = await verify(house.store)
    assert found.faults == []
    assert {name: chain.batches for name, chain in found.chains.items()} == LAST
    assert {name: chain.entries for name, chain in found.chains.items()} == LAST
    assert found.resources > 12
    heads = [chain.head for chain in found.chains.values()]
    assert (await verify(house.store, heads)).faults == []
    await house.maintenance.unfold_audit()
    later = await verify(house.store, heads)
    assert later.faults == []
    assert later.resources > found.resources


EVENT = "type = (SELECT num FROM type_name WHERE name = 'AuditEvent')"
ONE = f"(SELECT min(seq) FROM version WHERE {EVENT} AND owner > 0)"
VERSION = f"version SET {{}} WHERE seq = {ONE}"
RESOURCE = f"resource SET {{}} WHERE seq = {ONE}"
MAIN, JOURNAL = FILE_NAME, JOURNAL_NAME
MADE = r"AuditEvent/\S+ "

TAMPERED: dict[str, tuple[str, tuple[str, ...], str]] = {
    # Columns of batches, in both files.
    "content": (
        JOURNAL,
        ("UPDATE audit_batch SET entries = (SELECT entries FROM audit_batch WHERE num = 2) WHERE num = 3",),
        "batch 3: it is not what was written",
    ),
    "content of the main file": (
        MAIN,
        ("UPDATE audit_batch SET entries = (SELECT entries FROM audit_batch WHERE num = 2) WHERE num = 3",),
        "batch 3: it is not what was written",
    ),
    "content of the same length": (
        JOURNAL,
        ("UPDATE audit_batch SET entries = zeroblob(length(entries)) WHERE num = 3",),
        "batch 3: it is not what was written",
    ),
    "content that cannot be read": (
        JOURNAL,
        ("UPDATE audit_batch SET entries = x'c1' WHERE num = 3",),
        "batch 3: it is not what was written",
    ),
    "content as text": (
        JOURNAL,
        ("UPDATE audit_batch SET entries = CAST(entries AS TEXT) WHERE num = 3",),
        "batch 3: it is not what was written",
    ),
    "content that is a number": (JOURNAL, ("UPDATE audit_batch SET entries = 5 WHERE num = 3",), "batch 3: it is not"),
    "hash": (JOURNAL, ("UPDATE audit_batch SET hash = zeroblob(32) WHERE num = 3",), "batch 3: it is not what was"),
    "last hash": (JOURNAL, ("UPDATE audit_batch SET hash = zeroblob(32) WHERE num = 6",), "batch 6: it is not what"),
    "number": (JOURNAL, ("UPDATE audit_batch SET num = 9 WHERE num = 6",), "batch 9: batches 6 to 8 are missing"),
    "number of the first": (JOURNAL, ("UPDATE audit_batch SET num = 0 WHERE num = 1",), "batch 0: it is not what was"),
    # Whole batches.
    "first removed": (JOURNAL, ("DELETE FROM audit_batch WHERE num = 1",), "batch 2: batch 1 is missing"),
    "first removed of the main file": (MAIN, ("DELETE FROM audit_batch WHERE num = 1",), "batch 2: batch 1 is miss"),
    "some removed": (JOURNAL, ("DELETE FROM audit_batch WHERE num IN (3, 4)",), "batch 5: batches 3 to 4 are missing"),
    "removed, the rest renumbered": (
        JOURNAL,
        (
            "DELETE FROM audit_batch WHERE num = 3",
            "UPDATE audit_batch SET num = -num WHERE num > 3",
            "UPDATE audit_batch SET num = -num - 1 WHERE num < 0",
        ),
        "batch 3: it is not what was written",
    ),
    "last removed": (JOURNAL, ("DELETE FROM audit_batch WHERE num > 4",), "batch 5: batches 5 to 6 are missing"),
    "all removed": (JOURNAL, ("DELETE FROM audit_batch",), "batch 1: batches 1 to 6 are missing"),
    "order": (
        JOURNAL,
        (
            "UPDATE audit_batch SET num = -3 WHERE num = 3",
            "UPDATE audit_batch SET num = 3 WHERE num = 5",
            "UPDATE audit_batch SET num = 5 WHERE num = -3",
        ),
        "batch 3: the order was changed: what belongs here stands at number 5",
    ),
    "added": (
        JOURNAL,
        ("INSERT INTO audit_batch (entries, hash) SELECT entries, hash FROM audit_batch WHERE num = 2",),
        "batch 7: it is not what was written",
    ),
    "the count of batches, down": (
        JOURNAL,
        ("UPDATE sqlite_sequence SET seq = 4 WHERE name = 'audit_batch'",),
        "there are more batches than were counted",
    ),
    "the count of batches, up": (
        JOURNAL,
        ("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'audit_batch'",),
        "batch 7: batch 7 is missing",
    ),
    # How far it is unfolded, and where it starts.
    "mark lowered": (MAIN, ("UPDATE audit_mark SET unfolded = 3 WHERE file = 'journal'",), MADE + "is there before"),
    "mark raised": (MAIN, ("UPDATE audit_mark SET unfolded = 5 WHERE file = 'main'",), MADE + "is missing"),
    "start: since": (MAIN, ("UPDATE audit_start SET since = since + 1",), f"{MAIN}: batch 1: it is not what was"),
    "start: number": (MAIN, ("UPDATE audit_start SET main = 2",), f"{MAIN}: batch 1: it is not what was"),
    "start: number in the journal": (MAIN, ("UPDATE audit_start SET journal = 2",), f"{MAIN}: batch 1: it is not what"),
    # The resources that were made of them.
    "event removed": (MAIN, (f"DELETE FROM version WHERE seq = {ONE}",), MADE + "is missing"),
    "event removed from the current": (MAIN, (f"DELETE FROM resource WHERE seq = {ONE}",), MADE + "is missing"),
    "version: seq": (MAIN, (f"UPDATE {VERSION.format('seq = 100000')}",), MADE + "is missing"),
    "version: rid": (MAIN, (f"UPDATE {VERSION.format('rid = 100000')}",), MADE + "is not what the entry says"),
    "version: type": (MAIN, (f"UPDATE {VERSION.format('type = 1')}",), MADE + "is not found by whom it is about"),
    "version: number": (MAIN, (f"UPDATE {VERSION.format('version = 2')}",), MADE + "is not what the entry says"),
    "version: time": (MAIN, (f"UPDATE {VERSION.format('updated = updated + 1000')}",), MADE + "is not what the entry"),
    "version: method": (MAIN, (f"UPDATE {VERSION.format('method = 2')}",), MADE + "is not what the entry says"),
    "version: owner": (MAIN, (f"UPDATE {VERSION.format('owner = 0')}",), MADE + "is not what the entry says"),
    "version: body": (
        MAIN,
        (
            f"UPDATE version SET body = (SELECT body FROM version WHERE {EVENT} AND seq > {ONE} LIMIT 1) WHERE seq = {ONE}",
        ),
        MADE + "is not what the entry says",
    ),
    "resource: type": (MAIN, (f"UPDATE {RESOURCE.format('type = 1')}",), MADE + "is missing"),
    "resource: id": (MAIN, (f"UPDATE resource SET id = 'x' WHERE seq = {ONE}",), "AuditEvent/x is of no entry"),
    "resource: owner": (MAIN, (f"UPDATE {RESOURCE.format('owner = 0')}",), MADE + "is not found by whom it is about"),
    "resource: deleted": (MAIN, (f"UPDATE {RESOURCE.format('deleted = 1')}",), MADE + "is not found by whom"),
    "resource: seq": (MAIN, (f"UPDATE {RESOURCE.format('seq = seq + 1')}",), MADE + "is not what the entry says"),
    "resource: rid": (MAIN, (f"UPDATE {RESOURCE.format('rid = 100000')}",), MADE + "is not what the entry says"),
    "event invented": (
        MAIN,
        (
            f"INSERT INTO resource SELECT 100000, type, 'invented', 1, updated, owner, 0, 100000 FROM resource WHERE seq = {ONE}",
            f"INSERT INTO version SELECT 100000, 100000, type, 1, updated, 0, owner, body, facts FROM version WHERE seq = {ONE}",
        ),
        "AuditEvent/invented is of no entry",
    ),
    "event given a second version": (
        MAIN,
        (
            f"INSERT INTO version SELECT 100000, rid, type, 2, updated, 1, owner, body, facts FROM version WHERE seq = {ONE}",
        ),
        MADE + "has a version 2",
    ),
    "Provenance removed": (
        MAIN,
        ("DELETE FROM version WHERE type = (SELECT num FROM type_name WHERE name = 'Provenance')",),
        r"Provenance/\S+ is missing",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_tampered_with_is_named(house: House, what: str) -> None:
    file, statements, told = TAMPERED[what]
    await tamper(house, file, *statements)
    found = await verify(house.store)
    assert any(re.search(told, fault) for fault in found.faults), found.faults
    if "batch" in told:
        assert found.faults[0].startswith(f"{file}: batch ")


async def test_every_column_of_the_log_is_tampered_with() -> None:
    """A column that is added later is added to the table above, or to those that decide nothing."""
    decides_nothing = {
        "audit_mark.file",
        "resource.updated",  # what `_lastUpdated` is searched by; the event's own times are in its text
        "resource.version",  # what the next write is counted from, and there is none
        "version.facts",  # filed anew by reindex
    }
    async with opened(base_policy="permit") as house:
        with closing(sqlite3.connect(folder(house) / FILE_NAME)) as connection:
            columns = {
                f"{table}.{name}"
                for table in ("audit_batch", "audit_mark", "audit_start", "resource", "version")
                for _, name, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall()
            }
    changes = " ".join(statement for _, statements, _ in TAMPERED.values() for statement in statements)
    assert columns - {".".join(pair) for pair in re.findall(r"UPDATE (\w+) SET (\w+) =", changes)} == decides_nothing


async def test_a_chain_written_anew_is_found_by_a_head_that_was_noted(house: House) -> None:
    """Whoever computes all later hashes again leaves a chain that is whole; only a head from before tells."""
    heads = [chain.head for chain in (await verify(house.store)).chains.values()]
    await tamper(
        house,
        JOURNAL,
        "DELETE FROM audit_batch WHERE num > 5",
        "UPDATE sqlite_sequence SET seq = 5 WHERE name = 'audit_batch'",
    )
    assert (await verify(house.store)).faults == []
    (fault,) = (await verify(house.store, heads)).faults
    assert fault.startswith(f"no batch has the hash {heads[1]}")


async def test_imported_events_and_provenances_of_clients_are_no_inventions(house: House) -> None:
    operator = await house.caller()
    await house.maintenance.unfold_audit()
    copied = (await operator.get("AuditEvent?_count=1")).resources[0]
    await house.given({**copied, "id": "from-elsewhere"})
    claimed = {
        "resourceType": "Provenance",
        "id": "of-a-client",
        "target": [{"reference": "Observation/a"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"display": "somebody"}}],
    }
    await house.given(claimed)
    await house.maintenance.unfold_audit()
    assert (await verify(house.store)).faults == []


async def test_not_even_an_import_changes_what_stands_in_the_log(house: House) -> None:
    operator = await house.caller()
    loaded = Loaded()
    for type in ("AuditEvent", "Provenance"):
        stored = (await operator.get(f"{type}?_count=1")).resources[0]
        await load_resources(house.maintenance, [{**stored, "recorded": "2020-01-01T00:00:00Z"}], loaded)
    assert [refused.error.category.status for refused in loaded.refused] == [403, 403]
    await house.maintenance.unfold_audit()
    assert (await verify(house.store)).faults == []


async def test_a_backup_verifies_also_while_the_original_goes_on(house: House, tmp_path: Path) -> None:
    await house.store.backup(tmp_path / "copy")
    await furnish(house)
    copy = await open_store(tmp_path / "copy")
    try:
        assert (await verify(copy)).faults == []
        before = {name: chain.batches for name, chain in (await verify(copy)).chains.items()}
        await copy.append_audit([])
        assert before == LAST
        async with opened(base_policy="permit") as other:  # its gateway over the copy: life goes on there
            other.store, other.gateway.store = copy, copy
            doctor = await other.caller("Practitioner/d", "user/*.rs")
            await doctor.get("Patient/p")
            await other.maintenance.unfold_audit()
            assert (await verify(copy)).faults == []
    finally:
        await copy.close()


async def test_what_is_there_before_there_were_chains_is_left_as_it_is(tmp_path: Path) -> None:
    """A store of the release before: some events made, of entries that are gone; some entries waiting in both files."""
    async with opened(base_policy="permit") as house:
        await furnish(house)
        await house.store.backup(tmp_path / "old")
    _take_back(tmp_path / "old")
    async with opened(base_policy="permit") as house:
        store = await open_store(tmp_path / "old", clock=house.clock)
        try:
            house.store, house.gateway.store = store, store
            found = await verify(store)
            assert found.faults == []
            assert {name: chain.batches for name, chain in found.chains.items()} == {FILE_NAME: 1, JOURNAL_NAME: 1}
            await furnish(house)
            await house.maintenance.unfold_audit()
            assert (await verify(store)).faults == []
        finally:
            await store.close()


def _take_back(data: Path) -> None:
    """Make the files what the release before would have left: unfolded batches deleted, no hashes, one mark."""
    main = next(n for n, step in enumerate(STEPS) if step.__name__ == "_chained")
    journal = next(n for n, step in enumerate(JOURNAL_STEPS) if step.__name__ == "_journal_chained")
    with closing(sqlite3.connect(data / FILE_NAME)) as connection:
        marks = dict(connection.execute("SELECT file, unfolded FROM audit_mark").fetchall())
    for name, file, steps in ((FILE_NAME, "main", main), (JOURNAL_NAME, "journal", journal)):
        with closing(sqlite3.connect(data / name)) as connection:
            for trigger in ("changed", "removed"):
                connection.execute(f"DROP TRIGGER audit_batch_is_not_{trigger}")
            connection.execute("DELETE FROM audit_batch WHERE num <= ?", (marks[file],))
            connection.execute("ALTER TABLE audit_batch DROP COLUMN hash")
            if file == "main":
                connection.execute("DROP TABLE audit_mark")
                connection.execute("DROP TABLE audit_start")
                connection.execute("CREATE TABLE audit_journal (unfolded INTEGER NOT NULL)")
                connection.execute("INSERT INTO audit_journal VALUES (?)", (marks["journal"],))
                connection.execute("DROP TABLE auth_record")
                connection.execute("DROP INDEX access_token_by_grant")
                connection.execute("ALTER TABLE access_token DROP COLUMN grant_id")
            connection.execute(f"PRAGMA user_version = {steps}")
            connection.commit()

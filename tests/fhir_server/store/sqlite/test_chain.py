"""The chain of batches: what a hash covers, who links to what when several append, and where numbers are passed over."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from fhir_server.store.sqlite import chain, open_store
from fhir_server.store.sqlite.batches import BATCH_SIZE_MAX
from fhir_server.store.sqlite.connection import FILE_NAME, JOURNAL_NAME
from tests.fhir_server.store.contracts.material import audit_event, breaks, entry, write

pytestmark = pytest.mark.anyio


def test_a_hash_covers_the_one_before_the_number_and_the_content_with_its_length() -> None:
    expected = sha256(b"\x01" * 32 + (7).to_bytes(8, "big") + (3).to_bytes(8, "big") + b"abc").digest()
    assert chain.link(b"\x01" * 32, 7, b"abc") == expected


def test_each_file_has_an_origin_of_its_own_and_that_of_the_main_file_vouches_for_its_start() -> None:
    """These stand under every chain there is: they never change."""
    assert chain.origin("journal").hex() == sha256(b"wijkdossier audit journal ").hexdigest()
    starts = [chain.Start(0, 0, 0), chain.Start(1, 0, 0), chain.Start(0, 1, 0), chain.Start(0, 0, 1)]
    origins = {chain.origin("main", start) for start in starts}
    assert len(origins) == 4
    assert chain.origin("main", starts[0]).hex() == sha256(b"wijkdossier audit main (0, 0, 0)").hexdigest()


def links(file: Path) -> list[tuple[int, bytes, bytes]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT num, entries, hash FROM audit_batch ORDER BY num").fetchall()


def put_back(journal: Path, folder: Path) -> None:
    for path in folder.glob(f"{JOURNAL_NAME}*"):
        path.unlink()
    journal.rename(folder / JOURNAL_NAME)


async def test_batches_of_one_append_are_linked_in_their_order(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.append_audit([entry() for _ in range(2 * BATCH_SIZE_MAX + 1)])
    await store.append_audit([entry()])
    await store.close()
    before = chain.origin("journal")
    found = links(tmp_path / JOURNAL_NAME)
    assert [num for num, _, _ in found] == [1, 2, 3, 4]
    for num, content, stored in found:
        before = chain.link(before, num, content)
        assert stored == before


async def test_two_stores_on_one_folder_append_to_one_chain(tmp_path: Path) -> None:
    """Each remembers what it appended last, and finds that the other has appended since."""
    first, second = await open_store(tmp_path), await open_store(tmp_path)
    for store in (first, first, second, second, first, second, first):
        await store.append_audit([entry()])
        await store.commit([], audit=[entry()])
    assert await breaks(first) == []
    assert [num for num, _, _ in links(tmp_path / JOURNAL_NAME)] == list(range(1, 8))
    assert [num for num, _, _ in links(tmp_path / FILE_NAME)] == list(range(1, 8))
    await first.close()
    await second.close()


async def test_numbers_that_were_passed_over_are_no_break(tmp_path: Path) -> None:
    """A journal that was put back, and is older than the main file, goes on above what was unfolded."""
    store = await open_store(tmp_path)
    for _ in range(3):
        await store.append_audit([entry()])
    await store.backup(tmp_path / "older")
    for _ in range(3):
        await store.append_audit([entry()])
    await store.commit([write("Patient", "1")], audit=[entry()])
    await store.unfold_audit(audit_event)
    await store.close()
    put_back(tmp_path / "older" / JOURNAL_NAME, tmp_path)
    again = await open_store(tmp_path)
    assert [num for num, _, _ in links(tmp_path / JOURNAL_NAME)] == [1, 2, 3, 6]
    await again.append_audit([entry()])
    assert await again.unfold_audit(audit_event) == 1
    assert await breaks(again) == []
    await again.close()


async def test_what_was_refused_leaves_no_link(tmp_path: Path) -> None:
    """A commit that fails is not in the chain, and what comes with it in one group is."""
    store = await open_store(tmp_path)
    await store.commit([write("Patient", "1")], audit=[entry()])
    with pytest.raises(Exception, match="current version"):
        await store.commit([write("Patient", "1")], audit=[entry()])
    await store.commit([write("Patient", "1", 1)], audit=[entry()])
    assert [num for num, _, _ in links(tmp_path / FILE_NAME)] == [1, 2]
    assert await breaks(store) == []
    await store.close()

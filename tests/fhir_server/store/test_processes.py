"""Several processes at one SQLite store: nothing is lost, nothing is done twice, nobody is told that it is busy."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fhir_server.store.protocol import StoredVersion
from fhir_server.store.sqlite import open_store
from tests.fhir_server.store import worker
from tests.fhir_server.store.contracts.material import audit_event, breaks, history, versions, write

ROOT = Path(__file__).resolve().parents[3]


def start(job: str, directory: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fhir_server.store.worker", job, str(directory), name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(processes: Sequence[subprocess.Popen[bytes]]) -> list[list[dict[str, Any]]]:
    """What each told. Any error in a process fails the test with its traceback."""
    told = []
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
        told.append([json.loads(line) for line in output.splitlines()])
    return told


async def everything(directory: Path) -> list[StoredVersion]:
    """Every version, oldest first."""
    store = await open_store(directory)
    async with store.snapshot() as snapshot:
        rows = (await history(snapshot, count=1_000_000)).rows
    await store.close()
    return list(reversed(rows))


def test_two_processes_counting_up_lose_no_update(tmp_path: Path) -> None:
    async def begin() -> None:
        store = await open_store(tmp_path)
        await store.commit([write("Basic", "counter", text="0")])
        await store.close()

    asyncio.run(begin())
    finish([start("count_up", tmp_path, name) for name in "ab"])
    expected = 2 * worker.TASKS * worker.INCREMENTS
    stored = asyncio.run(everything(tmp_path))
    assert [json.loads(row.body)["text"] for row in stored] == [str(n) for n in range(expected + 1)]
    assert [row.version for row in stored] == list(range(1, expected + 2))


def test_two_processes_writing_flat_out_both_get_their_turn(tmp_path: Path) -> None:
    """Neither sees SQLITE_BUSY nor starves, and update times run along the order of commits."""
    told = finish([start("write_flat_out", tmp_path, name) for name in "ab"])
    assert all(lines[-1]["longest"] < 5 for lines in told), told
    stored = asyncio.run(everything(tmp_path))
    assert len(stored) == 2 * worker.COMMITS * 4
    times = [row.updated for row in stored]
    assert times == sorted(times)


def test_two_processes_unfold_each_entry_once(tmp_path: Path) -> None:
    told = finish([start("unfold", tmp_path, name) for name in "ab"])
    unfolded = sum(lines[-1]["unfolded"] for lines in told)

    async def rest() -> tuple[int, list[str]]:
        store = await open_store(tmp_path)
        count = await store.unfold_audit(audit_event)
        events = await versions(store, "AuditEvent", count=10_000)
        assert await breaks(store) == [], "each appends to the chains, behind whatever the other appended"
        await store.close()
        return count, events

    count, events = asyncio.run(rest())
    assert unfolded + count == 2 * worker.COMMITS * 4
    assert len(events) == len(set(events)) == unfolded + count


def test_an_epoch_means_one_view_while_another_process_writes(tmp_path: Path) -> None:
    readers = [start("look", tmp_path, name) for name in "ab"]
    for reader in readers:
        assert reader.stdout is not None
        reader.stdout.readline()  # it is ready, and looking
    _, *told = finish([start("write_flat_out", tmp_path, "w"), *readers])
    for lines in told:
        seen = [tuple(one) for one in lines[-1]["seen"]]
        assert len({epoch for epoch, _, _ in seen}) == len(seen), "an epoch with two views"
        assert len({latest for _, latest, _ in seen}) > 5, "the reader has seen the writer at work"


def test_pages_neither_repeat_nor_skip_while_another_process_writes(tmp_path: Path) -> None:
    async def begin() -> None:
        store = await open_store(tmp_path)
        await store.commit([write("Observation", f"before-{n}", code="flat") for n in range(40)])
        await store.close()

    asyncio.run(begin())
    before = {f"before-{n}" for n in range(40)}
    writer, reader = start("write_flat_out", tmp_path, "w"), start("page", tmp_path, "r")
    _, told = finish([writer, reader])
    walks = [line for line in told if "ready" not in line]
    assert len(walks) == 24
    for walk in walks:
        met = walk.get("search") or [row.removesuffix("/1") for row in walk["history"]]
        assert len(met) == len(set(met)), "met twice"
        assert before <= set(met), "passed over"

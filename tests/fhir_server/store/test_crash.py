"""`kill -9` at any moment: what was acknowledged is there, and nothing is there by half.

Two processes write to one store, each is killed after some number of acknowledgements, while the other may go on; then
the store is opened and held against what was told.
"""

import asyncio
import json
import random
import signal
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

from fhir_server.store.sqlite import open_store
from fhir_server.store.sqlite.index_tables import TABLES
from tests.fhir_server.store.contracts.material import audit_event, breaks, by_code, history, matches
from tests.fhir_server.store.test_processes import start

ROUNDS = 12
KILLED_IN_A_ROUND = 2


def test_a_killed_store_has_all_that_was_acknowledged_and_nothing_by_half(tmp_path: Path) -> None:
    chance = random.Random(20260101)
    told: list[dict[str, Any]] = []
    for round in range(ROUNDS):
        processes = [
            start("write_for_ever", tmp_path, f"r{round}a"),
            start("look_for_ever" if round % 3 == 0 else "write_for_ever", tmp_path, f"r{round}b"),
        ]
        assert len(processes) == KILLED_IN_A_ROUND
        for process in processes:
            assert process.stdout is not None
            assert process.stderr is not None
            for _ in range(chance.randint(1, 60)):
                line = process.stdout.readline()
                assert line, process.stderr.read().decode()
                told.append(json.loads(line))
            process.send_signal(signal.SIGKILL)
            # What it said before it died counts as well.
            told += [json.loads(line) for line in process.stdout]
            assert process.stderr.read() == b""
            process.wait()
            process.stdout.close()
            process.stderr.close()
        asyncio.run(_holds(tmp_path, told))
    _is_sound(tmp_path)
    assert sum("round" in line for line in told) > ROUNDS * KILLED_IN_A_ROUND
    assert sum("round" not in line and "audit" in line for line in told) > ROUNDS * KILLED_IN_A_ROUND


async def _holds(directory: Path, told: list[dict[str, Any]]) -> None:
    store = await open_store(directory)
    try:
        assert await breaks(store) == []
        await store.unfold_audit(audit_event)
        assert await breaks(store) == []
        async with store.snapshot() as snapshot:
            rows = (await history(snapshot, count=1_000_000)).rows
        stored: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            stored[row.type].add(f"{row.id}/{row.version}")
        counters: dict[str, int] = defaultdict(int)
        for row in rows:
            if row.type == "Basic":
                counters[row.id] = max(counters[row.id], row.version)

        # Durable: every round and every audit entry that was acknowledged.
        for line in told:
            if "round" in line:
                assert counters[line["task"]] > line["round"], f"{line} is lost"
            if "audit" in line:
                assert f"{line['audit']}/1" in stored["AuditEvent"], f"{line} is lost"

        # Atomic: a counter at n comes with all that belongs to its rounds, and nothing comes without the counter.
        expected = set()
        for task, version in counters.items():
            for round in range(version):
                expected |= {f"{task}-{round}-{part}/1" for part in range(3)}
                if round % 3 == 2:
                    expected.add(f"{task}-{round - 1}-0/2")
        assert stored["Observation"] == expected

        # Found: the index says the same.
        for task, version in counters.items():
            for round in range(version):
                gone = round % 3 == 1 and round + 1 < version
                assert len(await matches(store, by_code(f"{task}-{round}"))) == (2 if gone else 3)
    finally:
        await store.close()


def _is_sound(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "wijkdossier.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for table in TABLES:
            orphans = f"SELECT count(*) FROM {table} WHERE rid NOT IN (SELECT rid FROM resource WHERE NOT deleted)"
            assert connection.execute(orphans).fetchone() == (0,), table

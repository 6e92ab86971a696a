"""A process of its own that works on a store until it is done or killed: `python -m …worker JOB DIRECTORY NAME`.

It tells of each acknowledged thing in a line of JSON, written at once, so that whoever kills it knows what must be there.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from fhir_server.search.query import EVERYTHING
from fhir_server.store.protocol import AuditEntry, ResourceStore, VersionConflict, Write
from fhir_server.store.sqlite import open_store
from tests.fhir_server.store.contracts.material import audit_event, by_code, entry, present, write

TASKS = 6
INCREMENTS = 15
COMMITS = 60


def tell(**what: object) -> None:
    """One write to the pipe: all of it arrives, or nothing."""
    os.write(1, json.dumps(what).encode() + b"\n")


def parts(name: str, round: int) -> list[Write]:
    """Three resources that belong together, found by one code."""
    code = f"{name}-{round}"
    return [write("Observation", f"{code}-{part}", owners=(name,), code=code) for part in range(3)]


async def write_for_ever(store: ResourceStore, name: str) -> None:
    """Rounds of a counter's update with three creates, audit of reads, and now and then unfolding."""

    async def rounds(task: str) -> None:
        round = 0
        while True:
            audited = entry()
            writes = [write("Basic", task, round, code=task), *parts(task, round)]
            if round % 3 == 2:
                writes.append(Write("delete", "Observation", f"{task}-{round - 1}-0", 1, None, (), b"", None))
            await store.commit(writes, audit=[audited])
            tell(task=task, round=round, audit=audited.id)
            round += 1

    async def looks() -> None:
        while True:
            audited = entry()
            await store.append_audit([audited])
            tell(audit=audited.id)

    async def unfolds() -> None:
        while True:
            await store.append_audit([entry()])
            await store.unfold_audit(audit_event)

    await asyncio.gather(*[rounds(f"{name}{n}") for n in range(TASKS)], looks(), looks(), unfolds())


async def look_for_ever(store: ResourceStore, name: str) -> None:
    """Audit of reads and nothing else, in groups of a few."""

    async def looks() -> None:
        while True:
            audited = entry()
            await store.append_audit([audited])
            tell(audit=audited.id)

    await asyncio.gather(*[looks() for _ in range(TASKS)])


async def count_up(store: ResourceStore, name: str) -> None:
    """Many tasks add one to the same counter, each time to what they have read."""

    async def task() -> None:
        done = 0
        while done < INCREMENTS:
            found = await present(store, "Basic", "counter")
            number = int(json.loads(found.body)["text"])
            try:
                await store.commit([write("Basic", "counter", found.version, text=str(number + 1))])
            except VersionConflict:
                continue
            done += 1

    await asyncio.gather(*[task() for _ in range(TASKS)])


async def write_flat_out(store: ResourceStore, name: str) -> None:
    """Commits of one's own, as fast as it goes; tells the longest wait in seconds."""
    longest = 0.0
    for n in range(COMMITS):
        start = time.monotonic()
        await asyncio.gather(
            *[store.commit([write("Observation", f"{name}-{n}-{m}", code="flat")], audit=[entry()]) for m in range(4)],
            store.append_audit([entry()]),
        )
        longest = max(longest, time.monotonic() - start)
    tell(longest=longest)


async def unfold(store: ResourceStore, name: str) -> None:
    """Appends, and unfolds whatever anybody has appended."""
    unfolded = 0
    for _ in range(COMMITS):
        await store.append_audit([AuditEntry(str(uuid.uuid4()), 1, name.encode()) for _ in range(3)])
        await store.commit([], audit=[entry()])
        unfolded += await store.unfold_audit(audit_event)
    tell(unfolded=unfolded)


async def page(store: ResourceStore, name: str) -> None:
    """Walks through search and history again and again, and tells of each walk what it met."""
    for _ in range(12):
        met: list[str] = []
        cursor = b""
        while True:
            async with store.snapshot() as snapshot:
                found = await snapshot.search(by_code("flat"), count=7, cursor=cursor)
            met += [row.id for row in found.rows]
            cursor = found.next_cursor
            if not cursor:
                break
        tell(search=met)
        seen: list[str] = []
        cursor = b""
        while True:
            async with store.snapshot() as snapshot:
                listed = await snapshot.history(
                    "Observation", None, where=EVERYTHING, since=None, at=None, count=7, cursor=cursor
                )
            seen += [f"{row.id}/{row.version}" for row in listed.rows]
            cursor = listed.next_cursor
            if not cursor:
                break
        tell(history=seen)


async def look(store: ResourceStore, name: str) -> None:
    """Many snapshots side by side, some kept for a while, until `write_flat_out` is done; tells what each epoch saw."""
    seen: set[tuple[int, int, int]] = set()

    async def task(wait: int) -> None:
        total = 0
        while total < COMMITS * 4:
            async with store.snapshot() as snapshot:
                epoch = snapshot.epoch
                latest = (await snapshot.changes(0)).latest
                for _ in range(wait):
                    await asyncio.sleep(0)
                total = await snapshot.total(by_code("flat"))
                assert snapshot.epoch == epoch
            seen.add((epoch, latest, total))
            await asyncio.sleep(0.002 * (wait + 1))  # leaves the writer its turn

    await asyncio.gather(*[task(wait) for wait in (0, 0, 1, 2, 3, 5)])
    tell(seen=sorted(seen))


JOBS: dict[str, Callable[[ResourceStore, str], Awaitable[None]]] = {
    job.__name__: job for job in (write_for_ever, look_for_ever, count_up, write_flat_out, unfold, page, look)
}


async def main(job: str, directory: str, name: str) -> None:
    store = await open_store(Path(directory))
    tell(ready=name)
    await JOBS[job](store, name)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

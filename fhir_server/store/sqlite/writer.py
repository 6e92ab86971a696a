"""The one thread of this process that writes: whatever is waiting shares a transaction and one wait for the disk.

The thread shares the interpreter with the event loop, so what counts is how seldom it needs it: a group that only
appends audit entries is a single step in SQLite.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from fhir_server.store.auth import AuthConflict
from fhir_server.store.protocol import AuditEntry, GuardFailed, StoreUnavailable, VersionConflict
from fhir_server.store.sqlite import batches, chain
from fhir_server.store.sqlite.body import Packer
from fhir_server.store.sqlite.connection import WRITE_CACHE_KIB, connect
from fhir_server.store.sqlite.jobs import Job, Refusal
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.transaction import Transaction
from fhir_server.store.sqlite.turnstile import Turnstile

# A group that grows beyond this many versions is closed, so that nobody waits long behind others.
GROUP_WEIGHT_MAX = 1_000

# (future, whether it is an answer, answer or exception)
Settled = tuple["asyncio.Future[Any]", bool, Any]


class Writer:
    """Takes jobs from the event loop it was made in, in order; answers them when they are on disk."""

    def __init__(self, file: Path, journal: Path, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Job] = []
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._names = Names()
        self._packer = Packer()
        self._connection = connect(file, cache_kib=WRITE_CACHE_KIB)
        self._names.judges.register(self._connection)
        self._turn = Turnstile(file)
        self._journal = connect(journal)
        self._journal_turn = Turnstile(journal)
        # The last batch that this process appended there.
        self._journal_end: chain.End | None = None
        self._thread.start()

    def future(self) -> "asyncio.Future[Any]":
        return self._loop.create_future()

    def submit(self, job: Job) -> None:
        """Queue a job; everything submitted in one turn of the event loop wakes the thread once."""
        if self._closed:
            raise RuntimeError("the store is closed")
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(job)

    async def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    # --- on the writer's thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            group, closing = self._take()
            if group:
                self._tell(self._perform(group))
        for resource in (self._connection, self._journal, self._turn, self._journal_turn):
            resource.close()

    def _take(self) -> tuple[list[Job], bool]:
        """Everything that is waiting (at least one list of jobs), and whether it was the last."""
        group: list[Job] = []
        weight = 0
        waiting = self._queue.get()
        while waiting is not None:
            group += waiting
            weight += sum([job.weight for job in waiting])
            if weight > GROUP_WEIGHT_MAX:
                return group, False
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _perform(self, group: list[Job]) -> list[Settled]:
        try:
            if all(type(job) is Job for job in group):
                with self._journal_turn:
                    self._append_only(group)
                return [(job.future, True, None) for job in group]
            with self._turn:
                return self._transact(group)
        except Exception as error:
            for connection in (self._connection, self._journal):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            self._names.forget()
            if len(group) == 1:
                refusal = StoreUnavailable() if isinstance(error, (sqlite3.OperationalError, OSError)) else error
                return [(group[0].future, False, refusal)]
        # One of them broke the transaction for all: each gets one of its own, and its own error.
        return [settled for job in group for settled in self._perform([job])]

    def _append_only(self, group: list[Job]) -> None:
        contents = batches.encoded([entry for job in group for entry in job.audit])
        end = self._journal_end
        if end is not None and len(contents) == 1:
            # Outside a transaction a statement is one: begin, insert, commit and wait for the disk in a single step. It
            # inserts nothing if another process has appended since, because then the end of the chain is another.
            (row,) = chain.rows(end, contents)
            if self._journal.execute(chain.INSERT_AFTER, (*row, end.num)).rowcount == 1:
                self._journal_end = chain.End(row[0], row[2])
                return
        if contents:
            self._journal.execute("BEGIN IMMEDIATE")
            rows = list(chain.rows(chain.end(self._journal, "journal"), contents))
            self._journal.executemany(chain.INSERT, rows)
            self._journal.execute("COMMIT")
            self._journal_end = chain.End(rows[-1][0], rows[-1][2])

    def _transact(self, group: list[Job]) -> list[Settled]:
        transaction = Transaction(self._connection, self._names, self._packer, self._clock)
        settled: list[Settled] = []
        entries: list[AuditEntry] = []
        for job in group:
            try:
                job.check(transaction)
            except (VersionConflict, GuardFailed, AuthConflict, Refusal) as refusal:
                settled.append((job.future, False, refusal))
                continue
            settled.append((job.future, True, job.write(transaction)))
            entries += job.audit
        transaction.flush()
        transaction.add_audit(entries)
        self._connection.execute("COMMIT")
        return settled

    def _tell(self, settled: Sequence[Settled]) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            # The event loop has ended before the store was closed: nobody is left to tell, and all of it is on disk.
            return


def _settle(settled: Sequence[Settled]) -> None:
    for future, answered, answer in settled:
        if future.done():  # the caller was cancelled; the write stands
            continue
        if answered:
            future.set_result(answer)
        else:
            future.set_exception(answer)

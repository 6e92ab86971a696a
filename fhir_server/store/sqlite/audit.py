"""From audit entries to AuditEvents, each once, whichever process does it.

Batches of entries lie in two places. The audit of a write is in the main file, stored with the write. The audit of
reads goes to a file of its own, the journal: a commit to the main file makes every connection forget its page cache,
and the next reads would pay more for that than for all the rest.

A batch of the main file is deleted in the transaction that unfolds it. For the journal that transaction moves a mark in
the main file; what lies below the mark is deleted some time after.
"""

from collections.abc import Callable, Sequence
from sqlite3 import Connection

from fhir_server.store.protocol import AuditEntry, Write
from fhir_server.store.sqlite import batches
from fhir_server.store.sqlite.jobs import Job, Refusal, Trim, Unfold, UnfoldJournal
from fhir_server.store.sqlite.pool import Pool
from fhir_server.store.sqlite.writer import Writer

_LAST = "SELECT coalesce(max(num), 0) FROM audit_batch"
_NEXT = "SELECT num, entries FROM audit_batch WHERE num > ? AND num <= ? ORDER BY num LIMIT 1"
_MARK = "SELECT unfolded FROM audit_journal"

Expand = Callable[[AuditEntry], Sequence[Write]]


def number_on(main: Connection, journal: Connection) -> None:
    """Let new batches of the journal be numbered above the mark.

    Only in a copy that was put back can it be otherwise: the journal is copied first, and may be unfolded further
    before the main file is.
    """
    (mark,) = main.execute(_MARK).fetchone()
    (last,) = journal.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit_batch'").fetchone()
    if last < mark:
        journal.execute("INSERT INTO audit_batch (num, entries) VALUES (?, ?)", (mark, b"\x90"))


async def unfold(main: Pool, journal: Pool, writer: Writer, expand: Expand) -> int:
    """How many entries this call turned into resources, of those that were there when it began."""
    ((last,),) = main.rows(_LAST)
    ((last_in_journal,),) = journal.rows(_LAST)
    unfolded = 0
    while found := main.rows(_NEXT, (0, last)):
        ((num, encoded),) = found
        entries = batches.decode(encoded)
        unfolded += await _submit(writer, Unfold(num, _expanded(entries, expand), writer.future()), len(entries))
    while True:
        ((mark,),) = main.rows(_MARK)
        found = journal.rows(_NEXT, (mark, last_in_journal))
        if not found:
            break
        ((num, encoded),) = found
        entries = batches.decode(encoded)
        job = UnfoldJournal(mark, num, _expanded(entries, expand), writer.future())
        unfolded += await _submit(writer, job, len(entries))
    if last_in_journal:
        await _submit(writer, Trim(mark, writer.future()), 0)
    return unfolded


def _expanded(entries: Sequence[AuditEntry], expand: Expand) -> list[Write]:
    return [write for entry in entries for write in expand(entry)]


async def _submit(writer: Writer, job: Job, size: int) -> int:
    """`size`, or 0 if another process unfolded the same batch first: then the work was in vain."""
    writer.submit(job)
    try:
        await job.future
    except Refusal:
        return 0
    return size

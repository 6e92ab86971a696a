"""From audit entries to AuditEvents, each once, whichever process does it.

Batches of entries lie in two places. The audit of a write is in the main file, stored with the write. The audit of
reads goes to a file of its own, the journal: a commit to the main file makes every connection forget its page cache,
and the next reads would pay more for that than for all the rest.

A batch stays where it is, linked to the one before it (chain.py). The transaction that unfolds it moves a mark in the
main file; what lies above the mark waits.
"""

from collections.abc import Callable, Sequence
from sqlite3 import Connection

from fhir_server.store.protocol import AuditEntry, Write
from fhir_server.store.sqlite import batches, chain
from fhir_server.store.sqlite.jobs import Refusal, Unfold
from fhir_server.store.sqlite.pool import Pool
from fhir_server.store.sqlite.writer import Writer

_LAST = "SELECT coalesce(max(num), 0) FROM audit_batch"
_NEXT = "SELECT num, entries FROM audit_batch WHERE num > ? AND num <= ? ORDER BY num LIMIT 1"
_MARK = "SELECT unfolded FROM audit_mark WHERE file = ?"

Expand = Callable[[AuditEntry], Sequence[Write]]


def number_on(main: Connection, journal: Connection) -> None:
    """Let new batches of the journal be numbered above the mark.

    Only where the journal is older than the main file can it be otherwise: an older program backed them up, or somebody
    put back one of the two.
    """
    (mark,) = main.execute(_MARK, ("journal",)).fetchone()
    if chain.end(journal, "journal").num < mark:
        chain.pass_over(journal, "journal", mark)


async def unfold(main: Pool, journal: Pool, writer: Writer, expand: Expand) -> int:
    """How many entries this call turned into resources, of those that were there when it began."""
    pools = dict(zip(chain.FILES, (main, journal)))
    last = {file: pool.rows(_LAST)[0][0] for file, pool in pools.items()}
    unfolded = 0
    for file, pool in pools.items():
        while True:
            ((mark,),) = main.rows(_MARK, (file,))
            found = pool.rows(_NEXT, (mark, last[file]))
            if not found:
                break
            ((num, encoded),) = found
            entries = batches.decode(encoded)
            writes = [write for entry in entries for write in expand(entry)]
            unfolded += await _submit(writer, Unfold(file, mark, num, writes, writer.future()), len(entries))
    return unfolded


async def _submit(writer: Writer, job: Unfold, size: int) -> int:
    """`size`, or 0 if another process unfolded the same batch first: then the work was in vain."""
    writer.submit(job)
    try:
        await job.future
    except Refusal:
        return 0
    return size

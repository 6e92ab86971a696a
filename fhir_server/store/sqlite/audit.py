"""Audit entries on their way to becoming AuditEvents: everything a group commit was given lies in one row.

One row a group, and not one an entry, is what makes an audited read cheap: the writer thread takes one step in SQLite,
however many requests are waiting.
"""

from collections.abc import Sequence

import msgspec

from fhir_server.store.protocol import AuditEntry

# Entries in one row, so that unfolding one does not hold the event loop for long.
BATCH_SIZE_MAX = 256

INSERT = "INSERT INTO audit_batch (size, entries) VALUES (?, ?)"
# What is not yet unfolded: the number of the youngest batch, and the oldest one up to a number.
LAST = "SELECT coalesce(max(num), 0) FROM audit_batch"
OLDEST = "SELECT num, entries FROM audit_batch WHERE num <= ? ORDER BY num LIMIT 1"
PENDING = "SELECT 1 FROM audit_batch WHERE num = ?"
REMOVE = "DELETE FROM audit_batch WHERE num = ?"

_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(list[AuditEntry]).decode


def batches(entries: Sequence[AuditEntry]) -> list[tuple[int, bytes]]:
    """Rows for INSERT."""
    chunks = [entries[start : start + BATCH_SIZE_MAX] for start in range(0, len(entries), BATCH_SIZE_MAX)]
    return [(len(chunk), _encode(chunk)) for chunk in chunks]

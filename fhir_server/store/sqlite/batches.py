"""Audit entries, many in a row of the database: a batch.

One row a group commit, not one an entry, makes an audited read cheap: it is a single step in SQLite, however many
requests are waiting.
"""

from collections.abc import Sequence

import msgspec

from fhir_server.store.protocol import AuditEntry

# Entries in one row, so that unfolding one does not hold the event loop for long.
BATCH_SIZE_MAX = 256

_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(list[AuditEntry]).decode


def encoded(entries: Sequence[AuditEntry]) -> list[bytes]:
    """The contents of as many batches as these need."""
    chunks = [entries[start : start + BATCH_SIZE_MAX] for start in range(0, len(entries), BATCH_SIZE_MAX)]
    return [_encode(chunk) for chunk in chunks]

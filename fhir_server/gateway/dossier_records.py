"""The records in one patient's dossier, now or as they were: those that are about this patient and nobody else.

What is about two patients is decided by both, and no one of them is told what the other decided.
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.gateway.narrow import conjunction
from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import OwnedBy, Query, TypeIn
from fhir_server.store.protocol import Page, Snapshot, StoredVersion

RECORDS_MAX: Final = 20_000
_PAGE_COUNT: Final = 1_000


async def records(
    snapshot: Snapshot, patient: str, types: Iterable[str], instant: int | None = None
) -> list[StoredVersion]:
    """What is there of these types, or was at the instant (microseconds since 1970 UTC).

    Raises FhirError 422 if that is more than RECORDS_MAX.
    """
    own, kinds = OwnedBy((patient,)), tuple(sorted(types))
    found: list[StoredVersion] = []
    cursor = b""
    while True:
        page: Page
        if instant is None:
            page = await snapshot.search(Query(kinds, own), count=_PAGE_COUNT, cursor=cursor)
        else:
            page = await snapshot.history(
                None,
                None,
                where=conjunction(own, TypeIn(kinds)),
                since=None,
                at=(instant, instant + 1),
                count=_PAGE_COUNT,
                cursor=cursor,
            )
        found += (row for row in page.rows if not row.deleted)
        if len(found) > RECORDS_MAX:
            raise FhirError(Category.TOO_COSTLY, f"the dossier holds more than {RECORDS_MAX} of these records")
        cursor = page.next_cursor
        if not cursor:
            return found


async def record(
    snapshot: Snapshot, patient: str, type: str, id: str, instant: int | None = None
) -> StoredVersion | None:
    """One of them; None if it is not there, or was not then, or is not in this dossier alone."""
    if instant is None:
        found = await snapshot.read(type, id)
    else:
        page = await snapshot.history(
            type, id, where=OwnedBy((patient,)), since=None, at=(instant, instant + 1), count=1
        )
        found = page.rows[0] if page.rows else None
    return found if found is not None and not found.deleted and found.owners == (patient,) else None

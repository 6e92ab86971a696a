"""What a Session answers with: released resources, page by page, and what a write came to.

https://hl7.org/fhir/R4/http.html#paging
"""

import msgspec

from fhir_server.gateway.release import Released
from fhir_server.outcome import Issue


class Found(msgspec.Struct, frozen=True, eq=False):
    """One page of a search. `position` is where the next page starts, b"" on the last one."""

    matches: tuple[Released, ...]
    included: tuple[Released, ...]
    total: int | None
    position: bytes


class Versions(msgspec.Struct, frozen=True, eq=False):
    """One page of a history."""

    versions: tuple[Released, ...]
    position: bytes


class Written(msgspec.Struct, frozen=True, eq=False):
    """A version that was just stored; `released` None if it is a deletion, or if its writer may not read it.

    `warnings`: what the writer is to be told though it was stored.
    """

    type: str
    id: str
    version: int
    updated: int
    released: Released | None
    warnings: tuple[Issue, ...] = ()

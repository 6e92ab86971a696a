"""Released values: the only form in which a stored resource leaves the gateway, and the Bundles that are made of them.

The seal is known to this module alone and `release` asks the decision first, so nothing is released undecided.
https://hl7.org/fhir/R4/security.html#access-control
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, final

import msgspec

from fhir_server.store.protocol import StoredVersion

_SEAL: Final = object()


@final
class Released:
    """One version of a resource that the requester may read.

    Constructing one by hand raises TypeError, and none can be altered.
    """

    __slots__ = ("_stored",)
    _stored: StoredVersion

    def __init__(self, stored: StoredVersion, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the gateway releases a resource")
        object.__setattr__(self, "_stored", stored)

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("a released resource is not altered")

    def __repr__(self) -> str:  # a body is personal data and belongs in no log line or traceback
        return f"Released({self.type}/{self.id}/_history/{self.version})"

    @property
    def type(self) -> str:
        return self._stored.type

    @property
    def id(self) -> str:
        return self._stored.id

    @property
    def version(self) -> int:
        return self._stored.version

    @property
    def updated(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._stored.updated

    @property
    def method(self) -> str:
        """How this version came to be: create, update or delete."""
        return self._stored.method

    @property
    def body(self) -> bytes:
        """The JSON text exactly as stored, meta.versionId and meta.lastUpdated included; b"" for a deletion."""
        return self._stored.body


def release(stored: StoredVersion, permits: Callable[[StoredVersion], bool]) -> Released | None:
    """The stored version as released, or None if `permits` says no."""
    if not permits(stored):
        return None
    return Released(stored, _SEAL)


class Entry(msgspec.Struct, frozen=True, eq=False):
    """One Bundle.entry. A Mapping as resource is one that this server made itself: an OperationOutcome, a Parameters.

    https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry
    """

    full_url: str = ""
    resource: "Released | Bundle | Mapping[str, Any] | None" = None
    search_mode: str = ""  # match | include | outcome, in searchsets
    request: tuple[str, str] | None = None  # (method, url), in histories
    response: Mapping[str, Any] | None = (
        None  # Bundle.entry.response, in histories and in batch and transaction answers
    )


class Bundle(msgspec.Struct, frozen=True, eq=False):
    """A Bundle about to be written: `type` is a code of https://hl7.org/fhir/R4/valueset-bundle-type.html.

    `links` are (relation, url). `total` None: not said. A batch entry that searched carries a Bundle as its resource.
    """

    type: str
    entries: tuple[Entry, ...] = ()
    total: int | None = None
    links: tuple[tuple[str, str], ...] = ()


# What an answer carries. A Mapping is a resource that this server composed: an OperationOutcome, a Parameters …
Content: TypeAlias = Released | Bundle | Mapping[str, Any] | None

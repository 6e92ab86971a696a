"""What the consent engine asks about a resource, in two forms that a store keeps: bytes to decide on, rows to query.

The bytes hold the whole ResourceFacts. The rows hold the same so that a residual predicate can be asked of the store;
`residuals` says which question finds which rows. Both are filed when the resource is written.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from consent.facts import facts
from consent.model import Coding, ResourceFacts
from consent.vocabulary import NORMAL
from fhir_server.search.rows import MAX_TIME, MIN_TIME, FiledRow, IndexRows
from fhir_server.store.protocol import StoredVersion
from profiles import json

# Kinds of rows. What is usual is not filed: normal confidentiality, authors and custodians that nobody named.
LEVEL: Final = "level"
LABEL: Final = "label"
CODE: Final = "code"
INNER_CODE: Final = "inner"
DOCUMENT: Final = "document"
TYPE_WITHIN: Final = "within"
AUTHOR: Final = "author"
CUSTODIAN: Final = "custodian"
REFERENCE: Final = "ref"
UNCLEAR: Final = "unclear"
CLEAR: Final = "clear"
PERSONAL: Final = "personal"

_DECODED_MAX: Final = 4096


_PRECISION: Final = 1000  # microseconds of `meta.lastUpdated`


class Filing(NamedTuple):
    """Facts, and who wrote the resource as this server recorded it (`Type/id`), which its own elements need not say."""

    facts: ResourceFacts
    recorded: tuple[str, ...] = ()


class _Encoded(NamedTuple):
    """The fields of ResourceFacts in order, then `recorded`."""

    type: str
    id: str
    patients: tuple[str, ...]
    confidentiality: int
    labels: frozenset[Coding]
    labels_unclear: bool
    codes: frozenset[Coding]
    codes_unclear: bool
    contained_codes: frozenset[Coding]
    contained_codes_unclear: bool
    documents: frozenset[Coding]
    documents_unclear: bool
    types_within: frozenset[str]
    interval: tuple[int, int] | None
    authors: frozenset[str]
    authors_unclear: bool
    custodians: frozenset[str]
    custodians_unclear: bool
    references: frozenset[str]
    personal: bool
    recorded: tuple[str, ...]


_FIELDS: Final = _Encoded._fields[:-1]
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODER: Final = msgspec.msgpack.Decoder(_Encoded)


class Filer:
    """Files resources; dates without an offset are read in `zone`. `clock` gives microseconds since 1970 UTC."""

    def __init__(self, zone: ZoneInfo, clock: Callable[[], int]) -> None:
        self._zone = zone
        self._clock = clock
        self._decoded: dict[bytes, Filing] = {}
        self._latest = (b"", Filing(ResourceFacts("", "")))

    def file(
        self,
        resource: Mapping[str, Any],
        owners: tuple[str, ...],
        rows: IndexRows,
        recorded: Iterable[str] = (),
        *,
        personal: bool = False,
    ) -> bytes:
        """The facts of the resource as bytes, and as rows put into `rows`."""
        written_by = tuple(sorted(set(recorded)))
        found = facts(resource, {}, self._zone, patients=owners, authors=written_by, personal=personal)
        if found.interval is None:
            # What no date tells is of when it was last updated, and one that has no such date is written now.
            now = self._clock()
            found = replace(found, interval=(now - now % _PRECISION, now - now % _PRECISION + _PRECISION))
        rows.filed = filed(found)
        rows.span = span(found.interval)
        filing = Filing(found, written_by)
        encoded = encode(filing)
        self._latest = (encoded, filing)  # whoever writes it is asked about it next
        return encoded

    def filing(self, encoded: bytes) -> Filing:
        """What `file` encoded."""
        if encoded == self._latest[0]:
            return self._latest[1]
        known = self._decoded.get(encoded)
        if known is None:
            if len(self._decoded) >= _DECODED_MAX:
                self._decoded.clear()
            known = self._decoded[encoded] = decode(encoded)
        return known

    def of(self, stored: StoredVersion) -> Filing:
        """What was filed with the version; what was written before there was filing is read from its body.

        A deletion from then tells nothing, so nothing about it is clear.
        """
        if stored.facts:
            return self.filing(stored.facts)
        if stored.body:
            return Filing(facts(json.parse(stored.body), {}, self._zone, patients=stored.owners))
        return Filing(
            ResourceFacts(
                stored.type,
                stored.id,
                stored.owners,
                labels_unclear=True,
                codes_unclear=True,
                contained_codes_unclear=True,
                documents_unclear=True,
            )
        )


def span(interval: tuple[int, int] | None) -> tuple[int, int] | None:
    """The interval with its open ends as an index has them."""
    return None if interval is None else (max(interval[0], MIN_TIME), min(interval[1], MAX_TIME))


def encode(filing: Filing) -> bytes:
    found = filing.facts
    return _ENCODE((*[getattr(found, name) for name in _FIELDS], filing.recorded))


def decode(encoded: bytes) -> Filing:
    # The decoder has checked each against its type in _Encoded.
    *values, recorded = _DECODER.decode(encoded)
    return Filing(ResourceFacts(*values), recorded)  # type: ignore[arg-type]


def filed(found: ResourceFacts) -> list[FiledRow]:
    """The facts as rows, without the time, which is the span."""
    rows = [FiledRow(LEVEL, str(found.confidentiality))] if found.confidentiality != NORMAL else []
    for kind, codings in (
        (LABEL, found.labels),
        (CODE, found.codes),
        (INNER_CODE, found.contained_codes),
        (DOCUMENT, found.documents),
    ):
        rows += [FiledRow(kind, coded(coding)) for coding in codings]
    for kind, values in (
        (TYPE_WITHIN, found.types_within),
        (AUTHOR, found.authors),
        (CUSTODIAN, found.custodians),
        (REFERENCE, found.references),
    ):
        rows += [FiledRow(kind, value) for value in values]
    for kind, unclear in (
        (LABEL, found.labels_unclear),
        (CODE, found.codes_unclear),
        (INNER_CODE, found.contained_codes_unclear),
        (DOCUMENT, found.documents_unclear),
    ):
        if unclear:
            rows.append(FiledRow(UNCLEAR, kind))
    if found.personal:
        rows.append(FiledRow(PERSONAL, ""))
    for kind, unclear in ((AUTHOR, found.authors_unclear), (CUSTODIAN, found.custodians_unclear)):
        if not unclear:
            rows.append(FiledRow(CLEAR, kind))
    return rows


def coded(coding: Coding) -> str:
    """One text for a coding; the bar stands in no system."""
    return f"{coding[0]}|{coding[1]}"

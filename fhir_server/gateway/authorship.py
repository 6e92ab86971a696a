"""What a Provenance says of who made its targets becomes part of what is filed with them.

Only whoever decides about the dossier anyway is believed: the patient, their proxy, and the operator's import. If
anybody's word would do, a professional could name themself and read back what others wrote.
https://hl7.org/fhir/R4/provenance.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from consent.facts import values
from consent.references import local
from fhir_server.gateway.filing import Filer, Filing, decode, encode, filed, span
from fhir_server.gateway.ownership import Extract
from fhir_server.store.protocol import Refile, Snapshot, Write
from profiles import json


def agents(provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """Who took part, and on whose behalf, as `Type/id`."""
    found = {local(one) for path in ("agent.who", "agent.onBehalfOf") for one in values(provenance, path)}
    return tuple(sorted(found - {""}))


def targets(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(type, id) of each target on this server."""
    for target in {local(one) for one in values(provenance, "target")} - {""}:
        kind, _, logical_id = target.partition("/")
        yield kind, logical_id


def attributed(filing: Filing, by: tuple[str, ...]) -> Filing:
    """The filing of a resource that these made as well."""
    found = filing.facts
    known = replace(
        found, authors=found.authors | set(by), authors_unclear=found.authors_unclear and bool(found.authors)
    )
    return Filing(known, tuple(sorted({*filing.recorded, *by})))


def restaged(write: Write, by: tuple[str, ...]) -> Write:
    """A write to come, whose resource these made as well."""
    filing = attributed(decode(write.facts), by)
    assert write.rows is not None
    write.rows.filed = filed(filing.facts)
    return replace(write, facts=encode(filing))


async def refiled(
    snapshot: Snapshot, kind: str, logical_id: str, by: tuple[str, ...], filer: Filer, extract: Extract
) -> Refile | None:
    """A stored resource, filed as one that these made as well; None if there is no such resource."""
    stored = await snapshot.read(kind, logical_id)
    if stored is None or stored.deleted:
        return None
    filing = attributed(filer.of(stored), by)
    rows = extract(json.parse(stored.body))
    rows.filed, rows.span = filed(filing.facts), span(filing.facts.interval)
    return Refile(kind, logical_id, stored.version, stored.owners, encode(filing), rows)

"""Imports by the operator: what `wijkdossier load` does with one parsed file or line.

A transaction or batch follows FHIR's own rules. A collection or searchset, and a resource by itself, are stored under
the ids they carry. Any other Bundle (a document, a message) is one resource. Each resource of an import stands or falls
by itself, except within a transaction. https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fhir_server.gateway.ownership import local_reference
from fhir_server.gateway.unit import Unit
from fhir_server.interactions.entries import read_entries
from fhir_server.interactions.references import references_in, rewrite
from fhir_server.interactions.transaction import BORROWERS, Writer, write_all
from fhir_server.outcome import Category, FhirError

# Resources in one commit: enough to share its cost, few enough to keep other writers waiting briefly.
CHUNK_SIZE: Final = 200


class Refused(msgspec.Struct, frozen=True, eq=False):
    """One resource that was not stored; `name` is `Type/id` or `Bundle.entry[i]` as far as known."""

    name: str
    error: FhirError


class Loaded(msgspec.Struct, eq=False):
    """What came of one import: how many of each type, what was refused, and which (type, id) is referred to."""

    stored: dict[str, int] = msgspec.field(default_factory=dict)
    refused: list[Refused] = msgspec.field(default_factory=list)
    references: set[tuple[str, str]] = msgspec.field(default_factory=set)

    def count(self, type: str) -> None:
        self.stored[type] = self.stored.get(type, 0) + 1


async def load(writer: Writer, content: Mapping[str, Any], *, strict_references: bool = False) -> Loaded:
    """Import one parsed document; never raises FhirError, refusals are in the result."""
    loaded = Loaded()
    kind = content.get("type") if content.get("resourceType") == "Bundle" else None
    if kind in ("transaction", "batch"):
        await _requests(writer, content, kind == "transaction", strict_references, loaded)
    elif kind in ("collection", "searchset"):
        await load_resources(writer, _members(writer, content), loaded, strict_references=strict_references)
    else:
        await load_resources(writer, [content], loaded, strict_references=strict_references)
    return loaded


async def load_resources(
    writer: Writer, resources: Sequence[Mapping[str, Any]], loaded: Loaded, *, strict_references: bool = False
) -> None:
    """Store resources under their own ids, each on its own merits; adds to `loaded`. For the lines of NDJSON, too."""
    for chunk in _chunks(resources):

        async def stage(unit: Unit, chunk: Sequence[Mapping[str, Any]] = chunk) -> list[Refused | tuple[str, Any]]:
            return [await _stage(unit, resource, strict_references) for resource in chunk]

        outcomes, _ = await writer.write("batch", "", stage)
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                loaded.refused.append(outcome)
            else:
                loaded.count(outcome[0])
                loaded.references.update(outcome[1])


async def _stage(unit: Unit, resource: Mapping[str, Any], strict_references: bool) -> Refused | tuple[str, Any]:
    """What was staged, as its type and the (type, id) it refers to."""
    name = _name(resource)
    try:
        if not isinstance(resource.get("resourceType"), str):
            raise FhirError(Category.STRUCTURE, "there is no `resourceType`", ("resourceType",))
        local = (local_reference(text) for text in references_in(resource))
        targets = {target for target in local if target is not None}
        if strict_references:
            for target in sorted(targets):
                if f"{target[0]}/{target[1]}" != name and not await unit.exists(*target):
                    raise FhirError(Category.UNPROCESSABLE, f"the reference `{target[0]}/{target[1]}` leads to nothing")
        await (unit.update(resource) if isinstance(resource.get("id"), str) else unit.create(resource))
    except FhirError as error:
        return Refused(name, error)
    return str(resource["resourceType"]), targets


async def _requests(
    writer: Writer, bundle: Mapping[str, Any], together: bool, strict_references: bool, loaded: Loaded
) -> None:
    """A transaction as one, a batch entry by entry; what only reads is passed over."""
    try:
        entries = [entry for entry in read_entries(bundle, "") if entry.method not in ("GET", "HEAD")]
    except FhirError as error:
        loaded.refused.append(Refused("Bundle", error))
        return
    for group in [entries] if together else [[entry] for entry in entries]:
        try:
            done = await write_all(writer, group, strict_references=strict_references)
        except FhirError as error:
            loaded.refused.append(Refused("Bundle" if together else group[0].location, error))
            continue
        loaded.references.update(done.references)
        for written in done.written:
            loaded.count(written.type)


def _members(writer: Writer, bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources of a collection, their references to each other's fullUrl made literal where an id is there."""
    entries = [entry for entry in bundle.get("entry", ()) if isinstance(entry, Mapping)]
    members = [entry["resource"] for entry in entries if isinstance(entry.get("resource"), Mapping)]
    places = {
        entry["fullUrl"]: _name(entry["resource"])
        for entry in entries
        if isinstance(entry.get("resource"), Mapping)
        and isinstance(entry.get("fullUrl"), str)
        and isinstance(entry["resource"].get("id"), str)
    }

    def resolve(text: str) -> str:
        return places.get(text, text)

    return [rewrite(member, writer.registry, resolve, resolve) for member in members]


def _chunks(resources: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Chunks in which no resource comes twice, those last whose owners follow from others."""
    chunks: list[list[Mapping[str, Any]]] = []
    names: set[str] = set()
    for resource in sorted(resources, key=lambda one: one.get("resourceType") in BORROWERS):
        name = _name(resource)
        if not chunks or len(chunks[-1]) == CHUNK_SIZE or name in names:
            chunks.append([])
            names = set()
        chunks[-1].append(resource)
        if isinstance(resource.get("id"), str):
            names.add(name)
    return chunks


def _name(resource: Mapping[str, Any]) -> str:
    return f"{str(resource.get('resourceType', ''))[:40]}/{str(resource.get('id', ''))[:64]}"

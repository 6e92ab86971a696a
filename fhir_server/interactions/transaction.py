"""transaction: all entries or none, in FHIR's order: DELETE, POST, PUT and PATCH, then GET on what came of it.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from fhir_server.gateway.ownership import local_reference
from fhir_server.gateway.release import Released
from fhir_server.gateway.results import Written
from fhir_server.gateway.unit import Staged, Unit
from fhir_server.interactions.conditions import condition, condition_text, single_match
from fhir_server.interactions.entries import BundleEntry, check_write, first_repeat
from fhir_server.interactions.patch import patch_of
from fhir_server.interactions.references import references_in, rewrite
from fhir_server.interactions.versions import if_match
from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import Context
from profiles.registry import Registry

_ORDER: Final = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
# What they are about, or mean, follows from other resources, which may come in the same Bundle: they are staged when
# those are known.
BORROWERS: Final = frozenset(("Provenance", "Binary", "Bundle", "Consent"))

T = TypeVar("T")


class Writer(Protocol):
    """A Session, or the operator's maintenance."""

    @property
    def registry(self) -> Registry: ...

    def context(self, *, lenient: bool = False) -> Context: ...

    async def write(
        self, interaction: str, target: str, stage: Callable[[Unit], Awaitable[T]]
    ) -> tuple[T, tuple[Written, ...]]: ...


class Done:
    """What became of the writing entries: by position, the version that was written or, for a conditional create that
    matched, the one that was there; None for a deletion of nothing."""

    def __init__(self) -> None:
        self.staged: dict[int, Staged | Released | None] = {}
        self.written: tuple[Written, ...] = ()
        self.references: tuple[tuple[str, str], ...] = ()  # (type, id) that the entries refer to


async def write_all(writer: Writer, entries: Sequence[BundleEntry], *, strict_references: bool = False) -> Done:
    """Store what the entries write, all of it or nothing. Raises FhirError that names the entry.

    `strict_references`: refuse a literal reference to what does not exist, here or in the Bundle.
    """
    writing = [entry for entry in entries if entry.method in _ORDER]
    for entry in writing:
        with_location(entry, check_write)
        if entry.type not in writer.registry.resource_types:
            raise FhirError(
                Category.NOT_SUPPORTED, f"`{entry.type[:40]}` is not a resource type of R4", ("request.url",)
            ).within(entry.location)
    _check_full_urls(entries)
    done = Done()

    async def stage(unit: Unit) -> _Attempt:
        attempt = _Attempt(writer, unit, writing)
        await attempt.stage()
        if strict_references:
            await attempt.check_references()
        return attempt

    attempt, done.written = await writer.write("transaction", "", stage)
    done.staged = attempt.staged
    done.references = tuple({target for _, target in attempt.references})
    return done


def with_location(entry: BundleEntry, step: Callable[[BundleEntry], T]) -> T:
    try:
        return step(entry)
    except FhirError as error:
        raise error.within(entry.location) from None


class _Attempt:
    """One try at staging the writing entries against one snapshot."""

    def __init__(self, writer: Writer, unit: Unit, entries: Sequence[BundleEntry]) -> None:
        self._registry = writer.registry
        self._context = writer.context()
        self._unit = unit
        self._entries = entries
        self._ids: dict[int, str] = {}
        self._existing: dict[int, Released] = {}
        self._places: dict[str, str] = {}  # fullUrl → Type/id
        self._conditional: dict[str, str] = {}  # `Type?criteria` → Type/id
        self.staged: dict[int, Staged | Released | None] = {}
        self.references: list[tuple[BundleEntry, tuple[str, str]]] = []

    async def stage(self) -> None:
        for entry in self._entries:
            await self._located(entry, self._identify)
        self._check_identities()
        for entry in sorted(self._entries, key=_turn):
            self.staged[entry.position] = await self._located(entry, self._perform)

    async def check_references(self) -> None:
        for entry, target in self.references:
            if not await self._unit.exists(*target):
                raise FhirError(
                    Category.UNPROCESSABLE, f"the reference `{target[0]}/{target[1]}` leads to nothing"
                ).within(entry.location)

    async def _located(self, entry: BundleEntry, step: Callable[[BundleEntry], Awaitable[T]]) -> T:
        try:
            return await step(entry)
        except FhirError as error:
            raise error.within(entry.location) from None

    async def _identify(self, entry: BundleEntry) -> None:
        """Find out which resource the entry writes, and remember what it called itself."""
        position, resource_type = entry.position, entry.type
        if len(entry.segments) == 2:
            self._ids[position] = entry.segments[1]
        elif entry.method == "POST":
            text = entry.headers.get("if-none-exist")
            if text is not None:
                await self._match(entry, condition_text(self._context, resource_type, text))
            self._ids[position] = self._existing[position].id if position in self._existing else self._unit.new_id()
        else:
            await self._match(entry, condition(self._context, resource_type, entry.parameters))
            if position in self._existing:
                self._ids[position] = self._existing[position].id
            elif entry.method == "PUT":
                assert entry.resource is not None
                stated = entry.resource.get("id")
                self._ids[position] = stated if isinstance(stated, str) else self._unit.new_id()
        if entry.full_url and position in self._ids:
            self._places[entry.full_url] = f"{resource_type}/{self._ids[position]}"

    async def _match(self, entry: BundleEntry, query: Any) -> None:
        existing = await single_match(self._unit, query)
        if existing is not None:
            self._existing[entry.position] = existing

    def _check_identities(self) -> None:
        """No resource is written by two entries. https://hl7.org/fhir/R4/http.html#trules"""
        writing = [
            entry
            for entry in self._entries
            if entry.position in self._ids and not (entry.method == "POST" and entry.position in self._existing)
        ]
        repeat = first_repeat([(entry.type, self._ids[entry.position]) for entry in writing])
        if repeat is not None:
            raise FhirError(Category.INVALID, "an earlier entry writes the same resource").within(
                writing[repeat].location
            )
        conditions = [
            (entry.type, text) for entry in self._entries if (text := entry.headers.get("if-none-exist")) is not None
        ]
        repeat = first_repeat(conditions)
        if repeat is not None:
            raise FhirError(Category.INVALID, f"two entries create {conditions[repeat][0]} on the same condition")

    async def _perform(self, entry: BundleEntry) -> Staged | Released | None:
        position, resource_type = entry.position, entry.type
        version = if_match(entry.headers)
        if entry.method == "DELETE":
            if position not in self._ids:
                return None  # a conditional delete that matched nothing
            return await self._unit.delete(resource_type, self._ids[position], version)
        if entry.method == "POST" and position in self._existing:
            return self._existing[position]
        assert entry.resource is not None
        resource = await self._rewritten(entry, entry.resource)
        if entry.method == "PATCH":
            if position not in self._ids:
                raise FhirError(Category.NOT_FOUND, "there is no such resource")
            change = patch_of(resource, self._registry)
            return await self._unit.patch(resource_type, self._ids[position], change, version)
        if entry.method == "POST":
            return await self._unit.create(resource, self._ids[position])
        return await self._put(entry, resource, version)

    async def _put(self, entry: BundleEntry, resource: Mapping[str, Any], version: int | None) -> Staged:
        logical_id = self._ids[entry.position]
        stated = resource.get("id", logical_id)
        if stated != logical_id:
            raise FhirError(Category.INVALID, "the id in the resource is not that of the resource that matches")
        if len(entry.segments) == 1 and entry.position not in self._existing and "id" not in resource:
            return await self._unit.create(resource, logical_id)
        return await self._unit.update({**resource, "id": logical_id}, version)

    async def _rewritten(self, entry: BundleEntry, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        """References to entries of this Bundle and conditional references, made literal."""
        beside = _rest_base(entry.full_url)
        unresolved: set[str] = set()
        literal: set[str] = set()

        def uri(text: str) -> str:
            return self._places.get(text, text)

        def reference(text: str) -> str:
            url, hash_mark, fragment = text.partition("#")
            place = self._places.get(url) or (self._places.get(f"{beside}/{url}") if beside else None)
            if place is not None:
                literal.add(place)
                return place + hash_mark + fragment
            if url.startswith(("urn:uuid:", "urn:oid:")):
                raise FhirError(Category.INVALID, f"no entry has the fullUrl `{url[:50]}` that a reference names")
            if _is_conditional(url):
                if url not in self._conditional:
                    unresolved.add(url)
                literal.add(self._conditional.get(url, ""))
                return self._conditional.get(url, text)
            literal.add(url)
            return text

        rewritten = rewrite(resource, self._registry, reference, uri)
        if unresolved:
            for url in unresolved:
                self._conditional[url] = await self._resolve(url)
            rewritten = rewrite(resource, self._registry, reference, uri)
        local = (local_reference(text) for text in literal)
        self.references += ((entry, target) for target in local if target is not None)
        return rewritten

    async def _resolve(self, url: str) -> str:
        """The one resource that a conditional reference means. https://hl7.org/fhir/R4/http.html#trules"""
        resource_type = url.partition("?")[0]
        if resource_type not in self._registry.resource_types:
            raise FhirError(Category.VALUE, f"`{resource_type[:40]}?…` does not refer to a resource type")
        query = condition_text(self._context, resource_type, url)
        existing = await single_match(self._unit, query)
        if existing is not None:
            return f"{resource_type}/{existing.id}"
        staged = self._unit.staged_matches(query)
        if len(staged) == 1:
            return f"{resource_type}/{staged[0]}"
        if staged:
            raise FhirError(
                Category.DUPLICATE_MATCH, f"several {resource_type} resources match a conditional reference"
            )
        raise FhirError(Category.VERSION, f"no {resource_type} matches a conditional reference")


def _turn(entry: BundleEntry) -> tuple[int, bool, bool]:
    """FHIR's order; within it, those that follow from others come after them."""
    resource = entry.resource or {}
    return (
        _ORDER[entry.method],
        entry.type in BORROWERS and entry.method != "DELETE",
        any(_is_conditional(text) for text in references_in(resource)),
    )


def _is_conditional(reference: str) -> bool:
    """`Patient?identifier=…` rather than a literal reference."""
    path, mark, _ = reference.partition("?")
    return mark == "?" and path.isalpha()


def _check_full_urls(entries: Sequence[BundleEntry]) -> None:
    named = [entry for entry in entries if entry.full_url]
    repeat = first_repeat([entry.full_url for entry in named])
    if repeat is not None:
        raise FhirError(Category.INVALID, "an earlier entry has the same fullUrl").within(named[repeat].location)


def _rest_base(full_url: str) -> str:
    """`http://a/fhir` of `http://a/fhir/Patient/1`: what relative references in that entry are relative to; else ''."""
    if not urlsplit(full_url).scheme.startswith("http"):
        return ""
    base, _, logical_id = full_url.rpartition("/")
    base, _, resource_type = base.rpartition("/")
    return base if local_reference(f"{resource_type}/{logical_id}") else ""

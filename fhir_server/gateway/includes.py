"""`_include` and `_revinclude`: what matches lead to and what leads to them, each resource decided on its own.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fhir_server.gateway.access import SHOWN
from fhir_server.gateway.narrow import conjunction
from fhir_server.gateway.sight import Sight
from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import NOTHING, Or, Predicate, Query, Reference, Uri
from fhir_server.search.results import ANY, Include
from fhir_server.store.protocol import StoredVersion
from profiles.registry import Registry

# One page of matches can hardly need more; a chain of `:iterate` could ask for the whole store.
INCLUDED_MAX: Final = 2_000


class Includer:
    """Gathers what belongs to one page of matches, from the snapshot that the matches came from."""

    def __init__(self, sight: Sight, registry: Registry) -> None:
        self._sight = sight
        self._registry = registry

    async def gather(
        self, matches: Sequence[StoredVersion], includes: Sequence[Include], revincludes: Sequence[Include]
    ) -> tuple[StoredVersion, ...]:
        """The included resources, none twice and none that matched. Raises FhirError 422 beyond INCLUDED_MAX."""
        if not includes and not revincludes:
            return ()
        known = {(row.type, row.id) for row in matches}
        gathered: list[StoredVersion] = []
        frontier: Sequence[StoredVersion] = matches
        while frontier:
            new: list[StoredVersion] = []
            for include in includes:
                await self._add(await self._targets(include, frontier), known, new)
            for include in revincludes:
                await self._add(await self._sources(include, frontier), known, new)
            gathered += new
            if len(gathered) > INCLUDED_MAX:
                raise FhirError(Category.TOO_COSTLY, f"the includes come to more than {INCLUDED_MAX} resources")
            frontier = new
            includes = [include for include in includes if include.iterate]
            revincludes = [include for include in revincludes if include.iterate]
        return tuple(gathered)

    async def _add(self, rows: Iterable[StoredVersion], known: set[tuple[str, str]], new: list[StoredVersion]) -> None:
        found = list(rows)
        await self._sight.know(found)
        for row in found:
            if (row.type, row.id) not in known and not row.deleted and self._sight.permits(row, SHOWN):
                known.add((row.type, row.id))
                new.append(row)

    async def _targets(self, include: Include, frontier: Sequence[StoredVersion]) -> list[StoredVersion]:
        """What the frontier refers to."""
        sources = [(row.type, row.id) for row in frontier if include.source in (ANY, row.type)]
        if not sources:
            return []
        found: dict[tuple[str, str], StoredVersion] = {}
        canonicals: dict[str, str] = {}
        links = await self._sight.snapshot.links(sources, include.param, include.target)
        # In an order of their own: the store's follows from what it was told of first, hidden or not.
        for link in sorted(links, key=lambda one: (one.target, one.target_url)):
            if link.target_url:
                canonicals[link.target_url] = link.source[0]
            elif link.target not in found:
                row = await self._sight.read(*link.target, SHOWN)
                if row is not None:
                    found[link.target] = row
        for url, source in canonicals.items():
            for row in await self._canonical(include, source, url):
                found[row.type, row.id] = row
        return list(found.values())

    async def _canonical(self, include: Include, source: str, url: str) -> list[StoredVersion]:
        """The resources on this server that have this canonical URL."""
        stated = self._registry.search_parameters(source).get(include.param)
        targets = stated.target if stated is not None else self._registry.resource_types
        rows: list[StoredVersion] = []
        for name in [include.target] if include.target else targets:
            if name in self._registry.types and "url" in self._registry.search_parameters(name):
                rows += await self._query(name, Uri("url", "exact", url))
        return rows

    async def _sources(self, include: Include, frontier: Sequence[StoredVersion]) -> list[StoredVersion]:
        """What refers to the frontier."""
        rows: list[StoredVersion] = []
        sought = [row for row in frontier if include.target in (None, row.type)]
        if not sought:
            return rows
        types = {row.type for row in sought}
        for source in self._registry.resource_types if include.source == ANY else (include.source,):
            codes = [
                code
                for code, parameter in self._registry.search_parameters(source).items()
                if parameter.type == "reference"
                and include.param in (ANY, code)
                and (not parameter.target or "Resource" in parameter.target or types.intersection(parameter.target))
            ]
            if codes:
                criteria = (Reference(code, row.type, row.id) for code in codes for row in sought)
                rows += await self._query(source, Or(tuple(criteria)))
        return rows

    async def _query(self, name: str, where: Predicate) -> Sequence[StoredVersion]:
        narrowed = conjunction(await self._sight.visible(name, SHOWN), where)
        if narrowed == NOTHING:
            return ()
        page = await self._sight.snapshot.search(Query((name,), narrowed), count=INCLUDED_MAX + 1)
        return page.rows

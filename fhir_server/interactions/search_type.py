"""search, by GET and by POST: of a type, of the system, of a compartment. https://hl7.org/fhir/R4/http.html#search"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from fhir_server.gateway.narrow import conjunction, visible_of
from fhir_server.gateway.release import Bundle, Entry, Released
from fhir_server.interactions.body import form_in
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.links import page_links
from fhir_server.outcome import Category, FhirError, Issue, operation_outcome
from fhir_server.representation.negotiation import prefer_lenient
from fhir_server.search.compartment import compartment_predicate
from fhir_server.search.parse import CURSOR, parse
from fhir_server.search.query import Predicate, Query

Within: TypeAlias = Callable[[str], Predicate]


async def search_type(request: Request) -> Response:
    """`{type}?…` and `{type}/_search`."""
    return await _search(request, request.segments[:1], request.segments[:1], "search-type")


async def search_system(request: Request) -> Response:
    """`?…` and `_search`: parameters of every resource, over all types or those in `_type`."""
    return await _search(request, (), request.session.registry.resource_types, "search-system")


async def search_compartment(request: Request) -> Response:
    """`{compartment}/{id}/{type}?…`, type `*` for every type in it. https://hl7.org/fhir/R4/http.html#vsearch"""
    compartment, id, type = path = request.segments[:3]
    registry = request.session.registry
    if compartment not in registry.compartments:
        raise FhirError(Category.NOT_SUPPORTED, f"{compartment} is not a compartment")
    types = tuple(registry.compartment(compartment)) if type == "*" else (type,)
    if type != "*" and type not in registry.resource_types:
        raise FhirError(Category.NOT_SUPPORTED, f"`{type[:40]}` is not a resource type")
    # A member of the compartment of a resource that nobody shows the requester is still only a reference to it: the
    # members are decided one by one, the focus need not be.
    return await _search(
        request, path, types, "search-type", lambda name: compartment_predicate(compartment, id, name, registry)
    )


async def _search(
    request: Request,
    path: tuple[str, ...],
    types: Sequence[str],
    interaction: str,
    within: Within | None = None,
) -> Response:
    session = request.session
    asked: tuple[tuple[str, str], ...] = (*request.parameters, *form_in(request))
    position = b""
    pairs = asked
    token = dict(asked).get(CURSOR)
    if token is not None:
        cursor = session.unseal(token, path)
        pairs, position = cursor.parameters, cursor.position
    lenient = prefer_lenient(request.headers)
    parsed = parse(types, pairs, session.context(lenient=lenient))
    query = parsed.query
    if within is not None:
        query = Query(query.types, conjunction(_members(query.types, within), query.where), query.sort)
    counting = parsed.summary == "count" or parsed.count == 0
    found = await session.search(
        query,
        target="/".join(path[:2]),
        parameters=pairs,
        count=0 if counting else parsed.count,
        position=position,
        total=counting or parsed.total != "none",
        includes=parsed.includes,
        revincludes=parsed.revincludes,
        interaction=interaction,
    )
    total = found.total
    if total is None and not position and not found.position:
        total = len(found.matches)  # one page holds it all: the exact total is known for nothing
    entries = [_entry(request, released, "match") for released in found.matches]
    entries += (_entry(request, released, "include") for released in found.included)
    if parsed.ignored:
        entries.append(Entry(resource=_ignored(parsed.ignored), search_mode="outcome"))
    shown = asked if token is not None else parsed.pairs
    links = page_links(request, path, shown, pairs, b"" if counting else found.position)
    return Response(200, Bundle("searchset", tuple(entries), total, links))


def _entry(request: Request, released: Released, mode: str) -> Entry:
    return Entry(f"{request.base}/{released.type}/{released.id}", released, mode)


def _members(types: Sequence[str], within: Within) -> Predicate:
    return visible_of(tuple(types), within)


def _ignored(names: Sequence[str]) -> dict[str, object]:
    """https://hl7.org/fhir/R4/search.html#errors: what lenient handling passed over is said in the answer."""
    return operation_outcome(
        Issue("warning", "not-supported", f"search parameter `{name[:40]}` was ignored") for name in names
    )

"""The FHIR routes as data, and the one way to perform a request.

https://hl7.org/fhir/R4/http.html#summary
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from fhir_server.interactions.bundles import bundle
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.create import create
from fhir_server.interactions.delete import conditional_delete, delete
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.history import history
from fhir_server.interactions.patch import conditional_patch, patch
from fhir_server.interactions.read import read
from fhir_server.interactions.search_type import search_compartment, search_system, search_type
from fhir_server.interactions.update import conditional_update, update
from fhir_server.interactions.vread import vread
from fhir_server.operations.access_log import access_log
from fhir_server.operations.emergency_access import emergency_access
from fhir_server.operations.everything import everything
from fhir_server.operations.explain_access import explain_access
from fhir_server.operations.lastn import lastn
from fhir_server.operations.meta import meta, meta_add, meta_delete
from fhir_server.operations.preview import preview
from fhir_server.operations.validate import validate
from fhir_server.outcome import Category, FhirError
from profiles.registry import Registry

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Route(msgspec.Struct, frozen=True, eq=False):
    """`pattern` reads as in the specification: `{type}/{id}/_history/{vid}`; `name` is the interaction's name there.

    `types`: the resource types it exists for, () for all.
    """

    name: str
    method: str
    pattern: str
    handler: Handler
    types: tuple[str, ...] = ()


async def perform(request: Request) -> Response:
    """The answer to a request, refusals included; nothing that is refused goes unaudited.

    HEAD is performed as GET: whoever writes the answer leaves out its content.
    """
    methods = ROUTER.methods(request.segments)
    route = methods.get("GET" if request.method == "HEAD" else request.method)
    try:
        if route is None:
            raise _no_route(request, methods)
        _check_type(route, request)
        return await route.handler(request)
    except FhirError as error:
        name = route.name if route is not None else "unknown"
        await request.session.refused(name, _target(request), error)
        return Response(error.category.status, error.outcome(), error.headers)


async def batch_or_transaction(request: Request) -> Response:
    return await bundle(request, perform)


async def metadata(request: Request) -> Response:
    return await capabilities(request, ROUTES)


ROUTES: Final[tuple[Route, ...]] = (
    Route("capabilities", "GET", "metadata", metadata),
    Route("transaction", "POST", "", batch_or_transaction),
    Route("search-system", "GET", "", search_system),
    Route("search-system", "POST", "_search", search_system),
    Route("history-system", "GET", "_history", history),
    Route("search-type", "GET", "{type}", search_type),
    Route("search-type", "POST", "{type}/_search", search_type),
    Route("history-type", "GET", "{type}/_history", history),
    Route("create", "POST", "{type}", create),
    Route("update", "PUT", "{type}", conditional_update),
    Route("patch", "PATCH", "{type}", conditional_patch),
    Route("delete", "DELETE", "{type}", conditional_delete),
    Route("read", "GET", "{type}/{id}", read),
    Route("vread", "GET", "{type}/{id}/_history/{vid}", vread),
    Route("history-instance", "GET", "{type}/{id}/_history", history),
    Route("update", "PUT", "{type}/{id}", update),
    Route("patch", "PATCH", "{type}/{id}", patch),
    Route("delete", "DELETE", "{type}/{id}", delete),
    Route("search-type", "GET", "{type}/{id}/{member}", search_compartment),
    Route("search-type", "POST", "{type}/{id}/{member}/_search", search_compartment),
    Route("operation", "GET", "{type}/{id}/$everything", everything, ("Patient",)),
    Route("operation", "POST", "{type}/{id}/$everything", everything, ("Patient",)),
    Route("operation", "GET", "{type}/{id}/$access-log", access_log, ("Patient",)),
    Route("operation", "POST", "{type}/{id}/$emergency-access", emergency_access, ("Patient",)),
    Route("operation", "GET", "{type}/{id}/$explain-access", explain_access, ("Patient",)),
    Route("operation", "POST", "{type}/{id}/$explain-access", explain_access, ("Patient",)),
    Route("operation", "POST", "{type}/$preview", preview, ("Consent",)),
    Route("operation", "GET", "{type}/{id}/$preview", preview, ("Consent",)),
    Route("operation", "POST", "{type}/{id}/$preview", preview, ("Consent",)),
    Route("operation", "GET", "{type}/$lastn", lastn, ("Observation",)),
    Route("operation", "POST", "{type}/$lastn", lastn, ("Observation",)),
    Route("operation", "POST", "{type}/$validate", validate),
    Route("operation", "GET", "{type}/{id}/$validate", validate),
    Route("operation", "POST", "{type}/{id}/$validate", validate),
    Route("operation", "GET", "$meta", meta),
    Route("operation", "GET", "{type}/$meta", meta),
    Route("operation", "GET", "{type}/{id}/$meta", meta),
    Route("operation", "GET", "{type}/{id}/_history/{vid}/$meta", meta),
    Route("operation", "POST", "{type}/{id}/$meta-add", meta_add),
    Route("operation", "POST", "{type}/{id}/$meta-delete", meta_delete),
)


def shape(segments: Sequence[str]) -> str:
    """The pattern that segments have once types and ids are taken out: `{}/{}/_history/{}`."""
    if len(segments) == 1 and segments[0] == "metadata":
        return "metadata"
    return "/".join([part if part[:1] in "_$" else "{}" for part in segments])


class Router:
    """Finds the route of a method and path by one look-up."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._by_shape: dict[str, dict[str, Route]] = {}
        for route in routes:
            segments = route.pattern.split("/") if route.pattern else []
            key = shape(["{}" if part.startswith("{") else part for part in segments])
            methods = self._by_shape.setdefault(key, {})
            if route.method in methods:
                raise ValueError(f"two routes for {route.method} {route.pattern}")
            methods[route.method] = route

    def methods(self, segments: Sequence[str]) -> Mapping[str, Route]:
        """The routes of a path by method; empty if the path is none of ours."""
        return self._by_shape.get(shape(segments), {})


ROUTER: Final = Router(ROUTES)


def _check_type(route: Route, request: Request) -> None:
    if not route.pattern.startswith("{type}"):
        return
    name = request.segments[0]
    if not _is_resource_type(name, request.session.registry):
        raise FhirError(Category.NOT_SUPPORTED, f"`{name[:40]}` is not a resource type of R4")
    if route.types and name not in route.types:
        raise FhirError(Category.NOT_SUPPORTED, f"{request.segments[-1][:40]} does not exist for {name}")


def _is_resource_type(name: str, registry: Registry) -> bool:
    known = registry.types.get(name)
    return known is not None and known.kind == "resource" and not known.abstract


def _target(request: Request) -> str:
    """`Type/id` or `Type` as far as the path names them: what a refusal is filed under."""
    if not request.segments or not _is_resource_type(request.segments[0], request.session.registry):
        return ""
    return "/".join(part for part in request.segments[:2] if part[:1] not in ("_", "$"))


def _no_route(request: Request, methods: Mapping[str, Route]) -> FhirError:
    if not methods:
        return FhirError(Category.NOT_SUPPORTED, "there is no such interaction or operation")
    return FhirError(
        Category.METHOD,
        f"{request.method[:10]} is not done here",
        headers=(("Allow", ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))),),
    )

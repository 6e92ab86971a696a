"""batch and transaction: a Bundle of requests in one. https://hl7.org/fhir/R4/http.html#transaction"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from fhir_server.gateway.release import Bundle, Content, Entry, Released
from fhir_server.gateway.results import Written
from fhir_server.gateway.stored_text import instant
from fhir_server.interactions.body import resource_in
from fhir_server.interactions.entries import BundleEntry, read_entries
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.transaction import Done, write_all
from fhir_server.interactions.versions import etag
from fhir_server.outcome import Category, FhirError, operation_outcome

Perform: TypeAlias = Callable[[Request], Awaitable[Response]]

_PHRASES = {200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified"}


async def bundle(request: Request, perform: Perform) -> Response:
    """The answer to a batch or transaction, one entry for each that came, in their order."""
    resource = resource_in(request)
    if resource["resourceType"] != "Bundle":
        raise FhirError(Category.INVALID, "what is posted to the base is a Bundle", ("resourceType",))
    kind = resource.get("type")
    if kind not in ("batch", "transaction"):
        raise FhirError(
            Category.INVALID, "only a batch or transaction is processed; POST others to /Bundle", ("Bundle.type",)
        )
    entries = read_entries(resource, request.base)
    if any(not entry.segments and entry.method == "POST" for entry in entries):
        raise FhirError(Category.NOT_SUPPORTED, "a batch or transaction within another is not done", ("Bundle.entry",))
    if kind == "batch":
        answered = [_entry(entry, await perform(_request(request, entry)), request) for entry in entries]
        return Response(200, Bundle("batch-response", tuple(answered)))
    done = await write_all(request.session, entries)
    answered = [await _answer(request, entry, done, perform) for entry in entries]
    return Response(200, Bundle("transaction-response", tuple(answered)))


def _request(request: Request, entry: BundleEntry) -> Request:
    """The entry as a request of its own, with the preferences of the whole."""
    headers = {**entry.headers}
    for name in ("accept", "prefer"):
        if name in request.headers:
            headers[name] = request.headers[name]
    body: bytes | Mapping[str, Any] = b"" if entry.resource is None else entry.resource
    return Request(entry.method, entry.segments, entry.parameters, headers, body, request.base, request.session)


async def _answer(request: Request, entry: BundleEntry, done: Done, perform: Perform) -> Entry:
    if entry.position not in done.staged:
        return _entry(entry, await perform(_request(request, entry)), request)
    staged = done.staged[entry.position]
    if staged is None:
        return Entry(response={"status": _status(204)})
    if isinstance(staged, Released):
        return _version_entry(request, staged, staged, 200)
    written = done.written[staged.position]
    if staged.action == "delete":
        return Entry(response={"status": _status(204), "etag": etag(written.version)})
    return _version_entry(request, written, written.released, 201 if staged.action == "create" else 200)


def _version_entry(request: Request, version: Written | Released, released: Released | None, status: int) -> Entry:
    said: dict[str, Any] = {
        "status": _status(status),
        "location": f"{version.type}/{version.id}/_history/{version.version}",
        "etag": etag(version.version),
        "lastModified": instant(version.updated),
    }
    if isinstance(version, Written) and version.warnings:
        said["outcome"] = operation_outcome(version.warnings)
    return Entry(
        full_url=f"{request.base}/{version.type}/{version.id}",
        resource=released if _wants_content(request) else None,
        response=said,
    )


def _entry(entry: BundleEntry, response: Response, request: Request) -> Entry:
    """A Response as Bundle.entry; what a write stored is repeated only if `Prefer: return=representation` says so."""
    headers = dict(response.headers)
    said: dict[str, Any] = {"status": _status(response.status)}
    if "Location" in headers:
        said["location"] = headers["Location"].removeprefix(f"{request.base}/")
    if "ETag" in headers:
        said["etag"] = headers["ETag"]
    resource: Content = response.content
    full_url = ""
    if isinstance(resource, Mapping) and resource.get("resourceType") == "OperationOutcome":
        said["outcome"] = resource
        resource = None
    if isinstance(resource, Released):
        full_url = f"{request.base}/{resource.type}/{resource.id}"
        said["lastModified"] = instant(resource.updated)
        if entry.method not in ("GET", "HEAD") and "Location" in headers and not _wants_content(request):
            resource = None
    if entry.method == "HEAD":
        resource = None
    return Entry(full_url, resource, response=said)


def _wants_content(request: Request) -> bool:
    return "return=representation" in request.headers.get("prefer", "").replace(" ", "")


def _status(status: int) -> str:
    return _PHRASES.get(status, str(status))

"""The entries of a batch or transaction Bundle, read and checked; errors name `Bundle.entry[i]`.

https://hl7.org/fhir/R4/http.html#transaction
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from fhir_server.interactions.body import query_pairs
from fhir_server.outcome import Category, FhirError

ENTRIES_MAX: Final = 20_000
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")
_WITH_RESOURCE: Final = ("POST", "PUT", "PATCH")
_ID: Final = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)


class BundleEntry(msgspec.Struct, frozen=True, eq=False):
    """One entry: `segments` and `parameters` of its URL, what it carries, and its conditions as they are written."""

    position: int
    method: str
    segments: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    resource: Mapping[str, Any] | None
    full_url: str
    headers: Mapping[str, str]

    @property
    def location(self) -> str:
        return f"Bundle.entry[{self.position}]"

    @property
    def type(self) -> str:
        return self.segments[0] if self.segments else ""


def read_entries(bundle: Mapping[str, Any], base: str) -> tuple[BundleEntry, ...]:
    """Raises FhirError for the first entry whose request cannot be read."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise FhirError(Category.STRUCTURE, "`entry` is not an array", ("Bundle.entry",))
    if len(entries) > ENTRIES_MAX:
        raise FhirError(Category.TOO_COSTLY, f"a Bundle has at most {ENTRIES_MAX} entries", ("Bundle.entry",))
    read: list[BundleEntry] = []
    for position, entry in enumerate(entries):
        try:
            read.append(_entry(position, entry, base))
        except FhirError as error:
            raise error.within(f"Bundle.entry[{position}]") from None
    return tuple(read)


def _entry(position: int, entry: Any, base: str) -> BundleEntry:
    if not isinstance(entry, dict) or not isinstance(entry.get("request"), dict):
        raise FhirError(Category.STRUCTURE, "an entry of a batch or transaction has a `request`", ("request",))
    asked = entry["request"]
    method, url = asked.get("method"), asked.get("url")
    if method not in _METHODS:
        raise FhirError(Category.VALUE, f"`method` is one of {', '.join(_METHODS)}", ("request.method",))
    if not isinstance(url, str) or not url:
        raise FhirError(Category.STRUCTURE, "`url` is missing", ("request.url",))
    resource = entry.get("resource")
    if method in _WITH_RESOURCE and "_search" not in url:
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise FhirError(Category.STRUCTURE, f"{method} needs a resource", ("resource",))
    elif resource is not None and method != "POST":
        raise FhirError(Category.INVALID, f"{method} takes no resource", ("resource",))
    path, _, query = url.removeprefix(base).lstrip("/").partition("?")
    segments = tuple(unquote(part) for part in path.split("/") if part)
    full_url = entry.get("fullUrl", "")
    if not isinstance(full_url, str):
        raise FhirError(Category.STRUCTURE, "`fullUrl` is not a string", ("fullUrl",))
    return BundleEntry(position, method, segments, query_pairs(query), resource, full_url, _headers(asked))


def check_write(entry: BundleEntry) -> None:
    """Raises FhirError unless it is a POST of a type, or a PUT, PATCH or DELETE of one or by condition."""
    count = len(entry.segments)
    if entry.method == "POST":
        fits = count == 1 and not entry.parameters
    else:
        fits = (count == 2 and not entry.parameters) or (count == 1 and bool(entry.parameters))
    if not fits:
        raise FhirError(
            Category.NOT_SUPPORTED, f"{entry.method} of this url is not done in a transaction", ("request.url",)
        )
    if entry.resource is not None and entry.method != "PATCH" and entry.resource["resourceType"] != entry.type:
        raise FhirError(Category.INVALID, "the resource is of another type than the url says", ("resource",))
    if entry.method == "PUT" and count == 2:
        assert entry.resource is not None
        if entry.resource.get("id") != entry.segments[1]:
            raise FhirError(Category.INVALID, "the id of the resource must be the id in the url", ("resource.id",))
    if count == 2 and not _ID.fullmatch(entry.segments[1]):
        raise FhirError(Category.VALUE, "the id in the url is not an id", ("request.url",))


def _headers(asked: Mapping[str, Any]) -> dict[str, str]:
    """The conditions of Bundle.entry.request under the names of the headers they stand for."""
    names = (
        ("ifNoneMatch", "if-none-match"),
        ("ifModifiedSince", "if-modified-since"),
        ("ifMatch", "if-match"),
        ("ifNoneExist", "if-none-exist"),
    )
    headers: dict[str, str] = {}
    for element, header in names:
        value = asked.get(element)
        if value is not None and not isinstance(value, str):
            raise FhirError(Category.STRUCTURE, f"`{element}` is not a string", (f"request.{element}",))
        if value:
            headers[header] = value
    return headers


def first_repeat(values: Sequence[Any]) -> int | None:
    """The position of the first value that occurred before, None if all differ."""
    seen: set[Any] = set()
    for position, value in enumerate(values):
        if value in seen:
            return position
        seen.add(value)
    return None

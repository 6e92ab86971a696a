"""The stored text of a resource: the client's own key order and decimals, with an id and room for the writer's meta.

https://hl7.org/fhir/R4/resource.html#Meta
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fhir_server.store.protocol import Body
from profiles import json

# The server's own: what a client says of them is dropped. https://hl7.org/fhir/R4/http.html#create
_SERVER_META = ("versionId", "lastUpdated", "_versionId", "_lastUpdated")
# Tags by which the server marks what it made itself, see `provenance`: nobody else's resource has one.
SERVER_TAG_SYSTEM: Final = "https://wijkdossier.nl/fhir/CodeSystem/server-made"


def with_id(resource: Mapping[str, Any], logical_id: str) -> dict[str, Any]:
    """The resource with this id (right behind its type if it had none), without the `meta` that the server says."""
    named: dict[str, Any] = {}
    if "id" not in resource:
        named["resourceType"] = resource["resourceType"]
        named["id"] = logical_id
    for key, value in resource.items():
        if key == "id":
            named[key] = logical_id
        elif key == "meta" and isinstance(value, Mapping):
            kept = {name: part for name, part in value.items() if name not in _SERVER_META}
            if isinstance(kept.get("tag"), list) and any(map(_servers_own, kept["tag"])):
                kept["tag"] = [tag for tag in kept["tag"] if not _servers_own(tag)]
                if not kept["tag"]:
                    del kept["tag"]
            if kept:
                named[key] = kept
        else:
            named[key] = value
    return named


def _servers_own(tag: Any) -> bool:
    return isinstance(tag, Mapping) and tag.get("system") == SERVER_TAG_SYSTEM


def body(resource: Mapping[str, Any]) -> Body:
    """The text around `versionId` and `lastUpdated`; `resource` comes from `with_id`.

    `meta` stays at its place; a resource that has none gets it behind its id.
    """
    before: dict[str, Any] = {}
    meta: Mapping[str, Any] = {}
    after: dict[str, Any] = {}
    side = before
    for key, value in resource.items():
        if key == "meta":
            meta, side = value, after
            continue
        side[key] = value
        if key == "id" and "meta" not in resource:
            side = after
    head = json.dumps(before)[:-1] + (b',"meta":{' if before else b'"meta":{')
    tail = (b"," + json.dumps(meta)[1:]) if meta else b"}"
    tail += (b"," + json.dumps(after)[1:]) if after else b"}"
    return Body(head, tail)


def complete(parts: Body, version: int, updated: int) -> bytes:
    """The text as a store keeps it; `updated` in microseconds since 1970 UTC."""
    return b'%b"versionId":"%d","lastUpdated":"%b"%b' % (parts.head, version, instant(updated).encode(), parts.tail)


def instant(updated: int) -> str:
    """A time in microseconds since 1970 UTC as a FHIR instant with milliseconds."""
    moment = datetime.fromtimestamp(updated // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{updated % 1_000_000 // 1000:03d}Z"

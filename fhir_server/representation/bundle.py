"""A Bundle of released resources as JSON text: the stored bytes are joined, never made anew.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fhir_server.gateway.release import Bundle, Content, Entry, Released
from profiles import json as fhir_json

_quoted = msgspec.json.Encoder().encode


def bundle_json(bundle: Bundle, resource_json: Callable[[Released | Mapping[str, Any]], bytes]) -> bytes:
    """The JSON text; `resource_json` gives the text of each resource in it (as stored, or a subset)."""
    parts = [b'{"resourceType":"Bundle","type":', _quoted(bundle.type)]
    if bundle.total is not None:
        parts.append(b',"total":%d' % bundle.total)
    if bundle.links:
        parts += (b',"link":', fhir_json.dumps([{"relation": name, "url": url} for name, url in bundle.links]))
    if bundle.entries:
        parts.append(b',"entry":[')
        for entry in bundle.entries:
            parts += _entry_parts(entry, resource_json)
            parts.append(b",")
        parts[-1] = b"]"
    parts.append(b"}")
    return b"".join(parts)


def _entry_parts(entry: Entry, resource_json: Callable[[Released | Mapping[str, Any]], bytes]) -> list[bytes]:
    parts: list[bytes] = []
    if entry.full_url:
        parts += (b',"fullUrl":', _quoted(entry.full_url))
    if entry.resource is not None:
        text = _content_json(entry.resource, resource_json)
        if text:  # a deletion in a history has no content
            parts += (b',"resource":', text)
    if entry.search_mode:
        parts += (b',"search":{"mode":"', entry.search_mode.encode(), b'"}')
    if entry.request is not None:
        method, url = entry.request
        parts += (b',"request":', fhir_json.dumps({"method": method, "url": url}))
    if entry.response is not None:
        parts += (b',"response":', fhir_json.dumps(entry.response))
    if not parts:
        return [b"{}"]
    parts[0] = b"{" + parts[0][1:]
    parts.append(b"}")
    return parts


def _content_json(content: Content, resource_json: Callable[[Released | Mapping[str, Any]], bytes]) -> bytes:
    if isinstance(content, Bundle):
        return bundle_json(content, resource_json)
    return b"" if content is None else resource_json(content)

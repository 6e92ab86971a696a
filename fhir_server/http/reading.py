"""From an ASGI scope to the parts of a request: path segments, query pairs, headers, body within its limits.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from fhir_server.outcome import Category, FhirError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PARAMETERS_MAX = 500
SEGMENTS_MAX = 8
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


class ClientLeft(Exception):
    """The client closed the connection before the body was whole: there is nobody to answer."""


def segments(scope: Scope, prefix: str) -> tuple[str, ...]:
    """The decoded segments of the path behind `prefix`; an encoded slash stays inside its segment.

    Raises FhirError(VALUE) for bytes that are not UTF-8.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    raw = raw.partition(b"?")[0]
    parts = raw[len(prefix) :].split(b"/")
    if len(parts) > SEGMENTS_MAX + 2:
        raise FhirError(Category.NOT_SUPPORTED, "no interaction has a path as long as this")
    try:
        return tuple((unquote_to_bytes(part) if b"%" in part else part).decode() for part in parts if part)
    except UnicodeDecodeError:
        raise FhirError(Category.VALUE, "the path is not UTF-8") from None


def pairs(text: bytes, what: str = "query") -> tuple[tuple[str, str], ...]:
    """The decoded pairs of a query string or a form body. Raises FhirError(VALUE)."""
    if not text:
        return ()
    try:
        return tuple(
            parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
        )
    except UnicodeError:
        raise FhirError(Category.VALUE, f"the {what} is not percent-encoded UTF-8") from None
    except ValueError:
        raise FhirError(Category.VALUE, f"the {what} has more than {PARAMETERS_MAX} parameters") from None


def headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; the values of a repeated header joined with `, `."""
    found: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def origin(scope: Scope, found: Mapping[str, str]) -> str:
    """`scheme://host` as the client wrote it. Raises FhirError(VALUE) for a Host that is none."""
    host = found.get("host")
    if host is None:
        address, port = scope.get("server") or ("127.0.0.1", None)
        host = f"{address}:{port}" if port else address
    if not _HOST.fullmatch(host):
        raise FhirError(Category.VALUE, "the Host header is not a host name")
    return f"{scope['scheme']}://{host}"


async def body(found: Mapping[str, str], receive: Receive, bytes_max: int) -> bytes:
    """The whole body, unpacked if it is gzip. Raises FhirError: TOO_LARGE, MEDIA_TYPE, VALUE; ClientLeft."""
    declared = found.get("content-length", "0")
    if declared.isdigit() and int(declared[:20]) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    data = b"".join(chunks)
    encoding = found.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return data
    if encoding != "gzip":
        raise FhirError(Category.MEDIA_TYPE, "a body is sent as it is, or with gzip")
    return _unpacked(data, bytes_max)


def _unpacked(data: bytes, bytes_max: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, bytes_max + 1)
    except zlib.error:
        raise FhirError(Category.VALUE, "the body is not gzip") from None
    if len(unpacked) > bytes_max:
        raise _too_large(bytes_max)
    if not unpacker.eof or unpacker.unused_data:
        raise FhirError(Category.VALUE, "the gzip body ends too early or too late")
    return unpacked


def _too_large(bytes_max: int) -> FhirError:
    return FhirError(Category.TOO_LARGE, f"the body is larger than {bytes_max} bytes")


def place(error: Exception) -> str:
    """Where it was raised: module and line."""
    trace = error.__traceback__
    place = "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place

"""Parameters of the protocol endpoints: a form body or a query string, read strictly.

https://datatracker.ietf.org/doc/html/rfc6749#section-3.2
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from fhir_server.smart.errors import invalid_request

BYTES_MAX: Final = 64 * 1024
PARAMETERS_MAX: Final = 200
SCOPE_CHARACTERS_MAX: Final = 8 * 1024

_ESCAPED: Final = re.compile(rb"(?:[^%]|%[0-9A-Fa-f]{2})*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Form:
    """Names and values in the order in which they were sent."""

    pairs: tuple[tuple[str, str], ...] = ()

    def one(self, name: str) -> str | None:
        """The value; None if there is none, which an empty one amounts to (RFC 6749, section 3.2).

        Raises OAuthError invalid_request if it is there more than once.
        """
        values = self.all(name)
        if len(values) > 1:
            raise invalid_request(f"{name} is there more than once")
        return values[0] or None if values else None

    def required(self, name: str) -> str:
        """The value. Raises OAuthError invalid_request if there is none, or more than one."""
        value = self.one(name)
        if value is None:
            raise invalid_request(f"{name} is missing")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a parameter that may be there several times, such as the boxes of a page."""
        return tuple([value for key, value in self.pairs if key == name])


def parse(encoded: bytes, *, repeatable: Collection[str] = ()) -> Form:
    """The parameters in an `application/x-www-form-urlencoded` text.

    Raises OAuthError invalid_request for bytes that are no UTF-8, an escape that is none, control characters, a
    parameter that is there more than once and is not `repeatable`, and whatever is longer than anybody needs.
    """
    if len(encoded) > BYTES_MAX:
        raise invalid_request(f"parameters are {BYTES_MAX} bytes at most")
    parts = [part for part in encoded.split(b"&") if part]
    if len(parts) > PARAMETERS_MAX:
        raise invalid_request(f"there are {PARAMETERS_MAX} parameters at most")
    pairs: list[tuple[str, str]] = []
    seen: set[str] = set()
    for part in parts:
        name, _, value = part.partition(b"=")
        key = _text(name)
        # RFC 6749, section 3.2: a parameter is there once, known to us or not; who reads the first and who the last
        # would otherwise understand two different requests.
        if key in seen and key not in repeatable:
            raise invalid_request("a parameter is there more than once")
        seen.add(key)
        pairs.append((key, _text(value)))
        if key == "scope" and len(pairs[-1][1]) > SCOPE_CHARACTERS_MAX:
            raise invalid_request(f"scope is {SCOPE_CHARACTERS_MAX} characters at most")
    return Form(tuple(pairs))


def _text(encoded: bytes) -> str:
    if not _ESCAPED.fullmatch(encoded):
        raise invalid_request("parameters are percent-encoded")
    try:
        text = unquote_to_bytes(encoded.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise invalid_request("parameters are UTF-8") from None
    if _CONTROL.search(text):
        raise invalid_request("parameters have no control characters")
    return text

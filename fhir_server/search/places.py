"""Where the text of a reference leads: here, elsewhere, or into the resource itself.

https://hl7.org/fhir/R4/references.html
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

_LITERAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.\-]{1,64})(?:/_history/([A-Za-z0-9.\-]{1,64}))?", re.ASCII)
_ABSOLUTE = re.compile(r"(https?://.+)/([A-Z][A-Za-z]{1,63}/[A-Za-z0-9.\-]{1,64}(?:/_history/[A-Za-z0-9.\-]{1,64})?)")


class Place(NamedTuple):
    """Where a reference leads: (type, id) here, or `url` elsewhere, whose type may still be known."""

    type: str
    id: str
    url: str
    version: str


NOWHERE = Place("", "", "", "")


@lru_cache(maxsize=8192)
def locate(text: str, base_urls: tuple[str, ...]) -> Place:
    """Return where the text of a reference or canonical leads; `base_urls` are this server's own, without final slash.

    A contained resource (`#x`) is nobody's but its container's: it keeps its fragment as url and never a type or id.
    """
    found = _LITERAL.fullmatch(text)
    if found:
        return Place(found[1], found[2], "", found[3] or "")
    if text.startswith("#"):
        return Place("", "", text, "")
    found = _ABSOLUTE.fullmatch(text)
    if found:
        inner = _LITERAL.fullmatch(found[2])
        assert inner is not None
        if found[1] in base_urls:
            return Place(inner[1], inner[2], "", inner[3] or "")
        return Place(inner[1], "", f"{found[1]}/{inner[1]}/{inner[2]}", inner[3] or "")
    url, _, version = text.partition("|")
    return Place("", "", url, version.partition("#")[0])


def reference_type(value: Any) -> str:
    """Return the resource type that a Reference says it leads to, '' if it does not say."""
    if not isinstance(value, dict):
        return ""
    text = value.get("reference")
    return (locate(text, ()).type if text else "") or str(value.get("type", ""))


@lru_cache(maxsize=256)
def refers_to(type_name: str) -> Callable[[Any], bool]:
    """Return the test behind `where(resolve() is Patient)`: decided by what the reference says, nothing is fetched.

    A contained patient is therefore no Patient: nobody else can refer to it, and it is in nobody's compartment.
    """
    return lambda value: reference_type(value) == type_name

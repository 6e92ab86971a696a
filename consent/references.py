"""References on this server: `Type/id`, whichever version they name.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_LITERAL: Final = re.compile(r"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)


def local(reference: Any) -> str:
    """`Type/id` of a Reference to a resource here; '' for one elsewhere, contained, by identifier or in words."""
    found = _LITERAL.fullmatch(text) if isinstance(text := _text(reference), str) else None
    return found[1] if found else ""


def all_local(resource: Mapping[str, Any]) -> list[str]:
    """Every `Type/id` that a `reference` anywhere in the resource names, contained resources included."""
    found: list[str] = []
    waiting: list[Iterable[Any]] = [(resource,)]  # a list, not recursion: how deep JSON nests is not ours to limit
    while waiting:
        for value in waiting.pop():
            kind = type(value)
            if kind is str:
                continue  # as most are, and to learn that one is no Mapping takes a while
            if kind is dict or isinstance(value, Mapping):
                text = value.get("reference")
                if isinstance(text, str) and (literal := _LITERAL.fullmatch(text)):
                    found.append(literal[1])
                waiting.append(value.values())
            elif kind is list or isinstance(value, list | tuple):
                waiting.append(value)
    return found


def _text(reference: Any) -> Any:
    return reference.get("reference") if isinstance(reference, Mapping) else None

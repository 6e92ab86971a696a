"""URI: compared as it is written, or by its beginning.

https://hl7.org/fhir/R4/search.html#uri
"""

from typing import Any

from fhir_server.search.query import Predicate, Uri
from fhir_server.search.rows import IndexRows, UriRow
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, unescape

PRIMITIVES = frozenset(("uri", "url", "canonical", "oid", "uuid"))


def emitter(param: str, code: str) -> Emit | None:
    """Return what files a value of the data type `code`; None if it is no URI.

    A canonical with a version is filed without it as well: whoever asks for the profile means any version of it.
    """
    if code not in PRIMITIVES:
        return None
    versioned = code == "canonical"

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        rows.uris.append(UriRow(param, value, group))
        if versioned and "|" in value:
            rows.uris.append(UriRow(param, value.partition("|")[0], group))

    return emit


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what the value asks: the same URI, or with `:below` and `:above` one that begins with the other."""
    text = unescape(value)
    match asked.modifier:
        case "":
            return Uri(asked.name, "exact", text)
        case "below":
            return Uri(asked.name, "below", text)
        case "above":
            return Uri(asked.name, "above", text)
    raise asked.modifier_refused()

"""URI: compared as it is written, or by its beginning.

https://hl7.org/fhir/R4/search.html#uri
"""

from typing import Any

from fhir_server.search.rows import IndexRows, UriRow
from fhir_server.search.types.emit import Emit

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

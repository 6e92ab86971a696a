"""Search parameters that a deployment adds: SearchParameter resources, in force once `reindex` has filed all by them.

What is in force stands in a file beside the store, so that no search finds only what was written since.
https://hl7.org/fhir/R4/searchparameter.html
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fhir_server.search.query import Query, Token
from fhir_server.store.protocol import ResourceStore
from profiles import json

FILE: Final = "search-parameters.json"
_PAGE_COUNT: Final = 100


async def active(store: ResourceStore) -> list[Mapping[str, Any]]:
    """Every stored SearchParameter whose status is active."""
    query = Query(("SearchParameter",), Token("status", None, "active"))
    found: list[Mapping[str, Any]] = []
    cursor = b""
    async with store.snapshot() as snapshot:
        while True:
            page = await snapshot.search(query, count=_PAGE_COUNT, cursor=cursor)
            found += (json.parse(row.body) for row in page.rows)
            cursor = page.next_cursor
            if not cursor:
                return found


def in_force(folder: Path) -> list[Mapping[str, Any]]:
    """The SearchParameters that the store in `folder` is indexed by, besides those of R4."""
    path = folder / FILE
    if not path.exists():
        return []
    resources: list[Mapping[str, Any]] = json.parse(path.read_bytes())["parameters"]
    return resources


def put_in_force(folder: Path, resources: Sequence[Mapping[str, Any]]) -> None:
    """Say that the store is indexed by these; servers heed it from their next start."""
    unfinished = folder / f"{FILE}.unfinished"
    unfinished.write_bytes(json.dumps({"parameters": list(resources)}, pretty=True))
    os.replace(unfinished, folder / FILE)

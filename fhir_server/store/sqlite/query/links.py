"""Where resources point, for `_include`: read from the index rows, without opening a body.

https://hl7.org/fhir/R4/search.html#include
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

import json
from collections.abc import Sequence
from sqlite3 import Connection

from fhir_server.store.protocol import Link
from fhir_server.store.sqlite.names import Names

# Components of composites (`code-value-quantity$0`) point nowhere that the parameter itself does not.
_PARAMS = "SELECT num FROM param WHERE type = ? AND code = ?"
_ALL_PARAMS = "SELECT num FROM param WHERE type = ? AND instr(code, '$') = 0"


def links(
    connection: Connection, names: Names, sources: Sequence[tuple[str, str]], param: str, target: str | None
) -> tuple[Link, ...]:
    """Each pair of source and target once, in the order of the sources."""
    found: dict[Link, None] = {}
    by_type: dict[str, list[str]] = {}
    for type, id in sources:
        by_type.setdefault(type, []).append(id)
    linked: dict[tuple[str, str], list[Link]] = {}
    for type, ids in by_type.items():
        type_num = names.type_num(connection, type)
        params = _ALL_PARAMS if param == "*" else _PARAMS
        bound = (type_num,) if param == "*" else (type_num, param)
        listed = json.dumps(ids)
        local = (
            "SELECT r.id, x.target_type, x.target_id FROM json_each(?) j CROSS JOIN resource r CROSS JOIN reference x"
            " INDEXED BY reference_rid WHERE r.type = ? AND r.id = j.value AND +r.deleted = 0 AND x.rid = r.rid"
            f" AND +x.param IN ({params})"
        )
        values: list[object] = [listed, type_num, *bound]
        if target is not None:
            local += " AND x.target_type = ?"
            values.append(target)
        for source_id, target_type, target_id in connection.execute(local, values):
            link = Link((type, source_id), (target_type, target_id), "")
            linked.setdefault(link.source, []).append(link)
        elsewhere = (
            "SELECT r.id, x.url, x.version FROM json_each(?) j CROSS JOIN resource r CROSS JOIN reference_url x"
            " INDEXED BY reference_url_rid WHERE r.type = ? AND r.id = j.value AND +r.deleted = 0 AND x.rid = r.rid"
            f" AND +x.param IN ({params})"
        )
        values = [listed, type_num, *bound]
        if target is not None:
            elsewhere += " AND x.target_type IN (?, '')"  # the type of what a URL names may be unknown
            values.append(target)
        for source_id, url, version in connection.execute(elsewhere, values):
            link = Link((type, source_id), ("", ""), f"{url}|{version}" if version else url)
            linked.setdefault(link.source, []).append(link)
    for source in sources:
        for link in linked.get(source, ()):
            found[link] = None
    return tuple(found)

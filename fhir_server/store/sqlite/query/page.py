"""One page of a search, as rids in order: keyset paging over (owner, rid), or over the sort keys and then those.

The default order is by type, then owner, then rid: that of the indexes. None of the three changes when a resource is
updated (its owner only if it becomes about another patient), so a resource that stays is on exactly one page.
https://hl7.org/fhir/R4/http.html#paging
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

import heapq
from dataclasses import replace
from itertools import dropwhile
from sqlite3 import Connection

from fhir_server.search import query as ast
from fhir_server.search.query import Query
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.query.bind import Binder
from fhir_server.store.sqlite.query.cursor import Position, pack, unpack
from fhir_server.store.sqlite.query.limits import within_limits
from fhir_server.store.sqlite.query.plan import Planner
from fhir_server.store.sqlite.query.sorted_page import Row, by_keys, row_order


@within_limits
def page(connection: Connection, names: Names, query: Query, count: int, cursor: bytes) -> tuple[list[int], bytes]:
    """At most `count` rids in order, and the cursor of the next page (b"" if there is none). Raises BadCursor."""
    binder = Binder(connection, names)
    query = _with_sort(query)
    after = unpack(cursor, query) if cursor else None
    if count <= 0:
        return [], b""
    found = _sorted(binder, query, count + 1, after) if query.sort else _unsorted(binder, query, count + 1, after)
    rids = [row[-1] for _, row in found[:count]]
    if len(found) <= count:
        return rids, b""
    type_num, last = found[count - 1]
    return rids, pack(query, 0 if query.sort else type_num, last[:-2], *last[-2:])


def _with_sort(query: Query) -> Query:
    """What changed since some time is asked for by those who follow changes: they get it in the order of changes.

    In any other order, what was changed last would be far from the start.
    """
    if query.sort:
        return query
    conjuncts = query.where.children if isinstance(query.where, ast.And) else (query.where,)
    if any(isinstance(child, ast.LastUpdated) for child in conjuncts):
        return replace(query, sort=(ast.SortKey("_lastUpdated", "updated"),))
    return query


def types_of(binder: Binder, query: Query) -> list[tuple[int, str]]:
    """The types that have resources, by name: their numbers tell which type was here first, seen or not."""
    return [(num, name) for name in sorted(set(query.types)) if (num := binder.type_num(name))]


def _unsorted(binder: Binder, query: Query, limit: int, after: Position | None) -> list[tuple[int, Row]]:
    """Type by type: the first has to be exhausted before the next begins."""
    found: list[tuple[int, Row]] = []
    types = types_of(binder, query)
    if after is not None:
        types = list(dropwhile(lambda one: one[0] != after.type_num, types))
    for num, type in types:
        predicate = binder.bind(query.where, type)
        if predicate == ast.NOTHING:
            continue
        behind = after if after is not None and num == after.type_num else None
        rows = _by_owner(Planner(binder, type, predicate), limit - len(found), behind)
        found += [(num, row) for row in rows]
        if len(found) >= limit:
            break
    return found


def _by_owner(planner: Planner, limit: int, after: Position | None) -> list[Row]:
    plan = planner.plan(limit)
    c = plan.driver.candidate
    sql = f"SELECT {c.owner}, {c.rid} FROM {plan.driver.source} WHERE {plan.driver.sql} AND {plan.filter[0]}"
    params = [*plan.driver.params, *plan.filter[1]]
    if after is not None:
        sql += f" AND ({c.owner}, {c.rid}) > (?, ?)"
        params += [after.owner, after.rid]
    if not plan.driver.unique:
        sql += f" GROUP BY {c.owner}, {c.rid}"
    sql += f" ORDER BY {c.owner}, {c.rid} LIMIT ?"
    return planner.connection.execute(sql, (*params, limit)).fetchall()


def _sorted(binder: Binder, query: Query, limit: int, after: Position | None) -> list[tuple[int, Row]]:
    """The types' pages merged: each is sorted alike."""
    pages: list[list[tuple[int, Row]]] = []
    for num, type in types_of(binder, query):
        predicate = binder.bind(query.where, type)
        if predicate != ast.NOTHING:
            rows = by_keys(Planner(binder, type, predicate), query.sort, limit, after)
            pages.append([(num, row) for row in rows])
    if len(pages) == 1:
        return pages[0]
    order = row_order(query.sort)
    return list(heapq.merge(*pages, key=lambda found: order(found[1])))[:limit]

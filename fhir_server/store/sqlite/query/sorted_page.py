"""A page of one type in the order of sort keys: look through what matches and sort it, or walk an index in that order.

Both give the same order: the keys, nulls last, then (owner, rid) in the direction of the first key.
https://hl7.org/fhir/R4/search.html#sort
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

from fhir_server.search.query import SortKey
from fhir_server.store.sqlite.query.conditions import Condition
from fhir_server.store.sqlite.query.cursor import Position
from fhir_server.store.sqlite.query.plan import Plan, Planner
from fhir_server.store.sqlite.query.sorting import SortWalk, key_value, sort_walk

# (sort values…, owner, rid)
Row = tuple[Any, ...]

# A driver with fewer candidates than this is always looked through and sorted.
SORT_ANYWAY = 48


def by_keys(planner: Planner, keys: Sequence[SortKey], limit: int, after: Position | None) -> list[Row]:
    plan = planner.counted(limit)
    walk = sort_walk(planner.binder, keys[0], planner.type, planner.scope, planner.conditions.alias())
    if walk is not None and not walking_pays(planner, limit, plan.candidates):
        walk = None
    if walk is None:
        return _sort_all(planner, plan, keys, limit, after)
    rows: list[Row] = []
    if after is None or after.values[0] is not None:
        rows = _walk_in_order(planner, walk, keys, limit, after)
        after = None
    if len(rows) < limit and keys[0].kind != "updated":
        rows += _sort_all(planner, plan, keys, limit - len(rows), after, only_without_value=True)
    return rows


def walking_pays(planner: Planner, limit: int, candidates: int) -> bool:
    """Whether there are so many candidates that a walk finds a page of them sooner than they can all be sorted."""
    return candidates >= SORT_ANYWAY and candidates >= planner.break_even(limit)


def row_order(keys: Sequence[SortKey]) -> Callable[[Row], Any]:
    """A key function for rows of several types."""

    def compare(one: Row, other: Row) -> int:
        for key, a, b in zip(keys, one, other):
            if a != b:
                if a is None or b is None:
                    return 1 if a is None else -1
                return (1 if a > b else -1) * (-1 if key.descending else 1)
        tails = one[-2:], other[-2:]
        return (
            (tails[0] > tails[1]) - (tails[0] < tails[1])
            if not keys[0].descending
            else ((tails[0] < tails[1]) - (tails[0] > tails[1]))
        )

    return cmp_to_key(compare)


def _sort_all(
    planner: Planner,
    plan: Plan,
    keys: Sequence[SortKey],
    limit: int,
    after: Position | None,
    *,
    only_without_value: bool = False,
) -> list[Row]:
    """`only_without_value`: of the first key, which puts them at the end."""
    driver = plan.driver
    c = driver.candidate
    values = [key_value(planner.binder, key, c) for key in keys]
    columns = "".join([f"{sql} AS k{n}, " for n, (sql, _) in enumerate(values)])
    params = [p for _, bound in values for p in bound]
    distinct = "" if driver.unique else f" GROUP BY {c.rid}"
    hits = (
        f"SELECT {columns}{c.owner} AS owner, {c.rid} AS rid FROM {driver.source}"
        f" WHERE {driver.sql} AND {plan.filter[0]}{distinct}"
    )
    params += [*driver.params, *plan.filter[1]]
    names = [f"k{n}" for n in range(len(keys))]
    condition, bound = behind(keys, [(name, ()) for name in names], "owner", "rid", after)
    if only_without_value:
        condition += " AND k0 IS NULL"
    tail = "DESC" if keys[0].descending else "ASC"
    order = [f"{name} {'DESC' if key.descending else 'ASC'} NULLS LAST" for name, key in zip(names, keys)]
    sql = (
        f"WITH hits AS MATERIALIZED ({hits}) SELECT {', '.join(names)}, owner, rid FROM hits WHERE {condition}"
        f" ORDER BY {', '.join(order)}, owner {tail}, rid {tail} LIMIT ?"
    )
    return planner.connection.execute(sql, (*params, *bound, limit)).fetchall()


def _walk_in_order(
    planner: Planner, walk: SortWalk, keys: Sequence[SortKey], limit: int, after: Position | None
) -> list[Row]:
    driver = walk.driver
    c = driver.candidate
    values: list[Condition] = [(walk.column, ()), *[key_value(planner.binder, key, c) for key in keys[1:]]]
    filter_sql, filter_params = planner.filter(driver, None)
    sql = (
        f"SELECT {', '.join([value for value, _ in values])}, {c.owner}, {c.rid} FROM {driver.source}"
        f" WHERE {driver.sql} AND {filter_sql}"
    )
    params: list[object] = [p for _, bound in values for p in bound] + [*driver.params, *filter_params]
    tail = "DESC" if keys[0].descending else "ASC"
    if after is not None:
        beyond = "<" if keys[0].descending else ">"
        if len(keys) > 1:
            condition, bound = behind(keys, values, c.owner, c.rid, after)
            sql += f" AND {walk.column} {beyond}= ? AND {condition}"
            params += [after.values[0], *bound]
        elif walk.fixed_owner:
            sql += f" AND ({walk.column}, {c.rid}) {beyond} (?, ?)"
            params += [after.values[0], after.rid]
        else:
            sql += f" AND ({walk.column}, {c.owner}, {c.rid}) {beyond} (?, ?, ?)"
            params += [after.values[0], after.owner, after.rid]
    order = [f"{walk.column} {tail}"]
    order += [f"{n} {'DESC' if key.descending else 'ASC'} NULLS LAST" for n, key in enumerate(keys[1:], start=2)]
    if not walk.fixed_owner:
        order.append(f"{c.owner} {tail}")
    order.append(f"{c.rid} {tail}")
    sql += f" ORDER BY {', '.join(order)} LIMIT ?"
    return planner.connection.execute(sql, (*params, limit)).fetchall()


def behind(
    keys: Sequence[SortKey], values: Sequence[Condition], owner: str, rid: str, after: Position | None
) -> Condition:
    """The condition that a row comes after the position: by some key, all keys before it being the same."""
    if after is None:
        return "1", ()
    same = ""
    same_params: list[object] = []
    ways: list[str] = []
    params: list[object] = []
    for key, (column, bound), last in zip(keys, values, after.values):
        if last is not None:  # nothing comes after NULL
            ways.append(f"{same}({column} {'<' if key.descending else '>'} ? OR {column} IS NULL)")
            params += [*same_params, *bound, last, *bound]
        same += f"{column} IS ? AND "
        same_params += [*bound, last]
    ways.append(f"{same}({owner}, {rid}) {'<' if keys[0].descending else '>'} (?, ?)")
    params += [*same_params, after.owner, after.rid]
    return f"({' OR '.join(ways)})", tuple(params)

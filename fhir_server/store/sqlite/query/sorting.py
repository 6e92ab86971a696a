"""Sort keys as SQL: the value that a resource is sorted by, and the indexes that hold resources in that order.

Of several values the least counts when ascending, the greatest when descending; resources without one come last.
https://hl7.org/fhir/R4/search.html#sort
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

from dataclasses import dataclass

from fhir_server.search.query import SortKey
from fhir_server.store.sqlite.query.bind import Binder
from fhir_server.store.sqlite.query.conditions import Candidate, Condition
from fhir_server.store.sqlite.query.drivers import SOUGHT_OWNERS_MAX, Driver, Scope, within
from fhir_server.store.sqlite.query.near import register

# kind → (table, column that is sorted by)
_VALUES = {
    "string": ("string", "normal"),
    "token": ("coding", "folded"),
    "date": ("date", "low"),
    "number": ("number", "low"),
    "quantity": ("quantity", "canonical_low"),
    "uri": ("uri", "value"),
}
# kind → index in the order of (value, owner, rid), and what tells a resource's rows of one value apart
_WALKS = {
    "string": ("string_normal", ("normal", "exact")),
    "date": ("date_low", ("low", "high")),
    "number": ("number_low", ("low", "high")),
    "token": ("", ("folded", "system", "code")),
    "uri": ("", ("value",)),
}


def key_value(binder: Binder, key: SortKey, c: Candidate) -> Condition:
    """The candidate's value for the key, NULL if it has none."""
    if key.kind == "id":
        return c.id, ()
    if key.kind == "updated":
        return c.updated, ()
    param = binder.param(c.type, key.param)
    if param is None:
        return "NULL", ()
    pick = "max" if key.descending else "min"
    if key.kind == "near":
        assert key.origin is not None
        register(binder.connection)
        sql = f"(SELECT {pick}(distance_km(latitude, longitude, ?, ?)) FROM point WHERE rid = {c.rid} AND param = ?)"
        return sql, (*key.origin, param)
    if key.kind == "reference":
        sql = (
            f"(SELECT {pick}(value) FROM (SELECT target_type || '/' || target_id AS value FROM reference"
            f" WHERE rid = {c.rid} AND param = ? UNION ALL SELECT url FROM reference_url"
            f" WHERE rid = {c.rid} AND param = ?))"
        )
        return sql, (param, param)
    table, column = _VALUES[key.kind]
    return f"(SELECT {pick}({column}) FROM {table} WHERE rid = {c.rid} AND param = ? AND grp = 0)", (param,)


@dataclass(frozen=True, slots=True)
class SortWalk:
    """A driver whose candidates come in the order of a key; `column` is the key's value.

    `fixed_owner`: the owner is one and the same, and the index is in the order of (value, rid).
    """

    driver: Driver
    column: str
    fixed_owner: bool


def sort_walk(binder: Binder, key: SortKey, type: str, scope: Scope, x: str) -> SortWalk | None:
    """Resources with a value in the order of the key, each once; None if no index has that order."""
    few_owners = scope is not None and len(scope) <= SOUGHT_OWNERS_MAX
    if key.kind == "updated":
        if few_owners:
            return None  # among few patients' resources it is better to sort
        sql, params = within(x, scope, sought=False)
        driver = Driver(
            f"resource {x} INDEXED BY resource_updated",
            f"{x}.type = ? AND {x}.deleted = 0{sql}",
            (binder.type_num(type), *params),
            Candidate.of_resource(type, x),
            x,
            unique=True,
            exact=False,
        )
        return SortWalk(driver, f"{x}.updated", False)
    param = binder.param(type, key.param)
    if key.kind not in _WALKS or param is None:
        return None
    table, column = _VALUES[key.kind]
    index, identity = _WALKS[key.kind]
    one_owner = scope is not None and len(scope) == 1
    if key.kind == "date" and one_owner:
        index = "date_owner"
        sql, params = within(x, scope)
    else:
        if few_owners:
            return None
        sql, params = within(x, scope, sought=False)
    # Of a resource's several values, the row of the one that counts stands for it.
    better = ">" if key.descending else "<"
    ours = ", ".join(f"{x}.{name}" for name in identity)
    theirs = ", ".join(f"y.{name}" for name in identity)
    alone = (
        f"NOT EXISTS (SELECT 1 FROM {table} y WHERE y.rid = {x}.rid AND y.param = {x}.param AND y.grp = 0"
        f" AND ({theirs}) {better} ({ours}))"
    )
    driver = Driver(
        f"{table} {x}" + (f" INDEXED BY {index}" if index else ""),
        f"{x}.param = ? AND {x}.grp = 0 AND {alone}{sql}",
        (param, *params),
        Candidate.of_row(type, x),
        x,
        unique=True,
        exact=False,
    )
    return SortWalk(driver, f"{x}.{column}", index == "date_owner")

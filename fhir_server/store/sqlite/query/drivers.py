"""Where a statement starts: the rows of one criterion, sought by an index, as (rid, owner).

https://www.sqlite.org/queryplanner.html
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fhir_server.search import query as ast
from fhir_server.store.sqlite.judges import ONLY_MAX, Owners
from fhir_server.store.sqlite.query.bind import Bound, Judged, owner_set
from fhir_server.store.sqlite.query.conditions import Candidate, Conditions, match_text, occurrences, owned, updated
from fhir_server.store.sqlite.query.near import box
from fhir_server.store.sqlite.query.rowsets import BY_VALUE, Rows, after_prefix, rows
from fhir_server.store.sqlite.query.spans import Span, span

# So many owners are sought one by one; among more, every row is asked whose it is.
SOUGHT_OWNERS_MAX = ONLY_MAX + 1  # and those about several patients

Scope = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Driver:
    """`FROM source WHERE sql`: the candidates, which `candidate` says how to speak of.

    `ordered`: they come by (owner, rid). `unique`: each once. `exact`: they all match the predicate it was made for.
    `costly`: too much work to be counted beforehand.
    """

    source: str
    sql: str
    params: tuple[object, ...]
    candidate: Candidate
    alias: str
    ordered: bool = False
    unique: bool = False
    exact: bool = True
    costly: bool = False


class Drivers:
    """Makes drivers for one statement. `scope` is a set that holds the owners of all matches, None for any."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self.binder = conditions.binder

    def walk(self, type: str, scope: Scope) -> Driver:
        """All resources of the type."""
        d = self.conditions.alias()
        sql, params = within(d, scope)
        terms = f"{d}.type = ? AND {d}.deleted = 0{sql}"
        source = f"resource {d} INDEXED BY resource_walk"
        num = self.binder.type_num(type)
        return Driver(source, terms, (num, *params), Candidate.of_resource(type, d), d, True, True, exact=False)

    def of(self, predicate: Bound, type: str, scope: Scope) -> Driver | None:
        """None if no index leads to what matches the predicate."""
        match predicate:
            case ast.Ids(ids):
                return self._ids(ids, type, scope)
            case ast.LastUpdated():
                return self._updated(predicate, type, scope)
            case ast.FullText(param, asked):
                return self._full_text(param, asked, type, scope)
            case ast.Near():
                return self._near(predicate, type, scope)
            case ast.Chain():
                return self._chain(predicate, type, scope)
            case ast.Has():
                return self._has(predicate, type, scope)
            case ast.Composite():
                return self._composite(predicate, type, scope)
            case ast.Or(children):
                return self._union(children, type, scope)
            case ast.And(children):
                return self.best(children, type, scope)
            case ast.Not() | ast.Missing() | Owners() | Judged():
                return None
        return self._rows(predicate, type, scope)

    def best(self, children: Iterable[Bound], type: str, scope: Scope) -> Driver | None:
        """The driver of the conjunct that, by its kind, is likely to have the fewest; counts nothing."""
        ranked = sorted(children, key=rank)
        for child in ranked:
            driver = self.of(child, type, scope)
            if driver is not None:
                return replace(driver, exact=driver.exact and len(ranked) == 1)
        return None

    # --- index rows ---------------------------------------------------------------------------------------------------

    def _rows(self, leaf: Bound, type: str, scope: Scope) -> Driver | None:
        d = self.conditions.alias()
        found = rows(self.binder, leaf, type, d)  # type: ignore[arg-type]
        assert found is not None
        match leaf:
            case ast.Date() | ast.Number() | ast.Quantity():
                return self._range(leaf, found, type, scope)
            case ast.String(mode=mode):
                index = "string_exact" if mode == "exact" else "string_normal"
                found.where(f"{d}.grp = 0")
                return self._plain(found, type, scope, f" INDEXED BY {index}")
            case ast.Token(code=None) | ast.Reference(id=None, url=None, identifier=None):
                return None
            case ast.TokenText(_, value):
                found.where(f"{d}.display IN (SELECT num FROM display WHERE instr(' ' || value, ?) > 0)", " " + value)
            case ast.Uri(mode="below", value=value):
                base = value.rstrip("/")
                if not base:
                    return None
                found.where(f"{d}.value >= ? AND {d}.value < ?", base, after_prefix(base))
        return self._plain(found, type, scope)

    def _plain(self, found: Rows, type: str, scope: Scope, index: str = "") -> Driver:
        d = found.alias
        sql, params = within(d, scope)
        ordered = found.keyed and found.table in BY_VALUE
        return Driver(
            f"{found.table} {d}{index}",
            found.sql + sql,
            (*found.params, *params),
            Candidate.of_row(type, d),
            d,
            ordered,
            found.unique,
        )

    def _range(self, leaf: ast.Date | ast.Number | ast.Quantity, found: Rows, type: str, scope: Scope) -> Driver | None:
        d = found.alias
        found.where(f"{d}.grp = 0")
        if scope is not None and len(scope) <= SOUGHT_OWNERS_MAX:
            # The indexes by value would be read over everybody's rows; a walk over what few people own costs less.
            return self._plain(found, type, scope, " INDEXED BY date_owner") if found.table == "date" else None
        asked = span(leaf, d)
        return None if asked is None else self._by_value(found, asked, type, scope)

    def _by_value(self, found: Rows, asked: Span, type: str, scope: Scope) -> Driver:
        d = found.alias
        sql, params = within(d, scope)
        select = f"SELECT {d}.rid AS rid, {d}.owner AS owner FROM {found.table} {d} INDEXED BY"
        narrow = f"{select} {asked.index} WHERE {found.sql} AND {asked.sql}{sql}"
        bound = (*found.params, *asked.params, *params)
        if asked.wide_sql:
            narrow += f" UNION ALL {select} {asked.wide_index} WHERE {found.sql} AND {asked.wide_sql}{sql}"
            bound += (*found.params, *asked.wide_params, *params)
        u = self.conditions.alias()
        return Driver(f"({narrow}) {u}", "1", bound, Candidate.of_row(type, u), u, unique=found.unique)

    def between(self, lower: ast.Date, upper: ast.Date, type: str, scope: Scope) -> Driver | None:
        """What meets two criteria on one date that each resource has once; None if some resource has it twice.

        Then one of its dates could meet the one and another the other.
        """
        param = self.binder.param(type, lower.param)
        if param is None or self.binder.names.several_dates(self.binder.connection, param):
            return None
        d = self.conditions.alias()
        found, other = (rows(self.binder, leaf, type, d) for leaf in (lower, upper))
        from_, until = span(lower, d), span(upper, d)
        assert found is not None
        assert other is not None
        assert from_ is not None
        assert until is not None
        found.where(other.sql, *other.params)
        found.where(f"{d}.grp = 0")
        found.unique = True
        if scope is not None and len(scope) <= SOUGHT_OWNERS_MAX:
            return self._plain(found, type, scope, " INDEXED BY date_owner")
        return self._by_value(found, from_.up_to(until), type, scope)

    def _near(self, near: ast.Near, type: str, scope: Scope) -> Driver:
        d = self.conditions.alias()
        found = Rows("point", d, self.binder.param(type, near.param) or 0)
        terms, params = box(self.binder.connection, d, near.latitude, near.longitude, near.km)
        found.where(terms, *params)
        return self._plain(found, type, scope, " INDEXED BY point_latitude")

    def _composite(self, composite: ast.Composite, type: str, scope: Scope) -> Driver | None:
        """The occurrences of which the first keyed component holds; the rest of the composite remains a condition."""
        alternatives = occurrences(composite)
        if len(alternatives) > 1:
            return None
        for leaf in alternatives[0]:
            if isinstance(leaf, ast.Token | ast.Reference | ast.Uri):
                found = rows(self.binder, leaf, type, self.conditions.alias())
                if found is not None and found.keyed:
                    found.unique = False
                    return replace(self._plain(found, type, scope), exact=False)
        return None

    # --- the resource's own row ---------------------------------------------------------------------------------------

    def _ids(self, ids: tuple[str, ...], type: str, scope: Scope) -> Driver:
        d = self.conditions.alias()
        sql, params = within(d, scope, sought=False)
        terms = f"{d}.type = ? AND {d}.id IN (SELECT value FROM json_each(?)) AND +{d}.deleted = 0{sql}"
        bound = (self.binder.type_num(type), json.dumps(ids), *params)
        return Driver(f"resource {d}", terms, bound, Candidate.of_resource(type, d), d, unique=True)

    def _updated(self, leaf: ast.LastUpdated, type: str, scope: Scope) -> Driver:
        d = self.conditions.alias()
        sql, params = within(d, scope, sought=False)
        asked, values = updated(leaf.compare, f"{d}.updated", leaf.low, leaf.high)
        return Driver(
            f"resource {d} INDEXED BY resource_updated",
            f"{d}.type = ? AND {d}.deleted = 0 AND {asked}{sql}",
            (self.binder.type_num(type), *values, *params),
            Candidate.of_resource(type, d),
            d,
            unique=True,
        )

    def _full_text(self, param: str, asked: tuple[str, ...], type: str, scope: Scope) -> Driver:
        w, d = self.conditions.alias(), self.conditions.alias()
        sql, params = within(d, scope, sought=False)
        return Driver(
            f"(SELECT rowid AS doc FROM words WHERE words MATCH ?) {w} CROSS JOIN resource {d}",
            f"{d}.rid = {w}.doc AND +{d}.type = ? AND +{d}.deleted = 0{sql}",
            (match_text(param, asked), self.binder.type_num(type), *params),
            Candidate.of_resource(type, d),
            d,
            unique=True,
        )

    # --- by way of other resources ------------------------------------------------------------------------------------

    def _chain(self, chain: ast.Chain, type: str, scope: Scope) -> Driver | None:
        target = self._of_child(chain.child, chain.target)
        if target is None:
            return None
        start, condition, values = target
        d = self.conditions.alias()
        sql, params = within(d, scope)
        terms = (
            f"{start.sql} AND {condition} AND {d}.param = ? AND {d}.target_type = ?"
            f" AND {d}.target_id = {start.candidate.id}{sql}"
        )
        bound = (*start.params, *values, self.binder.param(type, chain.param), chain.target, *params)
        source = f"{start.source} CROSS JOIN reference {d}"
        return Driver(source, terms, bound, Candidate.of_row(type, d), d, costly=True)

    def _has(self, has: ast.Has, type: str, scope: Scope) -> Driver | None:
        referrer = self._of_child(has.child, has.source)
        if referrer is None:
            return None
        start, condition, values = referrer
        x, d = self.conditions.alias(), self.conditions.alias()
        sql, params = within(d, scope, sought=False)
        terms = (
            f"{start.sql} AND {condition} AND {x}.rid = {start.candidate.rid} AND {x}.param = ? AND {x}.target_type = ?"
            f" AND {d}.type = ? AND {d}.id = {x}.target_id AND +{d}.deleted = 0{sql}"
        )
        param = self.binder.param(has.source, has.param)
        bound = (*start.params, *values, param, type, self.binder.type_num(type), *params)
        source = f"{start.source} CROSS JOIN reference {x} INDEXED BY reference_rid CROSS JOIN resource {d}"
        return Driver(source, terms, bound, Candidate.of_resource(type, d), d, costly=True)

    def _of_child(self, child: Bound, type: str) -> tuple[Driver, str, tuple[object, ...]] | None:
        """A driver for the resources that a nested criterion is about, and what else they must meet."""
        scope = owner_set(child)
        start = self.of(child, type, scope)
        if start is None and scope is not None and len(scope) <= SOUGHT_OWNERS_MAX:
            start = self.walk(type, scope)
        if start is None:
            return None
        condition, values = self.conditions.of(child, start.candidate) if not start.exact else ("1", ())
        return start, condition, values

    def _union(self, children: tuple[Bound, ...], type: str, scope: Scope) -> Driver | None:
        parts: list[str] = []
        params: list[object] = []
        exact = True
        for child in children:
            driver = self.of(child, type, scope)
            if driver is None:
                return None
            c = driver.candidate
            parts.append(f"SELECT {c.rid} AS rid, {c.owner} AS owner FROM {driver.source} WHERE {driver.sql}")
            params += driver.params
            exact = exact and driver.exact
        u = self.conditions.alias()
        return Driver(
            f"({' UNION '.join(parts)}) {u}",
            "1",
            tuple(params),
            Candidate.of_row(type, u),
            u,
            unique=True,
            exact=exact,
            costly=True,
        )


def within(d: str, scope: Scope, *, sought: bool = True) -> tuple[str, tuple[object, ...]]:
    """` AND` the owner is in the scope: as a seek if there are few, else (or if not `sought`) as a filter."""
    if scope is None:
        return "", ()
    plus = "" if sought and len(scope) <= SOUGHT_OWNERS_MAX else "+"
    sql, params = owned(f"{plus}{d}.owner", tuple(sorted(scope)))
    return f" AND {sql}", params


def rank(predicate: Bound) -> int:
    """How promising a criterion is as a start, by its kind: 0 is best."""
    match predicate:
        case ast.Ids():
            return 0
        case ast.OfType():
            return 1
        case ast.Reference():
            return 2
        case ast.Token() | ast.Uri(mode="exact"):
            return 3
        case ast.String(mode="exact" | "equals" | "starts"):
            return 4
        case ast.Composite() | ast.FullText() | ast.Near():
            return 5
        case ast.TokenIn() | ast.TokenText():
            return 6
        case ast.Date() | ast.Number() | ast.Quantity() | ast.LastUpdated():
            return 7
        case ast.Or():
            return 8
        case ast.Chain() | ast.Has():
            return 9
    return 10

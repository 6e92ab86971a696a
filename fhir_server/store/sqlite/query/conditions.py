"""A predicate as an SQL condition on one candidate: each criterion is a seek by the candidate's rid.

https://www.sqlite.org/optoverview.html
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

import json
from dataclasses import dataclass
from itertools import count
from sqlite3 import Connection

from fhir_server.search import query as ast
from fhir_server.store.protocol import QueryTooComplex
from fhir_server.store.sqlite.index_tables import words
from fhir_server.store.sqlite.judges import Owners, Tree, owner_key
from fhir_server.store.sqlite.query.bind import Binder, Bound, Judged
from fhir_server.store.sqlite.query.near import box
from fhir_server.store.sqlite.query.rowsets import BY_VALUE, Rows, rows

Condition = tuple[str, tuple[object, ...]]

# A composite's alternatives are written out; more than this many make no sense.
ALTERNATIVES_MAX = 64


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where a statement finds the resource in question: SQL expressions, and its type's name."""

    type: str
    rid: str
    owner: str
    id: str
    updated: str
    group: str = ""  # of the composite's occurrence, within one

    @classmethod
    def of_row(cls, type: str, alias: str) -> "Candidate":
        """A row of an index table, whose resource is looked up only if something asks for it."""
        return cls(
            type,
            f"{alias}.rid",
            f"{alias}.owner",
            f"(SELECT id FROM resource WHERE rid = {alias}.rid)",
            f"(SELECT updated FROM resource WHERE rid = {alias}.rid)",
        )

    @classmethod
    def of_resource(cls, type: str, alias: str) -> "Candidate":
        return cls(type, f"{alias}.rid", f"{alias}.owner", f"{alias}.id", f"{alias}.updated")


class Conditions:
    """Writes conditions for one statement, with aliases of its own."""

    def __init__(self, binder: Binder) -> None:
        self.binder = binder
        self.connection: Connection = binder.connection
        self._numbers = count()

    def alias(self) -> str:
        return f"t{next(self._numbers)}"

    def of(self, predicate: Bound, c: Candidate) -> Condition:
        """The condition that the candidate matches, and its parameters in order."""
        match predicate:
            case ast.And(children):
                return self._joined("AND", children, c) if children else ("1", ())
            case ast.Or(children):
                return self._joined("OR", children, c) if children else ("0", ())
            case ast.Not(child):
                sql, params = self.of(child, c)
                return f"NOT {sql}", params
            case Owners(nums):
                return owned(c.owner, nums)
            case Judged(tree):
                return self._judged(tree, c)
            case ast.Missing(param, missing):
                sql, params = self._present(param, c)
                return (f"NOT {sql}" if missing else sql), params
            case ast.Ids(ids):
                return f"{c.id} IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
            case ast.LastUpdated(compare, low, high):
                return updated(compare, c.updated, low, high)
            case ast.FullText(param, asked):
                return f"{c.rid} IN (SELECT rowid FROM words WHERE words MATCH ?)", (match_text(param, asked),)
            case ast.Composite():
                return self._composite(predicate, c)
            case ast.Near(param, latitude, longitude, km):
                x = self.alias()
                num = self.binder.param(c.type, param)
                inside, params = box(self.connection, x, latitude, longitude, km)
                return (
                    f"EXISTS (SELECT 1 FROM point {x} WHERE {x}.rid = {c.rid} AND {x}.param = ? AND {inside})",
                    (num, *params),
                )
            case ast.Chain():
                return self._chain(predicate, c)
            case ast.Has():
                return self._has(predicate, c)
        found = rows(self.binder, predicate, c.type, self.alias())
        assert found is not None
        return self._some(found, c)

    def _judged(self, tree: Tree, c: Candidate) -> Condition:
        judge = self.binder.names.judges.of(tree, c.type)
        seq = f"(SELECT seq FROM resource WHERE rid = {c.rid})"
        owners = owner_key(c.owner, seq)
        content = f"(SELECT content FROM filed WHERE rid = {c.rid})" if judge.asks_content else "NULL"
        judged = f"judged(?, {owners}, {content}, {c.id if judge.asks_id else 'NULL'})"
        if judge.plain and judge.asks_content:
            # Spares most candidates the look at what is filed.
            return f"coalesce(judged_by_owner(?, {owners}), {judged})", (judge.num, judge.num)
        return judged, (judge.num,)

    def _joined(self, operator: str, children: tuple[Bound, ...], c: Candidate) -> Condition:
        parts = [self.of(child, c) for child in children]
        # A balanced tree: SQLite bounds the depth of an expression, not its size.
        while len(parts) > 1:
            parts = [_pair(operator, parts[i : i + 16]) for i in range(0, len(parts), 16)]
        return parts[0]

    def _some(self, found: Rows, c: Candidate, more: Condition = ("", ())) -> Condition:
        """Some of these rows is the candidate's (and of its group)."""
        x = found.alias
        terms = [found.sql, f"{x}.rid = {c.rid}"]
        if found.table in BY_VALUE and found.keyed:
            # INVARIANT: an index row has the owner of its resource. With it the check is one seek.
            terms.append(f"{x}.owner = {c.owner}")
        if c.group:
            terms.append(f"{x}.grp = {c.group}")
        if more[0]:
            terms.append(more[0])
        index = "" if found.keyed or found.table not in BY_VALUE else f" INDEXED BY {found.table}_rid"
        sql = f"EXISTS (SELECT 1 FROM {found.table} {x}{index} WHERE {' AND '.join(terms)})"
        return sql, (*found.params, *more[1])

    def _present(self, param: str, c: Candidate) -> Condition:
        parts: list[Condition] = []
        for num in self.binder.params_of(c.type, param):
            for table in self.binder.names.tables(self.connection, num):
                x = self.alias()
                parts.append((f"EXISTS (SELECT 1 FROM {table} {x} WHERE {x}.rid = {c.rid} AND {x}.param = ?)", (num,)))
        return _pair("OR", parts) if parts else ("0", ())

    def _composite(self, composite: ast.Composite, c: Candidate) -> Condition:
        alternatives = [self._occurrence(leaves, c) for leaves in occurrences(composite)]
        return _pair("OR", alternatives)

    def _occurrence(self, components: tuple[Bound, ...], c: Candidate) -> Condition:
        """All the components hold of one occurrence: the rows of the first say which groups there are."""
        first, *others = components
        found = rows(self.binder, first, c.type, self.alias())  # type: ignore[arg-type]
        if found is None:
            raise QueryTooComplex("a component of a composite is not a plain criterion")
        same = Candidate(c.type, c.rid, c.owner, c.id, c.updated, f"{found.alias}.grp")
        rest = [self.of(other, same) for other in others]
        return self._some(found, c, _pair("AND", rest) if rest else ("", ()))

    def _chain(self, chain: ast.Chain, c: Candidate) -> Condition:
        x, r = self.alias(), self.alias()
        child, params = self.of(chain.child, Candidate.of_resource(chain.target, r))
        sql = (
            f"EXISTS (SELECT 1 FROM reference {x} INDEXED BY reference_rid CROSS JOIN resource {r}"
            f" WHERE {x}.rid = {c.rid} AND {x}.param = ? AND {x}.target_type = ?"
            f" AND {r}.type = ? AND {r}.id = {x}.target_id AND {r}.deleted = 0 AND {child})"
        )
        param = self.binder.param(c.type, chain.param)
        return sql, (param, chain.target, self.binder.type_num(chain.target), *params)

    def _has(self, has: ast.Has, c: Candidate) -> Condition:
        """Through the references to the candidate, or, much shorter, through what matches and has its owner.

        A keyed criterion of the child (`code=Y`) is sought with the candidate's own owner first; references from
        resources of other owners, usually none, are looked at one by one.
        """
        param = self.binder.param(has.source, has.param)
        x = self.alias()
        to_candidate = f"{x}.param = ? AND {x}.target_id = {c.id} AND {x}.target_type = ?"
        bound = (param, c.type)
        child, params = self.of(has.child, Candidate.of_row(has.source, x))
        found = self._keyed(has.child, has.source)
        if found is None:
            sql = f"EXISTS (SELECT 1 FROM reference {x} WHERE {to_candidate} AND {child})"
            return sql, (*bound, *params)
        key, rest = found
        y = key.alias
        own, own_params = self.of(rest, Candidate.of_row(has.source, y))
        return (
            f"(EXISTS (SELECT 1 FROM {key.table} {y} WHERE {key.sql} AND {y}.owner = {c.owner}"
            f" AND EXISTS (SELECT 1 FROM reference {x} WHERE {to_candidate} AND {x}.owner = {y}.owner"
            f" AND {x}.rid = {y}.rid) AND {own})"
            f" OR EXISTS (SELECT 1 FROM reference {x} WHERE {to_candidate} AND {x}.owner < {c.owner} AND {child})"
            f" OR EXISTS (SELECT 1 FROM reference {x} WHERE {to_candidate} AND {x}.owner > {c.owner} AND {child}))",
            (*key.params, *bound, *own_params, *bound, *params, *bound, *params),
        )

    def _keyed(self, predicate: Bound, type: str) -> tuple[Rows, Bound] | None:
        """The rows of the first keyed conjunct, and the conjuncts besides it."""
        parts = predicate.children if isinstance(predicate, ast.And) else (predicate,)
        for position, part in enumerate(parts):
            if isinstance(part, ast.Token | ast.Reference | ast.OfType | ast.Uri):
                found = rows(self.binder, part, type, self.alias())
                if found is not None and found.keyed:
                    return found, ast.And((*parts[:position], *parts[position + 1 :]))
        return None


def _pair(operator: str, parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    return f"({f' {operator} '.join([sql for sql, _ in parts])})", tuple([p for _, params in parts for p in params])


def owned(owner: str, nums: tuple[int, ...]) -> Condition:
    if len(nums) == 1:
        return f"{owner} = ?", nums
    return f"{owner} IN (SELECT value FROM json_each(?))", (json.dumps(nums),)


def updated(compare: ast.Compare, column: str, low: int, high: int) -> Condition:
    """An update time is a point, which makes each comparison a bound that an index can seek."""
    match compare:
        case ast.Compare.GT | ast.Compare.SA:
            return f"{column} >= ?", (high,)
        case ast.Compare.LT | ast.Compare.EB:
            return f"{column} < ?", (low,)
        case ast.Compare.GE:
            return f"{column} >= ?", (low,)
        case ast.Compare.LE:
            return f"{column} < ?", (high,)
        case ast.Compare.EQ | ast.Compare.AP:
            return f"({column} >= ? AND {column} < ?)", (low, high)
        case ast.Compare.NE:
            return f"({column} < ? OR {column} >= ?)", (low, high)


def match_text(param: str, asked: tuple[str, ...]) -> str:
    """An FTS5 query: every word quoted, so that none is an operator, a prefix or a column of FTS5's language.

    https://www.sqlite.org/fts5.html#full_text_query_syntax
    """
    column = "narrative" if param == "_text" else "content"
    quoted = [f'"{word}"' for word in words(" ".join(asked))]
    return f"{column} : ({' AND '.join(quoted)})"


def occurrences(composite: ast.Composite) -> list[tuple[Bound, ...]]:
    """The composite as alternatives whose first component is a plain criterion.

    Raises QueryTooComplex if it has more than ALTERNATIVES_MAX.
    """
    first, *others = composite.components
    firsts = first.children if isinstance(first, ast.Or) else (first,)
    if len(firsts) > ALTERNATIVES_MAX:
        raise QueryTooComplex(f"a composite of more than {ALTERNATIVES_MAX} alternatives")
    flat: list[tuple[Bound, ...]] = []
    for one in firsts:
        parts = one.children if isinstance(one, ast.And) else (one,)
        flat.append((*parts, *others))
    return flat

"""Prepare a predicate for one type: names become numbers, what can't match folds away, the rest is flat.

Raises QueryTooComplex beyond a stated size, long before SQLite's own limits: https://www.sqlite.org/limits.html
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import TypeAlias

from fhir_server.search import query as ast
from fhir_server.store.protocol import QueryTooComplex
from fhir_server.store.sqlite.index_names import NO_OWNER, SEVERAL_OWNERS
from fhir_server.store.sqlite.index_tables import words
from fhir_server.store.sqlite.judges import Owners, Tree
from fhir_server.store.sqlite.names import Names

# SQLite's parser has a stack of 100: a parenthesis takes three of it, a subquery about ten. What is in one another is
# weighed like that, and refused before it comes near. A subquery counts with the parenthesis of an And in it, whether
# there is one or not: the gateway may add one, and what it adds must not make the difference.
DEPTH_MAX = 75
BOOLEAN, SUBQUERY, SUBQUERY_OF_SUBQUERY = 3, 13, 16
# The gateway's own criteria take none of it: they are joined into one leaf. So deep they may be in one another.
GATEWAY_DEPTH_MAX = 8 * BOOLEAN
# Leaves that a client asks for; a criterion costs a search about a microsecond for every candidate.
LEAVES_MAX = 400
# Patients, ids or codings in one list; they are bound as one JSON array.
LIST_MAX = 100_000

_SHARED = """
SELECT EXISTS (
  SELECT 1 FROM json_each(?) j CROSS JOIN version_owner o INDEXED BY version_owner_num
  CROSS JOIN version v CROSS JOIN resource r
  WHERE o.num = j.value AND v.seq = o.seq AND r.rid = v.rid AND r.seq = v.seq AND NOT r.deleted AND r.type = ?)
"""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What only a judge can tell; `owners` is a set that holds the owner of every match, None for any."""

    tree: Tree
    owners: frozenset[int] | None = None


Bound: TypeAlias = ast.Predicate | Owners | Judged


class Binder:
    """Binds predicates to the numbers of one database, within one read."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self.connection = connection
        self.names = names
        self._leaves = 0
        self._judging = False

    def bind(self, predicate: ast.Predicate, type: str, depth: int = 0, *, outermost: bool = True) -> Bound:
        """The predicate for resources of `type`, without TypeIn, OwnedBy and Unowned.

        EVERYTHING and NOTHING occur at the top only; every leaf's parameter has a number.
        INVARIANT: so no condition is constantly false, which would make SQLite forget the terms of partial indexes.
        """
        if depth > DEPTH_MAX - SUBQUERY + GATEWAY_DEPTH_MAX:
            raise QueryTooComplex("criteria are nested too deep")
        inner = depth + BOOLEAN
        match predicate:
            case ast.And(children):
                # An outermost one is counted with what it is in.
                inner = depth if outermost else inner
                return conjunction(self.bind(child, type, inner, outermost=False) for child in children)
            case ast.Or(children):
                return disjunction(self.bind(child, type, inner, outermost=False) for child in children)
            case ast.Not(child):
                return negation(self.bind(child, type, inner, outermost=False))
            case ast.TypeIn(types):
                return ast.EVERYTHING if type in types else ast.NOTHING
            case ast.OwnedBy(patients):
                return _owners(self.owner_nums(patients))
            case ast.Unowned():
                return Owners((NO_OWNER,))
            case ast.Filed() | ast.FiledSpan():
                self._begin_judging()
                return Judged(predicate)
            case ast.ByOwner():
                self._begin_judging()
                return self._by_owner(predicate, type)
        if depth > DEPTH_MAX - SUBQUERY:
            raise QueryTooComplex("criteria are nested too deep")
        self._leaves += 1
        if self._leaves > LEAVES_MAX:
            raise QueryTooComplex(f"more than {LEAVES_MAX} criteria")
        return self._leaf(predicate, type, depth)

    def owner_nums(self, patients: Collection[str]) -> set[int]:
        if len(patients) > LIST_MAX:
            raise QueryTooComplex(f"more than {LIST_MAX} patients")
        nums = {self.names.owner_num(self.connection, patient) for patient in patients}
        nums.discard(0)  # a patient whom no resource is about
        return nums

    def _begin_judging(self) -> None:
        if not self._judging:
            self._judging = True
            self.names.judges.begin(self.connection)

    def _by_owner(self, node: ast.ByOwner, type: str) -> Bound:
        groups = self.names.judges.groups(node)
        only = groups.only
        if only is None:
            return Judged(node)
        nums = self.owner_nums(only)
        if len(only) == 1 and groups.predicates[only[0]] == ast.EVERYTHING:
            return _owners(nums)
        # What is about several patients, one of whom must be hidden, is hidden: one patient alone shares nothing.
        if len(nums) > 1 and self._shared(nums, type):
            nums.add(SEVERAL_OWNERS)
        return Judged(node, frozenset(nums)) if nums else ast.NOTHING

    def _shared(self, nums: set[int], type: str) -> bool:
        """Whether one of these patients has a part in a current resource that is about several."""
        (found,) = self.connection.execute(_SHARED, (json.dumps(sorted(nums)), self.type_num(type))).fetchone()
        return bool(found)

    def type_num(self, type: str) -> int:
        return self.names.type_num(self.connection, type)

    def param(self, type: str, code: str) -> int | None:
        return self.names.param(self.connection, self.type_num(type), code)

    def params_of(self, type: str, code: str) -> list[int]:
        """The parameter's number and those of its components, as far as rows were ever filed under them."""
        codes = [code, *(f"{code}${n}" for n in range(9))]
        return [num for c in codes if (num := self.param(type, c)) is not None]

    def _leaf(self, leaf: ast.Predicate, type: str, depth: int) -> Bound:
        match leaf:
            case ast.Missing(param, missing):
                if not self.params_of(type, param):
                    return ast.EVERYTHING if missing else ast.NOTHING
                return ast.Not(ast.Missing(param, False)) if missing else leaf
            case ast.Ids(ids):
                if len(ids) > LIST_MAX:
                    raise QueryTooComplex(f"more than {LIST_MAX} ids")
                return leaf if ids else ast.NOTHING
            case ast.LastUpdated():
                return leaf
            case ast.FullText(_, asked):
                return leaf if words(" ".join(asked)) else ast.NOTHING  # a text without a single word finds nothing
            case ast.Composite(_, components):
                bound = tuple([self.bind(part, type, depth + SUBQUERY, outermost=False) for part in components])
                return ast.NOTHING if ast.NOTHING in bound else replace(leaf, components=bound)  # type: ignore[arg-type]
            case ast.Chain(param, target, child):
                child = self.bind(child, target, depth + SUBQUERY)  # type: ignore[assignment]
                if child == ast.NOTHING or not self.type_num(target):
                    return ast.NOTHING
                return replace(leaf, child=child) if self.param(type, param) is not None else ast.NOTHING
            case ast.Has(source, param, child):
                child = self.bind(child, source, depth + SUBQUERY_OF_SUBQUERY)  # type: ignore[assignment]
                if child == ast.NOTHING or self.param(source, param) is None:
                    return ast.NOTHING
                return replace(leaf, child=child)
            case ast.TokenIn(_, codings) if len(codings) > LIST_MAX:
                raise QueryTooComplex(f"more than {LIST_MAX} codes")
        if self.param(type, leaf.param) is None:  # type: ignore[union-attr]
            return ast.NOTHING
        return self._known_system(leaf)

    def _known_system(self, leaf: ast.Predicate) -> Bound:
        """NOTHING for a system that no row has."""
        match leaf:
            case (
                ast.Token(system=system)
                | ast.OfType(system=system)
                | ast.Quantity(system=system, canonical=False)
                | ast.Reference(identifier=(system, _))
            ) if system:
                return leaf if self.names.system(self.connection, system) is not None else ast.NOTHING
        return leaf


def conjunction(children: Iterable[Bound]) -> Bound:
    flat: dict[Bound, None] = {}
    owners: set[int] | None = None
    judged: list[Judged] = []
    for child in children:
        if child == ast.NOTHING:
            return ast.NOTHING
        for part in child.children if isinstance(child, ast.And) else (child,):
            if isinstance(part, Owners):
                owners = set(part.nums) if owners is None else owners.intersection(part.nums)
            elif isinstance(part, Judged):
                judged.append(part)
            else:
                flat[part] = None
    if judged:
        # Asked of a candidate once, whatever there is to be asked.
        sets = [one.owners for one in judged if one.owners is not None]
        within = frozenset.intersection(*sets) if sets else None
        flat[Judged(_tree(ast.And, [one.tree for one in judged]), within)] = None
    if owners is not None:
        if not owners:
            return ast.NOTHING
        flat = {_owners(owners): None, **flat}
    return _joined(ast.And, flat)


def disjunction(children: Iterable[Bound]) -> Bound:
    flat: dict[Bound, None] = {}
    owners: set[int] = set()
    ids: set[str] = set()
    judged: list[Judged] = []
    for child in children:
        if child == ast.EVERYTHING:
            return ast.EVERYTHING
        for part in child.children if isinstance(child, ast.Or) else (child,):
            if isinstance(part, Owners):
                owners.update(part.nums)
            elif isinstance(part, ast.Ids):
                ids.update(part.ids)
            elif isinstance(part, Judged):
                judged.append(part)
            else:
                flat[part] = None
    if judged:
        if owners:
            judged.append(Judged(Owners(tuple(sorted(owners))), frozenset(owners)))
        sets = [one.owners for one in judged if one.owners is not None]
        within = frozenset().union(*sets) if len(sets) == len(judged) else None
        flat[Judged(_tree(ast.Or, [one.tree for one in judged]), within)] = None
    elif owners:
        flat[_owners(owners)] = None
    if ids:
        flat[ast.Ids(tuple(sorted(ids)))] = None
    return _joined(ast.Or, flat)


def negation(child: Bound) -> Bound:
    if child == ast.EVERYTHING:
        return ast.NOTHING
    if child == ast.NOTHING:
        return ast.EVERYTHING
    if isinstance(child, Judged):
        return Judged(ast.Not(child.tree))  # type: ignore[arg-type]
    return child.child if isinstance(child, ast.Not) else ast.Not(child)  # type: ignore[arg-type]


def _tree(kind: type[ast.And] | type[ast.Or], trees: list[Tree]) -> Tree:
    return trees[0] if len(trees) == 1 else kind(tuple(trees))  # type: ignore[arg-type]


def _joined(kind: type[ast.And] | type[ast.Or], parts: Iterable[Bound]) -> Bound:
    children = tuple(parts)
    return children[0] if len(children) == 1 else kind(children)  # type: ignore[arg-type]


def _owners(nums: Iterable[int]) -> Bound:
    ordered = tuple(sorted(nums))
    return Owners(ordered) if ordered else ast.NOTHING


def owner_set(predicate: Bound) -> frozenset[int] | None:
    """A set that holds the owner of every match; None if any owner may match."""
    match predicate:
        case Owners(nums):
            return frozenset(nums)
        case Judged(_, owners):
            return owners
        case ast.And(children):
            known = [s for child in children if (s := owner_set(child)) is not None]
            return frozenset.intersection(*known) if known else None
        case ast.Or(children):
            united: frozenset[int] = frozenset()
            for child in children:
                one = owner_set(child)
                if one is None:
                    return None
                united |= one
            return united
    return None

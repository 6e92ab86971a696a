"""Which criterion a statement starts with: SQLite has no statistics here, so the contenders are counted up to a bound.

https://www.sqlite.org/queryplanner-ng.html
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

import json
from dataclasses import dataclass
from math import isqrt
from sqlite3 import Connection

from fhir_server.search import query as ast
from fhir_server.search.query import Compare
from fhir_server.store.sqlite.judges import Owners
from fhir_server.store.sqlite.query.bind import Binder, Bound, owner_set
from fhir_server.store.sqlite.query.conditions import Condition, Conditions
from fhir_server.store.sqlite.query.drivers import SOUGHT_OWNERS_MAX, Driver, Drivers, Scope, rank

# Contenders are counted up to the first; if all have more, up to where a walk in order would cost less than sorting
# them, or, if all matches must be found anyway, up to the second.
COUNT_FIRST = 64
COUNT_NEXT = 512
BREAK_EVEN_MAX = 2_048
COUNT_MAX = 16_384
# So many targets of a chain are looked at for the owners of what refers to them.
CHAIN_TARGETS_MAX = 24
# A patient's resources of one type are counted up to this.
OWNED_COUNT_MAX = 2_048
# Prefixes that bound a date from below and from above.
FROM = frozenset((Compare.GT, Compare.GE, Compare.SA))
UNTIL = frozenset((Compare.LT, Compare.LE, Compare.EB))
# What goes by way of another resource costs about as many times what a plain criterion costs.
COSTLY = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """A driver, what its candidates must still meet, and about how many it brings (a bound if it was too many)."""

    driver: Driver
    filter: Condition
    candidates: int


class Planner:
    """Plans the search of one type for a bound predicate."""

    def __init__(self, binder: Binder, type: str, predicate: Bound) -> None:
        self.binder = binder
        self.connection: Connection = binder.connection
        self.type = type
        self.conditions = Conditions(binder)
        self.drivers = Drivers(self.conditions)
        self.conjuncts: tuple[Bound, ...] = predicate.children if isinstance(predicate, ast.And) else (predicate,)
        self._break_even: int | None = None
        self.scope = self._scope(predicate)

    def plan(self, wanted: int | None) -> Plan:
        """For a page of `wanted` matches in the default order; None: all must be found, in any order."""
        contenders = self._contenders()
        if not contenders:
            return self.walk()
        if len(contenders) == 1 and (contenders[0][1].ordered or wanted is None):
            return self.starting_with(*contenders[0], COUNT_MAX)
        position, candidates = self._fewest([driver for _, driver in contenders], wanted)
        leaf, driver = contenders[position]
        if wanted is not None and not driver.ordered and candidates >= self._bound(driver.costly, wanted):
            # All its candidates must be looked at and sorted; a walk in order may stop early.
            return self.walk()
        return self.starting_with(leaf, driver, candidates)

    def counted(self, wanted: int) -> Plan:
        """For sorting by something else; `candidates` is exact up to the break-even with a walk."""
        contenders = self._contenders()
        if not contenders:
            return self.walk()
        position, candidates = self._fewest([driver for _, driver in contenders], wanted)
        return self.starting_with(*contenders[position], candidates)

    def break_even(self, wanted: int) -> int:
        """How many candidates cost as much to go through as a walk costs until it has enough of their kind.

        A walk takes wanted × population / candidates steps if the matches are spread evenly; it is spared the costly
        criteria of what fails the others.
        """
        if self._break_even is None:
            costly = sum([isinstance(child, ast.Chain | ast.Has) for child in self.conjuncts])
            even = isqrt(wanted * self.population() // (1 + COSTLY * costly))
            self._break_even = min(max(even, COUNT_FIRST), BREAK_EVEN_MAX)
        return self._break_even

    def _bound(self, costly: bool, wanted: int | None) -> int:
        """How far to count; a driver that has more is not worth it."""
        if wanted is None:
            return COUNT_MAX // COSTLY if costly else COUNT_MAX
        if costly:
            return max(isqrt(wanted * self.population()) // COSTLY, COUNT_FIRST // COSTLY)
        return self.break_even(wanted)

    def walk(self) -> Plan:
        driver = self.drivers.walk(self.type, self.scope)
        return Plan(driver, self.filter(driver, None), COUNT_MAX)

    def starting_with(self, leaf: Bound, driver: Driver, candidates: int) -> Plan:
        return Plan(driver, self.filter(driver, leaf), candidates)

    def filter(self, driver: Driver, driven: Bound | None) -> Condition:
        """What the candidates of the driver must still meet, cheap criteria first."""
        exact = driven is not None and driver.exact
        done = (driven, *driven.children) if isinstance(driven, ast.And) else (driven,)
        rest = [
            child
            for child in self.conjuncts
            # A driver's scope is the owners of all matches: if a conjunct says just that, it need not be asked again.
            if not (exact and any(child is one for one in done))
            and not (isinstance(child, Owners) and frozenset(child.nums) == self.scope)
        ]
        rest.sort(key=lambda child: (isinstance(child, ast.Chain | ast.Has | ast.Or | ast.Not), rank(child)))
        return self.conditions.of(ast.And(tuple(rest)), driver.candidate)  # type: ignore[arg-type]

    def population(self) -> int:
        """About how many resources a walk has: those of the owners if they are few, else those of the type."""
        if self.scope is not None and len(self.scope) <= SOUGHT_OWNERS_MAX:
            return self._count(self.drivers.walk(self.type, self.scope), OWNED_COUNT_MAX)
        (rids,) = self.connection.execute("SELECT coalesce(max(rid), 0) FROM resource").fetchone()
        type_num = self.binder.type_num(self.type)
        estimates = self.binder.names.populations
        at, found = estimates.get(type_num, (0, 0))
        if not at <= rids <= at + at // 8:
            found = self._count(self.drivers.walk(self.type, None), COUNT_MAX)
            estimates[type_num] = (rids, found)
        return int(rids) if found == COUNT_MAX else found

    def _contenders(self) -> list[tuple[Bound, Driver]]:
        found: list[tuple[Bound, Driver]] = []
        between = self._between()
        for child in sorted(self.conjuncts, key=rank):
            if between is None or not any(child is half for half in between[0].children):
                driver = self.drivers.of(child, self.type, self.scope)
                if driver is not None:
                    found.append((child, driver))
        if between is not None:
            found.append(between)
        return found

    def _between(self) -> tuple[ast.And, Driver] | None:
        """`date=ge…&date=lt…` as one criterion: each half by itself may well bring nearly everything."""
        dates = [child for child in self.conjuncts if isinstance(child, ast.Date)]
        for lower in dates:
            for upper in dates:
                if lower.param == upper.param and lower.compare in FROM and upper.compare in UNTIL:
                    driver = self.drivers.between(lower, upper, self.type, self.scope)
                    if driver is not None:
                        return ast.And((lower, upper)), driver
        return None

    def _fewest(self, drivers: list[Driver], wanted: int | None) -> tuple[int, int]:
        """The position of the driver with the fewest candidates, and how many, as far as it was worth counting.

        Ties go to one that comes in order, then to the first.
        """
        plain = [n for n, driver in enumerate(drivers) if not driver.costly]
        costly = [n for n, driver in enumerate(drivers) if driver.costly]
        if not plain:
            return self._least(drivers, costly, self._bound(True, wanted))
        best, least = self._least(drivers, plain, COUNT_FIRST)
        if least < COUNT_FIRST:
            return best, least
        bound = self._bound(False, wanted)
        if wanted is not None and any(drivers[n].ordered for n in plain):
            # One that comes in order is good enough, unless another has far fewer.
            bound = min(bound, COUNT_NEXT)
        if bound > COUNT_FIRST:
            best, least = self._least(drivers, plain, bound)
        if costly:
            other, fewer = self._least(drivers, costly, least // COSTLY)
            if fewer < least // COSTLY:
                return other, fewer
        return best, least

    def _least(self, drivers: list[Driver], among: list[int], bound: int) -> tuple[int, int]:
        counts = {n: self._count(drivers[n], bound) for n in among}
        best = min(among, key=lambda n: (counts[n], not drivers[n].ordered, n))
        return best, counts[best]

    def _count(self, driver: Driver, bound: int) -> int:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {driver.source} WHERE {driver.sql} LIMIT {bound})"
        (found,) = self.connection.execute(sql, driver.params).fetchone()
        return int(found)

    def _scope(self, predicate: Bound) -> Scope:
        """A set that holds the owners of all matches: stated, or implied by a reference that few owners have.

        `patient=X` without any restriction is sought among the resources of X all the same, and `subject.name=Y` among
        those of the few patients of that name.
        """
        stated = owner_set(predicate)
        if stated is not None and len(stated) <= SOUGHT_OWNERS_MAX:
            return stated
        for child in self.conjuncts:
            implied: Scope = None
            if isinstance(child, ast.Reference) and child.type is not None and child.id is not None:
                implied = self._owners_of(child.param, child.type, (child.id,))
            elif isinstance(child, ast.Chain):
                targets = self._targets(child)
                implied = None if targets is None else self._owners_of(child.param, child.target, targets)
            if implied is not None:
                return implied if stated is None else implied & stated
        return stated

    def _targets(self, chain: ast.Chain) -> tuple[str, ...] | None:
        """The ids of the resources that the chain leads to; None if they are not few."""
        start = self.drivers.of(chain.child, chain.target, owner_set(chain.child))
        if start is None or start.costly:
            return None
        condition, params = ("1", ()) if start.exact else self.conditions.of(chain.child, start.candidate)
        sql = (
            f"SELECT DISTINCT {start.candidate.id} FROM {start.source} WHERE {start.sql} AND {condition}"
            f" LIMIT {CHAIN_TARGETS_MAX + 1}"
        )
        found = self.connection.execute(sql, (*start.params, *params)).fetchall()
        return tuple([id for (id,) in found]) if len(found) <= CHAIN_TARGETS_MAX else None

    def _owners_of(self, param: str, target_type: str, targets: tuple[str, ...]) -> Scope:
        """The owners of what refers to these; None if more than one has references to the same."""
        num = self.binder.param(self.type, param)
        bound = (num, target_type, num, target_type, json.dumps(targets))
        found: set[int] = set()
        for least, greatest in self.connection.execute(_OWNERS, bound):
            if least != greatest:
                return None
            if least is not None:
                found.add(least)
        return frozenset(found)


_REFERRING = "SELECT owner FROM reference WHERE param = ? AND target_id = value AND target_type = ? ORDER BY owner"
_OWNERS = f"SELECT ({_REFERRING} LIMIT 1), ({_REFERRING} DESC LIMIT 1) FROM json_each(?)"

"""Which criterion a statement starts with: SQLite has no statistics here, so the contenders are counted up to a bound.

https://www.sqlite.org/queryplanner-ng.html
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

from dataclasses import dataclass
from sqlite3 import Connection

from fhir_server.search import query as ast
from fhir_server.store.sqlite.query.bind import Binder, Bound, Owners, owner_set
from fhir_server.store.sqlite.query.conditions import Condition, Conditions
from fhir_server.store.sqlite.query.drivers import SOUGHT_OWNERS_MAX, Driver, Drivers, Scope, rank

# Contenders are counted up to each of these in turn, until one has fewer. The last is the price of a bad start.
COUNTS = (64, 1_024, 16_384)
# Owners that a reference can lead to before it tells nothing about where to look.
IMPLIED_OWNERS_MAX = 8
# Candidates of one type beyond this are not counted but estimated from the number of resources.
WALK_COUNT_MAX = 2_048


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
        self.scope = self._scope(predicate)

    def plan(self, wanted: int | None, *, counted: bool = False) -> Plan:
        """`wanted`: how many matches will do, in the default order; None if all must be found.

        `counted`: the caller needs to know about how many candidates there are.
        """
        contenders = self._contenders()
        if not contenders:
            return self.walk()
        if len(contenders) == 1 and not counted and (contenders[0][1].ordered or wanted is None):
            return self.starting_with(*contenders[0], COUNTS[-1])
        position, candidates = self._fewest([driver for _, driver in contenders])
        leaf, driver = contenders[position]
        if wanted is not None and not driver.ordered:
            # All its candidates must be looked at and sorted; a walk in order may stop early.
            population = self.population(self.drivers.walk(self.type, self.scope))
            if candidates > wanted * population / max(candidates, 1):
                return self.walk()
        return self.starting_with(leaf, driver, candidates)

    def walk(self) -> Plan:
        driver = self.drivers.walk(self.type, self.scope)
        return Plan(driver, self.filter(driver, None), COUNTS[-1])

    def starting_with(self, leaf: Bound, driver: Driver, candidates: int) -> Plan:
        return Plan(driver, self.filter(driver, leaf), candidates)

    def filter(self, driver: Driver, driven: Bound | None) -> Condition:
        """What the candidates of the driver must still meet, cheap criteria first."""
        exact = driven is not None and driver.exact
        rest = [
            child
            for child in self.conjuncts
            # A driver's scope is the owners of all matches: if a conjunct says just that, it need not be asked again.
            if not (child is driven and exact)
            and not (isinstance(child, Owners) and frozenset(child.nums) == self.scope)
        ]
        rest.sort(key=lambda child: (isinstance(child, ast.Chain | ast.Has | ast.Or | ast.Not), rank(child)))
        return self.conditions.of(ast.And(tuple(rest)), driver.candidate)  # type: ignore[arg-type]

    def population(self, driver: Driver) -> int:
        """About how many candidates a walk has: counted if few, at most the number of resources."""
        found = self._count(driver, WALK_COUNT_MAX)
        if found < WALK_COUNT_MAX:
            return found
        (rid,) = self.connection.execute("SELECT coalesce(max(rid), 0) FROM resource").fetchone()
        return int(rid)

    def _contenders(self) -> list[tuple[Bound, Driver]]:
        found: list[tuple[Bound, Driver]] = []
        for child in sorted(self.conjuncts, key=rank):
            driver = self.drivers.of(child, self.type, self.scope)
            if driver is not None:
                found.append((child, driver))
        return found

    def _fewest(self, drivers: list[Driver]) -> tuple[int, int]:
        """The position of the driver with the fewest candidates, and how many; ties go to the first."""
        counted = [position for position, driver in enumerate(drivers) if not driver.costly]
        if len(drivers) == 1 and not counted:
            return 0, COUNTS[1]
        best, least = 0, COUNTS[-1]
        for bound in COUNTS:
            if not counted:
                break
            counts = {position: self._count(drivers[position], bound) for position in counted}
            best = min(counted, key=lambda position: (counts[position], not drivers[position].ordered, position))
            least = counts[best]
            if least < bound:
                return best, least
            # What goes by way of other resources is not counted, but it beats walking thousands.
            costly = [position for position, driver in enumerate(drivers) if driver.costly]
            if costly and bound >= COUNTS[1]:
                return costly[0], COUNTS[1]
        return best, least

    def _count(self, driver: Driver, bound: int) -> int:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {driver.source} WHERE {driver.sql} LIMIT {bound})"
        (found,) = self.connection.execute(sql, driver.params).fetchone()
        return int(found)

    def _scope(self, predicate: Bound) -> Scope:
        """A set that holds the owners of all matches: stated, or implied by a reference that few owners have.

        `patient=X` without any restriction is sought among the resources of X all the same.
        """
        stated = owner_set(predicate)
        if stated is not None and len(stated) <= SOUGHT_OWNERS_MAX:
            return stated
        for child in self.conjuncts:
            if isinstance(child, ast.Reference) and child.type is not None and child.id is not None:
                implied = self._owners_of(child.param, child.type, child.id)
                if implied is not None:
                    return implied if stated is None else implied & stated
        return stated

    def _owners_of(self, param: str, target_type: str, target_id: str) -> frozenset[int] | None:
        num = self.binder.param(self.type, param)
        found: list[int] = []
        last = -2
        while len(found) <= IMPLIED_OWNERS_MAX:
            row = self.connection.execute(_NEXT_OWNER, (num, target_id, target_type, last)).fetchone()
            if row is None:
                return frozenset(found)
            found.append(last := row[0])
        return None


_NEXT_OWNER = """
SELECT owner FROM reference WHERE param = ? AND target_id = ? AND target_type = ? AND owner > ? ORDER BY owner LIMIT 1
"""

"""How many match, and which: exact totals, and the identities that a guard compares.

https://hl7.org/fhir/R4/search.html#total
"""

# ruff: noqa: S608 (statements are put together from our own names; whatever a request says is bound)

from sqlite3 import Connection

from fhir_server.search import query as ast
from fhir_server.search.query import Query
from fhir_server.store.sqlite.names import Names
from fhir_server.store.sqlite.query.bind import Binder
from fhir_server.store.sqlite.query.limits import within_limits
from fhir_server.store.sqlite.query.page import types_of
from fhir_server.store.sqlite.query.plan import Plan, Planner


@within_limits
def total(connection: Connection, names: Names, query: Query) -> int:
    binder = Binder(connection, names)
    found = 0
    for _, type in types_of(binder, query):
        plan = _plan(binder, query, type)
        if plan is not None:
            what = "*" if plan.driver.unique else f"DISTINCT {plan.driver.candidate.rid}"
            sql = f"SELECT count({what}) FROM {plan.driver.source} WHERE {plan.driver.sql} AND {plan.filter[0]}"
            found += connection.execute(sql, (*plan.driver.params, *plan.filter[1])).fetchone()[0]
    return found


@within_limits
def matches(connection: Connection, names: Names, query: Query, limit: int) -> list[tuple[str, str]]:
    """(type, id) of at most `limit` matches, in no particular order."""
    binder = Binder(connection, names)
    found: list[tuple[str, str]] = []
    for _, type in types_of(binder, query):
        plan = _plan(binder, query, type)
        if plan is not None and len(found) < limit:
            c = plan.driver.candidate
            sql = (
                f"SELECT DISTINCT {c.id} FROM {plan.driver.source} WHERE {plan.driver.sql} AND {plan.filter[0]} LIMIT ?"
            )
            rows = connection.execute(sql, (*plan.driver.params, *plan.filter[1], limit - len(found)))
            found += [(type, id) for (id,) in rows]
    return found


def _plan(binder: Binder, query: Query, type: str) -> Plan | None:
    predicate = binder.bind(query.where, type)
    return None if predicate == ast.NOTHING else Planner(binder, type, predicate).plan(None)

"""Conditions: which resource a conditional create, update, patch or delete means.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from fhir_server.gateway.release import Released
from fhir_server.gateway.unit import Unit
from fhir_server.interactions.body import query_pairs
from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import Context
from fhir_server.search.parse import parse
from fhir_server.search.query import EVERYTHING, Query


def condition(against: Context, type: str, pairs: tuple[tuple[str, str], ...]) -> Query:
    """The criteria as a query. Raises FhirError 400 if there are none, or unknown ones: lenience could hit anything."""
    query = parse((type,), pairs, against).query
    if query.where == EVERYTHING:
        raise FhirError(Category.INVALID, f"a conditional interaction on {type} needs criteria")
    return query


def condition_text(against: Context, type: str, text: str) -> Query:
    """The same from the text of If-None-Exist or of a conditional reference, with or without `Type?` before it."""
    return condition(against, type, query_pairs(text.rpartition("?")[2]))


async def single_match(unit: Unit, query: Query) -> Released | None:
    """The one resource that matches, None if none does. Raises FhirError 412 if several do."""
    found = await unit.matches(query)
    if len(found) > 1:
        raise FhirError(Category.DUPLICATE_MATCH, f"several {query.types[0]} resources match the condition")
    return found[0] if found else None

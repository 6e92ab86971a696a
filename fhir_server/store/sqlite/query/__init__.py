"""Search in SQLite: a query AST becomes statements, planned by seeks and bounded counts; values are always bound.

https://hl7.org/fhir/R4/search.html
"""

from fhir_server.store.sqlite.query.counting import matches, total
from fhir_server.store.sqlite.query.links import links
from fhir_server.store.sqlite.query.page import page

__all__ = ["links", "matches", "page", "total"]

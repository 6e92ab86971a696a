"""Compartments as criteria: what is in the compartment of one patient, encounter, practitioner or device.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from fhir_server.search.query import NOTHING, Ids, Or, Predicate, Reference
from fhir_server.search.rows import IndexRows
from profiles.registry import Registry

ITSELF = "{def}"


def compartment_predicate(compartment: str, id: str, type_name: str, registry: Registry) -> Predicate:
    """Return the criterion for resources of `type_name` in the compartment of `compartment`/`id`.

    NOTHING if the compartment definition leaves the type out. Raises KeyError for an unknown compartment.
    """
    criteria: list[Predicate] = []
    for code in registry.compartment(compartment).get(type_name, ()):
        criteria.append(Ids((id,)) if code == ITSELF else Reference(code, compartment, id))
    if not criteria:
        return NOTHING
    return criteria[0] if len(criteria) == 1 else Or(tuple(criteria))


def compartment_ids(compartment: str, type_name: str, id: str, rows: IndexRows, registry: Registry) -> tuple[str, ...]:
    """Return the ids of the compartments of that kind that a resource with these index rows is in, sorted.

    The same rule as `compartment_predicate`, read from the other side.
    """
    codes = registry.compartment(compartment).get(type_name, ())
    found = {row.id for row in rows.references if row.type == compartment and row.id and row.param in codes}
    if ITSELF in codes and type_name == compartment:
        found.add(id)
    return tuple(sorted(found))

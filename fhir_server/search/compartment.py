"""Compartments as criteria: what is in the compartment of one patient, encounter, practitioner or device.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from fhir_server.search.query import NOTHING, Ids, Or, Predicate, Reference
from profiles.registry import Registry

ITSELF = "{def}"


def compartment_predicate(compartment: str, id: str, type_name: str, registry: Registry) -> Predicate:
    """Return the criterion for resources of `type_name` in the compartment of `compartment`/`id`.

    NOTHING if the compartment definition leaves the type out. Raises KeyError for an unknown compartment.
    """
    codes = registry.compartment(compartment).get(type_name, ())
    criteria: list[Predicate] = [Reference(code, compartment, id) for code in codes if code != ITSELF]
    if type_name == compartment:  # the definitions of R4 do not all say so, the text does
        criteria.append(Ids((id,)))
    if not criteria:
        return NOTHING
    return criteria[0] if len(criteria) == 1 else Or(tuple(criteria))

"""https://hl7.org/fhir/R4/compartmentdefinition-patient.html."""

from fhir_server.search.compartment import compartment_predicate
from fhir_server.search.query import NOTHING, Ids, Or, Reference
from profiles.registry import Registry


def test_what_refers_to_the_patient_by_one_of_the_parameters_is_in_the_compartment(registry: Registry) -> None:
    assert compartment_predicate("Patient", "1", "Observation", registry) == Or(
        (Reference("subject", "Patient", "1"), Reference("performer", "Patient", "1"))
    )
    assert compartment_predicate("Patient", "1", "Flag", registry) == Reference("patient", "Patient", "1")


def test_the_patient_is_in_its_own_compartment(registry: Registry) -> None:
    found = compartment_predicate("Patient", "1", "Patient", registry)
    assert isinstance(found, Or)
    assert Ids(("1",)) in found.children
    assert Reference("link", "Patient", "1") in found.children


def test_what_the_definition_leaves_out_is_not_in_it(registry: Registry) -> None:
    assert compartment_predicate("Patient", "1", "Location", registry) == NOTHING

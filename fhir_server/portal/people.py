"""Who somebody is, and for whom, by name: read as that person, so that no page tells more than they may know.

https://hl7.org/fhir/R4/datatypes.html#HumanName
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.facts import values
from consent.references import local
from fhir_server.gateway.gateway import Gateway
from fhir_server.outcome import FhirError
from fhir_server.smart.accounts import OPERATOR
from fhir_server.smart.grants import as_person
from profiles import json

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """`name` is theirs, '' if nothing tells it; `about` the patient of a RelatedPerson, the organisation of a role."""

    person: str
    name: str
    about: str = ""

    @property
    def kind(self) -> str:
        """`Patient` …, `operator`."""
        return self.person.partition("/")[0]


async def described(gateway: Gateway, person: str) -> Described:
    """Who logs in as `person`."""
    if person == OPERATOR:
        return Described(person, "")
    own = await _read(gateway, person, person)
    match own.get("resourceType"):
        case "RelatedPerson":
            patient = await _read(gateway, person, local(own.get("patient")))
            return Described(person, human_name(own), human_name(patient))
        case "PractitionerRole":
            practitioner = await _read(gateway, person, local(own.get("practitioner")))
            organization = await _read(gateway, person, local(own.get("organization")))
            return Described(person, human_name(practitioner), organization.get("name", ""))
        case _:
            return Described(person, human_name(own))


def human_name(resource: Json) -> str:
    """The first name as text, or its parts; '' if there is none."""
    for name in values(resource, "name"):
        if isinstance(name, Mapping):
            parts = [*values(name, "prefix"), *values(name, "given"), name.get("family", "")]
            return str(name.get("text") or " ".join(str(part) for part in parts if part))
    return ""


async def _read(gateway: Gateway, person: str, reference: str) -> Json:
    """The resource as `person` sees it, {} if they don't."""
    kind, _, logical_id = reference.partition("/")
    if not logical_id:
        return {}
    try:
        released = await gateway.session_of(as_person(person)).read(kind, logical_id)
    except FhirError:
        return {}
    resource: Json = json.parse(released.body)
    return resource

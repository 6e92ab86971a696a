"""Whose dossier an app is let in to: that of whoever is logged in, that of whom they act for, or one they may see.

Everything is read as the person, so that nobody is told of a dossier they may not see.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#standalone-apps
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from consent.facts import values
from consent.instants import interval
from consent.references import local
from consent.say import day
from consent.words import Language
from fhir_server.outcome import Category, FhirError
from fhir_server.search.parse import parse
from fhir_server.smart.grants import as_person
from fhir_server.smart.server import AuthorizationServer
from profiles import json

NAME_CHARACTERS_MIN: Final = 2
NAME_CHARACTERS_MAX: Final = 60
COUNT_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Known:
    """A patient as a list shows them: never a number by which others know them. `born` is a FHIR date, or ''."""

    id: str
    name: str
    born: str

    def birthday(self, language: Language) -> str:
        """`1 mei 1941`; less where less is known."""
        span = interval(self.born, UTC) if len(self.born) == len("1941-05-01") else None
        return day(span[0], language, UTC) if span else self.born


async def own(server: AuthorizationServer, person: str) -> str:
    """The logical id of the patient that the person is or acts for; '' if they act for nobody now."""
    kind, _, logical_id = person.partition("/")
    patient = logical_id if kind == "Patient" else await _of_related(server, person)
    return patient if patient and await server.gateway.acts_for(person, patient) else ""


async def seen(server: AuthorizationServer, person: str, patient: str) -> Known | None:
    """The patient, if the person may see them."""
    try:
        released = await server.gateway.session_of(as_person(person)).read("Patient", patient)
    except FhirError as error:
        if error.category in (Category.NOT_FOUND, Category.GONE):
            return None
        raise
    return _known(json.parse(released.body))


async def called(server: AuthorizationServer, person: str, name: str) -> tuple[list[Known], bool]:
    """The patients with this name, or one that begins so, whom the person may see; and whether there are more."""
    session = server.gateway.session_of(as_person(person))
    # In a value a comma would part two names, and a backslash would take the meaning from what follows.
    plain = "".join("\\" + letter if letter in "\\,$|" else letter for letter in name[:NAME_CHARACTERS_MAX])
    asked = (("name", plain), ("_sort", "family,given"))
    query = parse(("Patient",), asked, session.context()).query
    found = await session.search(query, target="Patient", parameters=asked, count=COUNT_MAX)
    return [_known(json.parse(one.body)) for one in found.matches], bool(found.position)


async def _of_related(server: AuthorizationServer, person: str) -> str:
    kind, _, logical_id = person.partition("/")
    if kind != "RelatedPerson":
        return ""
    try:
        released = await server.gateway.session_of(as_person(person)).read(kind, logical_id)
    except FhirError as error:
        if error.category in (Category.NOT_FOUND, Category.GONE):
            return ""
        raise
    patient_type, _, patient = local(json.parse(released.body).get("patient")).partition("/")
    return patient if patient_type == "Patient" else ""


def _known(patient: Mapping[str, Any]) -> Known:
    return Known(patient["id"], _name(patient), patient.get("birthDate", ""))


def _name(patient: Mapping[str, Any]) -> str:
    for name in values(patient, "name"):
        if isinstance(name, Mapping):
            parts = [*values(name, "prefix"), *values(name, "given"), name.get("family", "")]
            return str(name.get("text") or " ".join(str(part) for part in parts if part))
    return ""

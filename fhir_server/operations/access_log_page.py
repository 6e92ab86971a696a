"""One page of the access log of a patient: the AuditEvents that the reader may read, with the names they may know.

https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.gateway.session import Session
from fhir_server.operations.access_log_names import Names
from fhir_server.operations.access_log_reading import Logged, client_of, logged
from fhir_server.search.context import Context
from fhir_server.search.parse import ParsedSearch, parse
from profiles import json

# Who did it, and on whose behalf, as far as whoever reads the log may see the directory.
_INCLUDES: Final = (
    ("_include", "AuditEvent:agent"),
    ("_include:iterate", "PractitionerRole:practitioner"),
    ("_include:iterate", "PractitionerRole:organization"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What one AuditEvent, by its logical id, tells the patient."""

    id: str
    told: Logged


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, newest first. `position` is where the next page starts, b"" on the last one."""

    lines: tuple[Line, ...]
    position: bytes


def log_search(patient: str, criteria: Iterable[tuple[str, str]], context: Context) -> ParsedSearch:
    """`entity` and not `patient`: that finds also what this patient did, as a proxy, in somebody else's dossier."""
    return parse(
        ("AuditEvent",), [("entity", f"Patient/{patient}"), *criteria, ("_sort", "-date"), *_INCLUDES], context
    )


async def log_page(
    session: Session,
    patient: str,
    search: ParsedSearch,
    parameters: Sequence[tuple[str, str]],
    count: int,
    position: bytes = b"",
) -> LogPage:
    """Raises FhirError as Session.search does, 404 to whoever may not see the Patient. Reading it is logged too."""
    await session.read("Patient", patient)
    found = await session.search(
        search.query,
        target=f"Patient/{patient}",
        parameters=(("$access-log", patient), *parameters),
        count=count,
        position=position,
        includes=search.includes,
        interaction="operation",
    )
    events = [json.parse(one.body) for one in found.matches]
    apps = await session.app_names({client_of(event) for event in events})
    names = Names((json.parse(one.body) for one in found.included), apps)
    return LogPage(tuple(Line(event["id"], logged(event, patient, names)) for event in events), found.position)

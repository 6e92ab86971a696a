"""Provenances that the server makes: of each write, who wrote which versions, for whom and through which client.

They are for the patient, their proxy and the operator, as the AuditEvents are: they tell of records that a later label
or Consent hides. A tag sets them apart from the Provenances of clients, who can't set it.
https://hl7.org/fhir/R4/provenance.html

INVARIANT: as with AuditEvents, what is made of a record never changes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from fhir_server.gateway.audit import Record, Touched, Wrote
from fhir_server.gateway.audit_events import Owned, by_owners, client, purpose, user
from fhir_server.gateway.stored_text import SERVER_TAG_SYSTEM, instant

SERVER_MADE: Final = {"system": SERVER_TAG_SYSTEM, "code": "provenance"}
# Whom it is about: the element that R5 has, in the form that R4 takes it.
# https://hl7.org/fhir/R5/provenance-definitions.html#Provenance.patient
PATIENT: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Provenance.patient"

_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_ACTIVITIES: Final[Mapping[Wrote, tuple[str, str]]] = {
    "create": ("CREATE", "create"),
    "update": ("UPDATE", "revise"),
    "delete": ("DELETE", "delete"),
}


def server_made(resource: Mapping[str, Any]) -> bool:
    """Whether the server made it: nobody else can give a resource this tag."""
    return resource.get("resourceType") == "Provenance" and any(
        tag.get("system") == SERVER_TAG_SYSTEM for tag in resource.get("meta", {}).get("tag", ())
    )


def patients(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Logical ids of the patients that a Provenance of the server is about, sorted."""
    told = (one["valueReference"]["reference"] for one in resource.get("extension", ()) if one["url"] == PATIENT)
    return tuple(sorted(reference.removeprefix("Patient/") for reference in told))


def provenances(entry_id: str, at: int, what: Record) -> Iterator[Owned]:
    """One for each patient (or group of patients that share a resource) and each kind of change; none of a reading."""
    for owners, resources in by_owners(one for one in what.touched() if one.wrote).items():
        for wrote in _ACTIVITIES:
            changed = [one for one in resources if one.wrote == wrote]
            if changed:
                made_id = str(uuid5(UUID(entry_id), f"{wrote} {'/'.join(owners)}"))
                yield _provenance(made_id, at, what, owners, changed, wrote), owners


def _provenance(
    made_id: str, at: int, what: Record, owners: tuple[str, ...], changed: list[Touched], wrote: Wrote
) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Provenance", "id": made_id, "meta": {"tag": [SERVER_MADE]}}
    if owners:
        made["extension"] = [{"url": PATIENT, "valueReference": {"reference": f"Patient/{one}"}} for one in owners]
    made["target"] = [{"reference": f"{one.type}/{one.id}/_history/{one.version}"} for one in changed]
    made["recorded"] = instant(at)
    reason = purpose(what)
    if reason is not None:
        made["reason"] = [reason]
    code, display = _ACTIVITIES[wrote]
    made["activity"] = {"coding": [{"system": _OPERATION, "code": code, "display": display}]}
    author: dict[str, Any] = {"type": _participant("author", "Author"), "who": user(what)}
    if what.organisations:
        author["onBehalfOf"] = {"reference": what.organisations[0]}
    made["agent"] = [author, {"type": _participant("transmitter", "Transmitter"), "who": client(what)}]
    return made


def _participant(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": _PARTICIPANT, "code": code, "display": display}]}

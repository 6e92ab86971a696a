"""The audit trail: one compact record per interaction, durable before the answer, unfolded into AuditEvents on demand.

Shapes follow IHE Basic Audit Log Patterns: one AuditEvent per patient touched, with the client, the user, the patient,
each resource and, for a search, the query without any citizen service number.
https://profiles.ihe.net/ITI/BALP/content.html and https://hl7.org/fhir/R4/auditevent.html
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from fhir_server.gateway.redaction import redact_text
from fhir_server.gateway.requester import Requester
from fhir_server.gateway.stored_text import instant
from fhir_server.store.protocol import AuditEntry, StoredVersion

_RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"
_OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"

_TARGET: Final = re.compile(r"[A-Z][A-Za-z]{1,63}(/[A-Za-z0-9.\-]{1,64})?", re.ASCII)
# https://hl7.org/fhir/R4/valueset-audit-event-action.html
_ACTIONS: Final = {
    "create": "C",
    "read": "R",
    "vread": "R",
    "history-instance": "R",
    "history-type": "R",
    "history-system": "R",
    "update": "U",
    "patch": "U",
    "delete": "D",
}  # anything else executes: E


_PATIENT_PARAMETERS: Final = frozenset(("patient", "subject", "patient:Patient", "subject:Patient"))


class Ground(msgspec.Struct, frozen=True, array_like=True):
    """What a decision about one patient rested on: the rule, and the provision of a Consent version if one decided."""

    patient: str
    rule: str  # a value of consent.model.Rule
    consent: str = ""
    version: str = ""
    path: str = ""  # `Consent.provision.provision[0]`


class Touched(msgspec.Struct, frozen=True, array_like=True):
    """A resource that an interaction showed, wrote, or refused; `version` 0 if it is not known."""

    type: str
    id: str
    version: int
    owners: tuple[str, ...]


class Record(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What happened: `interaction` as in https://hl7.org/fhir/R4/valueset-type-restful-interaction.html or `operation`.

    `outcome` is the HTTP status. `detail` says what more there is to say: the operation's name, or why it was refused.
    """

    interaction: str
    outcome: int
    user: str
    client: str
    purpose: str = ""
    reason: str = ""
    target: str = ""  # what the request named: `Patient/1`, `Observation`; '' for the whole system
    query: str = ""
    detail: str = ""
    touched: tuple[Touched, ...] = ()


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODER: Final = msgspec.msgpack.Decoder(Record)


def record(
    requester: Requester,
    interaction: str,
    outcome: int,
    *,
    target: str = "",
    query: str = "",
    detail: str = "",
    touched: tuple[Touched, ...] = (),
) -> Record:
    """The record of what this requester did; a BSN that stands where an id belongs is left out of `target`."""
    return Record(
        interaction,
        outcome,
        requester.user,
        requester.client,
        requester.purpose,
        requester.reason,
        redact_text(target),
        query,
        detail,
        touched,
    )


def entry(id: str, at: int, what: Record) -> AuditEntry:
    return AuditEntry(id, at, _ENCODE(what))


def touched(stored: Iterable[StoredVersion]) -> tuple[Touched, ...]:
    return tuple(Touched(one.type, one.id, one.version, one.owners) for one in stored)


def unfold(audit_entry: AuditEntry, source: str) -> list[tuple[dict[str, Any], tuple[str, ...]]]:
    """The AuditEvents of one entry, each with its owners; ids follow from the entry's, so that they are made once.

    One event for each patient with what was touched of theirs, one for what was touched of nobody's, or if nothing was.
    What is about two patients has an event about both, which neither reads alone, as neither reads it alone.
    `source` is how this server names itself.
    """
    what = _DECODER.decode(audit_entry.entry)
    if not _TARGET.fullmatch(what.target):  # a path may hold anything; an AuditEvent holds references
        what = msgspec.structs.replace(what, target="")
    groups: dict[tuple[str, ...], list[Touched]] = {}
    for one in what.touched:
        groups.setdefault(one.owners, []).append(one)
    if not groups:  # nothing was touched; a Patient that was asked for in vain is still what it was about
        kind, _, logical_id = what.target.partition("/")
        groups[(logical_id,) if kind == "Patient" and logical_id else ()] = []
    events: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    for patients, resources in groups.items():
        # Nothing in the event of one patient may depend on whether others were touched, its id included.
        event_id = str(uuid5(UUID(audit_entry.id), "/".join(patients))) if patients else audit_entry.id
        shown = what
        if patients and not _asks_about(what, patients):
            # A query that may be about others too: names of parameters stay, values go.
            shown = msgspec.structs.replace(what, query="&".join(p.partition("=")[0] for p in what.query.split("&")))
        events.append((_event(event_id, audit_entry.at, shown, patients, resources, source), patients))
    return events


def _asks_about(what: Record, patients: tuple[str, ...]) -> bool:
    """Whether the question itself names this patient and nobody else, or is the patient's own."""
    if len(patients) != 1:
        return False
    reference = f"Patient/{patients[0]}"
    if what.user == reference:
        return True
    if "," in what.query:
        return False
    if what.target == reference or what.target.startswith(f"{reference}/"):
        return True
    criteria = (pair.partition("=") for pair in what.query.split("&"))
    return any(name in _PATIENT_PARAMETERS and value in (reference, patients[0]) for name, _, value in criteria)


def _event(
    event_id: str, at: int, what: Record, patients: tuple[str, ...], resources: Sequence[Touched], source: str
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": event_id,
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "Restful Operation",
        },
        "subtype": [{"system": _RESTFUL, "code": what.interaction, "display": what.interaction}],
        "action": _ACTIONS.get(what.interaction, "E"),
        "recorded": instant(at),
        "outcome": _outcome(what.outcome),
    }
    if what.detail:
        event["outcomeDesc"] = what.detail
    if what.purpose:
        event["purposeOfEvent"] = [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": what.purpose}]}
        ]
        if what.reason:
            event["purposeOfEvent"][0]["text"] = what.reason
    event["agent"] = _agents(what)
    event["source"] = {
        "observer": {"display": source},
        "type": [{"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}],
    }
    entities = list(_entities(what, patients, resources))
    if entities:
        event["entity"] = entities
    return event


def _agents(what: Record) -> list[dict[str, Any]]:
    client = what.client or "anonymous"
    agents: list[dict[str, Any]] = [
        {
            "type": {"coding": [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]},
            "who": {"identifier": {"value": client}, "display": client},
            "requestor": not what.user,
        }
    ]
    if what.user:
        who: dict[str, Any] = {"reference": what.user} if "/" in what.user else {"display": what.user}
        agents.append(
            {
                "type": {"coding": [{"system": _PARTICIPATION, "code": "humanuser", "display": "human user"}]}
                if "/" in what.user
                else {"coding": [{"system": _PARTICIPATION, "code": "datauser", "display": "data user"}]},
                "who": who,
                "requestor": True,
            }
        )
    return agents


def _entities(what: Record, patients: tuple[str, ...], resources: Sequence[Touched]) -> Iterable[dict[str, Any]]:
    for patient in patients:
        yield {
            "what": {"reference": f"Patient/{patient}"},
            "type": {"system": _ENTITY_TYPE, "code": "1", "display": "Person"},
            "role": {"system": _OBJECT_ROLE, "code": "1", "display": "Patient"},
        }
    for one in resources:
        if one.type == "Patient" and one.id in patients:
            continue
        reference = f"{one.type}/{one.id}" + (f"/_history/{one.version}" if one.version else "")
        yield _domain_resource({"reference": reference})
    if not resources and "/" in what.target and not patients:
        yield _domain_resource({"reference": what.target})
    if what.query:
        yield {
            "type": {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"},
            "role": {"system": _OBJECT_ROLE, "code": "24", "display": "Query"},
            "query": b64encode(what.query.encode()).decode(),
        }


def _domain_resource(reference: dict[str, Any]) -> dict[str, Any]:
    return {
        "what": reference,
        "type": {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"},
        "role": {"system": _OBJECT_ROLE, "code": "4", "display": "Domain Resource"},
    }


def _outcome(status: int) -> str:
    """https://hl7.org/fhir/R4/valueset-audit-event-outcome.html"""
    if status < 400:
        return "0"
    return "4" if status < 500 else "8"

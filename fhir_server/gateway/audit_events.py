"""AuditEvents of a record: one for each patient touched, in the shape of IHE Basic Audit Log Patterns.

Each has the client, the user and their organisations, the patient, each resource, the Consents that decided and, for a
search, the query without any citizen service number.
https://profiles.ihe.net/ITI/BALP/content.html and https://hl7.org/fhir/R4/auditevent.html

INVARIANT: what is made of a record never changes, because `wijkdossier audit verify` holds the stored events against
it. Whoever wants another shape adds a field to Record that says which.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5

import msgspec

from fhir_server.gateway.audit import Ground, Record, Touched
from fhir_server.gateway.stored_text import instant

_RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"
_OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
_ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ROLE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
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

# The names of details, for whoever reads them back.
RULE: Final = "rule"
EFFECT: Final = "effect"
PROVISION: Final = "provision"
# What BALP calls the organisation of the user. https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent
ORGANISATION: Final = {"system": _ROLE_CLASS, "code": "PROV", "display": "healthcare provider"}
# DICOM has one code for the use of an emergency override, that of its start; whoever looks for emergencies in a log
# looks for it, or for the purpose BTG (break the glass). An event under the override carries both.
# https://dicom.nema.org/medical/dicom/current/output/chtml/part15/sect_A.5.3.11.html
EMERGENCY: Final = {"system": _DICOM, "code": "110127", "display": "Emergency Override Started"}
BREAK_THE_GLASS: Final = "BTG"

Owned: TypeAlias = tuple[dict[str, Any], tuple[str, ...]]
"""A resource, and the patients it is about."""


def audit_events(entry_id: str, at: int, what: Record) -> list[Owned]:
    """The events of one record; ids follow from the entry's, so that they are made once.

    One event for each patient with what was touched of theirs, one for what was touched of nobody's, or if nothing was.
    What is about two patients has an event about both, which neither reads alone, as neither reads it alone.
    """
    if not _TARGET.fullmatch(what.target):  # a path may hold anything; an AuditEvent holds references
        what = msgspec.structs.replace(what, target="")
    groups = by_owners(what.touched())
    if not groups:  # nothing was touched; a Patient that was asked for in vain is still what it was about
        kind, _, logical_id = what.target.partition("/")
        groups[(logical_id,) if kind == "Patient" and logical_id else ()] = []
    events: list[Owned] = []
    for patients, resources in groups.items():
        # Nothing in the event of one patient may depend on whether others were touched, its id included.
        event_id = str(uuid5(UUID(entry_id), "/".join(patients))) if patients else entry_id
        shown = what
        if patients and not _asks_about(what, patients):
            # A query that may be about others too: names of parameters stay, values go.
            shown = msgspec.structs.replace(what, query="&".join(p.partition("=")[0] for p in what.query.split("&")))
        events.append((_event(event_id, at, shown, patients, resources), patients))
    return events


def by_owners(touched: Iterable[Touched]) -> dict[tuple[str, ...], list[Touched]]:
    """The same, apart for the patients that they are about."""
    groups: dict[tuple[str, ...], list[Touched]] = {}
    for one in touched:
        groups.setdefault(one.owners, []).append(one)
    return groups


def purpose(what: Record) -> dict[str, Any] | None:
    """Why, as a CodeableConcept; None if the token does not say."""
    if not what.purpose:
        return None
    concept: dict[str, Any] = {"coding": [{"system": _ACT_REASON, "code": what.purpose}]}
    if what.reason:
        concept["text"] = what.reason
    return concept


def user(what: Record) -> dict[str, Any]:
    """A Reference to whoever asked."""
    return {"reference": what.user} if "/" in what.user else {"display": what.user}


def client(what: Record) -> dict[str, Any]:
    """A Reference to the program they used."""
    name = what.client or "anonymous"
    return {"identifier": {"value": name}, "display": name}


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
    event_id: str, at: int, what: Record, patients: tuple[str, ...], resources: Sequence[Touched]
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
    if what.emergency:
        event["subtype"].append(EMERGENCY)
    if what.detail:
        event["outcomeDesc"] = what.detail
    purposes = [concept for concept in (purpose(what),) if concept is not None]
    if what.emergency and what.purpose != BREAK_THE_GLASS:
        purposes.append({"coding": [{"system": _ACT_REASON, "code": BREAK_THE_GLASS}]})
    if purposes:
        event["purposeOfEvent"] = purposes
    event["agent"] = list(_agents(what))
    event["source"] = {
        "observer": {"display": what.source or "wijkdossier"},
        "type": [{"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}],
    }
    entities = list(_entities(what, patients, resources))
    if entities:
        event["entity"] = entities
    return event


def _agents(what: Record) -> Iterator[dict[str, Any]]:
    yield {
        "type": {"coding": [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]},
        "who": client(what),
        "requestor": not what.user,
    }
    if not what.user:
        return
    kind = ("humanuser", "human user") if "/" in what.user else ("datauser", "data user")
    agent: dict[str, Any] = {"type": {"coding": [{"system": _PARTICIPATION, "code": kind[0], "display": kind[1]}]}}
    # Which PractitionerRole, Practitioner or RelatedPerson the login counts as: the type as a code, to be searched by.
    roles = [
        {"coding": [{"system": _RESOURCE_TYPES, "code": one.partition("/")[0]}], "text": one}
        for one in what.individuals
        if one != what.user
    ]
    if roles:
        agent["role"] = roles
    yield {**agent, "who": user(what), "requestor": True}
    for organisation in what.organisations:
        yield {"type": {"coding": [ORGANISATION]}, "who": {"reference": organisation}, "requestor": False}


def _entities(what: Record, patients: tuple[str, ...], resources: Sequence[Touched]) -> Iterator[dict[str, Any]]:
    """The patients with the rules that decided for them, the resources, the Consents that decided, the question."""
    grounds = tuple(dict.fromkeys(ground for one in resources for ground in one.grounds))
    for patient in patients:
        person: dict[str, Any] = {
            "what": {"reference": f"Patient/{patient}"},
            "type": {"system": _ENTITY_TYPE, "code": "1", "display": "Person"},
            "role": {"system": _OBJECT_ROLE, "code": "1", "display": "Patient"},
        }
        yield _with_details(person, _rules(ground for ground in grounds if ground.patient in (patient, "")))
    for one in resources:
        if one.type == "Patient" and one.id in patients:
            continue
        reference = f"{one.type}/{one.id}" + (f"/_history/{one.version}" if one.version else "")
        yield _with_details(_domain_resource(reference), () if patients else _rules(one.grounds))
    if not resources and "/" in what.target and not patients:
        yield _domain_resource(what.target)
    yield from _consents(what, [ground for ground in grounds if ground.consent and ground.patient in patients])
    if what.query:
        yield {
            "type": {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"},
            "role": {"system": _OBJECT_ROLE, "code": "24", "display": "Query"},
            "query": b64encode(what.query.encode()).decode(),
        }


def _consents(what: Record, grounds: Sequence[Ground]) -> Iterator[dict[str, Any]]:
    """Each Consent version that decided, typed as in BALP's authorization decision; a detail for each provision."""
    versions: dict[str, list[Ground]] = {}
    for ground in grounds:
        versions.setdefault(f"Consent/{ground.consent}/_history/{ground.version}", []).append(ground)
    effect = "permit" if what.outcome < 400 else "deny"
    for reference, deciding in versions.items():
        consent = {
            "what": {"reference": reference},
            "type": {"system": _RESOURCE_TYPES, "code": "Consent", "display": "Consent"},
            "role": {"system": _OBJECT_ROLE, "code": "4", "display": "Domain Resource"},
        }
        provisions = dict.fromkeys((PROVISION, ground.path) for ground in deciding if ground.path)
        yield _with_details(consent, [*provisions, *_rules(deciding), (EFFECT, effect)])


def _rules(grounds: Iterable[Ground]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((RULE, ground.rule) for ground in grounds))


def _with_details(entity: dict[str, Any], details: Sequence[tuple[str, str]]) -> dict[str, Any]:
    if not details:
        return entity
    return {**entity, "detail": [{"type": name, "valueString": value} for name, value in details]}


def _domain_resource(reference: str) -> dict[str, Any]:
    return {
        "what": {"reference": reference},
        "type": {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"},
        "role": {"system": _OBJECT_ROLE, "code": "4", "display": "Domain Resource"},
    }


def _outcome(status: int) -> str:
    """https://hl7.org/fhir/R4/valueset-audit-event-outcome.html"""
    if status < 400:
        return "0"
    return "4" if status < 500 else "8"

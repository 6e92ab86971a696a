"""One AuditEvent as its patient reads it: who, in which role, to what end, what, and which rule decided.

Reads what `gateway.audit_events` writes, and makes the best of an AuditEvent that was imported.
https://hl7.org/fhir/R4/auditevent.html
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_server.gateway.audit_events import BREAK_THE_GLASS, EMERGENCY, ORGANISATION, RULE
from fhir_server.operations.access_log_names import Names


@dataclass(frozen=True, slots=True)
class Logged:
    """`who` and `organizations` are References; `name` is what the patient calls who did it, '' for the patient.

    `what` counts records by type; `outcome` is permitted, refused or failed; `consents` are `Consent/1/_history/2`.
    `app` is what the registered app is called that they used, '' if it was none; `detail` what else was put down.
    """

    recorded: str
    who: Mapping[str, Any]
    name: str
    roles: tuple[str, ...]
    organizations: tuple[Mapping[str, Any], ...]
    client: str
    purposes: tuple[str, ...]
    reason: str
    interaction: str
    what: Mapping[str, int]
    outcome: str
    emergency: bool
    rules: tuple[str, ...]
    consents: tuple[str, ...]
    app: str = ""
    detail: str = ""


def logged(event: Mapping[str, Any], patient: str, names: Names) -> Logged:
    agents = event["agent"]
    asker = next((agent for agent in agents if agent["requestor"]), agents[0])
    who = asker.get("who", {})
    reference = who.get("reference", "")
    client = client_of(event)
    name = names.of(reference) if reference else _name(who)
    purposes = event.get("purposeOfEvent", ())
    codes = tuple(coding["code"] for concept in purposes for coding in concept.get("coding", ()) if "code" in coding)
    subtypes = event.get("subtype", ())
    entities = [entity for entity in event.get("entity", ()) if entity.get("what", {}).get("reference")]
    return Logged(
        recorded=event["recorded"],
        who=names.reference(reference) if reference else who,
        name="" if reference == f"Patient/{patient}" else name,
        roles=tuple(names.of(role["text"]) for role in asker.get("role", ()) if "text" in role),
        organizations=tuple(
            names.reference(agent["who"]["reference"])
            for agent in agents
            if _codes(agent) & {ORGANISATION["code"]} and "reference" in agent.get("who", {})
        ),
        client=client,
        purposes=codes,
        reason=next((concept["text"] for concept in purposes if "text" in concept), ""),
        interaction=subtypes[0]["code"] if subtypes else event["type"].get("code", "unknown"),
        what=_what(entities, patient),
        outcome={"0": "permitted", "4": "refused"}.get(event.get("outcome", "0"), "failed"),
        emergency=BREAK_THE_GLASS in codes or any(one.get("code") == EMERGENCY["code"] for one in subtypes),
        rules=_rules(entities, patient),
        consents=tuple(one["what"]["reference"] for one in entities if _is_deciding(one)),
        app=names.app(client),
        detail=event.get("outcomeDesc", ""),
    )


def client_of(event: Mapping[str, Any]) -> str:
    """The program that was used, as it is registered."""
    return _name(event["agent"][0].get("who", {}))


def _codes(agent: Mapping[str, Any]) -> set[str]:
    return {coding.get("code", "") for coding in agent.get("type", {}).get("coding", ())}


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference.get("display") or reference.get("identifier", {}).get("value") or "?")


def _is_deciding(entity: Mapping[str, Any]) -> bool:
    """Whether it names a Consent because that decided, not because it was read or written."""
    kind: Mapping[str, Any] = entity.get("type", {})
    return kind.get("code") == "Consent"


def _what(entities: list[Mapping[str, Any]], patient: str) -> Mapping[str, int]:
    """The most first. The Patient itself is in every event, so it counts only where there is nothing else."""
    counted = Counter(
        entity["what"]["reference"].partition("/")[0]
        for entity in entities
        if not _is_deciding(entity) and entity["what"]["reference"] != f"Patient/{patient}"
    )
    return dict(counted.most_common()) or {"Patient": 1}


def _rules(entities: list[Mapping[str, Any]], patient: str) -> tuple[str, ...]:
    details = (
        detail
        for entity in entities
        if entity["what"]["reference"] == f"Patient/{patient}"
        for detail in entity.get("detail", ())
    )
    return tuple(detail["valueString"] for detail in details if detail["type"] == RULE and "valueString" in detail)

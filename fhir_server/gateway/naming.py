"""What people know a reference by: the name that the directory gives, or the patient's own dossier.

The directory is open; of what is in another dossier no name is told, and not whether it is there.
https://hl7.org/fhir/R4/datatypes.html#HumanName
"""

from collections.abc import Iterable, Mapping
from typing import Any

from consent.facts import values
from consent.references import local
from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.moment import Now, Within
from fhir_server.search.query import Or, Token, Unowned
from fhir_server.store.protocol import Snapshot
from profiles import json

Json = Mapping[str, Any]


async def names(known: Within, references: Iterable[str]) -> dict[str, str]:
    """A name for each `Type/id`, the reference itself where there is none to be told."""
    return {reference: await _name(known, reference) or reference for reference in dict.fromkeys(references)}


async def app_names(snapshot: Snapshot, clients: Iterable[str]) -> dict[str, str]:
    """What registered apps are called, by client id: the Device about nobody that has it as its identifier."""
    asked = frozenset(clients)
    tokens = tuple(Token("identifier", None, client) for client in sorted(asked))
    found: dict[str, str] = {}
    for stored in await Now(snapshot).find("Device", Or(tokens), Unowned()) if tokens else ():
        device: Json = json.parse(stored.body)
        name = "" if _is_somebodys(device) else _own_name(device)
        found.update({client: name for client in values(device, "identifier.value") if client in asked and name})
    return found


async def _name(known: Within, reference: str) -> str:
    resource = await resource_of(known, reference)
    if resource.get("resourceType") == "PractitionerRole":
        behind = [await _name(known, local(resource.get(part))) for part in ("practitioner", "organization")]
        return ", ".join(part for part in (behind[0] or _concept(resource), behind[1]) if part)
    return _own_name(resource)


async def resource_of(known: Within, reference: str) -> Json:
    """The resource `Type/id`, {} if it is not there to be known.

    A Group without patients, or the Device of an app, is on no list, but whoever names it in a Consent may know whom
    they let in.
    """
    kind, _, logical_id = reference.partition("/")
    stored = await known.get(kind, logical_id) if logical_id else None
    if stored is None or stored.deleted or (not stored.owners and kind not in UNOWNED | {"Device", "Group"}):
        return {}
    resource: Json = json.parse(stored.body)
    return {} if _is_somebodys(resource) else resource


def _is_somebodys(resource: Json) -> bool:
    """Whether it is a thing that somebody uses whom no reference here tells, and so not an app."""
    return resource["resourceType"] == "Device" and "patient" in resource


def _own_name(resource: Json) -> str:
    """The name as text, of a person's name its parts."""
    found = resource.get("name")
    if isinstance(found, str):
        return found
    for name in values(resource, "name"):
        if isinstance(name, Mapping):
            parts = [*values(name, "prefix"), *values(name, "given"), name.get("family", "")]
            text = name.get("text") or " ".join(part for part in parts if isinstance(part, str) and part)
            if isinstance(text, str) and text:
                return text
    device = next(iter(values(resource, "deviceName.name")), "")
    return device if isinstance(device, str) else ""


def _concept(role: Json) -> str:
    """What a role is called."""
    for path in ("code.text", "code.coding.display"):
        for text in values(role, path):
            if isinstance(text, str):
                return text
    return ""

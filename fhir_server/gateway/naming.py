"""What people know a reference by: the name that the directory gives, or the patient's own dossier.

The directory is open; of what is in another dossier no name is told, and not whether it is there.
https://hl7.org/fhir/R4/datatypes.html#HumanName
"""

from collections.abc import Iterable, Mapping
from typing import Any

from consent.facts import values
from consent.references import local
from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.moment import Within
from profiles import json

Json = Mapping[str, Any]


async def names(known: Within, references: Iterable[str]) -> dict[str, str]:
    """A name for each `Type/id`, the reference itself where there is none to be told."""
    return {reference: await _name(known, reference) or reference for reference in dict.fromkeys(references)}


async def _name(known: Within, reference: str) -> str:
    resource = await resource_of(known, reference)
    if resource.get("resourceType") == "PractitionerRole":
        behind = [await _name(known, local(resource.get(part))) for part in ("practitioner", "organization")]
        return ", ".join(part for part in (behind[0] or _concept(resource), behind[1]) if part)
    return _own_name(resource)


async def resource_of(known: Within, reference: str) -> Json:
    """The resource `Type/id`, {} if it is not there to be known.

    A Group without patients is on no list, but whoever names it in a Consent may know whom they let in.
    """
    kind, _, logical_id = reference.partition("/")
    stored = await known.get(kind, logical_id) if logical_id else None
    if stored is None or stored.deleted or (not stored.owners and kind not in UNOWNED | {"Group"}):
        return {}
    resource: Json = json.parse(stored.body)
    return resource


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

"""Reference: where a resource points, told apart in what is here, what is elsewhere and what is only named.

https://hl7.org/fhir/R4/search.html#reference and https://hl7.org/fhir/R4/references.html
"""

import re
from typing import Any

from fhir_server.search.normal import normal
from fhir_server.search.places import NOWHERE, locate
from fhir_server.search.query import Or, Predicate, Reference, TokenText
from fhir_server.search.rows import IndexRows, ReferenceRow, TextRow
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, shown, split, unescape

_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)
CANONICALS = frozenset(("canonical", "uri", "url"))


def emitter(param: str, code: str, targets: tuple[str, ...], base_urls: tuple[str, ...]) -> Emit | None:
    """Return what files a value of the data type `code`; None if it does not refer."""
    if code == "Reference":
        return _reference(param, base_urls)
    if code in CANONICALS:
        return _canonical(param, base_urls)
    if code == "Resource":
        return _resource(param, targets)
    return None


def _reference(param: str, base_urls: tuple[str, ...]) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        text = value.get("reference")
        place = locate(text, base_urls) if text else NOWHERE
        identifier = value.get("identifier")
        # A row is filed even if only a display is given: `:missing` has to see it.
        rows.references.append(
            ReferenceRow(
                param,
                place.type or value.get("type", ""),
                place.id,
                place.url,
                place.version,
                identifier.get("system", "") if identifier else "",
                identifier.get("value", "") if identifier else "",
                group,
            )
        )
        display = value.get("display")
        if display and not group:
            rows.texts.append(TextRow(param, normal(display)))

    return emit


def _canonical(param: str, base_urls: tuple[str, ...]) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        type_name, id_, url, version = locate(value, base_urls)
        rows.references.append(ReferenceRow(param, type_name, id_, url, version, "", "", group))

    return emit


def _resource(param: str, targets: tuple[str, ...]) -> Emit:
    """A resource within a Bundle stands for a reference to it (Bundle?composition=, Bundle?message=)."""

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        if value.get("resourceType") in targets and "id" in value:
            rows.references.append(ReferenceRow(param, value["resourceType"], value["id"], "", "", "", "", group))

    return emit


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what the value asks: `[id]`, `[type]/[id]`, a URL or a canonical with its version. Raises FhirError."""
    match asked.modifier:
        case "identifier":
            parts = [unescape(part) for part in split(value, "|")]
            if len(parts) > 2 or not any(parts):
                raise asked.invalid("`:identifier` needs value or system|value")
            return Reference(asked.name, identifier=(parts[0] if len(parts) == 2 else None, parts[-1]))
        case "text":
            folded = normal(unescape(value))
            if not folded:
                raise asked.invalid("has nothing in it to compare")
            return TokenText(asked.name, folded)
        case "":
            return _leads_to(asked, unescape(value), "")
    if asked.modifier not in asked.parameter.targets:
        if asked.modifier in asked.context.registry.types:
            raise asked.invalid(f"does not refer to {asked.modifier}")
        raise asked.modifier_refused()
    return _leads_to(asked, unescape(value), asked.modifier)


def _leads_to(asked: Asked, text: str, only: str) -> Predicate:
    if _ID.fullmatch(text):
        targets = asked.parameter.targets
        by_id = Reference(asked.name, only or (targets[0] if len(targets) == 1 else None), text)
        if asked.value_types & CANONICALS:  # a URI may be as short as an id
            return Or((by_id, Reference(asked.name, url=text)))
        return by_id
    place = locate(text, asked.context.base_urls)
    if place.id:
        if place.type not in asked.context.registry.resource_types:
            raise asked.invalid(f"`{shown(place.type)}` is not a resource type")
        if only and place.type != only:
            raise asked.invalid(f"`{shown(text)}` is not a reference to {only}")
        return Reference(asked.name, place.type, place.id, version=place.version or None)
    if ":" not in place.url and not place.url.startswith("#") and not asked.value_types <= CANONICALS:
        raise asked.invalid(f"`{shown(text)}` is not an id, type/id or URL")
    return Reference(asked.name, url=place.url, version=place.version or None)

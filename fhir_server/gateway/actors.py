"""Actors in the directory: what a login counts as, and who counts as an actor that a Consent names.

The engine works out both from resources; here they are found. https://hl7.org/fhir/R4/practitionerrole.html
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent.closure import closure
from consent.model import Actor, Category, Closure
from consent.references import local
from fhir_server.gateway.moment import Moment
from fhir_server.gateway.narrow import disjunction
from fhir_server.search.query import Or, Predicate, Reference, Token, Unowned
from fhir_server.store.protocol import StoredVersion
from profiles import json

Json = Mapping[str, Any]

# What a closure or the answer to `counting_as` is made of.
DIRECTORY_TYPES: Final = frozenset(("CareTeam", "Device", "Group", "Organization", "PractitionerRole"))


async def closure_of(moment: Moment, login: str, client: str, instant: int, zone: ZoneInfo) -> Closure:
    """Everything that `login` (`Practitioner/1` …), using the app `client`, counts as at the instant."""
    kind = login.partition("/")[0]
    roles: list[Json] = []
    if kind == "PractitionerRole":
        role = await _get(moment, login)
        roles = [role] if role is not None else []
    elif kind == "Practitioner":
        roles = _parsed(await moment.find("PractitionerRole", _refers("practitioner", login)))
    organisations = await _with_ancestors(
        moment, [login] if kind == "Organization" else [local(role.get("organization")) for role in roles]
    )
    alone = closure(login, roles, organisations, (), instant, zone)
    groups: list[Json] = []
    if alone.individuals:
        members = sorted(alone.individuals)
        groups += _parsed(await moment.find("CareTeam", _refers("participant", *members)))
        groups += _parsed(await moment.find("Group", _refers("member", *members)))
    # A Device that is about a patient is a thing they use; an app is in the directory.
    devices = await moment.find("Device", Token("identifier", None, client), Unowned()) if client else []
    used = frozenset(f"Device/{device.id}" for device in devices)
    return closure(login, roles, organisations, groups, instant, zone, used)


async def employers(moment: Moment, login: str) -> tuple[str, ...]:
    """The Organizations that the login's role is at, or that it is itself, before those above them."""
    kind = login.partition("/")[0]
    if kind == "Organization":
        return (login,)
    role = await _get(moment, login) if kind == "PractitionerRole" else None
    organisation = local(role.get("organization")) if role is not None else ""
    return (organisation,) if organisation else ()


async def counting_as(moment: Moment, actor: Actor) -> frozenset[str]:
    """All `Type/id` that count as the actor when they author or keep a record.

    The actor itself; of a person their roles; of an organisation those that are part of it, and the roles and people of
    all of these; of a kind of role or organisation all that are of the kind.
    """
    if isinstance(actor, Category):
        coding = Token("type" if actor.type == "Organization" else "role", actor.system, actor.code)
        if actor.type == "Organization":
            found = await moment.find("Organization", coding)
            return await _with_staff(moment, {f"Organization/{one.id}" for one in found})
        either: Predicate = Or((coding, Token("specialty", actor.system, actor.code)))
        roles = await moment.find("PractitionerRole", either)
        return _roles_and_people(roles)
    kind = actor.reference.partition("/")[0]
    if kind == "Organization":
        return await _with_staff(moment, {actor.reference})
    if kind == "Practitioner":
        roles = await moment.find("PractitionerRole", _refers("practitioner", actor.reference))
        return frozenset({actor.reference, *(f"PractitionerRole/{role.id}" for role in roles)})
    return frozenset({actor.reference})


async def _with_ancestors(moment: Moment, references: Iterable[str]) -> dict[str, Json]:
    """These Organizations, and all they are part of, by reference."""
    found: dict[str, Json] = {}
    waiting = [reference for reference in references if reference]
    while waiting:
        reference = waiting.pop()
        if reference in found:
            continue  # partOf may run in a circle
        organisation = await _get(moment, reference)
        if organisation is not None:
            found[reference] = organisation
            waiting += [local(organisation.get("partOf"))]
    return found


async def _with_staff(moment: Moment, organisations: set[str]) -> frozenset[str]:
    """The Organizations with those that are part of them, and the roles and people of all."""
    found: set[str] = set()
    waiting = sorted(organisations)
    while waiting:
        found.update(waiting)
        parts = await moment.find("Organization", _refers("partof", *waiting))
        waiting = sorted({f"Organization/{part.id}" for part in parts} - found)
    roles = await moment.find("PractitionerRole", _refers("organization", *sorted(found))) if found else []
    return frozenset(found | _roles_and_people(roles))


def _roles_and_people(roles: Iterable[StoredVersion]) -> frozenset[str]:
    parsed = _parsed(roles)
    people = {local(role.get("practitioner")) for role in parsed}
    return frozenset({*(f"PractitionerRole/{role['id']}" for role in parsed), *people} - {""})


def _refers(param: str, *references: str) -> Predicate:
    return disjunction(
        *(Reference(param, kind, logical_id) for kind, _, logical_id in (one.partition("/") for one in references))
    )


async def _get(moment: Moment, reference: str) -> Json | None:
    if not reference:
        return None
    kind, _, logical_id = reference.partition("/")
    found = await moment.get(kind, logical_id)
    return None if found is None or found.deleted else json.parse(found.body)


def _parsed(rows: Iterable[StoredVersion]) -> list[Json]:
    return [json.parse(row.body) for row in rows]

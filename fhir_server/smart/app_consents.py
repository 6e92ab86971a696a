"""The Consents by which apps are let in, in the store: written, narrowed and ended as the person who decides.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from fhir_server.gateway.session import Session
from fhir_server.gateway.unit import Staged, Unit
from fhir_server.outcome import Category, FhirError
from fhir_server.search.parse import parse
from fhir_server.smart import consenting
from fhir_server.smart.consenting import Choice, Terms
from fhir_server.smart.records import Client, Grant
from fhir_server.smart.server import AuthorizationServer
from profiles import json

Json = Mapping[str, Any]

_CONSENTS_MAX: Final = 100
_SECOND: Final = 1_000_000


async def write(
    server: AuthorizationServer, session: Session, key: str, grant: Grant, client: Client, choice: Choice
) -> list[Json]:
    """Write the Consent of the grant `key`, and end those that it replaces, in one go; these, as they were.

    Raises FhirError if the person may not let anybody in to this dossier.
    """
    resource = made(server, key, grant, client, grant.scope, choice)
    older = await of_app(session, grant.patient, client)

    async def stage(unit: Unit) -> Staged:
        for one in older:
            await unit.patch("Consent", one["id"], _inactive)
        return await unit.create(resource, grant.consent)

    await session.write("create", "Consent", stage)
    return older


def local(server: AuthorizationServer, at: int) -> datetime:
    """The instant (microseconds since 1970 UTC) on the clocks of the deployment, to the second."""
    return datetime.fromtimestamp(at // _SECOND, server.settings.zone)


def made(
    server: AuthorizationServer, key: str, grant: Grant, client: Client, scope: str, choice: Choice
) -> dict[str, Any]:
    """The Consent of the grant, as far as `scope` and the sensitive subjects of the choice go."""
    # A period ends with the second that it names, so that second is the last one.
    until = local(server, grant.until) - timedelta(seconds=1) if grant.until else None
    terms = Terms(key, client, grant.person, grant.patient, local(server, grant.created), until)
    return consenting.consent(terms, scope, choice.sensitive, server.gateway.registry.resource_types)


async def of_app(session: Session, patient: str, client: Client) -> list[Json]:
    """The active Consents of the patient by which the app was let in here."""
    asked = (
        ("patient", f"Patient/{patient}"),
        ("actor", client.device),
        ("status", "active"),
        ("category", f"{consenting.CATEGORY_SYSTEM}|{consenting.APP_ACCESS}"),
    )
    query = parse(("Consent",), asked, session.context()).query
    found = await session.search(query, target="Consent", parameters=asked, count=_CONSENTS_MAX)
    return [json.parse(one.body) for one in found.matches]


async def still_ticked(session: Session, grant: Grant, choice: Choice) -> Choice:
    """What is left of the choice where the Consent, as it stands, has been narrowed already."""
    stored = json.parse((await session.read("Consent", grant.consent)).body)
    stands = consenting.ticked(grant.scope, stored, session.registry.resource_types)
    return choice._replace(
        reading=choice.reading & stands.reading,
        writing=choice.writing & stands.writing,
        sensitive=choice.sensitive & stands.sensitive,
    )


async def rewrite(session: Session, consent: Json, version: int | None) -> None:
    """The Consent as it is to be, if the stored one still has the version (None: any). Raises FhirError."""

    async def stage(unit: Unit) -> Staged:
        return await unit.update(consent, version)

    await session.write("update", f"Consent/{consent['id']}", stage)


async def end(session: Session, consent: str) -> None:
    """The Consent with this id is inactive, or gone, when this returns. Raises FhirError."""

    async def stage(unit: Unit) -> Staged:
        return await unit.patch("Consent", consent, _inactive)

    try:
        current = json.parse((await session.read("Consent", consent)).body)
        if current["status"] == "active":
            await session.write("patch", f"Consent/{consent}", stage)
    except FhirError as error:
        if error.category not in (Category.NOT_FOUND, Category.GONE):
            raise


def _inactive(consent: Json) -> Json:
    return {**consent, "status": "inactive"}

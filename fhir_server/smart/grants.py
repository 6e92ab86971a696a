"""Grants: letting an app in, narrowing what it may, and ending it, each together with the patient's Consent.

The record comes before the Consent, so that no Consent opens anything that nobody keeps account of; and it ends before
the Consent does, so that no token comes of it meanwhile.
https://hl7.org/fhir/smart-app-launch/STU2.2/, https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

import logging
import secrets
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.gateway.scopes import Scope, parse
from fhir_server.outcome import Category, FhirError
from fhir_server.smart import app_consents, consenting
from fhir_server.smart.authorize import answer, needs_patient, refusal
from fhir_server.smart.consenting import Choice, Duration
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.launches import told
from fhir_server.smart.logins import PORTAL
from fhir_server.smart.records import Authorization, Client, Code, Grant, Launch, Login, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from fhir_server.store.auth import AuthConflict, AuthWrite

SECOND: Final = 1_000_000
CODE_SECONDS: Final = 60
ONCE_SECONDS: Final = 3600
MONTHS: Final = 3

_SECRET_BYTES: Final = 32
_ATTEMPTS_MAX: Final = 8
# Why a person asks for something here (v3 ActReason); of a patient nobody asks why.
_PURPOSES: Final[Mapping[str, str]] = {"Patient": "", "RelatedPerson": "FAMRQT"}
_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """What waits for the answer of whoever is logged in: the request, and the launch that it came from, if any."""

    authorization: Kept[Authorization]
    client: Client
    launch: Kept[Launch] | None


def as_person(person: str) -> Requester:
    """Who asks when this person (`Patient/1` …) decides about apps: the person, in the portal."""
    kind, _, logical_id = person.partition("/")
    return Requester(
        user=person,
        client=PORTAL,
        scopes=(Scope("user", "*", "cruds"),),
        patient=logical_id if kind == "Patient" else "",
        purpose=_PURPOSES.get(kind, "TREAT"),
    )


def resident(person: str) -> bool:
    """Whether the person lets apps in to a dossier, by a Consent, and not to what they see of others."""
    return person.partition("/")[0] in _PURPOSES


async def let_in(server: AuthorizationServer, asked: Asked, login: Kept[Login], choice: Choice) -> str:
    """The redirect URL with a code, when the grant, its Consent and the code are stored.

    An older grant of the same app for the same dossier makes place for this one. Raises AuthConflict if the request
    was answered already, FhirError if the person may not let anybody in to this dossier: nothing is let in then.
    """
    authorization, types = asked.authorization.value, server.gateway.registry.resource_types
    now, person = server.now(), login.value.person
    scope = consenting.granted(authorization.scope, choice, types)
    opens = resident(person) and consenting.hangs_on_consent(scope, types)
    key, code = server.gateway.tools.new_id(), secrets.token_urlsafe(_SECRET_BYTES)
    grant = Grant(
        client=authorization.client,
        person=person,
        account=login.value.account,
        scope=scope,
        # Whom a launch is about the app is told, whatever it may read.
        patient=authorization.patient if opens or asked.launch or needs_patient(scope, types) else "",
        consent=server.gateway.tools.new_id() if opens else "",
        purpose=_purpose(server, person, asked.client),
        refresh=consenting.refresh(scope),
        login=login.key,
        launch_context=told(asked.launch.value, authorization.issuer) if asked.launch else "",
        version_1=authorization.version_1,
        nonce=authorization.nonce,
        since=login.value.since,
        acr=login.value.acr,
        created=now,
        until=_until(server, choice.duration, now),
    )
    await server.state.commit(
        server.state.authorizations.remove(asked.authorization),
        *([server.state.launches.remove(asked.launch)] if asked.launch else []),
        server.state.grants.add(key, grant, subject=person),
        _code(server, authorization, code, key, now),
        audit=[server.entry(person, grant.client, 200, "app let in", _about(grant))],
    )
    if grant.consent:
        try:
            session = server.gateway.session_of(as_person(person))
            replaced = await app_consents.write(server, session, key, grant, asked.client, choice)
        except FhirError:
            await _close(server, key, "app not let in after all", person)
            raise
        for consent in replaced:
            # Whoever writes a Consent can put any key in it: it counts if the grant says the same.
            older = await of_consent(server, consent)
            if older is not None:
                await _close(server, older.key, "app let in anew", person)
    return answer(authorization, code)


async def refuse(server: AuthorizationServer, asked: Asked, login: Kept[Login]) -> str:
    """The redirect URL that says so. Raises AuthConflict if the request was answered already."""
    authorization = asked.authorization.value
    person = login.value.person
    await server.state.commit(
        server.state.authorizations.remove(asked.authorization),
        *([server.state.launches.remove(asked.launch)] if asked.launch else []),
        audit=[server.entry(person, authorization.client, 403, "app not let in", person)],
    )
    return refusal(authorization, OAuthError("access_denied", "the person did not let the app in"))


async def end(server: AuthorizationServer, kept: Kept[Grant], by: Requester, why: str = "app stopped") -> None:
    """No token of the grant is good for anything when this returns, and its Consent is inactive.

    `by` is the person who stops it, or `system` where the protocol does, a code used twice for instance: then the
    Consent is ended in the name of whoever gave it. Ending it twice changes nothing.
    """
    await _close(server, kept.key, why, by.user if by.kind != SYSTEM_KIND else kept.value.person)
    if not kept.value.consent:
        return
    who = as_person(kept.value.person) if by.kind == SYSTEM_KIND else by
    try:
        await app_consents.end(server.gateway.session_of(who), kept.value.consent)
    except FhirError as error:
        if by.kind != SYSTEM_KIND:
            raise
        # They act for the patient no longer. The Consent opens nothing by itself: its tokens are gone.
        _log.warning("the Consent of a grant that ended could not be ended: %s", error.category.name)


async def narrow(
    server: AuthorizationServer,
    kept: Kept[Grant],
    client: Client,
    by: Requester,
    choice: Choice,
    version: int | None = None,
) -> None:
    """Of what the grant opened only what is ticked in `choice` is left when this returns; its duration stays.

    `version` is that of the Consent which `by` saw, None for any. Raises FhirError if `by` may not change the Consent,
    412 if it has another version, 410 if the grant has ended.
    """
    types = server.gateway.registry.resource_types
    if kept.value.consent:
        choice = await app_consents.still_ticked(server.gateway.session_of(by), kept.value, choice)
    # Whether the app may come back without the person was decided when it was let in.
    scope = consenting.granted(kept.value.scope, choice._replace(duration="always"), types)
    if kept.value.consent:
        made = app_consents.made(server, kept.key, kept.value, client, scope, choice)
        await app_consents.rewrite(server.gateway.session_of(by), {**made, "id": kept.value.consent}, version)
    # A Consent opens types. Where only a part of one is left, tokens that still say all of it have to go.
    finer = {one for one in parse(scope, types) if one.parameters} - set(parse(kept.value.scope, types))
    revoke = [kept.key] if finer or not kept.value.consent else []
    await _change(server, kept.key, "app narrowed", by.user, revoke, scope=scope)


async def makes_place(server: AuthorizationServer, person: str, patient: str, client: Client) -> bool:
    """Whether the app is let in to this dossier already, by whomever: what the person grants it takes the place."""
    return bool(await app_consents.of_app(server.gateway.session_of(as_person(person)), patient, client))


async def of_person(server: AuthorizationServer, person: str) -> list[Kept[Grant]]:
    """What the person let in and that has not ended, the newest first."""
    now = server.now()
    found = [kept for kept in await server.state.grants.all(person) if running(kept.value, now)]
    return sorted(found, key=lambda kept: kept.value.created, reverse=True)


async def of_consent(server: AuthorizationServer, consent: Mapping[str, Any]) -> Kept[Grant] | None:
    """The grant that a Consent was made for, whoever gave it; None for any other Consent, and for one that ended."""
    for identifier in consent.get("identifier") or ():
        if identifier.get("system") == consenting.GRANT_SYSTEM and identifier.get("value"):
            kept = await server.state.grants.get(identifier["value"])
            if kept is not None and kept.value.consent == consent.get("id") and running(kept.value, server.now()):
                return kept
    return None


def running(grant: Grant, now: int) -> bool:
    return not grant.ended and not 0 < grant.until <= now


# --- records -----------------------------------------------------------------------------------------------------


def _code(server: AuthorizationServer, authorization: Authorization, code: str, grant: str, now: int) -> AuthWrite:
    expires = now + CODE_SECONDS * SECOND
    record = Code(
        client=authorization.client,
        redirect_uri=authorization.redirect_uri,
        challenge=authorization.challenge,
        grant=grant,
        issuer=authorization.issuer,
        base=authorization.base,
        expires=expires,
    )
    return server.state.codes.add(digest(code), record, subject=grant, expires=expires)


async def _close(server: AuthorizationServer, key: str, why: str, person: str) -> None:
    """The grant has ended, and its tokens with it."""
    try:
        await _change(server, key, why, person, [key], ended=server.now())
    except FhirError as error:
        if error.category is not Category.GONE:
            raise


async def _change(
    server: AuthorizationServer, key: str, why: str, person: str, revoke: Sequence[str], **changes: Any
) -> None:
    """The grant is what it was besides the changes. Raises FhirError: 410 if it has ended."""
    for _ in range(_ATTEMPTS_MAX):
        kept = await server.state.grants.get(key)
        if kept is None or kept.value.ended:
            raise FhirError(Category.GONE, "what was granted has ended")
        entry = server.entry(person, kept.value.client, 200, why, _about(kept.value))
        write = server.state.grants.change(kept, replace(kept.value, **changes))
        try:
            return await server.state.commit(write, revoke_grants=revoke, audit=[entry])
        except AuthConflict:
            continue  # a token was issued under it meanwhile: it is changed from there
    raise FhirError(Category.CONFLICT, "others keep changing the same grant, try again")


def _about(grant: Grant) -> str:
    return f"Patient/{grant.patient}" if grant.patient else grant.person


def _purpose(server: AuthorizationServer, person: str, client: Client) -> str:
    """To what end the app's tokens ask.

    A professional's app never asks on the patient's behalf, whatever it was registered for: what patients open to the
    app for themselves is not for professionals who use the same one.
    """
    if resident(person):
        return _PURPOSES[person.partition("/")[0]]
    own = client.purpose and not server.gateway.rules.vocabulary.covers("PATRQT", client.purpose)
    return client.purpose if own else "TREAT"


def _until(server: AuthorizationServer, duration: Duration, now: int) -> int:
    """When it ends by itself: a token can be had for a minute and lasts an hour at most; 0: it does not."""
    if duration == "always":
        return 0
    if duration == "once":
        return now + ONCE_SECONDS * SECOND
    return int(_months_later(app_consents.local(server, now)).timestamp()) * SECOND


def _months_later(day: datetime) -> datetime:
    """The same day three months on, the last of the month where that has fewer."""
    years, month = divmod(day.month - 1 + MONTHS, 12)
    year = day.year + years
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))

"""Who and what a person let in: the apps they granted something, and everybody whom the Consents in force name.

All of it is read and written through the person's own Session, so a patient and their proxies see the dossier's, and a
professional sees the apps they let in for themself and nothing else.
https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#management_endpoint, https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from consent.instants import interval
from consent.model import FOREVER, Actor, ConsentRecord, Party, Scope
from consent.parse import parse as read_consent
from consent.words import LANGUAGES, Language, Text
from fhir_server.gateway.session import Session
from fhir_server.search.parse import parse as read_search
from fhir_server.smart import grants, telling
from fhir_server.smart.categories import CATEGORIES, SENSITIVITIES, Category, Sensitivity
from fhir_server.smart.consenting import (
    Choice,
    everything,
    ticked,
)
from fhir_server.smart.last_used import LastUsed, last_used
from fhir_server.smart.naming import KnownAs, client_of, known_as
from fhir_server.smart.records import Client, Grant
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept
from profiles import json

Json = Mapping[str, Any]
Kind = Literal["app", "care", "person", "closed"]

_READS: Final[Text] = ("Mag lezen: {what}.", "May read: {what}.")
_WRITES: Final[Text] = ("Mag schrijven: {what}.", "May write: {what}.")
_AND_MORE: Final[Text] = ("{what}; en nog {count} andere", "{what}; and {count} more")
_ALSO_ABOUT: Final[Text] = ("Ook gevoelige gegevens: {what}.", "Sensitive information too: {what}.")
_CONSENTS_MAX: Final = 1_000
_RULES_BRIEF_MAX: Final = 3
_TITLES_BRIEF_MAX: Final = 3
_IN_FORCE: Final = frozenset({Scope.PRIVACY, Scope.RESEARCH})
_PEOPLE: Final = frozenset({"Patient", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Connection:
    """An app, a care provider or somebody else who was let in; or what was closed to somebody (`closed`).

    `names` are whom it is about, () for everybody; `rules` what they may, a sentence each, and `brief` the first of
    that, for a list. Times are microseconds since 1970 UTC: `until` 0 where no end is set, `used` 0 where it was never
    used, None where that is not known. `given_by` is who let them in, '' if that is the reader. `consent` and `grant`
    are what it rests on: the id of a Consent at `version`, '' if there is none, and the grant of the app `client`.
    `choice` is what was ticked for it, None where there is nothing to untick. `forbids`: some rule says no, which ends
    with it.
    """

    kind: Kind
    names: tuple[str, ...]
    rules: tuple[str, ...]
    since: int
    until: int
    used: int | None
    given_by: str = ""
    client: str = ""
    consent: str = ""
    version: int = 0
    grant: Kept[Grant] | None = field(default=None, repr=False)
    choice: Choice | None = None
    forbids: bool = False
    brief: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What it is found by: `consent-` or `grant-` and the id."""
        if self.consent:
            return f"consent-{self.consent}"
        assert self.grant is not None, "a connection rests on a Consent or on a grant"
        return f"grant-{self.grant.key}"


@dataclass(frozen=True, slots=True)
class _Given:
    """A Consent that is in force, as it is stored and as it is read."""

    resource: Json
    record: ConsentRecord

    @property
    def apps(self) -> tuple[str, ...]:
        """The client ids of the apps that it lets in."""
        whom = telling.recipients(self.record.provisions) or ()
        return tuple(filter(None, (client_of(one.reference) for one in whom if isinstance(one, Party))))


async def connections(
    server: AuthorizationServer, session: Session, patient: str, language: Language
) -> tuple[Connection, ...]:
    """Everything that stands now, apps first, those let in last first. `patient` '': no dossier, the person's own apps.

    Raises FhirError as Session.search does.
    """
    now = server.now()
    person = session.requester.user
    given = await _in_force(server, session, patient, now) if patient else []
    references = {one for consent in given for one in telling.names_of(consent.record.provisions)}
    references |= {one for consent in given for one in consent.record.performers}
    known = await known_as(session, patient, sorted(references), [one.resource for one in given], language)
    clients = {client for consent in given for client in consent.apps}
    used = LastUsed({}, {}, whole=True)
    if patient:
        used = await last_used(session, patient, [one.record.id for one in given], clients)
    told = [await _of_consent(server, one, known, used, language, person) for one in given]
    # Without a Consent: what professionals let in, and apps that open no dossier.
    own = [kept for kept in await grants.of_person(server, person) if not kept.value.consent]
    told += [await _of_grant(server, kept, language) for kept in own]
    order = ("app", "care", "person", "closed")
    return tuple(sorted(told, key=lambda one: (order.index(one.kind), -one.since)))


async def connection(
    server: AuthorizationServer, session: Session, patient: str, id: str, language: Language
) -> Connection | None:
    """The one with this id, None if the person has none such now."""
    return next((one for one in await connections(server, session, patient, language) if one.id == id), None)


async def _in_force(server: AuthorizationServer, session: Session, patient: str, now: int) -> list[_Given]:
    criteria = [("patient", f"Patient/{patient}"), ("status", "active")]
    search = read_search(("Consent",), criteria, session.context())
    found = await session.search(search.query, target="Consent", parameters=criteria, count=_CONSENTS_MAX)
    rules, zone = server.gateway.rules, server.settings.zone
    given = []
    for released in found.matches:
        resource: Json = json.parse(released.body)
        record = read_consent(resource, rules.vocabulary, zone)
        if record.scope in _IN_FORCE and telling.until(record.provisions) > now:
            given.append(_Given(resource, record))
    return given


async def _of_consent(
    server: AuthorizationServer,
    given: _Given,
    known: KnownAs,
    used: LastUsed,
    language: Language,
    person: str,
) -> Connection:
    record, zone = given.record, server.settings.zone
    whom = telling.recipients(record.provisions)
    end = telling.until(record.provisions)
    grant = await grants.of_consent(server, given.resource)
    written = interval(given.resource.get("dateTime"), zone)
    others = sorted(record.performers - {person})
    last = [used.consents.get(record.id), *(used.clients.get(client) for client in given.apps)]
    times = [at for at in last if at is not None]
    rules = telling.rules(record.provisions, language, zone, known)
    choice, brief = None, rules[:_RULES_BRIEF_MAX]
    if grant is not None:
        choice = ticked(grant.value.scope, given.resource, server.gateway.registry.resource_types)
        rules, brief = app_rules(choice, language), app_rules(choice, language, _TITLES_BRIEF_MAX)
    return Connection(
        kind=_kind(record, whom, given.apps),
        names=tuple(known.actor(one) for one in whom or ()),
        rules=rules,
        since=written[0] if written else 0,
        until=0 if end == FOREVER else end,
        used=max(times) if times else 0 if used.whole else None,
        given_by="" if person in record.performers or not others else ", ".join(map(known.person, others)),
        client=given.apps[0] if given.apps else "",
        consent=record.id,
        version=int(record.version or 0),
        grant=grant,
        choice=choice,
        forbids=grant is None and telling.forbids(record.provisions),
        brief=brief,
    )


def _kind(record: ConsentRecord, whom: Sequence[Actor] | None, apps: Sequence[str]) -> Kind:
    if not telling.opens(record.provisions):
        return "closed"
    if apps:
        return "app"
    named = [one.reference.partition("/")[0] for one in whom or () if isinstance(one, Party)]
    return "person" if named and _PEOPLE.issuperset(named) else "care"


async def _of_grant(server: AuthorizationServer, kept: Kept[Grant], language: Language) -> Connection:
    grant = kept.value
    client = await client_of_grant(server, grant)
    choice = everything(grant.scope, server.gateway.registry.resource_types)._replace(sensitive=frozenset())
    return Connection(
        kind="app",
        names=(client.name,),
        rules=app_rules(choice, language),
        brief=app_rules(choice, language, _TITLES_BRIEF_MAX),
        since=grant.created,
        until=grant.until,
        used=grant.used,
        client=grant.client,
        grant=kept,
    )


async def client_of_grant(server: AuthorizationServer, grant: Grant) -> Client:
    """The app; one that was removed meanwhile by its id alone."""
    kept = await server.state.clients.get(grant.client)
    return kept.value if kept else Client(id=grant.client, name=grant.client, kind="public", scope="")


def app_rules(choice: Choice, language: Language, titles_max: int = len(CATEGORIES)) -> tuple[str, ...]:
    """What was ticked for an app, in the words of the screen on which it was.

    Of more than `titles_max` rows the others are counted, unless that is one.
    """
    at = LANGUAGES.index(language)

    def titles(rows: Iterable[Category | Sensitivity], names: Collection[str]) -> str:
        told = [getattr(one.title, language) for one in rows if one.name in names]
        others = len(told) - titles_max
        if others < 2:
            return "; ".join(told)
        return _AND_MORE[at].format(what="; ".join(told[:titles_max]), count=others)

    told = (
        (_READS, titles(CATEGORIES, choice.reading)),
        (_WRITES, titles(CATEGORIES, choice.writing)),
        (_ALSO_ABOUT, titles(SENSITIVITIES, choice.sensitive)),
    )
    return tuple(words[at].format(what=what) for words, what in told if what)

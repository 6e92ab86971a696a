"""What a person ticked, as the scopes an app is granted and as the Consent that lets it in; and back.

The Consent closes the whole dossier to the app and opens in it what was ticked: types of records, for reading and for
writing apart, as far as they are normally confidential and about no sensitive subject, unless that was ticked too.
https://hl7.org/fhir/R4/consent.html, https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as narrowed
from datetime import datetime
from html import escape
from typing import Any, Final, Literal, NamedTuple

from consent.vocabulary import ACT_CODE, ACT_REASON, CONFIDENTIALITY, CONSENT_ACTION, CONSENT_SCOPE, PARTICIPATION
from consent.vocabulary import RESOURCE_TYPES as RESOURCE_TYPES_SYSTEM
from fhir_server.gateway.directory import PERSONAL, UNOWNED
from fhir_server.gateway.scopes import Scope, parse
from fhir_server.smart import scopes
from fhir_server.smart.categories import CATEGORIES, READING, SENSITIVE, SENSITIVITIES, WRITING, Category
from fhir_server.smart.records import Client

Json = dict[str, Any]
Duration = Literal["once", "months", "always"]
DURATIONS: Final[tuple[Duration, ...]] = ("once", "months", "always")

GRANT_SYSTEM: Final = "https://wijkdossier.nl/fhir/NamingSystem/grant"
CATEGORY_SYSTEM: Final = "https://wijkdossier.nl/fhir/CodeSystem/consent-category"
APP_ACCESS: Final = "app-access"

_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """What an app asks for, row by row. `sensitive`: whether sensitive subjects come into it; `lasting`: whether it
    asks to come back without the person."""

    reading: tuple[Category, ...]
    writing: tuple[Category, ...]
    sensitive: bool
    lasting: bool


class Choice(NamedTuple):
    """What was ticked: names of categories for reading and for writing, of sensitive subjects, and for how long."""

    reading: frozenset[str] = _NOTHING
    writing: frozenset[str] = _NOTHING
    sensitive: frozenset[str] = _NOTHING
    duration: Duration = "once"


@dataclass(frozen=True, slots=True)
class Terms:
    """Who lets whom in to which dossier. `until` is when it ends by itself, None: it does not."""

    grant: str
    client: Client
    person: str
    patient: str
    at: datetime
    until: datetime | None = None


def offered(scope: str, types: Collection[str]) -> Offer:
    """The rows that the scopes reach anything in."""
    asked = parse(scope, types)
    reading, writing = (tuple(_touched(asked, letters)) for letters in (READING, WRITING))
    words = scopes.words(scope)
    return Offer(
        reading,
        writing,
        sensitive=any(not category.types <= UNOWNED | PERSONAL for category in (*reading, *writing)),
        lasting=scopes.OFFLINE in words or scopes.ONLINE in words,
    )


def everything(scope: str, types: Collection[str]) -> Choice:
    """All that is asked for, by somebody who lets an app in to what they may see of others, not to a dossier."""
    offer = offered(scope, types)
    return Choice(
        frozenset(one.name for one in offer.reading),
        frozenset(one.name for one in offer.writing),
        frozenset(one.name for one in SENSITIVITIES),
    )


def granted(scope: str, choice: Choice, types: Collection[str]) -> str:
    """The part of the scope that was ticked: the whole answer of the token endpoint.

    What was asked for with `*` and not ticked whole becomes a list of types.
    """
    lasting = (scopes.OFFLINE, scopes.ONLINE)
    words = [word for word in scopes.words(scope) if word not in lasting or choice.duration != "once"]
    found: list[Scope] = []
    for one in parse(scope, types):
        for letters, ticked in ((READING, choice.reading), (WRITING, choice.writing)):
            kept = "".join(letter for letter in one.actions if letter in letters)
            if kept:
                found += _ticked(narrowed(one, actions=kept), ticked)
    # Known once more, so that reading and writing of one type become one again.
    return scopes.known(scopes.written(words, found), types)


def refresh(scope: str) -> Literal["", "offline", "online"]:
    """Whether what was granted may be refreshed, and whether only while the person stays logged in."""
    words = scopes.words(scope)
    if scopes.OFFLINE in words:
        return "offline"
    return "online" if scopes.ONLINE in words else ""


def hangs_on_consent(scope: str, types: Collection[str]) -> bool:
    """Whether the scopes reach anything that a patient has to open."""
    return bool(parse(scope, types)) or scopes.FHIR_USER in scopes.words(scope)


def consent(terms: Terms, scope: str, sensitive: Collection[str], types: Collection[str]) -> Json:
    """The Consent that opens to the app what `scope` reaches, and of what is sensitive only the subjects named."""
    person = {"reference": terms.person}
    return {
        "resourceType": "Consent",
        "text": _narrative(terms, offered(scope, types), sensitive),
        "identifier": [{"system": GRANT_SYSTEM, "value": terms.grant}],
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": CATEGORY_SYSTEM, "code": APP_ACCESS, "display": "Toegang voor een app"}]}],
        "patient": {"reference": f"Patient/{terms.patient}"},
        "dateTime": terms.at.isoformat(timespec="seconds"),
        "performer": [person],
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "OPTIN"}]},
        "provision": {
            "type": "deny",
            **({"period": {"end": terms.until.isoformat(timespec="seconds")}} if terms.until else {}),
            "actor": [
                {
                    "role": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
                    "reference": {"reference": terms.client.device, "display": terms.client.name},
                }
            ],
            # Of the patient and who acts for them: a professional who uses the same app is not let in by it.
            "purpose": [{"system": ACT_REASON, "code": "PATRQT"}],
            "provision": list(_provisions(terms, scope, sensitive, types)),
        },
    }


def ticked(scope: str, resource: Mapping[str, Any], types: Collection[str]) -> Choice:
    """What is ticked in a Consent made here, of the scope that goes with it; `duration` is not told by it."""
    offer = offered(scope, types)
    permits = [part for part in _children(resource.get("provision")) if part.get("type") == "permit"]
    return Choice(
        frozenset(one.name for one in offer.reading if _open(one, permits, ("access",))),
        frozenset(one.name for one in offer.writing if _open(one, permits, ("collect", "correct"))),
        frozenset(one for permit in permits for one in _subjects(permit)),
    )


# --- scopes ------------------------------------------------------------------------------------------------------


def _touched(asked: Iterable[Scope], letters: str) -> Iterator[Category]:
    of_these = [one for one in asked if not set(letters).isdisjoint(one.actions)]
    return (category for category in _rows(letters) if any(category.touches(one) for one in of_these))


def _rows(letters: str) -> Iterable[Category]:
    """The rows for reading, or those for writing."""
    return CATEGORIES if set(letters) & set(READING) else (one for one in CATEGORIES if one.writable)


def _ticked(scope: Scope, names: Collection[str]) -> Iterator[Scope]:
    touched = [category for category in _rows(scope.actions) if category.touches(scope)]
    chosen = [category for category in touched if category.name in names]
    if chosen == touched:
        yield from [scope] if touched else []
        return
    for type in sorted({type for category in chosen for type in category.types if category.holds(type, scope)}):
        one = narrowed(scope, type=type) if scope.type == "*" else scope
        if one.type != type:
            continue
        rows = [category for category in chosen if type in category.types]
        if len(rows) == sum(category.holds(type, scope) for category in touched):
            yield one
        else:
            yield from (narrowed(one, parameters=(*one.parameters, row.constraint)) for row in rows)


# --- the Consent -------------------------------------------------------------------------------------------------


def _provisions(terms: Terms, scope: str, sensitive: Collection[str], types: Collection[str]) -> Iterator[Json]:
    """What is opened, types that are opened alike together."""
    by_actions: dict[tuple[str, ...], list[str]] = {}
    for type in sorted({type for category in CATEGORIES for type in category.types} - UNOWNED):
        letters = {letter for one in parse(scope, types) if one.type in (type, "*") for letter in one.actions}
        found = (
            *(("access",) if letters & set(READING) else ()),
            *(("collect",) if "c" in letters else ()),
            *(("correct",) if letters & set("ud") else ()),
        )
        for actions in (found[:1], found[1:]) if found[:1] == ("access",) else (found,):
            if actions:
                by_actions.setdefault(actions, []).append(type)
    for actions, several in by_actions.items():
        ordinary = [type for type in several if type not in PERSONAL]
        personal = [type for type in several if type in PERSONAL]
        if ordinary:
            yield _permit(actions, ordinary) | _labels(sensitive)
        if personal:
            # Opened by name or not at all: a deny about any part of them would close them.
            yield _permit(actions, personal)
    if scopes.FHIR_USER in scopes.words(scope):
        # The person's own resource, whatever else was ticked: the app is told who they are.
        itself = {"meaning": "instance", "reference": {"reference": terms.person}}
        yield {"type": "permit", "action": [_action("access")], "data": [itself]}


def _permit(actions: Iterable[str], types: Iterable[str]) -> Json:
    return {
        "type": "permit",
        "action": [_action(action) for action in actions],
        "class": [{"system": RESOURCE_TYPES_SYSTEM, "code": type} for type in types],
    }


def _labels(sensitive: Collection[str]) -> Json:
    """How far a permit goes: up to normally confidential, without sensitive subjects, "no, but" those that were ticked.

    A record about two subjects is opened only if both were ticked: the exception has its own exception.
    """
    opened = {code for one in SENSITIVITIES if one.name in sensitive for code in one.codes}
    closed = {code for one in SENSITIVITIES if one.name not in sensitive for code in one.codes}
    if "confidential" in sensitive:
        return {
            "securityLabel": [{"system": CONFIDENTIALITY, "code": "V"}],
            **({"provision": [_labelled("deny", closed)]} if closed else {}),
        }
    but = _labelled("permit", opened) | ({"provision": [_labelled("deny", closed)]} if closed else {})
    return {
        "securityLabel": [{"system": CONFIDENTIALITY, "code": "N"}],
        "provision": [_labelled("deny", {SENSITIVE}) | ({"provision": [but]} if opened else {})],
    }


def _labelled(type: str, codes: Iterable[str]) -> Json:
    return {"type": type, "securityLabel": [{"system": ACT_CODE, "code": code} for code in sorted(codes)]}


def _action(code: str) -> Json:
    return {"coding": [{"system": CONSENT_ACTION, "code": code}]}


def _narrative(terms: Terms, offer: Offer, sensitive: Collection[str]) -> Json:
    until = f"tot {terms.until:%d-%m-%Y %H:%M}" if terms.until else "tot de bewoner ermee stopt"
    sentences = [
        f"De app {terms.client.name} mag in dit dossier, {until}.",
        _sentence("Lezen", [one.title.nl for one in offer.reading]),
        _sentence("Schrijven", [one.title.nl for one in offer.writing]),
        _sentence("Ook over", [one.title.nl for one in SENSITIVITIES if one.name in sensitive]),
    ]
    body = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml" lang="nl">{body}</div>'}


def _sentence(what: str, titles: Sequence[str]) -> str:
    return f"{what}: {'; '.join(titles)}." if titles else ""


# --- and back ----------------------------------------------------------------------------------------------------


def _open(category: Category, permits: Iterable[Mapping[str, Any]], actions: Collection[str]) -> bool:
    """Whether a permit opens anything of the row; the directory is open to everybody."""
    return category.types <= UNOWNED or any(
        not category.types.isdisjoint(_codes(permit.get("class")))
        and not set(actions).isdisjoint(
            code for action in permit.get("action") or () for code in _codes(action["coding"])
        )
        for permit in permits
    )


def _subjects(permit: Mapping[str, Any]) -> Iterator[str]:
    labels = _codes(permit.get("securityLabel"))
    if not labels:
        return  # what is opened by name says nothing of subjects
    denies = _children(permit)
    if "V" in labels:
        closed = {code for deny in denies for code in _codes(deny.get("securityLabel"))}
        yield from (one.name for one in SENSITIVITIES if not one.codes & closed)
        return
    opened = {code for deny in denies for but in _children(deny) for code in _codes(but.get("securityLabel"))}
    yield from (one.name for one in SENSITIVITIES if one.codes & opened)


def _children(provision: Any) -> list[Mapping[str, Any]]:
    return list(provision.get("provision") or ()) if isinstance(provision, Mapping) else []


def _codes(codings: Any) -> frozenset[str]:
    return frozenset(coding["code"] for coding in codings or ())

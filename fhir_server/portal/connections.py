"""Connected apps and people: who was let in to what, since when, last used when; to see, to narrow and to stop.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#management_endpoint
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.responses import Response

from consent.say import day
from consent.words import listed
from fhir_server.portal.visit import Page, Problem, Visit
from fhir_server.portal.words import Language, Table
from fhir_server.smart import patients
from fhir_server.smart.accounts import OPERATOR
from fhir_server.smart.categories import CATEGORIES, SENSITIVITIES, Category, Sensitivity
from fhir_server.smart.connection_changes import narrow, stop
from fhir_server.smart.connections import Connection, connection, connections
from fhir_server.smart.consenting import Choice

WORDS: Final[Table] = {
    "apps_title": ("Wie mag meekijken?", "Who can see the record?"),
    "apps_title_professional": ("Mijn apps", "My apps"),
    "apps_of": ("Het dossier van {name}", "The record of {name}"),
    "apps_intro": (
        "Hier ziet u wie uw dossier mag gebruiken: apps, zorgverleners en andere mensen. U kunt op elk moment stoppen.",
        "Here you see who may use your record: apps, care providers and other people. You can stop at any time.",
    ),
    "apps_intro_proxy": (
        "Hier ziet u wie dit dossier mag gebruiken: apps, zorgverleners en andere mensen. "
        "U kunt voor {name} op elk moment stoppen.",
        "Here you see who may use this record: apps, care providers and other people. "
        "You can stop at any time for {name}.",
    ),
    "apps_intro_professional": (
        "Dit zijn de apps die u voor uw eigen werk hebt toegelaten. Zij zien niet meer dan u mag zien.",
        "These are the apps you let in for your own work. They see no more than you may see.",
    ),
    "apps_nobody": (
        "U regelt hier op dit moment geen zaken voor iemand. Daarom ziet u hier niets.",
        "You do not act for anybody here at the moment. That is why there is nothing to see.",
    ),
    "apps_app": ("Apps", "Apps"),
    "apps_care": ("Zorgverleners en organisaties", "Care providers and organisations"),
    "apps_person": ("Familie en andere mensen", "Family and other people"),
    "apps_closed": ("Wie niet mag meekijken", "Who may not see the record"),
    "apps_none_app": ("Er zijn geen apps toegelaten.", "No apps have been let in."),
    "apps_everybody": ("Iedereen", "Everybody"),
    "apps_since": ("Sinds {day}", "Since {day}"),
    "apps_until": ("Tot en met {day}", "Up to and including {day}"),
    "apps_until_time": ("Tot {day} om {time} uur", "Until {day} at {time}"),
    "apps_until_stopped": ("Tot u stopt", "Until you stop"),
    "apps_used": ("Laatst gebruikt op {day} om {time} uur", "Last used on {day} at {time}"),
    "apps_used_never": ("Nog niet gebruikt", "Not used yet"),
    "apps_used_unknown": ("Lang niet gebruikt, of nooit", "Not used for a long time, or never"),
    "apps_given_by": ("Toegelaten door {name}", "Let in by {name}"),
    "apps_more": ("Meer hierover", "More about this"),
    "apps_more_named": ("Meer hierover: {name}", "More about this: {name}"),
    "apps_may": ("Wat mag wel en niet?", "What is allowed, and what is not?"),
    "apps_may_app": ("Wat mag deze app?", "What may this app do?"),
    "apps_when": ("Wanneer?", "When?"),
    "apps_log": ("Bekijk wanneer dit is gebruikt", "See when this was used"),
    "apps_stop": ("Nu stoppen", "Stop now"),
    "apps_stop_named": ("Nu stoppen: {name}", "Stop now: {name}"),
    "apps_back": ("Terug naar het overzicht", "Back to the list"),
    "apps_narrow_explained": (
        "Haal het vinkje weg bij wat deze app niet meer mag. Dat geldt meteen.",
        "Untick what this app may no longer do. This counts at once.",
    ),
    "apps_narrow_more": (
        "Wilt u meer laten zien? Dat kan alleen vanuit de app zelf: log daar opnieuw in.",
        "Do you want to show more? You can only do that from the app itself: log in there again.",
    ),
    "apps_narrow_elsewhere": (
        "Deze toegang kunt u hier stoppen, maar niet kleiner maken. Dat kan met een app voor toestemmingen, "
        "of vraag het de beheerder van deze website.",
        "Here you can stop this access, but not make it smaller. You can do that with an app for permissions, "
        "or ask the operator of this website.",
    ),
    "apps_narrow_professional": (
        "Deze app ziet niet meer dan u. Wilt u dat niet meer? Stop er dan mee.",
        "This app sees no more than you do. Do you not want that any more? Then stop it.",
    ),
    "apps_reading": ("Lezen", "Read"),
    "apps_writing": ("Schrijven", "Write"),
    "apps_sensitive": ("Gevoelige gegevens", "Sensitive information"),
    "apps_save": ("Opslaan", "Save"),
    "apps_saved": ("Opgeslagen. Dit geldt vanaf nu.", "Saved. This counts from now on."),
    "apps_nothing_left": (
        "Zo blijft er niets over. Er is niets veranderd. Wilt u helemaal stoppen?",
        "This would leave nothing. Nothing has changed. Do you want to stop altogether?",
    ),
    "apps_stop_title": ("Wilt u hiermee stoppen?", "Do you want to stop this?"),
    "apps_stop_app": (
        "De app {name} kan daarna niets meer lezen of schrijven. Wat de app al heeft, kan nog in de app staan.",
        "After this the app {name} can no longer read or write. What the app already has may still be in it.",
    ),
    "apps_stop_other": (
        "Deze toegang vervalt meteen: {name}. Wat iemand zelf heeft opgeschreven, mag hij of zij blijven lezen.",
        "This access ends at once: {name}. People may still read what they wrote themselves.",
    ),
    "apps_stop_also": (
        "In deze keuze staat ook wat niet mag. Dat vervalt dan ook.",
        "This choice also says what is not allowed. That ends too.",
    ),
    "apps_stop_closed": (
        "Let op: dit is een verbod, voor: {name}. Als u stopt, vervalt het verbod. "
        "Anderen kunnen dan misschien meer zien dan nu.",
        "Note: this forbids access, for: {name}. If you stop it, that no longer holds. "
        "Others may then be able to see more than now.",
    ),
    "apps_stop_keep": ("Niet stoppen", "Do not stop"),
    "apps_stopped_title": ("Gestopt", "Stopped"),
    "apps_stopped": (
        "Dit is gestopt op {day} om {time} uur: {name}.",
        "This was stopped on {day} at {time}: {name}.",
    ),
    "apps_stopped_already": (
        "Dit bestaat niet meer. Misschien was het al gestopt.",
        "This no longer exists. Perhaps it was stopped already.",
    ),
    "apps_changed_meanwhile": (
        "Er is intussen iets veranderd aan deze toegang. Ga terug, kijk wat er nu staat en probeer het nog een keer.",
        "This access has changed in the meantime. Go back, see what it says now and try again.",
    ),
}

_SECTIONS: Final = ("app", "care", "person", "closed")
_FIELDS: Final = ("reading", "writing", "sensitive")
_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A connection as a page tells of it; the sentences are in the language of the visit."""

    id: str
    kind: str
    name: str
    rules: tuple[str, ...]
    brief: tuple[str, ...]
    times: tuple[str, ...]
    log: str
    forbids: bool


async def show_all(visit: Visit) -> Response:
    if visit.person == OPERATOR:
        return visit.redirect("/portal/operator")
    patient = await patients.own(visit.server, visit.person)
    found = await connections(visit.server, visit.session(), patient, visit.language)
    shown = [_shown(visit, one) for one in found]
    return visit.page(
        "connections.html",
        whose=await whose(visit, patient),
        patient=patient,
        sections=[(kind, [one for one in shown if one.kind == kind]) for kind in _SECTIONS],
    )


async def show_one(visit: Visit) -> Response:
    return _page_of(visit, await _found(visit), done="apps_saved" if visit.query.one("saved") else "")


async def narrow_one(visit: Visit) -> Response:
    found = await _found(visit)
    if (visit.form.one("version") or "") != str(found.version):
        raise Problem(409, "apps_changed_meanwhile")
    reading, writing, sensitive = (frozenset(visit.form.all(name)) for name in _FIELDS)
    try:
        await narrow(visit.server, visit.session(), found, Choice(reading, writing, sensitive))
    except ValueError:
        return _page_of(visit, found, wrong="apps_nothing_left", status=422)
    return visit.redirect(f"/portal/apps/{found.id}?saved=1")


async def ask_to_stop(visit: Visit) -> Response:
    return visit.page("stop.html", one=_shown(visit, await _found(visit)), stopped="")


async def stop_one(visit: Visit) -> Response:
    found = await _found(visit)
    await stop(visit.server, visit.session(), found)
    shown, now = _shown(visit, found), visit.server.now()
    said = visit.say("apps_stopped", name=shown.name, day=_day(visit, now), time=_time(visit, now))
    return visit.page("stop.html", one=shown, stopped=said)


async def whose(visit: Visit, patient: str) -> str:
    """The name of the patient whose dossier it is, '' if it is the reader's own, or nobody's."""
    if not patient or visit.person == f"Patient/{patient}":
        return ""
    known = await patients.seen(visit.server, visit.person, patient)
    return known.name if known else ""


async def _found(visit: Visit) -> Connection:
    """The connection in the address. Raises Problem 404 if the person has none such now."""
    patient = await patients.own(visit.server, visit.person)
    found = await connection(visit.server, visit.session(), patient, visit.parts["id"], visit.language)
    if found is None:
        raise Problem(404, "apps_stopped_already")
    return found


def _page_of(visit: Visit, found: Connection, *, done: str = "", wrong: str = "", status: int = 200) -> Response:
    choice = found.choice
    return visit.page(
        "connection.html",
        status=status,
        one=_shown(visit, found),
        version=found.version,
        boxes=_boxes(visit, choice) if choice is not None else [],
        elsewhere="apps_narrow_elsewhere" if found.consent else "apps_narrow_professional",
        done=done,
        wrong=wrong,
    )


def _boxes(visit: Visit, choice: Choice) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """By field what is ticked now: name, title and explanation of each box."""
    rows: Mapping[str, Sequence[Category | Sensitivity]] = {
        "reading": [one for one in CATEGORIES if one.name in choice.reading],
        "writing": [one for one in CATEGORIES if one.name in choice.writing],
        "sensitive": [one for one in SENSITIVITIES if one.name in choice.sensitive],
    }
    at: Language = visit.language
    return [
        (
            field,
            [
                (one.name, getattr(one.title, at), getattr(one.explained, at) if isinstance(one, Category) else "")
                for one in rows[field]
            ],
        )
        for field in _FIELDS
        if rows[field]
    ]


def _shown(visit: Visit, one: Connection) -> Shown:
    query = f"?consent={one.consent}" if one.consent else ""
    return Shown(
        id=one.id,
        kind=one.kind,
        name=listed(one.names, visit.language) if one.names else visit.say("apps_everybody"),
        rules=one.rules,
        brief=one.brief,
        times=tuple(_times(visit, one)),
        log=f"/portal/log{query}" if one.consent else "",
        forbids=one.forbids,
    )


def _times(visit: Visit, one: Connection) -> Sequence[str]:
    told = [visit.say("apps_since", day=_day(visit, one.since))] if one.since else []
    told.append(_end(visit, one.until))
    if one.kind != "closed":
        match one.used:
            case None:
                told.append(visit.say("apps_used_unknown"))
            case 0:
                told.append(visit.say("apps_used_never"))
            case at:
                told.append(visit.say("apps_used", day=_day(visit, at), time=_time(visit, at)))
    return [*told, visit.say("apps_given_by", name=one.given_by)] if one.given_by else told


def _end(visit: Visit, until: int) -> str:
    """A period that ends at midnight ends with the day before."""
    if not until:
        return visit.say("apps_until_stopped")
    if _time(visit, until) == "00:00":
        return visit.say("apps_until", day=_day(visit, until - _SECOND))
    return visit.say("apps_until_time", day=_day(visit, until), time=_time(visit, until))


def _day(visit: Visit, at: int) -> str:
    return day(at, visit.language, visit.server.settings.zone)


def _time(visit: Visit, at: int) -> str:
    return f"{datetime.fromtimestamp(at // _SECOND, visit.server.settings.zone):%H:%M}"


PAGES: Final = (
    Page("GET", "/portal/apps", show_all),
    Page("GET", "/portal/apps/{id}", show_one),
    Page("POST", "/portal/apps/{id}", narrow_one, repeatable=_FIELDS),
    Page("GET", "/portal/apps/{id}/stop", ask_to_stop),
    Page("POST", "/portal/apps/{id}/stop", stop_one),
)

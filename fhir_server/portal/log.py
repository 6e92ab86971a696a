"""The access log, for whoever the dossier belongs to and who acts for them: newest first, a sentence a line.

NEN 7513 and the Wabvpz (article 15e) give residents the log of who looked. https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from fhir_server.gateway.audit_events import EMERGENCY
from fhir_server.gateway.session import Session
from fhir_server.operations.access_log_page import Line, log_page, log_search
from fhir_server.operations.access_log_words import sentence
from fhir_server.outcome import FhirError
from fhir_server.portal.connections import whose
from fhir_server.portal.visit import Page, Problem, Visit
from fhir_server.portal.words import Table
from fhir_server.search.parse import ParsedSearch, parse
from fhir_server.search.query import And, Not, Or, Predicate
from fhir_server.search.values import escape
from fhir_server.smart import patients
from fhir_server.smart.logins import PORTAL
from fhir_server.smart.naming import apps_in
from profiles import json

WORDS: Final[Table] = {
    "log_title": ("Wie heeft er gekeken?", "Who has looked?"),
    "log_intro": (
        "Hier staat wie wanneer iets met het dossier deed. Wat het laatst gebeurde, staat bovenaan.",
        "This shows who did what with the record, and when. What happened last is at the top.",
    ),
    "log_nobody": (
        "Het logboek is van de bewoner zelf, en van wie zaken voor de bewoner regelt.",
        "The log belongs to the resident, and to whoever acts for the resident.",
    ),
    "log_resident": ("de bewoner", "the resident"),
    "log_choose": ("Kies wat u wilt zien", "Choose what to see"),
    "log_show": ("Wat", "What"),
    "log_show_others": ("Wat anderen en apps deden", "What others and apps did"),
    "log_show_all": ("Alles, ook wat u zelf deed", "Everything, also what you did"),
    "log_show_refused": ("Alleen wat is geweigerd", "Only what was refused"),
    "log_show_emergency": ("Alleen met de noodknop", "Only by the emergency button"),
    "log_from": ("Vanaf welke dag", "From which day"),
    "log_to": ("Tot en met welke dag", "Up to and including which day"),
    "log_look": ("Laat zien", "Show"),
    "log_only_app": ("U ziet alleen wat met {name} is gedaan.", "You see only what was done with {name}."),
    "log_only_consent": (
        "U ziet alleen wat mocht door deze ene toestemming.",
        "You see only what was allowed by this one permission.",
    ),
    "log_whole": ("Bekijk het hele logboek", "See the whole log"),
    "log_date_wrong": (
        "Vul een dag in als jaar-maand-dag, bijvoorbeeld 2026-01-31.",
        "Write a day as year-month-day, for instance 2026-01-31.",
    ),
    "log_page_gone": (
        "Deze bladzijde van het logboek is verlopen. U ziet nu de nieuwste regels.",
        "This page of the log is no longer there. You now see the newest lines.",
    ),
    "log_none": ("Er is niets gevonden.", "Nothing was found."),
    "log_refused": ("Geweigerd", "Refused"),
    "log_failed": ("Mislukt", "Failed"),
    "log_emergency": ("Noodknop", "Emergency button"),
    "log_reason": ("De reden: ‘{reason}’.", "The reason: ‘{reason}’."),
    "log_times": ("Dit gebeurde {count} keer.", "This happened {count} times."),
    "log_older": ("Oudere regels", "Older lines"),
    "log_newest": ("Naar de nieuwste regels", "To the newest lines"),
}

COUNT: Final = 25
SHOWS: Final = ("others", "all", "refused", "emergency")
_PATH: Final = ("portal", "log")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show: `show` is one of SHOWS, the dates are inclusive, `consent` is an id; '' for no limit."""

    show: str
    since: str
    until: str
    consent: str

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        fields = (("show", self.show), ("from", self.since), ("to", self.until), ("consent", self.consent))
        return tuple((name, value) for name, value in fields if value)


async def show(visit: Visit) -> Response:
    patient = await patients.own(visit.server, visit.person)
    if not patient:
        raise Problem(403, "log_nobody")
    session = visit.session()
    asked, notice = _asked(visit)
    position = b""
    after = visit.query.one("after")
    if after is not None:
        try:
            cursor = session.unseal(after, _PATH)
        except FhirError:
            notice = "log_page_gone"
        else:
            asked, position = _of(dict(cursor.parameters)), cursor.position
    apps = await _apps(session, asked.consent)
    search = _search(session, patient, visit.person, asked, apps)
    found = await log_page(session, patient, search, asked.pairs, COUNT, position)
    names = await session.app_names(apps)
    name = await whose(visit, patient)
    resident = "" if visit.person == f"Patient/{patient}" else name or visit.say("log_resident")
    older = session.seal(_PATH, asked.pairs, found.position) if found.position else ""
    return visit.page(
        "log.html",
        whose=name,
        lines=_lines(visit, found.lines, resident),
        asked=asked,
        shows=SHOWS,
        app=", ".join(names.get(one, one) for one in apps),
        notice=notice,
        first=after is None,
        chosen=asked != _of({"consent": asked.consent}) or notice == "log_date_wrong",
        newest="/portal/log?" + urlencode(asked.pairs),
        older="/portal/log?" + urlencode((("after", older),)) if older else "",
    )


def _asked(visit: Visit) -> tuple[Asked, str]:
    """What the form or a link asks for, and what is wrong with it, '' if nothing is."""
    asked = _of({name: visit.query.one(name) or "" for name in ("show", "from", "to", "consent")})
    if all(_is_day(day) for day in (asked.since, asked.until)):
        return asked, ""
    return replace(asked, since="", until=""), "log_date_wrong"


def _of(given: Mapping[str, str]) -> Asked:
    # With one permission in view nothing of it is left out, whoever used it.
    consent = given.get("consent", "")
    shown = given.get("show", "")
    usual = "all" if consent else "others"
    return Asked(shown if shown in SHOWS else usual, given.get("from", ""), given.get("to", ""), consent)


def _is_day(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


async def _apps(session: Session, consent: str) -> tuple[str, ...]:
    """The client ids of the apps that the Consent lets in. Raises FhirError 404 if the reader may not see it."""
    if not consent:
        return ()
    return apps_in(json.parse((await session.read("Consent", consent)).body))


def _search(session: Session, patient: str, person: str, asked: Asked, apps: tuple[str, ...]) -> ParsedSearch:
    context = session.context()

    def where(*criteria: tuple[str, str]) -> Predicate:
        return parse(("AuditEvent",), criteria, context).query.where

    bounds = [("date", prefix + day) for prefix, day in (("ge", asked.since), ("le", asked.until)) if day]
    if asked.show == "refused":
        bounds.append(("outcome", "4"))
    elif asked.show == "emergency":
        bounds.append(("subtype", f"{EMERGENCY['system']}|{EMERGENCY['code']}"))
    search = log_search(patient, bounds, context)
    limits = [search.query.where]
    if asked.show == "others":
        limits.append(Not(where(("agent", person), ("agent:identifier", PORTAL))))
    if asked.consent:
        used = [where(("entity", f"Consent/{asked.consent}"), ("entity-type", "Consent"))]
        limits.append(Or((*used, *(where(("agent:identifier", escape(app))) for app in apps))))
    return replace(search, query=replace(search.query, where=And(tuple(limits))))


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the page: what happened, words that mark it, and what there is to add."""

    sentence: str
    marks: tuple[str, ...]
    reason: str


def _lines(visit: Visit, lines: Iterable[Line], resident: str) -> list[tuple[Told, str]]:
    """Each with how often in a row it happened within the same minute, '' for once."""
    runs = [(told, sum(1 for _ in run)) for told, run in groupby(_told(visit, line, resident) for line in lines)]
    return [(told, visit.say("log_times", count=count) if count > 1 else "") for told, count in runs]


def _told(visit: Visit, line: Line, resident: str) -> Told:
    told = line.told
    marks = (("emergency", told.emergency), (told.outcome, told.outcome != "permitted"))
    return Told(
        sentence(told, visit.language, visit.server.settings.zone, resident),
        tuple(visit.say(f"log_{mark}") for mark, there in marks if there),
        visit.say("log_reason", reason=told.reason) if told.emergency and told.reason else "",
    )


PAGES: Final = (Page("GET", "/portal/log", show),)

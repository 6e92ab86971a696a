"""Starting an app with a patient in view (EHR launch): a professional finds somebody they may see, and picks an app.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
"""

from dataclasses import replace
from typing import Final

from starlette.responses import RedirectResponse, Response

from consent.instants import interval
from consent.say import day
from fhir_server.portal import security
from fhir_server.portal.visit import Page, Problem, Visit
from fhir_server.portal.words import Table
from fhir_server.smart import launches, patients
from fhir_server.smart.clients import Clients
from fhir_server.smart.patients import Known
from fhir_server.smart.records import Client

WORDS: Final[Table] = {
    "home_launch": ("Een app starten", "Start an app"),
    "home_launch_explained": (
        "Zoek een bewoner en start een app met dat dossier.",
        "Find a resident and start an app with that record.",
    ),
    "launch_title": ("Een app starten", "Start an app"),
    "launch_explained": (
        "Zoek de bewoner om wie het gaat. U vindt alleen bewoners van wie u het dossier mag zien.",
        "Find the resident it is about. You only find residents whose record you may see.",
    ),
    "launch_name": ("Naam van de bewoner", "Name of the resident"),
    "launch_search": ("Zoeken", "Search"),
    "launch_short": ("Typ ten minste twee letters.", "Type at least two letters."),
    "launch_found": ("Wie bedoelt u?", "Whom do you mean?"),
    "launch_more": (
        "Er zijn er meer. Typ meer van de naam als u de bewoner niet ziet.",
        "There are more. Type more of the name if you do not see the resident.",
    ),
    "launch_none": ("Niemand gevonden van wie u het dossier mag zien.", "Nobody found whose record you may see."),
    "launch_born": ("Geboren op {day}", "Born on {day}"),
    "launch_unnamed": ("Zonder naam", "Without a name"),
    "launch_for": ("Een app starten voor {name}", "Start an app for {name}"),
    "launch_pick_title": ("Kies een app", "Choose an app"),
    "launch_pick": (
        "Kies een app. De app vraagt u daarna zelf om toestemming. De app ziet niet meer dan u mag zien.",
        "Choose an app. The app will then ask for your permission. It sees no more than you may see.",
    ),
    "launch_by": ("Van {publisher}", "By {publisher}"),
    "launch_no_apps": (
        "Er zijn geen apps die u hier kunt starten. De beheerder van deze website kan die toevoegen.",
        "There are no apps that you can start here. The operator of this website can add them.",
    ),
    "launch_no_patient": ("Dit dossier mag u niet zien.", "You may not see this record."),
    "launch_other": ("Een andere bewoner zoeken", "Find another resident"),
    "launch_professional": (
        "Deze pagina is voor zorgverleners en hulpverleners.",
        "This page is for professionals.",
    ),
}

_PROFESSIONALS: Final = ("Practitioner", "PractitionerRole")
_PLACE: Final = "/portal/launch"


async def show(visit: Visit) -> Response:
    _require_professional(visit)
    return _search_page(visit)


async def search(visit: Visit) -> Response:
    """A form and no address: a name has no place in a URL."""
    _require_professional(visit)
    name = (visit.form.one("name") or "").strip()
    if len(name) < patients.NAME_CHARACTERS_MIN:
        return _search_page(visit, name=name, notice="launch_short")
    found, more = await patients.called(visit.server, visit.person, name)
    return _search_page(visit, name=name, found=found, more=more)


async def pick(visit: Visit) -> Response:
    patient = await _patient(visit)
    apps = await _apps(visit)
    return visit.page("launch.html", patient=patient, apps=apps, redirects_to=tuple(one.launch_uri for one in apps))


async def start(visit: Visit) -> Response:
    """Off to the app, with a handle that works once, in this browser, for who is logged in."""
    patient = await _patient(visit)
    client = await Clients(visit.server).get(visit.form.one("client") or "")
    if client is None or not client.launch_uri:
        raise Problem(404)
    url = await launches.launch(visit.server, client, visit.require_login(), patient.id, visit.addresses)
    return RedirectResponse(url, 303, security.headers((client.launch_uri,)))


def _require_professional(visit: Visit) -> None:
    if visit.person.partition("/")[0] not in _PROFESSIONALS:
        raise Problem(403, "launch_professional")


async def _patient(visit: Visit) -> Known:
    """The patient in the address. Raises Problem 404 for one whom the person may not see, or who is not there."""
    _require_professional(visit)
    found = await patients.seen(visit.server, visit.person, visit.parts["patient"])
    if found is None:
        raise Problem(404, "launch_no_patient")
    return _born(visit, found)


def _born(visit: Visit, known: Known) -> Known:
    """With the date of birth in words, if it is a whole one."""
    span = interval(known.born, visit.server.settings.zone) if len(known.born) == len("2026-01-31") else None
    return replace(known, born=day(span[0], visit.language, visit.server.settings.zone)) if span else known


async def _apps(visit: Visit) -> list[Client]:
    """Those that can be started from here, by name."""
    found = [one for one in await Clients(visit.server).all() if one.launch_uri]
    return sorted(found, key=lambda one: one.name.casefold())


def _search_page(
    visit: Visit, *, name: str = "", notice: str = "", found: list[Known] | None = None, more: bool = False
) -> Response:
    shown = None if found is None else [_born(visit, one) for one in found]
    return visit.page("launch_search.html", name=name, notice=notice, found=shown, more=more, place=_PLACE)


PAGES: Final = (
    Page("GET", _PLACE, show),
    Page("POST", _PLACE, search),
    Page("GET", _PLACE + "/{patient}", pick),
    Page("POST", _PLACE + "/{patient}", start),
)

"""Letting an app in: the request of the app, whose dossier it is about, and the screen on which a person answers.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec.structs import replace
from starlette.responses import JSONResponse, RedirectResponse, Response

from fhir_server.portal import security
from fhir_server.portal.authorization_words import WORDS as WORDS
from fhir_server.portal.people import described
from fhir_server.portal.visit import LOGIN, LoginNeeded, Page, Problem, Visit
from fhir_server.smart import authorize, consenting, grants, launches, patients
from fhir_server.smart.accounts import OPERATOR
from fhir_server.smart.categories import SENSITIVITIES
from fhir_server.smart.clients import Clients
from fhir_server.smart.consenting import DURATIONS, Choice, Offer
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.grants import Asked
from fhir_server.smart.patients import Known
from fhir_server.smart.records import Authorization, Login, digest
from fhir_server.smart.state import Kept

_SECOND: Final = 1_000_000
_PLACE: Final = "/portal/authorize/{handle}"
_BOXES: Final = ("reading", "writing", "sensitive")

# https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#styling: as style.css has them.
_STYLE: Final = {
    "color_background": "#ffffff",
    "color_error": "#8a1c1c",
    "color_highlight": "#0b5d57",
    "color_modal_backdrop": "#1c2321",
    "color_success": "#0b5d57",
    "color_text": "#1c2321",
    "dim_border_radius": "6px",
    "dim_font_size": "18px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request that waits for the person who is logged in. `patient`: whose dossier, None: of nobody in particular."""

    asked: Asked
    login: Kept[Login]
    patient: Known | None

    @property
    def authorization(self) -> Authorization:
        return self.asked.authorization.value


async def start(visit: Visit) -> Response:
    """What an app sends a browser with: checked, kept, and on to the screen. By GET or POST."""
    server, form = visit.server, visit.form if visit.method == "POST" else visit.query
    wait = server.limits.authorize.wait(visit.source)
    if wait:
        raise Problem(429, retry_after=wait)
    types, now = server.gateway.registry.resource_types, server.now()
    try:
        client = await Clients(server).get(authorize.client_id(form))
        handles = form.all("launch")
        launch = await launches.find(server, handles[0], client) if client and len(handles) == 1 else None
        authorization = authorize.check(form, client, launch, visit.addresses, types, now)
    except authorize.PageError as error:
        raise Problem(400, f"authorize_{error.problem}") from None
    except authorize.Refused as error:
        return _away(error.location)
    if "none" in authorization.prompt.split():
        return _away(authorize.refusal(authorization, _without_asking(visit, authorization)))
    handle = secrets.token_urlsafe(32)
    write = server.state.authorizations.add(digest(handle), authorization, expires=authorization.expires)
    await server.state.commit(write)
    return visit.redirect(_PLACE.format(handle=handle))


async def show(visit: Visit) -> Response:
    """The screen; before that whose dossier it is about, if that is for the person to choose."""
    waiting = await _waiting(visit)
    return _picker(visit, waiting) if _must_choose(visit, waiting) else await _screen(visit, waiting)


async def search(visit: Visit) -> Response:
    """Patients by name. A form and no address: a name has no place in a URL."""
    waiting = await _waiting(visit)
    name = (visit.form.one("name") or "").strip()
    if len(name) < patients.NAME_CHARACTERS_MIN:
        return _picker(visit, waiting, notice="authorize_name_short", name=name)
    found, more = await patients.called(visit.server, waiting.login.value.person, name)
    return _picker(visit, waiting, name=name, found=found, more=more)


async def choose(visit: Visit) -> Response:
    """One of the patients that a professional may see; or another one than before."""
    waiting = await _waiting(visit)
    if not _may_choose(waiting):
        raise Problem(403)
    patient = visit.form.one("patient") or ""
    if patient and await patients.seen(visit.server, waiting.login.value.person, patient) is None:
        raise Problem(404, "authorize_no_patient")
    shelf = visit.server.state.authorizations
    changed = replace(waiting.authorization, patient=patient)
    await visit.server.state.commit(shelf.change(waiting.asked.authorization, changed))
    return visit.redirect(visit.path.removesuffix("/patient"))


async def answer(visit: Visit) -> Response:
    """Allow or refuse. Nothing is let in but what the person saw: the same person, the same dossier."""
    waiting = await _waiting(visit)
    if visit.form.one("answer") == "refuse":
        return _away(await grants.refuse(visit.server, waiting.asked, waiting.login))
    if visit.form.one("answer") != "allow":
        raise Problem(400)
    if _must_choose(visit, waiting) or not _as_shown(visit, waiting):
        raise Problem(409, "authorize_changed")
    offer, choice = _offer(visit, waiting), _chosen(visit, waiting)
    if (offer.reading or offer.writing) and not (choice.reading or choice.writing):
        return await _screen(visit, waiting, choice, notice="authorize_nothing")
    return _away(await grants.let_in(visit.server, waiting.asked, waiting.login, choice))


async def style(_: Visit) -> Response:
    """`smart_style_url`: the colours and sizes of these pages, for an app that wants to look like them."""
    return JSONResponse(
        _STYLE,
        headers={"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"},
    )


# --- what waits --------------------------------------------------------------------------------------------------


async def _waiting(visit: Visit) -> _Waiting:
    """The request at this address and who is to answer it. Raises Problem, LoginNeeded."""
    login = visit.require_login()
    kept = await visit.server.state.authorizations.get(digest(visit.parts["handle"]))
    if kept is None or kept.value.expires <= visit.server.now():
        raise Problem(404, "authorize_gone")
    if login.value.since < authorize.logged_in_since(kept.value):
        if visit.method == "POST":
            raise Problem(409, "authorize_changed")
        raise LoginNeeded(LOGIN)
    if login.value.person == OPERATOR:
        raise Problem(403, "authorize_operator")
    client = await Clients(visit.server).get(kept.value.client)
    if client is None:
        raise Problem(404, "authorize_gone")
    launch = await launches.kept(visit.server, kept.value.launch, client) if kept.value.launch else None
    if kept.value.launch and (launch is None or not launches.bound_to(launch.value, login)):
        raise Problem(403, "authorize_launch")
    person = login.value.person
    if grants.resident(person):
        patient = await _own_patient(visit, kept.value, person)
        kept = Kept(kept.key, kept.revision, kept.subject, kept.expires, replace(kept.value, patient=patient.id))
        return _Waiting(Asked(kept, client, launch), login, patient)
    chosen = await patients.seen(visit.server, person, kept.value.patient) if kept.value.patient else None
    if kept.value.patient and chosen is None:
        raise Problem(404, "authorize_no_patient")
    return _Waiting(Asked(kept, client, launch), login, chosen)


async def _own_patient(visit: Visit, authorization: Authorization, person: str) -> Known:
    own = await patients.own(visit.server, person)
    known = await patients.seen(visit.server, person, own) if own else None
    if known is None:
        raise Problem(403, "authorize_nobody")
    if authorization.patient not in ("", own):
        raise Problem(403, "authorize_launch")
    return known


def _must_choose(visit: Visit, waiting: _Waiting) -> bool:
    types = visit.server.gateway.registry.resource_types
    return waiting.patient is None and authorize.needs_patient(waiting.authorization.scope, types)


def _may_choose(waiting: _Waiting) -> bool:
    """Whether it is for the person to say whose dossier it is about."""
    launch = waiting.asked.launch
    return not grants.resident(waiting.login.value.person) and (launch is None or not launch.value.patient)


def _as_shown(visit: Visit, waiting: _Waiting) -> bool:
    """Whether the form was made for who is logged in now, and for the dossier that is chosen now."""
    patient = waiting.patient.id if waiting.patient else ""
    return (visit.form.one("person"), visit.form.one("dossier") or "") == (waiting.login.value.person, patient)


def _offer(visit: Visit, waiting: _Waiting) -> Offer:
    return consenting.offered(waiting.authorization.scope, visit.server.gateway.registry.resource_types)


def _chosen(visit: Visit, waiting: _Waiting) -> Choice:
    """What was ticked. Whatever is not on the screen grants nothing: `granted` goes by what was asked for."""
    duration = next((one for one in DURATIONS if one == (visit.form.one("duration") or "once")), None)
    if duration is None:
        raise Problem(400)
    if not grants.resident(waiting.login.value.person):
        every = consenting.everything(waiting.authorization.scope, visit.server.gateway.registry.resource_types)
        return every._replace(duration=duration)
    reading, writing, sensitive = (frozenset(visit.form.all(name)) for name in _BOXES)
    offer = _offer(visit, waiting)
    return Choice(
        reading & {one.name for one in offer.reading},
        writing & {one.name for one in offer.writing},
        sensitive & {one.name for one in SENSITIVITIES} if offer.sensitive else frozenset(),
        duration if offer.lasting else "once",
    )


def _without_asking(visit: Visit, authorization: Authorization) -> OAuthError:
    """https://openid.net/specs/openid-connect-core-1_0.html#AuthError: an app is never let in without a word."""
    kept = visit.kept
    if kept is None or not kept.value.person or kept.value.since < authorize.logged_in_since(authorization):
        return OAuthError("login_required", "nobody is logged in, or not recently enough")
    return OAuthError("consent_required", "the person has to be asked")


# --- pages -------------------------------------------------------------------------------------------------------


def _picker(visit: Visit, waiting: _Waiting, **more: Any) -> Response:
    values = {"notice": "", "name": "", "found": None, "more": False, **more}
    leads_to = (waiting.authorization.redirect_uri,)  # by Refuse
    return visit.page("patients.html", redirects_to=leads_to, app=waiting.asked.client, place=_place(visit), **values)


async def _screen(visit: Visit, waiting: _Waiting, choice: Choice | None = None, notice: str = "") -> Response:
    authorization, client, login = waiting.authorization, waiting.asked.client, waiting.login.value
    offer = _offer(visit, waiting)
    resident = grants.resident(login.person)
    again = (
        resident
        and waiting.patient is not None
        and await grants.makes_place(visit.server, login.person, waiting.patient.id, client)
    )
    return visit.page(
        "authorize.html",
        status=400 if notice else 200,
        redirects_to=(authorization.redirect_uri,),
        place=_place(visit),
        app=client,
        goes_to=urlsplit(authorization.redirect_uri).hostname or "",
        who=await described(visit.server.gateway, login.person),
        patient=waiting.patient,
        resident=resident,
        may_choose=waiting.patient is not None and _may_choose(waiting),
        offer=offer,
        subjects=SENSITIVITIES,
        durations=DURATIONS,
        ticked=choice or _suggested(offer),
        again=again,
        notice=notice,
    )


def _suggested(offer: Offer) -> Choice:
    """What is ticked beforehand: nothing sensitive, and no longer than once."""
    return Choice(
        frozenset(one.name for one in offer.reading if not one.sensitive),
        frozenset(one.name for one in offer.writing if not one.sensitive),
    )


def _place(visit: Visit) -> str:
    return _PLACE.format(handle=visit.parts["handle"])


def _away(location: str) -> Response:
    """To the app: 303, so that a form is never sent on to it (RFC 9700, section 4.12)."""
    return RedirectResponse(location, 303, security.headers())


PAGES: Final = (
    Page("GET", "/auth/authorize", start, repeatable=authorize.REPEATABLE),
    Page("POST", "/auth/authorize", start, repeatable=authorize.REPEATABLE, foreign=True),
    Page("GET", _PLACE, show),
    Page("POST", _PLACE, answer, repeatable=_BOXES),
    Page("POST", f"{_PLACE}/patients", search),
    # Where the search leaves the browser, and it asks for the other language.
    Page("GET", f"{_PLACE}/patients", show),
    Page("POST", f"{_PLACE}/patient", choose),
    Page("GET", "/portal/static/smart-style.json", style),
)

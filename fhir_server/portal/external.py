"""Logging in at the OpenID Provider: off to it, and back.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

import logging
from typing import Final

from starlette.responses import RedirectResponse, Response

from fhir_server.portal import security
from fhir_server.portal.visit import Page, Problem, Visit
from fhir_server.portal.words import Table
from fhir_server.smart.logins import new_cookie
from fhir_server.smart.provider import Provider, ProviderFault, Role

_log = logging.getLogger(__name__)

START: Final = "/portal/external/start"
CALLBACK: Final = "/portal/external/callback"

WORDS: Final[Table] = {
    "external_unavailable": (
        "De dienst waar u inlogt, werkt nu niet. Probeer het later nog een keer.",
        "The service where you log in does not work now. Try again later.",
    ),
    "external_refused": (
        "Het inloggen is niet gelukt. Probeer het nog een keer.",
        "Logging in did not work. Please try again.",
    ),
    "external_stale": (
        "Het inloggen duurde te lang, of begon in een ander venster. Begin opnieuw met inloggen.",
        "Logging in took too long, or began in another window. Start logging in again.",
    ),
    "external_unknown": (
        "U bent hier nog niet bekend. Vraag de beheerder om u toe te voegen.",
        "You are not known here yet. Ask the operator to add you.",
    ),
    "external_weak": (
        "Voor dit dossier moet u op een veiligere manier inloggen. Begin opnieuw en kies bij het inloggen die manier.",
        "For this health record you have to log in in a safer way. Start again and choose that way when you log in.",
    ),
}

_STATUS: Final = {"unavailable": 502, "refused": 403, "stale": 400, "unknown": 403, "weak": 403}


async def start(visit: Visit) -> Response:
    """A link, so that no form of ours ends at another site."""
    provider = _provider(visit)
    wait = visit.server.limits.login.wait(visit.source)
    if wait:
        raise Problem(429, retry_after=wait)
    if not visit.cookie:
        visit.remember(new_cookie())
    role: Role = "professional" if visit.query.one("as") == "professional" else "resident"
    following = security.own_path(visit.query.one("next"))
    try:
        # Who has a login already and comes again is to show anew who they are.
        url = await provider.begin(visit.cookie, following, role, _redirect_uri(visit), again=visit.kept is not None)
    except ProviderFault as fault:
        raise _told(fault) from None
    return RedirectResponse(url, 303, security.headers())


async def callback(visit: Visit) -> Response:
    try:
        came = await _provider(visit).finish(visit.cookie, visit.query, _redirect_uri(visit))
    except ProviderFault as fault:
        raise _told(fault) from None
    cookie = await visit.portal.logins.begin(
        came.account.value, came.people, came.acr, instead=visit.cookie, since=came.since
    )
    visit.remember(cookie)
    return visit.redirect(came.following)


def _provider(visit: Visit) -> Provider:
    provider = visit.portal.provider
    if provider is None:
        raise Problem(404)
    return provider


def _redirect_uri(visit: Visit) -> str:
    return visit.addresses.issuer + CALLBACK


def _told(fault: ProviderFault) -> Problem:
    if fault.fault in ("unavailable", "refused"):
        _log.warning("a login at the OpenID Provider failed: %s", fault.why)
    return Problem(_STATUS[fault.fault], f"external_{fault.fault}")


PAGES: Final = (Page("GET", START, start), Page("GET", CALLBACK, callback))

"""Logging in with a password of our own, choosing as whom, the start page, and logging out.

https://pages.nist.gov/800-63-4/sp800-63b.html
"""

from typing import Final

from starlette.responses import Response

from fhir_server.portal.people import described
from fhir_server.portal.security import START, own_path
from fhir_server.portal.visit import LOGIN, PERSON, LoginNeeded, Page, Visit
from fhir_server.portal.words import Table

WORDS: Final[Table] = {
    "login_title": ("Inloggen", "Log in"),
    "login_username": ("Gebruikersnaam", "Username"),
    "login_password": ("Wachtwoord", "Password"),
    "login_wrong": (
        "Deze gebruikersnaam en dit wachtwoord horen niet bij elkaar. Probeer het nog een keer.",
        "This username and this password do not belong together. Please try again.",
    ),
    "person_title": ("Voor wie bent u hier?", "Who are you here for?"),
    "person_explained": (
        "U kunt op meer dan één manier inloggen. Kies er één. Later kunt u opnieuw kiezen.",
        "You can log in in more than one way. Choose one. You can choose again later.",
    ),
    "person_Patient": ("Voor mijzelf", "For myself"),
    "person_RelatedPerson": ("Voor {about}", "For {about}"),
    "person_RelatedPerson_unnamed": ("Voor iemand anders", "For somebody else"),
    "person_Practitioner": ("Als zorgverlener of hulpverlener", "As a professional"),
    "person_PractitionerRole": ("Als medewerker van {about}", "As a member of staff of {about}"),
    "person_PractitionerRole_unnamed": ("Als medewerker", "As a member of staff"),
    "person_operator": ("Als beheerder van deze website", "As the operator of this website"),
    "person_again": ("Kies opnieuw voor wie u hier bent", "Choose again who you are here for"),
    "home_title": ("Welkom", "Welcome"),
    "home_welcome": ("Dag {name}", "Hello {name}"),
    "home_apps": ("Wie mag meekijken?", "Who can see the record?"),
    "home_apps_explained": (
        "Bekijk welke apps en mensen het dossier mogen gebruiken. Stop ermee wanneer u wilt.",
        "See which apps and people may use the record. Stop this whenever you like.",
    ),
    "home_log": ("Wie heeft er gekeken?", "Who has looked?"),
    "home_log_explained": (
        "Lees wie wanneer in het dossier heeft gekeken, en waarom.",
        "Read who looked at the record, when, and why.",
    ),
    "home_account": ("Mijn wachtwoord", "My password"),
    "home_account_explained": (
        "Kies een ander wachtwoord, of log veiliger in met een code op uw telefoon.",
        "Choose another password, or log in more safely with a code on your phone.",
    ),
}


async def show(visit: Visit) -> Response:
    """The form, also for somebody who is logged in: they may want to show again who they are."""
    return _form(visit)


async def log_in(visit: Visit) -> Response:
    portal = visit.portal
    username, password = visit.form.one("username") or "", visit.form.one("password") or ""
    kept = await portal.accounts.get(username)
    if not await portal.passwords.verify(kept.value.password if kept else "", password) or kept is None:
        return _form(visit, username=username, wrong="login_wrong", status=403)
    account = kept.value
    visit.remember(await portal.logins.begin(account, account.people, "", instead=visit.cookie))
    return visit.redirect(_following(visit))


def _form(visit: Visit, *, username: str = "", wrong: str = "", status: int = 200) -> Response:
    return visit.page("login.html", status=status, username=username, wrong=wrong, following=_following(visit))


def _following(visit: Visit) -> str:
    """Where to go after it."""
    return own_path(visit.query.one("next"))


async def choose(visit: Visit) -> Response:
    """As whom: what an account for several people asks after every login."""
    if visit.kept is None:
        raise LoginNeeded(LOGIN)
    gateway = visit.server.gateway
    people = [await described(gateway, person) for person in visit.kept.value.people]
    return visit.page("person.html", people=people, following=_following(visit))


async def chosen(visit: Visit) -> Response:
    if visit.kept is None:
        raise LoginNeeded(LOGIN)
    person = visit.form.one("person") or ""
    if person not in visit.kept.value.people:
        return visit.redirect(PERSON)
    if await visit.portal.logins.choose(visit.kept, person) is None:
        raise LoginNeeded(LOGIN)
    return visit.redirect(_following(visit))


async def home(visit: Visit) -> Response:
    login = visit.require_login().value
    return visit.page("home.html", who=await described(visit.server.gateway, login.person))


async def log_out(visit: Visit) -> Response:
    if visit.kept is not None:
        await visit.portal.logins.end(visit.kept)
    visit.remember("")
    return visit.redirect(LOGIN)


PAGES: Final = (
    Page("GET", LOGIN, show),
    Page("POST", LOGIN, log_in),
    Page("GET", PERSON, choose),
    Page("POST", PERSON, chosen),
    Page("POST", "/portal/logout", log_out),
    Page("GET", START, home),
    Page("GET", START.rstrip("/"), home),
)

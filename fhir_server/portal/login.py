"""Logging in with a password of our own, choosing as whom, the start page, and logging out.

https://pages.nist.gov/800-63-4/sp800-63b.html
"""

from typing import Final

import msgspec
from starlette.responses import Response

from fhir_server.portal import security
from fhir_server.portal.people import described
from fhir_server.portal.security import START, own_path
from fhir_server.portal.visit import LOGIN, PERSON, LoginNeeded, Page, Problem, Visit
from fhir_server.portal.words import Table
from fhir_server.smart.attempts import Locked
from fhir_server.smart.logins import SECOND_FACTOR_ACR
from fhir_server.smart.records import Account, SecondStep
from fhir_server.smart.state import AuthWrite, Kept

CODE: Final = "/portal/login/code"

WORDS: Final[Table] = {
    "login_title": ("Inloggen", "Log in"),
    "login_external": ("Inloggen bij uw inlogdienst", "Log in with your login service"),
    "login_external_resident": ("Inloggen als bewoner", "Log in as a resident"),
    "login_external_professional": ("Inloggen als zorgverlener", "Log in as a professional"),
    "login_local": ("Inloggen met een wachtwoord", "Log in with a password"),
    "login_username": ("Gebruikersnaam", "Username"),
    "login_password": ("Wachtwoord", "Password"),
    "login_wrong": (
        "Deze gebruikersnaam en dit wachtwoord horen niet bij elkaar. Probeer het nog een keer.",
        "This username and this password do not belong together. Please try again.",
    ),
    "login_forgotten": (
        "Bent u uw wachtwoord vergeten? Vraag de beheerder om hulp.",
        "Have you forgotten your password? Ask the operator for help.",
    ),
    "code_title": ("Typ uw code", "Type your code"),
    "code_label": ("De 6 cijfers uit de app op uw telefoon", "The 6 digits from the app on your phone"),
    "code_go": ("Verder", "Continue"),
    "code_wrong": (
        "Die code klopt niet, of is al gebruikt. Wacht op een nieuwe code en typ die.",
        "That code is not right, or has been used already. Wait for a new code and type that one.",
    ),
    "code_lost": (
        "Hebt u uw telefoon niet meer? Vraag de beheerder om hulp.",
        "Do you no longer have your phone? Ask the operator for help.",
    ),
    "person_title": ("Voor wie bent u hier?", "Who are you here for?"),
    "person_explained": (
        "U kunt hier zijn voor uzelf of voor een ander. Kies voor wie u nu kijkt. Later kunt u opnieuw kiezen.",
        "You can be here for yourself or for somebody else. Choose who it is for now. You can choose again later.",
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
    "home_apps_professional": ("Mijn apps", "My apps"),
    "home_apps_professional_explained": (
        "Bekijk welke apps u toegang hebt gegeven. Stop ermee wanneer u wilt.",
        "See which apps you have given access. Stop this whenever you like.",
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
    portal, attempts = visit.portal, visit.portal.attempts
    username, password = visit.form.one("username") or "", visit.form.one("password") or ""
    if not visit.server.settings.local_accounts:
        raise Problem(404)
    wait = visit.server.limits.login.wait(visit.source)
    if wait:
        return _form(visit, username=username, wrong=visit.say("problem_429"), status=429, retry_after=wait)
    kept = await portal.accounts.get(username)
    device = attempts.device(visit.device, kept.value.id) if kept else ""
    # Counted for a name that is not there too, so that nobody learns from a wait whether it is.
    counter = attempts.counter("password", kept.key if kept else username.strip().lower(), device or visit.source)
    try:
        await attempts.begin(counter)
    except Locked as error:
        wrong = visit.wait(error.seconds)
        return _form(visit, username=username, wrong=wrong, status=429, retry_after=error.seconds)
    right = await portal.passwords.verify(kept.value.password if kept else "", password)
    if kept is not None and kept.value.published and not visit.server.settings.only_here:
        right = False
    if kept is None or not right:
        await portal.logins.refused(kept.value if kept else None, "a wrong name or password was given")
        return _form(visit, username=username, wrong=visit.say("login_wrong"), status=403)
    await attempts.succeeded(counter)
    if kept.value.totp:
        visit.remember(await portal.logins.wait(kept.value, _following(visit), instead=visit.cookie))
        return visit.redirect(CODE)
    return await _enter(visit, kept.value, "", _following(visit))


async def ask_code(visit: Visit) -> Response:
    await _waiting(visit)
    return visit.page("second_step.html", wrong="")


async def check_code(visit: Visit) -> Response:
    """The second step. Who gets here knows the password, so wrong codes count for the account, wherever from."""
    portal, attempts = visit.portal, visit.portal.attempts
    waiting = await _waiting(visit)
    kept = await portal.accounts.get(waiting.value.username)
    if kept is None:
        raise LoginNeeded(LOGIN)
    account = kept.value
    counter = attempts.counter("code", account.id, attempts.device(visit.device, account.id))
    try:
        await attempts.begin(counter)
    except Locked as error:
        wrong = visit.wait(error.seconds)
        return visit.page("second_step.html", status=429, retry_after=error.seconds, wrong=wrong)
    code, now = visit.form.one("code") or "", visit.server.now()
    step = portal.second_factor.accepted(account.totp, account.id, code, now, account.totp_used)
    if step is None:
        await portal.logins.refused(account, "a wrong code was given")
        return visit.page("second_step.html", status=403, wrong=visit.say("code_wrong"))
    await attempts.succeeded(counter)
    state = visit.server.state
    # Of two who send one code at once, one changes the account from the revision that both read.
    used = state.accounts.change(kept, msgspec.structs.replace(account, totp_used=step))
    return await _enter(
        visit, account, SECOND_FACTOR_ACR, waiting.value.following, used, state.second_steps.remove(waiting)
    )


async def _enter(visit: Visit, account: Account, acr: str, following: str, *writes: AuthWrite) -> Response:
    """The browser is logged in, and known from now on as one that this account is used in."""
    portal = visit.portal
    visit.remember(await portal.logins.begin(account, account.people, acr, *writes, instead=visit.cookie))
    visit.set_cookie(security.DEVICE_COOKIE, portal.attempts.device_cookie(visit.device, account.id))
    return visit.redirect(following)


async def _waiting(visit: Visit) -> Kept[SecondStep]:
    """What is known of the browser since it gave the password. Raises LoginNeeded."""
    found = await visit.portal.logins.waiting(visit.cookie)
    if found is None:
        raise LoginNeeded(LOGIN)
    return found


def _form(visit: Visit, *, username: str = "", wrong: str = "", status: int = 200, retry_after: int = 0) -> Response:
    provider = visit.portal.provider
    return visit.page(
        "login.html",
        status=status,
        retry_after=retry_after,
        username=username,
        wrong=wrong,
        following=_following(visit),
        local=visit.server.settings.local_accounts,
        external=provider is not None,
        roles=provider.roles if provider else (),
    )


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
    Page("GET", CODE, ask_code),
    Page("POST", CODE, check_code),
    Page("GET", PERSON, choose),
    Page("POST", PERSON, chosen),
    Page("POST", "/portal/logout", log_out),
    Page("GET", START, home),
    Page("GET", START.rstrip("/"), home),
)

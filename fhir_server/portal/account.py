"""The page of one's own account: another password, and the second step of logging in.

https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
"""

from io import BytesIO
from typing import Final

import msgspec
import segno
from starlette.responses import Response

from fhir_server.portal import security
from fhir_server.portal.visit import LOGIN, LoginNeeded, Page, Problem, Visit
from fhir_server.portal.words import Table
from fhir_server.smart.attempts import Locked
from fhir_server.smart.logins import PORTAL
from fhir_server.smart.passwords import LENGTH_MAX, LENGTH_MIN, WeakPassword
from fhir_server.smart.records import Account
from fhir_server.smart.state import Kept

ACCOUNT: Final = "/portal/account"

WORDS: Final[Table] = {
    "account_title": ("Mijn wachtwoord", "My password"),
    "account_username": ("Uw gebruikersnaam is {username}.", "Your username is {username}."),
    "account_elsewhere": (
        "U logt in bij een ander. Daar kunt u ook uw wachtwoord veranderen.",
        "You log in with another organisation. You can change your password there.",
    ),
    "account_change": ("Een ander wachtwoord kiezen", "Choose another password"),
    "account_current": ("Uw wachtwoord van nu", "Your password now"),
    "account_new": ("Uw nieuwe wachtwoord", "Your new password"),
    "account_new_hint": (
        "Minstens {length} tekens. Een zin van een paar woorden is makkelijk te onthouden.",
        "At least {length} characters. A sentence of a few words is easy to remember.",
    ),
    "account_again": ("Nog een keer uw nieuwe wachtwoord", "Your new password once more"),
    "account_save": ("Bewaar mijn nieuwe wachtwoord", "Save my new password"),
    "account_changed": (
        "Uw nieuwe wachtwoord is bewaard. Op andere apparaten bent u nu uitgelogd.",
        "Your new password is saved. You are now logged out on other devices.",
    ),
    "account_wrong": ("Uw wachtwoord van nu klopt niet.", "Your password now is not right."),
    "account_differs": (
        "U hebt twee verschillende nieuwe wachtwoorden getypt. Uw wachtwoord is niet veranderd.",
        "You typed two different new passwords. Your password has not been changed.",
    ),
    "account_short": (
        "Uw nieuwe wachtwoord is te kort. Neem minstens {length} tekens.",
        "Your new password is too short. Use at least {length} characters.",
    ),
    "account_long": ("Uw nieuwe wachtwoord is te lang.", "Your new password is too long."),
    "account_name": (
        "Dit wachtwoord is te makkelijk te raden. Kies een ander.",
        "This password is too easy to guess. Choose another one.",
    ),
    "account_step": ("Veiliger inloggen met een code", "Log in more safely with a code"),
    "account_step_explained": (
        "U typt dan na uw wachtwoord ook een code van 6 cijfers. Een app op uw telefoon maakt die code. "
        "Zo kan niemand inloggen die alleen uw wachtwoord weet.",
        "After your password you also type a code of 6 digits. An app on your phone makes that code. "
        "So nobody who only knows your password can log in.",
    ),
    "account_step_is_off": ("Dit staat nu uit.", "This is off now."),
    "account_step_is_on": ("Dit staat aan.", "This is on."),
    "account_step_on": ("Zet de code aan", "Switch the code on"),
    "account_step_off": ("Zet de code uit", "Switch the code off"),
    "account_step_switched_on": (
        "De code staat aan. Vanaf nu typt u bij het inloggen ook een code.",
        "The code is on. From now on you also type a code when you log in.",
    ),
    "account_step_switched_off": (
        "De code staat uit. U logt nu in met alleen uw wachtwoord.",
        "The code is off. You now log in with your password only.",
    ),
    "account_scan_title": ("De code aanzetten", "Switch the code on"),
    "account_scan_app": (
        "Open op uw telefoon een app die codes maakt, bijvoorbeeld FreeOTP, Aegis of Google Authenticator.",
        "On your phone, open an app that makes codes, for example FreeOTP, Aegis or Google Authenticator.",
    ),
    "account_scan": ("Scan met die app dit plaatje.", "With that app, scan this picture."),
    "account_scan_picture": ("Plaatje om te scannen: een QR-code", "Picture to scan: a QR code"),
    "account_scan_typed": ("Lukt dat niet? Typ dan dit in de app:", "Does that not work? Then type this in the app:"),
    "account_scan_code": ("Typ hier de 6 cijfers die de app laat zien", "Type here the 6 digits that the app shows"),
    "account_scan_wrong": (
        "Die code klopt niet. Wacht op een nieuwe code in de app en typ die.",
        "That code is not right. Wait for a new code in the app and type that one.",
    ),
    "account_scan_stop": ("Toch niet, terug", "No, go back"),
}

# What the browser is told after a form, by the word in the address.
_DONE: Final = {
    "password": "account_changed",
    "on": "account_step_switched_on",
    "off": "account_step_switched_off",
}


async def show(visit: Visit) -> Response:
    done = _DONE.get(visit.query.one("done") or "")
    return _page(visit, await _account(visit), done=visit.say(done) if done else "")


async def change_password(visit: Visit) -> Response:
    kept = await _account(visit)
    refused = await _refused(visit, kept)
    if refused is not None:
        return refused
    new = visit.form.one("new") or ""
    if new != (visit.form.one("again") or ""):
        return _page(visit, kept, wrong=visit.say("account_differs"), status=400)
    try:
        await visit.portal.accounts.set_password(kept, new, PORTAL, but=visit.require_login().key)
    except WeakPassword as error:
        return _page(visit, kept, wrong=visit.say(f"account_{error.rule}", length=LENGTH_MIN), status=400)
    return visit.redirect(f"{ACCOUNT}?done=password")


async def start_second_step(visit: Visit) -> Response:
    kept = await _account(visit)
    refused = await _refused(visit, kept)
    if refused is not None:
        return refused
    sealed = visit.portal.second_factor.new(kept.value.id)
    if await visit.portal.logins.enrol(visit.require_login(), sealed) is None:
        raise LoginNeeded(LOGIN)
    return visit.redirect(f"{ACCOUNT}/code")


async def scan(visit: Visit) -> Response:
    return await _scan(visit)


async def picture(visit: Visit) -> Response:
    """The QR code of the secret that this very browser is about to switch on."""
    kept, sealed = await _account(visit), _enrolling(visit)
    drawn = BytesIO()
    uri = visit.portal.second_factor.uri(sealed, kept.value.id, kept.value.username)
    segno.make(uri, error="m").save(drawn, kind="svg", scale=4, border=4, light="white", svgclass=None, lineclass=None)
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers=security.headers())


async def confirm_second_step(visit: Visit) -> Response:
    kept, sealed = await _account(visit), _enrolling(visit)
    login = visit.require_login()
    counter = visit.portal.attempts.counter("confirm", login.key)
    try:
        await visit.portal.attempts.begin(counter)
    except Locked as error:
        return await _scan(visit, wrong=visit.wait(error.seconds), status=429, retry_after=error.seconds)
    code, now = visit.form.one("code") or "", visit.server.now()
    step = visit.portal.second_factor.accepted(sealed, kept.value.id, code, now, 0)
    if step is None:
        return await _scan(visit, wrong=visit.say("account_scan_wrong"), status=403)
    await visit.portal.attempts.succeeded(counter)
    account = msgspec.structs.replace(kept.value, totp=sealed, totp_used=step)
    await visit.portal.accounts.change(kept, account, PORTAL, "second step switched on", but=login.key)
    await visit.portal.logins.enrol(login, "")
    return visit.redirect(f"{ACCOUNT}?done=on")


async def stop_second_step(visit: Visit) -> Response:
    kept = await _account(visit)
    refused = await _refused(visit, kept)
    if refused is not None:
        return refused
    account = msgspec.structs.replace(kept.value, totp="", totp_used=0)
    key = visit.require_login().key
    await visit.portal.accounts.change(kept, account, PORTAL, "second step switched off", but=key)
    return visit.redirect(f"{ACCOUNT}?done=off")


async def _account(visit: Visit) -> Kept[Account]:
    """The account of who is logged in. Raises LoginNeeded."""
    kept = await visit.portal.accounts.get(visit.require_login().value.username)
    if kept is None:
        raise LoginNeeded(LOGIN)
    return kept


def _enrolling(visit: Visit) -> str:
    """The sealed secret that waits to be confirmed. Raises Problem if there is none."""
    sealed = visit.require_login().value.enrolling
    if not sealed:
        raise Problem(404)
    return sealed


async def _refused(visit: Visit, kept: Kept[Account]) -> Response | None:
    """The page for who did not give their password, None for who did: a browser left open is not enough."""
    counter = visit.portal.attempts.counter("confirm", visit.require_login().key)
    try:
        await visit.portal.attempts.begin(counter)
    except Locked as error:
        return _page(visit, kept, wrong=visit.wait(error.seconds), status=429, retry_after=error.seconds)
    if not await visit.portal.passwords.verify(kept.value.password, visit.form.one("current") or ""):
        return _page(visit, kept, wrong=visit.say("account_wrong"), status=403)
    await visit.portal.attempts.succeeded(counter)
    return None


def _page(
    visit: Visit, kept: Kept[Account], *, done: str = "", wrong: str = "", status: int = 200, retry_after: int = 0
) -> Response:
    return visit.page(
        "account.html",
        status=status,
        retry_after=retry_after,
        username=kept.value.username,
        local=bool(kept.value.password),
        second_step=bool(kept.value.totp),
        done=done,
        wrong=wrong,
        length_min=LENGTH_MIN,
        length_max=LENGTH_MAX,
    )


async def _scan(visit: Visit, *, wrong: str = "", status: int = 200, retry_after: int = 0) -> Response:
    kept, sealed = await _account(visit), _enrolling(visit)
    secret = visit.portal.second_factor.secret(sealed, kept.value.id)
    return visit.page(
        "account_code.html",
        status=status,
        retry_after=retry_after,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        wrong=wrong,
    )


PAGES: Final = (
    Page("GET", ACCOUNT, show),
    Page("POST", f"{ACCOUNT}/password", change_password),
    Page("POST", f"{ACCOUNT}/code/start", start_second_step),
    Page("POST", f"{ACCOUNT}/code/stop", stop_second_step),
    # Where a form that was refused leaves the browser, and it asks for the other language.
    Page("GET", f"{ACCOUNT}/password", show),
    Page("GET", f"{ACCOUNT}/code/start", show),
    Page("GET", f"{ACCOUNT}/code/stop", show),
    Page("GET", f"{ACCOUNT}/code", scan),
    Page("GET", f"{ACCOUNT}/code.svg", picture),
    Page("POST", f"{ACCOUNT}/code", confirm_second_step),
)

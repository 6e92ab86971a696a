"""Pictures of the pages in both languages, on a phone and on a desk: `python -m tests.clients.screenshots [FOLDER]`.

They are made on the example wijk and written to build/screenshots; what a visitor would stumble over is printed.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlencode, urlsplit

import pyotp

from examples import bundle_paths
from fhir_server.portal.connections import WORDS
from tests.clients import node
from tests.clients.people import PASSWORD, give_accounts, log_in, register
from tests.clients.visitor import Visitor
from tests.live import live, load

WIDTHS: Final = (360, 1280)
LANGUAGES: Final = ("nl", "en")
REDIRECT: Final = "https://bloeddrukboekje.example/terug"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCOPE: Final = "openid fhirUser launch launch/patient offline_access patient/*.rs patient/Observation.cruds"


@dataclass(frozen=True, slots=True)
class Shot:
    """A page, as who has these cookies sees it, once the fields are filled in and the button is clicked (CSS selectors)."""

    name: str
    path: str
    cookies: dict[str, str] = field(default_factory=dict)
    fill: dict[str, str] = field(default_factory=dict)
    click: str = ""


def register_apps(data: Path) -> dict[str, str]:
    """Client ids, by a name of our own."""
    checked = register(
        data, name="Bloeddrukboekje", kind="public", scope=SCOPE, redirect_uris=(REDIRECT,), publisher="Hartcoop U.A.",
        verified=True, launch_uri="https://bloeddrukboekje.example/start",
        explanation="Wij laten zien hoe uw bloeddruk verandert, en u kunt zelf metingen toevoegen.",
    )  # fmt: skip
    once = register(data, name="Medicijnwekker", kind="public", scope="launch/patient patient/MedicationRequest.rs",
                    redirect_uris=(REDIRECT,))  # fmt: skip
    return {"checked": checked.client.id, "once": once.client.id}


def asks(site: str, client: str, scope: str = SCOPE) -> str:
    """What the app sends a browser to."""
    told = {"response_type": "code", "client_id": client, "redirect_uri": REDIRECT, "scope": scope, "state": "s",
            "aud": f"{site}/fhir", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
    return f"{site}/auth/authorize?{urlencode(told)}"


def shots(site: str, apps: dict[str, str]) -> Iterator[Shot]:
    yield Shot("login", "/portal/login")
    yield Shot(
        "login-wrong", "/portal/login", fill={"#username": "annie", "#password": "verkeerd"}, click="main button"
    )
    yield Shot("error-unknown-app", urlsplit(asks(site, "nobody"))._replace(scheme="", netloc="").geturl())
    yield from of_several(site)
    yield from of_a_resident(site, apps)
    yield from of_a_proxy(site, apps)
    yield from of_a_professional(site, apps)
    yield from of_a_second_step(site)


def of_several(site: str) -> Iterator[Shot]:
    with Visitor(site) as lotte:
        lotte.open("/portal/login")
        log_in(lotte, "lotte")
        yield Shot("person", "/portal/person", lotte.cookies)


def of_a_resident(site: str, apps: dict[str, str]) -> Iterator[Shot]:
    with Visitor(site) as annie:
        annie.open(asks(site, apps["checked"]))
        log_in(annie, "annie")
        yield Shot("authorize-resident", urlsplit(annie.url).path, annie.cookies)
        with Visitor(site) as again:
            again.open(asks(site, apps["checked"]))
            log_in(again, "annie")
            again.tick("Drie maanden")
            again.press("Toestaan")
            again.open(asks(site, apps["checked"]))
            yield Shot("authorize-again", urlsplit(again.url).path, again.cookies)
        annie.open(asks(site, apps["once"], "launch/patient patient/MedicationRequest.rs"))
        yield Shot("authorize-small", urlsplit(annie.url).path, annie.cookies)
        yield Shot("home", "/portal/", annie.cookies)
        yield Shot("apps", "/portal/apps", annie.cookies)
        annie.open("/portal/apps")
        annie.follow(WORDS["apps_more_named"][0].format(name="Bloeddrukboekje"))
        one = urlsplit(annie.url).path
        yield Shot("app", one, annie.cookies)
        yield Shot("app-stop", f"{one}/stop", annie.cookies)
        yield Shot("log", "/portal/log", annie.cookies)
        yield Shot("log-all", "/portal/log?show=all", annie.cookies)
        yield Shot("account", "/portal/account", annie.cookies)
        yield Shot("error", "/portal/nowhere", annie.cookies)


def of_a_proxy(site: str, apps: dict[str, str]) -> Iterator[Shot]:
    with Visitor(site) as els:
        els.open(asks(site, apps["checked"]))
        log_in(els, "els")
        yield Shot("authorize-proxy", urlsplit(els.url).path, els.cookies)
        yield Shot("apps-proxy", "/portal/apps", els.cookies)
        yield Shot("log-proxy", "/portal/log", els.cookies)


def of_a_professional(site: str, apps: dict[str, str]) -> Iterator[Shot]:
    with Visitor(site) as doctor:
        doctor.open(asks(site, apps["checked"]))
        log_in(doctor, "vermeulen")
        place = urlsplit(doctor.url).path
        yield Shot("patients", place, doctor.cookies)
        yield Shot("patients-found", place, doctor.cookies, {"#name": "hu"}, "main button.primary")
        yield Shot("launch", "/portal/launch", doctor.cookies, {"#name": "hu"}, "main button.primary")
        yield Shot("launch-app", "/portal/launch/bewoner-01", doctor.cookies)
        yield Shot("home-professional", "/portal/", doctor.cookies)
        with Visitor(site) as chosen:
            chosen.open(asks(site, apps["checked"]))
            log_in(chosen, "vermeulen")
            chosen.fill("Naam", "Huijnen")
            chosen.press("Zoeken")
            chosen.press(next(name for name in chosen.named("button") if "Huijnen" in name and "Ingelogd" not in name))
            yield Shot("authorize-professional", urlsplit(chosen.url).path, chosen.cookies)


def of_a_second_step(site: str) -> Iterator[Shot]:
    with Visitor(site) as els:
        els.open("/portal/account")
        log_in(els, "els")
        els.fill("Uw wachtwoord van nu", PASSWORD, "Zet de code aan")
        els.press("Zet de code aan")
        yield Shot("account-code", "/portal/account/code", els.cookies)
    with Visitor(site) as operator:
        operator.open("/portal/account")
        log_in(operator, "beheer")
        operator.fill("Uw wachtwoord van nu", PASSWORD, "Zet de code aan")
        operator.press("Zet de code aan")
        typed = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", operator.page.text)
        assert typed, "the secret of the second step is on the page"
        operator.fill("Typ hier de 6 cijfers die de app laat zien", pyotp.TOTP(typed[0].replace(" ", "")).now())
        operator.press("Zet de code aan")
        yield Shot("operator", "/portal/operator", operator.cookies)
    with Visitor(site) as operator:
        operator.open("/portal/login")
        log_in(operator, "beheer")
        yield Shot("second-step", urlsplit(operator.url).path, operator.cookies)


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        data = Path(name) / "data"
        load(data, bundle_paths())
        give_accounts(data)
        apps = register_apps(data)
        with live(data) as served:
            site = served.url.removesuffix("/fhir")
            told = [asdict(shot) for shot in shots(site, apps)]
            problems = node.run("screenshots.mjs", 300, chromium=node.browser(), site=site, folder=str(folder),
                                widths=WIDTHS, languages=LANGUAGES, shots=told)  # fmt: skip
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")))

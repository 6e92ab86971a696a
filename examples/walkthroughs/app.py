"""A resident lets an app in, sees what it may, and stops it; the app is a program, the browser is played.

The operator registers the app and makes an account first, with `wijkdossier client` and `wijkdossier account`.
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from examples.walkthroughs.walk import Server, answer, expect, resources, server_from_arguments, step, tell

ANNIE = "Patient/bewoner-01"
REDIRECT_URI = "http://127.0.0.1:4321/back"
SCOPE = "openid fhirUser launch/patient offline_access patient/*.rs"
MAY_READ = ("measurements", "medicines")


class Page(HTMLParser):
    """What can be read on a page, and the fields that its form sends of itself: what is hidden in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden":
            self.hidden[found["name"] or ""] = found.get("value") or ""

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def walk(server: Server) -> None:
    site = server.base.removesuffix("/fhir")

    step("The operator registers an app, and gives Annie an account.")
    added = server.command(
        "client", "add", "--name", "Mijn Gewicht", "--redirect-uri", REDIRECT_URI, "--scope", SCOPE,
        "--explanation", "Ik teken een lijn van uw gewicht.",
    )  # fmt: skip
    client_id = added.split()[-1]
    username, password = f"annie-{secrets.token_hex(3)}", secrets.token_urlsafe(16)
    server.command("account", "add", username, "--name", "Annie", "--person", ANNIE, typed=password)
    tell("a client id, and no secret: the app runs where everybody can look into it")

    step("The app asks where to go, and sends Annie's browser there.")
    found = answer(httpx.get(f"{server.base}/.well-known/smart-configuration"))
    verifier = secrets.token_urlsafe(48)
    state = secrets.token_urlsafe(16)
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "state": state,
        "aud": server.base,
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    with httpx.Client(base_url=site, follow_redirects=True, timeout=30) as browser:
        page = browser.get(found["authorization_endpoint"], params=asked)
        expect("Inloggen" in page.text, "she is asked to log in")
        page = submit(browser, page, username=username, password=password)
        expect("Mijn Gewicht" in page.text, "she is asked whether this app may use the record")
        expect("Ik teken een lijn van uw gewicht." in page.text, "why, in the app's own words")

        step("Annie ticks measurements and medicines, until she stops it, and allows it.")
        left = submit(browser, page, follow=False, reading=MAY_READ, duration="always", answer="allow")
    expect(left.status_code == 303, "her browser goes back to the app")
    told = dict(parse_qsl(urlsplit(left.headers["location"]).query))
    expect(told["state"] == state, "with the state that the app sent")
    expect(told["iss"] == found["issuer"], "and by whom it was sent back")

    step("The app exchanges the code for tokens.")
    form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": REDIRECT_URI}
    form |= {"client_id": client_id, "code_verifier": verifier}
    tokens = answer(httpx.post(found["token_endpoint"], data=form))
    expect(tokens["patient"] == "bewoner-01", "it knows whose record it is")
    expect("patient/*.rs" not in tokens["scope"], "and that it was granted less than it asked for")
    tell(tokens["scope"])

    step("The app reads what was ticked, and nothing else is there for it.")
    app = bearer(server, tokens["access_token"])
    annie = server.as_user(ANNIE, "patient/*.cruds")
    expect(count(app, "MedicationRequest") == count(annie, "MedicationRequest") > 0, "all medicines")
    expect(0 < count(app, "Observation") < count(annie, "Observation"), "her measurements, and no laboratory results")
    refused = app.get("Condition")
    expect(refused.status_code == 403, "no diagnoses: the scope was not granted")

    step("Letting the app in is a Consent in her record, and the access log names the app.")
    bundle = answer(annie.get("Consent", params={"actor": f"Device/app-{client_id}", "status": "active"}))
    (consent,) = resources(bundle)
    tell(" ".join(Page(consent["text"]["div"]).words))
    log = answer(annie.get("Patient/bewoner-01/$access-log", params={"language": "nl"}))
    expect("met de app Mijn Gewicht" in str(log), "the log says that she looked with this app")

    step("She stops it: the Consent ends, and the very next request is refused.")
    ended = [{"op": "replace", "path": "/status", "value": "inactive"}]
    patch = {"Content-Type": "application/json-patch+json"}
    answer(annie.patch(f"Consent/{consent['id']}", json=ended, headers=patch))
    refused = app.get("MedicationRequest")
    expect(refused.status_code == 401, "the token is no token any more")
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client_id}
    refused = httpx.post(found["token_endpoint"], data=again)
    expect(refused.json()["error"] == "invalid_grant", "and no new one is to be had")


def submit(
    browser: httpx.Client, page: httpx.Response, follow: bool = True, **fields: str | Sequence[str]
) -> httpx.Response:
    """Send the form of the page, to where the page is, as the browser would."""
    form: Mapping[str, Any] = {**Page(page.text).hidden, **fields}
    headers = {"Origin": urljoin(str(page.url), "/").rstrip("/")}
    return browser.post(str(page.url), data=form, headers=headers, follow_redirects=follow)


def bearer(server: Server, token: str) -> httpx.Client:
    return httpx.Client(base_url=server.base + "/", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def count(client: httpx.Client, resource_type: str) -> int:
    total: int = answer(client.get(resource_type, params={"_summary": "count"}))["total"]
    return total


if __name__ == "__main__":
    walk(server_from_arguments(__doc__ or ""))

"""Whatever is sent to a page or to the authorization server: no 5xx, no redirect to a stranger, nothing reflected raw.

Every parameter of every endpoint is spoiled in turn; WIJKDOSSIER_LONG=1 sends twenty thousand requests.
https://datatracker.ietf.org/doc/html/rfc9700#section-4.11, https://datatracker.ietf.org/doc/html/rfc6749#section-5.2
"""

import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from fhir_server.portal.pages import MODULES
from tests.adversary.authorizing import (
    ISSUER,
    PASSWORD,
    PEOPLE,
    REDIRECT,
    App,
    Browser,
    Form,
    Pairs,
    assertion,
    filled,
    forms,
    links,
    settle,
)
from tests.adversary.dossiers import STEPS
from tests.adversary.hostile_forms import ADDRESSES, MARKED, Hostility, Sent
from tests.adversary.surface import Answer, Surface, folder_settings, furnish, running
from tests.clients.visitor import parsed

pytestmark = pytest.mark.anyio

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
SEEDS = range(int(os.environ.get("WIJKDOSSIER_SEED", "0")), 1_000_000)[: 10 if LONG else 1]
REQUESTS = 2_000 if LONG else 1_500
# How often people log in anew, apps are asked for anew, and the pages are looked at for what they can send.
ROUND = 250

DOCUMENTS: Final = ("/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/auth/jwks")  # fmt: skip
PROTOCOL: Final = frozenset({"/auth/token", "/auth/introspect", "/auth/revoke", "/auth/register", *DOCUMENTS})
# What a person types, by the name of the field.
TYPED: Final = {"username": "resident", "password": PASSWORD, "current": PASSWORD, "new": PASSWORD, "again": PASSWORD, "code": "123456", "name": "mrk"}  # fmt: skip
REGISTRATION: Final = {"client_name": "Fuzz", "redirect_uris": [REDIRECT], "scope": "patient/*.rs", "grant_types": ["authorization_code"], "response_types": ["code"], "token_endpoint_auth_method": "none"}  # fmt: skip

_OURS: Final = re.compile(r"/(?:portal|auth)(?:/[^/\\]+)*/?(?:\?.*)?")
_REGISTERED: Final = re.compile(r"https://app\.test/after|http://127\.0\.0\.1(?::\d{1,5})?/after")
_COOKIE: Final = re.compile(r"wijkdossier(?:-language|-device)?=[A-Za-z0-9_.=~-]*; Path=/; HttpOnly; SameSite=Lax(?:; Max-Age=\d+)?")  # fmt: skip
_DESCRIPTION: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


class Town:
    """People who are logged in, what their pages can send, and what apps were given."""

    def __init__(self, surface: Surface, secrets: dict[str, str], hostility: Hostility) -> None:
        self._surface = surface
        self._hostility = hostility
        self.apps = [App("public"), App("secret", secrets["secret"]), App("signing")]
        self.people = {name: Browser(surface, f"192.0.2.{at}") for at, name in enumerate(PEOPLE, 1)}
        self.nobody = Browser(surface, "192.0.2.100")
        self._forms: list[tuple[Browser, Form]] = []
        self._answers: dict[str, dict[str, str]] = {}
        self._turn = 0
        self.asked: set[tuple[str, str]] = set()

    async def renew(self) -> None:
        self._forms = []
        await self.nobody.get("/portal/login")
        for username in self.people:
            await self._be_there(username)
        self._answers = {app.id: await self._let_in(app) for app in self.apps}
        for username, browser in (*self.people.items(), ("", self.nobody)):
            starts = ["/portal/login", "/portal/person", "/portal/apps", "/portal/log", "/portal/", *EXTRA_PAGES]
            if username != "operator":
                starts.append(await browser.asked(self.apps[0]))
            await self._look_around(browser, starts)

    async def _be_there(self, username: str) -> Browser:
        """Their browser, logged in again if some request logged it out."""
        browser = self.people[username]
        if (await browser.get("/portal/")).status != 200:
            await browser.log_in(username)
        return browser

    async def _let_in(self, app: App) -> dict[str, str]:
        """What the token endpoint answers when the resident lets the app in."""
        code = await (await self._be_there("resident")).code(app)
        answer = await self.nobody.send(Form("POST", "/auth/token", app.redemption(code)))
        assert answer.status == 200, answer.body
        told: dict[str, str] = answer.json
        return told

    async def _look_around(self, browser: Browser, starts: list[str]) -> None:
        """Every page that can be reached, and every form in it."""
        waiting, seen = list(starts), set(starts)
        while waiting:
            path = waiting.pop()
            answer = await browser.get(path)
            parts = urlsplit(path)
            self._forms.append((browser, Form("GET", parts.path, [("language", "nl"), ("next", "/portal/log")])))
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            self._forms += [(browser, filled(form, **_typed(form))) for form in forms(path, answer)]
            for link in links(path, answer):
                if link not in seen and len(seen) < 60:
                    seen.add(link)
                    waiting.append(link)

    # --- requests ----------------------------------------------------------------------------------------------------

    async def request(self) -> Sent:
        """The next one; each kind in its turn."""
        self._turn += 1
        choose = self._hostility.choose
        browser, form, as_json = await choose(
            [
                (7, self._page),
                (4, self._authorize),
                (4, self._token),
                (3, self._about_a_token),
                (2, self._registration),
                (1, self._document),
            ]
        )
        self.asked.add((form.method, form.path.partition("?")[0]))
        return self._hostility.request(form, browser.cookies, json_body=as_json)

    async def _page(self) -> tuple[Browser, Form, bool]:
        return *self._forms[self._turn * 31 % len(self._forms)], False

    async def _authorize(self) -> tuple[Browser, Form, bool]:
        browser = (*self.people.values(), self.nobody)[self._turn % 5]
        app = self.apps[self._turn % 3]
        return browser, Form(("GET", "POST")[self._turn % 2], "/auth/authorize", app.request()), False

    async def _token(self) -> tuple[Browser, Form, bool]:
        return self.nobody, Form("POST", "/auth/token", await self._grant()), False

    async def _grant(self) -> Pairs:
        app = self.apps[self._turn % 3]
        match self._turn % 7:
            case 0 | 1:
                resident = await self._be_there("resident")
                return app.redemption(await resident.code(app))
            case 2 | 3:
                refresh = self._answers[app.id]["refresh_token"]
                return [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "patient/*.rs"), *app.proof()]  # fmt: skip
            case 4:
                return [("grant_type", "client_credentials"), ("scope", "system/*.rs"), *App("backend").proof()]
            case _:
                claims = {"iss": "backend", "sub": "backend", "aud": f"{ISSUER}/auth/token", "exp": 2**31, "jti": str(self._turn)}  # fmt: skip
                hostile = self._hostility.assertion({"alg": "ES384", "kid": "one", "typ": "JWT"}, claims)
                proof = [("client_assertion", hostile) if name == "client_assertion" else (name, value) for name, value in App("backend").proof()]  # fmt: skip
                return [("grant_type", "client_credentials"), ("scope", "system/*.rs"), *proof]

    async def _about_a_token(self) -> tuple[Browser, Form, bool]:
        app = self.apps[self._turn % 3]
        told = self._answers[app.id]
        token = (told["access_token"], told["refresh_token"], told["id_token"], assertion())[self._turn % 4]
        path = ("/auth/introspect", "/auth/revoke")[self._turn % 2]
        bearer = (("authorization", f"Bearer {told['access_token']}"),) if self._turn % 5 == 0 else ()
        proof = [] if bearer else app.proof()
        return self.nobody, Form("POST", path, [("token", token), ("token_type_hint", "access_token"), *proof], bearer), False  # fmt: skip

    async def _registration(self) -> tuple[Browser, Form, bool]:
        return self.nobody, Form("POST", "/auth/register", [(name, json.dumps(value)) for name, value in REGISTRATION.items()]), True  # fmt: skip

    async def _document(self) -> tuple[Browser, Form, bool]:
        return self.nobody, Form("GET", DOCUMENTS[self._turn % len(DOCUMENTS)], []), False


# Pages to which no link leads.
EXTRA_PAGES: Final = ("/portal/login/code", "/portal/account/code", "/portal/account/code.svg", "/portal/static/smart-style.json", "/portal/static/style.css", "/portal/nowhere")  # fmt: skip


def _typed(form: Form) -> dict[str, str]:
    return {name: TYPED[name] for name, value in form.pairs if name in TYPED and not value}


@pytest.fixture
async def surface(tmp_path: Path) -> AsyncIterator[tuple[Surface, dict[str, str]]]:
    settings = folder_settings(tmp_path / "data", body_bytes_max=200_000, dynamic_registration=True)
    await furnish(settings, [[step.change] for step in STEPS], {})
    secrets = await settle(settings)
    async with running(settings) as surface:
        yield surface, secrets


@pytest.mark.parametrize("seed", SEEDS)
async def test_line_18_hostile_input_never_gives_a_500_nor_a_redirect_to_a_stranger(
    seed: int, surface: tuple[Surface, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    hostility = Hostility(seed)
    town = Town(*surface, hostility)
    statuses: dict[int, int] = {}
    for number in range(REQUESTS):
        if number % ROUND == 0:
            await town.renew()
        sent = await town.request()
        answer = await surface[0].raw(*_parts(sent), peer=sent.peer)
        what = f"seed {seed}, request {number}: {sent.raw}"
        assert not caplog.records, f"{caplog.text} after {what}"
        assert answer.status < 500, f"{answer.status} {answer.body[:300]!r} to {what}"
        wrong = list(_wrong(sent, answer))
        assert not wrong, f"{wrong} in {answer} to {what}"
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    # Requests that all fail at the door would prove little.
    assert statuses[200] > REQUESTS / 8, statuses
    assert statuses[303] > REQUESTS / 25, statuses
    assert statuses.get(429, 0) < REQUESTS / 25, statuses
    assert not _unasked(town), "pages and endpoints that nothing was sent to"


def _parts(sent: Sent) -> tuple[str, bytes, tuple[tuple[bytes, bytes], ...], bytes]:
    return sent.raw.method, sent.raw.target, sent.raw.headers, sent.raw.body


def _unasked(town: Town) -> set[tuple[str, str]]:
    pages = {(page.method, page.path) for module in MODULES for page in module.PAGES}
    pages |= {("GET" if path in DOCUMENTS else "POST", path) for path in PROTOCOL}
    return {(method, path) for method, path in pages if not any(
        method == one and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), asked) for one, asked in town.asked)}  # fmt: skip


def _wrong(sent: Sent, answer: Answer) -> Iterator[str]:
    """What the answer should not have been."""
    path, kind = sent.raw.target.partition(b"?")[0].decode("latin-1"), answer.headers.get("content-type", "")
    if any(character in value for value in answer.headers.values() for character in "\r\n\0"):
        yield "a header of two lines"
    if "zq-injected" in answer.headers:
        yield "a header that was sent"
    if not all(_COOKIE.fullmatch(cookie) for cookie in answer.cookies):
        yield "a cookie that is not ours"
    location = answer.headers.get("location", "")
    if location and not (_OURS.fullmatch(location) or _REGISTERED.fullmatch(location.partition("?")[0])):
        yield "a redirect to a stranger"
    if location and answer.status not in (201, 302, 303):
        yield "a redirect that takes the form with it"
    if answer.status == 429 and "retry-after" not in answer.headers:
        yield "no word of when to come back"
    if PASSWORD.encode() in answer.body:
        yield "a password"
    if kind.startswith("text/html"):
        yield from _wrong_in_a_page(answer)
    if path in PROTOCOL and sent.raw.method not in ("HEAD", "OPTIONS") and answer.status >= 400:
        yield from _wrong_in_an_error(answer)
    if (kind.startswith("text/html") or path in PROTOCOL) and answer.headers.get("cache-control") != "no-store":
        yield "what a cache would keep"


def _wrong_in_a_page(answer: Answer) -> Iterator[str]:
    policy = answer.headers.get("content-security-policy", "")
    if not policy.startswith("default-src 'none'; ") or "frame-ancestors 'none'" not in policy:
        yield "a page without its policy"
    text = answer.body.decode()
    if any(mark in text for mark in ("<zq", '"zq', "'zq", "{{7", "<img", "<!--zq")):
        yield "what was sent, as it was sent"
    for element in parsed(text).all("script", "iframe", "object", "embed", "form", "a", "img", "link", "base", "meta"):
        told = element.attributes
        if element.tag in ("script", "iframe", "object", "embed", "base") or "refresh" in told.get("http-equiv", ""):
            yield f"an element {element.tag}"
        target = told.get("href", told.get("action", told.get("src", "")))
        if target and not re.match(r"/(?!/)|[?#]", target):
            yield f"an address of another site, {target}"
    if re.search(r"<[^>]* on[a-z]+=|<[^>]* style=", text):
        yield "a script or a style in an attribute"


def _wrong_in_an_error(answer: Answer) -> Iterator[str]:
    if answer.headers.get("content-type") != "application/json":
        yield "an error that is no JSON"
        return
    told = answer.json
    if set(told) != {"error", "error_description"} or not re.fullmatch("[a-z_]+", told["error"]):
        yield "an error that RFC 6749 does not know"
    if not _DESCRIPTION.fullmatch(told["error_description"]):
        yield "characters that RFC 6749 does not allow"


async def test_line_3_no_redirect_uri_but_a_registered_one_is_ever_gone_to(
    surface: tuple[Surface, dict[str, str]],
) -> None:
    """Every variation of an address, with all else right: what is not that address shows a page."""
    app = App("public")
    browser = Browser(surface[0], "192.0.2.1")
    for address in (*ADDRESSES, *MARKED):
        pairs = [(name, address if name == "redirect_uri" else value) for name, value in app.request()]
        for method in ("GET", "POST"):
            for more in ([], [("response_type", "token")], [("prompt", "none")]):
                changed = [pair for pair in pairs if pair[0] not in dict(more)] + more
                answer = await browser.send(Form(method, "/auth/authorize", changed))
                location = answer.headers.get("location", "")
                assert not location or _OURS.fullmatch(location) or _REGISTERED.fullmatch(location.partition("?")[0]), (address, location)  # fmt: skip
    assert (await browser.send(Form("GET", "/auth/authorize", app.request()))).status == 303

"""Whatever is sent to a page or to the authorization server: no 5xx, no redirect to a stranger, nothing reflected raw.

Every parameter of every endpoint is spoiled in turn; WIJKDOSSIER_LONG=1 sends twenty thousand requests.
https://datatracker.ietf.org/doc/html/rfc9700#section-4.11, https://datatracker.ietf.org/doc/html/rfc6749#section-5.2
"""

import json
import logging
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from fhir_server.portal.pages import MODULES
from tests.adversary.authorizing import (
    ISSUER,
    LAUNCH,
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
from tests.adversary.dossiers import STEPS, A
from tests.adversary.hostile import Raw
from tests.adversary.hostile_forms import ADDRESSES, MARKED, Hostility, Sent
from tests.adversary.surface import Answer, Surface, folder_settings, furnish, running
from tests.clients.visitor import parsed
from tests.providers.openid import CLIENT, SECRET, OpenIdProvider
from tests.providers.openid import provider as openid_provider

pytestmark = pytest.mark.anyio

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
SEEDS = range(int(os.environ.get("WIJKDOSSIER_SEED", "0")), 1_000_000)[: 10 if LONG else 1]
REQUESTS = 2_000 if LONG else 1_500
# How often people log in anew, apps are asked for anew, and the pages are looked at for what they can send.
ROUND = 500
# How many of one kind of page are looked at, for each person.
ALIKE_MAX = 2

DOCUMENTS: Final = ("/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/auth/jwks")  # fmt: skip
PROTOCOL: Final = frozenset({"/auth/token", "/auth/introspect", "/auth/revoke", "/auth/register", *DOCUMENTS})
# What a person types, by the name of the field.
TYPED: Final = {"username": "resident", "password": PASSWORD, "current": PASSWORD, "new": PASSWORD, "again": PASSWORD, "code": "123456", "name": "mrk"}  # fmt: skip
REGISTRATION: Final = {"client_name": "Fuzz", "redirect_uris": [REDIRECT], "scope": "patient/*.rs", "grant_types": ["authorization_code"], "response_types": ["code"], "token_endpoint_auth_method": "none"}  # fmt: skip

# Those that say more of themselves first: `/portal/apps` is no page of `/portal/{rest}`.
PATHS: Final = sorted(
    (
        (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path)
        for path in {page.path for module in MODULES for page in module.PAGES}
    ),
    key=lambda one: one[1].count("{"),
)
_OURS: Final = re.compile(r"/(?:portal|auth)(?:/[^/\\]+)*/?(?:\?.*)?")
_REGISTERED: Final = re.compile(r"https://app\.test/after|http://127\.0\.0\.1(?::\d{1,5})?/after")
_COOKIE: Final = re.compile(r"wijkdossier(?:-language|-device)?=[A-Za-z0-9_.=~-]*; Path=/; HttpOnly; SameSite=Lax(?:; Max-Age=\d+)?")  # fmt: skip
_DESCRIPTION: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


class Town:
    """People who are logged in, what their pages can send, and what apps were given."""

    def __init__(
        self, surface: Surface, secrets: dict[str, str], provider: OpenIdProvider, hostility: Hostility
    ) -> None:
        self._surface = surface
        self._provider = provider
        self._hostility = hostility
        self.apps = [App("public"), App("secret", secrets["secret"]), App("signing")]
        self.people = {name: Browser(surface, f"192.0.2.{at}") for at, name in enumerate(PEOPLE, 1)}
        self.waiting = self.people.pop("careful")
        self.nobody = Browser(surface, "192.0.2.100")
        self._forms: dict[tuple[str, str], list[tuple[Browser, Form]]] = {}
        self._answers: dict[str, dict[str, str]] = {}
        self._turn = self._page_turn = 0
        self.asked: set[tuple[str, str]] = set()

    async def renew(self) -> None:
        self._forms = {}
        await self.nobody.get("/portal/login")
        for username in self.people:
            await self._be_there(username)
        self._answers = {app.id: await self._let_in(app) for app in self.apps}
        await self.waiting.log_in("careful")
        await self._look_around(self.waiting, ["/portal/login/code"])
        await self._go_on(self.people["doctor"])
        for username, browser in (*self.people.items(), ("", self.nobody)):
            starts = ["/portal/login", "/portal/person", "/portal/apps", "/portal/log", "/portal/", *EXTRA_PAGES]
            if username != "operator":
                starts.append(await browser.asked(self.apps[0]))
            await self._look_around(browser, starts)
        self._ask_for_what_forms_lead_to()

    def _ask_for_what_forms_lead_to(self) -> None:
        """A browser in which a form was refused asks for its address by GET, in another language for instance."""
        for (method, page), several in list(self._forms.items()):
            if method == "POST" and ("GET", page) not in self._forms:
                for browser, form in several:
                    self._add(browser, Form("GET", form.path.partition("?")[0], [("language", "en")]))

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

    async def _go_on(self, browser: Browser) -> None:
        """What comes after a form was sent: a second step to be confirmed, and patients who were found."""
        path = "/portal/account"
        (start,) = [form for form in forms(path, await browser.get(path)) if form.path.endswith("/code/start")]
        await browser.send(filled(start, current=PASSWORD))
        self._add(browser, filled(Form("POST", f"{path}/code/stop", start.pairs), current=PASSWORD))
        place = await browser.asked(self.apps[0])
        (search,) = [form for form in forms(place, await browser.get(place)) if form.path.endswith("/patients")]
        for form in forms(place, await browser.send(filled(search, name="mrk"))):
            self._add(browser, form)

    async def _look_around(self, browser: Browser, starts: list[str]) -> None:
        """Every page that can be reached, and every form in it."""
        waiting, seen, kinds = list(starts), set(starts), Counter[tuple[str, str]]()
        while waiting:
            path = waiting.pop(0)
            answer = await browser.get(path)
            parts = urlsplit(path)
            self._add(browser, Form("GET", parts.path, [("language", "nl"), ("next", "/portal/log")]))
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for form in forms(path, answer):
                self._add(browser, filled(form, **_typed(form)))
            for link in links(path, answer):
                kind = _page_of(Form("GET", link, []))
                if link not in seen and kinds[kind] < ALIKE_MAX:
                    kinds[kind] += 1
                    seen.add(link)
                    waiting.append(link)

    def _add(self, browser: Browser, form: Form) -> None:
        self._forms.setdefault(_page_of(form), []).append((browser, form))

    def each_form(self) -> list[tuple[Browser, Form]]:
        """One of each, that which ends a login last."""
        found = {(page, tuple(name for name, _ in form.pairs)): (browser, form)
                 for page, several in self._forms.items() for browser, form in several}  # fmt: skip
        return sorted(found.values(), key=lambda one: one[1].path == "/portal/logout")

    # --- requests ----------------------------------------------------------------------------------------------------

    async def request(self) -> Sent:
        """The next one; each kind in its turn."""
        self._turn += 1
        choose = self._hostility.choose
        browser, form, as_json = await choose(
            [
                (7, self._page),
                (1, self._external),
                (4, self._authorize),
                (4, self._token),
                (3, self._about_a_token),
                (2, self._registration),
                (1, self._document),
            ]
        )
        self.asked.add(_page_of(form))
        return self._hostility.request(form, browser.cookies, json_body=as_json)

    async def _page(self) -> tuple[Browser, Form, bool]:
        """One page after the other, and every time as somebody else, or of something else."""
        self._page_turn += 1
        several = list(self._forms.values())
        round, at = divmod(self._page_turn, len(several))
        return *several[at][round % len(several[at])], False

    async def _external(self) -> tuple[Browser, Form, bool]:
        """Back from the OpenID Provider, in a browser that went there."""
        browser = Browser(self._surface, f"198.51.100.{self._turn % 250}")
        answer = await browser.get("/portal/external/start")
        asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        back = urlsplit(self._provider.authorize(asked))
        return browser, Form("GET", back.path, parse_qsl(back.query)), False

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
EXTRA_PAGES: Final = (
    *("/portal", "/portal/nowhere", "/portal/login/code", "/portal/external/start", "/portal/operator"),
    *("/portal/launch", f"/portal/launch/{A}"),
    *("/portal/account/code", "/portal/account/code.svg"),
    *("/portal/static/smart-style.json", "/portal/static/style.css"),
)


def _typed(form: Form) -> dict[str, str]:
    return {name: TYPED[name] for name, value in form.pairs if name in TYPED and not value}


Place = tuple[Surface, dict[str, str], OpenIdProvider]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    with openid_provider() as provider:
        settings = folder_settings(
            tmp_path / "data",
            base_policy="permit",
            dynamic_registration=True,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
        )
        await furnish(settings, [[step.change] for step in STEPS], {})
        secrets = await settle(settings, provider.subject)
        async with running(settings) as surface:
            yield surface, secrets, provider


@pytest.mark.parametrize("seed", SEEDS)
async def test_line_18_hostile_input_never_gives_a_500_nor_a_redirect_to_a_stranger(
    seed: int, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    hostility = Hostility(seed)
    surface, _, provider = place
    town = Town(*place, hostility)
    statuses: dict[int, int] = {}
    for number in range(REQUESTS):
        if number % ROUND == 0:
            await town.renew()
        sent = await town.request()
        answer = await surface.raw(*_parts(sent), peer=sent.peer)
        what = f"seed {seed}, request {number}: {sent.raw}"
        # A code that the OpenID Provider does not know is told of, without it.
        said = [one for one in caplog.messages if not one.startswith("a login at the OpenID Provider failed: ")]
        assert not said, f"{said} after {what}"
        assert answer.status < 500, f"{answer.status} {answer.body[:300]!r} to {what}"
        wrong = list(_wrong(sent, answer, provider.issuer))
        assert not wrong, f"{wrong} in {answer} to {what}"
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    # Requests that all fail at the door would prove little.
    assert statuses[200] > REQUESTS / 8, statuses
    assert statuses[303] > REQUESTS / 25, statuses
    assert statuses.get(429, 0) < REQUESTS / 25, statuses
    assert _unasked(town) == set(), "pages and endpoints that nothing was sent to"


def _parts(sent: Sent) -> tuple[str, bytes, tuple[tuple[bytes, bytes], ...], bytes]:
    return sent.raw.method, sent.raw.target, sent.raw.headers, sent.raw.body


def _page_of(form: Form) -> tuple[str, str]:
    """Method and path, as the table of pages has it (`/portal/apps/{id}`)."""
    path = form.path.partition("?")[0]
    return form.method, next((one for pattern, one in PATHS if pattern.fullmatch(path)), path)


def _unasked(town: Town) -> set[tuple[str, str]]:
    pages = {(page.method, page.path) for module in MODULES for page in module.PAGES}
    pages |= {("GET" if path in DOCUMENTS else "POST", path) for path in PROTOCOL}
    return pages - town.asked


def _wrong(sent: Sent, answer: Answer, provider: str) -> Iterator[str]:
    """What the answer should not have been."""
    path, kind = sent.raw.target.partition(b"?")[0].decode("latin-1"), answer.headers.get("content-type", "")
    if any(character in value for value in answer.headers.values() for character in "\r\n\0"):
        yield "a header of two lines"
    if "x-zq" in answer.headers:
        yield "a header that was sent"
    if not all(_COOKIE.fullmatch(cookie) for cookie in answer.cookies):
        yield "a cookie that is not ours"
    location = answer.headers.get("location", "")
    there = {LAUNCH, f"{provider}/authorize"}
    away = location.partition("?")[0]
    if location and not (_OURS.fullmatch(location) or _REGISTERED.fullmatch(away) or away in there):
        yield "a redirect to a stranger"
    if location and answer.status not in (201, 302, 303):
        yield "a redirect that takes the form with it"
    if answer.status == 429 and "retry-after" not in answer.headers:
        yield "no word of when to come back"
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
    if any(mark in text for mark in ("<zq", '"zq', "'zq", "49zq", "<img src=zq", "<!--zq")):
        yield "what was sent, as it was sent"
    for element in parsed(text).all("script", "iframe", "object", "embed", "form", "a", "img", "link", "base", "meta"):
        told = element.attributes
        if element.tag in ("script", "iframe", "object", "embed", "base") or "refresh" in told.get("http-equiv", ""):
            yield f"an element {element.tag}"
        target = told.get("href", told.get("action", told.get("src", "")))
        if target and not re.match(r"/(?!/)|[?#]", target):
            yield f"an address of another site, {target}"
    if any(one.attributes.get("type") == "password" and "value" in one.attributes for one in parsed(text).all("input")):
        yield "a password that was typed"
    if any(name == "style" or name.startswith("on") for one in parsed(text).all() for name in one.attributes):
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


async def test_line_5_no_host_that_a_request_names_is_redirected_to(place: Place) -> None:
    """A slash at the end was put right with a redirect to whatever the header Host said, by 307, form and all."""
    pages = {page.path.replace("{", "").replace("}", "") for module in MODULES for page in module.PAGES}
    for path in (*pages, *PROTOCOL, "/health/live", "/metrics", "/fhir", "/fhir/metadata"):
        for method in (b"GET", b"POST"):
            headers = [(b"host", b"evil.test"), (b"content-type", b"application/x-www-form-urlencoded")]
            answer = await place[0].raw(method.decode(), f"{path}/".encode(), headers, b"")
            assert "evil.test" not in answer.headers.get("location", ""), path
            assert answer.status not in (301, 307, 308), path


async def test_line_3_no_redirect_uri_but_a_registered_one_is_ever_gone_to(place: Place) -> None:
    """Every variation of an address, with all else right: what is not that address shows a page."""
    app = App("public")
    browser = Browser(place[0], "192.0.2.1")
    for address in (*ADDRESSES, *MARKED):
        pairs = [(name, address if name == "redirect_uri" else value) for name, value in app.request()]
        for method in ("GET", "POST"):
            for more in ([], [("response_type", "token")], [("prompt", "none")]):
                changed = [pair for pair in pairs if pair[0] not in dict(more)] + more
                answer = await browser.send(Form(method, "/auth/authorize", changed))
                location = answer.headers.get("location", "")
                assert not location or _OURS.fullmatch(location) or _REGISTERED.fullmatch(location.partition("?")[0]), (address, location)  # fmt: skip
    assert (await browser.send(Form("GET", "/auth/authorize", app.request()))).status == 303


MARK: Final = """'"><zq onmouseover='zq'>{{7*7}}zq"""


async def test_line_18_nothing_stands_in_a_page_as_it_was_sent(place: Place) -> None:
    """Every field of every form in turn, with all the others right, so that it comes as far as it can."""
    town = Town(*place, Hostility(0))
    await town.renew()
    apps = [
        (town.people["resident"], Form(method, "/auth/authorize", town.apps[0].request())) for method in ("GET", "POST")
    ]
    reflected = 0
    for browser, form in (*town.each_form(), *apps):
        for at, (name, _) in enumerate(form.pairs):
            if name == "csrf":
                continue
            sent = [(one, MARK if number == at else value) for number, (one, value) in enumerate(form.pairs)]
            spoiled = Form(form.method, form.path, sent, form.headers)
            answer = await browser.send(spoiled)
            assert answer.status < 500, spoiled
            raw = Raw(form.method, form.path.encode(), (), b"")
            assert list(_wrong(Sent(raw, form, ""), answer, place[2].issuer)) == [], (spoiled, answer)
            reflected += b"&lt;zq" in answer.body
    assert reflected > 2, "some pages show what was typed"

"""One request to a page: who sends it from which browser, and the ways to answer it.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_server.gateway.session import Session
from fhir_server.keys import key
from fhir_server.portal import security
from fhir_server.portal.words import Language, Words
from fhir_server.smart.accounts import OPERATOR, Accounts
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.attempts import Attempts
from fhir_server.smart.form import Form
from fhir_server.smart.grants import as_person
from fhir_server.smart.logins import Logins, new_cookie
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.provider import Provider
from fhir_server.smart.records import Login
from fhir_server.smart.second_factor import SecondFactor
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept

LOGIN: Final = "/portal/login"
PERSON: Final = "/portal/person"
_YEAR: Final = 365 * 24 * 3600


class Portal:
    """What every page works with; one per process. `style` is the hash of the style sheet."""

    def __init__(self, server: AuthorizationServer, words: Words, style: str) -> None:
        folder = server.settings.data
        self.server = server
        self.key = key(folder, "portal")
        self.passwords = Passwords()
        self.logins = Logins(server)
        self.accounts = Accounts(server, self.passwords)
        self.provider = Provider(server, self.accounts) if server.settings.oidc_issuer else None
        self.attempts = Attempts(server, self.key)
        self.second_factor = SecondFactor(key(folder, "second-factor"))
        self.words = words
        self.style = style
        self.templates = Environment(
            loader=PackageLoader("fhir_server.portal"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """What one address answers. `path` is Starlette's (`/portal/apps/{id}`).

    Forms are ours by the time `answer` sees them. `repeatable` are the fields that may come more than once. A `foreign`
    page takes forms from other sites, and must change nothing for whoever is logged in.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: Callable[["Visit"], Awaitable[Response]]
    repeatable: Sequence[str] = ()
    foreign: bool = False


class LoginNeeded(Exception):
    """Raised by `Visit.require_login`; the answer leads by way of `path` back to the page."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Problem(Exception):
    """A page that says what is wrong: `sentence` is a name in Words; `problem_<status>` if there is nothing to add."""

    def __init__(self, status: int, sentence: str = "", *, retry_after: int = 0) -> None:
        super().__init__(f"{status} {sentence}".strip())
        self.status = status
        self.sentence = sentence or f"problem_{status}"
        self.retry_after = retry_after


@dataclass(slots=True)
class Visit:
    """`query` and `form` are the parameters, `parts` those of the path, `headers` have names in lower case.

    `source` is the network address that it came from (`smart.limits.address`), `cookie` and `device` what the browser
    keeps. `kept` is its login, None if nobody logged in.
    """

    portal: Portal
    addresses: Addresses
    method: str
    path: str
    headers: Mapping[str, str]
    query: Form
    form: Form
    parts: Mapping[str, str]
    language: Language
    source: str
    cookie: str
    device: str
    kept: Kept[Login] | None
    set_cookies: list[str] = field(default_factory=list)

    @property
    def server(self) -> AuthorizationServer:
        return self.portal.server

    # --- who ---------------------------------------------------------------------------------------------------------

    def require_login(self) -> Kept[Login]:
        """The login of somebody who chose as whom. Raises LoginNeeded: they log in, or choose, and come back."""
        if self.kept is None:
            raise LoginNeeded(LOGIN)
        if not self.kept.value.person:
            raise LoginNeeded(PERSON)
        return self.kept

    @property
    def person(self) -> str:
        """As whom: `Patient/1` …, `operator`. Raises LoginNeeded."""
        return self.require_login().value.person

    def session(self) -> Session:
        """The Session of who is logged in. Raises LoginNeeded; Problem 403 for the operator, who has none."""
        if self.person == OPERATOR:
            raise Problem(403)
        return self.server.gateway.session_of(as_person(self.person))

    # --- answers -----------------------------------------------------------------------------------------------------

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        redirects_to: Sequence[str] = (),
        retry_after: int = 0,
        **values: Any,
    ) -> Response:
        """The page; in its template also: say, href, csrf, language, login (None if nobody is).

        `redirects_to` are URLs of others that its form may lead to, `retry_after` seconds (0: not said).
        """
        html = self.portal.templates.get_template(template).render(
            say=self.say,
            href=self.href,
            csrf=self.csrf,
            language=self.language,
            other_language=self._other_language(),
            style=self.portal.style,
            login=self.kept.value if self.kept else None,
            **values,
        )
        wait = {"Retry-After": str(retry_after)} if retry_after else {}
        return HTMLResponse(html, status, {**security.headers(redirects_to), **wait})

    def redirect(self, path: str) -> Response:
        """On to a page of ours, `/portal/apps`, by GET."""
        return RedirectResponse(self.href(path), 303, security.headers())

    def problem(self, problem: Problem) -> Response:
        return self.page(
            "problem.html", status=problem.status, retry_after=problem.retry_after, sentence=problem.sentence
        )

    def say(self, name: str, /, **values: object) -> str:
        """The sentence in the language of this visit."""
        return self.portal.words.say(self.language, name, **values)

    def wait(self, seconds: int) -> str:
        """What to say to who tried too often."""
        minutes = -(-seconds // 60)
        return self.say("wait_minute") if minutes == 1 else self.say("wait_minutes", minutes=minutes)

    def href(self, path: str) -> str:
        """The path as a browser has to ask for it: a proxy may have put another in front."""
        return urlsplit(self.addresses.issuer).path + path

    def csrf(self) -> str:
        """The value of the field `csrf` that every form of ours has to carry."""
        if not self.cookie:
            self.remember(new_cookie())
        return security.csrf(self.portal.key, self.cookie)

    def remember(self, cookie: str) -> None:
        """The browser has this cookie from now on; '' takes it away."""
        self.cookie = cookie
        self.set_cookie(security.COOKIE, cookie, seconds=None if cookie else 0)

    def set_cookie(self, name: str, value: str, *, seconds: int | None = _YEAR) -> None:
        """`seconds` None: until the browser closes."""
        self.set_cookies.append(security.set_cookie(name, value, secure=self.addresses.secure, seconds=seconds))

    @property
    def asked(self) -> str:
        """This very page: its path and query."""
        return f"{self.path}?{urlencode(self.query.pairs)}" if self.query.pairs else self.path

    def _other_language(self) -> str:
        """The same page in the other language; where a form was sent, the page with that form."""
        kept = [(name, value) for name, value in self.query.pairs if name != "language"]
        return "?" + urlencode([*kept, ("language", "en" if self.language == "nl" else "nl")])

"""The portal: every page module joined to one router, with what no page may do without.

How a page module plugs in: it has

    WORDS: Final[Table] = {"apps_title": ("Mijn apps", "My apps")}      # portal/words.py; names begin with its own
    PAGES: Final = (Page("GET", "/portal/apps", show), Page("POST", "/portal/apps/{id}/stop", stop))
    async def show(visit: Visit) -> Response: ...

and stands in MODULES below. Of a Visit (portal/visit.py) it uses

- `visit.require_login()`: the Kept[Login] with `.value.person` chosen; who is not logged in logs in and comes back;
- `visit.session()`: the gateway Session of that person; `visit.server`: state, settings, audit entries;
- `visit.query.one("…")`, `visit.form.one("…")`, `.all("…")` (named in `repeatable`), `visit.parts["id"]`;
- `visit.page("apps.html", title=…)`, `visit.redirect("/portal/apps")`, `raise Problem(404)`, `Problem(409, "apps_x")`;
- `visit.page(…, redirects_to=(redirect_uri,))` where a form ends in an app's redirect URI.

A template extends base.html and fills `title` and `content`; it has `say("apps_title")`, `href("/portal/apps")`, and
puts `{% include "csrf.html" %}` into every form. Before `answer` runs: a form is UTF-8, small, ours (CSRF field,
Origin, Fetch metadata). After it: the headers of `security` are there, whoever made the response. FhirError and
OAuthError become a plain page. https://www.w3.org/TR/CSP3/
"""

import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from importlib.resources import files
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fhir_server.http import reading
from fhir_server.outcome import FhirError
from fhir_server.portal import (
    account,
    authorization,
    connections,
    external,
    launching,
    log,
    login,
    operator,
    security,
    words,
)
from fhir_server.portal.visit import LoginNeeded, Page, Portal, Problem, Visit
from fhir_server.smart import form
from fhir_server.smart.addresses import addresses
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.form import Form
from fhir_server.smart.limits import address
from fhir_server.smart.passwords import Busy
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import AuthConflict

_log = logging.getLogger(__name__)

MODULES: Final = (login, external, account, authorization, connections, log, launching, operator)

_FORM: Final = "application/x-www-form-urlencoded"
_BUSY_SECONDS: Final = 5
# What is told of a FhirError, by its status.
_TOLD: Final = {403: 403, 404: 404, 409: 409, 410: 404, 412: 409, 413: 413, 415: 415, 429: 429, 500: 500, 503: 503}

Endpoint = Callable[[Request], Awaitable[Response]]


def router(server: AuthorizationServer) -> APIRouter:
    """Everything below /portal/, and /auth/authorize."""
    style = (files("fhir_server.portal") / "static" / "style.css").read_bytes()
    portal = Portal(
        server,
        words.Words((words.WORDS, *(module.WORDS for module in MODULES))),
        sha256(style).hexdigest()[:12],
    )
    pages = APIRouter(include_in_schema=False)
    pages.add_route("/portal/static/style.css", _static(style), methods=["GET"])
    taken: dict[str, list[Page]] = {}
    for module in MODULES:
        for page in module.PAGES:
            taken.setdefault(page.path, []).append(page)
    for path, several in taken.items():
        pages.add_route(path, _endpoint(portal, several), methods=["GET", "POST"])
    pages.add_route("/portal/{rest:path}", _endpoint(portal, []), methods=["GET", "POST"])
    return pages


def _static(style: bytes) -> Endpoint:
    async def answer(_: Request) -> Response:
        # Its address carries its hash, so that it may be kept.
        return Response(
            style, media_type="text/css", headers={**security.headers(), "Cache-Control": "public, max-age=31536000"}
        )

    return answer


def _endpoint(portal: Portal, pages: list[Page]) -> Endpoint:
    """What answers at one path."""
    by_method = {page.method: page for page in pages}

    async def answer(request: Request) -> Response:
        visit = _visit(portal, request)
        try:
            visit.kept = await portal.logins.find(visit.cookie)
            page = by_method.get("POST" if visit.method == "POST" else "GET")
            if page is None:
                raise Problem(405 if by_method else 404)
            await _read(visit, request, page)
            response = await page.answer(visit)
        except reading.ClientLeft:
            return Response(status_code=400)
        except Exception as error:
            response = _told(visit, error)
        for cookie in visit.set_cookies:
            response.headers.append("set-cookie", cookie)
        for name, value in security.headers().items():
            response.headers.setdefault(name, value)
        return response

    return answer


def _visit(portal: Portal, request: Request) -> Visit:
    """The visit with nothing read yet that could be wrong, and nobody logged in."""
    headers = reading.headers(request.scope["headers"])
    at = addresses(portal.server.settings, headers)
    cookies = security.cookies(headers.get("cookie", ""), secure=at.secure)
    return Visit(
        portal=portal,
        addresses=at,
        method=request.method,
        path=request.scope["path"],
        headers=headers,
        query=Form(),
        form=Form(),
        parts=request.path_params,
        language=words.language(None, cookies.get(security.LANGUAGE_COOKIE), headers.get("accept-language", "")),
        source=address(request.client.host if request.client else "", headers, portal.server.settings),
        cookie=cookies.get(security.COOKIE, ""),
        device=cookies.get(security.DEVICE_COOKIE, ""),
        kept=None,
    )


async def _read(visit: Visit, request: Request, page: Page) -> None:
    """The parameters, of a form that is one of ours. Raises Problem, FhirError, OAuthError, ClientLeft."""
    visit.query = form.parse(request.scope["query_string"], repeatable=page.repeatable)
    asked = visit.query.one("language")
    if asked in words.LANGUAGES:
        visit.language = words.language(asked, None, "")
        visit.set_cookie(security.LANGUAGE_COOKIE, visit.language)
    if visit.method != "POST":
        return
    # The body is read even of a request that is refused, so that the connection can be used again.
    body = await reading.body(visit.headers, request.receive, form.BYTES_MAX)
    if visit.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Problem(415)
    visit.form = form.parse(body, repeatable=page.repeatable)
    if page.foreign:
        return
    if security.is_foreign(visit.addresses.issuer, visit.headers) or not security.is_ours(
        visit.portal.key, visit.cookie, visit.form.one(security.CSRF_FIELD)
    ):
        raise Problem(403, "problem_form")


def _told(visit: Visit, error: Exception) -> Response:
    """The page that says so."""
    match error:
        case LoginNeeded():
            following = visit.asked if visit.method != "POST" else security.START
            return visit.redirect(f"{error.path}?next={quote(following, safe='/')}")
        case Problem():
            return visit.problem(error)
        case OAuthError():
            return visit.problem(Problem(400))
        case Busy():
            return visit.problem(Problem(429, retry_after=_BUSY_SECONDS))
        case AuthConflict():
            return visit.problem(Problem(409))
        case FhirError():
            return visit.problem(Problem(_TOLD.get(error.category.status, 400)))
        case _:
            # The kind of the error and where it was raised, never its words: those may hold personal data.
            _log.error("unexpected %s in %s", type(error).__name__, reading.place(error))
            return visit.problem(Problem(500))

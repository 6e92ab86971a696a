"""A browser that has no script: it keeps cookies, fills in the forms it was given, and follows redirects when told to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from fastapi import FastAPI

from fhir_server.keys import key
from fhir_server.portal import security
from fhir_server.portal.pages import router
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.logins import Logins
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from tests.fhir_server.inprocess import MEMORY, House, opened

SITE = "http://127.0.0.1:8080"
PASSWORD = "een lang wachtwoord"


@dataclass
class Form:
    """A form of a page: where it goes, and the fields that a browser would send as they are."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append(Form(given["action"]))
        elif (tag == "input" and given.get("type") not in ("checkbox", "radio")) or "checked" in given:
            self.forms[-1].fields.append((given["name"], given.get("value", "")))
        elif tag == "button" and "name" in given:
            self.forms[-1].buttons.append((given["name"], given["value"]))


class Browser:
    """`address` is where it is, `url` where it finds the site."""

    def __init__(self, application: Any, address: str, *, language: str = "nl", url: str = SITE) -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application, client=(address, 50000)),
            base_url=url,
            headers={"accept-language": language, "sec-fetch-site": "same-origin"},
        )

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Where the answer leads, one step."""
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])

    async def send(self, page: httpx.Response, action: str, **filled: str) -> httpx.Response:
        """Fill in the form of the page that goes to `action`, and send it."""
        form = next(one for one in forms(page) if one.action.partition("?")[0] == action)
        sent = {**dict(form.fields), **filled}
        return await self.http.post(form.action or str(page.url), data=sent)

    async def log_in(self, username: str, password: str = PASSWORD, following: str = "") -> httpx.Response:
        page = await self.get("/portal/login" + (f"?next={following}" if following else ""))
        return await self.send(page, "/portal/login", username=username, password=password)


def forms(page: httpx.Response) -> list[Form]:
    reader = _Reader()
    reader.feed(page.text)
    return reader.forms


@dataclass
class Site:
    """A portal over a House."""

    house: House
    server: AuthorizationServer
    accounts: Accounts
    logins: Logins
    application: Any

    def browser(self, address: str = "192.0.2.1", **options: Any) -> Browser:
        return Browser(self.application, address, **options)

    async def account(self, username: str, *people: str, password: str = PASSWORD, **more: Any) -> None:
        absent = self.house.maintenance.absent
        await self.accounts.add(username, people, "operator", absent, password=password, **more)

    def proof(self, browser: Browser) -> str:
        """What a form of this browser has to carry in `csrf`, for a form that no page shows."""
        if "wijkdossier" not in browser.http.cookies:
            browser.http.cookies.set("wijkdossier", "a cookie that stands for nobody")
        return security.csrf(key(self.server.settings.data, "portal"), browser.http.cookies["wijkdossier"])

    async def audited(self) -> list[Mapping[str, Any]]:
        """Everything that the trail tells, as AuditEvents."""
        operator = await self.house.caller()
        answer = await operator.get("AuditEvent?_count=1000")
        return [one for one in answer.resources if one["resourceType"] == "AuditEvent"]


@cache
def _folder() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(dir=MEMORY)


@cache
def _signing_keys() -> SigningKeys:
    """Keys take long to make, and one will do for all sites of a run."""
    return SigningKeys(Path(_folder().name))


@asynccontextmanager
async def site(**settings: Any) -> AsyncIterator[Site]:
    async with opened(**settings) as house:
        chosen = house.gateway.settings
        server = AuthorizationServer(house.gateway, State(house.store), chosen, _signing_keys())
        application = FastAPI()
        application.include_router(router(server))
        yield Site(house, server, Accounts(server, Passwords()), Logins(server), application)

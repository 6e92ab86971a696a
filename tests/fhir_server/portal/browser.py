"""A browser that has no script: it keeps cookies, fills in the forms it was given, and follows redirects when told to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
from fastapi import FastAPI

from fhir_server.portal.pages import router
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from tests.fhir_server.inprocess import House, opened

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
    """`follow` false: a redirect is an answer like others."""

    def __init__(self, application: Any, address: str, language: str = "nl") -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application, client=(address, 50000)),
            base_url=SITE,
            headers={"accept-language": language, "sec-fetch-site": "same-origin"},
        )

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

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
    application: Any

    def browser(self, address: str = "192.0.2.1", **options: Any) -> Browser:
        return Browser(self.application, address, **options)

    async def account(self, username: str, *people: str, password: str = PASSWORD, **more: str) -> None:
        absent = self.house.maintenance.absent
        await self.accounts.add(username, people, "operator", absent, password=password, **more)

    async def audited(self) -> list[Mapping[str, Any]]:
        """Everything that the trail tells, as AuditEvents."""
        operator = await self.house.caller()
        answer = await operator.get("AuditEvent?_count=1000")
        return [one for one in answer.resources if one["resourceType"] == "AuditEvent"]


@asynccontextmanager
async def site(**settings: Any) -> AsyncIterator[Site]:
    async with opened(**settings) as house:
        chosen = house.gateway.settings
        server = AuthorizationServer(house.gateway, State(house.store), chosen, SigningKeys(chosen.data))
        application = FastAPI()
        application.include_router(router(server))
        yield Site(house, server, Accounts(server, Passwords()), application)

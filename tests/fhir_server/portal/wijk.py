"""The portal over the example wijk, with apps that residents let in as on the authorization screen."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI

from fhir_server.portal.pages import router
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.logins import Logins
from fhir_server.smart.passwords import Passwords
from tests.fhir_server.portal.browser import Browser, Site
from tests.fhir_server.smart.example_wijk import registered, smart_wijk
from tests.fhir_server.smart.house import SmartHouse
from tests.fhir_server.smart.letting_in import Answered, choice, let_in

GERDA = "Patient/bewoner-11"
SCOPE = "launch/patient offline_access patient/Observation.rs patient/Condition.rs"


class Visitor(Browser):
    async def post(self, path: str, fields: Sequence[tuple[str, str]]) -> httpx.Response:
        """Send these fields, a name as often as it is there."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.http.post(path, content=urlencode(fields), headers=headers)


class WijkSite(Site):
    """A Site whose authorization server is also to be asked directly, as apps do."""

    smart: SmartHouse

    async def visitor(self, person: str, username: str = "visitor", language: str = "nl") -> Visitor:
        """Somebody who is logged in."""
        await self.account(username, person)
        browser = Visitor(self.application, "192.0.2.1", language=language)
        answer = await browser.log_in(username)
        assert answer.status_code == 303, answer.text
        return browser

    async def app_of_gerda(self, ticked: str = "measurements laboratory diagnoses", **more: str) -> Answered:
        client = await registered(self.smart, "wandelen", "Samen wandelen")
        return await let_in(self.smart, client, SCOPE, choice(ticked, **more), GERDA, "bewoner-11")


@asynccontextmanager
async def wijk_site() -> AsyncIterator[WijkSite]:
    async with smart_wijk() as smart:
        application = FastAPI()
        application.include_router(router(smart.server))
        accounts, logins = Accounts(smart.server, Passwords()), Logins(smart.server)
        site = WijkSite(smart.house, smart.server, accounts=accounts, logins=logins, application=application)
        site.smart = smart
        yield site

"""Logging in, choosing as whom, and out again, as a browser meets it."""

import asyncio

from tests.fhir_server.inprocess import patient
from tests.fhir_server.portal.browser import PASSWORD, site

ANNIE = patient("annie", name=[{"given": ["Annie"], "family": "Huijnen"}])


def test_who_logs_in_gets_to_the_page_they_were_on_their_way_to() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.house.given(ANNIE)
            await place.account("annie", "Patient/annie")
            browser = place.browser()
            asked = await browser.get("/portal/?a=b")
            assert (asked.status_code, asked.headers["location"]) == (303, "/portal/login?next=/portal/%3Fa%3Db")
            page = await browser.get(asked.headers["location"])
            answer = await browser.send(page, "/portal/login", username=" Annie", password=PASSWORD)
            assert (answer.status_code, answer.headers["location"]) == (303, "/portal/?a=b")
            home = await browser.get("/portal/")
            assert home.status_code == 200
            assert "Dag Annie Huijnen" in home.text

    asyncio.run(scenario())

"""The operator's page: which apps there are, never by whom they were let in."""

import html
import re

import pytest

from tests.fhir_server.portal.wijk import GERDA, WijkSite
from tests.fhir_server.smart.example_wijk import registered

pytestmark = pytest.mark.anyio


async def test_it_lists_each_app_with_its_publisher_its_addresses_and_its_live_grants(wijk: WijkSite) -> None:
    await wijk.app_of_gerda(duration="always")
    await registered(wijk.smart, "groei", "Groeicurves", kind="symmetric", publisher="Stichting Meten", verified=True)
    operator = await wijk.visitor("operator")
    page = await operator.get("/portal/operator")
    cards = re.findall(r"<article.*?</article>", page.text, re.DOTALL)
    told = [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in cards]
    assert len(told) == 2
    assert told[0].startswith("Groeicurves Kenmerk groei Soort Met een geheim Maker Stichting Meten (nagegaan)")
    assert told[0].endswith("Geregistreerd 22 november 2026 Lopende toestemmingen 0")
    assert "Adressen na het inloggen https://app.test/after" in told[1]
    assert told[1].endswith("Lopende toestemmingen 1")


async def test_it_tells_of_no_person_and_of_no_secret(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda()
    await registered(wijk.smart, "groei", "Groeicurves", kind="symmetric")
    operator = await wijk.visitor("operator")
    page = (await operator.get("/portal/operator")).text
    kept = await wijk.server.state.clients.get("groei")
    assert kept is not None
    for hidden in ("bewoner-11", "Reijnders", answered.grant.key, answered.grant.value.consent, kept.value.secret):
        assert hidden not in page


async def test_a_grant_that_has_ended_is_not_counted(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda()  # for an hour
    wijk.house.clock.now += 2 * 3_600_000_000
    assert answered.grant.value.until < wijk.house.clock.now
    operator = await wijk.visitor("operator")
    assert "Lopende toestemmingen</dt><dd>0<" in (await operator.get("/portal/operator")).text


async def test_it_is_for_the_operator_alone(wijk: WijkSite) -> None:
    for username, person in (("gerda", GERDA), ("karim", "PractitionerRole/huisarts-el-amrani")):
        assert (await (await wijk.visitor(person, username)).get("/portal/operator")).status_code == 403
    assert (await wijk.browser().get("/portal/operator")).status_code == 303

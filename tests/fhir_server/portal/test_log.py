"""The page of the access log: newest first, page by page, a sentence a line, with what to look for."""

import html
import re

import httpx
import pytest

from tests.fhir_server.inprocess import House
from tests.fhir_server.portal.browser import Browser
from tests.fhir_server.portal.wijk import GERDA, WijkSite
from tests.fhir_server.smart.letting_in import caller

pytestmark = pytest.mark.anyio

_BEGINNING = ("De beheerder van dit systeem", "The operator of this system", "Er is op", "A way to")
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def lines(page: httpx.Response) -> list[str]:
    """Without those about how these tests began: what was loaded, and the account that they log in with."""
    assert page.status_code == 200, page.text
    told = all_lines(page)
    return [one for one in told if not one.startswith(_BEGINNING)]


def all_lines(page: httpx.Response) -> list[str]:
    found = re.search(r'<ol class="plain log">(.*?)</ol>', page.text, re.DOTALL)
    told = re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL) if found else []
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", "", one)).split()) for one in told]


def link(page: httpx.Response, words: str) -> str:
    found = re.search(rf'href="([^"]+)">{words}</a>', page.text)
    assert found is not None, words
    return html.unescape(found[1])


async def doctor(house: House) -> None:
    """Gerda's GP looks once."""
    gp = await house.caller("PractitionerRole/huisarts-el-amrani", "user/*.rs", client="his", purpose="TREAT")
    assert (await gp.get("Condition/bewoner-11-hypertensie")).status == 200


async def in_an_emergency(house: House) -> None:
    now = house.clock()
    terms = {
        "client": "his",
        "purpose": "BTG",
        "reason": "Gevallen, reageert niet",
        "issued": now,
        "expires": now + HOUR,
    }
    standing_in = await house.caller("PractitionerRole/waarnemer-el-amrani", "user/*.rs", **terms)
    assert (await standing_in.get("Condition/bewoner-11-hypertensie")).status == 200


async def refused(house: House) -> None:
    son = await house.caller("RelatedPerson/bewoner-11-zoon", "user/*.rs", client="app", purpose="FAMRQT")
    assert (await son.get("Condition/bewoner-11-hypertensie")).status == 404


async def test_each_line_is_a_sentence_and_the_newest_is_first(wijk: WijkSite) -> None:
    await doctor(wijk.house)
    wijk.house.clock.now += HOUR
    await refused(wijk.house)
    gerda = await wijk.visitor(GERDA)
    assert lines(await gerda.get("/portal/log")) == [
        "Geweigerd Mark Reijnders wilde op 22 november 2026 om 12:00 uur 1 aandoening lezen, met als doel een verzoek van "
        "familie; dat is geweigerd, want u hebt gezegd dat het niet mag.",
        "Karim El Amrani (Huisarts) van Huisartsenpraktijk Mijnlamp heeft op 22 november 2026 om 11:00 uur 1 aandoening "
        "gelezen, met als doel behandeling; dat mocht, want u hebt daar toestemming voor gegeven.",
    ]
    english = await gerda.get("/portal/log?language=en")
    assert lines(english)[1].startswith("Karim El Amrani (Huisarts) of Huisartsenpraktijk Mijnlamp read 1 condition on")


async def test_the_emergency_button_is_told_in_words_with_the_reason(wijk: WijkSite) -> None:
    await doctor(wijk.house)
    await in_an_emergency(wijk.house)
    gerda = await wijk.visitor(GERDA)
    (told,) = lines(await gerda.get("/portal/log?show=emergency"))
    assert told.startswith("Noodknop Karim El Amrani (Huisarts) van Huisartsenpraktijk De Esdoorn heeft op ")
    assert told.endswith("want de noodknop is gebruikt. De reden: ‘Gevallen, reageert niet’.")


async def test_refusals_can_be_asked_for_alone(wijk: WijkSite) -> None:
    await doctor(wijk.house)
    await refused(wijk.house)
    gerda = await wijk.visitor(GERDA)
    (told,) = lines(await gerda.get("/portal/log?show=refused"))
    assert told.startswith("Geweigerd Mark Reijnders wilde ")


async def test_what_the_reader_did_here_is_left_out_until_it_is_asked_for_and_what_an_app_did_for_them_is_not(
    wijk: WijkSite,
) -> None:
    answered = await wijk.app_of_gerda()
    app = await caller(wijk.smart, answered, "wandelen")
    await app.get("Condition/bewoner-11-hypertensie")
    gerda = await wijk.visitor(GERDA)
    await gerda.get("/portal/apps")
    usual = lines(await gerda.get("/portal/log"))
    assert usual[0].startswith("U hebt met de app Samen wandelen op 22 november 2026 om 11:00 uur 1 aandoening gelezen")
    assert "De app Samen wandelen heeft op 22 november 2026 om 11:00 uur toegang gekregen namens u." in usual
    assert not any("logboek" in one for one in usual)
    everything = lines(await gerda.get("/portal/log?show=all"))
    assert len(everything) > len(usual)
    assert any("toestemmingen" in one for one in everything)
    assert "U bent op 22 november 2026 om 11:00 uur ingelogd." in everything


async def test_days_are_inclusive_and_one_that_is_none_is_told(wijk: WijkSite) -> None:
    for _ in range(3):
        await doctor(wijk.house)
        wijk.house.clock.now += DAY
    gerda = await wijk.visitor(GERDA)

    async def days(query: str) -> list[str]:
        return re.findall(r"op (\d+) november", " ".join(lines(await gerda.get(f"/portal/log?{query}"))))

    assert await days("") == ["24", "23", "22"]
    assert await days("from=2026-11-23&to=2026-11-23") == ["23"]
    assert await days("from=2026-11-23&to=") == ["24", "23"]
    assert await days("to=2026-11-22") == ["22"]
    for wrong in ("23-11-2026", "2026-02-30", "ge2026-11-23", "2026", "20261123"):
        page = await gerda.get(f"/portal/log?from={wrong}")
        assert "Vul een dag in als jaar-maand-dag" in page.text
        assert len(lines(page)) == 3


async def test_it_comes_in_pages_of_25_that_keep_to_what_was_asked(wijk: WijkSite) -> None:
    await in_an_emergency(wijk.house)
    for _ in range(30):
        wijk.house.clock.now += MINUTE
        await doctor(wijk.house)
    gerda = await wijk.visitor(GERDA)
    first = await gerda.get("/portal/log?show=all&from=2026-11-22")
    assert len(all_lines(first)) == 25
    second = await gerda.get(link(first, "Oudere regels"))
    assert any(one.startswith("Noodknop") for one in lines(second))
    assert 'value="all" selected' in second.text
    assert 'value="2026-11-22"' in second.text
    assert lines(await gerda.get(link(second, "Naar de nieuwste regels")))[0] != lines(second)[0]


async def test_what_happened_again_and_again_is_one_line_that_says_how_often(wijk: WijkSite) -> None:
    for _ in range(3):
        await doctor(wijk.house)
    await refused(wijk.house)
    await doctor(wijk.house)
    gerda = await wijk.visitor(GERDA)
    told = lines(await gerda.get("/portal/log"))
    assert [one.endswith("Dit gebeurde 3 keer.") for one in told] == [False, False, True]
    assert not any("Dit gebeurde 1 keer" in one for one in told)


async def test_a_page_of_somebody_elses_log_is_not_there(wijk: WijkSite) -> None:
    for _ in range(30):
        await doctor(wijk.house)
    older = link(await (await wijk.visitor(GERDA)).get("/portal/log"), "Oudere regels")
    annie = await wijk.visitor("Patient/bewoner-01", "annie")
    for address in (older, "/portal/log?after=nonsense"):
        page = await annie.get(address)
        assert "Deze bladzijde van het logboek is verlopen." in page.text
        assert not any("Karim El Amrani" in one for one in lines(page))


async def test_of_one_connection_it_shows_what_was_done_by_it(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda()
    app = await caller(wijk.smart, answered, "wandelen")
    await app.get("Condition/bewoner-11-hypertensie")
    await doctor(wijk.house)
    gerda = await wijk.visitor(GERDA)
    place = f"/portal/apps/consent-{answered.grant.value.consent}"
    page = await gerda.get(link(await gerda.get(place), "Bekijk wanneer dit is gebruikt"))
    assert "U ziet alleen wat met Samen wandelen is gedaan." in page.text
    assert len(lines(page)) == 3  # let in, given a token, read
    assert all("Samen wandelen" in one for one in lines(page))
    doctors = await gerda.get("/portal/log?consent=bewoner-11-toestemming-niemand-tenzij")
    (told,) = lines(doctors)
    assert told.startswith("Karim El Amrani (Huisarts)")
    assert (await gerda.get("/portal/log?consent=bewoner-01-toestemming-team")).status_code == 404


async def status(browser: Browser) -> int:
    return (await browser.get("/portal/log")).status_code


async def test_the_log_is_for_the_patient_and_proxies_alone(wijk: WijkSite) -> None:
    gp = await wijk.house.caller("PractitionerRole/huisarts-boumans", "user/*.rs", client="his", purpose="TREAT")
    await gp.get("Condition?patient=bewoner-04")
    mother = await wijk.visitor("RelatedPerson/bewoner-04-moeder", "moeder")
    page = await mother.get("/portal/log?show=all")
    assert "Het dossier van Noor Vaessen" in page.text
    assert lines(page)
    told = html.unescape(page.text)
    assert "het is het eigen dossier" not in told
    assert "want deze persoon mag zaken regelen voor Noor Vaessen." in told
    assert "de persoonsgegevens van Noor Vaessen" in told
    assert not re.search(r"\b(u|uw)\b", told[told.index("<ol") : told.index("</ol>")], re.IGNORECASE), "it is not hers"
    for username, person in (
        ("vader", "RelatedPerson/bewoner-04-vader"),
        ("karim", "PractitionerRole/huisarts-el-amrani"),
        ("beheer", "operator"),
    ):
        assert await status(await wijk.visitor(person, username)) == 403
    assert await status(wijk.browser()) == 303

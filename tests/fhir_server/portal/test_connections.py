"""The page of connected apps and people, as residents, proxies and professionals meet it in a browser without scripts."""

import html
import re

import httpx
import pytest

from tests.fhir_server.portal.browser import forms
from tests.fhir_server.portal.wijk import GERDA, WijkSite
from tests.fhir_server.smart.letting_in import caller

pytestmark = pytest.mark.anyio

SON = "/portal/apps/consent-bewoner-11-toestemming-zoon-kijkt-mee"


def text(page: httpx.Response) -> str:
    """What a reader sees, in one line."""
    main = page.text[page.text.index("<main") :]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def headings(page: httpx.Response) -> list[str]:
    return [html.unescape(found) for found in re.findall(r"<h[123][^>]*>([^<]+)<", page.text)]


async def test_each_connection_has_its_name_what_it_may_its_dates_and_a_way_to_stop(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda(duration="months")
    app = await caller(wijk.smart, answered, "wandelen")
    await app.get("Observation?patient=bewoner-11")
    gerda = await wijk.visitor(GERDA)
    page = await gerda.get("/portal/apps")
    assert page.status_code == 200
    assert headings(page) == [
        "Wie mag meekijken?",
        "Apps",
        "Samen wandelen",
        "Mijn bloeddruk (app)",
        "Zorgverleners en organisaties",
        "Karim El Amrani (Huisarts) en alle zorgverleners van de soort Huisarts",
        "Familie en andere mensen",
        "Mark Reijnders",
    ]
    told = text(page)
    assert "Mag lezen: Metingen; Uitslagen en foto's; Ziektes en klachten." in told
    assert (
        "Sinds 22 november 2026 · Tot 22 februari 2027 om 11:00 uur · Laatst gebruikt op 22 november 2026 om 11:00 uur"
    ) in told
    assert "Sinds 3 februari 2026 · Tot u stopt · Nog niet gebruikt" in told
    for it in re.findall(r'href="(/portal/apps/[^"]+)"', page.text):
        assert (await gerda.get(it)).status_code == 200, it


async def test_the_page_speaks_english_too(wijk: WijkSite) -> None:
    gerda = await wijk.visitor(GERDA, language="en")
    page = await gerda.get("/portal/apps")
    assert headings(page)[0] == "Who can see the record?"
    assert "Since 3 February 2026 · Until you stop · Not used yet" in text(page)


async def test_to_stop_takes_two_steps_and_then_it_says_since_when(wijk: WijkSite) -> None:
    son = await wijk.house.caller("RelatedPerson/bewoner-11-zoon", "user/*.rs", purpose="FAMRQT")
    gerda = await wijk.visitor(GERDA)
    asking = await gerda.get(f"{SON}/stop")
    assert "Wat iemand zelf heeft opgeschreven, mag hij of zij blijven lezen." in text(asking)
    assert "In deze keuze staat ook wat niet mag." in text(asking)
    assert (await son.get("CarePlan?patient=bewoner-11")).ids, "to be asked stops nothing"
    done = await gerda.send(asking, f"{SON}/stop")
    assert done.status_code == 200
    assert "Dit is gestopt op 22 november 2026 om 11:00 uur: Mark Reijnders." in text(done)
    assert (await son.get("CarePlan?patient=bewoner-11")).ids == []
    assert "Mark Reijnders" not in (await gerda.get("/portal/apps")).text
    again = await gerda.send(asking, f"{SON}/stop")
    assert again.status_code == 404
    assert "Misschien was het al gestopt." in text(again)


async def test_to_stop_what_forbids_warns_that_others_may_see_more(wijk: WijkSite) -> None:
    lotte = await wijk.visitor("Patient/bewoner-05")
    page = await lotte.get("/portal/apps/consent-bewoner-05-toestemming-niet-mijn-ex/stop")
    assert "Let op: dit is een verbod, voor: Dennis Houben. Als u stopt, vervalt het verbod." in text(page)


async def test_an_app_that_is_stopped_here_is_refused_at_its_next_request(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda(duration="always")
    app = await caller(wijk.smart, answered, "wandelen")
    assert (await app.get("Observation?patient=bewoner-11")).status == 200
    gerda = await wijk.visitor(GERDA)
    place = f"/portal/apps/consent-{answered.grant.value.consent}/stop"
    asking = await gerda.get(place)
    assert "De app Samen wandelen kan daarna niets meer lezen of schrijven." in text(asking)
    assert (await gerda.send(asking, place)).status_code == 200
    assert (await app.get("Observation?patient=bewoner-11")).status == 401


async def test_boxes_that_are_unticked_are_closed_to_the_app(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda(sensitive="mental")
    app = await caller(wijk.smart, answered, "wandelen")
    gerda = await wijk.visitor(GERDA)
    place = f"/portal/apps/consent-{answered.grant.value.consent}"
    page = await gerda.get(place)
    (form,) = [one for one in forms(page) if one.action == place]
    ticked = [value for name, value in form.fields if name in ("reading", "writing", "sensitive")]
    assert ticked == ["measurements", "laboratory", "diagnoses", "mental"]
    sent = [(name, value) for name, value in form.fields if value not in ("diagnoses", "mental")]
    saved = await gerda.post(place, sent)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{place}?saved=1")
    shown = await gerda.get(saved.headers["location"])
    assert "Opgeslagen. Dit geldt vanaf nu." in text(shown)
    assert "Ziektes en klachten" not in text(shown)
    assert (await app.get("Condition/bewoner-11-hypertensie")).status == 404
    assert (await app.get("Observation?patient=bewoner-11")).status == 200


async def test_to_untick_everything_changes_nothing_and_offers_to_stop(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda()
    app = await caller(wijk.smart, answered, "wandelen")
    gerda = await wijk.visitor(GERDA)
    place = f"/portal/apps/consent-{answered.grant.value.consent}"
    (form,) = [one for one in forms(await gerda.get(place)) if one.action == place]
    page = await gerda.post(place, [(name, value) for name, value in form.fields if name in ("csrf", "version")])
    assert page.status_code == 422
    assert "Zo blijft er niets over. Er is niets veranderd." in text(page)
    assert f'href="{place}/stop"' in page.text
    assert (await app.get("Observation?patient=bewoner-11")).status == 200


async def test_a_form_of_before_a_change_is_refused_whoever_made_it(wijk: WijkSite) -> None:
    answered = await wijk.app_of_gerda()
    gerda = await wijk.visitor(GERDA)
    place = f"/portal/apps/consent-{answered.grant.value.consent}"
    (form,) = [one for one in forms(await gerda.get(place)) if one.action == place]
    sent = [(name, value) for name, value in form.fields if value != "diagnoses"]
    assert (await gerda.post(place, sent)).status_code == 303
    late = await gerda.post(place, form.fields)
    assert late.status_code == 409
    assert "Er is intussen iets veranderd aan deze toegang." in text(late)
    assert "Ziektes en klachten" not in text(await gerda.get(place))


async def test_what_is_no_apps_can_be_stopped_but_not_narrowed_and_it_says_where_that_can_be_done(
    wijk: WijkSite,
) -> None:
    gerda = await wijk.visitor(GERDA)
    page = await gerda.get(SON)
    assert [one.action for one in forms(page)] == ["/portal/logout"]
    assert "Deze toegang kunt u hier stoppen, maar niet kleiner maken." in text(page)
    proof = wijk.proof(gerda)
    tried = await gerda.post(SON, [("csrf", proof), ("version", "1"), ("reading", "measurements")])
    assert tried.status_code == 422


@pytest.mark.parametrize("action", ["", "/stop"])
async def test_line_16_without_proof_that_the_form_is_ours_nothing_is_stopped_or_narrowed(
    wijk: WijkSite, action: str
) -> None:
    gerda = await wijk.visitor(GERDA)
    for sent in ([], [("csrf", "0" * 64)]):
        assert (await gerda.post(SON + action, [("version", "1"), *sent])).status_code == 403
    page = await gerda.get(SON)
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text


async def test_somebody_elses_connection_is_not_there(wijk: WijkSite) -> None:
    for username, person in (
        ("annie", "Patient/bewoner-01"),
        ("mark", "RelatedPerson/bewoner-11-zoon"),
        ("karim", "PractitionerRole/huisarts-el-amrani"),
    ):
        browser = await wijk.visitor(person, username)
        assert (await browser.get(SON)).status_code == 404
        tried = await browser.post(f"{SON}/stop", [("csrf", wijk.proof(browser))])
        assert tried.status_code == 404
    assert (await (await wijk.visitor(GERDA)).get(SON)).status_code == 200


async def test_a_proxy_acts_for_whom_they_represent_and_a_relative_is_told_they_do_not(wijk: WijkSite) -> None:
    mother = await wijk.visitor("RelatedPerson/bewoner-04-moeder", "moeder")
    page = await mother.get("/portal/apps")
    assert "Het dossier van Noor Vaessen" in text(page)
    place = "/portal/apps/consent-bewoner-04-toestemming-vader/stop"
    assert (await mother.send(await mother.get(place), place)).status_code == 200
    assert "Dennis Houben" not in (await mother.get("/portal/apps")).text
    father = await wijk.visitor("RelatedPerson/bewoner-04-vader", "vader")
    assert "U regelt hier op dit moment geen zaken voor iemand." in text(await father.get("/portal/apps"))


async def test_who_is_not_logged_in_logs_in_first_and_the_operator_goes_to_the_list_of_apps(wijk: WijkSite) -> None:
    asked = await wijk.browser().get("/portal/apps")
    assert (asked.status_code, asked.headers["location"]) == (303, "/portal/login?next=/portal/apps")
    operator = await wijk.visitor("operator")
    asked = await operator.get("/portal/apps")
    assert (asked.status_code, asked.headers["location"]) == (303, "/portal/operator")

"""Starting an app with a patient in view, by professionals alone, and only for whom they may see."""

from urllib.parse import parse_qs, urlsplit

import pytest

from fhir_server.smart.records import digest
from tests.fhir_server.portal.wijk import WijkSite
from tests.fhir_server.smart.example_wijk import registered

pytestmark = pytest.mark.anyio

DOCTOR = "PractitionerRole/huisarts-el-amrani"
GERDA = "/portal/launch/bewoner-11"
LAUNCH = "https://groei.example/start?kiosk=1"


async def test_line_6_a_launch_starts_at_the_apps_own_address_with_a_handle_bound_to_who_started_it(
    wijk: WijkSite,
) -> None:
    await registered(wijk.smart, "groei", "Groeicurves", launch_uri=LAUNCH, publisher="Stichting Meten")
    await registered(wijk.smart, "wandelen", "Samen wandelen")
    karim = await wijk.visitor(DOCTOR)
    search = await karim.get("/portal/launch")
    found = await karim.send(search, "/portal/launch", name="reijnd")
    assert f'href="{GERDA}"' in found.text
    assert "reijnd" not in str(found.url)
    page = await karim.get(GERDA)
    assert "Een app starten voor Gerarda Wilhelmina Reijnders" in page.text
    assert "Geboren op 29 augustus 1950" in page.text
    assert "Samen wandelen" not in page.text, "an app without a launch address can't be started"
    # Chromium holds the redirect against form-action too.
    assert "form-action 'self' https://groei.example;" in page.headers["content-security-policy"]
    answer = await karim.send(page, GERDA, client="groei")
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    told = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "groei.example", "/start")
    assert (told["kiosk"], told["iss"]) == (["1"], ["http://127.0.0.1:8080/fhir"])
    kept = await wijk.server.state.launches.get(digest(told["launch"][0]))
    assert kept is not None
    assert (kept.value.client, kept.value.person, kept.value.patient) == ("groei", DOCTOR, "bewoner-11")
    assert kept.value.login == digest(karim.http.cookies["wijkdossier"])


async def test_no_app_is_started_for_a_patient_whom_the_professional_may_not_see(wijk: WijkSite) -> None:
    await registered(wijk.smart, "groei", "Groeicurves", launch_uri=LAUNCH)
    stranger = await wijk.visitor("PractitionerRole/huisarts-vermeulen")
    assert (await stranger.get(GERDA)).status_code == 404
    fields = [("csrf", wijk.proof(stranger)), ("client", "groei")]
    assert (await stranger.post(GERDA, fields)).status_code == 404
    found = await stranger.send(await stranger.get("/portal/launch"), "/portal/launch", name="Reijnders")
    assert "Niemand gevonden" in found.text
    nobody = await stranger.get("/portal/launch/nobody")
    assert (nobody.status_code, nobody.text) == (404, (await stranger.get(GERDA)).text)
    assert await wijk.server.state.launches.all() == []


async def test_what_is_no_app_to_start_is_not_started(wijk: WijkSite) -> None:
    await registered(wijk.smart, "wandelen", "Samen wandelen")
    karim = await wijk.visitor(DOCTOR)
    assert "Er zijn geen apps die u hier kunt starten." in (await karim.get(GERDA)).text
    for client in ("wandelen", "unknown", ""):
        assert (await karim.post(GERDA, [("csrf", wijk.proof(karim)), ("client", client)])).status_code == 404
    assert (await karim.post(GERDA, [("client", "wandelen")])).status_code == 403


async def test_a_name_of_one_letter_finds_nobody(wijk: WijkSite) -> None:
    karim = await wijk.visitor(DOCTOR)
    page = await karim.send(await karim.get("/portal/launch"), "/portal/launch", name=" R ")
    assert "Typ ten minste twee letters." in page.text
    assert "bewoner-" not in page.text


async def test_residents_proxies_and_the_operator_start_nothing_here(wijk: WijkSite) -> None:
    for username, person in (
        ("gerda", "Patient/bewoner-11"),
        ("moeder", "RelatedPerson/bewoner-04-moeder"),
        ("beheer", "operator"),
    ):
        visitor = await wijk.visitor(person, username)
        for path in ("/portal/launch", GERDA):
            assert (await visitor.get(path)).status_code == 403, (person, path)
            assert (await visitor.post(path, [("csrf", wijk.proof(visitor))])).status_code == 403

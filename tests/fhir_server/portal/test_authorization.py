"""Letting an app in as a browser meets it: the request, whose dossier, the screen, the answer."""

import base64
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fhir_server.smart import launches
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.categories import CATEGORIES, SENSITIVITIES
from fhir_server.smart.clients import Clients
from fhir_server.smart.records import Client, digest
from tests.fhir_server.gateway.test_consent_policy import by, consent, permit, wijk
from tests.fhir_server.inprocess import Caller, patient
from tests.fhir_server.portal.browser import SITE, Form, Site, forms, site
from tests.fhir_server.smart.test_grants import DAUGHTER, VERIFIED

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
REDIRECT = "https://app.test/after"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "openid fhirUser launch launch/patient offline_access patient/*.cruds user/*.cruds"
GOOD = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": REDIRECT,
    "scope": "launch/patient offline_access patient/Observation.cruds patient/Condition.rs patient/Consent.rs",
    "state": "its state",
    "aud": f"{SITE}/fhir",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
EXPLANATION = 'We draw a <line> of "your" weight.'
BSN = "999990019"


class Visitor:
    """Somebody with a browser, and an app that wants something of them."""

    def __init__(self, place: Site) -> None:
        self.place = place
        self.browser = place.browser()

    async def asks(self, **changed: str | None) -> httpx.Response:
        """What the app's request is answered with."""
        return await self.browser.get(
            "/auth/authorize", params=asked(**changed), headers={"sec-fetch-site": "cross-site"}
        )

    async def screen(self, **changed: str | None) -> httpx.Response:
        """The page on which the request ends for somebody who is logged in."""
        first = await self.asks(**changed)
        assert first.status_code == 303, first.text
        return await self.browser.get(first.headers["location"])

    async def answers(self, page: httpx.Response, answer: str = "allow", **ticked: Any) -> httpx.Response:
        """The form as it stands, or with other boxes: a list for each name."""
        form = answer_form(page)
        fields: dict[str, Any] = {}
        for name, value in form.fields:
            fields.setdefault(name, []).append(value)
        return await self.browser.http.post(form.action, data={**fields, **ticked, "answer": answer})


def asked(**changed: str | None) -> dict[str, str]:
    return {name: value for name, value in {**GOOD, **changed}.items() if value is not None}


def answer_form(page: httpx.Response) -> Form:
    return next(form for form in forms(page) if ("answer", "allow") in form.buttons)


def said(answer: httpx.Response) -> dict[str, str]:
    """What the app is told at its redirect URI."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith(f"{REDIRECT}?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def set_up(place: Site, **more: Any) -> Client:
    """A small wijk, an app, and accounts for a resident, a daughter who acts for her, a doctor and an operator."""
    await wijk(place.house)
    annie = patient(
        "p",
        name=[{"given": ["Annie"], "family": "Huijnen"}],
        birthDate="1941-05-01",
        identifier=[{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": BSN}],
    )
    bert = patient("q", name=[{"given": ["Bert"], "family": "Huijnen"}], birthDate="1950-02-03")
    daughter = {**DAUGHTER, "name": [{"given": ["Carla"], "family": "Huijnen"}]}
    await place.house.given(annie, bert, daughter, VERIFIED)
    for name, *people in (
        ("annie", "Patient/p"),
        ("carla", "RelatedPerson/daughter"),
        ("doctor", "PractitionerRole/gp"),
        ("operator", "operator"),
    ):
        await place.account(name, *people)
    terms = {"id": "app", "name": "Gewichtslijn", "kind": "public", "scope": SCOPE, "redirect_uris": (REDIRECT,),
             "explanation": EXPLANATION, **more}  # fmt: skip
    return (await Clients(place.server).add(Client(**terms), "tester")).client


async def visitor(place: Site, username: str) -> Visitor:
    who = Visitor(place)
    assert (await who.browser.log_in(username)).status_code == 303
    return who


async def opens_to_doctor(place: Site, *patients: str) -> None:
    await place.house.given(*(consent(f"gp-{one}", permit(by("PractitionerRole/gp")), one) for one in patients))


async def resident(place: Site) -> Caller:
    return await place.house.caller("Patient/p", "user/*.rs")


async def active(place: Site) -> int:
    answer = await (await resident(place)).get("Consent?status=active&category=app-access&_summary=count")
    total: int = answer.json["total"]
    return total


# --- the request -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_line_3_a_request_by_get_or_post_leads_to_the_login_and_on_to_the_screen(method: str) -> None:
    async with site() as place:
        await set_up(place)
        who = Visitor(place)
        foreign = {"sec-fetch-site": "cross-site", "origin": "https://app.test"}
        if method == "GET":
            first = await who.asks()
        else:
            first = await who.browser.http.post("/auth/authorize", data=asked(), headers=foreign)
        assert first.status_code == 303
        at = first.headers["location"]
        assert at.startswith("/portal/authorize/")
        login = await who.browser.get(at)
        assert (login.status_code, login.headers["location"]) == (303, f"/portal/login?next={at}")
        page = await who.browser.get(login.headers["location"])
        logged_in = await who.browser.send(page, "/portal/login", username="annie", password="een lang wachtwoord")
        assert logged_in.headers["location"] == at
        screen = await who.browser.get(at)
        assert screen.status_code == 200
        assert "Mag Gewichtslijn in het dossier?" in screen.text


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.test/"},
        {"client_id": "nobody", "redirect_uri": REDIRECT},
    ],
)
async def test_line_3_nobody_is_sent_to_an_address_that_is_not_registered(changed: dict[str, str | None]) -> None:
    async with site() as place:
        await set_up(place)
        for who in (Visitor(place), await visitor(place, "annie")):
            page = await who.asks(**changed)
            assert page.status_code == 400
            assert "location" not in page.headers
            assert "https://evil.test" not in page.text
            posted = await who.browser.http.post("/auth/authorize", data=asked(**changed))
            assert (posted.status_code, "location" in posted.headers) == (400, False)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "unknown"])
async def test_line_3_what_is_there_twice_is_told_on_a_page(name: str) -> None:
    async with site() as place:
        await set_up(place)
        pairs = [*asked().items(), (name, "x"), (name, "x")]
        page = await Visitor(place).browser.get("/auth/authorize", params=pairs)
        assert (page.status_code, "location" in page.headers) == (400, False)


async def test_line_3_everything_else_is_told_to_the_app() -> None:
    async with site() as place:
        await set_up(place)
        answer = said(await Visitor(place).asks(aud="https://other.test/fhir"))
        assert (answer["error"], answer["state"], answer["iss"]) == ("invalid_request", "its state", SITE)
        twice = await Visitor(place).browser.get("/auth/authorize", params=[*asked().items(), ("scope", "openid")])
        assert said(twice)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "query",
    ["client_id=%ff", "client_id=%00", "client_id=a%", "%22=%5C", "client_id=%E2%80%AE&state=%0d%0aX:y", "a=b" * 20000],
)
async def test_line_18_hostile_bytes_get_a_page_and_never_a_500(query: str) -> None:
    async with site() as place:
        await set_up(place)
        for answer in (
            await Visitor(place).browser.get(f"/auth/authorize?{query}"),
            await Visitor(place).browser.http.post(
                "/auth/authorize", content=query, headers={"content-type": "application/x-www-form-urlencoded"}
            ),
            await Visitor(place).browser.get("/portal/authorize/%00%ff%22"),
        ):
            assert answer.status_code < 500
            assert answer.status_code != 200


async def test_prompt_none_never_asks_and_never_lets_in() -> None:
    async with site() as place:
        await set_up(place)
        assert said(await Visitor(place).asks(prompt="none"))["error"] == "login_required"
        who = await visitor(place, "annie")
        assert said(await who.asks(prompt="none"))["error"] == "consent_required"
        assert said(await who.asks(prompt="none", max_age="0"))["error"] == "login_required"


@pytest.mark.parametrize("changed", [{"prompt": "login"}, {"max_age": "0"}])
async def test_who_has_to_show_again_who_they_are_logs_in_again(changed: dict[str, str]) -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        first = await who.asks(**changed)
        at = first.headers["location"]
        again = await who.browser.get(at)
        assert again.headers["location"] == f"/portal/login?next={at}"
        await who.browser.log_in("annie")
        assert (await who.browser.get(at)).status_code == 200


# --- the screen --------------------------------------------------------------------------------------------------


async def test_line_16_the_screen_cannot_be_framed_and_its_form_may_lead_to_the_app() -> None:
    async with site() as place:
        await set_up(place)
        page = await (await visitor(place, "annie")).screen()
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' https://app.test;" in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert "access-control-allow-origin" not in page.headers


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("https://app.test:8443/after", "https://app.test:8443"),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:5"),
        ("http://[::1]:5/cb", "http:"),
        ("com.example.app:/cb", "com.example.app:"),
        ("com.example.app://cb", "com.example.app:"),
    ],
)
async def test_line_16_wherever_the_answer_goes_the_form_may_lead_there(redirect_uri: str, source: str) -> None:
    async with site() as place:
        await set_up(place, redirect_uris=(redirect_uri,))
        page = await (await visitor(place, "annie")).screen(redirect_uri=redirect_uri)
        assert f"form-action 'self' {source};" in page.headers["content-security-policy"]


async def test_line_16_an_answer_that_is_not_from_our_form_lets_nobody_in() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        form = answer_form(page)
        bare = {name: value for name, value in form.fields if name != "csrf"} | {"answer": "allow"}
        for data, headers in (
            (bare, {}),
            (bare | {"csrf": "0" * 64}, {}),
            (dict(form.fields) | {"answer": "allow"}, {"sec-fetch-site": "cross-site"}),
            (dict(form.fields) | {"answer": "allow"}, {"origin": "https://evil.test"}),
        ):
            refused = await who.browser.http.post(form.action, data=data, headers=headers)
            assert refused.status_code == 403
        assert await active(place) == 0
        assert "code" in said(await who.answers(page))


async def test_the_screen_says_who_asks_and_whose_dossier_it_is_about() -> None:
    async with site() as place:
        await set_up(place)
        page = await (await visitor(place, "annie")).screen()
        assert "Annie Huijnen (uzelf)" in page.text
        assert "app.test" in page.text
        assert "Niemand heeft nagegaan wie deze app heeft gemaakt." in page.text
        assert "in de woorden van de app zelf" in page.text
        assert "We draw a &lt;line&gt; of &#34;your&#34; weight." in page.text
        assert "op elk moment mee stoppen" in page.text
        assert BSN not in page.text
        proxy = await (await visitor(place, "carla")).screen()
        assert "Carla Huijnen" in proxy.text
        assert re.search(r"dossier van</dt>\s*<dd><strong>Annie Huijnen</strong>", proxy.text)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"publisher": "Wegen BV", "verified": True}, "Wegen BV. The operator of this website has checked this."),
        ({"publisher": "Wegen BV"}, "The app says: Wegen BV. Nobody checked who made this app."),
        ({}, "Nobody checked who made this app."),
    ],
)
async def test_the_screen_says_who_made_the_app_and_whether_that_was_checked(more: Json, sentence: str) -> None:
    async with site() as place:
        await set_up(place, **more)
        who = await visitor(place, "annie")
        at = (await who.asks()).headers["location"]
        page = await who.browser.get(f"{at}?language=en")
        assert f"<dd>{sentence}</dd>" in page.text


async def test_line_7_nothing_sensitive_is_ticked_and_no_longer_than_once() -> None:
    async with site() as place:
        await set_up(place)
        page = await (await visitor(place, "annie")).screen()
        fields = answer_form(page).fields
        assert [value for name, value in fields if name == "reading"] == ["measurements", "laboratory", "diagnoses"]
        assert [value for name, value in fields if name == "writing"] == ["measurements", "laboratory"]
        assert [value for name, value in fields if name == "sensitive"] == []
        assert [value for name, value in fields if name == "duration"] == ["once"]
        assert 'name="reading" value="consents">' in page.text
        for one in SENSITIVITIES:
            assert f'name="sensitive" value="{one.name}">' in page.text
        legends = re.findall(r"<legend>(.*?)</legend>", page.text)
        assert legends == [
            "Wat mag de app lezen?",
            "Wat mag de app schrijven of veranderen?",
            "Ook gevoelige gegevens?",
            "Hoe lang mag dit?",
        ]


async def test_refuse_and_allow_weigh_the_same() -> None:
    async with site() as place:
        await set_up(place)
        page = await (await visitor(place, "annie")).screen()
        buttons = re.findall(r'<button( class="[^"]*")? name="answer"', page.text)
        assert buttons == ["", ""]


async def test_every_row_is_there_in_both_languages_for_an_app_that_asks_for_everything() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        at = (await who.asks(scope="patient/*.rs")).headers["location"]
        dutch, english = await who.browser.get(at), await who.browser.get(f"{at}?language=en")
        for one in CATEGORIES:
            assert one.title.nl.replace("'", "&#39;") in dutch.text
            assert one.title.en in english.text
        assert '<html lang="en">' in english.text


# --- the answer --------------------------------------------------------------------------------------------------


async def test_line_5_who_allows_goes_back_with_code_state_and_iss() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        answer = await who.answers(await who.screen())
        assert set(said(answer)) == {"code", "state", "iss"}
        assert (said(answer)["state"], said(answer)["iss"]) == ("its state", SITE)
        assert answer.headers["cache-control"] == "no-store"
        (grant,) = await place.server.state.grants.all("Patient/p")
        assert grant.value.scope.split() == ["launch/patient", "patient/Observation.cruds", "patient/Condition.rs"]
        assert await active(place) == 1


async def test_line_7_what_was_unticked_is_not_granted_and_what_is_not_offered_neither() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        ticked = {"reading": ["laboratory", "medicines", "log"], "writing": [], "duration": "months"}
        said(await who.answers(page, **ticked))
        (grant,) = await place.server.state.grants.all("Patient/p")
        granted = grant.value.scope.split()
        assert granted[:2] == ["launch/patient", "offline_access"]
        (rest,) = granted[2:]
        assert rest.startswith("patient/Observation.rs?category=")
        assert grant.value.refresh == "offline"


async def test_who_ticks_nothing_is_asked_again() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        assert (await who.answers(page, reading=["medicines", "log"], writing=[])).status_code == 400
        again = await who.answers(page, reading=[], writing=[])
        assert again.status_code == 400
        assert "U hebt niets aangevinkt." in again.text
        assert await active(place) == 0
        assert "code" in said(await who.answers(again, reading=["diagnoses"]))


async def test_who_refuses_goes_back_with_the_error_and_the_question_is_gone() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        assert said(await who.answers(page, "refuse"))["error"] == "access_denied"
        assert await active(place) == 0
        assert (await who.answers(page)).status_code == 404


async def test_a_question_is_answered_once_and_waits_a_quarter_of_an_hour() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        assert "code" in said(await who.answers(page))
        assert (await who.answers(page)).status_code == 404
        late = await who.screen()
        place.house.clock.now += 901 * 1_000_000
        assert (await who.answers(late)).status_code == 404
        assert await active(place) == 1


@pytest.mark.parametrize("field", [("answer", "perhaps"), ("duration", "forever")])
async def test_an_answer_that_is_not_on_the_screen_is_none(field: tuple[str, str]) -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        name, value = field
        answer = await who.answers(page, value) if name == "answer" else await who.answers(page, **{name: value})
        assert answer.status_code == 400
        assert await active(place) == 0


async def test_the_answer_is_of_the_person_who_saw_the_screen() -> None:
    async with site() as place:
        await set_up(place)
        await place.account("both", "Patient/q", "RelatedPerson/daughter")
        who = await visitor(place, "both")
        first = await who.asks()
        at = first.headers["location"]
        chooser = await who.browser.get((await who.browser.get(at)).headers["location"])
        await who.browser.send(chooser, "/portal/person", person="Patient/q")
        page = await who.browser.get(at)
        assert "Bert Huijnen (uzelf)" in page.text
        other = await who.browser.get("/portal/person")
        await who.browser.send(other, "/portal/person", person="RelatedPerson/daughter")
        assert (await who.answers(page)).status_code == 409
        assert await active(place) == 0
        assert "code" in said(await who.answers(await who.browser.get(at)))
        assert await active(place) == 1


async def test_the_screen_says_that_an_older_answer_makes_place() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        first = await who.screen()
        assert "mag al in dit dossier" not in first.text
        said(await who.answers(first))
        second = await who.screen()
        assert "Deze app mag al in dit dossier." in second.text
        said(await who.answers(second))
        assert await active(place) == 1
        proxy = await (await visitor(place, "carla")).screen()
        assert "Deze app mag al in dit dossier." in proxy.text


async def test_who_acts_for_nobody_and_the_operator_let_nobody_in() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "operator")
        assert (await who.screen()).status_code == 403
        neighbour = {**DAUGHTER, "id": "neighbour"}
        await place.house.given(neighbour)
        await place.account("neighbour", "RelatedPerson/neighbour")
        page = await (await visitor(place, "neighbour")).screen()
        assert page.status_code == 403
        assert "Annie" not in page.text
        # Whoever may see a dossier does not decide about it.
        await place.house.given(consent("seen", permit(by("RelatedPerson/neighbour"))))
        assert (await (await visitor(place, "neighbour")).screen()).status_code == 403


# --- professionals -----------------------------------------------------------------------------------------------


async def test_line_6_a_professional_chooses_one_of_the_patients_they_may_see() -> None:
    async with site() as place:
        await set_up(place)
        await opens_to_doctor(place, "p")
        who = await visitor(place, "doctor")
        page = await who.screen()
        assert "Voor wie is de app?" in page.text
        assert "Huijnen" not in page.text
        assert "form-action 'self' https://app.test;" in page.headers["content-security-policy"]
        action = urlsplit(str(page.url)).path
        short = await who.browser.send(page, f"{action}/patients", name="h")
        assert "ten minste twee letters" in short.text
        found = await who.browser.send(page, f"{action}/patients", name="huij")
        assert "Annie Huijnen" in found.text
        assert "Geboren op 1 mei 1941" in found.text
        assert "Bert" not in found.text
        assert BSN not in found.text
        english = await who.browser.get(f"{action}/patients?language=en")
        assert "Who is the app for?" in english.text, "the other language of the page that a search ends on"
        assert "Voor wie is de app?" in (await who.browser.get(f"{action}/patients?language=nl")).text
        none = await who.browser.send(page, f"{action}/patients", name=BSN)
        assert "Annie" not in none.text
        chosen = await who.browser.send(found, f"{action}/patient", patient="p")
        assert chosen.headers["location"] == action
        screen = await who.browser.get(action)
        assert "Mag Gewichtslijn namens u in dossiers?" in screen.text
        assert "<strong>Annie Huijnen</strong>" in screen.text
        assert 'type="checkbox"' not in screen.text
        said(await who.answers(screen))
        (grant,) = await place.server.state.grants.all("PractitionerRole/gp")
        assert (grant.value.patient, grant.value.consent, grant.value.purpose) == ("p", "", "TREAT")
        assert await active(place) == 0


async def test_line_6_nobody_is_chosen_or_kept_whom_the_professional_may_not_see() -> None:
    async with site() as place:
        await set_up(place)
        await opens_to_doctor(place, "p")
        who = await visitor(place, "doctor")
        page = await who.screen()
        action = urlsplit(str(page.url)).path
        found = await who.browser.send(page, f"{action}/patients", name="huij")
        hidden = await who.browser.send(found, f"{action}/patient", patient="q")
        absent = await who.browser.send(found, f"{action}/patient", patient="never")
        assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text)
        assert hidden.status_code == 404
        without = await who.browser.http.post(
            action, data={**dict(forms(found)[0].fields), "answer": "allow", "person": "PractitionerRole/gp"}
        )
        assert without.status_code == 409
        await who.browser.send(found, f"{action}/patient", patient="p")
        screen = await who.browser.get(action)
        withdrawn = {**consent("gp-p", permit(by("PractitionerRole/gp"))), "status": "inactive"}
        await (await place.house.caller("Patient/p", "user/*.cruds")).put("Consent/gp-p", withdrawn)
        assert (await who.answers(screen)).status_code == 404


async def test_a_professional_can_refuse_before_they_choose() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "doctor")
        page = await who.screen()
        refused = await who.browser.send(page, urlsplit(str(page.url)).path, answer="refuse")
        assert said(refused)["error"] == "access_denied"


async def test_a_professional_whose_app_needs_no_patient_is_not_asked_for_one() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "doctor")
        screen = await who.screen(scope="openid fhirUser user/Observation.rs")
        assert "namens u in dossiers" in screen.text
        assert "Hoe lang mag dit?" not in screen.text
        said(await who.answers(screen))
        (grant,) = await place.server.state.grants.all("PractitionerRole/gp")
        assert grant.value.scope == "openid fhirUser user/Observation.rs"
        assert grant.value.refresh == ""


async def test_residents_choose_nobody_else() -> None:
    async with site() as place:
        await set_up(place)
        who = await visitor(place, "annie")
        page = await who.screen()
        action = answer_form(page).action
        chosen = await who.browser.http.post(
            f"{action}/patient", data={**dict(answer_form(page).fields), "patient": "q"}
        )
        assert chosen.status_code == 403


# --- EHR launch --------------------------------------------------------------------------------------------------


async def handle(place: Site, who: Visitor, app: Client, patient_id: str) -> str:
    kept = await place.server.state.logins.get(digest(who.browser.http.cookies["wijkdossier"]))
    assert kept is not None
    url = await launches.launch(place.server, app, kept, patient_id, Addresses(SITE))
    return parse_qs(urlsplit(url).query)["launch"][0]


async def test_line_6_a_launch_brings_its_patient_along_in_the_same_login_only() -> None:
    async with site() as place:
        app = await set_up(place, launch_uri="https://app.test/start")
        await opens_to_doctor(place, "p")
        who = await visitor(place, "doctor")
        launch = await handle(place, who, app, "p")
        scope = "launch patient/Observation.rs"
        at = (await who.asks(scope=scope, launch=launch)).headers["location"]
        screen = await who.browser.get(at)
        assert "<strong>Annie Huijnen</strong>" in screen.text
        assert "Kies iemand anders" not in screen.text
        for other in (await visitor(place, "doctor"), await visitor(place, "annie")):
            assert (await other.browser.get(at)).status_code == 403
        fields = {**dict(answer_form(screen).fields), "patient": ""}
        assert (await who.browser.http.post(f"{at}/patient", data=fields)).status_code == 403
        said(await who.answers(screen))
        (grant,) = await place.server.state.grants.all("PractitionerRole/gp")
        assert grant.value.patient == "p"
        assert "need_patient_banner" in grant.value.launch_context
        assert said(await who.asks(scope=scope, launch=launch))["error"] == "invalid_request"


async def test_line_6_a_launch_without_a_patient_leaves_the_choice_to_the_professional() -> None:
    async with site() as place:
        app = await set_up(place, launch_uri="https://app.test/start")
        await opens_to_doctor(place, "p")
        who = await visitor(place, "doctor")
        page = await who.screen(scope="launch patient/Observation.rs", launch=await handle(place, who, app, ""))
        assert "Voor wie is de app?" in page.text
        action = urlsplit(str(page.url)).path
        found = await who.browser.send(page, f"{action}/patients", name="huij")
        await who.browser.send(found, f"{action}/patient", patient="p")
        said(await who.answers(await who.browser.get(action)))
        (grant,) = await place.server.state.grants.all("PractitionerRole/gp")
        assert grant.value.patient == "p"


async def test_line_6_a_resident_is_launched_into_their_own_dossier_only() -> None:
    async with site() as place:
        app = await set_up(place, launch_uri="https://app.test/start")
        who = await visitor(place, "annie")
        mine, other = await handle(place, who, app, "p"), await handle(place, who, app, "q")
        scope = "launch patient/Observation.rs"
        assert (await who.screen(scope=scope, launch=other)).status_code == 403
        assert (await who.screen(scope=scope, launch=mine)).status_code == 200


async def test_smart_style_url_can_be_fetched_by_any_app() -> None:
    async with site() as place:
        answer = await place.browser().get("/portal/static/smart-style.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        style: Mapping[str, str] = answer.json()
        assert style["color_text"].startswith("#")


async def test_line_18_a_flood_of_requests_from_one_address_is_kept_no_longer() -> None:
    """Nobody has to log in to have one kept."""
    async with site() as place:
        await set_up(place)
        stranger = Visitor(place)
        while not place.server.limits.authorize.wait("192.0.2.1"):
            pass
        answer = await stranger.asks()
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert await place.server.state.authorizations.all() == []
        stranger.browser = place.browser("192.0.2.2")
        assert (await stranger.asks()).status_code == 303

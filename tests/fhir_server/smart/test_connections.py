"""Connected apps and people in the example wijk: who was let in, to what, since when, last used when; and ending that."""

import re
from collections.abc import AsyncIterator

import pytest

from consent.words import LANGUAGES, Language
from fhir_server.outcome import Category, FhirError
from fhir_server.smart import grants, patients
from fhir_server.smart.connection_changes import narrow, stop
from fhir_server.smart.connections import Connection, connection, connections
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.grants import as_person
from fhir_server.smart.records import Client
from tests.examples.seen import MOMENT
from tests.fhir_server.smart.example_wijk import registered, smart_wijk
from tests.fhir_server.smart.house import SmartHouse
from tests.fhir_server.smart.letting_in import Answered, caller, choice, let_in

pytestmark = pytest.mark.anyio

GERDA = "Patient/bewoner-11"
SCOPE = "launch/patient offline_access patient/Observation.rs patient/Condition.cruds"
HALF_AN_HOUR = 1800 * 1_000_000


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def smart() -> AsyncIterator[SmartHouse]:
    async with smart_wijk() as opened:
        yield opened


@pytest.fixture(scope="module")
async def untouched() -> AsyncIterator[SmartHouse]:
    """One with everybody, for all tests that only look."""
    async with smart_wijk([f"bewoner-{number:02d}" for number in range(1, 13)]) as opened:
        yield opened


async def of(smart: SmartHouse, person: str, language: Language = "nl") -> tuple[Connection, ...]:
    patient = await patients.own(smart.server, person)
    return await connections(smart.server, smart.house.gateway.session_of(as_person(person)), patient, language)


async def one(smart: SmartHouse, person: str, id: str) -> Connection | None:
    patient = await patients.own(smart.server, person)
    return await connection(smart.server, smart.house.gateway.session_of(as_person(person)), patient, id, "nl")


async def found(smart: SmartHouse, person: str, id: str) -> Connection:
    it = await one(smart, person, id)
    assert it is not None
    return it


async def own_app(smart: SmartHouse, ticked: str = "measurements laboratory diagnoses", **more: str) -> Answered:
    """Gerda lets in an app of her own choice."""
    client = await registered(smart, "wandelen", "Samen wandelen")
    return await let_in(smart, client, SCOPE, choice(ticked, **more), GERDA, "bewoner-11")


# --- looking -----------------------------------------------------------------------------------------------------


async def test_apps_care_providers_and_people_stand_in_one_list(untouched: SmartHouse) -> None:
    told = [(one.kind, one.names, one.rules) for one in await of(untouched, GERDA)]
    nobody_unless = (
        "Voor iedereen: mag niets zien, toevoegen of veranderen in het dossier.",
        "Voor Karim El Amrani (Huisarts): mag wel zien, toevoegen en veranderen: alles in het dossier, voor behandeling.",
        "Voor alle zorgverleners van de soort Huisarts: mag wel zien, toevoegen en veranderen: alles in het dossier, "
        "voor behandeling in nood.",
    )
    assert told == [
        ("app", ("Mijn bloeddruk (app)",), ("Mag zien: alles in het dossier over Bloeddruk of Gewicht.",)),
        ("care", ("Karim El Amrani (Huisarts)", "alle zorgverleners van de soort Huisarts"), nobody_unless),
        (
            "person",
            ("Mark Reijnders",),
            (
                "Mag zien: afspraken en zorgplannen.",
                "Mag niet zien: afspraken en zorgplannen over psychische gezondheid.",
                "Mag zien: metingen en waarnemingen over Bloeddruk.",
            ),
        ),
    ]


async def test_what_has_ended_and_what_is_a_wish_about_treatment_are_left_out(untouched: SmartHouse) -> None:
    """Gerda's centre for carers might look in 2025; Annie's living will says nothing of who may look."""
    assert "consent-bewoner-11-toestemming-steunpunt-2025" not in {one.id for one in await of(untouched, GERDA)}
    annie = {one.id for one in await of(untouched, "Patient/bewoner-01")}
    assert "consent-bewoner-01-toestemming-wilsverklaring" not in annie
    assert "consent-bewoner-01-toestemming-buur" in annie


async def test_what_only_forbids_stands_apart_under_whom_it_is_about(untouched: SmartHouse) -> None:
    closed = [one for one in await of(untouched, "Patient/bewoner-05") if one.kind == "closed"]
    assert {one.names for one in closed} == {("Elif Kaya",), ("Dennis Houben",)}
    assert all(one.forbids for one in closed)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nobody_in_the_wijk_is_shown_an_id_where_there_is_a_name(
    untouched: SmartHouse, language: Language
) -> None:
    for number in range(1, 13):
        for it in await of(untouched, f"Patient/bewoner-{number:02d}", language):
            said = " ".join((*it.names, *it.rules, it.given_by))
            assert not re.search(r"[A-Z][A-Za-z]+/[a-z0-9]|bewoner-\d|\{|None", said), (it.id, said)
            assert it.since, it.id


async def test_a_period_is_told_once(untouched: SmartHouse) -> None:
    (pregnant,) = [one for one in await of(untouched, "Patient/bewoner-05") if "zwangerschap" in one.id]
    assert pregnant.until > MOMENT
    assert not any("tot en met" in rule for rule in pregnant.rules)


async def test_a_proxy_sees_the_dossier_of_whom_they_act_for_and_a_relative_sees_none(untouched: SmartHouse) -> None:
    mother = await of(untouched, "RelatedPerson/bewoner-04-moeder")
    assert [one.names for one in mother] == [("GGD Parkdal", "PlusPraktijk Lindehof"), ("Dennis Houben",)]
    assert await of(untouched, "RelatedPerson/bewoner-04-vader") == ()


async def test_a_professional_sees_their_own_apps_and_nobodys_consents(smart: SmartHouse) -> None:
    doctor = "PractitionerRole/huisarts-el-amrani"
    client = await registered(smart, "spreekuur", "Spreekuur")
    asked = choice("measurements laboratory")
    answered = await let_in(smart, client, "user/Observation.rs offline_access", asked, doctor, "")
    (mine,) = await of(smart, doctor)
    assert (mine.kind, mine.names, mine.consent) == ("app", ("Spreekuur",), "")
    assert mine.rules == ("Mag lezen: Metingen; Uitslagen en foto's.",)
    assert mine.id == f"grant-{answered.grant.key}"
    await stop(smart.server, smart.house.gateway.session_of(as_person(doctor)), mine)
    assert await of(smart, doctor) == ()


async def test_an_app_that_a_proxy_let_in_is_told_with_their_name(smart: SmartHouse) -> None:
    client = await registered(smart, "wandelen", "Samen wandelen")
    mother = "RelatedPerson/bewoner-04-moeder"
    await let_in(smart, client, SCOPE, choice("measurements"), mother, "bewoner-04")
    (hers, *_), (theirs, *_) = await of(smart, mother), await of(smart, "Patient/bewoner-04")
    assert (hers.names, hers.given_by) == (("Samen wandelen",), "")
    assert (theirs.names, theirs.given_by) == (("Samen wandelen",), "Lotte Vaessen")
    assert hers.id == theirs.id


# --- last used ---------------------------------------------------------------------------------------------------


async def test_it_tells_when_each_was_last_used(smart: SmartHouse) -> None:
    answered = await own_app(smart)
    doctor = await smart.house.caller("PractitionerRole/huisarts-el-amrani", "user/*.rs", purpose="TREAT")
    gerda = await smart.house.caller(GERDA, "patient/*.rs")
    before = {one.names[0]: one.used for one in await of(smart, GERDA)}
    assert set(before.values()) == {0}, "to be let in is not to have looked"
    assert (await doctor.get("Condition?patient=bewoner-11")).status == 200
    looked = smart.house.clock.now
    app = await caller(smart, answered, "wandelen")
    smart.house.clock.now += HALF_AN_HOUR
    assert (await app.get("Observation?patient=bewoner-11")).status == 200
    assert (await gerda.get("Consent?patient=bewoner-11")).status == 200
    after = {one.names[0]: one.used for one in await of(smart, GERDA)}
    assert 0 <= looked - (after["Karim El Amrani (Huisarts)"] or 0) < 1_000_000
    assert (after["Samen wandelen"] or 0) > looked
    assert after["Mark Reijnders"] == 0


async def test_a_log_that_is_full_of_one_does_not_hide_the_others(smart: SmartHouse) -> None:
    answered = await own_app(smart)
    await (await caller(smart, answered, "wandelen")).get("Observation?patient=bewoner-11")
    used = smart.house.clock.now
    doctor = await smart.house.caller("PractitionerRole/huisarts-el-amrani", "user/*.rs", purpose="TREAT")
    for _ in range(450):
        await doctor.get("Condition/bewoner-11-hypertensie")
    last = smart.house.clock.now
    told = {one.names[0]: one.used for one in await of(smart, GERDA)}
    assert 0 <= used - (told["Samen wandelen"] or 0) < 100_000
    assert 0 <= last - (told["Karim El Amrani (Huisarts)"] or 0) < 100_000
    assert told["Mark Reijnders"] == 0


async def test_what_was_refused_is_no_use_of_it(smart: SmartHouse) -> None:
    """Annie's neighbour may see one task; what the same Consent keeps from him, it did not let him see."""
    neighbour = await smart.house.caller("RelatedPerson/bewoner-01-buur", "user/*.rs", purpose="FAMRQT")
    assert (await neighbour.get("Condition/bewoner-01-diabetes")).status == 404
    id = "consent-bewoner-01-toestemming-buur"
    assert (await found(smart, "Patient/bewoner-01", id)).used == 0
    assert (await neighbour.get("Task/bewoner-01-taak-boodschappen")).status == 200
    assert (await found(smart, "Patient/bewoner-01", id)).used


# --- stopping ----------------------------------------------------------------------------------------------------


async def test_to_stop_somebody_shuts_the_dossier_at_the_next_request(smart: SmartHouse) -> None:
    son = await smart.house.caller("RelatedPerson/bewoner-11-zoon", "user/*.rs", purpose="FAMRQT")
    assert (await son.get("CarePlan?patient=bewoner-11")).ids
    it = await found(smart, GERDA, "consent-bewoner-11-toestemming-zoon-kijkt-mee")
    await stop(smart.server, smart.house.gateway.session_of(as_person(GERDA)), it)
    assert (await son.get("CarePlan?patient=bewoner-11")).ids == []
    assert await one(smart, GERDA, it.id) is None


async def test_to_stop_an_app_ends_its_tokens_and_its_refresh_token(smart: SmartHouse) -> None:
    answered = await own_app(smart, duration="always")
    tokens = await smart.redeem(answered.said["code"], client_id="wandelen")
    it = smart.bearer(tokens["access_token"])
    assert (await it.get("Observation?patient=bewoner-11")).status == 200
    shown = await found(smart, GERDA, f"consent-{answered.grant.value.consent}")
    await stop(smart.server, smart.house.gateway.session_of(as_person(GERDA)), shown)
    assert (await it.get("Observation?patient=bewoner-11")).status == 401
    with pytest.raises(OAuthError):
        await smart.refresh(tokens["refresh_token"], client_id="wandelen")
    assert await one(smart, GERDA, shown.id) is None


async def test_nobody_stops_what_is_another_dossiers(smart: SmartHouse) -> None:
    it = await found(smart, GERDA, "consent-bewoner-11-toestemming-zoon-kijkt-mee")
    assert await one(smart, "Patient/bewoner-01", it.id) is None
    for stranger in ("Patient/bewoner-01", "RelatedPerson/bewoner-11-zoon", "PractitionerRole/huisarts-el-amrani"):
        with pytest.raises(FhirError) as caught:
            await stop(smart.server, smart.house.gateway.session_of(as_person(stranger)), it)
        assert caught.value.category is Category.NOT_FOUND
    assert await one(smart, GERDA, it.id) is not None


# --- narrowing ---------------------------------------------------------------------------------------------------


async def narrowed(smart: SmartHouse, id: str, ticked: str, **more: str) -> Connection:
    it = await found(smart, GERDA, id)
    await narrow(smart.server, smart.house.gateway.session_of(as_person(GERDA)), it, choice(ticked, **more))
    return await found(smart, GERDA, id)


async def test_to_untick_closes_at_once_what_the_tokens_had(smart: SmartHouse) -> None:
    answered = await own_app(smart)
    id = f"consent-{answered.grant.value.consent}"
    assert (await found(smart, GERDA, id)).rules == ("Mag lezen: Metingen; Uitslagen en foto's; Ziektes en klachten.",)
    it = await caller(smart, answered, "wandelen")
    assert (await it.get("Condition/bewoner-11-hypertensie")).status == 200
    left = await narrowed(smart, id, "measurements laboratory")
    assert left.rules == ("Mag lezen: Metingen; Uitslagen en foto's.",)
    assert (await it.get("Condition/bewoner-11-hypertensie")).status == 404
    assert (await it.get("Observation?patient=bewoner-11")).json["entry"]
    kept = await smart.found(answered.grant.key)
    assert kept.value.scope == "launch/patient patient/Observation.rs"


async def test_narrowing_never_opens_anything(smart: SmartHouse) -> None:
    answered = await own_app(smart, "measurements laboratory diagnoses", sensitive="addiction")
    id = f"consent-{answered.grant.value.consent}"
    left = await narrowed(
        smart, id, "measurements medicines log", writing="diagnoses", sensitive="mental addiction confidential"
    )
    assert left.choice is not None
    assert left.choice.reading == {"measurements"}
    assert left.choice.writing == frozenset()
    assert left.choice.sensitive == {"addiction"}
    it = await caller(smart, answered, "wandelen")
    assert (await it.get("Condition/bewoner-11-overbelasting")).status in (403, 404)


async def test_to_untick_all_is_to_stop_and_that_is_another_button(smart: SmartHouse) -> None:
    answered = await own_app(smart)
    it = await found(smart, GERDA, f"consent-{answered.grant.value.consent}")
    session = smart.house.gateway.session_of(as_person(GERDA))
    with pytest.raises(ValueError, match="nothing would be left"):
        await narrow(smart.server, session, it, choice("", sensitive="mental"))
    assert (await one(smart, GERDA, it.id)) is not None
    other = await found(smart, GERDA, "consent-bewoner-11-toestemming-zoon-kijkt-mee")
    with pytest.raises(ValueError, match="ticked for an app"):
        await narrow(smart.server, session, other, choice("measurements"))


async def test_of_two_who_narrow_what_they_saw_the_second_is_told(smart: SmartHouse) -> None:
    answered = await own_app(smart)
    seen = await found(smart, GERDA, f"consent-{answered.grant.value.consent}")
    await narrowed(smart, seen.id, "measurements")
    session = smart.house.gateway.session_of(as_person(GERDA))
    with pytest.raises(FhirError) as caught:
        await narrow(smart.server, session, seen, choice("measurements laboratory"))
    assert caught.value.category is Category.VERSION
    assert (await found(smart, GERDA, seen.id)).rules == ("Mag lezen: Metingen.",)


async def test_a_removed_app_can_still_be_stopped(smart: SmartHouse) -> None:
    answered = await own_app(smart)
    kept = await smart.state.clients.get("wandelen")
    assert kept is not None
    await smart.state.commit(smart.state.clients.remove(kept))
    it = await found(smart, GERDA, f"consent-{answered.grant.value.consent}")
    await stop(smart.server, smart.house.gateway.session_of(as_person(GERDA)), it)
    assert await grants.of_person(smart.server, GERDA) == []
    assert isinstance(kept.value, Client)

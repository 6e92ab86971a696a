"""What the Consents of the example wijk are there to show, asked of a whole server; each test is one demand of the rules.

`tests/consent/rules.md` has every rule with its tests; here they work together, on dossiers of some size.
https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from consent.compile import Rules, compile_consent
from consent.model import Effect
from consent.parse import parse
from fhir_server.gateway.directory import UNOWNED
from tests.consent.wijk import ZONE, words
from tests.examples.askers import Asker
from tests.examples.conftest import Resource, of_type
from tests.examples.judged import Wijk
from tests.examples.seen import MOMENT, caller, wijk_server
from tests.fhir_server.inprocess import Caller, House

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SECOND = 1_000_000


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[House]:
    """One server for all tests here that leave the clock alone; each is about other residents."""
    async with wijk_server() as opened:
        yield opened


async def role(house: House, name: str, purpose: str = "TREAT") -> Caller:
    return await caller(house, Asker(f"PractitionerRole/{name}", purpose))


async def relation(house: House, name: str) -> Caller:
    return await caller(house, Asker(f"RelatedPerson/{name}", "FAMRQT"))


async def resident(house: House, number: int) -> Caller:
    return await house.caller(f"Patient/bewoner-{number:02d}", "patient/*.cruds")


async def total(who: Caller, kind: str, number: int) -> int:
    """How many of a kind somebody counts of one resident."""
    answer = await who.get(f"{kind}?patient=bewoner-{number:02d}&_summary=count")
    found: int = answer.json["total"]
    return found


async def changed(who: Caller, reference: str, **elements: Any) -> int:
    """The status of an update that replaces these elements."""
    current = (await who.get(reference)).json
    return (await who.put(reference, {**current, **elements})).status


def test_every_consent_that_is_in_force_or_proposed_can_be_enforced(wijk: dict[str, Resource]) -> None:
    rules = Rules(words(), UNOWNED, Effect.DENY)
    world = Wijk(wijk, MOMENT)
    asked = [one for one in of_type(wijk, "Consent") if one["status"] in ("active", "proposed")]
    assert len(asked) >= 40
    problems = {one["id"]: compile_consent(parse(one, words(), ZONE), world, rules).problems for one in asked}
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.anyio
async def test_a_category_lets_in_only_who_treats(house: House) -> None:
    """Sjef: every GP practice that treats me. Dr. El Amrani stands in at his practice, and has a practice of his own."""
    standing_in, elsewhere = await role(house, "waarnemer-el-amrani"), await role(house, "huisarts-el-amrani")
    assert await total(standing_in, "Condition", 7) == 2
    assert await total(elsewhere, "Condition", 7) == 0
    visit = {
        "resourceType": "Encounter",
        "id": "bewoner-07-avond",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/bewoner-07"},
        "participant": [{"individual": {"reference": "PractitionerRole/huisarts-el-amrani"}}],
    }
    await house.given(visit)
    assert await total(elsewhere, "Condition", 7) == 2, "a contact in progress is a treatment relation"
    await house.given({**visit, "status": "finished"})
    assert await total(elsewhere, "Condition", 7) == 0, "and ends with it"


@pytest.mark.anyio
async def test_a_login_under_a_role_is_that_role_alone(house: House) -> None:
    """Gerda named her GP in his own practice, not the same man where he stands in."""
    assert await total(await role(house, "huisarts-el-amrani"), "Condition", 11) == 3
    assert await total(await role(house, "waarnemer-el-amrani"), "Condition", 11) == 0


@pytest.mark.anyio
async def test_in_an_emergency_means_while_somebody_is_helped(house: House) -> None:
    """Lotte, EMRGONLY: the doctor of the out-of-hours post sees her dossier as long as she is there, not the violence."""
    on_duty = await role(house, "waarnemer-el-amrani", "ETREAT")
    assert await total(on_duty, "Condition", 5) == 2
    assert await total(await role(house, "waarnemer-el-amrani"), "Condition", 5) == 0, (
        "that is not for treatment as such"
    )
    assert await total(await role(house, "huisarts-vermeulen", "ETREAT"), "Condition", 5) == 0
    lotte = await resident(house, 5)
    visit = (await lotte.get("Encounter/bewoner-05-avondpost")).json
    await house.given({**visit, "status": "finished"})
    assert await total(on_duty, "Condition", 5) == 0


@pytest.mark.anyio
async def test_leaving_the_team_is_leaving_the_dossier(house: House) -> None:
    annie = await resident(house, 1)
    physiotherapist = await role(house, "fysiotherapeut-hendriks")
    assert await total(physiotherapist, "Condition", 1) == 3
    team = (await annie.get("CareTeam/bewoner-01-team")).json
    for participant in team["participant"]:
        if participant["member"]["reference"] == "PractitionerRole/fysiotherapeut-hendriks":
            participant["period"]["end"] = "2026-11-21"
    await house.given(team)
    assert await total(physiotherapist, "Condition", 1) == 0


@pytest.mark.anyio
async def test_a_team_member_without_a_part_in_treatment_sees_their_task(house: House) -> None:
    """Annie's volunteer is in the team that may see everything, and in the Group that may not."""
    volunteer = await role(house, "vrijwilliger-crutzen", "TREAT")
    assert (await volunteer.get("Task?_elements=id")).ids == ["bewoner-01-taak-lamp"]
    assert await total(volunteer, "Condition", 1) == 0


@pytest.mark.anyio
async def test_a_token_without_a_purpose_is_met_by_every_deny_that_names_one(house: House) -> None:
    """Kim: my GP may see everything; nobody for marketing."""
    assert await total(await role(house, "huisarts-vermeulen"), "Condition", 10) == 2
    assert await total(await role(house, "huisarts-vermeulen", "HMARKT"), "Condition", 10) == 0
    assert await total(await role(house, "huisarts-vermeulen", ""), "Condition", 10) == 0


@pytest.mark.anyio
async def test_consents_are_the_residents_own_whatever_is_opened(house: House) -> None:
    assert await total(await role(house, "huisarts-vermeulen"), "Consent", 10) == 0
    assert await total(await relation(house, "bewoner-03-partner"), "Consent", 3) == 0
    assert await total(await relation(house, "bewoner-04-moeder"), "Consent", 4) == 2, "and of who represents them"


@pytest.mark.anyio
async def test_a_carer_is_no_proxy_and_a_proxy_is_verified(house: House) -> None:
    """Kim's mother cares for her; Noor's mother has authority, her father has not; Leo's curator is in the register."""
    carer = await relation(house, "bewoner-10-moeder")
    assert await total(carer, "DocumentReference", 10) == 1
    assert await total(carer, "Condition", 10) == 0
    mother, father = await relation(house, "bewoner-04-moeder"), await relation(house, "bewoner-04-vader")
    assert (await total(mother, "Condition", 4), await total(father, "Condition", 4)) == (2, 0)
    curator = await relation(house, "bewoner-08-curator")
    assert await total(curator, "Condition", 8) == 2
    person = (await curator.get("RelatedPerson/bewoner-08-curator")).json
    await house.given({**person, "period": {**person["period"], "end": "2026-11-21"}})
    assert await total(curator, "Condition", 8) == 0, "it ends by itself"


@pytest.mark.anyio
async def test_a_proxy_makes_consents_and_a_professional_only_proposes(house: House) -> None:
    gp = await house.caller("PractitionerRole/huisarts-wetzels", "user/*.cruds", purpose="TREAT")
    mother = await house.caller("RelatedPerson/bewoner-04-moeder", "user/*.cruds")
    granted = (await mother.get("Consent/bewoner-04-toestemming-vader")).json
    mine = {key: value for key, value in granted.items() if key not in ("id", "meta", "text")}
    mine["provision"]["actor"][0]["reference"] = {"reference": "PractitionerRole/fysiotherapeut-hendriks"}
    mine["performer"] = [{"reference": "PractitionerRole/huisarts-wetzels"}]
    assert (await gp.post("Consent", mine)).status == 403, "nobody grants access on behalf of a patient"
    proposed = await gp.post("Consent", {**mine, "status": "proposed"})
    assert proposed.status == 201
    reference = "/".join(proposed.headers["Location"].split("/_history/")[0].split("/")[-2:])
    physiotherapist = await role(house, "fysiotherapeut-hendriks")
    assert await total(physiotherapist, "Appointment", 4) == 0
    confirmed = [{"reference": "RelatedPerson/bewoner-04-moeder"}]
    assert await changed(mother, reference, status="active", performer=confirmed) == 200
    assert await total(physiotherapist, "Appointment", 4) == 1


@pytest.mark.anyio
async def test_what_is_about_two_needs_a_yes_from_both(house: House) -> None:
    """The practice's list of people with diabetes names Annie, whose GP may see her dossier, and Ria, who chose nothing."""
    gp, ria = await role(house, "huisarts-vermeulen"), await resident(house, 12)
    assert (await gp.get("Group/ketenzorg-diabetes-esdoorn")).status == 404
    assert (await ria.get("Group/ketenzorg-diabetes-esdoorn")).status == 404, "it is about Annie too"
    asked = (await ria.get("Consent/bewoner-12-toestemming-nooit-gekozen")).json
    yes = {key: value for key, value in asked.items() if key not in ("id", "meta", "text")}
    assert (await ria.post("Consent", {**yes, "status": "active", "provision": {"type": "permit"}})).status == 201
    assert (await gp.get("Group/ketenzorg-diabetes-esdoorn")).status == 200
    assert await total(gp, "Condition", 12) == 3


@pytest.mark.anyio
async def test_the_button_tells_the_resident_and_opens_no_more_than_it_may(house: House) -> None:
    """Ruben keeps hiv closed in emergencies too; Lotte's violence is V, which no button opens."""
    button = await role(house, "huisarts-wetzels", "BTG")
    assert await total(button, "Condition", 3) == 1
    assert (await button.get("Condition/bewoner-03-hiv")).status == 404
    assert (await button.get("Condition/bewoner-05-geweld")).status == 404
    assert (await button.get("Condition/bewoner-03-hooikoorts")).status == 200
    ruben = await resident(house, 3)
    (message,) = (await ruben.get("Communication")).resources
    assert "bewusteloos binnengebracht" in message["payload"][0]["contentString"]


@pytest.mark.anyio
async def test_whoever_wrote_something_reads_it_back(house: House) -> None:
    """The internist's letter to Annie's GP; unless a deny is about it, as for Youssef's earlier notes."""
    internist = await role(house, "internist-okafor")
    assert (await internist.get("DocumentReference?patient=bewoner-01")).ids == ["bewoner-01-ontslagbrief"]
    assert await total(internist, "Condition", 1) == 0
    youssef = await resident(house, 2)
    debts = await role(house, "schuldhulpverlener-bouzid", "COC")
    assert await total(debts, "Communication", 2) == 1
    no = (await youssef.get("Consent/bewoner-02-toestemming-verzekeraar")).json
    no = {key: value for key, value in no.items() if key not in ("id", "meta", "text")}
    no["provision"] = {
        "type": "deny",
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Communication"}],
    }
    assert (await youssef.post("Consent", no)).status == 201
    assert await total(debts, "Communication", 2) == 0


@pytest.mark.anyio
async def test_what_has_an_end_ends_by_itself() -> None:
    """Nobody does anything here but wait."""
    async with wijk_server() as house:
        # who, what they look for, whose it is, the last day on which they find it
        for who, kind, number, last in (
            (Asker("RelatedPerson/bewoner-01-buur", "FAMRQT"), "Task", 1, datetime(2027, 1, 31)),
            (Asker("PractitionerRole/verloskundige-smeets", "TREAT"), "CarePlan", 5, datetime(2027, 5, 31)),
            (Asker("PractitionerRole/jongerenwerker-de-jong", "COC"), "Goal", 6, datetime(2027, 12, 31)),
        ):
            shortly_before = last.replace(hour=23, minute=59, tzinfo=AMSTERDAM)
            house.clock.now = round(shortly_before.timestamp()) * SECOND
            client = await caller(house, who)
            assert await total(client, kind, number) > 0, kind
            house.clock.now += 120 * SECOND
            assert await total(client, kind, number) == 0, kind
        assert await total(await relation(house, "bewoner-02-broer"), "Encounter", 2) == 0, "this one had ended before"

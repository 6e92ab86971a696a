"""What is known of the world stays known until it changes, and not a request longer."""

from typing import Any

import pytest

from fhir_server.gateway.knowledge import Knowledge
from fhir_server.gateway.requester import from_token
from fhir_server.gateway.standing import Standing
from fhir_server.store.auth import AccessToken
from tests.fhir_server.gateway.test_consent_policy import SCOPE, by, consent, permit, total, wijk
from tests.fhir_server.inprocess import House, observation

pytestmark = pytest.mark.anyio


async def known_to_consent(house: House) -> frozenset[str]:
    knowledge: Knowledge = house.gateway.knowledge
    async with house.store.snapshot() as snapshot:
        await knowledge.refresh(snapshot)
        found = await knowledge.consenting(snapshot)
        assert knowledge.holds(snapshot)
        assert found == await Knowledge(knowledge.rules, house.gateway.tools.filer, knowledge.zone).consenting(snapshot)
        return found


async def test_who_has_a_consent_follows_every_change(house: House) -> None:
    await wijk(house)
    assert await known_to_consent(house) == frozenset()
    opened = permit(by("Practitioner/doctor"))
    doctor = await house.caller("Practitioner/doctor", SCOPE)
    for resource, expected, seen in (
        (consent("c", opened), {"p"}, 2),
        (consent("d", opened, "q"), {"p", "q"}, 4),
        (observation("q3", "q"), {"p", "q"}, 5),
        (consent("e", opened), {"p", "q"}, 5),
        (consent("c", opened, status="inactive"), {"p", "q"}, 5),
        (consent("e", opened, status="inactive"), {"q"}, 3),
        (consent("d", opened, "p"), {"p"}, 2),
    ):
        await house.given(resource)
        assert await known_to_consent(house) == expected
        assert await total(doctor, "Observation") == seen


async def test_a_search_of_a_dossier_asks_the_same_question_until_something_changes(house: House) -> None:
    await wijk(house)
    await house.given(consent("c", permit(by("Practitioner/doctor"))))
    token = AccessToken("app", "Practitioner/doctor", SCOPE, 0, 2**60, purpose="TREAT")
    standing = Standing(house.gateway.knowledge, from_token(token, ("Observation",)), lambda patient, closure: False)

    async def asked(*patients: str) -> Any:
        async with house.store.snapshot() as snapshot:
            await house.gateway.knowledge.refresh(snapshot)
            return await standing.query_about(snapshot, patients, "Observation", house.clock())

    first, both = await asked("p"), await asked("p", "q")
    await house.given(observation("p3", "p"))
    assert await asked("p") is first
    assert await asked("p", "q") is both
    await house.given(consent("c", permit(by("Practitioner/doctor")), status="inactive"))
    assert await asked("p") != first
    assert await asked("p", "q") != both

"""Moments: what the rules are told of the world now, then, and as far as one patient may know of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fhir_server.gateway.moment import Moment, Now, Then, Within
from fhir_server.search.query import EVERYTHING, Not, Or, OwnedBy, Predicate, Reference, Token, Unowned
from tests.fhir_server.inprocess import House, observation, opened, organization, patient

pytestmark = pytest.mark.anyio

HOUR = 3_600_000_000


def ref(text: str) -> dict[str, str]:
    return {"reference": text}


def role(id: str, person: str, organisation: str = "o", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": ref(f"Practitioner/{person}"),
        "organization": ref(f"Organization/{organisation}"),
        "code": [{"coding": [{"system": "s", "code": "gp"}]}],
        **more,
    }


def team(id: str, about: str, *members: str) -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "id": id,
        "status": "active",
        "subject": ref(f"Patient/{about}"),
        "participant": [{"member": ref(member)} for member in members],
    }


WORLD = (
    organization("o"),
    organization("part", partOf=ref("Organization/o")),
    role("r1", "d1"),
    role("r2", "d2", "part"),
    patient("p"),
    patient("q"),
    team("of-p", "p", "Practitioner/d1", "Practitioner/d2"),
    team("of-q", "q", "Practitioner/d1"),
    {"resourceType": "Device", "id": "app", "identifier": [{"value": "client"}]},
    {"resourceType": "Device", "id": "thing", "identifier": [{"value": "client"}], "patient": ref("Patient/p")},
)
QUESTIONS: tuple[tuple[str, Predicate, Any], ...] = (
    ("PractitionerRole", Reference("practitioner", "Practitioner", "d1"), None),
    ("PractitionerRole", Or((Token("role", "s", "gp"), Token("specialty", "s", "gp"))), None),
    ("PractitionerRole", Or((Reference("organization", "Organization", "o"), Reference("organization", "Organization", "part"))), None),
    ("PractitionerRole", Not(Reference("practitioner", "Practitioner", "d1")), None),
    ("Organization", Reference("partof", "Organization", "o"), None),
    ("CareTeam", Reference("participant", "Practitioner", "d1"), None),
    ("CareTeam", Token("status", None, "active"), OwnedBy(("p",))),
    ("Device", Token("identifier", None, "client"), Unowned()),
    ("Patient", EVERYTHING, OwnedBy(("p", "q"))),
)  # fmt: skip


@asynccontextmanager
async def moments(house: House, instant: int) -> AsyncIterator[tuple[Moment, Moment]]:
    """Now, and then."""
    async with house.store.snapshot() as snapshot:
        yield Now(snapshot), Then(snapshot, instant, house.gateway.tools.extract)


async def found(moment: Moment, *question: Any) -> set[str]:
    return {row.id for row in await moment.find(*question)}


async def test_then_is_now_when_nothing_has_happened_since() -> None:
    async with opened() as house:
        await house.given(*WORLD)
        async with moments(house, house.clock.now + HOUR) as (now, then):
            for question in QUESTIONS:
                answer = await found(now, *question)
                assert answer, question
                assert await found(then, *question) == answer, question
                assert await found(then, *question) == answer, "asked again"
            for type, id in (("PractitionerRole", "r1"), ("CareTeam", "of-q"), ("Device", "none")):
                assert await now.get(type, id) == await then.get(type, id)


async def test_then_knows_nothing_of_what_came_later() -> None:
    async with opened() as house:
        before = house.clock.now
        house.clock.now += HOUR
        await house.given(*WORLD)
        async with moments(house, before) as (_, then):
            for question in QUESTIONS:
                assert await found(then, *question) == set()
            assert await then.get("PractitionerRole", "r1") is None


async def test_then_sees_versions_and_deletions_as_they_were() -> None:
    async with opened() as house:
        await house.given(*WORLD)
        first = house.clock.now + HOUR // 2
        house.clock.now += HOUR
        await house.given(role("r1", "d3"))
        second = house.clock.now + HOUR // 2
        house.clock.now += HOUR
        await house.maintenance.write("delete", "", lambda unit: unit.delete("PractitionerRole", "r1"))
        third = house.clock.now + HOUR // 2
        answers = {}
        for name, instant in (("first", first), ("second", second), ("third", third)):
            async with moments(house, instant) as (_, then):
                stored = await then.get("PractitionerRole", "r1")
                assert stored is not None
                of_d1 = await found(then, "PractitionerRole", Reference("practitioner", "Practitioner", "d1"))
                of_d3 = await found(then, "PractitionerRole", Reference("practitioner", "Practitioner", "d3"))
                answers[name] = (stored.version, stored.deleted, of_d1, of_d3)
        assert answers == {
            "first": (1, False, {"r1"}, set()),
            "second": (2, False, set(), {"r1"}),
            "third": (3, True, set(), set()),
        }


async def test_the_very_instant_of_a_change_belongs_to_what_follows() -> None:
    async with opened() as house:
        await house.given(patient("p"), observation("o", "p"))
        house.clock.now += HOUR
        await house.given(observation("o", "p", "height"))
        async with house.store.snapshot() as snapshot:
            current = await snapshot.read("Observation", "o")
            assert current is not None
            for instant, version in ((current.updated - 1, 1), (current.updated, 2), (current.updated + 1, 2)):
                stored = await Then(snapshot, instant, house.gateway.tools.extract).get("Observation", "o")
                assert stored is not None
                assert stored.version == version


async def test_within_is_the_directory_and_ones_own_dossier() -> None:
    async with opened() as house:
        await house.given(*WORLD)
        async with moments(house, house.clock.now + HOUR) as both:
            for moment in both:
                known = Within(moment, "p")
                assert await found(known, "CareTeam", Reference("participant", "Practitioner", "d1")) == {"of-p"}
                assert await found(known, "Device", Token("identifier", None, "client")) == {"app", "thing"}
                assert await found(known, "Device", Token("identifier", None, "client"), Unowned()) == {"app"}
                assert await found(known, "PractitionerRole", EVERYTHING) == {"r1", "r2"}
                assert await known.get("CareTeam", "of-q") is None
                assert await known.get("Patient", "q") is None
                for type, id in (("CareTeam", "of-p"), ("Organization", "o"), ("Patient", "p")):
                    assert await known.get(type, id) is not None

"""What the gateway keeps of Consents and the directory is never older than the snapshot it decides in."""

import pytest

from consent.model import Effect
from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.interactions.load import Loaded, load_resources
from fhir_server.store.sqlite import open_store
from profiles import registry
from tests.fhir_server.gateway.test_consent_policy import by, consent, permit, role, wijk
from tests.fhir_server.inprocess import House, observation

pytestmark = pytest.mark.anyio

OPEN = consent("c", permit(by("Practitioner/doctor")))
CLOSED = {**OPEN, "status": "inactive"}


async def effects(house: House) -> set[Effect]:
    """What the Consents that are known of p say."""
    knowledge = house.gateway.knowledge
    async with house.store.snapshot() as snapshot:
        await knowledge.refresh(snapshot)
        dossier = await knowledge.dossier(snapshot, "p")
    return {each.effect for signed in dossier.consents for each in signed.compiled.speaking}


async def test_an_older_snapshot_brings_nothing_back(house: House) -> None:
    """A request that began before a revocation, and goes on after it, must not leave its Consent behind."""
    await wijk(house)
    await house.given(OPEN)
    knowledge = house.gateway.knowledge
    async with house.store.snapshot() as before:
        await knowledge.refresh(before)
        await before.read("Patient", "p")
        await house.given(CLOSED)
        assert await effects(house) == set()
        old = await knowledge.dossier(before, "p")
        assert len(old.consents) == 1, "it is answered from what it sees itself"
        assert await effects(house) == set(), "and nothing of that is kept"
        await knowledge.refresh(before)
        assert await effects(house) == set()


async def test_what_has_not_changed_is_kept(house: House) -> None:
    await wijk(house)
    await house.given(OPEN)
    knowledge = house.gateway.knowledge

    async def known() -> tuple[object, object]:
        async with house.store.snapshot() as snapshot:
            await knowledge.refresh(snapshot)
            closure = await knowledge.closure(snapshot, "PractitionerRole/gp", "app", house.clock())
            return await knowledge.dossier(snapshot, "p"), closure

    dossier, closure = await known()
    await house.given(observation("new", "p"), OPEN | {"id": "other", "patient": {"reference": "Patient/q"}})
    assert await known() == (dossier, closure)
    assert (await known())[0] is dossier
    await house.given(OPEN)
    assert (await known())[0] is not dossier
    await house.given(role("gp", "doctor", "group"))
    assert (await known())[1] is not closure


async def test_a_commit_of_another_process_is_noticed_at_the_next_look(house: House) -> None:
    await wijk(house)
    await house.given(OPEN)
    assert Effect.PERMIT in await effects(house)
    settings = house.gateway.settings
    other = await open_store(settings.data, clock=house.clock)
    try:
        gateway = Gateway(other, registry.load(), settings, clock=house.clock, cursor_key=b"k" * 32)
        loaded = Loaded()
        await load_resources(Maintenance(gateway, "elsewhere"), [CLOSED], loaded)
        assert not loaded.refused
        assert await effects(house) == set()
    finally:
        await other.close()


async def test_more_changes_than_can_be_told_forget_everything(house: House) -> None:
    await wijk(house)
    await house.given(OPEN)
    assert Effect.PERMIT in await effects(house)
    loaded = Loaded()
    many = [observation(f"many{number}", "q") for number in range(1_100)]
    await load_resources(house.maintenance, [*many, CLOSED], loaded)
    assert not loaded.refused
    assert await effects(house) == set()

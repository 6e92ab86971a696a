"""Whoever no Consent speaks of, type by type: `visible` and `permits` are one rule said twice."""

from typing import get_args

import pytest

from consent.model import Effect, ResourceFacts
from fhir_server.gateway.directory import KNOWLEDGE, PUBLIC, UNOWNED
from fhir_server.gateway.filing import Filing
from fhir_server.gateway.policies import FixedPolicy
from fhir_server.gateway.writing import WriteAction
from fhir_server.search.query import EVERYTHING, And, Or, Predicate, Unowned
from fhir_server.store.protocol import StoredVersion
from profiles import registry

pytestmark = pytest.mark.anyio

OWNERS = ((), ("p",), ("p", "q"))
NOBODY = FixedPolicy(Effect.DENY, system=False)
NOBODY_UNDER_PERMIT = FixedPolicy(Effect.PERMIT, system=False)
SYSTEM = FixedPolicy(Effect.DENY, system=True)
SYSTEM_UNDER_PERMIT = FixedPolicy(Effect.PERMIT, system=True)
ALL = (NOBODY, NOBODY_UNDER_PERMIT, SYSTEM, SYSTEM_UNDER_PERMIT)


def stored(type: str, owners: tuple[str, ...]) -> StoredVersion:
    return StoredVersion(type, "x", 1, 0, "create", b"{}", owners, b"")


def holds(predicate: Predicate, owners: tuple[str, ...]) -> bool:
    match predicate:
        case And(children):
            return all(holds(child, owners) for child in children)
        case Or(children):
            return any(holds(child, owners) for child in children)
        case Unowned():
            return not owners
    raise AssertionError(predicate)


@pytest.mark.parametrize("policy", ALL)
async def test_the_query_and_the_decision_agree_for_every_type_and_owner(policy: FixedPolicy) -> None:
    for type in registry.load().resource_types:
        visible = await policy.visible(type, None)
        for owners in OWNERS:
            assert holds(visible, owners) == policy.permits(stored(type, owners)), (type, owners)


async def test_a_type_on_no_list_is_denied_to_everybody() -> None:
    unlisted = [t for t in registry.load().resource_types if t not in UNOWNED | {"AuditEvent", "Device"}]
    assert {"VerificationResult", "MessageHeader", "Linkage", "Subscription"} <= set(unlisted)
    for type in unlisted:
        assert not any(policy.permits(stored(type, ())) for policy in (NOBODY, SYSTEM)), type


async def test_the_operator_keeps_the_apps_which_are_devices_about_nobody() -> None:
    assert SYSTEM.permits(stored("Device", ()))
    assert not SYSTEM.permits(stored("Device", ("p",)))
    assert not NOBODY.permits(stored("Device", ()))
    for action in get_args(WriteAction):
        assert await may(SYSTEM, action, "Device", ())
        assert not await may(SYSTEM, action, "Device", ("p",))
        assert not await may(NOBODY, action, "Device", ())


async def test_the_operator_reads_the_access_log_and_of_the_rest_what_the_base_policy_opens() -> None:
    assert SYSTEM.permits(stored("AuditEvent", ("p",)))
    assert not SYSTEM.permits(stored("Consent", ("p",)))
    assert not SYSTEM.permits(stored("Observation", ("p",)))
    assert await SYSTEM_UNDER_PERMIT.visible("Consent", None) == EVERYTHING


async def may(policy: FixedPolicy, action: WriteAction, type: str, owners: tuple[str, ...], **facts: bool) -> bool:
    filing = Filing(ResourceFacts(type, "x", owners, **facts))
    return (await policy.permits_write(action, type, owners, filing, {})).granted


@pytest.mark.parametrize("action", ["create", "update", "delete"])
async def test_who_writes_what(action: WriteAction) -> None:
    assert await may(SYSTEM, action, "Organization", ())
    assert not await may(SYSTEM, action, "Observation", ("p",))
    assert await may(SYSTEM_UNDER_PERMIT, action, "Observation", ("p",))
    assert not await may(SYSTEM_UNDER_PERMIT, action, "Provenance", ("p",), personal=True)
    assert await may(SYSTEM_UNDER_PERMIT, action, "AuditEvent", ("p",)) == (action == "create")
    for nobody in (NOBODY, NOBODY_UNDER_PERMIT):
        assert not await may(nobody, action, "Organization", ())
        assert not await may(nobody, action, "Observation", ("p",))


def test_the_lists_name_resource_types_and_keep_people_off_the_public_one() -> None:
    types = set(registry.load().resource_types)
    assert types >= UNOWNED
    assert not KNOWLEDGE & set(registry.load().compartment("Patient"))
    assert not PUBLIC & {"Practitioner", "PractitionerRole", "Endpoint", "Schedule", "Slot", "Patient"}

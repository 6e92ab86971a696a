"""The base policy, type by type: `visible` and `permits` are one rule said twice."""

import pytest

from fhir_server.gateway.directory import KNOWLEDGE, PUBLIC, UNOWNED
from fhir_server.gateway.policies import BasePolicy
from fhir_server.gateway.requester import Requester
from fhir_server.search.query import And, Or, OwnedBy, Predicate, Unowned
from fhir_server.store.protocol import StoredVersion
from profiles import registry

RESIDENT = Requester("Patient/p", "app", ())
PRACTITIONER = Requester("Practitioner/d", "app", ())
SYSTEM = Requester("system", "app", ())
NOBODY = Requester("", "", ())
REQUESTERS = (RESIDENT, PRACTITIONER, SYSTEM, NOBODY, Requester("RelatedPerson/r", "app", ()))
OWNERS = ((), ("p",), ("q",), ("p", "q"))


def stored(type: str, owners: tuple[str, ...]) -> StoredVersion:
    return StoredVersion(type, "x", 1, 0, "create", b"{}", owners, b"")


def holds(predicate: Predicate, owners: tuple[str, ...]) -> bool:
    match predicate:
        case And(children):
            return all(holds(child, owners) for child in children)
        case Or(children):
            return any(holds(child, owners) for child in children)
        case OwnedBy(patients):
            return len(owners) == 1 and owners[0] in patients
        case Unowned():
            return not owners
    raise AssertionError(predicate)


@pytest.mark.parametrize("base", ["deny", "permit"])
def test_the_query_and_the_decision_agree_for_every_type_requester_and_owner(base: str) -> None:
    policy = BasePolicy(base)  # type: ignore[arg-type]
    for type in registry.load().resource_types:
        for requester in REQUESTERS:
            visible = policy.visible(requester, type)
            for owners in OWNERS:
                assert holds(visible, owners) == policy.permits(requester, stored(type, owners)), (
                    type,
                    requester,
                    owners,
                )


def test_a_type_on_no_list_is_denied_to_everybody() -> None:
    policy = BasePolicy("deny")
    unlisted = [t for t in registry.load().resource_types if t not in UNOWNED and t != "AuditEvent"]
    assert {"VerificationResult", "MessageHeader", "Linkage", "Subscription"} <= set(unlisted)
    for type in unlisted:
        assert not any(policy.permits(requester, stored(type, ())) for requester in REQUESTERS), type


def test_a_resource_about_two_patients_is_nobodys_alone() -> None:
    assert not BasePolicy("deny").permits(RESIDENT, stored("Observation", ("p", "q")))


def test_consents_and_the_access_log_stay_with_the_patient_whatever_the_base_policy() -> None:
    policy = BasePolicy("permit")
    for type in ("Consent", "AuditEvent"):
        assert policy.permits(RESIDENT, stored(type, ("p",)))
        assert not policy.permits(RESIDENT, stored(type, ("q",)))
        assert not policy.permits(PRACTITIONER, stored(type, ("p",)))
        assert not policy.permits_write(PRACTITIONER, "create", type, ("p",))
    assert policy.permits(PRACTITIONER, stored("Observation", ("p",)))


def test_a_schedule_that_names_a_patient_is_no_directory_entry() -> None:
    policy = BasePolicy("deny")
    assert policy.permits(PRACTITIONER, stored("Schedule", ()))
    assert not policy.permits(PRACTITIONER, stored("Schedule", ("p",)))


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_who_writes_what_under_deny(action: str) -> None:
    may = BasePolicy("deny").permits_write
    assert may(RESIDENT, action, "Observation", ("p",))  # type: ignore[arg-type]
    assert not may(RESIDENT, action, "Observation", ("q",))  # type: ignore[arg-type]
    assert not may(RESIDENT, action, "Observation", ("p", "q"))  # type: ignore[arg-type]
    assert not may(RESIDENT, action, "Observation", ())  # type: ignore[arg-type]
    assert not may(RESIDENT, action, "Organization", ())  # type: ignore[arg-type]
    assert not may(RESIDENT, action, "AuditEvent", ("p",))  # type: ignore[arg-type]
    assert not may(PRACTITIONER, action, "Organization", ())  # type: ignore[arg-type]
    assert may(SYSTEM, action, "Organization", ())  # type: ignore[arg-type]
    assert not may(SYSTEM, action, "Observation", ("p",))  # type: ignore[arg-type]
    assert not may(NOBODY, action, "Organization", ())  # type: ignore[arg-type]


def test_nobody_known_writes_nothing_under_permit_either() -> None:
    assert not BasePolicy("permit").permits_write(NOBODY, "create", "Observation", ("p",))


def test_the_lists_name_resource_types_and_keep_people_off_the_public_one() -> None:
    types = set(registry.load().resource_types)
    assert types >= UNOWNED
    assert not KNOWLEDGE & set(registry.load().compartment("Patient"))
    assert not PUBLIC & {"Practitioner", "PractitionerRole", "Endpoint", "Schedule", "Slot", "Patient"}

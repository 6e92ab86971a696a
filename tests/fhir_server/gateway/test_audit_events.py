"""What the record of an interaction says in FHIR: rule, Consent, role, organisation, emergency. NEN 7513, IHE BALP."""

import hashlib
import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from fhir_server.gateway import audit
from fhir_server.gateway.audit import Ground, Record, Standing, Touched
from fhir_server.gateway.audit_events import audit_events
from fhir_server.gateway.requester import Requester
from fhir_server.gateway.unfolding import unfold
from fhir_server.store.protocol import AuditEntry, StoredVersion
from profiles import registry
from profiles.validate import iter_issues

ENTRY = str(UUID(int=7))
AT = 1_790_000_000_000_000
DOCTOR = Requester("Practitioner/d", "his", (), purpose="TREAT", reason="spreekuur")
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"


def events(what: Record) -> list[tuple[dict[str, Any], tuple[str, ...]]]:
    """By way of the bytes that are kept; each must be valid R4."""
    made = audit_events(ENTRY, AT, audit.decode(audit.entry(ENTRY, AT, what).entry))
    for event, _ in made:
        errors = [issue for issue in iter_issues(event, registry.load()) if issue.severity == "error"]
        assert not errors, errors
    return made


def event(**more: Any) -> dict[str, Any]:
    """The only event of a reading by the doctor."""
    ((found, _),) = events(audit.record(DOCTOR, "read", more.pop("outcome", 200), **more))
    return found


def seen(*grounds: Ground, id: str = "o", owners: tuple[str, ...] = ("p",)) -> Touched:
    return Touched("Observation", id, 1, owners, grounds)


def details(entity: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["type"], one["valueString"]) for one in entity.get("detail", [])]


def entities(found: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {one["what"]["reference"]: details(one) for one in found["entity"] if "what" in one}


def test_the_consent_version_and_provision_that_decided_are_named() -> None:
    ground = Ground("p", "consent", "c", "3", "Consent.provision.provision[0]")
    found = event(touched=[seen(ground)])
    assert entities(found) == {
        "Patient/p": [("rule", "consent")],
        "Observation/o/_history/1": [],
        "Consent/c/_history/3": [
            ("provision", "Consent.provision.provision[0]"),
            ("rule", "consent"),
            ("effect", "permit"),
        ],
    }
    (consent,) = (one for one in found["entity"] if one["what"]["reference"].startswith("Consent/"))
    assert consent["type"] == {
        "system": "http://hl7.org/fhir/resource-types",
        "code": "Consent",
        "display": "Consent",
    }


def test_a_refusal_tells_the_patient_by_which_rule() -> None:
    denied = Ground("p", "consent", "c", "3", "Consent.provision")
    found = event(outcome=404, detail="not-found", touched=[seen(denied)])
    assert found["outcome"] == "4"
    assert entities(found)["Consent/c/_history/3"][-1] == ("effect", "deny")
    base = event(outcome=404, touched=[seen(Ground("p", "base"))])
    assert entities(base) == {"Patient/p": [("rule", "base")], "Observation/o/_history/1": []}


@pytest.mark.parametrize("rule", ["own", "proxy", "author", "base", "emergency", "operator"])
def test_where_no_consent_decided_the_rule_is_named(rule: str) -> None:
    assert entities(event(touched=[seen(Ground("p", rule))]))["Patient/p"] == [("rule", rule)]


def test_of_what_is_about_nobody_the_rule_stands_with_the_resource() -> None:
    what = Touched("Organization", "o", 1, (), (Ground("", "directory"),))
    assert entities(event(touched=[what])) == {"Organization/o/_history/1": [("rule", "directory")]}


def test_the_same_consent_stands_once_whatever_it_decided() -> None:
    first = Ground("p", "consent", "c", "3", "Consent.provision.provision[0]")
    second = Ground("p", "consent", "c", "3", "Consent.provision.provision[1]")
    touched = [seen(first, id=f"o{n}") for n in range(5)] + [seen(second, id="x"), seen(Ground("p", "author"), id="y")]
    found = entities(event(touched=touched))
    assert [name for name in found if name.startswith("Consent/")] == ["Consent/c/_history/3"]
    assert [value for name, value in found["Consent/c/_history/3"] if name == "provision"] == [first.path, second.path]
    assert found["Patient/p"] == [("rule", "consent"), ("rule", "author")]


def test_no_log_tells_what_decided_for_somebody_else() -> None:
    of_p, of_q = Ground("p", "consent", "cp", "1", "Consent.provision"), Ground("q", "consent", "cq", "1")
    made = events(audit.record(DOCTOR, "search-type", 200, touched=[seen(of_p), seen(of_q, id="b", owners=("q",))]))
    told = {owners: json.dumps(found) for found, owners in made}
    assert set(told) == {("p",), ("q",)}
    assert "Consent/cp" in told["p",]
    assert "Consent/cq" not in told["p",]
    assert "Consent/cp" not in told["q",]
    ((both, owners),) = events(audit.record(DOCTOR, "read", 200, touched=[seen(of_p, of_q, owners=("p", "q"))]))
    assert owners == ("p", "q")
    assert {"Consent/cp/_history/1", "Consent/cq/_history/1"} <= set(entities(both))
    ((mixed, _),) = events(
        audit.record(DOCTOR, "read", 200, touched=[seen(of_p, Ground("q", "author"), owners=("p", "q"))])
    )
    assert entities(mixed)["Patient/p"] == [("rule", "consent")]
    assert entities(mixed)["Patient/q"] == [("rule", "author")]
    ((strayed, _),) = events(audit.record(DOCTOR, "read", 200, touched=[seen(of_p, of_q)]))
    assert "cq" not in json.dumps(strayed), "what decided for another is told to nobody else, whoever mixes it up"


def test_a_ground_that_is_repeated_is_kept_once() -> None:
    ground = Ground("p" * 36, "consent", "c" * 36, "3", "Consent.provision.provision[0]")

    def size(count: int) -> int:
        return len(audit.entry(ENTRY, AT, audit.record(DOCTOR, "read", 200, touched=[seen(ground)] * count)).entry)

    without = len(audit.entry(ENTRY, AT, audit.record(DOCTOR, "read", 200, touched=[seen()] * 500)).entry)
    assert size(500) - without < 150
    assert size(501) - size(500) < 25


def test_the_role_and_the_organisations_of_the_login_are_agents() -> None:
    standing = Standing(("Practitioner/d", "PractitionerRole/r"), ("Organization/h", "Organization/parent"))
    found = event(touched=[seen()], standing=standing)
    _, user, *organisations = found["agent"]
    assert user["who"] == {"reference": "Practitioner/d"}
    assert [(role["coding"][0]["code"], role["text"]) for role in user["role"]] == [
        ("PractitionerRole", "PractitionerRole/r")
    ]
    assert [one["who"]["reference"] for one in organisations] == ["Organization/h", "Organization/parent"]
    assert {one["type"]["coding"][0]["code"] for one in organisations} == {"PROV"}
    assert [one["requestor"] for one in found["agent"]] == [False, True, False, False]


def test_emergency_use_is_marked_by_purpose_and_by_subtype() -> None:
    found = event(touched=[seen(Ground("p", "emergency"))], emergency=True)
    codes = [concept["coding"][0]["code"] for concept in found["purposeOfEvent"]]
    assert codes == ["TREAT", "BTG"]
    assert (DICOM, "110127") in [(one["system"], one["code"]) for one in found["subtype"]]
    asked = Requester("Practitioner/d", "his", (), purpose="BTG", reason="bewusteloos")
    ((found, _),) = events(audit.record(asked, "read", 200, touched=[seen()], emergency=True))
    assert found["purposeOfEvent"] == [{"coding": [{"system": ACT_REASON, "code": "BTG"}], "text": "bewusteloos"}]
    calm = event(touched=[seen()])
    assert "110127" not in json.dumps(calm)


def test_the_server_is_named_as_it_was_when_it_happened() -> None:
    assert event()["source"]["observer"] == {"display": "wijkdossier"}
    assert event(source="https://wijk.example/fhir")["source"]["observer"] == {"display": "https://wijk.example/fhir"}


def test_touched_asks_for_the_grounds_of_each_version() -> None:
    stored = StoredVersion("Observation", "o", 4, AT, "update", b"", ("p",), b"")
    assert audit.touched([stored]) == (Touched("Observation", "o", 4, ("p",)),)
    (one,) = audit.touched([stored], lambda row: (Ground(row.owners[0], "own"),))
    assert one.grounds == (Ground("p", "own"),)


# --- what is kept for years ------------------------------------------------------------------------------------------


def test_an_entry_of_the_first_release_is_still_read() -> None:
    """Its record had ten fields and its rows four."""
    row = ["Observation", "o", 1, ["p"]]
    kept = msgspec.msgpack.encode(["read", 200, "Practitioner/d", "his", "TREAT", "", "Observation/o", "", "", [row]])
    what = audit.decode(kept)
    assert (what.interaction, what.outcome, what.user) == ("read", 200, "Practitioner/d")
    assert what.touched() == (Touched("Observation", "o", 1, ("p",)),)


def test_what_is_made_of_a_record_never_changes() -> None:
    """INVARIANT of audit_events and provenance: stored resources are held against what is made of their entries.

    Whoever has to change this digest breaks `audit verify` for every store there is: give Record a field that says
    which shape is meant instead.
    """
    standing = Standing(("Practitioner/d", "PractitionerRole/r"), ("Organization/h",))
    ground = Ground("p", "consent", "c", "3", "Consent.provision.provision[0]")
    records = [
        audit.record(DOCTOR, "read", 200, target="Observation/o", touched=[seen(ground)], standing=standing),
        audit.record(DOCTOR, "search-type", 200, target="Observation", query="patient=p&code=x", touched=[seen()]),
        audit.record(DOCTOR, "read", 404, target="Observation/o", detail="not-found", touched=[seen()], emergency=True),
        audit.record(Requester("", "", ()), "read", 401, target="Patient/p", detail="login"),
        audit.record(
            Requester("system", "operator", ()),
            "transaction",
            200,
            touched=[
                Touched("Observation", "o", 2, ("p",), (), "update"),
                Touched("Organization", "h", 1, (), (), "create"),
                Touched("Task", "t", 3, ("p", "q"), (), "delete"),
            ],
        ),
    ]
    made = [unfold(AuditEntry(ENTRY, AT, audit.entry(ENTRY, AT, record).entry)) for record in records]
    digest = hashlib.sha256(json.dumps(made).encode()).hexdigest()
    assert digest == "5b84ddbab760e2b330854aea3783cb56e9193656763c4e1f8b006ccdf1b69f67"

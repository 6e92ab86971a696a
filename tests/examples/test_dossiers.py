"""The twelve dossiers hold what consent needs: sensitive records, formal and informal people, rules of many shapes.

https://hl7.org/fhir/R4/consent.html, https://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterator

from tests.examples.conftest import Resource, of_type


def provisions(consent: Resource) -> Iterator[Resource]:
    """Every provision of a Consent, the root first."""
    pending = [consent["provision"]] if "provision" in consent else []
    while pending:
        provision = pending.pop(0)
        yield provision
        pending += provision.get("provision", [])


def test_every_resident_has_a_general_practitioner_and_care_and_welfare(wijk: dict[str, Resource]) -> None:
    for patient in of_type(wijk, "Patient"):
        me = f"Patient/{patient['id']}"
        assert patient["generalPractitioner"][0]["reference"].startswith("PractitionerRole/")
        types = {
            item["resourceType"]
            for item in wijk.values()
            if me
            in (item.get("subject", {}), item.get("patient", {}), item.get("for", {}), item.get("beneficiary", {}))
            or any(
                item.get(key, {}) == {"reference": me}
                for key in ("subject", "patient", "for", "beneficiary")
                if key in item
            )
        }
        assert {
            "Condition",
            "Observation",
            "CarePlan",
            "Goal",
            "Task",
            "Consent",
            "Coverage",
            "MedicationRequest",
        } <= types, me


def test_consents_come_in_every_shape_the_engine_knows(wijk: dict[str, Resource]) -> None:
    consents = of_type(wijk, "Consent")
    assert {consent["status"] for consent in consents} >= {"active", "inactive", "proposed", "rejected"}
    scopes = {consent["scope"]["coding"][0]["code"] for consent in consents}
    assert scopes == {"patient-privacy", "research", "treatment", "adr"}
    assert {consent["policyRule"]["coding"][0]["code"] for consent in consents} == {"OPTIN", "OPTOUT", "EMRGONLY"}

    every = [provision for consent in consents for provision in provisions(consent)]
    assert {provision.get("type") for provision in every} == {"permit", "deny", None}
    for element in (
        "period",
        "actor",
        "action",
        "securityLabel",
        "purpose",
        "class",
        "code",
        "dataPeriod",
        "data",
        "provision",
    ):
        assert any(element in provision for provision in every), element
    purposes = {purpose["code"] for provision in every for purpose in provision.get("purpose", [])}
    assert purposes >= {"TREAT", "ETREAT", "HRESCH", "FAMRQT", "PWATRNY", "HMARKT", "BTG"}
    meanings = {data["meaning"] for provision in every for data in provision.get("data", [])}
    assert meanings == {"instance", "related", "dependents", "authoredby"}
    actors = {
        actor["reference"].get("reference", actor["reference"].get("type", "")).split("/")[0]
        for provision in every
        for actor in provision.get("actor", [])
    }
    assert actors >= {
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "CareTeam",
        "Group",
        "RelatedPerson",
        "Device",
    }


def test_somebody_is_open_in_an_emergency_only_and_somebody_not_even_then(wijk: dict[str, Resource]) -> None:
    active = [consent for consent in of_type(wijk, "Consent") if consent["status"] == "active"]
    assert [c["id"] for c in active if c["policyRule"]["coding"][0]["code"] == "EMRGONLY"]
    by_name = [
        provision
        for consent in active
        for provision in provisions(consent)
        if provision.get("type") == "deny" and {p["code"] for p in provision.get("purpose", [])} & {"ETREAT", "BTG"}
    ]
    assert by_name


def test_consents_speak_of_recipients_custodians_and_authors(wijk: dict[str, Resource]) -> None:
    roles = {
        actor["role"]["coding"][0]["code"]
        for consent in of_type(wijk, "Consent")
        for provision in provisions(consent)
        for actor in provision.get("actor", [])
    }
    assert roles == {"PRCP", "IRCP", "GRANTEE", "CST", "AUT"}


def test_some_consents_have_expired_and_some_nest_three_deep(wijk: dict[str, Resource]) -> None:
    consents = [consent for consent in of_type(wijk, "Consent") if "provision" in consent]
    assert [
        consent["id"] for consent in consents if consent["provision"].get("period", {}).get("end", "9999") < "2026-11"
    ]

    def depth(provision: Resource) -> int:
        return 1 + max((depth(child) for child in provision.get("provision", [])), default=0)

    assert max(depth(consent["provision"]) for consent in consents) >= 3


def test_no_consent_names_somebody_by_display_alone(wijk: dict[str, Resource]) -> None:
    """consent-semantics: an actor is a reference, or a category by `type` and `identifier`."""
    for consent in of_type(wijk, "Consent"):
        for provision in provisions(consent):
            for actor in provision.get("actor", []):
                reference = actor["reference"]
                assert "reference" in reference or {"type", "identifier"} <= set(reference), consent["id"]


def test_an_active_consent_is_given_by_the_resident_or_a_verified_proxy(wijk: dict[str, Resource]) -> None:
    verified = {
        item["target"][0]["reference"] for item in of_type(wijk, "VerificationResult") if item["status"] == "validated"
    }
    for consent in of_type(wijk, "Consent"):
        (performer,) = (reference["reference"] for reference in consent["performer"])
        if consent["status"] == "active":
            assert performer == consent["patient"]["reference"] or performer in verified, consent["id"]


def test_sensitive_records_are_labelled(wijk: dict[str, Resource]) -> None:
    labels = {code["code"]: code["system"] for item in wijk.values() for code in item["meta"].get("security", [])}
    assert set(labels) == {"PSY", "HIV", "SEX", "SUD", "SDV", "R", "V"}
    hiv = [
        identity for identity, item in wijk.items() if any(c["code"] == "HIV" for c in item["meta"].get("security", []))
    ]
    assert len(hiv) >= 8
    assert all("bewoner-03" in identity for identity in hiv)


def test_what_a_sensitive_problem_explains_is_labelled_too(wijk: dict[str, Resource]) -> None:
    """A prescription, visit, goal or episode that names a hidden problem as its reason would betray it."""
    checked = 0
    for item in wijk.values():
        reasons = [*item.get("reasonReference", []), *item.get("addresses", [])]
        reasons += [diagnosis["condition"] for diagnosis in item.get("diagnosis", [])]
        for reason in reasons:
            for label in wijk[reason["reference"]]["meta"].get("security", []):
                assert label in item["meta"].get("security", []), item["id"]
                checked += 1
    assert checked >= 20


def test_care_teams_have_formal_and_informal_members(wijk: dict[str, Resource]) -> None:
    mixed = 0
    for team in of_type(wijk, "CareTeam"):
        kinds = {participant["member"]["reference"].split("/")[0] for participant in team["participant"]}
        assert all("start" in participant["period"] for participant in team["participant"])
        mixed += {"PractitionerRole", "RelatedPerson"} <= kinds
    assert mixed >= 5


def test_a_referral_to_welfare_is_answered_in_every_way(wijk: dict[str, Resource]) -> None:
    answers = [
        task
        for task in of_type(wijk, "Task")
        if task.get("focus", {}).get("reference", "").startswith("ServiceRequest/")
    ]
    assert {task["status"] for task in answers} >= {"accepted", "in-progress", "completed", "rejected"}
    assert all("statusReason" in task for task in answers if task["status"] == "rejected")


def test_a_neighbour_who_helps_is_a_resident_with_a_dossier_of_their_own(wijk: dict[str, Resource]) -> None:
    links = {link["other"]["reference"] for patient in of_type(wijk, "Patient") for link in patient.get("link", [])}
    assert links == {
        "RelatedPerson/bewoner-01-buur",
        "RelatedPerson/bewoner-04-moeder",
        "RelatedPerson/bewoner-08-partner",
    }


def test_one_resident_never_recorded_a_choice(wijk: dict[str, Resource]) -> None:
    active = {c["patient"]["reference"] for c in of_type(wijk, "Consent") if c["status"] == "active"}
    assert {f"Patient/{patient['id']}" for patient in of_type(wijk, "Patient")} - active == {"Patient/bewoner-12"}

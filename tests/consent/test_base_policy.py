"""Section 5 of the consent rules: when no Consent speaks; and who needs none."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from consent.model import Action, Closure, Effect, Fate, Rule
from tests.consent.strategies import consents, resources
from tests.consent.wijk import (
    COLLEAGUE,
    GP,
    GP_PRACTICE,
    GP_ROLE,
    PATIENT,
    actor,
    allowed,
    consent,
    decision,
    deny,
    observation,
    permit,
    request,
    rules,
)

Json = dict[str, Any]
OPEN = rules(base=Effect.PERMIT)


def test_deny_is_the_default_and_permit_a_choice() -> None:
    assert not allowed()
    assert allowed(chosen=OPEN)
    assert decision().basis[0].rule is Rule.BASE


@given(mine=consents(), about=resources(4))
@settings(max_examples=40, deadline=None)
def test_the_patient_and_a_verified_proxy_always_read_the_dossier(mine: list[Json], about: Any) -> None:
    for facts in (replace(one, patients=("1",)) for one in about):
        own = decision(*mine, asked=request(PATIENT, purpose="PATRQT"), facts=facts)
        proxy = decision(*mine, asked=request(Closure(frozenset({"RelatedPerson/x2"})), represents=True), facts=facts)
        assert (own.permitted, own.basis[0].rule) == (True, Rule.OWN)
        assert (proxy.permitted, proxy.basis[0].rule) == (True, Rule.PROXY)


def test_another_patient_is_a_stranger() -> None:
    assert not allowed(asked=request(Closure(frozenset({"Patient/2"})), purpose="PATRQT"))


@pytest.mark.parametrize("author", ["Practitioner/p1", "PractitionerRole/r1"])
def test_the_author_reads_back_what_they_wrote(author: str) -> None:
    mine = observation(authors=frozenset({author}))
    assert decision(facts=mine).basis[0].rule is Rule.AUTHOR
    assert allowed(facts=mine)
    assert not allowed(facts=mine, asked=request(action=Action.CORRECT))


def test_the_author_reads_nothing_back_where_a_deny_matches() -> None:
    assert not allowed(consent(deny()), facts=observation(authors=frozenset({"Practitioner/p1"})))


def test_who_uses_an_app_is_not_the_author_of_what_it_wrote() -> None:
    by_app = observation(authors=frozenset({"Device/d1"}))
    assert not allowed(facts=by_app, asked=request(replace(GP, devices=frozenset({"Device/d1"}))))
    assert allowed(facts=by_app, asked=request(Closure(frozenset({"Device/d1"}))))


def test_a_colleague_is_no_author_through_the_organisation() -> None:
    assert not allowed(facts=observation(authors=frozenset({"Organization/o1"})))


@pytest.mark.parametrize(
    "who", [[], [actor(GP_ROLE)], [actor(GP_PRACTICE)]], ids=["nobody", "role", "organisation type"]
)
def test_a_permit_by_category_or_to_nobody_needs_a_treatment_relation(who: list[Json]) -> None:
    yes = consent(permit(**({"actor": who} if who else {})))
    assert allowed(yes)
    found = decision(yes, asked=request(treats=False))
    assert not found.permitted
    assert found.basis[0].findings[0].fate is Fate.NO_TREATMENT_RELATION


@pytest.mark.parametrize("who", ["Practitioner/p1", "CareTeam/t1", "Organization/o1"])
def test_a_permit_by_reference_needs_no_treatment_relation(who: str) -> None:
    assert allowed(consent(permit(actor=[actor(GP_ROLE), actor(who)])), asked=request(treats=False))


@pytest.mark.parametrize(
    "purpose, needed",
    [
        ("TREAT", True),
        ("ETREAT", True),
        ("BTG", True),
        ("", True),
        ("NOSUCH", True),
        ("HRESCH", False),
        ("HPAYMT", False),
    ],
)
def test_only_acting_for_treatment_needs_a_treatment_relation(purpose: str, needed: bool) -> None:
    assert allowed(consent(permit()), asked=request(purpose=purpose, treats=False)) != needed


def test_only_a_professional_needs_a_treatment_relation() -> None:
    assert allowed(consent(permit()), asked=request(replace(GP, professional=False), treats=False))


def test_without_a_treatment_relation_a_deny_is_not_beaten() -> None:
    yes, no = consent(permit(actor=[actor(GP_ROLE)]), id="yes"), consent(deny(), id="no")
    assert allowed(yes, no)
    assert not allowed(yes, no, asked=request(treats=False), chosen=OPEN)


def test_directory_types_carry_no_patient() -> None:
    place = observation(type="Location", patients=())
    assert decision(facts=place).basis[0].rule is Rule.DIRECTORY
    assert allowed(facts=place)
    assert not allowed(facts=place, asked=request(action=Action.CORRECT))


def test_a_type_on_no_list_is_denied() -> None:
    assert not allowed(facts=observation(type="Subscription", patients=()))
    assert decision(facts=observation(patients=())).basis[0].rule is Rule.NOBODY_KNOWN
    assert not allowed(facts=observation(patients=()))


@pytest.mark.parametrize("type", ["Observation", "Subscription"])
def test_what_names_nobody_follows_the_base_policy(type: str) -> None:
    found = decision(facts=observation(type=type, patients=()), chosen=OPEN)
    assert (found.permitted, found.basis[0].rule) == (True, Rule.NOBODY_KNOWN)
    for personal in ("Consent", "AuditEvent"):
        found = decision(facts=observation(type=personal, patients=()), chosen=OPEN)
        assert (found.permitted, found.basis[0].rule) == (False, Rule.PERSONAL)


def test_a_directory_type_that_names_a_patient_is_theirs() -> None:
    assert not allowed(facts=observation(type="Location"))


@pytest.mark.parametrize("type", ["Consent", "AuditEvent"])
def test_consents_and_audit_events_are_for_patient_and_proxy_only(type: str) -> None:
    personal = observation(type=type, authors=frozenset({"Practitioner/p1"}))
    assert not allowed(consent(permit(actor=[actor("Practitioner/p1")])), facts=personal, chosen=OPEN)
    assert not allowed(facts=replace(personal, patients=()), chosen=OPEN)
    assert allowed(facts=personal, asked=request(PATIENT))
    assert allowed(facts=personal, asked=request(COLLEAGUE, represents=True))


def test_what_the_server_noted_of_a_write_is_for_patient_and_proxy_only() -> None:
    """It would tell of records that are hidden. A Provenance that somebody wrote is a record like any other."""
    yes = consent(permit(actor=[actor("Practitioner/p1")]))
    noted = observation(type="Provenance", personal=True)
    assert allowed(yes, facts=replace(noted, personal=False))
    assert decision(yes, facts=noted, chosen=OPEN).basis[0].rule is Rule.PERSONAL
    assert not allowed(yes, facts=noted, chosen=OPEN)
    assert not allowed(facts=replace(noted, patients=()), chosen=OPEN)
    assert allowed(facts=noted, asked=request(PATIENT))

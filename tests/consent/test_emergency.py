"""Section 6 of the consent rules: the emergency button."""

from dataclasses import replace
from typing import Any

import pytest

from consent.model import Action, Answer, Emergency, Fate, Obligation, Rule
from tests.consent.wijk import GP, NOW, actor, allowed, consent, decision, deny, observation, permit, request

Json = dict[str, Any]
MINUTE = 60_000_000
WINDOW = Emergency(allowed=True, reason="bewusteloos gevonden", opened=NOW - 5 * MINUTE, closes=NOW + 55 * MINUTE)
NO = consent(deny(actor=[actor("Practitioner/p1")]))


def pressed(window: Emergency = WINDOW, **how: Any) -> Any:
    return request(purpose="BTG", emergency=window, treats=False, **how)


def test_the_button_lifts_denies_and_the_base_policy() -> None:
    assert not allowed(NO, asked=pressed(replace(WINDOW, allowed=False)))
    for consents in ((NO,), ()):
        found = decision(*consents, asked=pressed())
        assert found.permitted
        assert found.basis[0].rule is Rule.EMERGENCY
    assert decision(NO, asked=pressed()).basis[0].findings[0].fate is Fate.LIFTED


def test_the_button_is_marked_and_told_to_the_patient() -> None:
    assert decision(NO, asked=pressed()).obligations == {Obligation.AUDIT_EMERGENCY, Obligation.TELL_PATIENT}
    assert decision(consent(permit(actor=[actor("Practitioner/p1")])), asked=pressed()).obligations == frozenset()


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_the_button_needs_a_reason_in_words(reason: str) -> None:
    assert not allowed(NO, asked=pressed(replace(WINDOW, reason=reason)))


def test_the_button_needs_a_professional_who_may_use_it() -> None:
    assert not allowed(NO, asked=pressed(replace(WINDOW, allowed=False)))
    assert not allowed(NO, asked=pressed(closure=replace(GP, professional=False)))


def test_the_window_is_at_most_an_hour_and_closes_by_itself() -> None:
    assert not allowed(NO, asked=pressed(replace(WINDOW, closes=WINDOW.opened + 60 * MINUTE + 1)))
    assert allowed(NO, asked=pressed(instant=WINDOW.closes - 1))
    assert not allowed(NO, asked=pressed(instant=WINDOW.closes))
    assert not allowed(NO, asked=pressed(instant=WINDOW.opened - 1))
    assert decision(NO, asked=pressed()).valid_until == WINDOW.closes


@pytest.mark.parametrize("level, lifted", [(0, True), (3, True), (4, True), (5, False)])
def test_the_button_lifts_up_to_restricted(level: int, lifted: bool) -> None:
    assert allowed(NO, asked=pressed(), facts=observation(confidentiality=level)) == lifted


def test_a_label_that_cannot_be_read_is_not_lifted() -> None:
    assert not allowed(NO, asked=pressed(), facts=observation(labels_unclear=True))


@pytest.mark.parametrize("purpose", ["BTG", "ETREAT"])
def test_a_deny_of_the_emergency_by_name_is_never_lifted(purpose: str) -> None:
    assert not allowed(consent(deny(purpose=[purpose])), asked=pressed())
    assert allowed(consent(deny(purpose=["TREAT"])), asked=pressed())
    assert allowed(consent(deny(purpose=["HMARKT"])), asked=pressed())


def test_the_button_is_for_reading() -> None:
    assert not allowed(NO, asked=pressed(action=Action.CORRECT))


def test_without_the_purpose_there_is_no_button() -> None:
    assert not allowed(NO, asked=request(purpose="ETREAT", emergency=WINDOW))


@pytest.mark.parametrize("type", ["Consent", "AuditEvent"])
def test_the_button_opens_no_consents_and_no_log(type: str) -> None:
    assert not allowed(NO, asked=pressed(), facts=observation(type=type))


def test_a_deny_of_emergency_treatment_is_told_as_about_the_button() -> None:
    (found,) = decision(consent(deny(purpose=["ETREAT"])), asked=pressed()).basis[0].findings
    assert (found.fate, found.elements) == (Fate.STANDS, (("purpose", Answer.YES),))
    (found,) = decision(consent(permit(purpose=["ETREAT"])), asked=pressed(WINDOW)).basis[0].findings
    assert (found.fate, found.elements) == (Fate.NO_MATCH, (("purpose", Answer.NO),))

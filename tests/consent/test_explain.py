"""Decisions in sentences: both languages tell the same, and every fate and rule has its words."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from consent.decide import decide
from consent.explain import explain
from consent.model import Basis, Decision, Effect, Emergency, Fate, Finding, Rule
from tests.consent.strategies import consents, requests, resources
from tests.consent.wijk import (
    GP_ROLE,
    NOW,
    PATIENT,
    actor,
    concept,
    consent,
    decision,
    deny,
    observation,
    permit,
    policy_of,
    request,
    rules,
)

GP = actor("Practitioner/p1")


def dutch(found: Decision) -> str:
    return " ".join(explain(found, "nl"))


@given(mine=consents(), asked=requests(3), about=resources(3))
@settings(max_examples=60, deadline=None)
def test_every_decision_has_words_in_both_languages(mine: list[Any], asked: Any, about: Any) -> None:
    policies = {"1": policy_of(*mine)}
    for one in asked:
        for facts in about:
            found = decide(one, facts, policies, rules())
            nl, en = explain(found, "nl"), explain(found, "en")
            assert len(nl) == len(en)
            assert nl[0] == ("Dit mag." if found.permitted else "Dit mag niet.")
            assert all(sentence.endswith(".") and "{" not in sentence for sentence in nl + en)


@pytest.mark.parametrize("fate", list(Fate))
def test_every_fate_has_words(fate: Fate) -> None:
    finding = Finding("c1", "2", "Consent.provision", Effect.PERMIT, fate, by=("c2", "Consent.provision"))
    for language, version in (("nl", "(versie 2)"), ("en", "(version 2)")):
        text = explain(Decision(Effect.DENY, (Basis("1", Effect.DENY, Rule.CONSENT, "nl-gf", (finding,)),)), language)  # type: ignore[arg-type]
        assert version in text[1]


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.CONSENT])
def test_every_rule_has_words(rule: Rule) -> None:
    told = [
        sentence
        for effect in Effect
        for sentence in explain(Decision(effect, (Basis("1", effect, rule, "nl-gf"),)), "nl")[1:]
    ]
    assert told


def test_it_names_the_consent_that_decided_first() -> None:
    found = decision(consent(deny(), id="nee"), consent(permit(actor=[GP]), id="huisarts"))
    sentences = explain(found, "nl", {"huisarts": "Uw toestemming voor de huisarts", "nee": "Uw nee"}.__getitem__)
    assert sentences == [
        "Dit mag.",
        "Uw toestemming voor de huisarts (versie 1) zegt ja. Die regel telt.",
        "Uw nee (versie 1) zegt nee. Maar Uw toestemming voor de huisarts gaat preciezer hierover. Die gaat voor.",
    ]


def test_it_says_what_does_not_fit() -> None:
    found = decision(consent(permit(actor=[GP], purpose=["HRESCH"])))
    assert "past hier niet: het doel." in dutch(found)
    assert "Geen enkele toestemming gaat hierover." in dutch(found)
    assert "does not fit here: the purpose." in " ".join(explain(found, "en"))


def test_it_says_what_is_not_known() -> None:
    no = consent(deny(code=[concept("http://loinc.org", "1-8")]))
    found = decision(no, facts=observation(codes=frozenset(), codes_unclear=True))
    assert "Niet alles is bekend (het onderwerp). Bij twijfel telt een nee mee en een ja niet." in dutch(found)


def test_a_period_that_cannot_be_read_is_not_known() -> None:
    backwards = consent(deny(period={"start": "2027", "end": "2026"}))
    assert "Niet alles is bekend (de periode van de toestemming)." in dutch(decision(backwards))


def test_it_says_that_an_exception_reaches_further() -> None:
    assert "ruimer dan de regel" in dutch(
        decision(consent(permit(permit(actor=[GP]), actor=[actor("Practitioner/p2")])))
    )


def test_it_says_that_there_is_no_treatment_relation() -> None:
    found = decision(consent(permit(actor=[actor(GP_ROLE)])), asked=request(treats=False))
    assert "behandelt de bewoner nu niet" in dutch(found)


def test_an_emergency_is_told() -> None:
    window = Emergency(allowed=True, reason="val van de trap", opened=NOW, closes=NOW + 1)
    found = decision(consent(deny()), asked=request(purpose="BTG", emergency=window))
    assert "De noodknop is gebruikt." in dutch(found)
    assert explain(found, "nl")[-2:] == [
        "Dit staat als noodgeval in het logboek.",
        "De bewoner krijgt hier bericht van.",
    ]


def test_the_patients_own_record_needs_no_further_words() -> None:
    own = decision(consent(deny()), asked=replace(request(PATIENT), purpose="PATRQT"))
    assert explain(own, "nl") == ["Dit mag.", "Het is uw eigen dossier."]


def test_what_decided_comes_first_and_what_did_not_fit_last() -> None:
    fates = [Fate.NO_MATCH, Fate.BEATEN, Fate.STANDS, Fate.OVERRULED]
    found = tuple(Finding(fate.value, "1", "Consent.provision", Effect.DENY, fate, by=("x", "")) for fate in fates)
    told = explain(Decision(Effect.DENY, (Basis("1", Effect.DENY, Rule.CONSENT, "nl-gf", found),)), "en", str)
    assert [sentence.split(" ")[0].lower() for sentence in told[1:]] == ["stands", "beaten", "overruled", "no-match"]


def test_several_elements_are_listed() -> None:
    found = decision(consent(permit(actor=[actor("Practitioner/p9")], purpose=["HRESCH"], action=["collect"])))
    assert "past hier niet: wie het vraagt, wat er met de gegevens gebeurt, het doel." in dutch(found)


def test_without_a_name_a_consent_is_called_by_its_id() -> None:
    assert explain(decision(consent(deny(), id="c9")), "en")[1].startswith("Consent/c9 (version 1) ")

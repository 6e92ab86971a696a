"""Section 1 of the consent rules: which Consents count, and whose permits are void."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.model import Fate
from tests.consent.strategies import FLAWS, provisions
from tests.consent.wijk import (
    COLLEAGUE,
    actor,
    allowed,
    concept,
    consent,
    decision,
    deny,
    observation,
    permit,
    request,
    rules,
)

Json = dict[str, Any]
FOR_THE_GP = permit(actor=[actor("Practitioner/p1")])


@given(
    root=provisions(1, flaws=False),
    status=st.sampled_from(["draft", "proposed", "rejected", "inactive", "entered-in-error"]),
)
@settings(max_examples=50, deadline=None)
def test_only_active_consents_count(root: Json, status: str) -> None:
    for base in (True, False):
        chosen = rules() if base else rules(base=rules().base.PERMIT)
        assert allowed(consent(root, status=status), chosen=chosen) == allowed(chosen=chosen)


@given(root=provisions(1, flaws=False), scope=st.sampled_from(["treatment", "adr"]))
@settings(max_examples=50, deadline=None)
def test_clinical_scopes_never_speak(root: Json, scope: str) -> None:
    assert not allowed(consent(root, scope=scope, policy="OPTIN"))
    assert allowed(consent(root, scope=scope, policy="OPTOUT"), chosen=rules(base=rules().base.PERMIT))


def test_research_scope_counts_for_research_purposes_only() -> None:
    yes = consent(permit(actor=[actor("Practitioner/p1")]), scope="research")
    assert allowed(yes, asked=request(purpose="HRESCH"))
    assert allowed(yes, asked=request(purpose="CLINTRCH"))
    assert not allowed(yes, asked=request(purpose="TREAT"))
    assert not allowed(yes, asked=request(purpose="BTG"))


def test_research_scope_without_a_purpose_denies_and_never_permits() -> None:
    assert not allowed(consent(FOR_THE_GP, scope="research"), asked=request(purpose=""))
    no = consent(deny(actor=[actor("Practitioner/p1")]), scope="research")
    assert not allowed(consent(FOR_THE_GP, id="c2"), no, asked=request(purpose=""))
    assert allowed(consent(FOR_THE_GP, id="c2"), no, asked=request(purpose="TREAT"))


def test_an_unknown_scope_permits_nothing_and_its_denies_stand() -> None:
    assert not allowed(consent(FOR_THE_GP, scope="elsewhere"))
    assert not allowed(consent(FOR_THE_GP), consent(deny(actor=[actor("Practitioner/p1")]), id="c2", scope="elsewhere"))


@pytest.mark.parametrize("flaw", [f for f in FLAWS if "type" not in f], ids=lambda f: next(iter(f)))
def test_what_cannot_be_enforced_voids_the_permits_of_the_consent(flaw: Json) -> None:
    broken = consent(
        permit({"type": "deny", "class": [{"system": "urn:x", "code": "x"}]} | flaw, actor=[actor("Practitioner/p1")])
    )
    whole = decision(broken)
    assert not whole.permitted
    assert Fate.UNENFORCEABLE in {f.fate for f in whole.basis[0].findings}


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda f: next(iter(f)))
def test_what_cannot_be_enforced_leaves_the_denies_standing(flaw: Json) -> None:
    yes = consent(FOR_THE_GP)
    no = consent({"type": "deny", "provision": [{"type": "deny"} | flaw], "actor": [actor("Practitioner/p1")]}, id="c2")
    assert allowed(yes)
    assert not allowed(yes, no)


def test_an_unverified_consent_by_somebody_else_permits_nothing() -> None:
    by_other = consent(FOR_THE_GP, performer=[{"reference": "RelatedPerson/x1"}])
    assert not allowed(by_other)
    assert not allowed(by_other | {"verification": [{"verified": False}]})
    assert allowed(by_other | {"verification": [{"verified": False}, {"verified": True}]})


def test_an_unverified_consent_by_somebody_else_still_denies() -> None:
    no = consent(deny(actor=[actor("Practitioner/p1")]), id="c2", performer=[{"reference": "RelatedPerson/x1"}])
    assert not allowed(consent(FOR_THE_GP), no)


def test_a_proxy_signs_as_the_patient_does() -> None:
    by_proxy = consent(FOR_THE_GP, performer=[{"reference": "RelatedPerson/proxy"}])
    assert allowed(by_proxy, proxies=frozenset({"RelatedPerson/proxy"}))
    assert not allowed(by_proxy)


def test_a_consent_without_performer_is_the_patients_own() -> None:
    assert allowed(consent(FOR_THE_GP, performer=[]))


@pytest.mark.parametrize("performer", ["Practitioner/p1", "PractitionerRole/r1", "Organization/o1", "Organization/o2"])
def test_a_consent_never_favours_the_professional_who_performed_it(performer: str) -> None:
    own = consent(
        permit(actor=[actor("Practitioner/p1"), actor("Practitioner/p2")]),
        performer=[{"reference": performer}, {"reference": "Patient/1"}],
        verification=[{"verified": True}],
    )
    found = decision(own)
    assert not found.permitted
    assert found.basis[0].findings[0].fate is Fate.SELF_SERVING
    # The colleague belongs to o2 alone.
    assert allowed(own, asked=request(COLLEAGUE)) == (performer != "Organization/o2")


def test_a_resource_about_several_patients_needs_a_permit_from_every_one() -> None:
    both = observation(patients=("1", "2"))
    assert allowed(consent(FOR_THE_GP))
    assert not allowed(consent(FOR_THE_GP), facts=both)
    assert len(decision(consent(FOR_THE_GP), facts=both).basis) == 2


@pytest.mark.parametrize("policy", ["NOCONSENT", "OPTOUTE", "nl-lsp"])
def test_an_unsupported_policy_rule_voids_the_permits(policy: str) -> None:
    assert not allowed(consent(FOR_THE_GP, policy=policy))
    assert not allowed(consent(FOR_THE_GP, policyRule={"text": "alles mag"}))
    assert allowed(consent(FOR_THE_GP, policyRule=concept("v3-ActCode", "OPTOUT")))

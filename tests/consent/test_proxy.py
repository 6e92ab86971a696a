"""Section 5 of the consent rules: who is a patient's verified proxy."""

from dataclasses import replace
from typing import Any

import pytest

from consent.parse import parse
from consent.proxy import Representative, proxies, representative
from tests.consent.wijk import NOW, ZONE, actor, at, concept, consent, deny, permit, resource_type, words

Json = dict[str, Any]
DAUGHTER = "RelatedPerson/d"
NAMED = permit(actor=[actor(DAUGHTER)], purpose=["PWATRNY"])


def daughter(role: str = "HPOWATT", validated: bool = False, **elements: Any) -> Representative:
    related = {
        "resourceType": "RelatedPerson",
        "id": "d",
        "patient": {"reference": "Patient/1"},
        "relationship": [concept("v3-RoleCode", "DAUC"), concept("v3-RoleCode", role)],
    }
    return representative(related | elements, validated, ZONE)


def is_proxy(who: Representative, *consents: Json, instant: int = NOW) -> bool:
    records = [parse(each, words(), ZONE) for each in consents]
    return proxies("1", [who], records, instant, words()) == {DAUGHTER}


def test_a_related_person_alone_is_no_proxy() -> None:
    assert not is_proxy(daughter())
    assert not is_proxy(daughter(), consent(permit(actor=[actor(DAUGHTER)])))


@pytest.mark.parametrize("role", ["GUARD", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT"])
def test_a_guardian_or_attorney_is_a_proxy_once_validated(role: str) -> None:
    assert is_proxy(daughter(role, validated=True))


def test_other_relations_are_never_a_proxy() -> None:
    assert not is_proxy(daughter("NOK", validated=True), consent(NAMED))


def test_a_consent_of_the_patient_names_a_proxy_with_purpose_pwatrny() -> None:
    assert is_proxy(daughter(), consent(NAMED))
    assert not is_proxy(daughter(), consent(NAMED, status="inactive"))
    assert not is_proxy(daughter(), consent(NAMED, scope="treatment"))
    assert not is_proxy(daughter(), consent(permit(actor=[actor(DAUGHTER)], purpose=["PATRQT"])))
    assert not is_proxy(daughter(), consent(permit(actor=[actor("RelatedPerson/e")], purpose=["PWATRNY"])))
    assert not is_proxy(daughter(), consent(NAMED) | {"patient": {"reference": "Patient/2"}})


def test_nobody_makes_themself_a_proxy() -> None:
    by_herself = consent(NAMED, performer=[{"reference": DAUGHTER}], verification=[{"verified": True}])
    assert not is_proxy(daughter(), by_herself)
    assert not is_proxy(daughter(), consent(NAMED, performer=[{"reference": "Practitioner/p1"}]))


def test_a_validated_proxy_names_another() -> None:
    guardian = replace(daughter(validated=True), reference="RelatedPerson/g")
    by_guardian = consent(NAMED, performer=[{"reference": "RelatedPerson/g"}])
    records = [parse(by_guardian, words(), ZONE)]
    assert proxies("1", [daughter(), guardian], records, NOW, words()) == {DAUGHTER, "RelatedPerson/g"}
    assert proxies("1", [daughter()], records, NOW, words()) == frozenset()


def test_a_proxy_ends_by_itself() -> None:
    until = daughter(validated=True, period={"start": "2026-01-01", "end": "2026-11-22"})
    assert is_proxy(until, instant=at("2026-11-22T23:59:59"))
    assert not is_proxy(until, instant=at("2026-11-23T00:00:00"))
    assert not is_proxy(until, instant=at("2025-12-31T23:59:59"))
    assert not is_proxy(daughter(validated=True, active=False))
    assert not is_proxy(daughter(validated=True, period={"start": "ooit"}))
    ended = permit(actor=[actor(DAUGHTER)], purpose=["PWATRNY"], period={"end": "2025"})
    assert not is_proxy(daughter(), consent(ended))


def test_a_proxy_is_somebody_elses_for_nobody_else() -> None:
    assert not is_proxy(daughter(validated=True, patient={"reference": "Patient/2"}))


def test_a_permit_for_a_part_of_the_dossier_makes_no_proxy() -> None:
    assert not is_proxy(daughter(), consent(NAMED | {"class": [resource_type("Observation")]}))
    assert not is_proxy(daughter(), consent(NAMED | {"action": [concept("consentaction", "access")]}))
    every = [concept("consentaction", each) for each in ("access", "collect", "correct")]
    assert is_proxy(daughter(), consent(NAMED | {"action": every}))


def test_a_consent_that_cannot_be_enforced_names_nobody() -> None:
    assert not is_proxy(daughter(), consent(NAMED, modifierExtension=[{"url": "urn:x"}]))


def test_a_deny_that_names_them_ends_what_a_consent_began() -> None:
    no = consent(deny(actor=[actor(DAUGHTER)]), id="no")
    assert not is_proxy(daughter(), consent(NAMED), no)
    assert is_proxy(daughter(validated=True), consent(NAMED), no)
    assert is_proxy(daughter(), consent(NAMED), consent(deny(actor=[actor(DAUGHTER)], purpose=["HMARKT"]), id="no"))
    assert is_proxy(daughter(), consent(deny(NAMED, actor=[actor(DAUGHTER)])))


def test_a_period_holds_from_its_first_moment_until_its_last() -> None:
    today = {"start": "2026-11-22", "end": "2026-11-22"}
    first, after = at("2026-11-22T00:00:00"), at("2026-11-23T00:00:00")
    for instant, during in ((first - 1, False), (first, True), (after - 1, True), (after, False)):
        assert is_proxy(daughter(validated=True, period=today), instant=instant) == during
        assert is_proxy(daughter(), consent(NAMED | {"period": today}), instant=instant) == during
        # And a deny ends it for as long as it lasts.
        no = consent(deny(actor=[actor(DAUGHTER)], period=today), id="no")
        assert is_proxy(daughter(), consent(NAMED), no, instant=instant) != during


def test_a_permit_below_a_deny_names_them_for_as_long_as_it_lasts() -> None:
    past = NAMED | {"period": {"end": "2025-12-31"}}
    but_until = consent(deny(past, actor=[actor(DAUGHTER)]), id="no")
    assert is_proxy(daughter(), consent(NAMED), but_until, instant=at("2025-12-31T23:59:59"))
    assert not is_proxy(daughter(), consent(NAMED), but_until)


@pytest.mark.parametrize("purpose, ends", [("PWATRNY", True), ("PurposeOfUse", True), ("TREAT", False)])
def test_a_deny_for_a_purpose_that_covers_pwatrny_ends_it(purpose: str, ends: bool) -> None:
    no = consent(deny(actor=[actor(DAUGHTER)], purpose=[purpose]), id="no")
    assert is_proxy(daughter(), consent(NAMED), no) != ends


def test_a_period_that_cannot_be_read_names_nobody() -> None:
    unreadable = consent(NAMED | {"period": {"start": "morgen"}})
    assert not is_proxy(daughter(), unreadable)
    record = replace(parse(unreadable, words(), ZONE), problems=())
    assert proxies("1", [daughter()], [record], NOW, words()) == frozenset()


def test_who_is_related_to_no_patient_is_nobodys_proxy() -> None:
    for whose in ({"reference": "Group/1"}, {"display": "Annie"}, {"reference": "Patient/1/_history/x/y"}):
        related = daughter(validated=True, patient=whose)
        assert related.patient == ""
        assert not is_proxy(related)

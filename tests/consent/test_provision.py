"""Section 2 of the consent rules: one provision against one request, element by element."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.bind import PERSONAL, bind
from consent.findings import findings
from consent.model import AccessRequest, Action, Answer, Category, Closure, Effect, Fate, ResourceFacts
from consent.parse import parse
from tests.consent.strategies import ELEMENTS, requests, resources, worlds
from tests.consent.wijk import (
    COLLEAGUE,
    GP,
    GP_PRACTICE,
    GP_ROLE,
    LOINC,
    NEIGHBOUR,
    WIJK,
    ZONE,
    Wijk,
    actor,
    allowed,
    at,
    coding,
    concept,
    confidentiality,
    consent,
    data,
    decision,
    deny,
    observation,
    permit,
    policy_of,
    request,
    resource_type,
    rules,
    sensitivity,
    words,
)

Json = dict[str, Any]
OPEN = rules(base=Effect.PERMIT)
READS = ["access", "use", "disclose"]
LEVELS = "ULMNRV"


def permits(**elements: Any) -> bool:
    """Whether a permit with these elements matches; `asked`, `facts` and `world` are about the case."""
    case = {name: elements.pop(name) for name in ("asked", "facts", "world") if name in elements}
    return allowed(consent(permit(**elements)), **case)


def denies(**elements: Any) -> bool:
    """Whether a deny with these elements matches."""
    case = {name: elements.pop(name) for name in ("asked", "facts", "world") if name in elements}
    return not allowed(consent(deny(**elements)), chosen=OPEN, **case)


def matches(kind: str, elements: Json, asked: AccessRequest, facts: ResourceFacts, world: Wijk = WIJK) -> bool:
    """Whether a lone provision matches, whatever becomes of it after that."""
    bound = bind(policy_of(consent({"type": kind} | elements), world=world), asked, OPEN)
    (found,) = findings(bound, facts, bound.verdict(facts))
    return found.fate is not Fate.NO_MATCH


# Whoever always reads a dossier asks no Consent, and nobody asks one about what is the patient's alone.
strangers = (
    requests(1)
    .map(lambda asked: asked[0])
    .filter(lambda one: not one.represents and "Patient/1" not in one.closure.individuals)
)
records = (
    resources(1).map(lambda about: about[0]).filter(lambda facts: facts.type not in PERSONAL and not facts.personal)
)
kinds = st.sampled_from(["permit", "deny"])
LISTS = sorted(name for name in ELEMENTS if not name.lower().endswith("period") and name != "actor")


@given(kind=kinds, asked=strangers, facts=records)
@settings(max_examples=100, deadline=None)
def test_absent_elements_match_anything(kind: str, asked: AccessRequest, facts: ResourceFacts) -> None:
    assert matches(kind, {}, asked, facts)


@given(
    kind=kinds, name=st.sampled_from([*LISTS, "data"]), asked=strangers, facts=records, world=worlds, data_=st.data()
)
@settings(max_examples=200, deadline=None)
def test_any_value_of_an_element_will_do(
    kind: str, name: str, asked: AccessRequest, facts: ResourceFacts, world: Wijk, data_: st.DataObject
) -> None:
    several = data_.draw(ELEMENTS[name]) + data_.draw(ELEMENTS[name])
    each = [matches(kind, {name: [one]}, asked, facts, world) for one in several]
    assert matches(kind, {name: several}, asked, facts, world) == any(each)


@given(
    kind=kinds,
    names=st.sets(st.sampled_from(sorted(ELEMENTS)), min_size=2),
    asked=strangers,
    facts=records,
    data_=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_all_elements_must_match(
    kind: str, names: set[str], asked: AccessRequest, facts: ResourceFacts, data_: st.DataObject
) -> None:
    elements = {name: data_.draw(ELEMENTS[name]) for name in sorted(names)}
    each = [matches(kind, {name: value}, asked, facts) for name, value in elements.items()]
    assert matches(kind, elements, asked, facts) == all(each)


NOTHING_KNOWN = observation(
    type="DocumentReference",
    labels_unclear=True,
    codes=frozenset(),
    codes_unclear=True,
    documents_unclear=True,
    interval=None,
    authors=frozenset(),
    authors_unclear=True,
    custodians=frozenset(),
    custodians_unclear=True,
)


@pytest.mark.parametrize(
    "elements",
    [
        {"securityLabel": [sensitivity("HIV")]},
        {"securityLabel": [confidentiality("N")]},
        {"class": [coding(LOINC, "34133-9")]},
        {"code": [concept(LOINC, "62238-1")]},
        {"dataPeriod": {"start": "2026"}},
        {"actor": [actor("Practitioner/p1", "AUT")]},
        {"actor": [actor("Practitioner/p1", "CST")]},
        {"data": [data("authoredby", "Practitioner/p1")]},
        {"purpose": [coding("v3-ActReason", "HMARKT")]},
        {"period": {"start": "gisteren"}},
        {"actor": [{"role": concept("v3-ParticipationType", "PRCP"), "reference": {"display": "de dokter"}}]},
        {"code": [{"text": "bloeddruk"}]},
    ],
    ids=str,
)
def test_unknown_matches_a_deny_and_never_a_permit(elements: Json) -> None:
    nobody_knows = request(purpose="")
    assert matches("deny", elements, nobody_knows, NOTHING_KNOWN)
    assert not matches("permit", elements, nobody_knows, NOTHING_KNOWN)


# --- period ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end, last, after",
    [
        ("2026-06-30", "2026-06-30T23:59:59", "2026-07-01T00:00:00"),
        ("2026-06", "2026-06-30T23:59:59", "2026-07-01T00:00:00"),
        ("2026", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
        ("2026-06-30T12:00:00+02:00", "2026-06-30T12:00:00", "2026-06-30T12:00:01"),
    ],
)
def test_period_is_inclusive_at_the_precision_stated(end: str, last: str, after: str) -> None:
    for matches in (permits, denies):
        assert matches(period={"end": end}, asked=request(instant=at(last)))
        assert not matches(period={"end": end}, asked=request(instant=at(after)))


def test_period_is_read_in_the_time_zone_of_the_deployment() -> None:
    evening = at("2026-06-30T22:30:00+00:00")  # half past midnight on 1 July in Amsterdam
    assert permits(period={"start": "2026-07-01"}, asked=request(instant=evening))
    assert not permits(period={"end": "2026-06-30"}, asked=request(instant=evening))


def test_a_period_that_ends_before_it_starts_denies_and_never_permits() -> None:
    backwards = {"start": "2026-12-01", "end": "2026-01-01"}
    assert not permits(period=backwards)
    assert denies(period=backwards)


# --- actor.reference ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "who",
    [
        "Practitioner/p1",
        "PractitionerRole/r1",
        "CareTeam/t1",
        "Organization/o1",
        "Organization/o2",
        GP_ROLE,
        GP_PRACTICE,
    ],
)
def test_actor_equals_something_in_the_requesters_closure(who: str | Category) -> None:
    assert permits(actor=[actor(who)])
    assert denies(actor=[actor(who)])


def test_actor_may_be_the_app_that_the_requester_uses() -> None:
    with_app = Closure(frozenset({"RelatedPerson/x1"}), devices=frozenset({"Device/d1"}))
    assert permits(actor=[actor("Device/d1")], asked=request(with_app))
    assert denies(actor=[actor("Device/d1")], asked=request(with_app))
    assert not permits(actor=[actor("Device/d1")])


def test_actor_outside_the_closure_never_matches() -> None:
    for who in ("Practitioner/p2", "PractitionerRole/r2", "Group/g1", "Organization/o3", "RelatedPerson/x1"):
        assert not permits(actor=[actor(who)])
        assert not denies(actor=[actor(who)])


def test_an_organisation_reaches_its_parts_and_never_what_it_is_part_of() -> None:
    # Practice o1 is part of group o2: the practice's GP has o2 in their closure, the group's own staff not o1.
    assert permits(actor=[actor("Organization/o2")], asked=request(GP))
    assert not permits(actor=[actor("Organization/o1")], asked=request(COLLEAGUE))


def test_a_category_is_a_type_a_system_and_a_code() -> None:
    assert permits(actor=[actor(GP_ROLE)])
    for other in (
        Category("Organization", GP_ROLE.system, GP_ROLE.code),
        Category("PractitionerRole", "urn:other", GP_ROLE.code),
        Category("PractitionerRole", GP_ROLE.system, "30.000"),
    ):
        assert not permits(actor=[actor(other)])


@pytest.mark.parametrize("type", ["Practitioner", "CareTeam", "RelatedPerson", "Patient", ""])
def test_a_category_is_of_practitioner_roles_or_organisations(type: str) -> None:
    by_identifier = consent(permit(actor=[actor(Category(type, GP_ROLE.system, GP_ROLE.code))]))
    assert [p.expression for p in parse(by_identifier, words(), ZONE).problems] == [
        "Consent.provision.actor[0].reference"
    ]


def test_a_display_alone_names_nobody_for_a_permit_and_anybody_for_a_deny() -> None:
    in_words = [{"role": concept("v3-ParticipationType", "PRCP"), "reference": {"display": "mijn huisarts"}}]
    assert not permits(actor=in_words)
    assert denies(actor=in_words)


# --- actor.role --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "system, code", [("v3-ParticipationType", "PRCP"), ("v3-ParticipationType", "IRCP"), ("v3-RoleCode", "GRANTEE")]
)
def test_recipient_roles_ask_about_the_requester(system: str, code: str) -> None:
    gp = {"role": concept(system, code), "reference": {"reference": "Practitioner/p1"}}
    assert permits(actor=[gp])
    assert not permits(actor=[gp], asked=request(COLLEAGUE))


@pytest.mark.parametrize("role, element", [("CST", "custodians"), ("AUT", "authors")])
def test_custodian_and_author_roles_ask_about_the_resource(role: str, element: str) -> None:
    theirs = observation(**{element: frozenset({"Organization/o9"}), f"{element}_unclear": False})
    mine = observation(**{element: frozenset({"PractitionerRole/r1"}), f"{element}_unclear": False})
    asked = [actor("Organization/o1", role)]  # the role r1 is o1's
    for matches in (permits, denies):
        assert not matches(actor=asked, facts=theirs, asked=request(COLLEAGUE))
        assert matches(actor=asked, facts=mine, asked=request(COLLEAGUE))


def test_a_resource_without_author_or_custodian_is_unknown() -> None:
    nobody = {"authors": frozenset(), "authors_unclear": True, "custodians": frozenset(), "custodians_unclear": True}
    for role in ("CST", "AUT"):
        assert not permits(actor=[actor("Organization/o1", role)], facts=observation(**nobody))
        assert denies(actor=[actor("Organization/o1", role)], facts=observation(**nobody))


@given(st.booleans(), st.booleans(), st.booleans())
def test_any_of_each_kind_of_actor_and_all_kinds_asked(recipient: bool, custodian: bool, author: bool) -> None:
    asked = [
        actor("Practitioner/p1" if recipient else "Practitioner/p2"),
        actor("Practitioner/p7"),
        actor("Organization/o9" if custodian else "Organization/o8", "CST"),
        actor("Practitioner/p9" if author else "Practitioner/p8", "AUT"),
    ]
    assert permits(actor=asked) == (recipient and custodian and author)
    assert denies(actor=asked) == (recipient and custodian and author)


# --- action ------------------------------------------------------------------------------------------------------


@given(
    stated=st.lists(st.sampled_from([a.value for a in Action]), min_size=1, unique=True), action=st.sampled_from(Action)
)
@settings(deadline=None)
def test_reads_need_access_use_or_disclose_and_writes_their_own(stated: list[str], action: Action) -> None:
    asked = READS if action.value in READS else [action.value]
    expected = not set(asked).isdisjoint(stated)
    assert permits(action=stated, asked=request(action=action)) == expected
    assert denies(action=stated, asked=request(action=action)) == expected


# --- purpose -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stated, asked",
    [("TREAT", "COC"), ("TREAT", "ETREAT"), ("HRESCH", "CLINTRCH"), ("PATRQT", "FAMRQT"), ("PurposeOfUse", "TREAT")],
)
def test_a_purpose_covers_those_below_it_and_not_those_above(stated: str, asked: str) -> None:
    for matches in (permits, denies):
        assert matches(purpose=[stated], asked=request(purpose=asked))
        assert not matches(purpose=[asked], asked=request(purpose=stated))


@pytest.mark.parametrize("stated", sorted(words().purposes))
def test_btg_is_never_reached_by_subsumption(stated: str) -> None:
    button = request(purpose="BTG")
    assert permits(purpose=[stated], asked=button) == (stated == "BTG")
    # A deny of emergency treatment names the button, see section 6.
    assert denies(purpose=[stated], asked=button) == (stated in ("BTG", "ETREAT"))


@pytest.mark.parametrize("unknown", ["", "NOSUCH"])
def test_a_token_without_a_purpose_is_unknown(unknown: str) -> None:
    assert not permits(purpose=["TREAT"], asked=request(purpose=unknown))
    assert denies(purpose=["HMARKT"], asked=request(purpose=unknown))
    assert permits(asked=request(purpose=unknown))


# --- securityLabel -----------------------------------------------------------------------------------------------


@given(stated=st.integers(0, 5), label=st.integers(0, 5))
@settings(deadline=None)
def test_confidentiality_is_ordered(stated: int, label: int) -> None:
    facts = observation(confidentiality=label)
    assert permits(securityLabel=[confidentiality(LEVELS[stated])], facts=facts) == (label <= stated)
    assert denies(securityLabel=[confidentiality(LEVELS[stated])], facts=facts) == (label >= stated)


def test_sensitivity_covers_its_descendants() -> None:
    act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    opioids = observation(labels=frozenset({(act_code, "OPIOIDUD")}))
    sud = observation(labels=frozenset({(act_code, "SUD")}))
    for matches in (permits, denies):
        assert matches(securityLabel=[sensitivity("SUD")], facts=opioids)
        assert not matches(securityLabel=[sensitivity("OPIOIDUD")], facts=sud)


def test_unlabelled_is_not_sensitive() -> None:
    assert not permits(securityLabel=[sensitivity("SUD")])
    assert not denies(securityLabel=[sensitivity("SUD")])


def test_a_label_that_cannot_be_read_may_be_any_label() -> None:
    unclear = observation(labels_unclear=True)
    assert denies(securityLabel=[sensitivity("HIV")], facts=unclear)
    assert denies(securityLabel=[confidentiality("V")], facts=unclear)
    assert not permits(securityLabel=[confidentiality("N")], facts=unclear)


# --- class, code -------------------------------------------------------------------------------------------------


def test_class_is_a_resource_type_or_a_documents_class() -> None:
    letter = observation(type="DocumentReference", documents=frozenset({(LOINC, "34133-9")}))
    for matches in (permits, denies):
        assert matches(class_=[resource_type("Observation")])
        assert not matches(class_=[resource_type("Condition")])
        assert matches(class_=[coding(LOINC, "34133-9")], facts=letter)
        assert not matches(class_=[coding(LOINC, "18842-5")], facts=letter)


def test_a_document_class_in_words_is_unknown_and_other_types_lack_none() -> None:
    unclear = observation(type="DocumentReference", documents_unclear=True)
    assert denies(class_=[coding(LOINC, "34133-9")], facts=unclear)
    assert not permits(class_=[coding(LOINC, "34133-9")], facts=unclear)
    assert not denies(class_=[coding(LOINC, "34133-9")])


def test_a_deny_of_a_type_reaches_a_bundle_that_holds_it() -> None:
    bundle = observation(type="Bundle", types_within=frozenset({"Condition"}))
    assert denies(class_=[resource_type("Condition")], facts=bundle)
    assert not permits(class_=[resource_type("Condition")], facts=bundle)


def test_code_is_any_coding_of_the_principal_element() -> None:
    two = observation(codes=frozenset({(LOINC, "85354-9"), ("http://snomed.info/sct", "75367002")}))
    for matches in (permits, denies):
        assert matches(code=[concept("http://snomed.info/sct", "75367002")], facts=two)
        assert not matches(code=[concept("urn:other", "85354-9")], facts=two)


def test_denies_look_into_contained_resources_too() -> None:
    inside = observation(contained_codes=frozenset({(LOINC, "62238-1")}))
    assert denies(code=[concept(LOINC, "62238-1")], facts=inside)
    assert not permits(code=[concept(LOINC, "62238-1")], facts=inside)


def test_a_code_in_words_only_is_unknown() -> None:
    in_words = observation(codes=frozenset(), codes_unclear=True)
    assert denies(code=[concept(LOINC, "62238-1")], facts=in_words)
    assert not permits(code=[concept(LOINC, "62238-1")], facts=in_words)


def test_a_type_without_a_code_element_lacks_no_fact() -> None:
    relative = observation(type="RelatedPerson", codes=frozenset(), codes_unclear=False)
    assert not denies(code=[concept(LOINC, "62238-1")], facts=relative)


# --- dataPeriod --------------------------------------------------------------------------------------------------


@given(low=st.integers(1, 28), days=st.integers(0, 6), start=st.integers(1, 28), more=st.integers(0, 6))
@settings(deadline=None)
def test_partial_overlap_denies_and_does_not_permit(low: int, days: int, start: int, more: int) -> None:
    # December has 31 days, so day numbers up to 34 are counted on from the first.
    first = at("2026-12-01T00:00:00")
    day = 86_400_000_000
    facts = observation(interval=(first + (low - 1) * day, first + (low + days) * day))
    stated = {"start": _december(start), "end": _december(start + more)}
    assert permits(dataPeriod=stated, facts=facts) == (start <= low and low + days <= start + more)
    assert denies(dataPeriod=stated, facts=facts) == (low <= start + more and start <= low + days)


def _december(day: int) -> str:
    return f"2026-12-{day:02}" if day <= 31 else f"2027-01-{day - 31:02}"


def test_a_resource_without_any_time_is_unknown() -> None:
    timeless = observation(interval=None)
    assert denies(dataPeriod={"start": "2026"}, facts=timeless)
    assert not permits(dataPeriod={"start": "2026"}, facts=timeless)


# --- data --------------------------------------------------------------------------------------------------------

ENCOUNTER, OTHER = "Encounter/e", "Observation/b"
REFERRING = observation(references=frozenset({ENCOUNTER, OTHER, "Patient/1"}))
REFERRED = Wijk({OTHER: frozenset({"Observation/a", "Patient/1", "Practitioner/p1"})})


def test_instance_is_that_resource_alone_and_stays_put() -> None:
    for matches in (permits, denies):
        assert matches(data=[data("instance", "Observation/a")])
        assert not matches(data=[data("instance", OTHER)], facts=REFERRING)
        assert not matches(data=[data("instance", OTHER)], world=REFERRED)


@pytest.mark.parametrize("type", ["Encounter", "EpisodeOfCare", "CarePlan"])
def test_related_to_an_encounter_episode_or_plan_is_what_refers_to_it(type: str) -> None:
    assert permits(data=[data("related", f"{type}/e")], facts=observation(references=frozenset({f"{type}/e"})))


def test_related_to_an_encounter_is_not_what_it_refers_to() -> None:
    assert permits(data=[data("related", ENCOUNTER)], facts=observation(type="Encounter", id="e"))
    assert not permits(data=[data("related", ENCOUNTER)], world=Wijk({ENCOUNTER: frozenset({"Observation/a"})}))


def test_related_to_anything_else_is_what_it_refers_to() -> None:
    assert permits(data=[data("related", OTHER)], world=REFERRED)
    assert not permits(data=[data("related", OTHER)], facts=REFERRING)


@pytest.mark.parametrize("meaning", ["related", "dependents"])
def test_related_is_one_step(meaning: str) -> None:
    # The observation and the resource named refer to each other over one in between, and no nearer.
    chain = Wijk({OTHER: frozenset({"Condition/c"}), "Condition/c": frozenset({"Observation/a", OTHER})})
    onward = observation(references=frozenset({"Condition/c"}))
    for matches in (permits, denies):
        assert not matches(data=[data(meaning, OTHER)], facts=onward, world=chain)


def test_related_never_reaches_the_patient_or_the_directory() -> None:
    patient = observation(type="Patient", id="1", references=frozenset({ENCOUNTER}))
    practitioner = observation(type="Practitioner", id="p1", references=frozenset({ENCOUNTER}))
    for facts in (patient, practitioner):
        for matches in (permits, denies):
            assert not matches(data=[data("related", OTHER)], facts=facts, world=REFERRED)
            assert not matches(data=[data("related", ENCOUNTER)], facts=facts)


@pytest.mark.parametrize("type", ["Patient", "Practitioner"])
def test_who_depends_on_it_may_be_anybody(type: str) -> None:
    somebody = observation(type=type, id="x", references=frozenset({OTHER}))
    for matches in (permits, denies):
        assert matches(data=[data("dependents", OTHER)], facts=somebody)


def test_dependents_are_what_refers_to_it() -> None:
    assert permits(data=[data("dependents", OTHER)], facts=REFERRING)
    assert permits(data=[data("dependents", "Observation/a")])
    assert not permits(data=[data("dependents", OTHER)], world=REFERRED)


@pytest.mark.parametrize("meaning", ["related", "dependents"])
def test_denies_follow_both_directions(meaning: str) -> None:
    assert denies(data=[data(meaning, OTHER)], facts=REFERRING)
    assert denies(data=[data(meaning, OTHER)], world=REFERRED)
    assert denies(data=[data(meaning, ENCOUNTER)], facts=REFERRING)


def test_authoredby_rolls_up_to_the_organisation() -> None:
    by_gp = observation(authors=frozenset({"PractitionerRole/r1"}))
    for matches in (permits, denies):
        # Somebody else asks: the author reads their own work back anyway.
        asked = request(COLLEAGUE)
        assert matches(data=[data("authoredby", "Organization/o1")], facts=by_gp, asked=asked)
        assert matches(data=[data("authoredby", "Organization/o2")], facts=by_gp, asked=asked)
        assert not matches(data=[data("authoredby", "Organization/o9")], facts=by_gp, asked=asked)


def test_the_neighbour_is_nobody_but_themself() -> None:
    assert permits(actor=[actor("RelatedPerson/x1")], asked=request(NEIGHBOUR, purpose="FAMRQT"))
    assert not permits(actor=[actor("RelatedPerson/x1")], asked=request(Closure(frozenset({"RelatedPerson/x2"}))))


# --- All of it ---------------------------------------------------------------------------------------------------


def test_each_element_is_told_by_its_name() -> None:
    elements = {
        "period": {"start": "2026"},
        "actor": [actor("Practitioner/p1"), actor("Organization/o9", "CST"), actor("Practitioner/p9", "AUT")],
        "action": ["access"],
        "purpose": ["TREAT"],
        "securityLabel": [confidentiality("N")],
        "class_": [resource_type("Observation")],
        "code": [concept(LOINC, "85354-9")],
        "dataPeriod": {"start": "2026"},
        "data": [data("instance", "Observation/a")],
    }
    for root in (permit(**elements), deny(**elements)):
        (found,) = decision(consent(root)).basis[0].findings
        assert [name for name, _ in found.elements] == [
            "period",
            "actor",
            "action",
            "purpose",
            "actor (custodian)",
            "actor (author)",
            "securityLabel",
            "class",
            "code",
            "dataPeriod",
            "data",
        ]
        assert {answer for _, answer in found.elements} == {Answer.YES}


@pytest.mark.parametrize(
    "element, other, unreadable",
    [
        ("securityLabel", sensitivity("HIV"), {"display": "gevoelig"}),
        ("class", resource_type("Task"), {"code": "x"}),
        ("code", concept(LOINC, "1-8"), {"text": "bloeddruk"}),
        ("data", data("instance", "Task/1"), {"meaning": "instance", "reference": {"display": "die brief"}}),
        ("purpose", coding("v3-ActReason", "HMARKT"), {}),
        ("action", concept("consentaction", "correct"), {}),
        ("actor", actor("Practitioner/p7"), actor("#x")),
        ("actor", actor("Practitioner/p7", "CST"), actor("#x", "CST")),
        ("actor", actor("Practitioner/p7", "AUT"), actor("#x", "AUT")),
        ("actor", actor("Practitioner/p7", "CST"), actor(GP_PRACTICE, "CST")),  # nobody knows who that is
        ("actor", actor("Practitioner/p7", "AUT"), actor(GP_PRACTICE, "AUT")),
    ],
    ids=str,
)
def test_one_value_that_is_not_understood_may_be_any_value(element: str, other: Json, unreadable: Json) -> None:
    assert not matches("deny", {element: [other]}, request(), observation())
    for several in ([other, unreadable], [unreadable, other]):
        assert matches("deny", {element: several}, request(), observation())
        assert not matches("permit", {element: several}, request(), observation())


def test_authors_that_nobody_can_tell_may_be_anybody() -> None:
    class Empty(Wijk):
        def within(self, actor: Any) -> None:
            return None

    by_somebody = {"data": [data("authoredby", "Organization/o1")]}
    assert matches("deny", by_somebody, request(), observation(), Empty())
    assert not matches("permit", by_somebody, request(), observation(), Empty())


def test_a_level_of_another_system_is_a_label_like_any_other() -> None:
    own = {"securityLabel": [coding("urn:x", "R")]}
    for matches in (permits, denies):
        assert matches(**own, facts=observation(labels=frozenset({("urn:x", "R")})))
        assert not matches(**own, facts=observation(confidentiality=4))
    by_kind = {"securityLabel": [confidentiality("PSY")]}
    psychiatric = observation(labels=frozenset({("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "PSY")}))
    for matches in (permits, denies):
        assert matches(**by_kind, facts=psychiatric)
        assert not matches(**by_kind, facts=observation(confidentiality=5))


def test_a_document_class_may_have_any_code() -> None:
    odd = frozenset({(LOINC, "http://hl7.org/fhir/resource-types")})
    letter = observation(type="DocumentReference", documents=odd)
    for matches in (permits, denies):
        assert matches(class_=[coding(LOINC, "http://hl7.org/fhir/resource-types")], facts=letter)


def test_a_permit_begins_with_the_first_moment_of_its_period() -> None:
    for matches in (permits, denies):
        assert matches(period={"start": "2026-11-22"}, asked=request(instant=at("2026-11-22T00:00:00")))
        assert not matches(period={"start": "2026-11-22"}, asked=request(instant=at("2026-11-22T00:00:00") - 1))


@pytest.mark.parametrize("role, element", [("CST", "custodians"), ("AUT", "authors")])
@pytest.mark.parametrize("one", ["Practitioner/p7", "Practitioner/p8", "PractitionerRole/r1"])
def test_any_custodian_and_any_author_will_do(role: str, element: str, one: str) -> None:
    asked = [actor(who, role) for who in ("Practitioner/p7", "Organization/o1", "Practitioner/p8")]
    facts = observation(**{element: frozenset({one})})
    for matches in (permits, denies):
        assert matches(actor=asked, facts=facts, asked=request(COLLEAGUE))
        assert not matches(actor=asked, asked=request(COLLEAGUE))


DATA = [
    *(data("authoredby", f"Practitioner/p{n}") for n in (7, 8)),
    *(data("instance", f"Task/{n}") for n in (1, 2)),
    *(data("related", f"Task/{n}") for n in (3, 4)),
    *(data("related", f"Encounter/{n}") for n in (1, 2)),
    *(data("dependents", f"Task/{n}") for n in (5, 6)),
]
BY_ONE_OF_THEM = [
    *(observation(authors=frozenset({f"Practitioner/p{n}"})) for n in (7, 8)),
    *(observation(type="Task", id=str(n)) for n in (1, 2, 3, 4, 5, 6)),
    *(observation(id=f"from{n}") for n in (3, 4)),
    *(observation(type="Encounter", id=str(n)) for n in (1, 2)),
    *(observation(references=frozenset({f"Encounter/{n}"})) for n in (1, 2)),
    *(observation(references=frozenset({f"Task/{n}"})) for n in (5, 6)),
]


@pytest.mark.parametrize("facts", BY_ONE_OF_THEM, ids=lambda facts: f"{facts.reference} {min(facts.references)}")
def test_each_of_many_data_counts(facts: ResourceFacts) -> None:
    world = Wijk({f"Task/{n}": frozenset({f"Observation/from{n}"}) for n in (3, 4)})
    for matches in (permits, denies):
        assert matches(data=DATA, facts=facts, world=world, asked=request(COLLEAGUE))
        assert not matches(data=DATA, world=world, asked=request(COLLEAGUE))


@pytest.mark.parametrize("label", ["HIV", "OPIOIDUD", "PSY"])
def test_each_of_many_labels_counts(label: str) -> None:
    act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    facts = observation(labels=frozenset({(act_code, label)}))
    for matches in (permits, denies):
        assert matches(securityLabel=[sensitivity(one) for one in ("HIV", "SUD", "PSY")], facts=facts)

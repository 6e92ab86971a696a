"""What is ticked, as scopes and as a Consent: exactly that is opened, and it can be read back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.gateway.scopes import parse
from fhir_server.smart import consenting
from fhir_server.smart.categories import CATEGORIES, SENSITIVITIES
from fhir_server.smart.consenting import Choice, Terms
from fhir_server.smart.records import Client
from profiles import registry
from tests.fhir_server.gateway.test_consent_policy import THO, condition, consent
from tests.fhir_server.inprocess import observation
from tests.fhir_server.smart.house import SmartHouse
from tests.fhir_server.smart.letting_in import app, caller, choice, let_in

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
TYPES = registry.load().resource_types
ROWS = [one.name for one in CATEGORIES]
SUBJECTS = [one.name for one in SENSITIVITIES]
ACT_CODE = THO + "v3-ActCode"
CONFIDENTIALITY = THO + "v3-Confidentiality"


def granted(scope: str, ticked: Choice) -> set[str]:
    return set(consenting.granted(scope, ticked, TYPES).split())


# --- scopes ------------------------------------------------------------------------------------------------------


def test_line_7_reading_and_writing_are_ticked_apart() -> None:
    asked = "patient/Condition.cruds"
    assert granted(asked, choice("diagnoses")) == {"patient/Condition.rs"}
    assert granted(asked, choice("", "diagnoses")) == {"patient/Condition.cud"}
    assert granted(asked, choice("diagnoses", "diagnoses")) == {"patient/Condition.cruds"}
    assert granted(asked, choice()) == set()


def test_line_7_a_wildcard_that_was_not_ticked_whole_becomes_a_list_of_types() -> None:
    assert granted("patient/*.rs", choice("allergies")) == {"patient/AllergyIntolerance.rs"}
    assert granted("patient/*.rs", choice("allergies vaccinations")) == {
        "patient/AllergyIntolerance.rs",
        "patient/Immunization.rs",
        "patient/ImmunizationEvaluation.rs",
        "patient/ImmunizationRecommendation.rs",
    }
    assert granted("patient/*.rs", choice(" ".join(ROWS))) == {"patient/*.rs"}


def test_line_7_what_is_ticked_by_default_leaves_consents_and_the_log_out_of_a_wildcard() -> None:
    ordinary = choice(" ".join(one.name for one in CATEGORIES if not one.sensitive))
    scopes = granted("patient/*.rs", ordinary)
    assert "patient/Observation.rs" in scopes
    assert not {"patient/*.rs", "patient/Consent.rs", "patient/AuditEvent.rs"} & scopes


def test_line_7_version_1_scopes_are_kept_in_version_2_letters() -> None:
    assert granted("patient/Condition.read", choice("diagnoses")) == {"patient/Condition.rs"}
    assert granted("patient/Condition.*", choice("diagnoses")) == {"patient/Condition.rs"}


def test_line_7_a_constraint_that_was_asked_for_stays() -> None:
    asked = "patient/Observation.rs?code=http://loinc.org|1234-5"
    both = choice("measurements laboratory")
    assert granted(asked, both) == {asked}
    (one,) = granted(asked, choice("laboratory"))
    assert one == f"{asked}&category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def test_a_type_that_nobody_may_be_shown_is_not_granted() -> None:
    assert granted("patient/Linkage.rs patient/Condition.rs", choice(" ".join(ROWS))) == {"patient/Condition.rs"}


def test_nobody_lets_an_app_write_the_log_or_the_directory() -> None:
    asked = "patient/AuditEvent.cruds user/Organization.cruds patient/Consent.cruds"
    everything = choice(" ".join(ROWS), " ".join(ROWS))
    assert granted(asked, everything) == {"patient/AuditEvent.rs", "user/Organization.rs", "patient/Consent.cruds"}
    offer = consenting.offered("patient/*.cruds", TYPES)
    assert {one.name for one in offer.reading} - {one.name for one in offer.writing} == {"directory", "log"}


def test_an_app_that_is_let_in_once_is_not_told_that_it_may_come_back() -> None:
    asked = "openid offline_access online_access patient/Condition.rs"
    assert granted(asked, choice("diagnoses")) == {"openid", "patient/Condition.rs"}
    assert granted(asked, choice("diagnoses", duration="months")) == set(asked.split())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from(
            [
                "patient/*.rs",
                "patient/*.cruds",
                "user/*.read",
                "patient/Observation.cruds",
                "patient/Observation.rs?category=laboratory,vital-signs",
                "patient/Consent.rs",
                "patient/Condition.c",
                "patient/Organization.rs",
                "user/Patient.rs",
            ]
        ),
        min_size=1,
    ),
    st.sets(st.sampled_from(ROWS)),
    st.sets(st.sampled_from(ROWS)),
)
def test_line_7_nothing_is_granted_that_was_not_asked_for_and_ticked(
    asked: list[str], reading: set[str], writing: set[str]
) -> None:
    scope, ticked = " ".join(asked), Choice(frozenset(reading), frozenset(writing))
    answer = consenting.granted(scope, ticked, TYPES)
    offer = consenting.offered(answer, TYPES)
    assert {one.name for one in offer.reading} <= reading
    assert {one.name for one in offer.writing} <= writing
    letters = {(one.context, one.type, letter) for one in parse(scope, TYPES) for letter in one.actions}
    for one in parse(answer, TYPES):
        for letter in one.actions:
            assert {(one.context, one.type, letter), (one.context, "*", letter)} & letters
    asked_for = consenting.offered(scope, TYPES)
    assert {one.name for one in offer.reading} == reading & {one.name for one in asked_for.reading}
    assert consenting.granted(answer, ticked, TYPES) == answer


# --- the Consent -------------------------------------------------------------------------------------------------


def made(scope: str, sensitive: str = "", person: str = "Patient/p") -> Json:
    client = Client(id="app", name="App <b>", kind="public", scope="")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return consenting.consent(Terms("grant-1", client, person, "p", at), scope, sensitive.split(), TYPES)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.sampled_from(ROWS)), st.sets(st.sampled_from(ROWS)), st.sets(st.sampled_from(SUBJECTS)))
def test_what_is_ticked_can_be_read_back_from_the_consent(
    reading: set[str], writing: set[str], sensitive: set[str]
) -> None:
    ticked = Choice(frozenset(reading), frozenset(writing), frozenset(sensitive))
    scope = consenting.granted("patient/*.cruds", ticked, TYPES)
    back = consenting.ticked(scope, made(scope, " ".join(sensitive)), TYPES)
    assert (back.reading, back.writing) == (ticked.reading, ticked.writing - {"directory", "log"})
    if (reading | writing) - {"directory", "consents", "log"}:
        assert back.sensitive == ticked.sensitive


def test_a_consent_that_was_narrowed_by_hand_is_read_as_it_is() -> None:
    scope = "patient/Condition.rs patient/AllergyIntolerance.rs"
    consent = made(scope)
    permit = consent["provision"]["provision"][0]
    permit["class"] = [one for one in permit["class"] if one["code"] == "Condition"]
    assert consenting.ticked(scope, consent, TYPES).reading == {"diagnoses"}


@pytest.mark.parametrize("sensitive", ["", "hiv", "confidential", " ".join(SUBJECTS)])
def test_the_consent_parses_in_somebody_elses_models_too(sensitive: str) -> None:
    model = get_fhir_model_class("Consent")
    model.model_validate({**made("openid fhirUser patient/*.cruds", sensitive), "id": "x"})


def test_names_of_apps_are_text_in_the_narrative() -> None:
    assert "App &lt;b&gt;" in made("patient/Condition.rs")["text"]["div"]


def labelled(id: str, *labels: tuple[str, str]) -> Json:
    security = [{**({"system": system} if system else {}), "code": code} for system, code in labels]
    return observation(id, "p", **({"meta": {"security": security}} if security else {}))


LABELLED = {
    "plain": (),
    "low": ((CONFIDENTIALITY, "L"),),
    "restricted": ((CONFIDENTIALITY, "R"),),
    "very": ((CONFIDENTIALITY, "V"),),
    "hiv": ((ACT_CODE, "HIV"),),
    "hiv-r": ((ACT_CODE, "HIV"), (CONFIDENTIALITY, "R")),
    "sexual": ((ACT_CODE, "STD"),),
    "mental": ((ACT_CODE, "PSY"), (CONFIDENTIALITY, "V")),
    "addiction": ((ACT_CODE, "OPIOIDUD"),),
    "violence": ((ACT_CODE, "SDV"), (CONFIDENTIALITY, "R")),
    "two": ((ACT_CODE, "PSY"), (ACT_CODE, "HIV")),
    "genetic": ((ACT_CODE, "GDIS"),),
    "special": ((ACT_CODE, "SPI"),),
    "unreadable": (("", "HIV"),),
}
ORDINARY = {"plain", "low"}


@pytest.mark.parametrize(
    ("sensitive", "opened"),
    [
        ("", ORDINARY),
        ("hiv", ORDINARY | {"hiv", "hiv-r"}),
        ("mental", ORDINARY | {"mental"}),
        ("hiv mental", ORDINARY | {"hiv", "hiv-r", "mental", "two"}),
        ("sexual addiction violence", ORDINARY | {"sexual", "addiction", "violence"}),
        ("confidential", ORDINARY | {"restricted", "very", "genetic", "special"}),
        ("confidential violence", ORDINARY | {"restricted", "very", "genetic", "special", "violence"}),
        (" ".join(SUBJECTS), set(LABELLED) - {"unreadable"}),
    ],
)
async def test_line_7_sensitive_records_are_opened_only_if_their_subject_was_ticked(
    smart: SmartHouse, sensitive: str, opened: set[str]
) -> None:
    await smart.house.given(*(labelled(id, *labels) for id, labels in LABELLED.items()))
    everybody = consent("rule", {"type": "deny", "securityLabel": [{"system": CONFIDENTIALITY, "code": "R"}]})
    await smart.house.given(everybody)
    rows = choice("measurements laboratory", "measurements laboratory", sensitive)
    answered = await let_in(smart, await app(smart), "patient/Observation.cruds", rows)
    it = await caller(smart, answered)
    found = set((await it.get("Observation?_count=100")).ids)
    assert found - {"p1", "p2"} == opened
    for id in LABELLED:
        assert (await it.get(f"Observation/{id}")).status == (200 if id in opened else 404), id
        written = await it.put(f"Observation/{id}", {**labelled(id, *LABELLED[id]), "status": "amended"})
        assert written.status == (200 if id in opened else 404), id
    for id in ("hiv", "mental", "restricted", "plain"):
        new = await it.post("Observation", labelled("new", *LABELLED[id]))
        assert (new.status == 201) == (id in opened), (id, new.text)


async def test_consents_and_the_log_are_opened_by_their_own_row_and_no_other(smart: SmartHouse) -> None:
    await smart.house.given(condition("more"))
    ordinary = " ".join(one.name for one in CATEGORIES if not one.sensitive)
    client = await app(smart)
    for rows, statuses in (
        (ordinary, (403, 403)),
        (f"{ordinary} consents", (200, 403)),
        (f"{ordinary} log", (403, 200)),
        (f"{ordinary} log consents", (200, 200)),
    ):
        answered = await let_in(smart, client, "patient/*.rs", choice(rows, sensitive="hiv"))
        it = await caller(smart, answered)
        told = [await it.get(f"{type}?_summary=count") for type in ("Consent", "AuditEvent")]
        assert tuple(one.status for one in told) == statuses
        assert all(one.json["total"] > 0 for one in told if one.status == 200)
        assert (await it.get("Condition/more")).status == 200


async def test_every_row_opens_its_types_and_no_other(smart: SmartHouse) -> None:
    """By $explain-access: what the Consent of each row says of each type."""
    client = await app(smart)
    resident = await smart.house.caller("Patient/p", "user/*.rs")
    rows = [one for one in CATEGORIES if one.name not in ("directory", "consents", "log")]
    for row in rows:
        await let_in(smart, client, "patient/*.cruds", choice(row.name, row.name))
        for type in ("Observation", "Condition", "Patient"):
            question = f"Patient/p/$explain-access?actor=Device/app-app&purpose=PATRQT&type={type}"
            answer = await resident.get(question)
            parts = [part for one in answer.json["parameter"] for part in one.get("part", ())]
            effects = {part["valueCode"] for part in parts if part["name"] == "effect"}
            assert effects == {"permit" if type in row.types else "deny"}, (row.name, type)

"""The sentences of the access log: for every deed, outcome and rule, in both languages, from the same facts."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from consent.model import Rule
from fhir_server.interactions.routes import ROUTES
from fhir_server.operations.access_log_events import EVENTS
from fhir_server.operations.access_log_names import Names
from fhir_server.operations.access_log_reading import Logged, logged
from fhir_server.operations.access_log_words import sentence

ZONE = ZoneInfo("Europe/Amsterdam")
SEEN = Logged(
    recorded="2026-11-22T08:05:00.000Z",
    who={"reference": "Practitioner/d"},
    name="Karin Vermeulen",
    roles=(),
    organizations=({"reference": "Organization/h", "display": "Praktijk Aan de Markt"},),
    client="his",
    purposes=("TREAT",),
    reason="",
    interaction="read",
    what={"Observation": 1},
    outcome="permitted",
    emergency=False,
    rules=("consent",),
    consents=("Consent/c/_history/1",),
)


def both(found: Logged) -> tuple[str, str]:
    return sentence(found, "nl", ZONE), sentence(found, "en", ZONE)


def test_one_sentence_tells_it_all() -> None:
    assert both(SEEN) == (
        "Karin Vermeulen van Praktijk Aan de Markt heeft op 22 november 2026 om 09:05 uur 1 meting gelezen, met als "
        "doel behandeling; dat mocht, want u hebt daar toestemming voor gegeven.",
        "Karin Vermeulen of Praktijk Aan de Markt read 1 measurement on 22 November 2026 at 09:05, for treatment; this "
        "was allowed, because you gave consent for it.",
    )


def test_what_the_patient_did_is_told_to_them() -> None:
    dutch, english = both(replace(SEEN, name="", interaction="delete", rules=("own",), purposes=()))
    assert dutch == (
        "U hebt op 22 november 2026 om 09:05 uur 1 meting verwijderd; dat mocht, want het is uw eigen dossier."
    )
    assert english == (
        "You removed 1 measurement on 22 November 2026 at 09:05; this was allowed, because it is your own record."
    )


def test_who_acts_for_the_resident_is_not_told_that_they_did_what_the_resident_did() -> None:
    theirs = replace(SEEN, name="", organizations=(), what={"Patient": 1, "AuditEvent": 2}, rules=("own",), purposes=())
    assert sentence(theirs, "nl", ZONE, "Noor Vaessen") == (
        "Noor Vaessen heeft op 22 november 2026 om 09:05 uur de persoonsgegevens van Noor Vaessen en 2 regels van het "
        "logboek gelezen; dat mocht, want het is het eigen dossier van Noor Vaessen."
    )
    assert sentence(theirs, "en", ZONE, "the resident").startswith("The resident read the personal details of the ")
    stopped = replace(theirs, detail="app stopped", client="wandelen")
    assert sentence(stopped, "nl", ZONE, "Noor Vaessen").startswith("Noor Vaessen heeft op ")


@pytest.mark.parametrize("outcome", ["permitted", "refused"])
@pytest.mark.parametrize("rule", ["emergency", "consent", "proxy", "own", "author", "base", "operator", "personal"])
def test_who_acts_for_the_resident_is_never_called_the_resident(rule: str, outcome: str) -> None:
    found = replace(SEEN, rules=(rule,), outcome=outcome, what={"Patient": 1, "AuditEvent": 1})
    dutch, english = (sentence(found, language, ZONE, "Noor Vaessen") for language in ("nl", "en"))
    assert not re.search(r"\b(u|uw)\b", dutch)
    assert not re.search(r"\b(you|your)\b", english)


def test_a_refusal_says_why() -> None:
    dutch, english = both(replace(SEEN, outcome="refused", purposes=(), organizations=()))
    assert dutch == (
        "Karin Vermeulen wilde op 22 november 2026 om 09:05 uur 1 meting lezen; dat is geweigerd, want u hebt gezegd dat "
        "het niet mag."
    )
    assert english.endswith("tried to read 1 measurement on 22 November 2026 at 09:05; this was refused, because you said no to it.")  # fmt: skip


def test_an_emergency_is_told_once() -> None:
    dutch, english = both(replace(SEEN, emergency=True, rules=("emergency", "consent"), purposes=("BTG",)))
    assert dutch.endswith("met als doel een noodgeval; dat mocht, want de noodknop is gebruikt.")
    assert english.endswith("for an emergency; this was allowed, because the emergency button was used.")
    dutch, _ = both(replace(SEEN, emergency=True, rules=(), purposes=()))
    assert dutch.endswith("1 meting gelezen, met de noodknop.")


def test_many_kinds_are_summed_up() -> None:
    what = {"Observation": 4, "Condition": 2, "Goal": 1, "Task": 1, "Substance": 3}
    dutch, english = both(replace(SEEN, what=what))
    assert " 4 metingen, 2 aandoeningen, 1 doel en 4 andere gegevens gelezen" in dutch
    assert " 4 measurements, 2 conditions, 1 goal and 4 other records on" in english
    assert "1 ander gegeven" in both(replace(SEEN, what={"Substance": 1}))[0]
    assert "uw persoonsgegevens en 1 meting" in both(replace(SEEN, what={"Observation": 1, "Patient": 1}))[0]


def test_who_has_no_name_is_told_apart() -> None:
    assert both(replace(SEEN, name="anonymous"))[0].startswith("Iemand die niet was ingelogd heeft")
    assert both(replace(SEEN, name="system"))[1].startswith("The operator of this system read")


@pytest.mark.parametrize("outcome", ["permitted", "refused", "failed"])
@pytest.mark.parametrize("interaction", sorted({route.name for route in ROUTES} | {"login", "unheard-of"}))
def test_every_interaction_has_words_in_both_languages(interaction: str, outcome: str) -> None:
    dutch, english = both(replace(SEEN, interaction=interaction, outcome=outcome))
    assert dutch.endswith(".")
    assert english.endswith(".")
    assert dutch != english
    assert ("wilde" in dutch, "tried to" in english) == ((outcome != "permitted",) * 2)


@pytest.mark.parametrize("rule", [rule.value for rule in Rule])
def test_no_rule_stops_the_sentence(rule: str) -> None:
    for outcome in ("permitted", "refused"):
        assert all(
            "  " not in said and "None" not in said for said in both(replace(SEEN, rules=(rule,), outcome=outcome))
        )


def test_names_are_made_of_what_the_directory_tells() -> None:
    names = Names(
        [
            {
                "resourceType": "Practitioner",
                "id": "d",
                "name": [{"prefix": ["dr."], "given": ["K."], "family": "Vos"}],
            },
            {
                "resourceType": "PractitionerRole",
                "id": "r",
                "practitioner": {"reference": "Practitioner/d"},
                "code": [{"coding": [{"code": "01.015", "display": "Huisarts"}]}],
            },
            {"resourceType": "PractitionerRole", "id": "bare"},
            {"resourceType": "Organization", "id": "h", "name": "Praktijk"},
            {"resourceType": "RelatedPerson", "id": "x", "name": [{"text": "Jan"}]},
        ]
    )
    told = {one: names.of(one) for one in ("Practitioner/d", "PractitionerRole/r", "Organization/h", "RelatedPerson/x")}
    assert list(told.values()) == ["dr. K. Vos", "dr. K. Vos (Huisarts)", "Praktijk", "Jan"]
    assert names.of("PractitionerRole/bare") == "PractitionerRole/bare"
    assert names.reference("Practitioner/unknown") == {"reference": "Practitioner/unknown"}


def test_an_event_from_elsewhere_is_read_as_far_as_it_goes() -> None:
    """R4 asks little of an AuditEvent: type, recorded, agent.requestor and source."""
    found = logged(
        {
            "resourceType": "AuditEvent",
            "type": {"code": "110112"},
            "recorded": "2020-01-01T00:00:00Z",
            "agent": [{"requestor": False, "name": "x"}],
            "source": {"observer": {"display": "y"}},
        },
        "p",
        Names([]),
    )
    assert (found.name, found.interaction, found.outcome, dict(found.what)) == (
        "?",
        "110112",
        "permitted",
        {"Patient": 1},
    )
    assert sentence(found, "nl", ZONE).endswith("uw persoonsgegevens gebruikt.")


def test_an_app_is_named_by_who_used_it() -> None:
    dutch, english = both(replace(SEEN, name="", app="Mijn bloeddruk", purposes=(), rules=()))
    assert dutch == "U hebt met de app Mijn bloeddruk op 22 november 2026 om 09:05 uur 1 meting gelezen."
    assert english == "You read 1 measurement with the app Mijn bloeddruk on 22 November 2026 at 09:05."
    dutch, english = both(replace(SEEN, name="", app="Mijn bloeddruk", purposes=(), rules=(), outcome="refused"))
    assert dutch.startswith("U wilde met de app Mijn bloeddruk op 22 november 2026 om 09:05 uur 1 meting lezen;")
    assert english.startswith("You tried to read 1 measurement with the app Mijn bloeddruk on 22 November 2026")


@pytest.mark.parametrize("detail", sorted(EVENTS))
def test_what_happens_to_logins_and_apps_has_a_sentence_of_its_own(detail: str) -> None:
    for name in ("", "Els Huijnen"):
        dutch, english = both(replace(SEEN, name=name, interaction="operation", detail=detail, app="Samen wandelen"))
        for said in (dutch, english):
            assert said.endswith(".")
            assert "{" not in said
            assert "dat mocht" not in said
            assert "allowed" not in said
        assert "op 22 november 2026 om 09:05 uur" in dutch
        assert "on 22 November 2026 at 09:05" in english
        assert ("Samen wandelen" in dutch) == ("app" in detail or "token" in detail or "used again" in detail)


def test_an_app_that_is_not_registered_any_more_goes_by_its_client_id() -> None:
    dutch, _ = both(replace(SEEN, name="", interaction="operation", detail="app stopped", client="wandelen"))
    assert dutch == "U hebt op 22 november 2026 om 09:05 uur de app wandelen gestopt."

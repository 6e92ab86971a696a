"""What a provision says in words: every element, both languages, and what is not understood."""

from typing import Any

import pytest

from consent.explain import limit
from consent.model import FOREVER, Action, Category, Effect, Provision
from consent.parse import parse
from consent.say import day, say
from consent.words import ACTIONS, CONFIDENTIALITY, LANGUAGES, PURPOSES, TYPES, Language, listed, of_purpose, of_type
from tests.consent.wijk import (
    GP_PRACTICE,
    GP_ROLE,
    LOINC,
    ZONE,
    actor,
    at,
    coding,
    concept,
    confidentiality,
    consent,
    data,
    deny,
    permit,
    provision,
    resource_type,
    sensitivity,
    words,
)

Json = dict[str, Any]
NAMES = {"Practitioner/p1": "dokter Jansen", "Practitioner/p2": "dokter Aksoy", "Task/1": "de taak"}
IN_WORDS = {"role": concept("v3-ParticipationType", "PRCP"), "reference": {"display": "de buurvrouw"}}


def said(root: Json, language: Language = "nl", index: int = 0) -> str:
    found: Provision = parse(consent(root), words(), ZONE).provisions[index]
    return say(found, language, ZONE, lambda reference: NAMES.get(reference, reference))


EVERYTHING = permit(
    actor=[
        actor("Practitioner/p2"),
        actor("Practitioner/p1"),
        actor("Organization/o1", "AUT"),
        actor("Organization/o2", "CST"),
    ],
    purpose=["TREAT", "COC"],
    action=["access"],
    class_=[resource_type("Task")],
    code=[concept(LOINC, "85354-9")],
    securityLabel=[confidentiality("R")],
    data=[data("instance", "Task/1")],
    dataPeriod={"start": "2026-03-03"},
    period={"start": "2026-01-01", "end": "2026-12-31"},
)


def test_every_element_is_said_in_dutch() -> None:
    assert said(EVERYTHING) == (
        "Ja."
        " Wie het vraagt: dokter Aksoy of dokter Jansen."
        " Het doel: behandeling of samenwerking tussen zorgverleners."
        " Wat er met de gegevens gebeurt: inzien."
        " Het soort gegevens: taken."
        " Het onderwerp: 85354-9."
        " Hoe gevoelig het is: extra vertrouwelijk."
        " Wie het heeft opgeschreven: Organization/o1."
        " Wie de gegevens bewaart: Organization/o2."
        " De gekozen gegevens: de taak."
        " De datum van de gegevens: vanaf 3 maart 2026."
        " De periode van de toestemming: vanaf 1 januari 2026 tot 1 januari 2027."
    )


def test_every_element_is_said_in_english() -> None:
    assert said(EVERYTHING | {"type": "deny"}, "en") == (
        "No."
        " Who asks: dokter Aksoy or dokter Jansen."
        " The purpose: coordination of care or treatment."
        " What is done with the data: access."
        " The kind of data: tasks."
        " The subject: 85354-9."
        " How sensitive it is: restricted."
        " Who wrote it: Organization/o1."
        " Who keeps the data: Organization/o2."
        " The chosen data: de taak."
        " The date of the data: from 3 March 2026."
        " The period of the consent: from 1 January 2026 before 1 January 2027."
    )


@pytest.mark.parametrize(
    "root, nl, en",
    [
        (permit(), "Ja. Voor iedereen en over alles.", "Yes. For everybody and about everything."),
        (deny(), "Nee. Voor iedereen en over alles.", "No. For everybody and about everything."),
        (
            provision("", deny()),
            "Dit zegt zelf geen ja of nee. Voor iedereen en over alles.",
            "This says neither yes nor no itself. For everybody and about everything.",
        ),
        (
            permit(actor=[actor(GP_ROLE)]),
            "Ja. Wie het vraagt: een soort zorgverlener (01.015).",
            "Yes. Who asks: a kind of professional (01.015).",
        ),
        (
            permit(actor=[actor(GP_PRACTICE)]),
            "Ja. Wie het vraagt: een soort organisatie (Z3).",
            "Yes. Who asks: a kind of organisation (Z3).",
        ),
        (
            deny(actor=[IN_WORDS]),
            "Nee. Wie het vraagt: iets dat niet te begrijpen is.",
            "No. Who asks: something that cannot be understood.",
        ),
        (
            deny(actor=[actor("Practitioner/p1"), IN_WORDS]),
            "Nee. Wie het vraagt: dokter Jansen of iets dat niet te begrijpen is.",
            "No. Who asks: dokter Jansen or something that cannot be understood.",
        ),
        (
            deny(
                class_=[coding(LOINC, "34133-9"), coding(LOINC, "Task"), resource_type("Goal"), resource_type("Slot")]
            ),
            "Nee. Het soort gegevens: 34133-9, Slot, Task of doelen.",
            "No. The kind of data: 34133-9, Slot, Task or goals.",
        ),
        (
            deny(securityLabel=[sensitivity("HIV"), confidentiality("V")]),
            "Nee. Hoe gevoelig het is: hiv of zeer vertrouwelijk.",
            "No. How sensitive it is: HIV or very restricted.",
        ),
        (
            deny(securityLabel=[coding("urn:x", "R"), confidentiality("PSY")]),
            "Nee. Hoe gevoelig het is: PSY of R.",
            "No. How sensitive it is: PSY or R.",
        ),
        (
            permit(
                data=[data("related", "Task/1"), data("dependents", "Task/1"), data("authoredby", "Practitioner/p1")]
            ),
            "Ja. De gekozen gegevens: de taak en wat daarbij hoort, de taak en wat daarnaar verwijst"
            " of wat dokter Jansen heeft opgeschreven.",
            "Yes. The chosen data: de taak and what belongs to it, de taak and what refers to it"
            " or what dokter Jansen wrote.",
        ),
        (
            permit(period={"end": "2026"}, purpose=["DONAT"]),
            "Ja. Het doel: DONAT. De periode van de toestemming: tot 1 januari 2027.",
            "Yes. The purpose: DONAT. The period of the consent: before 1 January 2027.",
        ),
        (
            deny(period={"start": "morgen"}, dataPeriod={"end": "ooit"}),
            "Nee. De datum van de gegevens: iets dat niet te begrijpen is."
            " De periode van de toestemming: iets dat niet te begrijpen is.",
            "No. The date of the data: something that cannot be understood."
            " The period of the consent: something that cannot be understood.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_of_value_has_its_words(root: Json, nl: str, en: str) -> None:
    assert (said(root), said(root, "en")) == (nl, en)


@pytest.mark.parametrize("element", ["actor", "purpose", "action", "class", "code", "securityLabel", "data"])
def test_what_is_not_understood_is_said_beside_what_is(element: str) -> None:
    good = EVERYTHING[element][0]
    assert said(deny() | {element: [good, {}]}).endswith(" of iets dat niet te begrijpen is.")
    assert "niet te begrijpen" not in said(deny() | {element: [good]})


@pytest.mark.parametrize("role", ["AUT", "CST"])
def test_an_author_or_custodian_that_is_not_understood_is_said(role: str) -> None:
    who = [actor("Practitioner/p1", role), actor("#x", role)]
    assert said(deny(actor=who)).endswith(": dokter Jansen of iets dat niet te begrijpen is.")


def test_a_child_says_what_it_inherits() -> None:
    tree = deny(permit(purpose=["TREAT"]), actor=[actor("Practitioner/p1")])
    assert said(tree, index=1) == "Ja. Wie het vraagt: dokter Jansen. Het doel: behandeling."


def test_without_names_references_stand_as_they_are() -> None:
    (found,) = parse(consent(permit(actor=[actor("Practitioner/p1")])), words(), ZONE).provisions
    assert say(found, "en", ZONE) == "Yes. Who asks: Practitioner/p1."


def test_a_category_of_another_kind_is_called_by_its_code() -> None:
    (found,) = parse(consent(permit(actor=[actor(GP_ROLE)])), words(), ZONE).provisions
    assert found.condition.recipients is not None
    other = Category("HealthcareService", "urn:x", "loket")
    odd = type(found.condition.recipients)(frozenset({other}))
    alone = Provision("", -1, 1, Effect.PERMIT, type(found.condition)(recipients=odd))
    told = [say(alone, language, ZONE) for language in LANGUAGES]
    assert told == ["Ja. Wie het vraagt: loket.", "Yes. Who asks: loket."]


@pytest.mark.parametrize(
    "month, nl, en",
    [
        *[(1, "januari", "January"), (2, "februari", "February"), (3, "maart", "March"), (4, "april", "April")],
        *[(5, "mei", "May"), (6, "juni", "June"), (7, "juli", "July"), (8, "augustus", "August")],
        *[(9, "september", "September"), (10, "oktober", "October"), (11, "november", "November")],
        (12, "december", "December"),
    ],
)
def test_a_day_is_said_in_the_zone_of_the_deployment(month: int, nl: str, en: str) -> None:
    first = at(f"2026-{month:02}-01T00:00:00")
    assert day(first, "nl", ZONE) == f"1 {nl} 2026"
    assert day(first, "en", ZONE) == f"1 {en} 2026"
    assert day(first - 1, "nl", ZONE) != f"1 {nl} 2026"
    assert day(first + 86_399_999_999, "nl", ZONE) == f"1 {nl} 2026"


def test_words_of_types_and_purposes_and_what_has_none() -> None:
    assert (of_type("Task", "nl"), of_type("Task", "en")) == ("taken", "tasks")
    assert (of_type("Slot", "nl"), of_type("Slot", "en")) == ("Slot", "Slot")
    assert (of_purpose("BTG", "nl"), of_purpose("BTG", "en")) == ("de noodknop", "the emergency button")
    assert (of_purpose("DONAT", "nl"), of_purpose("DONAT", "en")) == ("DONAT", "DONAT")
    assert set(TYPES) <= words().resource_types
    assert set(PURPOSES) <= set(words().purposes)
    assert set(CONFIDENTIALITY) == set("ULMNRV")
    assert set(ACTIONS) == set(Action)


def test_a_list_of_words_ends_with_and() -> None:
    assert [listed(several, "nl") for several in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a en b", "a, b en c"]
    assert [listed(several, "en") for several in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_of_writes_there_is_something_to_say_of_every_decision() -> None:
    assert limit(Action.COLLECT, "nl") == "Dit gaat over iets nieuws dat hierop lijkt."
    assert limit(Action.CORRECT, "en") == "Whoever did not write something may never change it."
    assert limit(Action.ACCESS, "nl") == limit(Action.USE, "en") == ""


def test_what_never_ends_has_no_last_day() -> None:
    (found,) = parse(consent(permit(period={"start": "2026-01-01", "end": "9999"})), words(), ZONE).provisions
    assert found.condition.period is not None
    assert found.condition.period.high == FOREVER
    assert say(found, "nl", ZONE) == "Ja. De periode van de toestemming: vanaf 1 januari 2026."
    (found,) = parse(consent(permit(period={"end": "9999"})), words(), ZONE).provisions
    assert say(found, "nl", ZONE) == "Ja. De periode van de toestemming: –."

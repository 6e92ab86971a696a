"""What Consents of the example wijk let people do, as sentences: what is told, what is left out, and of whom."""

from functools import cache
from typing import Any

import pytest

from consent.model import Actor, Category, ConsentRecord, Scope
from consent.parse import parse
from consent.words import LANGUAGES
from examples import bundle_paths
from fhir_server.smart import telling
from fhir_server.smart.naming import KnownAs
from profiles import json
from tests.consent.wijk import ZONE, at, words

Json = dict[str, Any]


@cache
def resources() -> dict[str, Json]:
    found = [entry["resource"] for path in bundle_paths() for entry in json.parse(path.read_bytes())["entry"]]
    return {f"{one['resourceType']}/{one['id']}": one for one in found}


def record(name: str) -> ConsentRecord:
    return parse(resources()[f"Consent/{name}"], words(), ZONE)


def both(name: str, **changes: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sentences in both languages, of the Consent with other elements if need be."""
    consent = {**resources()[f"Consent/{name}"], **changes}
    provisions = parse(consent, words(), ZONE).provisions
    dutch, english = (
        telling.rules(provisions, language, ZONE, KnownAs(resources().values(), {}, {}, [consent], language))
        for language in LANGUAGES
    )
    return dutch, english


def provision(**elements: Any) -> Json:
    return {"type": "permit", **elements}


def test_whom_and_until_when_are_told_of_all_and_not_again() -> None:
    assert both("bewoner-05-toestemming-zwangerschap") == (
        (
            "Mag zien, toevoegen en veranderen: alles in het dossier, voor behandeling of samenwerking tussen zorgverleners.",
        ),
        ("May see, add and change: everything in the record, for coordination of care or treatment.",),
    )
    assert telling.until(record("bewoner-05-toestemming-zwangerschap").provisions) == at("2027-06-01T00:00")


def test_where_rules_are_about_different_people_each_says_of_whom() -> None:
    dutch, _ = both("bewoner-02-toestemming-praktijk")
    assert dutch == (
        "Voor Huisartsenpraktijk De Esdoorn: mag zien, toevoegen en veranderen: alles in het dossier, voor behandeling.",
        "Mag niets zien, toevoegen of veranderen in het dossier over psychische gezondheid.",
        "Voor Anna Louise Vermeulen (Huisarts) of Inge Daniëls (Praktijkondersteuner GGZ): mag wel zien, toevoegen en veranderen: "
        "alles in het dossier over psychische gezondheid.",
    )


def test_records_go_by_their_titles() -> None:
    dutch, english = both("bewoner-01-toestemming-buur")
    assert dutch[1].startswith("Mag wel zien, toevoegen en veranderen: ‘")
    assert "Task/" not in dutch[1] + english[1]
    dutch, _ = both("bewoner-01-toestemming-diabetes-wijkverpleging")
    assert dutch[0].endswith(" en wat daarnaar verwijst, voor behandeling.")


def test_types_and_subjects_have_words_and_an_exception_keeps_what_it_inherits() -> None:
    assert both("bewoner-11-toestemming-zoon-kijkt-mee")[1] == (
        "May see: appointments and care plans.",
        "May not see: appointments and care plans about mental health.",
        "May see: observations about Bloeddruk.",
    )


def test_levels_dates_authors_and_keepers_narrow_it() -> None:
    assert both("bewoner-09-toestemming-huisarts")[0] == (
        "Mag zien, toevoegen en veranderen: alles in het dossier, als het hoogstens extra vertrouwelijk is, "
        "voor behandeling.",
    )
    assert both("bewoner-06-toestemming-niet-van-vroeger")[0] == (
        "Mag niets zien, toevoegen of veranderen in het dossier, met een datum tot en met 10 augustus 2025.",
    )
    assert both("bewoner-03-toestemming-brieven-internist")[1][0].endswith(
        "documents and encounters, written by Chidi Okafor (Internist)."
    )
    assert both("bewoner-07-toestemming-plusgroep")[0] == (
        "Mag zien, toevoegen en veranderen: alles in het dossier, bewaard door Huisartsenpraktijk De Esdoorn, "
        "voor het regelen van zorg.",
    )
    assert both("bewoner-09-toestemming-geschreven-door-de-wending")[0][0].startswith(
        "Mag zien, toevoegen en veranderen: wat Verslavingszorg De Wending heeft geschreven"
    )


def test_a_rule_with_a_period_of_its_own_says_so() -> None:
    low, high = {"start": "2026-01-01", "end": "2026-06-30"}, {"start": "2026-01-01", "end": "2026-12-31"}
    rules = {"provision": [provision(period=low), provision(period=high)]}
    dutch, _ = both("bewoner-07-toestemming-onderzoek", provision=rules, policyRule=None)
    assert dutch == (
        "Mag zien, toevoegen en veranderen: alles in het dossier, vanaf 1 januari 2026 tot en met 30 juni 2026.",
        "Mag zien, toevoegen en veranderen: alles in het dossier.",
    )


def test_what_cannot_be_understood_is_told_as_such() -> None:
    unclear = provision(**{"class": [{"system": "http://hl7.org/fhir/resource-types"}]}, purpose=[{"code": "?"}])
    dutch, english = both("bewoner-07-toestemming-onderzoek", provision=unclear)
    assert dutch == (
        "Mag zien, toevoegen en veranderen: iets wat hier niet te begrijpen is, voor iets wat hier niet te begrijpen is.",
    )
    assert english[0].count("something that cannot be understood here") == 2


def test_recipients_are_whom_it_lets_in_or_else_whom_it_keeps_out() -> None:
    def who(name: str) -> list[str] | None:
        found: tuple[Actor, ...] | None = telling.recipients(record(name).provisions)
        if found is None:
            return None
        return [one.code if isinstance(one, Category) else one.reference for one in found]

    assert who("bewoner-01-toestemming-team") == ["CareTeam/bewoner-01-team"]
    assert who("bewoner-05-toestemming-niet-mijn-ex") == ["RelatedPerson/bewoner-05-ex-partner"]
    assert who("bewoner-10-toestemming-geen-reclame") is None
    assert who("bewoner-11-toestemming-niemand-tenzij") == ["PractitionerRole/huisarts-el-amrani", "01.015"]


@pytest.mark.parametrize(
    "name",
    [one["id"] for one in resources().values() if one["resourceType"] == "Consent" and one["status"] == "active"],
)
def test_every_rule_has_one_sentence_in_each_language(name: str) -> None:
    speaking = [one for one in record(name).provisions if one.effect is not None]
    if record(name).scope is Scope.CLINICAL:
        return
    dutch, english = both(name)
    assert len(dutch) == len(english) == len(speaking)
    for said in (*dutch, *english):
        assert said.endswith(".")
        assert "  " not in said
        assert ": ." not in said
        assert ", ," not in said

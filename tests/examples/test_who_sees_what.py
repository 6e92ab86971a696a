"""The golden table: who sees what in the example wijk. A change in it is for people to look at, so it stands in a file.

`WIJKDOSSIER_WRITE_GOLDEN=1 pytest tests/examples/test_who_sees_what.py` writes the file anew; its difference is what
the change does to people. WIJKDOSSIER_LONG=1 works out every cell a second time, the ordinary suite some of them.
https://hl7.org/fhir/R4/consent.html
"""

import asyncio
import os
from pathlib import Path

import pytest

from tests.examples.askers import Asker, askers
from tests.examples.conftest import Resource
from tests.examples.judged import Wijk
from tests.examples.seen import MOMENT, caller, counted, seen, wijk_server
from tests.examples.table import KINDS, PURPOSES, Table, sees

GOLDEN = Path(__file__).parent / "golden" / "who-sees-what.md"
DAY = "2026-11-22"
# Every so many records are judged by the slow interpreter too.
EVERY = 1 if os.environ.get("WIJKDOSSIER_LONG") == "1" else 7
# No search parameter tells of whom a Binary is; a Group is about several.
WITHOUT_PATIENT = {"Binary", "Group"}

Seen = dict[Asker, frozenset[str]]


@pytest.fixture(scope="module")
def judged(wijk: dict[str, Resource]) -> Wijk:
    return Wijk(wijk, MOMENT)


@pytest.fixture(scope="module")
def found(wijk: dict[str, Resource], judged: Wijk) -> Seen:
    """What each asker finds of what is about residents, with the counts that the server gives along the way."""

    async def ask() -> Seen:
        types = sorted({reference.partition("/")[0] for reference, owners in judged.owners.items() if owners})
        result: Seen = {}
        async with wijk_server() as house:
            for asker in askers(wijk):
                client = await caller(house, asker)
                # What the emergency button leaves behind for the resident is not of the files.
                mine = frozenset(one for one in await seen(client, types) if judged.owners.get(one))
                result[asker] = mine
                for patient in {owner for one in mine for owner in judged.owners[one]}:
                    dossier = judged.dossier(f"Patient/{patient}")
                    for type in sorted({one.partition("/")[0] for one in dossier} - WITHOUT_PATIENT):
                        there = sum(one.startswith(f"{type}/") for one in dossier)
                        expected = sum(one.startswith(f"{type}/") for one in mine & set(dossier))
                        if expected < there:
                            assert await counted(client, type, patient) == expected, (asker, type, patient)
        return result

    return asyncio.run(ask())


def markdown(wijk: dict[str, Resource], judged: Wijk, found: Seen) -> str:
    dossiers: dict[str, list[str]] = {}
    shared = []
    for reference, owners in judged.owners.items():
        if len(owners) == 1:
            dossiers.setdefault(f"Patient/{owners[0]}", []).append(reference)
        elif owners:
            shared.append(reference)
    return Table(wijk, dossiers, shared, DAY).markdown(found)


def test_everybody_sees_what_the_table_says(wijk: dict[str, Resource], judged: Wijk, found: Seen) -> None:
    written = markdown(wijk, judged, found)
    if os.environ.get("WIJKDOSSIER_WRITE_GOLDEN") == "1":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(written)
    assert written == GOLDEN.read_text(), "look at who sees what now, and run this with WIJKDOSSIER_WRITE_GOLDEN=1"


def test_the_slow_interpreter_gives_the_same_answers(judged: Wijk, found: Seen) -> None:
    """Each record is judged for some askers, and for each asker some records, in turn."""
    about_somebody = [reference for reference, owners in judged.owners.items() if owners]
    for number, (asker, mine) in enumerate(found.items()):
        some = about_somebody[number % EVERY :: EVERY]
        assert judged.judge(asker, some) == mine & set(some), asker


def test_every_dossier_is_open_to_somebody_and_closed_to_somebody(
    wijk: dict[str, Resource], judged: Wijk, found: Seen
) -> None:
    for reference in (one for one in wijk if one.startswith("Patient/")):
        dossier = set(judged.dossier(reference))
        others = [
            mine & dossier for asker, mine in found.items() if asker.login != reference and asker.purpose != "BTG"
        ]
        assert any(others), reference
        assert not all(others), reference


@pytest.mark.skipif(EVERY > 1, reason="asks the slow interpreter about every cell, once for each Consent")
def test_the_table_would_be_another_without_any_one_of_the_consents(wijk: dict[str, Resource], found: Seen) -> None:
    without_effect = set()
    for reference, consent in wijk.items():
        if consent["resourceType"] != "Consent" or consent["status"] != "active":
            continue
        without = Wijk({**wijk, reference: {**consent, "status": "inactive"}}, MOMENT)
        dossier = without.dossier(consent["patient"]["reference"])
        if all(without.judge(asker, dossier) == mine & set(dossier) for asker, mine in found.items()):
            without_effect.add(reference.removeprefix("Consent/bewoner-").replace("-toestemming", ""))
    assert without_effect == {
        "01-dochter",  # she is verified by the operator, too
        "01-wilsverklaring",  # clinical
        "02-intake-broer",  # has ended
        "03-brieven-internist",  # all the internist wrote is about hiv
        "05-niet-mijn-ex",  # nothing else lets him in
        "08-curator",  # is in the register
        "08-niet-reanimeren",  # clinical
        "09-geschreven-door-de-wending",  # the one doctor there reads back what he wrote himself
        "11-steunpunt-2025",  # has ended
    }


def test_every_kind_and_purpose_has_words(judged: Wijk, found: Seen) -> None:
    assert {reference.partition("/")[0] for reference, owners in judged.owners.items() if owners} == set(KINDS)
    assert {asker.purpose for asker in found} == set(PURPOSES)


def test_a_cell_says_all_or_all_but_or_counts() -> None:
    whole = frozenset({"Consent/1", "Task/1", "Task/2", "Goal/1", "Observation/1", "Observation/2", "Procedure/1"})
    assert sees(whole, whole) == ("alles", "everything")
    assert sees(whole - {"Consent/1"}, whole) == ("alles, behalve de toestemmingen", "everything but the consents")
    assert sees(whole - {"Consent/1", "Task/1"}, whole) == ("alles, behalve 1 taak", "everything but 1 task")
    assert sees(frozenset({"Task/1", "Observation/1", "Observation/2"}), whole) == (
        "2 metingen en 1 taak",
        "2 measurements and 1 task",
    )

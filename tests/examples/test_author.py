"""The author package's own small languages: opening hours, test BSNs, names.

https://hl7.org/fhir/R4/datatypes.html
"""

import pytest

from examples.author.bundle import encode, transaction
from examples.author.elements import bsn, concept, human_name, quantity, resource
from examples.author.hours import available_time


def test_opening_hours_read_as_they_are_written() -> None:
    assert available_time("ma-vr 08:00-17:00; za,zo 10:00-12:30") == [
        {
            "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
            "availableStartTime": "08:00:00",
            "availableEndTime": "17:00:00",
        },
        {"daysOfWeek": ["sat", "sun"], "availableStartTime": "10:00:00", "availableEndTime": "12:30:00"},
    ]
    assert available_time("") == []
    assert available_time("altijd")[0]["allDay"] is True


def test_an_unknown_day_is_refused() -> None:
    with pytest.raises(ValueError, match="xx"):
        available_time("xx 08:00-09:00")


def test_every_resident_number_gives_another_bsn() -> None:
    numbers = [bsn(number) for number in range(1, 100)]
    assert len(set(numbers)) == 99
    assert all(len(number) == 9 for number in numbers)


def test_a_name_keeps_prefix_and_family_apart() -> None:
    (name,) = human_name("Anna Maria", "Loo", prefix="van", initials=True)
    assert name["family"] == "van Loo"
    assert [part["valueString"] for part in name["_family"]["extension"]] == ["van", "Loo"]
    assert name["given"] == ["A.", "M."]


def test_a_display_is_given_for_our_own_codes_only() -> None:
    assert "display" not in concept("http://snomed.info/sct", "84114007", "Hartfalen")["coding"][0]
    assert concept("https://wijkdossier.nl/fhir/CodeSystem/domein", "zorg", "Zorg")["coding"][0]["display"] == "Zorg"


def test_decimals_keep_their_digits_in_the_file() -> None:
    item = resource("Observation", "x", valueQuantity=quantity("70.10", "kg"))
    assert b'"value": 70.10,' in encode(transaction("b", [item]))


def test_an_identity_is_authored_once() -> None:
    item = resource("Flag", "x")
    with pytest.raises(ValueError, match="Flag/x"):
        transaction("b", [item, item])

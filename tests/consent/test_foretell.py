"""What is told to whoever is about to sign a Consent: who sees more or less, to which end, and what was looked at."""

from consent.foretell import change, overall


def test_what_opens_and_what_closes_for_somebody() -> None:
    told = change("Dokter Jansen", {"Task": 2, "Goal": 1}, {"Observation": 3}, ["TREAT", ""], 2, "nl")
    assert told == [
        "Dokter Jansen kan dan meer zien dan nu: doelen (1) en taken (2).",
        "Dokter Jansen kan dan minder zien dan nu. Dicht gaan: metingen en waarnemingen (3).",
        "Dit geldt als het doel dit is: behandeling en geen doel genoemd.",
        "Let op: wat Dokter Jansen dan ziet, noemt iets wat dicht blijft (2 keer).",
    ]
    assert change("Dr Jansen", {"Task": 2}, {"Goal": 1, "Slot": 4}, ["TREAT", "", "BTG"], 1, "en") == [
        "Dr Jansen can then see more than now: tasks (2).",
        "Dr Jansen can then see less than now. What closes: goals (1) and Slot (4).",
        "This holds if the purpose is: treatment, no purpose given and the emergency button.",
        "Note: what Dr Jansen then sees mentions something that stays closed (mentions: 1).",
    ]


def test_what_does_not_change_is_not_told() -> None:
    ends = "This holds if the purpose is: treatment."
    assert change("X", {"Task": 1}, {}, ["TREAT"], 0, "en") == ["X can then see more than now: tasks (1).", ends]
    assert change("X", {}, {"Task": 1}, ["TREAT"], 0, "en") == [
        "X can then see less than now. What closes: tasks (1).",
        ends,
    ]


def test_what_was_looked_at_is_told() -> None:
    assert overall(1, 12, 0, 345, "nl") == ["Bekeken zijn 12 mensen en organisaties, en 345 gegevens."]
    assert overall(0, 12, 3, 345, "nl") == [
        "Voor niemand verandert er iets.",
        "Bekeken zijn 12 mensen en organisaties, en 345 gegevens.",
        "Het zijn er meer: 3 mensen en organisaties zijn niet bekeken.",
    ]
    assert overall(0, 1, 2, 3, "en") == [
        "Nothing changes for anybody.",
        "1 people and organisations were looked at, and 3 records.",
        "There are more: 2 people and organisations were not looked at.",
    ]

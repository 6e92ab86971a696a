"""What a Consent would change, in Dutch (level B1) and English: for whoever is about to sign it.

https://www.w3.org/WAI/WCAG22/Understanding/reading-level
"""

from collections.abc import Mapping, Sequence
from typing import Final

from consent.words import LANGUAGES, Language, Text, listed, of_purpose, of_type

_OPENS: Final[Text] = ("{name} kan dan meer zien dan nu: {what}.", "{name} can then see more than now: {what}.")
_CLOSES: Final[Text] = (
    "{name} kan dan minder zien dan nu. Dicht gaan: {what}.",
    "{name} can then see less than now. What closes: {what}.",
)
_TO_WHAT_END: Final[Text] = ("Dit geldt als het doel dit is: {ends}.", "This holds if the purpose is: {ends}.")
_NO_PURPOSE: Final[Text] = ("geen doel genoemd", "no purpose given")
_MENTIONS: Final[Text] = (
    "Let op: wat {name} dan ziet, noemt iets wat dicht blijft ({count} keer).",
    "Note: what {name} then sees mentions something that stays closed (mentions: {count}).",
)
_NOTHING: Final[Text] = ("Voor niemand verandert er iets.", "Nothing changes for anybody.")
_LOOKED: Final[Text] = (
    "Bekeken zijn {people} mensen en organisaties, en {records} gegevens.",
    "{people} people and organisations were looked at, and {records} records.",
)
_LEFT_OUT: Final[Text] = (
    "Het zijn er meer: {count} mensen en organisaties zijn niet bekeken.",
    "There are more: {count} people and organisations were not looked at.",
)

ANY_PROFESSIONAL: Final[Text] = ("Iedere andere zorgverlener", "Any other care professional")
ANY_RESIDENT: Final[Text] = ("Iedere andere bewoner", "Any other resident")


def change(
    name: str,
    opens: Mapping[str, int],
    closes: Mapping[str, int],
    purposes: Sequence[str],
    mentions: int,
    language: Language,
) -> list[str]:
    """What changes for somebody: of each type how much opens and closes, to which ends ('' for none that is given)."""
    at = LANGUAGES.index(language)
    sentences = [
        template[at].format(name=name, what=listed(_counted(counts, language), language))
        for template, counts in ((_OPENS, opens), (_CLOSES, closes))
        if counts
    ]
    ends = [of_purpose(code, language) if code else _NO_PURPOSE[at] for code in purposes]
    sentences.append(_TO_WHAT_END[at].format(ends=listed(ends, language)))
    if mentions:
        sentences.append(_MENTIONS[at].format(name=name, count=mentions))
    return sentences


def overall(changes: int, people: int, left_out: int, records: int, language: Language) -> list[str]:
    """What was looked at; and that nothing changes, if so."""
    at = LANGUAGES.index(language)
    sentences = [] if changes else [_NOTHING[at]]
    sentences.append(_LOOKED[at].format(people=people, records=records))
    if left_out:
        sentences.append(_LEFT_OUT[at].format(count=left_out))
    return sentences


def _counted(counts: Mapping[str, int], language: Language) -> list[str]:
    return [f"{of_type(type, language)} ({count})" for type, count in sorted(counts.items())]

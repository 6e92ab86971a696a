"""What the pages say, in Dutch and in English that people at level B1 read.

A page module brings a table of its own sentences as `WORDS`; those that every page shares stand here.
https://www.coe.int/en/web/common-european-framework-reference-languages
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias, get_args

Language = Literal["nl", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

# A name of our own → the sentence in Dutch and in English; `{name}` is filled in.
Table: TypeAlias = Mapping[str, tuple[str, str]]

WORDS: Final[Table] = {
    "site": ("Wijkdossier", "Wijkdossier"),
    "skip": ("Naar de inhoud", "Skip to content"),
    "language_other": ("English", "Nederlands"),
    "language_label": ("Read this page in English", "Lees deze pagina in het Nederlands"),
    "logged_in_as": ("Ingelogd als {name}", "Logged in as {name}"),
    "log_out": ("Uitloggen", "Log out"),
    "back_home": ("Terug naar het begin", "Back to the start page"),
    "title_wrong": ("Let op:", "Note:"),
    "problem": ("Dat ging niet", "That did not work"),
    "problem_400": (
        "Wij begrijpen deze vraag niet. Ga terug en probeer het nog een keer.",
        "We do not understand this request. Go back and try again.",
    ),
    "problem_403": ("U mag dit niet zien of doen.", "You are not allowed to see or do this."),
    "problem_404": ("Deze pagina bestaat niet.", "This page does not exist."),
    "problem_405": ("Deze pagina kunt u zo niet gebruiken.", "You cannot use this page in this way."),
    "problem_409": (
        "Er is intussen iets veranderd. Ga terug en probeer het nog een keer.",
        "Something has changed in the meantime. Go back and try again.",
    ),
    "problem_413": ("U stuurt te veel in één keer.", "You are sending too much at once."),
    "problem_415": ("Deze pagina neemt alleen formulieren aan.", "This page only takes forms."),
    "problem_429": (
        "Het is nu te druk. Wacht even en probeer het dan nog een keer.",
        "It is too busy now. Wait a moment and then try again.",
    ),
    "problem_500": (
        "Er ging bij ons iets mis. Probeer het later nog een keer.",
        "Something went wrong on our side. Try again later.",
    ),
    "problem_503": (
        "Wij kunnen nu niets opslaan. Er is niets veranderd. Probeer het later nog een keer.",
        "We cannot save anything now. Nothing has changed. Try again later.",
    ),
    "wait_minute": (
        "Het ging te vaak mis. Wacht een minuut en probeer het dan nog een keer.",
        "It went wrong too often. Wait a minute and then try again.",
    ),
    "wait_minutes": (
        "Het ging te vaak mis. Wacht {minutes} minuten en probeer het dan nog een keer.",
        "It went wrong too often. Wait {minutes} minutes and then try again.",
    ),
    "problem_form": (
        "Dit formulier is te oud, of het komt van een andere website. Er is niets veranderd. "
        "Open de pagina opnieuw en probeer het nog een keer.",
        "This form is too old, or it comes from another website. Nothing has changed. "
        "Open the page again and try once more.",
    ),
}

_ACCEPTED: Final = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*")


class Words:
    """The sentences of every page. Raises ValueError if two tables have one name."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._table: dict[str, tuple[str, str]] = {}
        for table in tables:
            for name, sentence in table.items():
                if name in self._table:
                    raise ValueError(f"`{name}` stands in two tables of words")
                self._table[name] = sentence

    def say(self, language: Language, name: str, /, **values: object) -> str:
        """The sentence with the values filled in. Raises KeyError for one that is not there."""
        return self._table[name][LANGUAGES.index(language)].format(**values)


def language(asked: str | None, remembered: str | None, accept_language: str) -> Language:
    """What was asked for in the address, what the browser remembers, what it prefers, or Dutch."""
    for chosen in (asked, remembered):
        for known in LANGUAGES:
            if chosen == known:
                return known
    best: tuple[float, Language] = (0.0, "nl")
    for part in accept_language[:1000].split(","):
        match = _ACCEPTED.fullmatch(part)
        if match is None:
            continue
        weight = float(match[2] or 1)
        for known in LANGUAGES:
            if match[1].lower() == known and weight > best[0]:
                best = (weight, known)
    return best[1]

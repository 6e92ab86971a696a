"""What a Consent lets people do, rule by rule, in short sentences for whoever it belongs to: Dutch (B1) and English.

`consent.say` names every element for an explanation; this tells the same as somebody would say it to a neighbour.
https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Final, Protocol

from consent.model import (
    BEGINNING,
    FOREVER,
    READS,
    Action,
    Actor,
    Condition,
    Data,
    Effect,
    Party,
    Period,
    Provision,
    Stated,
)
from consent.parse_elements import ELEMENTS
from consent.say import day
from consent.vocabulary import ACT_CODE, CONFIDENTIALITY, RESOURCE_TYPES
from consent.words import CONFIDENTIALITY as LEVEL_WORDS
from consent.words import LANGUAGES, SENSITIVITY, Language, Text, listed, of_purpose, of_type

_ELEMENTS: Final = frozenset(ELEMENTS)
_EVERYTHING: Final[Text] = ("alles in het dossier", "everything in the record")
_UNCLEAR: Final[Text] = ("iets wat hier niet te begrijpen is", "something that cannot be understood here")
_EVERYBODY: Final[Text] = ("iedereen", "everybody")
_NOBODY: Final[Text] = ("niemand", "nobody")
_ACTS: Final[tuple[tuple[frozenset[Action], Text], ...]] = (
    (READS, ("zien", "see")),
    (frozenset({Action.COLLECT}), ("toevoegen", "add")),
    (frozenset({Action.CORRECT}), ("veranderen", "change")),
)
# By effect, and whether it takes back what the rule above it says.
_MAY: Final[dict[Effect, Text]] = {
    Effect.PERMIT: ("Mag {acts}: {what}.", "May {acts}: {what}."),
    Effect.DENY: ("Mag niet {acts}: {what}.", "May not {acts}: {what}."),
}
# “Not: everything” would be read as: some of it.
_MAY_NOTHING: Final[Text] = ("Mag niets {acts} in het dossier{rest}.", "May not {acts} anything in the record{rest}.")
_EXCEPTION: Final[Text] = ("Mag wel {acts}: {what}.", "May still {acts}: {what}.")
_FOR: Final[Text] = ("Voor {whom}: {rule}", "For {whom}: {rule}")
_ABOUT: Final[Text] = ("over {subjects}", "about {subjects}")
_AT_MOST: Final[Text] = ("als het hoogstens {level} is", "if it is {level} at most")
_AT_LEAST: Final[Text] = ("als het {level} is of meer", "if it is {level} or more")
_FURTHER: Final[tuple[tuple[str, Text], ...]] = (
    ("authors", ("geschreven door {whom}", "written by {whom}")),
    ("custodians", ("bewaard door {whom}", "kept by {whom}")),
)
_DATED: Final[Text] = ("met een datum {period}", "dated {period}")
_PURPOSE: Final[Text] = ("voor {purpose}", "for {purpose}")
_SINCE: Final[Text] = ("vanaf {day}", "from {day}")
_UNTIL: Final[Text] = ("tot en met {day}", "up to and including {day}")
_DATA: Final[dict[str, Text]] = {
    "instance": ("{title}", "{title}"),
    "related": ("{title} en wat daarbij hoort", "{title} and what belongs to it"),
    "dependents": ("{title} en wat daarnaar verwijst", "{title} and what refers to it"),
    "authoredby": ("wat {title} heeft geschreven", "what {title} wrote"),
}


class Naming(Protocol):
    """What the reader knows things by."""

    def actor(self, actor: Actor) -> str: ...

    def title(self, reference: str) -> str:
        """Of a record, or of who wrote one."""
        ...

    def coded(self, system: str, code: str) -> str: ...


def opens(provisions: Iterable[Provision]) -> bool:
    """Whether some rule says yes."""
    return any(one.effect is Effect.PERMIT for one in provisions)


def forbids(provisions: Iterable[Provision]) -> bool:
    """Whether some rule says no."""
    return any(one.effect is Effect.DENY for one in provisions)


def recipients(provisions: tuple[Provision, ...]) -> tuple[Actor, ...] | None:
    """Whom the rules that say yes let in, or whom the others keep out if none does; None: whoever meets the rest.

    Each once, in the order of the rules.
    """
    effect = Effect.PERMIT if opens(provisions) else Effect.DENY
    found: dict[Actor, None] = {}
    for one in provisions:
        if one.effect is effect:
            if one.condition.recipients is None:
                return None
            found.update(dict.fromkeys(sorted(one.condition.recipients.values, key=repr)))
    return tuple(found)


def until(provisions: Iterable[Provision]) -> int:
    """Microseconds since 1970 when the last rule that says yes ends; FOREVER if one does not end."""
    periods = [one.condition.period for one in provisions if one.effect is Effect.PERMIT]
    return max((FOREVER if period is None else period.high for period in periods), default=FOREVER)


def rules(provisions: tuple[Provision, ...], language: Language, zone: tzinfo, naming: Naming) -> tuple[str, ...]:
    """A sentence for each rule, in the order of the Consent.

    Left out is what `recipients` and `until` tell of all of them.
    """
    speaking = [one for one in provisions if one.effect is not None]
    whom = recipients(provisions)
    shared = None if whom is None else Stated(frozenset(whom))
    teller = _Teller(language, zone, naming)
    alike = all(one.condition.recipients == shared for one in speaking)
    end = until(provisions)
    return tuple(
        teller.rule(one, provisions[one.parent] if one.parent >= 0 else None, end, of_whom=not alike)
        for one in speaking
    )


class _Teller:
    def __init__(self, language: Language, zone: tzinfo, naming: Naming) -> None:
        self._language = language
        self._at = LANGUAGES.index(language)
        self._zone = zone
        self._naming = naming

    def rule(self, one: Provision, above: Provision | None, end: int, *, of_whom: bool) -> str:
        assert one.effect is not None, "a provision without an effect says nothing"
        condition = one.condition
        exception = above is not None and above.effect is not None
        takes_back = exception and above is not None and (above.effect, one.effect) == (Effect.DENY, Effect.PERMIT)
        pattern = (_EXCEPTION if takes_back else _MAY[one.effect])[self._at]
        # What an exception inherits of dates and purpose stands in the sentence above it, and of whom it speaks too.
        told = one.restated if exception else _ELEMENTS
        what = ", ".join(self._what(condition, told, end))
        acts, everything = self._acts(condition.action, one.effect), _EVERYTHING[self._at]
        if one.effect is Effect.DENY and what.startswith(everything):
            said = self._say(_MAY_NOTHING, acts=acts, rest=what.removeprefix(everything))
        else:
            said = pattern.format(acts=acts, what=what)
        if not of_whom or (exception and "actor" not in one.restated):
            return said
        who = condition.recipients
        whom = _EVERYBODY[self._at] if who is None else self._people(who)
        return self._say(_FOR, whom=whom, rule=said[:1].lower() + said[1:])

    def _acts(self, action: Stated[Action] | None, effect: Effect) -> str:
        told = [
            words[self._at]
            for acts, words in _ACTS
            if action is None or action.unclear or not acts.isdisjoint(action.values)
        ]
        if effect is Effect.PERMIT:
            return listed(told, self._language)
        *first, last = told
        return f"{', '.join(first)} {('of', 'or')[self._at]} {last}" if first else last

    def _what(self, condition: Condition, told: frozenset[str], end: int) -> Iterator[str]:
        """First what it is about, then what narrows that."""
        subjects = self._labels(condition, sensitivity=True)
        if condition.code is not None:
            subjects += self._stated(
                [self._naming.coded(*one) for one in condition.code.values], condition.code.unclear
            )
        about = " " + self._say(_ABOUT, subjects=self._any(subjects)) if subjects else ""
        yield self._kind(condition, told) + about
        yield from self._labels(condition, sensitivity=False)
        for name, words in _FURTHER:
            who: Stated[Actor] | None = getattr(condition, name)
            if who is not None:
                yield self._say(words, whom=self._people(who))
        if condition.data_period is not None and "dataPeriod" in told:
            yield self._say(_DATED, period=" ".join(self._period(condition.data_period)))
        if condition.purpose is not None and "purpose" in told:
            ends = [of_purpose(code, self._language) for code in condition.purpose.values]
            yield self._say(_PURPOSE, purpose=self._any(self._stated(ends, condition.purpose.unclear)))
        if condition.period is not None and "period" in told and condition.period.high != end:
            yield " ".join(self._period(condition.period))

    def _kind(self, condition: Condition, told: frozenset[str]) -> str:
        """Which records: those that are named, or those of a type; the rule's own before what it inherits."""
        data, classes = condition.data, condition.class_
        if data is not None and (classes is None or "data" in told or "class" not in told):
            return self._listed(self._stated(map(self._data, data.values), data.unclear))
        if classes is not None:
            return self._listed(self._stated(map(self._class, classes.values), classes.unclear))
        return _EVERYTHING[self._at]

    def _labels(self, condition: Condition, *, sensitivity: bool) -> list[str]:
        """Subjects that are sensitive, or else the level of confidentiality as a limit."""
        stated = condition.security_label
        if stated is None:
            return []
        if sensitivity:
            subjects = [
                SENSITIVITY[code][self._at] if system == ACT_CODE and code in SENSITIVITY else code
                for system, code in sorted(stated.values)
                if system != CONFIDENTIALITY
            ]
            return self._stated(subjects, stated.unclear)
        limit = _AT_LEAST if condition.label_direction is Effect.DENY else _AT_MOST
        levels = [code for system, code in sorted(stated.values) if system == CONFIDENTIALITY]
        return [self._say(limit, level=LEVEL_WORDS.get(code, (code, code))[self._at]) for code in levels]

    def _class(self, coding: tuple[str, str]) -> str:
        system, code = coding
        return of_type(code, self._language) if system == RESOURCE_TYPES else self._naming.coded(system, code)

    def _data(self, data: Data) -> str:
        return _DATA[data.meaning][self._at].format(title=self._naming.title(data.reference))

    def _people(self, who: Stated[Actor]) -> str:
        names = [self._naming.actor(one) for one in who.values]
        return self._any(self._stated(names, who.unclear) or [_NOBODY[self._at]])

    def _period(self, period: Period) -> Iterator[str]:
        if period.unclear:
            yield _UNCLEAR[self._at]
            return
        if period.low > BEGINNING:
            yield self._say(_SINCE, day=day(period.low, self._language, self._zone))
        if period.high < FOREVER:
            # The end is the first instant that is no longer in it.
            yield self._say(_UNTIL, day=day(period.high - 1, self._language, self._zone))

    def _stated(self, values: Iterable[str], unclear: bool) -> list[str]:
        return [*sorted(dict.fromkeys(values)), *([_UNCLEAR[self._at]] if unclear else [])]

    def _listed(self, words: list[str]) -> str:
        return listed(words or [_UNCLEAR[self._at]], self._language)

    def _any(self, words: list[str]) -> str:
        *first, last = words or [_UNCLEAR[self._at]]
        return f"{', '.join(first)} {('of', 'or')[self._at]} {last}" if first else last

    def _say(self, words: Text, **values: str) -> str:
        return words[self._at].format(**values)


def names_of(provisions: Iterable[Provision]) -> tuple[str, ...]:
    """Every `Type/id` that the rules name, whoever or whatever it is."""
    found: dict[str, None] = {}
    for one in provisions:
        condition = one.condition
        for who in (condition.recipients, condition.authors, condition.custodians):
            if who is not None:
                found.update((actor.reference, None) for actor in who.values if isinstance(actor, Party))
        if condition.data is not None:
            found.update((data.reference, None) for data in condition.data.values)
    return tuple(found)

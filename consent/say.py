"""What one provision says, in Dutch (level B1) and English: yes or no, and each element that narrows it.

Both languages are made from the same condition. https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import Final

from consent.explain import ELEMENTS
from consent.model import BEGINNING, FOREVER, Actor, Category, Coding, Condition, Effect, Period, Provision, Stated
from consent.vocabulary import ACT_CODE, CONFIDENTIALITY, RESOURCE_TYPES
from consent.words import ACTIONS, LANGUAGES, SENSITIVITY, Language, Text, of_purpose, of_type
from consent.words import CONFIDENTIALITY as LEVEL_WORDS

_EFFECTS: Final[dict[Effect | None, Text]] = {
    Effect.PERMIT: ("Ja.", "Yes."),
    Effect.DENY: ("Nee.", "No."),
    None: ("Dit zegt zelf geen ja of nee.", "This says neither yes nor no itself."),
}
_EVERYTHING: Final[Text] = ("Voor iedereen en over alles.", "For everybody and about everything.")
_UNCLEAR: Final[Text] = ("iets dat niet te begrijpen is", "something that cannot be understood")
_OR: Final[Text] = ("of", "or")
_KIND_OF: Final[dict[str, Text]] = {
    "Organization": ("een soort organisatie ({code})", "a kind of organisation ({code})"),
    "PractitionerRole": ("een soort zorgverlener ({code})", "a kind of professional ({code})"),
}
_SINCE: Final[Text] = ("vanaf {low}", "from {low}")
_UNTIL: Final[Text] = ("tot {high}", "before {high}")
_DATA: Final[dict[str, Text]] = {
    "instance": ("{reference}", "{reference}"),
    "related": ("{reference} en wat daarbij hoort", "{reference} and what belongs to it"),
    "dependents": ("{reference} en wat daarnaar verwijst", "{reference} and what refers to it"),
    "authoredby": ("wat {reference} heeft opgeschreven", "what {reference} wrote"),
}
_MONTHS: Final[tuple[tuple[str, ...], tuple[str, ...]]] = (
    (
        *("januari", "februari", "maart", "april", "mei", "juni"),
        *("juli", "augustus", "september", "oktober", "november", "december"),
    ),
    (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
)


def say(provision: Provision, language: Language, zone: tzinfo, name: Callable[[str], str] = str) -> str:
    """The provision with what it inherits, as short sentences; `name` is what the reader knows `Type/id` by."""
    at = LANGUAGES.index(language)
    narrowing = [
        f"{_capital(ELEMENTS[element][at])}: {_joined(values, at)}."
        for element, values in _elements(provision.condition, language, zone, name)
    ]
    return " ".join((_EFFECTS[provision.effect][at], *(narrowing or (_EVERYTHING[at],))))


def day(instant: int, language: Language, zone: tzinfo) -> str:
    """`3 maart 2026`, of microseconds since 1970 UTC."""
    moment = datetime.fromtimestamp(instant // 1_000_000, UTC).astimezone(zone)
    return f"{moment.day} {_MONTHS[LANGUAGES.index(language)][moment.month - 1]} {moment.year}"


def _elements(
    condition: Condition, language: Language, zone: tzinfo, name: Callable[[str], str]
) -> Iterator[tuple[str, list[str]]]:
    at = LANGUAGES.index(language)

    def stated(element: str, values: Iterable[str], unclear: bool) -> tuple[str, list[str]]:
        return element, [*sorted(values), *([_UNCLEAR[at]] if unclear else [])]

    def actors(element: str, who: Stated[Actor]) -> tuple[str, list[str]]:
        return stated(element, (_actor(one, at, name) for one in who.values), who.unclear)

    if condition.recipients is not None:
        yield actors("actor", condition.recipients)
    if condition.purpose is not None:
        words = (of_purpose(code, language) for code in condition.purpose.values)
        yield stated("purpose", words, condition.purpose.unclear)
    if condition.action is not None:
        yield stated("action", (ACTIONS[one][at] for one in condition.action.values), condition.action.unclear)
    if condition.class_ is not None:
        classes = (
            of_type(code, language) if system == RESOURCE_TYPES else code for system, code in condition.class_.values
        )
        yield stated("class", classes, condition.class_.unclear)
    if condition.code is not None:
        yield stated("code", (code for _, code in condition.code.values), condition.code.unclear)
    if condition.security_label is not None:
        labels = (_label(label, at) for label in condition.security_label.values)
        yield stated("securityLabel", labels, condition.security_label.unclear)
    if condition.authors is not None:
        yield actors("actor (author)", condition.authors)
    if condition.custodians is not None:
        yield actors("actor (custodian)", condition.custodians)
    if condition.data is not None:
        data = (_DATA[one.meaning][at].format(reference=name(one.reference)) for one in condition.data.values)
        yield stated("data", data, condition.data.unclear)
    if condition.data_period is not None:
        yield "dataPeriod", [_period(condition.data_period, language, zone)]
    if condition.period is not None:
        yield "period", [_period(condition.period, language, zone)]


def _actor(actor: Actor, at: int, name: Callable[[str], str]) -> str:
    if isinstance(actor, Category):
        return _KIND_OF.get(actor.type, ("{code}", "{code}"))[at].format(code=actor.code)
    return name(actor.reference)


def _label(label: Coding, at: int) -> str:
    system, code = label
    words = {CONFIDENTIALITY: LEVEL_WORDS, ACT_CODE: SENSITIVITY}.get(system, {})
    return words[code][at] if code in words else code


def _period(period: Period, language: Language, zone: tzinfo) -> str:
    at = LANGUAGES.index(language)
    if period.unclear:
        return _UNCLEAR[at]
    parts = []
    if period.low > BEGINNING:
        parts.append(_SINCE[at].format(low=day(period.low, language, zone)))
    if period.high < FOREVER:
        parts.append(_UNTIL[at].format(high=day(period.high, language, zone)))
    return " ".join(parts) or "–"


def _joined(values: list[str], at: int) -> str:
    *first, last = values or [_UNCLEAR[at]]
    return f"{', '.join(first)} {_OR[at]} {last}" if first else last


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

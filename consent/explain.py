"""A Decision in sentences, in Dutch (level B1) and English, for the patient and the auditor.

Both languages are made from the same basis, sentence by sentence. https://www.w3.org/WAI/WCAG22/Understanding/reading-level
"""

from collections.abc import Callable, Iterator
from typing import Final

from consent.model import Action, Answer, Basis, Decision, Effect, Fate, Finding, Obligation, Rule
from consent.words import LANGUAGES, Language, Text

_OUTCOME: Final[dict[Effect, Text]] = {
    Effect.PERMIT: ("Dit mag.", "This is allowed."),
    Effect.DENY: ("Dit mag niet.", "This is not allowed."),
}
_RULES: Final[dict[tuple[Rule, Effect], Text]] = {
    (Rule.OWN, Effect.PERMIT): ("Het is uw eigen dossier.", "It is your own record."),
    (Rule.PROXY, Effect.PERMIT): (
        "Deze persoon regelt zaken voor de bewoner. Dat is gecontroleerd.",
        "This person acts for the patient. That has been verified.",
    ),
    (Rule.AUTHOR, Effect.PERMIT): (
        "Wie iets zelf heeft opgeschreven, mag dat teruglezen.",
        "Whoever wrote something may read it back.",
    ),
    (Rule.BASE, Effect.DENY): (
        "Geen enkele toestemming gaat hierover. Dan blijft het dossier dicht.",
        "No consent is about this. Then the record stays closed.",
    ),
    (Rule.BASE, Effect.PERMIT): (
        "Geen enkele keuze gaat hierover. Hier is het dossier dan open.",
        "No choice is about this. Here the record is open then.",
    ),
    (Rule.EMERGENCY, Effect.PERMIT): (
        "De noodknop is gebruikt. Daarom mag het nu toch, hooguit een uur.",
        "The emergency button was used. So it is allowed now, for an hour at most.",
    ),
    (Rule.PERSONAL, Effect.DENY): (
        "Toestemmingen en het logboek zijn alleen voor de bewoner zelf.",
        "Consents and the access log are for the patient alone.",
    ),
    (Rule.DIRECTORY, Effect.PERMIT): ("Dit gaat niet over een persoon.", "This is not about a person."),
    (Rule.DIRECTORY, Effect.DENY): (
        "Dit hoort bij de sociale kaart. Alleen de beheerder mag die veranderen.",
        "This belongs to the social map. Only its operator may change it.",
    ),
    (Rule.NOBODY_KNOWN, Effect.DENY): (
        "Er staat niet bij over wie dit gaat. Dan blijft het dicht.",
        "It does not say whom this is about. Then it stays closed.",
    ),
    (Rule.NOBODY_KNOWN, Effect.PERMIT): (
        "Er staat niet bij over wie dit gaat. Hier is het dan open.",
        "It does not say whom this is about. Here it is open then.",
    ),
}
_SAYS: Final[dict[Effect, Text]] = {
    Effect.PERMIT: ("{name} (versie {version}) zegt ja.", "{name} (version {version}) says yes."),
    Effect.DENY: ("{name} (versie {version}) zegt nee.", "{name} (version {version}) says no."),
}
_FATES: Final[dict[Fate, Text]] = {
    Fate.STANDS: ("Die regel telt.", "That rule counts."),
    Fate.NO_MATCH: ("Maar die regel past hier niet: {elements}.", "But that rule does not fit here: {elements}."),
    Fate.EXCEPTION: (
        "Maar in dezelfde toestemming staat een uitzondering.",
        "But the same consent makes an exception.",
    ),
    Fate.BRANCHES_DISAGREE: (
        "Maar in dezelfde toestemming staat ook een nee. Nee gaat dan voor.",
        "But the same consent also says no. Then no wins.",
    ),
    Fate.BEATEN: (
        "Maar {by} gaat preciezer hierover. Die gaat voor.",
        "But {by} is more precisely about this. That one wins.",
    ),
    Fate.OVERRULED: ("Maar {by} zegt nee. Nee gaat dan voor.", "But {by} says no. Then no wins."),
    Fate.NO_TREATMENT_RELATION: (
        "Maar deze zorgverlener wordt niet bij naam genoemd en behandelt de bewoner nu niet.",
        "But this professional is not named and is not treating the patient now.",
    ),
    Fate.SELF_SERVING: (
        "Maar die ja is vastgelegd door wie er zelf toegang door krijgt. Dat telt niet.",
        "But that yes was recorded by the one who gains access by it. That does not count.",
    ),
    Fate.UNVERIFIED: (
        "Maar de bewoner heeft die ja niet zelf gegeven en niet bevestigd.",
        "But the patient did not give that yes and has not confirmed it.",
    ),
    Fate.UNENFORCEABLE: (
        "Maar in die toestemming staat iets dat niet uit te voeren is. Daarom telt de ja niet.",
        "But that consent says something that cannot be enforced. So the yes does not count.",
    ),
    Fate.LIFTED: ("De noodknop gaat hier nu voor.", "The emergency button overrides it now."),
}
_ESCAPES: Final[Text] = (
    "Let op: deze uitzondering is ruimer dan de regel waar zij onder staat.",
    "Note: this exception reaches further than the rule it stands under.",
)
_UNKNOWN: Final[Text] = (
    "Niet alles is bekend ({elements}). Bij twijfel telt een nee mee en een ja niet.",
    "Not everything is known ({elements}). In doubt a no counts and a yes does not.",
)
ELEMENTS: Final[dict[str, Text]] = {
    "scope": ("het soort toestemming", "the kind of consent"),
    "period": ("de periode van de toestemming", "the period of the consent"),
    "actor": ("wie het vraagt", "who asks"),
    "actor (custodian)": ("wie de gegevens bewaart", "who keeps the data"),
    "actor (author)": ("wie het heeft opgeschreven", "who wrote it"),
    "action": ("wat er met de gegevens gebeurt", "what is done with the data"),
    "purpose": ("het doel", "the purpose"),
    "securityLabel": ("hoe gevoelig het is", "how sensitive it is"),
    "class": ("het soort gegevens", "the kind of data"),
    "code": ("het onderwerp", "the subject"),
    "dataPeriod": ("de datum van de gegevens", "the date of the data"),
    "data": ("de gekozen gegevens", "the chosen data"),
}
_OBLIGATIONS: Final[dict[Obligation, Text]] = {
    Obligation.AUDIT_EMERGENCY: ("Dit staat als noodgeval in het logboek.", "This is in the log as an emergency."),
    Obligation.TELL_PATIENT: ("De bewoner krijgt hier bericht van.", "The patient is told about it."),
}
_LIMITS: Final[dict[Action, Text]] = {
    Action.COLLECT: (
        "Dit gaat over iets nieuws dat hierop lijkt.",
        "This is about something new that is like it.",
    ),
    Action.CORRECT: (
        "Wie iets niet zelf heeft opgeschreven, mag het nooit veranderen.",
        "Whoever did not write something may never change it.",
    ),
}


def limit(action: Action, language: Language) -> str:
    """What there is to say of every decision about the action, '' if nothing."""
    return _LIMITS[action][LANGUAGES.index(language)] if action in _LIMITS else ""


def explain(
    decision: Decision, language: Language, name: Callable[[str], str] = lambda consent: f"Consent/{consent}"
) -> list[str]:
    """Why it was decided so, one sentence or two per item; `name` is what the reader knows a Consent by, from its id.

    Never for anybody but the patient, their proxy and the auditor: it tells of restrictions.
    """
    at = LANGUAGES.index(language)
    sentences = [_OUTCOME[decision.effect][at]]
    for basis in decision.basis:
        sentences.extend(_basis(basis, at, name))
    sentences.extend(_OBLIGATIONS[obligation][at] for obligation in Obligation if obligation in decision.obligations)
    return sentences


def _basis(basis: Basis, at: int, name: Callable[[str], str]) -> Iterator[str]:
    rule = _RULES.get((basis.rule, basis.effect))
    if rule is not None:
        yield rule[at]
    # What decided comes first, what did not fit last.
    for finding in sorted(basis.findings, key=lambda f: (f.fate is not Fate.STANDS, f.fate is Fate.NO_MATCH)):
        yield _finding(finding, at, name)


def _finding(finding: Finding, at: int, name: Callable[[str], str]) -> str:
    differing = [element for element, answer in finding.elements if answer is not Answer.YES]
    unknown = [element for element, answer in finding.elements if answer is Answer.UNKNOWN]
    parts = [
        _capital(_SAYS[finding.effect][at].format(name=name(finding.consent), version=finding.version)),
        _FATES[finding.fate][at].format(
            elements=_listed(differing, at), by=name(finding.by[0]) if finding.by is not None else ""
        ),
    ]
    if unknown:
        parts.append(_UNKNOWN[at].format(elements=_listed(unknown, at)))
    if finding.escapes:
        parts.append(_ESCAPES[at])
    return " ".join(parts)


def _listed(elements: list[str], at: int) -> str:
    return ", ".join(ELEMENTS[element][at] for element in elements)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]

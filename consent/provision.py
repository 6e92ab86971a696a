"""One provision against one request and one resource: YES, NO or UNKNOWN, element by element.

An absent element matches anything; several values in one element: any of them; several elements: all of them.
https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Iterator, Set
from typing import Final, Protocol, TypeVar

from consent.model import (
    READS,
    AccessRequest,
    Actor,
    Answer,
    Closure,
    Coding,
    Condition,
    Effect,
    Party,
    Period,
    Stated,
    User,
)
from consent.resource_tests import (
    AuthoredBy,
    Classed,
    Coded,
    KeptBy,
    Labelled,
    OneOf,
    RefersTo,
    ResourceTest,
    Timed,
    Unclear,
    any_of,
)
from consent.vocabulary import CONFIDENTIALITY, LEVELS, RESOURCE_TYPES, Vocabulary

T = TypeVar("T")

# `related` looks at what refers to these, and at what anything else refers to.
_GATHERING: Final = frozenset({"CarePlan", "Encounter", "EpisodeOfCare"})


class World(Protocol):
    """What the rules must be told about the world outside the Consents."""

    def within(self, actor: Actor) -> frozenset[str] | None:
        """All `Type/id` that count as the actor when they author or keep a record: the actor itself, the roles and
        people of an organisation and of those that are part of it. None if that can't be told."""
        ...

    def references(self, reference: str) -> frozenset[str] | None:
        """All `Type/id` that the resource `Type/id` refers to (as it was, if deleted); None if it never existed."""
        ...


# --- What a provision asks of the request ------------------------------------------------------------------------


def ask_request(
    condition: Condition, effect: Effect, request: AccessRequest, vocabulary: Vocabulary
) -> Iterator[tuple[str, Answer]]:
    """The answer of each element that is stated and asks about the request."""
    if condition.period is not None:
        yield "period", _within(condition.period, request.instant)
    if condition.recipients is not None:
        yield "actor", _meets(condition.recipients, request.closure.actors)
    if condition.action is not None:
        # A read needs access, use or disclose, so a deny of any of the three stops it.
        yield "action", _meets(condition.action, READS if request.action in READS else {request.action})
    if condition.purpose is not None:
        yield "purpose", _purpose(condition.purpose, effect, request.purpose, vocabulary)


def user_level(condition: Condition, closure: Closure) -> User:
    """How closely a provision that matches the request names the requester: by the closest of the actors that match."""
    recipients = condition.recipients
    if recipients is None:
        return User.ANY
    if recipients.unclear:
        return User.INDIVIDUAL  # only a deny gets here: somebody is meant, and nobody can tell that it is not them
    return max(closure.levels[actor] for actor in recipients.values if actor in closure.levels)


def _purpose(stated: Stated[str], effect: Effect, asked: str, vocabulary: Vocabulary) -> Answer:
    covering = vocabulary.purposes.get(asked)
    if covering is None:
        return Answer.UNKNOWN  # the token has no purpose, or none that is known here
    if effect is Effect.DENY and asked == "BTG" and "ETREAT" in stated.values:
        return Answer.YES  # who denies emergency treatment by name means the emergency button too
    return _meets(stated, covering)


def _meets(stated: Stated[T], asked: Set[T]) -> Answer:
    if not stated.values.isdisjoint(asked):
        return Answer.YES
    return Answer.UNKNOWN if stated.unclear else Answer.NO


def _within(period: Period, instant: int) -> Answer:
    if period.unclear:
        return Answer.UNKNOWN
    return Answer.YES if period.low <= instant < period.high else Answer.NO


# --- What a provision asks of the resource -----------------------------------------------------------------------


def resource_tests(
    condition: Condition, effect: Effect, world: World, vocabulary: Vocabulary, directory: frozenset[str]
) -> Iterator[tuple[str, ResourceTest]]:
    """The test of each element that is stated and asks about the resource. `directory`: the types without a patient."""
    deny = effect is Effect.DENY
    if condition.custodians is not None:
        kept, unclear = _members(condition.custodians, world)
        yield "actor (custodian)", _perhaps(KeptBy(kept), unclear)
    if condition.authors is not None:
        made, unclear = _members(condition.authors, world)
        yield "actor (author)", _perhaps(AuthoredBy(made), unclear)
    if condition.security_label is not None:
        upwards = (condition.label_direction or effect) is Effect.DENY
        labelled = _labelled(condition.security_label, upwards, vocabulary)
        yield "securityLabel", _perhaps(labelled, condition.security_label.unclear)
    if condition.class_ is not None:
        types = frozenset(code for system, code in condition.class_.values if system == RESOURCE_TYPES)
        documents = frozenset(coding for coding in condition.class_.values if coding[0] != RESOURCE_TYPES)
        classed = Classed(types, documents, within=deny)
        yield "class", _perhaps(classed, condition.class_.unclear)
    if condition.code is not None:
        coded = Coded(condition.code.values, contained=deny)
        yield "code", _perhaps(coded, condition.code.unclear)
    if condition.data_period is not None:
        when = condition.data_period
        # Partial overlap: a deny matches, a permit does not.
        yield "dataPeriod", Unclear() if when.unclear else Timed(when.low, when.high, partly=deny)
    if condition.data is not None:
        yield "data", _data(condition, deny, world, directory)


def _labelled(stated: Stated[Coding], upwards: bool, vocabulary: Vocabulary) -> Labelled:
    """Permit X covers what is at most X, deny X what is at least X; a sensitivity covers its descendants."""
    levels = [LEVELS[code] for system, code in stated.values if system == CONFIDENTIALITY and code in LEVELS]
    labels: set[Coding] = set()
    for coding in stated.values:
        if coding[0] != CONFIDENTIALITY or coding[1] not in LEVELS:
            labels |= vocabulary.labels.get(coding, frozenset({coding}))
    return Labelled(
        at_most=None if upwards or not levels else max(levels),
        at_least=min(levels) if upwards and levels else None,
        labels=frozenset(labels),
    )


def _data(condition: Condition, deny: bool, world: World, directory: frozenset[str]) -> ResourceTest:
    stated = condition.data
    assert stated is not None  # INVARIANT: asked only where data is stated
    people = directory | {"Patient"}
    these: set[str] = set()
    referred: set[str] = set()  # what one of them refers to
    gathering: set[str] = set()  # what refers to these counts, unless it is the Patient or in the directory
    depended: set[str] = set()  # what refers to these counts, whatever it is
    tests: list[ResourceTest] = []
    for item in stated.values:
        if item.meaning == "authoredby":
            authors = world.within(Party(item.reference))
            tests.append(Unclear() if authors is None else AuthoredBy(authors))
            continue
        these.add(item.reference)
        if item.meaning == "instance":
            continue  # it stays put, in a deny too
        inward = item.meaning == "dependents" or item.reference.partition("/")[0] in _GATHERING
        # Denies follow both directions.
        if inward or deny:
            (depended if item.meaning == "dependents" else gathering).add(item.reference)
        if not inward or deny:
            referred |= world.references(item.reference) or frozenset()
    these |= {reference for reference in referred if reference.partition("/")[0] not in people}
    if these:
        tests.append(OneOf(frozenset(these)))
    if gathering:
        tests.append(RefersTo(frozenset(gathering), never=people))
    if depended:
        tests.append(RefersTo(frozenset(depended), never=frozenset()))
    if stated.unclear:
        tests.append(Unclear())
    return any_of(tuple(tests))


def _members(stated: Stated[Actor], world: World) -> tuple[frozenset[str], bool]:
    """All that count as one of the actors, and whether there are actors of whom that can't be told."""
    found: set[str] = set()
    unclear = stated.unclear
    for actor in stated.values:
        members = world.within(actor)
        found |= members or frozenset()
        unclear = unclear or members is None
    return frozenset(found), unclear


def _perhaps(test: ResourceTest, unclear: bool) -> ResourceTest:
    return any_of((test, Unclear())) if unclear else test

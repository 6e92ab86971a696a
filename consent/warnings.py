"""What to tell whoever writes a Consent: exceptions that reach further than their rule, and conflicts with others.

Both are legal. Recency never decides silently, so the answer to a write warns and can offer to end the older Consent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from consent import specificity
from consent.model import (
    READS,
    Actor,
    Category,
    Coding,
    Condition,
    ConsentRecord,
    Data,
    Effect,
    Period,
    Provision,
    Scope,
    Stated,
    User,
)
from consent.provision import World
from consent.vocabulary import CONFIDENTIALITY, LEVELS, RESOURCE_TYPES, Vocabulary

T = TypeVar("T")

_TEAMS = frozenset({"CareTeam", "Group"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """A provision of the new Consent and one of another, of opposite effect, that can meet; and which of them wins.

    `wins` is the effect where they meet: a deny, unless the permit is more specific.
    """

    path: str
    other: str
    other_path: str
    wins: Effect


def escapes(record: ConsentRecord, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The paths of permits that restate an element so that they can match where their parent does not."""
    return tuple(
        provision.path
        for provision in record.provisions
        if provision.effect is Effect.PERMIT
        and provision.parent >= 0
        and not _narrower(provision.condition, record.provisions[provision.parent].condition, vocabulary)
    )


def conflicts(
    record: ConsentRecord, others: Iterable[ConsentRecord], world: World, vocabulary: Vocabulary
) -> tuple[Conflict, ...]:
    """Where the Consent and another active one of the same patient and scope can say yes and no about the same thing.

    It is reported if the two can meet as far as their elements tell; whether they do depends on the records.
    """
    found: list[Conflict] = []
    for other in others:
        same_matter = other.patient == record.patient and other.scope is record.scope
        if other.id != record.id and same_matter and other.active:
            found.extend(_between(record, other, world, vocabulary))
    return tuple(found)


def _between(record: ConsentRecord, other: ConsentRecord, world: World, vocabulary: Vocabulary) -> Iterator[Conflict]:
    if record.scope is Scope.CLINICAL:
        return
    for mine in record.provisions:
        for theirs in other.provisions:
            if None in (mine.effect, theirs.effect) or mine.effect is theirs.effect:
                continue
            permit, deny = (mine, theirs) if mine.effect is Effect.PERMIT else (theirs, mine)
            if _meet(permit.condition, deny.condition, world, vocabulary):
                stronger = specificity.beats(_specificity(permit), _specificity(deny))
                yield Conflict(mine.path, other.id, theirs.path, Effect.PERMIT if stronger else Effect.DENY)


def _specificity(provision: Provision) -> specificity.Specificity:
    effect, condition = provision.effect, provision.condition
    assert effect is not None  # INVARIANT: only provisions that speak are compared
    users = [_user(actor) for actor in condition.recipients.values] if condition.recipients else [User.ANY]
    return (
        specificity.holder(condition, effect),
        (min if effect is Effect.PERMIT else max)(users, default=User.INDIVIDUAL),
        specificity.context(condition, effect),
        specificity.resource(condition, effect),
    )


def _user(actor: Actor) -> User:
    if isinstance(actor, Category):
        return User.ROLE
    kind = actor.reference.partition("/")[0]
    if kind in _TEAMS:
        return User.TEAM
    return User.ORGANISATION if kind == "Organization" else User.INDIVIDUAL


# --- Does the child stay within its parent? ----------------------------------------------------------------------


def _narrower(child: Condition, parent: Condition, vocabulary: Vocabulary) -> bool:
    return (
        _inside(child.period, parent.period)
        and _inside(child.data_period, parent.data_period)
        and _subset(child.recipients, parent.recipients)
        and _subset(child.custodians, parent.custodians)
        and _subset(child.authors, parent.authors)
        and _subset(child.action, parent.action)
        and _subset(child.class_, parent.class_)
        and _subset(child.code, parent.code)
        and _subset(child.data, parent.data)
        and _purposes_inside(child.purpose, parent.purpose, vocabulary)
        and (child.security_label == parent.security_label or parent.security_label is None)
    )


def _inside(child: Period | None, parent: Period | None) -> bool:
    if parent is None:
        return True
    return child is not None and parent.low <= child.low and child.high <= parent.high


def _subset(child: Stated[T] | None, parent: Stated[T] | None) -> bool:
    if parent is None:
        return True
    return child is not None and child.values <= parent.values


def _purposes_inside(child: Stated[str] | None, parent: Stated[str] | None, vocabulary: Vocabulary) -> bool:
    if parent is None:
        return True
    return child is not None and all(
        any(vocabulary.covers(above, purpose) for above in parent.values) for purpose in child.values
    )


# --- Can two conditions match the same request and resource? -----------------------------------------------------


def _meet(permit: Condition, deny: Condition, world: World, vocabulary: Vocabulary) -> bool:
    return (
        _overlap(permit.period, deny.period)
        and _share_actor(permit.recipients, deny.recipients, world)
        and _share_actor(permit.custodians, deny.custodians, world)
        and _share_actor(permit.authors, deny.authors, world)
        and (_share(permit.action, deny.action) or (_reads(permit) and _reads(deny)))
        and _share_purpose(permit.purpose, deny.purpose, vocabulary)
        and _share_label(permit.security_label, deny.security_label)
        and _overlap(permit.data_period, deny.data_period)
        and _share_class(permit.class_, deny.class_)
        and _share(permit.code, deny.code)
        and _share_data(permit.data, deny.data)
    )


def _overlap(one: Period | None, other: Period | None) -> bool:
    return one is None or other is None or (one.low < other.high and other.low < one.high)


def _share(one: Stated[T] | None, other: Stated[T] | None) -> bool:
    return one is None or other is None or not one.values.isdisjoint(other.values)


def _reads(condition: Condition) -> bool:
    return condition.action is None or not condition.action.values.isdisjoint(READS)


def _share_actor(one: Stated[Actor] | None, other: Stated[Actor] | None, world: World) -> bool:
    if one is None or other is None:
        return True
    return any(_same_people(a, b, world) for a in one.values for b in other.values)


def _same_people(one: Actor, other: Actor, world: World) -> bool:
    """Whether somebody can be both: a team or a category can hold anybody."""
    if one == other:
        return True
    for actor in (one, other):
        if isinstance(actor, Category) or actor.reference.partition("/")[0] in _TEAMS:
            return True
    people = world.within(one), world.within(other)
    return people[0] is None or people[1] is None or not people[0].isdisjoint(people[1])


def _share_purpose(permit: Stated[str] | None, deny: Stated[str] | None, vocabulary: Vocabulary) -> bool:
    """One covers the other; and who denies emergency treatment by name means the emergency button too."""
    if permit is None or deny is None:
        return True
    return any(
        vocabulary.covers(yes, no) or vocabulary.covers(no, yes) or (yes, no) == ("BTG", "ETREAT")
        for yes in permit.values
        for no in deny.values
    )


def _share_label(one: Stated[Coding] | None, other: Stated[Coding] | None) -> bool:
    """Confidentiality and a sensitivity can always meet; two sensitivities if they are the same."""
    if one is None or other is None or not one.values.isdisjoint(other.values):
        return True
    return any(system == CONFIDENTIALITY and code in LEVELS for system, code in one.values | other.values)


def _share_class(one: Stated[Coding] | None, other: Stated[Coding] | None) -> bool:
    """Two resource types never meet; a document's class and a type may."""
    if one is None or other is None or not one.values.isdisjoint(other.values):
        return True
    return any(system != RESOURCE_TYPES for system, _ in one.values | other.values)


def _share_data(one: Stated[Data] | None, other: Stated[Data] | None) -> bool:
    """Two single resources never meet; what is related to one may be anything."""
    if one is None or other is None or not one.values.isdisjoint(other.values):
        return True
    return any(item.meaning != "instance" for item in one.values | other.values)

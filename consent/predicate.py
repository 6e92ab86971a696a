"""A predicate over resource attributes: what is left of a policy when the request is known.

Predicates are plain values. Two patients whose policies leave equal predicates can be searched together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from consent.model import PERSONAL, PERSONAL_IN_PART, Answer, ResourceFacts
from consent.resource_tests import OfType, Personal, ResourceTest


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Predicates are compared and sorted into groups over and over, so each knows its own hash."""

    _hash: int = field(init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Certainly(_Hashed):
    """The test answers YES."""

    test: ResourceTest

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("certainly", self.test)))

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Possibly(_Hashed):
    """The test does not answer NO: a missing fact counts as a match."""

    test: ResourceTest

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("possibly", self.test)))

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class All(_Hashed):
    """All of them; `All(())` holds for every resource."""

    children: tuple["Predicate", ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("all", self.children)))

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Any(_Hashed):
    """Any of them; `Any(())` holds for none."""

    children: tuple["Predicate", ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("any", self.children)))

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Not(_Hashed):
    child: "Predicate"

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("not", self.child)))

    __hash__ = _Hashed.__hash__


Predicate: TypeAlias = Certainly | Possibly | All | Any | Not

EVERYTHING: Final = All(())
NOTHING: Final = Any(())


def evaluate(predicate: Predicate, facts: ResourceFacts) -> bool:
    """Whether the predicate holds for the resource. The reference for every database that is asked the same."""
    match predicate:
        case Certainly(test):
            return test.ask(facts) is Answer.YES
        case Possibly(test):
            return test.ask(facts) is not Answer.NO
        case All(children):
            return all(evaluate(child, facts) for child in children)
        case Any(children):
            return any(evaluate(child, facts) for child in children)
        case Not(child):
            return not evaluate(child, facts)


def all_of(children: Iterable[Predicate]) -> Predicate:
    """All of them, laid flat, without doubles and without what always holds."""
    flat: dict[Predicate, None] = {}
    for child in children:
        for part in child.children if isinstance(child, All) else (child,):
            if part == NOTHING:
                return NOTHING
            flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else All(tuple(flat))


def any_of(children: Iterable[Predicate]) -> Predicate:
    """Any of them, laid flat, without doubles and without what never holds."""
    flat: dict[Predicate, None] = {}
    for child in children:
        for part in child.children if isinstance(child, Any) else (child,):
            if part == EVERYTHING:
                return EVERYTHING
            flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else Any(tuple(flat))


def negation(child: Predicate) -> Predicate:
    if child == EVERYTHING:
        return NOTHING
    if child == NOTHING:
        return EVERYTHING
    return child.child if isinstance(child, Not) else Not(child)


def for_type(predicate: Predicate, type: str) -> Predicate:
    """The predicate for resources of one type: what it asks about the type is answered."""
    match predicate:
        case Certainly(OfType(types)) | Possibly(OfType(types)):
            return EVERYTHING if type in types else NOTHING
        case Certainly(Personal()) | Possibly(Personal()) if type not in PERSONAL_IN_PART:
            return EVERYTHING if type in PERSONAL else NOTHING
        case All(children):
            return all_of(for_type(child, type) for child in children)
        case Any(children):
            return any_of(for_type(child, type) for child in children)
        case Not(child):
            return negation(for_type(child, type))
        case _:
            return predicate

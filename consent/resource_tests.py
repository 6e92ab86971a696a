"""What a provision asks of a resource, each as one small value with its answer: YES, NO or UNKNOWN.

They are the leaves of a residual predicate, so a database can be asked the same. Every set in them holds all that
counts: descendants, members and referenced resources are worked out beforehand.
"""

from dataclasses import dataclass
from typing import TypeAlias

from consent.model import PERSONAL, Answer, Coding, ResourceFacts

_NO, _UNKNOWN, _YES = Answer.NO, Answer.UNKNOWN, Answer.YES


@dataclass(frozen=True, slots=True)
class Labelled:
    """`at_most`, `at_least`: a bound on confidentiality (None: not asked). `labels`: any of these sensitivities.

    A label that can't be read may be any label, so it leaves open what is not yet sure.
    """

    at_most: int | None
    at_least: int | None
    labels: frozenset[Coding]

    def ask(self, facts: ResourceFacts) -> Answer:
        unclear = facts.labels_unclear
        if self.at_least is not None and facts.confidentiality >= self.at_least:
            return _YES
        if self.at_most is not None and facts.confidentiality <= self.at_most and not unclear:
            return _YES
        if not self.labels.isdisjoint(facts.labels):
            return _YES
        return _UNKNOWN if unclear else _NO


@dataclass(frozen=True, slots=True)
class Classed:
    """The type is one of `types`, or the document is of one of the `documents` classes.

    `within`: a Bundle with an entry of one of the types counts too.
    """

    types: frozenset[str]
    documents: frozenset[Coding]
    within: bool

    def ask(self, facts: ResourceFacts) -> Answer:
        if facts.type in self.types or not self.documents.isdisjoint(facts.documents):
            return _YES
        if self.within and not self.types.isdisjoint(facts.types_within):
            return _YES
        return _UNKNOWN if self.documents and facts.documents_unclear else _NO


@dataclass(frozen=True, slots=True)
class Coded:
    """One of the principal codes is among `codes`. `contained`: or a code of a contained resource."""

    codes: frozenset[Coding]
    contained: bool

    def ask(self, facts: ResourceFacts) -> Answer:
        if not self.codes.isdisjoint(facts.codes):
            return _YES
        if self.contained and not self.codes.isdisjoint(facts.contained_codes):
            return _YES
        if facts.codes_unclear or (self.contained and facts.contained_codes_unclear):
            return _UNKNOWN
        return _NO


@dataclass(frozen=True, slots=True)
class Timed:
    """The clinical time lies within [low, high); with `partly`, some of it is enough."""

    low: int
    high: int
    partly: bool

    def ask(self, facts: ResourceFacts) -> Answer:
        interval = facts.interval
        if interval is None:
            return _UNKNOWN
        if self.partly:
            return _YES if interval[0] < self.high and interval[1] > self.low else _NO
        return _YES if self.low <= interval[0] and interval[1] <= self.high else _NO


@dataclass(frozen=True, slots=True)
class AuthoredBy:
    authors: frozenset[str]

    def ask(self, facts: ResourceFacts) -> Answer:
        if not self.authors.isdisjoint(facts.authors):
            return _YES
        return _UNKNOWN if facts.authors_unclear else _NO


@dataclass(frozen=True, slots=True)
class KeptBy:
    custodians: frozenset[str]

    def ask(self, facts: ResourceFacts) -> Answer:
        if not self.custodians.isdisjoint(facts.custodians):
            return _YES
        return _UNKNOWN if facts.custodians_unclear else _NO


@dataclass(frozen=True, slots=True)
class OneOf:
    """The resource is one of these, `Type/id`, in any version."""

    references: frozenset[str]

    def ask(self, facts: ResourceFacts) -> Answer:
        return _YES if facts.reference in self.references else _NO


@dataclass(frozen=True, slots=True)
class RefersTo:
    """The resource refers to one of these, and is not of one of the types in `never`."""

    references: frozenset[str]
    never: frozenset[str]

    def ask(self, facts: ResourceFacts) -> Answer:
        if facts.type in self.never or self.references.isdisjoint(facts.references):
            return _NO
        return _YES


@dataclass(frozen=True, slots=True)
class OfType:
    types: frozenset[str]

    def ask(self, facts: ResourceFacts) -> Answer:
        return _YES if facts.type in self.types else _NO


@dataclass(frozen=True, slots=True)
class Personal:
    """The resource is for the patient and their proxy alone."""

    def ask(self, facts: ResourceFacts) -> Answer:
        return _YES if facts.personal or facts.type in PERSONAL else _NO


@dataclass(frozen=True, slots=True)
class Unclear:
    """Stated, but not understood: nobody can tell whether a resource matches."""

    def ask(self, facts: ResourceFacts) -> Answer:
        return _UNKNOWN


@dataclass(frozen=True, slots=True)
class AnyTest:
    """Any of them."""

    tests: tuple["ResourceTest", ...]

    def ask(self, facts: ResourceFacts) -> Answer:
        best = _NO
        for test in self.tests:
            answer = test.ask(facts)
            if answer is _YES:
                return _YES
            if answer is _UNKNOWN:
                best = _UNKNOWN
        return best


ResourceTest: TypeAlias = (
    Labelled | Classed | Coded | Timed | AuthoredBy | KeptBy | OneOf | RefersTo | OfType | Personal | Unclear | AnyTest
)


def any_of(tests: tuple[ResourceTest, ...]) -> ResourceTest:
    """The one test, or any of several."""
    return tests[0] if len(tests) == 1 else AnyTest(tests)

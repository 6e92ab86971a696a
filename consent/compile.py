"""Consents to what can be asked of them again and again: once per write, not once per read.

A Policy holds all Consents of one patient that count. It changes when one of them, the directory or a resource that a
provision names does; whoever keeps it must see to that.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from consent import specificity
from consent.model import (
    BEGINNING,
    FOREVER,
    ConsentRecord,
    Effect,
    Problem,
    Provision,
    Scope,
)
from consent.predicate import Certainly, Possibly, Predicate, all_of
from consent.provision import World, resource_tests
from consent.resource_tests import ResourceTest
from consent.vocabulary import Vocabulary


class Combiner(Enum):
    """How the outcomes of several Consents are brought together."""

    NL_GF = "nl-gf"  # the more specific one wins, a deny if neither is
    DENY_OVERRIDES = "deny-overrides"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment has chosen. `directory`: the types that carry no patient, directory and knowledge."""

    vocabulary: Vocabulary
    directory: frozenset[str]
    base: Effect = Effect.DENY
    combiner: Combiner = Combiner.NL_GF


@dataclass(frozen=True, slots=True)
class CompiledProvision:
    """A provision with what it asks of a resource, and the three axes that don't depend on who asks.

    `effect` is what it is asked as: a silent one, which never has a say, as a permit.
    """

    provision: Provision
    index: int
    effect: Effect
    tests: tuple[tuple[str, ResourceTest], ...]
    matches: Predicate
    holder: int
    context: int
    resource: int
    names_emergency: bool


@dataclass(frozen=True, slots=True)
class CompiledConsent:
    """All provisions in document order, and of these the `speaking` ones, that say permit or deny."""

    record: ConsentRecord
    provisions: tuple[CompiledProvision, ...]
    speaking: tuple[CompiledProvision, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The Consents of one patient that count.

    `proxies`: the RelatedPersons, `Type/id`, who are verified as the patient's proxy, or were when they signed;
    `changes`: the instants at which a period begins or ends, sorted.
    """

    patient: str
    consents: tuple[CompiledConsent, ...]
    proxies: frozenset[str]
    changes: tuple[int, ...]

    def next_change(self, instant: int) -> int:
        """The first of the changes after the instant, FOREVER if there is none."""
        at = bisect_right(self.changes, instant)
        return self.changes[at] if at < len(self.changes) else FOREVER


def compile_policy(patient: str, consents: Iterable[CompiledConsent], proxies: frozenset[str] = frozenset()) -> Policy:
    """The policy of a patient, from all their Consents: those that don't count are left out."""
    counted = tuple(sorted((c for c in consents if counts(c.record)), key=lambda c: (c.record.id, c.record.version)))
    changes = {
        instant
        for consent in counted
        for speaking in consent.speaking
        if (period := speaking.provision.condition.period) is not None and not period.unclear
        for instant in (period.low, period.high)
        if BEGINNING < instant < FOREVER
    }
    return Policy(patient, counted, proxies, tuple(sorted(changes)))


def counts(record: ConsentRecord) -> bool:
    """Whether a Consent has a say at all: active, and about privacy (or research, for the purposes of that)."""
    return record.active and record.scope is not Scope.CLINICAL


def compile_consent(record: ConsentRecord, world: World, rules: Rules) -> CompiledConsent:
    """One version of a Consent, ready to be asked."""
    compiled: list[CompiledProvision] = []
    problems = list(record.problems)
    for index, provision in enumerate(record.provisions):
        effect, condition = provision.effect, provision.condition
        if condition.data is not None and "data" in provision.restated:
            for item in sorted(condition.data.values, key=lambda item: item.reference):
                if item.meaning != "authoredby" and world.references(item.reference) is None:
                    problems.append(Problem(f"{provision.path}.data", "refers to a resource that was never here"))
        asked_as = effect or Effect.PERMIT
        tests = tuple(resource_tests(condition, asked_as, world, rules.vocabulary, rules.directory))
        # A missing fact counts as a match for a deny, as none for a permit.
        kind = Certainly if asked_as is Effect.PERMIT else Possibly
        compiled.append(
            CompiledProvision(
                provision=provision,
                index=index,
                effect=asked_as,
                tests=tests,
                matches=all_of(kind(test) for _, test in tests),
                holder=specificity.holder(condition, asked_as),
                context=specificity.context(condition, asked_as),
                resource=specificity.resource(condition, asked_as),
                names_emergency=condition.purpose is not None
                and not condition.purpose.values.isdisjoint({"BTG", "ETREAT"}),
            )
        )
    speaking = tuple(c for c in compiled if c.provision.effect is not None)
    return CompiledConsent(record, tuple(compiled), speaking, tuple(problems))

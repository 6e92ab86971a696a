"""(request, Consents) to a predicate over resource attributes only, equal to `decide` on every resource.

It holds for a resource exactly when the one patient's rules permit it; a resource about several patients needs each of
theirs.
"""

from consent.bind import Bound
from consent.model import Effect
from consent.predicate import EVERYTHING, Certainly, Predicate, all_of, any_of, negation
from consent.resource_tests import AuthoredBy, Labelled, Personal
from consent.vocabulary import RESTRICTED


def residual(bound: Bound) -> Predicate:
    """Which resources of the patient the request may have."""
    if bound.always is not None:
        return EVERYTHING
    outcome = _outcomes(bound)
    denied, denied_by_name, permitted = [], [], []
    unbeaten: dict[int, Predicate] = {}
    for candidate in bound.candidates:
        if candidate.compiled.effect is Effect.PERMIT:
            permitted.append(outcome[candidate.bit])
            continue
        by = candidate.beaten_by
        if by not in unbeaten:
            unbeaten[by] = negation(any_of(outcome[other] for other in _bits(by)))
        stands = all_of((outcome[candidate.bit], unbeaten[by]))
        denied.append(stands)
        if candidate.bit & bound.named:
            denied_by_name.append(stands)
    if bound.rules.base is Effect.PERMIT:
        allowed = negation(any_of(denied))
    else:
        # Who made a record may read it back, unless a deny matches.
        own_work = Certainly(AuthoredBy(bound.individuals)) if bound.individuals else any_of(())
        allowed = all_of((any_of((*permitted, own_work)), negation(any_of(denied))))
    if bound.emergency:
        up_to_restricted = Certainly(Labelled(at_most=RESTRICTED, at_least=None, labels=frozenset()))
        allowed = any_of((allowed, all_of((up_to_restricted, negation(any_of(denied_by_name))))))
    return all_of((negation(Certainly(Personal())), allowed))


def _outcomes(bound: Bound) -> dict[int, Predicate]:
    """Of each provision, by its bit: when it is an outcome of its Consent."""
    matches = {candidate.bit: candidate.compiled.matches for candidate in bound.candidates}
    wins = {
        candidate.bit: all_of(
            (matches[candidate.bit], negation(any_of(matches[bit] for bit in _bits(candidate.below))))
        )
        for candidate in bound.candidates
    }
    outcome = dict(wins)
    for bits in bound.by_consent:
        # Where branches of one Consent disagree, deny wins.
        undenied = negation(any_of(wins[bit] for bit in _bits(bits & bound.denies)))
        for bit in _bits(bits & bound.permits):
            outcome[bit] = all_of((wins[bit], undenied))
    return outcome


def _bits(bits: int) -> list[int]:
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest)
        bits ^= lowest
    return found

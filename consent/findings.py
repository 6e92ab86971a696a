"""What became of every provision in a decision: the full basis, for the patient and the auditor only.

Nobody else is told that a restriction exists (Regulation (EU) 2025/327, art. 8).
"""

from collections.abc import Iterator

from consent.bind import Bound, Candidate, Verdict, applies, lacks_relation, least, void
from consent.compile import CompiledConsent, CompiledProvision
from consent.model import Answer, Effect, Fate, Finding, ResourceFacts, Rule
from consent.provision import ask_request, user_level


def findings(bound: Bound, facts: ResourceFacts, verdict: Verdict) -> tuple[Finding, ...]:
    """One Finding for each provision that speaks, of each Consent that is about the request, in document order.

    Empty where no Consent was asked: for the patient and their proxy, and for what is theirs alone.
    """
    if verdict.rule in (Rule.OWN, Rule.PROXY, Rule.PERSONAL):
        return ()
    return tuple(_findings(bound, facts, verdict))


def _findings(bound: Bound, facts: ResourceFacts, verdict: Verdict) -> Iterator[Finding]:
    candidates = {(c.consent.record.id, c.compiled.index): c for c in bound.candidates}
    for consent in bound.policy.consents:
        scope = applies(consent, bound.request, bound.rules.vocabulary)
        if scope is Answer.NO:
            continue
        voided = void(consent, bound.policy, bound.request)
        for compiled in consent.speaking:
            elements = tuple(answers(bound, facts, compiled))
            if scope is Answer.UNKNOWN:
                elements = (("scope", scope), *elements)
            candidate = candidates.get((consent.record.id, compiled.index))
            fate, by = _fate(bound, verdict, compiled, elements, voided, candidate)
            yield Finding(
                consent=consent.record.id,
                version=consent.record.version,
                path=compiled.provision.path,
                effect=compiled.effect,
                fate=fate,
                elements=elements,
                by=by,
                escapes=fate is Fate.STANDS and _escapes(bound, facts, consent, compiled),
            )


def answers(bound: Bound, facts: ResourceFacts, compiled: CompiledProvision) -> Iterator[tuple[str, Answer]]:
    """The answer of each element the provision states, about the request first."""
    yield from ask_request(compiled.provision.condition, compiled.effect, bound.request, bound.rules.vocabulary)
    for name, test in compiled.tests:
        yield name, test.ask(facts)


def _fate(
    bound: Bound,
    verdict: Verdict,
    compiled: CompiledProvision,
    elements: tuple[tuple[str, Answer], ...],
    voided: Fate | None,
    candidate: Candidate | None,
) -> tuple[Fate, tuple[str, str] | None]:
    permit = compiled.effect is Effect.PERMIT
    if any(answer < least(compiled.effect) for _, answer in elements):
        return Fate.NO_MATCH, None
    if permit and voided is not None:
        return voided, None
    request, vocabulary = bound.request, bound.rules.vocabulary
    user = user_level(compiled.provision.condition, request.closure)
    if permit and lacks_relation(user, bound.policy, request, vocabulary):
        return Fate.NO_TREATMENT_RELATION, None
    assert candidate is not None  # INVARIANT: whatever matches the request and is not void is a candidate
    if not verdict.wins & candidate.bit:
        if verdict.matched & candidate.below:
            return Fate.EXCEPTION, _name(bound, verdict.matched & candidate.below)
        mine = next(bits for bits in bound.by_consent if bits & candidate.bit)
        return Fate.BRANCHES_DISAGREE, _name(bound, verdict.wins & mine & bound.denies)
    if not verdict.stands & candidate.bit:
        return Fate.BEATEN, _name(bound, verdict.wins & candidate.beaten_by)
    if verdict.rule is Rule.EMERGENCY and not permit:
        return Fate.LIFTED, None
    if permit and verdict.stands & bound.denies:
        return Fate.OVERRULED, _name(bound, verdict.stands & bound.denies)
    return Fate.STANDS, None


def _name(bound: Bound, bits: int) -> tuple[str, str]:
    """The first provision among the bits, as (Consent id, path)."""
    found = bound.candidates[(bits & -bits).bit_length() - 1]
    return found.consent.record.id, found.compiled.provision.path


def _escapes(bound: Bound, facts: ResourceFacts, consent: CompiledConsent, compiled: CompiledProvision) -> bool:
    """Whether a permit matches where its parent does not: legal, and worth saying."""
    if compiled.effect is not Effect.PERMIT or compiled.provision.parent < 0:
        return False
    parent = consent.provisions[compiled.provision.parent]
    return any(answer < least(parent.effect) for _, answer in answers(bound, facts, parent))

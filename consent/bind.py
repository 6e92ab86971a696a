"""A Policy against one request: what is left asks about the resource only.

Everything that depends on who asks, why, for what action and when is answered once; a provision that can't match any
more is gone. The rest are bits: which provisions match a resource is one integer, and the answer follows from that.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from consent import specificity
from consent.compile import Combiner, CompiledConsent, CompiledProvision, Policy, Rules
from consent.model import (
    EMERGENCY_WINDOW_MAX,
    FOREVER,
    PERSONAL,
    READS,
    AccessRequest,
    Answer,
    Basis,
    Decision,
    Effect,
    Fate,
    Finding,
    Obligation,
    ResourceFacts,
    Rule,
    Scope,
    User,
)
from consent.provision import ask_request, user_level
from consent.vocabulary import RESTRICTED, Vocabulary

EMERGENCY_OBLIGATIONS: Final = frozenset({Obligation.AUDIT_EMERGENCY, Obligation.TELL_PATIENT})

_PROFESSIONALS: Final = frozenset({"Organization", "Practitioner", "PractitionerRole"})
_MEMO_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provision that this request can match. Its bit, and the bits of those below it and of permits that beat it."""

    consent: CompiledConsent
    compiled: CompiledProvision
    bit: int
    below: int
    beaten_by: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the Consents and the base policy make of a resource for which the provisions in `matched` match.

    `wins` are those not silenced within their own Consent, `stands` those that no other Consent's beat; bits both.
    """

    effect: Effect
    rule: Rule
    matched: int
    wins: int
    stands: int


class Bound:
    """The rules of one patient for one request. Lives as long as `valid_until`; remembers what it decided."""

    def __init__(self, policy: Policy, request: AccessRequest, rules: Rules) -> None:
        self.policy = policy
        self.request = request
        self.rules = rules
        self.always = _always(policy, request)
        self.individuals = request.closure.individuals if request.action in READS else frozenset()
        self.emergency = _emergency(request)
        self.candidates = () if self.always else _candidates(policy, request, rules)
        self.permits = sum(c.bit for c in self.candidates if c.compiled.effect is Effect.PERMIT)
        denies = [c for c in self.candidates if c.compiled.effect is Effect.DENY]
        self.denies = sum(c.bit for c in denies)
        self.named = sum(c.bit for c in denies if c.compiled.names_emergency)
        self.by_consent = _by_consent(self.candidates)
        self.valid_until = _valid_until(policy, request)
        self._asked = tuple(
            (c.bit, c.compiled.effect is Effect.PERMIT, tuple(test.ask for _, test in c.compiled.tests))
            for c in self.candidates
        )
        self._memo: dict[tuple[int, bool, bool], Verdict] = {}
        self._decisions: dict[Verdict, Decision] = {}

    def verdict(self, facts: ResourceFacts) -> Verdict:
        """What the rules say about the resource, as far as this patient is concerned."""
        if self.always is not None:
            return Verdict(Effect.PERMIT, self.always, 0, 0, 0)
        if facts.personal or facts.type in PERSONAL:
            return Verdict(Effect.DENY, Rule.PERSONAL, 0, 0, 0)
        matched = self.matched(facts)
        author = not self.individuals.isdisjoint(facts.authors)
        # The emergency button lifts up to R; a label that can't be read may be V.
        liftable = self.emergency and facts.confidentiality <= RESTRICTED and not facts.labels_unclear
        key = (matched, author, liftable)
        found = self._memo.get(key)
        if found is None:
            found = self._decide(matched, author, liftable)
            if len(self._memo) < _MEMO_MAX:
                self._memo[key] = found
        return found

    def decide(self, facts: ResourceFacts) -> Decision:
        """The decision about this patient, citing what stands; `findings.findings` tells the rest."""
        verdict = self.verdict(facts)
        found = self._decisions.get(verdict)
        if found is None:
            found = self.decision(verdict, self._standing(verdict))
            if len(self._decisions) < _MEMO_MAX:
                self._decisions[verdict] = found
        return found

    def decision(self, verdict: Verdict, findings: tuple[Finding, ...]) -> Decision:
        basis = Basis(self.policy.patient, verdict.effect, verdict.rule, self.rules.combiner.value, findings)
        lifted = verdict.rule is Rule.EMERGENCY
        return Decision(verdict.effect, (basis,), EMERGENCY_OBLIGATIONS if lifted else frozenset(), self.valid_until)

    def _standing(self, verdict: Verdict) -> tuple[Finding, ...]:
        cited = []
        for candidate in self.candidates:
            # Where a deny stands, the permits beside it decide nothing.
            effect = candidate.compiled.effect
            if candidate.bit & verdict.stands and (effect is Effect.DENY or not verdict.stands & self.denies):
                fate = Fate.LIFTED if verdict.rule is Rule.EMERGENCY else Fate.STANDS
                record = candidate.consent.record
                cited.append(Finding(record.id, record.version, candidate.compiled.provision.path, effect, fate))
        return tuple(cited)

    def matched(self, facts: ResourceFacts) -> int:
        """The bits of the provisions that match: YES for a permit, YES or UNKNOWN for a deny."""
        matched = 0
        no, unknown = Answer.NO, Answer.UNKNOWN
        for bit, permit, asks in self._asked:
            for ask in asks:
                answer = ask(facts)
                if answer is no or (permit and answer is unknown):
                    break
            else:
                matched |= bit
        return matched

    def _decide(self, matched: int, author: bool, liftable: bool) -> Verdict:
        wins = self._wins(matched)
        stands = wins
        for candidate in self.candidates:
            if wins & candidate.bit and wins & candidate.beaten_by:
                stands &= ~candidate.bit
        if stands & self.denies:
            effect, rule = Effect.DENY, Rule.CONSENT
        elif wins:
            effect, rule = Effect.PERMIT, Rule.CONSENT
        elif author:
            effect, rule = Effect.PERMIT, Rule.AUTHOR
        else:
            effect, rule = self.rules.base, Rule.BASE
        if effect is Effect.DENY and liftable and not stands & self.named:
            effect, rule = Effect.PERMIT, Rule.EMERGENCY
        return Verdict(effect, rule, matched, wins, stands)

    def _wins(self, matched: int) -> int:
        """On a branch the deepest match wins; where branches of one Consent disagree, deny wins."""
        wins = 0
        for candidate in self.candidates:
            if matched & candidate.bit and not matched & candidate.below:
                wins |= candidate.bit
        for bits in self.by_consent:
            if wins & bits & self.denies:
                wins &= ~(bits & self.permits)
        return wins


def bind(policy: Policy, request: AccessRequest, rules: Rules) -> Bound:
    """The rules of the policy's patient for the request, ready to be asked about resources."""
    return Bound(policy, request, rules)


def least(effect: Effect) -> Answer:
    """The answer it takes to match: YES for a permit, for a deny UNKNOWN will do."""
    return Answer.YES if effect is Effect.PERMIT else Answer.UNKNOWN


def void(consent: CompiledConsent, policy: Policy, request: AccessRequest) -> Fate | None:
    """Why no permit of the Consent counts for this request; None if they do. Its denies always stand."""
    record = consent.record
    if consent.problems:
        return Fate.UNENFORCEABLE
    own = policy.proxies | {f"Patient/{policy.patient}"}
    if record.performers and not record.verified and record.performers.isdisjoint(own):
        return Fate.UNVERIFIED
    closure = request.closure
    for performer in record.performers:
        if performer.partition("/")[0] in _PROFESSIONALS and (
            performer in closure.individuals or performer in closure.organisations
        ):
            return Fate.SELF_SERVING
    return None


def lacks_relation(user: User, policy: Policy, request: AccessRequest, vocabulary: Vocabulary) -> bool:
    """Whether a permit that names the requester no closer than by category lacks the treatment relation it needs."""
    if user > User.ROLE or not request.closure.professional or policy.patient in request.treats:
        return False
    # Without a known purpose nobody can tell that it is not treatment; BTG is treatment, if only by its place in v3.
    purpose = request.purpose
    return purpose not in vocabulary.purposes or purpose == "BTG" or vocabulary.covers("TREAT", purpose)


def applies(consent: CompiledConsent, request: AccessRequest, vocabulary: Vocabulary) -> Answer:
    """Whether a Consent's scope is about this request: a research Consent speaks of purposes under HRESCH only."""
    if consent.record.scope is not Scope.RESEARCH:
        return Answer.YES
    if request.purpose not in vocabulary.purposes:
        return Answer.UNKNOWN
    return Answer.YES if vocabulary.covers("HRESCH", request.purpose) else Answer.NO


def _always(policy: Policy, request: AccessRequest) -> Rule | None:
    """The patient and a verified proxy always see the patient's own dossier."""
    if f"Patient/{policy.patient}" in request.closure.individuals:
        return Rule.OWN
    return Rule.PROXY if policy.patient in request.represents else None


def _emergency(request: AccessRequest) -> bool:
    """Whether the emergency button is pressed as it must be: who may, a reason in words, at most an hour."""
    window = request.emergency
    return (
        window is not None
        and request.purpose == "BTG"
        and request.action in READS
        and request.closure.professional
        and window.allowed
        and bool(window.reason.strip())
        and window.opened <= request.instant < window.closes
        and window.closes - window.opened <= EMERGENCY_WINDOW_MAX
    )


def _candidates(policy: Policy, request: AccessRequest, rules: Rules) -> tuple[Candidate, ...]:
    found = list(_possible(policy, request, rules))
    ends: dict[int, int] = {}
    starts: dict[int, int] = {}
    permits: dict[specificity.Specificity, int] = {}
    for at, (consent, compiled, mine) in enumerate(found):
        starts.setdefault(id(consent), at)
        ends[id(consent)] = at + 1
        if compiled.effect is Effect.PERMIT:
            permits[mine] = permits.get(mine, 0) | 1 << at
    candidates: list[Candidate] = []
    for at, (consent, compiled, mine) in enumerate(found):
        start, end = starts[id(consent)], ends[id(consent)]
        # The descendants stand right behind it.
        last = bisect_left(found, compiled.provision.end, at + 1, end, key=lambda each: each[1].index)
        below = (1 << last) - (1 << (at + 1))
        beaten_by = 0
        if rules.combiner is Combiner.NL_GF and compiled.effect is Effect.DENY:
            for theirs, bits in permits.items():
                if specificity.beats(theirs, mine):
                    beaten_by |= bits
            beaten_by &= ~((1 << end) - (1 << start))
        candidates.append(Candidate(consent, compiled, 1 << at, below, beaten_by))
    return tuple(candidates)


def _possible(
    policy: Policy, request: AccessRequest, rules: Rules
) -> Iterator[tuple[CompiledConsent, CompiledProvision, specificity.Specificity]]:
    """The provisions that the request matches, as far as it goes, with their specificity for it."""
    for consent in policy.consents:
        scope = applies(consent, request, rules.vocabulary)
        if scope is Answer.NO:
            continue
        voided = void(consent, policy, request) is not None
        for compiled in consent.speaking:
            permit = compiled.effect is Effect.PERMIT
            if permit and (voided or scope is Answer.UNKNOWN):
                continue
            enough = least(compiled.effect)
            condition = compiled.provision.condition
            if any(answer < enough for _, answer in ask_request(condition, compiled.effect, request, rules.vocabulary)):
                continue
            user = user_level(condition, request.closure)
            if permit and lacks_relation(user, policy, request, rules.vocabulary):
                continue
            yield consent, compiled, (compiled.holder, user, compiled.context, compiled.resource)


def _by_consent(candidates: tuple[Candidate, ...]) -> tuple[int, ...]:
    bits: dict[int, int] = {}
    for candidate in candidates:
        key = id(candidate.consent)
        bits[key] = bits.get(key, 0) | candidate.bit
    return tuple(bits.values())


def _valid_until(policy: Policy, request: AccessRequest) -> int:
    until = min(policy.next_change(request.instant), request.valid_until, request.closure.valid_until)
    window = request.emergency
    if window is not None:
        until = min([until, *(instant for instant in (window.opened, window.closes) if instant > request.instant)])
    return min(until, FOREVER)

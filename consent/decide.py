"""May this request have this resource? One Decision, with everything it rests on.

A resource about several patients needs a permit from every one of them; one about nobody is in the directory or denied.
"""

from collections.abc import Mapping

from consent.bind import Bound, bind
from consent.compile import Policy, Rules, compile_policy
from consent.findings import findings
from consent.model import (
    PERSONAL,
    READS,
    AccessRequest,
    Basis,
    Decision,
    Effect,
    ResourceFacts,
    Rule,
)


def decide(request: AccessRequest, facts: ResourceFacts, policies: Mapping[str, Policy], rules: Rules) -> Decision:
    """The decision with its full basis. `policies` by the patient's logical id; without one no Consent has spoken."""
    decisions = []
    for patient in facts.patients:
        bound = bind(policies.get(patient) or compile_policy(patient, ()), request, rules)
        verdict = bound.verdict(facts)
        decisions.append(bound.decision(verdict, findings(bound, facts, verdict)))
    return together(decisions) if decisions else unowned(request, facts, rules)


def decide_bound(bounds: Mapping[str, Bound], request: AccessRequest, facts: ResourceFacts, rules: Rules) -> Decision:
    """The same decision, citing only what stands, where the policies are already bound to the request.

    `bounds` must hold every patient of the resource: raises KeyError otherwise.
    """
    patients = facts.patients
    if len(patients) == 1:
        return bounds[patients[0]].decide(facts)
    if not patients:
        return unowned(request, facts, rules)
    return together([bounds[patient].decide(facts) for patient in patients])


def unowned(request: AccessRequest, facts: ResourceFacts, rules: Rules) -> Decision:
    """About a resource that names no patient: the directory can be read, a type on no list is denied."""
    if facts.personal or facts.type in PERSONAL:
        effect, rule = Effect.DENY, Rule.PERSONAL
    elif facts.type in rules.directory and request.action in READS:
        effect, rule = Effect.PERMIT, Rule.DIRECTORY
    elif facts.type in rules.directory:
        effect, rule = rules.base, Rule.DIRECTORY
    else:
        effect, rule = rules.base, Rule.NOBODY_KNOWN
    return Decision(effect, (Basis("", effect, rule, rules.combiner.value),))


def together(decisions: list[Decision]) -> Decision:
    """Every patient must permit."""
    if len(decisions) == 1:
        return decisions[0]
    permitted = all(decision.permitted for decision in decisions)
    return Decision(
        effect=Effect.PERMIT if permitted else Effect.DENY,
        basis=tuple(basis for decision in decisions for basis in decision.basis),
        obligations=frozenset().union(*(decision.obligations for decision in decisions)) if permitted else frozenset(),
        valid_until=min(decision.valid_until for decision in decisions),
    )

"""The engine agrees with the slow interpreter of the text, and the residual predicate with the engine, on random cases.

The ordinary suite asks some thousands of (Consents, request, resource) triples, WIJKDOSSIER_LONG=1 over 100,000.
"""

import ast
import os
from collections import Counter
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings

from consent.bind import bind
from consent.compile import Policy, Rules, compile_consent, compile_policy
from consent.decide import decide, decide_bound, unowned
from consent.findings import findings
from consent.model import AccessRequest, Answer, Effect, Fate, ResourceFacts, Rule
from consent.parse import parse
from consent.predicate import evaluate, for_type
from consent.residual import residual
from tests.consent import making, reference
from tests.consent.strategies import chosen_rules, consents, requests, resources, worlds
from tests.consent.wijk import ZONE, Wijk

Json = dict[str, Any]

REQUESTS, RESOURCES = 4, 8
TRIPLES_PER_EXAMPLE = REQUESTS * RESOURCES
EXAMPLES = 100_000 // TRIPLES_PER_EXAMPLE + 1 if os.environ.get("WIJKDOSSIER_LONG") == "1" else 300
PROXIES = frozenset({"RelatedPerson/proxy"})

settings.register_profile(
    "consent",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=os.environ.get("WIJKDOSSIER_LONG") != "1",
)
cases = given(
    mine=consents(),
    theirs=consents(),
    asked=requests(REQUESTS),
    about=resources(RESOURCES),
    world=worlds,
    rules=chosen_rules,
)


def policies(consents_of: dict[str, list[Json]], world: Wijk, rules: Rules) -> dict[str, Policy]:
    return {
        patient: compile_policy(
            patient, [compile_consent(parse(one, rules.vocabulary, ZONE), world, rules) for one in several], PROXIES
        )
        for patient, several in consents_of.items()
    }


@settings(settings.get_profile("consent"))
@cases
def test_decide_agrees_with_the_reference(
    mine: list[Json],
    theirs: list[Json],
    asked: list[AccessRequest],
    about: list[ResourceFacts],
    world: Wijk,
    rules: Rules,
) -> None:
    consents_of = {"1": mine, "2": theirs}
    compiled = policies(consents_of, world, rules)
    for request in asked:
        for facts in about:
            if not facts.patients:
                continue
            expected = reference.answer(
                [
                    reference.Case(
                        patient=patient,
                        consents=consents_of[patient],
                        proxies=set(PROXIES),
                        request=request,
                        facts=facts,
                        world=world,
                        directory=rules.directory,
                        base=rules.base.value,
                        combiner=rules.combiner.value,
                    )
                    for patient in facts.patients
                ]
            )
            decision = decide(request, facts, compiled, rules)
            answer = reference.LIFT if decision.obligations else decision.effect.value
            assert answer == expected, (request, facts)


@settings(settings.get_profile("consent"))
@cases
def test_residual_and_bound_agree_with_decide(
    mine: list[Json],
    theirs: list[Json],
    asked: list[AccessRequest],
    about: list[ResourceFacts],
    world: Wijk,
    rules: Rules,
) -> None:
    compiled = policies({"1": mine, "2": theirs}, world, rules)
    for request in asked:
        bounds = {patient: bind(policy, request, rules) for patient, policy in compiled.items()}
        predicates = {patient: residual(bound) for patient, bound in bounds.items()}
        for facts in about:
            full = decide(request, facts, compiled, rules)
            quick = decide_bound(bounds, request, facts, rules)
            assert (quick.effect, quick.obligations, quick.valid_until) == (
                full.effect,
                full.obligations,
                full.valid_until,
            )
            if not facts.patients:
                assert full == unowned(request, facts, rules)
                continue
            for patient in facts.patients:
                by_predicate = evaluate(predicates[patient], facts)
                assert by_predicate == bounds[patient].decide(facts).permitted
                assert by_predicate == evaluate(for_type(predicates[patient], facts.type), facts)
            assert full.permitted == all(evaluate(predicates[patient], facts) for patient in facts.patients)


@settings(settings.get_profile("consent"))
@cases
def test_the_basis_explains_the_effect(
    mine: list[Json],
    theirs: list[Json],
    asked: list[AccessRequest],
    about: list[ResourceFacts],
    world: Wijk,
    rules: Rules,
) -> None:
    """A decision that rests on Consents cites a provision of its own effect that stands; the quick one cites the same."""
    compiled = policies({"1": mine, "2": theirs}, world, rules)
    for request in asked:
        bounds = {patient: bind(policy, request, rules) for patient, policy in compiled.items()}
        for facts in about:
            for patient in facts.patients:
                bound = bounds[patient]
                verdict = bound.verdict(facts)
                found = findings(bound, facts, verdict)
                stands = {(f.consent, f.path, f.effect) for f in found if f.fate in (Fate.STANDS, Fate.LIFTED)}
                cited = {(f.consent, f.path, f.effect) for f in bound.decide(facts).basis[0].findings}
                assert cited == stands
                if verdict.rule.value == "consent":
                    assert {effect for _, _, effect in stands} == {verdict.effect}
                elif verdict.rule.value == "emergency":
                    assert {effect for _, _, effect in stands} <= {Effect.DENY}
                else:
                    assert not stands


def test_the_random_cases_reach_every_fate_rule_and_element() -> None:
    """Agreement says nothing about what never happens, so what these cases are made from has to come everywhere."""
    seen: Counter[object] = Counter()
    for seed in range(300):
        random = Random(seed)
        rules = making.deployment(random)
        mine, theirs = ([making.one_consent(random, n, random.randint(0, 2)) for n in range(3)] for _ in range(2))
        compiled = policies({"1": mine, "2": theirs}, making.world(random), rules)
        for request, facts in product(
            [making.request(random) for _ in range(3)], [making.facts(random) for _ in range(4)]
        ):
            decision = decide(request, facts, compiled, rules)
            seen[decision.effect, len(facts.patients)] += 1
            for basis in decision.basis:
                found = basis.findings
                seen.update({basis.rule, *(f.fate for f in found), *(f.escapes for f in found)})
                seen.update({(name, f.effect, answer) for f in found for name, answer in f.elements})
    elements = {name for name, *_ in (key for key in seen if isinstance(key, tuple) and len(key) == 3)}
    assert len(elements) == 12
    wanted = [
        *Fate,
        *Rule,
        *((effect, patients) for effect in Effect for patients in (0, 1, 2)),
        *((name, effect, Answer.YES) for name in elements - {"scope"} for effect in Effect),
        *((name, effect, Answer.NO) for name in elements - {"scope"} for effect in Effect),
        *((name, Effect.DENY, Answer.UNKNOWN) for name in elements - {"period", "action"}),
        True,  # a permit that escapes its parent
    ]
    assert {key: seen[key] for key in wanted if seen[key] < 5} == {}


def test_the_reference_knows_nothing_of_the_engine() -> None:
    tree = ast.parse(Path(reference.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in imported if name and name.startswith(("consent", "tests", "fhir_server"))} == {
        "consent.model"
    }
    # Of the engine's values it uses those that a question is made of, and none that an answer is made of.
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert named >= {"AccessRequest", "Category", "Party", "ResourceFacts"}
    assert named.isdisjoint({"Decision", "Provision", "Condition", "ConsentRecord", "Basis", "Finding", "Answer"})

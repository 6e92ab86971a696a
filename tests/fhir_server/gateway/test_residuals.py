"""A residual predicate and the query made of it hold for the same resources, whatever is filed."""

from dataclasses import replace
from random import Random

import pytest

from consent.bind import bind
from consent.compile import compile_consent, compile_policy
from consent.model import ResourceFacts
from consent.parse import parse
from consent.predicate import evaluate
from consent.residual import residual
from fhir_server.gateway.filing import Filing, decode, encode, filed
from fhir_server.gateway.residuals import as_query
from fhir_server.search.query import And, Filed, FiledSpan, Ids, Not, Or, Predicate
from tests.consent import making
from tests.consent.wijk import ZONE, words

CASES = 3_000


def holds(predicate: Predicate, facts: ResourceFacts) -> bool:
    """What a store must answer, of the rows that are filed."""
    match predicate:
        case And(children):
            return all(holds(child, facts) for child in children)
        case Or(children):
            return any(holds(child, facts) for child in children)
        case Not(child):
            return not holds(child, facts)
        case Filed(kind, values):
            return any(row.kind == kind and row.value in values for row in filed(facts))
        case FiledSpan(low, high, partly):
            if facts.interval is None:
                return False
            start, end = facts.interval
            return start < high and end > low if partly else low <= start and end <= high
        case Ids(ids):
            return facts.id in ids
    raise AssertionError(predicate)


def test_a_query_holds_exactly_where_its_residual_predicate_does() -> None:
    random = Random(20261122)
    permitted = 0
    for _ in range(CASES):
        chosen = making.deployment(random)
        world = making.world(random)
        consents = [
            compile_consent(parse(making.one_consent(random, number, 4), words(), ZONE), world, chosen)
            for number in range(random.randint(0, 3))
        ]
        left = residual(bind(compile_policy("1", consents), making.request(random), chosen))
        for _ in range(3):
            facts = replace(making.facts(random), personal=making.rarely(random, 9))
            if facts.personal and facts.type not in ("Consent", "AuditEvent"):
                facts = replace(facts, type="Provenance")
            expected = evaluate(left, facts)
            assert holds(as_query(left, facts.type), facts) == expected, (left, facts)
            permitted += expected
    assert CASES / 2 < permitted < CASES * 5 / 2


@pytest.mark.parametrize("seed", range(20))
def test_what_is_filed_is_read_back_as_it_was(seed: int) -> None:
    filing = Filing(making.facts(Random(seed)), ("Practitioner/a",))
    assert decode(encode(filing)) == filing

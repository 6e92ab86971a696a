"""Sound: what presence decides, the FHIRPath expression says of a value with those elements.

http://hl7.org/fhirpath/N1/#boolean-logic
"""

from collections.abc import Iterator
from itertools import chain, combinations

import pytest

from profiles import fhirpath
from profiles.fhirpath.parser import parse
from profiles.registry import Registry, load
from profiles.rules.presence import EMPTY, FALSE, SOME, TRUE, UNKNOWN, Outcome, outcome
from tests.profiles.rules.minimal import exactly

SUBSETS_MAX = 300


def stated_on(registry: Registry) -> Iterator[tuple[str, str]]:
    """(type, invariant) for each complex type and resource, element constraints included; one type per invariant."""
    seen: set[str] = set()
    for definition in registry.types.values():
        if definition.kind == "primitive" or definition.abstract:
            continue
        pairs = [(definition.name, key) for key in definition.constraints]
        pairs += [(code, key) for e in definition.elements for code in e.types for key in e.constraints]
        for name, key in pairs:
            if key not in seen and registry.types[name].kind != "primitive" and not registry.types[name].abstract:
                seen.add(key)
                yield name, key


class Has:
    """A value that has exactly the elements `names`, as `profiles.rules.invariants.Known` sees it."""

    def __init__(self, registry: Registry, type_name: str, names: frozenset[str]) -> None:
        self.elements = {e.name: e for e in registry.types[type_name].elements}
        self.registry = registry
        self.names = names
        self.asked: set[str] = set()

    def element(self, name: str) -> Outcome:
        if name not in self.elements:
            return UNKNOWN
        self.asked.add(name)
        return SOME if name in self.names else EMPTY

    def mandatory(self, name: str, child: str) -> bool:
        codes = self.elements[name].types
        return len(codes) == 1 and any(e.name == child and e.min > 0 for e in self.registry.types[codes[0]].elements)


def test_presence_never_contradicts_the_expression() -> None:
    registry = load()
    decided = compared = 0
    for type_name, key in stated_on(registry):
        text = registry.invariants[key].expression
        if "htmlChecks" in text:
            continue
        expression = parse(text)
        everything = Has(registry, type_name, frozenset())
        outcome(expression, everything)
        mandatory = frozenset(e.name for e in registry.types[type_name].elements if e.min > 0)
        optional = sorted(everything.asked - mandatory)
        subsets = chain.from_iterable(combinations(optional, n) for n in range(len(optional) + 1))
        for names, _ in zip(subsets, range(SUBSETS_MAX)):
            compared += 1
            verdict = outcome(expression, Has(registry, type_name, mandatory | set(names)))
            if verdict in (SOME, UNKNOWN):
                continue
            decided += 1
            value = exactly(registry, type_name, *names)
            node = fhirpath.Node(value, type_name)
            resource = value if "resourceType" in value else {"resourceType": "Basic"}
            result = fhirpath.compile(text).evaluate(node, fhirpath.Context(resource=resource))
            expected = {TRUE: [True], FALSE: [False], EMPTY: []}[verdict]
            assert [item.value for item in result] == expected, (type_name, key, names)
    assert decided > 0.5 * compared > 500  # presence decides most of what is asked


class Only:
    def __init__(self, *names: str) -> None:
        self.names = names

    def element(self, name: str) -> Outcome:
        return SOME if name in self.names else EMPTY

    def mandatory(self, name: str, child: str) -> bool:
        return (name, child) == ("text", "div")


@pytest.mark.parametrize(
    "text, present, expected",
    [
        ("code.empty() or system.exists()", "", TRUE),
        ("code.empty() or system.exists()", "code", FALSE),
        ("code.empty() or system.exists()", "code system", TRUE),
        ("a.exists() xor b.exists()", "a b", FALSE),
        ("a.exists() != b.exists()", "a", TRUE),
        ("a.exists() implies b = 'x'", "", TRUE),
        ("a.exists() implies b = 'x'", "a", EMPTY),
        ("a.exists() implies b = 'x'", "a b", UNKNOWN),
        ("(a.count() + b.count()) > 0", "", FALSE),
        ("(a.count() + b.count()) > 0", "b", TRUE),
        ("(a.count() + b.count()) = 1", "a b", FALSE),
        ("(a.count() + b.count()) = 1", "a", UNKNOWN),
        ("a.count() <= 1", "a", UNKNOWN),
        ("a.count() <= 1", "", TRUE),
        ("a.count() >= 1", "a", TRUE),
        ("a.where(b = 1).exists()", "a", UNKNOWN),
        ("a.where(b = 1).exists()", "", FALSE),
        ("text.div.exists()", "text", TRUE),
        ("text.status.exists()", "text", UNKNOWN),
        ("a.hasValue()", "a", UNKNOWN),  # a primitive may have extensions only
        ("a or b", "a b", UNKNOWN),  # the boolean value itself is not known
        ("a.exists().not()", "a", FALSE),
        ("a | b", "b", SOME),
        ("%resource.a.exists()", "a", UNKNOWN),
    ],
)
def test_an_expression_comes_to_what_its_elements_decide(text: str, present: str, expected: Outcome) -> None:
    assert outcome(parse(text), Only(*present.split())) is expected

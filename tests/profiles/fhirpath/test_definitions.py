"""Every expression of the R4 definitions compiles, and every invariant can be evaluated on the official examples."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from profiles import registry
from profiles.fhirpath import Context, Node, compile
from profiles.fhirpath.model import default
from profiles.fhirpath.navigation import children

DEFINITIONS = ("ValueSet-", "CodeSystem-", "StructureDefinition-", "SearchParameter-", "ConceptMap-")
DEFINITIONS_MAX = 15  # of each kind: there are thousands, and they are alike
# Invariants of severity `error` that official examples break: four narratives are not what FHIR allows, and que-7 asks for
# the type `Boolean` where it means `boolean`.
WRONG_EXAMPLES = {
    (key, name)
    for key in ("txt-1", "txt-2")
    for name in (
        "ActivityDefinition-blood-tubes-supply.json",
        "ActivityDefinition-heart-valve-replacement.json",
        "EventDefinition-example.json",
        "Questionnaire-zika-virus-exposure-assessment.json",
    )
} | {("que-7", "Questionnaire-bb.json")}


def test_every_search_parameter_and_invariant_of_the_registry_compiles() -> None:
    definitions = registry.load()
    expressions = {invariant.expression for invariant in definitions.invariants.values()}
    assert len(definitions.invariants) >= 240
    for name in definitions.resource_types:
        for parameter in definitions.search_parameters(name).values():
            expressions.add(parameter.expression)
            expressions.update(expression for _, expression in parameter.components)
    expressions.discard("")
    assert len(expressions) > 1000
    for expression in expressions:
        compile(expression)


def test_every_search_parameter_of_the_packages_compiles(definition_packages: Path) -> None:
    expressions = set()
    for path in definition_packages.glob("*/package/SearchParameter-*.json"):
        parameter = json.loads(path.read_bytes())
        expressions.update(
            each["expression"] for each in (parameter, *parameter.get("component", ())) if "expression" in each
        )
    assert len(expressions) > 1350
    for expression in expressions:
        compile(expression)


def stated(node: Node, own: tuple[str, ...], context: Context) -> Iterator[tuple[registry.Invariant, Node, Context]]:
    """Every invariant that is stated on a node or below it, with the context it is evaluated in."""
    definitions = registry.load()
    kind = definitions.types.get(node.type)
    if kind is not None and kind.kind == "resource":
        context = Context(resource=node.value, root_resource=context.root_resource or node.value)
    for key in dict.fromkeys(own + (kind.constraints if kind is not None else ())):
        yield definitions.invariants[key], node, context
    holder = node.type if kind is not None and kind.kind != "primitive" else "Element"
    for child in children(default(), node):
        assert isinstance(child, Node)
        found = definitions.element(holder, child.key)
        assert found is not None
        yield from stated(child, found[0].constraints, context)


def examples(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    counts: dict[str, int] = {}
    for path in sorted((folder / "hl7.fhir.r4.examples-4.0.1" / "package").glob("*.json")):
        kind = path.name.partition("-")[0] + "-"
        counts[kind] = counts.get(kind, 0) + 1
        if not path.name.startswith("Bundle-") and (kind not in DEFINITIONS or counts[kind] <= DEFINITIONS_MAX):
            resource = json.loads(path.read_bytes(), parse_float=Decimal)
            if "resourceType" in resource:
                yield path.name, resource


def test_no_official_example_breaks_an_invariant(definition_packages: Path) -> None:
    """On each of some 300,000 elements; none may fail to evaluate either."""
    broken = set()
    rules = {(i.key, i.expression): 0 for i in registry.load().invariants.values()}
    for name, resource in examples(definition_packages):
        for invariant, node, context in stated(Node(resource, resource["resourceType"]), (), Context()):
            rules[invariant.key, invariant.expression] += 1
            found = compile(invariant.expression).evaluate(node, context)
            if invariant.severity == "error" and found and not found[0].value:
                broken.add((invariant.key, name))
    assert broken == WRONG_EXAMPLES
    assert sum(1 for count in rules.values() if count) > 200

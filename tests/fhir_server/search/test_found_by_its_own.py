"""Reading a search and indexing a resource agree: every official example is found by each of its own values."""

from collections.abc import Iterator
from decimal import Decimal
from math import isinf
from pathlib import Path

import pytest

from fhir_server.search.context import Context
from fhir_server.search.index import Indexer
from fhir_server.search.parse import parse
from fhir_server.search.rows import IndexRows
from fhir_server.search.values import escape
from profiles.registry import Registry
from tests.fhir_server.search.test_index_examples import examples
from tests.fhir_server.store.reference_evaluator import Stored, holds

# Definitions by the thousand, all alike: one letter of them will do.
NAMES = [
    "[A-B]*",
    "C[a-nq-z]*",
    "CodeSystem-a*",
    "[D-R]*",
    "S[a-su-z]*",
    "StructureDefinition-[N-P]*",
    "[T-U]*",
    "V*-a*",
]


def searches(rows: IndexRows) -> Iterator[tuple[str, str]]:
    """A search for every row that is no component of a composite."""
    for token in rows.tokens:
        if token.code:
            yield token.param, f"{escape(token.system)}|{escape(token.code)}" if token.system else escape(token.code)
    for text in rows.texts:
        yield f"{text.param}:text", escape(text.value)
    for typed in rows.of_types:
        if typed.system:
            yield f"{typed.param}:of-type", "|".join(map(escape, (typed.system, typed.code, typed.value)))
    for string in rows.strings:
        yield string.param, escape(string.exact)
        if string.param != "phonetic":
            yield f"{string.param}:exact", escape(string.exact)
            yield f"{string.param}:contains", escape(string.exact[1:-1] or string.exact)
    for number in rows.numbers:
        if not isinf(number.low):
            yield number.param, str(Decimal(repr(number.low)))
    for measure in rows.quantities:
        if not isinf(measure.low) and measure.low == measure.high:
            yield measure.param, f"{Decimal(repr(measure.low))}|{escape(measure.system)}|{escape(measure.code)}"
            yield measure.param, f"ge{Decimal(repr(measure.low))}"
    for uri in rows.uris:
        yield uri.param, escape(uri.value)
        yield f"{uri.param}:below", escape(uri.value)
    for reference in rows.references:
        if reference.id:
            yield reference.param, f"{reference.type}/{reference.id}"
            yield f"{reference.param}:{reference.type}", reference.id
        elif reference.url:
            yield reference.param, escape(reference.url)
        if reference.identifier_value:
            yield f"{reference.param}:identifier", escape(reference.identifier_value)
    for point in rows.points:
        yield point.param, f"{Decimal(repr(point.latitude))}|{Decimal(repr(point.longitude))}|1|m"


@pytest.mark.parametrize("names", NAMES)
def test_every_example_is_found_by_its_own_values(
    definition_packages: Path, registry: Registry, indexer: Indexer, context: Context, names: str
) -> None:
    tried = 0
    for name, resource in examples(definition_packages, registry, f"{names}.json"):
        rows = indexer.extract(resource)
        stored = Stored(resource["resourceType"], resource["id"], 0, (), rows)
        parameters = indexer.parameters.of(stored.type)
        for key, value in searches(rows):
            param, _, modifier = key.partition(":")
            if "$" in param or not value.strip() or len(value) > 2000:
                continue
            if modifier[:1].isupper() and modifier not in parameters[param].targets:
                continue  # an example that refers to what its parameter does not lead to
            search = parse((stored.type,), [(key, value)], context)
            assert holds(search.query.where, stored, {}), (name, key, value)
            tried += 1
    assert tried > 100

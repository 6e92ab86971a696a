"""Every official R4 example is indexed, and by the same rows whether by direct routes or by the FHIRPath engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server.search.index import Indexer, expression_values
from fhir_server.search.parameters import COLUMNS
from fhir_server.search.paths import Route
from fhir_server.search.rows import IndexRows
from profiles import fhirpath
from profiles.json import parse
from profiles.registry import Registry


def examples(packages: Path, registry: Registry, names: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((packages / "hl7.fhir.r4.examples-4.0.1" / "package").glob(names)):
        resource = parse(path.read_bytes())
        if resource.get("resourceType") in registry.resource_types:
            yield path.name, resource


def filed(rows: IndexRows) -> set[tuple[Any, ...]]:
    lists = (rows.tokens, rows.texts, rows.of_types, rows.strings, rows.numbers, rows.dates, rows.quantities)
    return {row for some in (*lists, rows.uris, rows.references, rows.points) for row in some}


@pytest.mark.parametrize("initial", ["A", "B", "C", "[D-F]", "[G-N]", "O", "[P-R]", "S", "[T-Z]"])
def test_routes_and_engine_find_the_same(
    definition_packages: Path, registry: Registry, indexer: Indexer, initial: str
) -> None:
    compared = 0
    for name, resource in examples(definition_packages, registry, f"{initial}*.json"):
        type_name = resource["resourceType"]
        rows = filed(indexer.extract(resource))
        for parameter in indexer.parameters.of(type_name).values():
            routes = indexer.parameters.routes(type_name, parameter.expression) if parameter.expression else None
            if routes is None or parameter.kind == "composite" or parameter.code in COLUMNS:
                continue
            by_engine = IndexRows()
            for value, code in expression_values(fhirpath.compile(parameter.expression), resource, registry):
                # Only the engine tells what a contained resource is: see places.refers_to.
                if "resolve()" in parameter.expression and str(value.get("reference", "")).startswith("#"):
                    continue
                route = next((one for one in routes if one.code == code), Route((), _engine_code(code, registry)))
                emit = indexer.emitter(parameter, route)
                if emit is not None:
                    emit(value, by_engine, 0)
            direct = {row for row in rows if row[0] == parameter.code}
            assert filed(by_engine) == direct, (name, parameter.code)
            compared += 1
    assert compared > 400


def _engine_code(code: str, registry: Registry) -> str:
    # The engine knows the type of a resource in a Bundle, the route only that it is one.
    return "Resource" if code in registry.resource_types else code


def test_only_one_expression_of_r4_needs_the_engine(indexer: Indexer, registry: Registry) -> None:
    needing = {
        f"{name}.{parameter.code}"
        for name in registry.resource_types
        for parameter in indexer.parameters.of(name).values()
        if parameter.expression and indexer.parameters.routes(name, parameter.expression) is None
    }
    assert needing == {"Patient.deceased"}

"""The context that searches are read against here: R4's parameters, Amsterdam time, one base URL, a fixed clock."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_server.search.context import Context
from fhir_server.search.dates import microseconds
from fhir_server.search.index import Indexer
from fhir_server.search.parameters import SearchParameters
from fhir_server.search.parse import ParsedSearch, parse
from fhir_server.search.query import Predicate
from fhir_server.search.rows import IndexRows
from profiles.registry import Registry, load

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
BASE = "https://wijk.example/fhir"
NOW = microseconds(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load()


@pytest.fixture(scope="session")
def parameters(registry: Registry) -> SearchParameters:
    return SearchParameters(registry)


@pytest.fixture(scope="session")
def context(parameters: SearchParameters) -> Context:
    return Context(parameters, NOW, AMSTERDAM, (BASE,), count_default=50, count_max=500)


@pytest.fixture(scope="session")
def indexer(parameters: SearchParameters) -> Indexer:
    return Indexer(parameters, AMSTERDAM, (BASE,))


@pytest.fixture(scope="session")
def extract(indexer: Indexer) -> Callable[..., IndexRows]:
    """extract("Patient", gender="male") → rows of that Patient."""

    def from_elements(resource_type: str, **elements: Any) -> IndexRows:
        resource: Mapping[str, Any] = {"resourceType": resource_type, **elements}
        return indexer.extract(resource)

    return from_elements


@pytest.fixture(scope="session")
def search(context: Context) -> Callable[..., ParsedSearch]:
    """search("Patient", "name=jan", "_count=3") → the parsed search."""

    def from_pairs(resource_type: str, *pairs: str, context: Context = context) -> ParsedSearch:
        return parse((resource_type,), [split_pair(pair) for pair in pairs], context)

    return from_pairs


@pytest.fixture(scope="session")
def where(search: Callable[..., ParsedSearch]) -> Callable[..., Predicate]:
    """where("Patient", "name=jan") → the predicate."""

    def of_pairs(resource_type: str, *pairs: str) -> Predicate:
        return search(resource_type, *pairs).query.where

    return of_pairs


def split_pair(pair: str) -> tuple[str, str]:
    key, _, value = pair.partition("=")
    return key, value

"""A constraint judged on one resource says what the store's search says."""

import pytest

from fhir_server.gateway.matching import judgeable, matches
from fhir_server.search.parse import parse
from fhir_server.search.query import And, Chain, Compare, Date, Token
from tests.fhir_server.inprocess import House, observation, patient

pytestmark = pytest.mark.anyio

RESOURCES = [
    observation("a", "p", "weight", category=[{"coding": [{"system": "http://c", "code": "vital"}]}]),
    observation("b", "p", "height", performer=[{"reference": "Practitioner/d"}]),
    observation("c", "q", "weight", performer=[{"identifier": {"system": "http://agb", "value": "1"}}]),
    observation("d", "q", "Weight", category=[{"coding": [{"system": "http://d", "code": "vital"}]}]),
]
CRITERIA = [
    ("code", "weight"),
    ("code", "http://test/codes|weight"),
    ("code", "|weight"),
    ("code", "http://test/codes|"),
    ("code", "weight,height"),
    ("code:not", "weight"),
    ("category", "http://c|vital"),
    ("category:missing", "true"),
    ("category:missing", "false"),
    ("subject", "Patient/p"),
    ("subject:Patient", "p"),
    ("patient", "q"),
    ("performer", "Practitioner/d"),
    ("performer:identifier", "http://agb|1"),
    ("performer:missing", "true"),
    ("status", "final"),
]


@pytest.mark.parametrize(("name", "value"), CRITERIA)
async def test_one_by_one_and_by_query_the_same_resources_match(permissive: House, name: str, value: str) -> None:
    await permissive.given(patient("p"), patient("q"), *RESOURCES)
    operator = await permissive.caller()
    where = parse(("Observation",), [(name, value)], permissive.gateway.context()).query.where
    assert judgeable(where)
    extract = permissive.gateway.tools.extract
    one_by_one = [resource["id"] for resource in RESOURCES if matches(where, extract(resource))]
    by_query = (await operator.get(f"Observation?{name}={value}")).ids
    assert sorted(by_query) == one_by_one


def test_what_reaches_beyond_the_resource_or_its_codes_is_not_judgeable() -> None:
    assert not judgeable(Chain("subject", "Patient", Token("name", None, "x")))
    assert not judgeable(And((Token("code", None, "x"), Date("date", Compare.EQ, 0, 1))))

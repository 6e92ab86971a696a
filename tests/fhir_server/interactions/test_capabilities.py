"""capabilities. https://hl7.org/fhir/R4/http.html#capabilities"""

import json

import pytest
from fhirclient.auth import FHIRAuth, FHIROAuth2Auth
from fhirclient.models.capabilitystatement import CapabilityStatementRestSecurity

from fhir_server.interactions.routes import ROUTES
from profiles import registry
from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Caller, House

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["", "?mode=full", "?mode=normative", "?mode=terminology"])
async def test_the_statement_is_valid_and_open_to_everybody(house: House, mode: str) -> None:
    answer = await house.anonymous().get(f"metadata{mode}")
    assert answer.status == 200
    assert [i for i in iter_issues(json.loads(answer.text), registry.load()) if i.severity == "error"] == []


async def test_every_resource_type_and_operation_route_is_in_it(operator: Caller) -> None:
    rest = (await operator.get("metadata")).json["rest"][0]
    by_type = {resource["type"]: resource for resource in rest["resource"]}
    assert tuple(by_type) == registry.load().resource_types
    told = {op["name"] for resource in (rest, *by_type.values()) for op in resource.get("operation", [])}
    assert told == {route.pattern.rpartition("$")[2] for route in ROUTES if "$" in route.pattern}
    assert {i["code"] for i in rest["interaction"]} == {"transaction", "batch", "search-system", "history-system"}
    assert "everything" not in {op["name"] for op in by_type["Observation"]["operation"]}


async def test_every_search_parameter_it_names_can_be_searched(operator: Caller) -> None:
    """What is said is done: `:missing` applies to every parameter but the special ones."""
    rest = (await operator.get("metadata")).json["rest"][0]
    for resource in rest["resource"][::12]:
        for parameter in resource["searchParam"]:
            if parameter["type"] in ("special", "composite") or parameter["name"] in ("_content", "_text"):
                continue
            answer = await operator.get(f"{resource['type']}?{parameter['name']}:missing=true&_count=0")
            assert answer.status == 200, (resource["type"], parameter, answer.text)


async def test_an_unknown_mode_is_refused(operator: Caller) -> None:
    assert (await operator.get("metadata?mode=x")).status == 400


async def test_line_2_the_statement_names_the_endpoints_for_who_does_not_read_the_smart_configuration(
    house: House,
) -> None:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html: deprecated, and still read."""
    security = (await house.anonymous().get("metadata")).json["rest"][0]["security"]
    assert security["cors"] is True
    assert [coding["code"] for coding in security["service"][0]["coding"]] == ["SMART-on-FHIR"]
    (extension,) = security["extension"]
    assert {one["url"]: one["valueUri"] for one in extension["extension"]} == {
        "authorize": "http://wijk.test/auth/authorize",
        "token": "http://wijk.test/auth/token",
        "introspect": "http://wijk.test/auth/introspect",
        "revoke": "http://wijk.test/auth/revoke",
        "manage": "http://wijk.test/portal/apps",
    }


async def test_line_2_the_stock_python_client_sees_that_it_must_authorize(house: House) -> None:
    """Without the extension it goes on without a token, and says nothing."""
    security = (await house.anonymous().get("metadata")).json["rest"][0]["security"]
    state: dict[str, str] = {}
    found = FHIRAuth.from_capability_security(CapabilityStatementRestSecurity(security), state)
    assert isinstance(found, FHIROAuth2Auth)
    assert state["authorize_uri"] == "http://wijk.test/auth/authorize"
    assert state["token_uri"] == "http://wijk.test/auth/token"

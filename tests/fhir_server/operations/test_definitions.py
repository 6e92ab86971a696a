"""OperationDefinitions: there is one for each operation, it says what the code does, and it is kept among the resources."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from fhir_server.interactions.routes import ROUTES, Route
from fhir_server.operations.definition import CANONICAL, Operation, Parameter
from fhir_server.operations.definitions import OPERATIONS, definitions
from profiles.registry import load
from profiles.validate import iter_issues
from tests.fhir_server.inprocess import Caller, House, opened
from tests.fhir_server.operations.dossier import consent, furnish, parameters, recipients

pytestmark = pytest.mark.anyio

BY_CODE = {operation.code: operation for operation in OPERATIONS}


def code(route: Route) -> str:
    return route.pattern.rpartition("$")[2]


def test_every_operation_has_one_and_every_one_has_its_operation() -> None:
    assert {code(route) for route in ROUTES if route.name == "operation"} == set(BY_CODE)
    assert len(BY_CODE) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.code)
def test_it_says_where_the_operation_is_offered_and_whether_it_changes_anything(operation: Operation) -> None:
    routes = [route for route in ROUTES if route.name == "operation" and code(route) == operation.code]
    levels = {
        "instance" if "{id}" in route.pattern else "type" if "{type}" in route.pattern else "system" for route in routes
    }
    assert levels == operation.levels
    assert {route.types for route in routes} - {()} == ({operation.types} if operation.types else set())
    # https://hl7.org/fhir/R4/operations.html#executing: GET is for what changes nothing.
    assert operation.affects_state == ("GET" not in {route.method for route in routes} and operation.code != "validate")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.code)
def test_it_is_valid(operation: Operation) -> None:
    found = [issue for issue in iter_issues(operation.resource(), load()) if issue.severity in ("error", "fatal")]
    assert found == []


# --- What goes in -------------------------------------------------------------------------------------------------

# A request of each operation that is answered, without parameters in the query.
ASKED: Mapping[str, tuple[str, str, Any]] = {
    "access-log": ("GET", "Patient/p/$access-log", None),
    "emergency-access": (
        "POST",
        "Patient/p/$emergency-access",
        {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "a fall"}]},
    ),
    "everything": ("GET", "Patient/p/$everything", None),
    "explain-access": ("POST", "Patient/p/$explain-access", parameters(actor="Practitioner/acht", type="Observation")),
    "lastn": ("GET", "Observation/$lastn?patient=Patient/p", None),
    "meta": ("GET", "Observation/restricted/$meta", None),
    "meta-add": ("POST", "Observation/usual/$meta-add", None),
    "meta-delete": ("POST", "Observation/usual/$meta-delete", None),
    "preview": (
        "POST",
        "Consent/$preview",
        parameters(resource=consent("new", type="permit", actor=recipients("Practitioner/acht"))),
    ),
    "validate": ("GET", "Observation/usual/$validate", None),
}
# Values that are right for each parameter a query can hold.
RIGHT: Mapping[str, str] = {
    "actor": "Practitioner/acht",
    "purpose": "TREAT",
    "action": "use",
    "resource": "Observation/usual",
    "type": "Observation",
    "at": "2030-01-01",
    "language": "en",
    "status": "active",
    "minutes": "5",
    "reason": "a fall",
    "start": "2020-01-01",
    "end": "2030-01-01",
    "_since": "2020-01-01T00:00:00Z",
    "_type": "Observation",
    "_count": "5",
    "max": "2",
    "patient": "Patient/p",
    "subject": "Patient/p",
    "mode": "update",
}
TAG = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "x"}]}}]}
# These ask nothing in a query: what they are given is a resource, or what they do not know is overlooked.
SILENT = {"meta", "meta-add", "meta-delete", "validate"}


async def callers(house: House) -> Mapping[str, Caller]:
    await furnish(house)
    owner = await house.caller("Patient/p", "patient/*.cruds")
    doctor = await house.caller("Practitioner/acht", "user/*.rs")
    return {operation: doctor if operation == "emergency-access" else owner for operation in BY_CODE}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.code)
async def test_what_it_names_is_taken_and_what_it_does_not_name_is_refused(operation: Operation) -> None:
    async with opened() as house:
        caller = (await callers(house))[operation.code]
        method, url, body = ASKED[operation.code]
        path, _, query = url.partition("?")
        for parameter in operation.parameters:
            if parameter.use != "in" or parameter.name not in RIGHT or parameter.type in ("Resource", "Consent"):
                continue
            given = [one for one in (body or {}).get("parameter", ()) if one["name"] not in (parameter.name, "type")]
            sent = {"resourceType": "Parameters", "parameter": given} if given else None
            asked = "&".join(filter(None, (query, f"{parameter.name}={RIGHT[parameter.name]}")))
            answer = await caller(method if sent or method == "POST" else "GET", f"{path}?{asked}", sent)
            assert answer.status == 200, (parameter.name, answer.text)
        if operation.code not in SILENT:
            answer = await caller(method, f"{url}{'&' if query else '?'}colour=red", body)
            assert answer.status == 400


# --- What comes out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.code)
async def test_the_answer_has_what_it_says(operation: Operation) -> None:
    async with opened() as house:
        caller = (await callers(house))[operation.code]
        method, url, body = ASKED[operation.code]
        answer = await caller(method, url, TAG if operation.code.startswith("meta-") else body)
        assert answer.status == 200, answer.text
        outputs = [parameter for parameter in operation.parameters if parameter.use == "out"]
        if answer.json["resourceType"] == "Parameters":
            assert answer.json["parameter"], "an empty answer would tell nothing"
            conforms(answer.json["parameter"], outputs, operation.code)
        else:
            # https://hl7.org/fhir/R4/operations.html#response: a single resource named `return` is the answer itself.
            assert [(one.name, one.type) for one in outputs] == [("return", answer.json["resourceType"])]


def conforms(parts: Sequence[Mapping[str, Any]], expected: Sequence[Parameter], place: str) -> None:
    """Each part is one that was announced, as often and of the type that was announced."""
    known = {parameter.name: parameter for parameter in expected}
    names = [part["name"] for part in parts]
    assert set(names) <= set(known), place
    for parameter in expected:
        count = names.count(parameter.name)
        assert count >= parameter.min, (place, parameter.name)
        assert parameter.max == "*" or count <= int(parameter.max), (place, parameter.name)
    for part in parts:
        parameter, where = known[part["name"]], f"{place}.{part['name']}"
        if parameter.parts:
            conforms(part["part"], parameter.parts, where)
        elif "resource" in part:
            assert part["resource"]["resourceType"] == parameter.type, where
        else:
            (value,) = (key for key in part if key != "name")
            assert value == f"value{parameter.type[0].upper()}{parameter.type[1:]}", where


# --- Where it is found --------------------------------------------------------------------------------------------


async def test_reading_searching_and_the_statement_agree() -> None:
    async with opened() as house:
        assert await house.maintenance.provide(definitions()) == len(OPERATIONS)
        anyone = house.anonymous()
        rest = (await anyone.get("metadata")).json["rest"][0]
        told: dict[str, str] = {
            operation["name"]: operation["definition"]
            for level in (rest, *rest["resource"])
            for operation in level.get("operation", [])
        }
        assert set(told) == set(BY_CODE)
        for operation in OPERATIONS:
            read = (await anyone.get(f"OperationDefinition/{operation.id}")).json
            assert read["url"] == told[operation.code] == CANONICAL + operation.id
            assert (await anyone.get(f"OperationDefinition?code={operation.code}")).ids == [operation.id]
            assert (await anyone.get(f"OperationDefinition?url={read['url']}")).ids == [operation.id]


async def test_starting_again_makes_no_versions_and_a_change_makes_one() -> None:
    async with opened() as house:
        await house.maintenance.provide(definitions())
        audited = await trail(house)
        assert await house.maintenance.provide(definitions()) == 0
        assert await trail(house) == audited, "what did not happen is not in the log"
        changed = {**OPERATIONS[0].resource(), "title": "another"}
        assert await house.maintenance.provide([changed, *list(definitions())[1:]]) == 1
        operator = await house.caller()
        assert (await operator.delete(f"OperationDefinition/{OPERATIONS[1].id}")).status == 204
        assert await house.maintenance.provide(definitions()) == 2
        first, second = [(await operator.get(f"OperationDefinition/{one.id}")).json for one in OPERATIONS[:2]]
        assert (first["meta"]["versionId"], first["title"]) == ("3", OPERATIONS[0].title)
        assert second["meta"]["versionId"] == "3"


async def trail(house: House) -> int:
    async with house.store.inspect_audit() as inspection:
        return sum(1 for _ in inspection.batches())

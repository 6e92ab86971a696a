"""$validate: whether a resource holds to the base specification, and whether it could be stored or removed.

`mode` create, update and delete rehearse the write, scopes and policy included, and store nothing. Profiles are not
supported, and a request that names one is told so. https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_server.gateway.access import login_required
from fhir_server.gateway.unit import Unit
from fhir_server.gateway.validation import issues
from fhir_server.interactions.body import resource_in
from fhir_server.interactions.exchange import Request, Response
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.operations.parameters import part_resource, part_value
from fhir_server.outcome import Category, FhirError, operation_outcome
from profiles import json

DEFINITION: Final = Operation(
    code="validate",
    types=(),
    levels=frozenset({"type", "instance"}),
    affects_state=False,
    title="Whether a resource is valid, and whether it could be stored or removed",
    description="Holds a resource, or the stored one, to the base specification. With a mode the write is rehearsed, "
    "and nothing is stored.",
    parameters=(
        Parameter("resource", "in", "Resource", "The resource; the stored one if absent."),
        Parameter("mode", "in", "code", "create, update or delete."),
        Parameter("profile", "in", "uri", "Not supported: a request that names one is told so."),
        Parameter("return", "out", "OperationOutcome", "What was found.", min=1),
    ),
    base="Resource-validate",
)

_MODES: Final = ("create", "update", "delete")
# What a rehearsal meets that says nothing of the resource in hand.
_ACCESS: Final = frozenset((Category.LOGIN, Category.FORBIDDEN, Category.NOT_FOUND, Category.GONE))


async def validate(request: Request) -> Response:
    session = request.session
    if not session.requester.user:
        raise login_required()
    type, id = (*request.segments[:-1], "")[:2]
    resource, mode, profile = _asked(request, type)
    if profile:
        raise FhirError(Category.UNKNOWN_PARAMETER, "validation against a profile is not supported", ("profile",))
    if mode and mode not in _MODES:
        raise FhirError(Category.VALUE, f"`mode` is one of {', '.join(_MODES)}, not `{mode[:20]}`", ("mode",))
    if mode in ("update", "delete") and not id:
        raise FhirError(Category.INVALID, f"mode {mode} is asked of an instance", ("mode",))
    if mode == "delete":
        await session.rehearse("operation", f"{type}/{id}", lambda unit: unit.delete(type, id))
        return Response(200, operation_outcome(()))
    if resource is None:
        if not id:
            raise FhirError(Category.STRUCTURE, "there is no resource to validate")
        resource = json.parse((await session.read(type, id)).body)
    elif resource.get("resourceType") != type:
        raise FhirError(Category.INVALID, f"the resource is not of type {type}", ("resourceType",))
    elif id and resource.get("id") != id:
        raise FhirError(Category.INVALID, "the id of the resource must be the id in the path", (f"{type}.id",))
    found = issues(resource, session.registry)
    if mode and not any(issue.severity in ("error", "fatal") for issue in found):
        return Response(200, await _rehearsed(request, mode, resource))
    await session.performed("operation", f"{type}/{id}" if id else type, "validate")
    return Response(200, operation_outcome(found))


async def _rehearsed(request: Request, mode: str, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    async def stage(unit: Unit) -> None:
        await (unit.create(resource) if mode == "create" else unit.update(resource))

    target = "/".join(request.segments[:-1])
    try:
        await request.session.rehearse("operation", target, stage)
    except FhirError as error:
        if error.category in _ACCESS:
            raise
        return error.outcome()
    return operation_outcome(issues(resource, request.session.registry))


def _asked(request: Request, type: str) -> tuple[Mapping[str, Any] | None, str, str]:
    """The resource (None if there is none), the mode and the profile, from body and query string."""
    mode, profile = request.value("mode") or "", request.value("profile") or ""
    if not request.body:
        return None, mode, profile
    body = resource_in(request)
    if body["resourceType"] != "Parameters" or type == "Parameters":
        return body, mode, profile
    return (
        part_resource(body, "resource"),
        mode or str(part_value(body, "mode") or ""),
        profile or str(part_value(body, "profile") or ""),
    )

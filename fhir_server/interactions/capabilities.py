"""capabilities: a CapabilityStatement made of what is really there: routes, search parameters, operations.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final, Protocol

from fhir_server.interactions.exchange import Request, Response
from fhir_server.operations.definition import CANONICAL, definition_id
from fhir_server.outcome import Category, FhirError
from fhir_server.search.parameters import SearchParameters
from fhir_server.smart.addresses import FHIR_PREFIX, Addresses

_SECURITY: Final = (
    "Opaque bearer tokens with SMART v2 scopes. Without a token: directory and knowledge resources, where the "
    "deployment publishes them. What may not be seen is answered as what is not there."
)
# When what this server can do last changed.
_DATE: Final = "2026-11-22"
# https://hl7.org/fhir/R4/versions.html#std-process: resources whose definition is normative in R4.
_NORMATIVE: Final = frozenset(
    (
        "Binary",
        "Bundle",
        "CapabilityStatement",
        "CodeSystem",
        "Observation",
        "OperationDefinition",
        "OperationOutcome",
        "Parameters",
        "Patient",
        "StructureDefinition",
        "ValueSet",
    )
)


class Described(Protocol):
    """What a statement says of a route."""

    @property
    def name(self) -> str: ...
    @property
    def pattern(self) -> str: ...
    @property
    def types(self) -> tuple[str, ...]: ...


async def capabilities(request: Request, routes: tuple[Described, ...]) -> Response:
    """`mode`: full (the default), normative, or terminology, which asks for TerminologyCapabilities."""
    mode = request.value("mode") or "full"
    if mode not in ("full", "normative", "terminology"):
        raise FhirError(Category.VALUE, f"`mode` is full, normative or terminology, not `{mode[:20]}`", ("mode",))
    parameters = request.session.context().parameters
    await request.session.performed("capabilities")
    if mode == "terminology":
        return Response(200, _terminology(request.base))
    return Response(200, _statement(parameters, routes, request.base, mode == "normative"))


@lru_cache(maxsize=8)
def _statement(
    parameters: SearchParameters, routes: tuple[Described, ...], base: str, normative: bool
) -> dict[str, Any]:
    names = [name for name in parameters.registry.resource_types if not normative or name in _NORMATIVE]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "publisher": "wijkdossier",
        "kind": "instance",
        "software": _software(),
        "implementation": {"description": "wijkdossier: the resident owns the dossier", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [
            {
                "mode": "server",
                "security": _security(Addresses(base.removesuffix(FHIR_PREFIX))),
                "resource": [_resource(name, parameters, routes) for name in names],
                "interaction": [{"code": code} for code in _system_interactions(routes)],
                "searchParam": [
                    {"name": described.name, "type": described.type, "definition": described.definition}
                    for described in parameters.describe("Basic")
                    if described.name.startswith("_") and described.name not in ("_query", "_list", "_has", "_filter")
                ],
                "operation": _operations(routes, ""),
                "compartment": [
                    f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}"
                    for name in parameters.registry.compartments
                ],
            }
        ],
    }


def _security(addresses: Addresses) -> dict[str, Any]:
    """`oauth-uris` gave way to the SMART configuration; without it the Python fhirclient silently sends no token.

    https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#declaring-support-for-oauth2-endpoints
    """
    endpoints = {
        "authorize": addresses.endpoint("authorize"),
        "token": addresses.endpoint("token"),
        "introspect": addresses.endpoint("introspect"),
        "revoke": addresses.endpoint("revoke"),
        "manage": addresses.page("apps"),
    }
    return {
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [{"url": name, "valueUri": address} for name, address in endpoints.items()],
            }
        ],
        "cors": True,
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                        "display": "SMART-on-FHIR",
                    }
                ],
                "text": "OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)",
            }
        ],
        "description": _SECURITY,
    }


def _resource(name: str, parameters: SearchParameters, routes: Sequence[Described]) -> dict[str, Any]:
    described = [one for one in parameters.describe(name) if one.name != "_query"]
    references = [one.name for one in described if one.type == "reference"]
    resource: dict[str, Any] = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": code} for code in _type_interactions(routes)],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": ["*", *(f"{name}:{code}" for code in references)],
        "searchRevInclude": _pointing_at(name, parameters),
        "searchParam": [{"name": one.name, "definition": one.definition, "type": one.type} for one in described],
        "operation": _operations(routes, name),
    }
    return {key: value for key, value in resource.items() if value != []}


@lru_cache(maxsize=256)
def _pointing_at(name: str, parameters: SearchParameters) -> list[str]:
    return [
        f"{source}:{parameter.code}"
        for source in parameters.registry.resource_types
        for parameter in parameters.of(source).values()
        if parameter.kind == "reference" and name in parameter.targets
    ]


def _type_interactions(routes: Iterable[Described]) -> list[str]:
    """https://hl7.org/fhir/R4/valueset-type-restful-interaction.html"""
    codes = ("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type")
    offered = {route.name for route in routes if route.pattern.startswith("{type}")}
    return [code for code in codes if code in offered]


def _system_interactions(routes: Iterable[Described]) -> list[str]:
    """https://hl7.org/fhir/R4/valueset-system-restful-interaction.html"""
    offered = {route.name for route in routes if not route.pattern.startswith("{type}")}
    if "transaction" in offered:
        offered.add("batch")  # one route: the Bundle says which
    return [code for code in ("transaction", "batch", "search-system", "history-system") if code in offered]


def _operations(routes: Iterable[Described], name: str) -> list[dict[str, str]]:
    """The operations on a type, or on the system for ''."""
    found: dict[str, str] = {}
    for route in routes:
        if route.name != "operation" or route.pattern.startswith("{type}") != bool(name):
            continue
        if route.types and name not in route.types:
            continue
        code = route.pattern.rpartition("$")[2]
        found[code] = CANONICAL + definition_id(code, route.types)
    return [{"name": code, "definition": url} for code, url in found.items()]


def _terminology(base: str) -> dict[str, Any]:
    """Codes are searched for, nothing is expanded or translated. https://hl7.org/fhir/R4/terminologycapabilities.html"""
    return {
        "resourceType": "TerminologyCapabilities",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": _software(),
        "implementation": {"description": "wijkdossier: the resident owns the dossier", "url": base},
        "codeSearch": "explicit",
    }


def _software() -> dict[str, str]:
    return {"name": "wijkdossier", "version": version("wijkdossier")}

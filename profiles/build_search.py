"""Turn SearchParameters, CompartmentDefinitions and OperationDefinitions into rows.

https://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

SEARCH_PARAMETER = "http://hl7.org/fhir/SearchParameter/"

Resource = Mapping[str, Any]
Row = list[Any]


def search_parameter_rows(parameters: Iterable[Resource], resource_types: set[str]) -> list[Row]:
    """Return rows `[id, code, type, bases, expression, targets, comparators, components]` by id.

    The canonical URL is `SEARCH_PARAMETER` + id. Targets that name every resource type are shortened to `Resource`.
    Left out: parameters of test material (`example…`), those without a base, and those that neither have an expression
    nor belong to Resource/DomainResource (nothing could ever be indexed for them).
    """
    rows = []
    for parameter in parameters:
        bases = parameter.get("base", [])
        expression = parameter.get("expression", "")
        general = bases in (["Resource"], ["DomainResource"])
        if not bases or parameter["id"].startswith("example") or not (expression or general):
            continue
        if parameter["url"] != SEARCH_PARAMETER + parameter["id"]:
            raise ValueError(f"SearchParameter `{parameter['id']}`: url does not follow from the id")
        components = [
            [c["definition"].removeprefix(SEARCH_PARAMETER), c["expression"]] for c in parameter.get("component", ())
        ]
        targets = set(parameter.get("target", ()))
        row = [
            parameter["id"],
            parameter["code"],
            parameter["type"],
            " ".join(sorted(bases)),
            expression,
            "Resource" if targets >= resource_types else " ".join(sorted(targets)),
            " ".join(parameter.get("comparator", ())),
            components,
        ]
        while not row[-1]:
            row.pop()
        rows.append(row)
    return sorted(rows)


def compartment_rows(definitions: Iterable[Resource]) -> list[Row]:
    """Return rows `[compartment, resource type, parameters]` for the types that are in the compartment at all."""
    return sorted(
        [definition["code"], resource["code"], " ".join(resource["param"])]
        for definition in definitions
        if definition["id"] != "example"
        for resource in definition["resource"]
        if resource.get("param")
    )


def operation_rows(definitions: Iterable[Resource]) -> list[Row]:
    """Return rows `[id, name, code, url, resources, levels, affectsState, [[name, use, min, max, type]]]`."""
    rows = []
    for definition in definitions:
        if definition["id"] == "example":
            continue
        levels = " ".join(level for level in ("system", "type", "instance") if definition[level])
        parameters = [[p["name"], p["use"], p["min"], p["max"], p.get("type", "")] for p in definition["parameter"]]
        rows.append(
            [
                definition["id"],
                definition["name"],
                definition["code"],
                definition["url"],
                " ".join(definition.get("resource", ())),
                levels,
                definition.get("affectsState"),
                parameters,
            ]
        )
    return sorted(rows, key=lambda row: row[0])

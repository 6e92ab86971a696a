"""Composite: several parameters that hold of the same occurrence.

https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Callable

from fhir_server.search.parameters import Parameter
from fhir_server.search.query import Composite, Predicate
from fhir_server.search.values import Asked, split

Criterion = Callable[[Asked, str], Predicate]


def criterion(asked: Asked, value: str, by_kind: Callable[[str], Criterion]) -> Predicate:
    """Return what `value$value` asks; `by_kind` gives the reader of each component. Raises FhirError."""
    if asked.modifier:
        raise asked.modifier_refused()
    components = asked.parameter.components
    parts = split(value, "$")
    if len(parts) != len(components) or not all(parts):
        raise asked.invalid(f"needs {len(components)} values joined by `$`")
    children = []
    for n, (component, part) in enumerate(zip(components, parts)):
        own = Parameter(f"{asked.name}${n}", component.kind, component.expression, component.targets, (), "")
        types = _value_types(asked, component.expression)
        children.append(by_kind(component.kind)(Asked(asked.type_name, own, "", types, asked.context), part))
    return Composite(asked.name, tuple(children))


def _value_types(asked: Asked, expression: str) -> frozenset[str]:
    parameters = asked.context.parameters
    holders = parameters.value_types(asked.type_name, asked.parameter)
    return frozenset(route.code for holder in holders for route in parameters.routes(holder, expression) or ())

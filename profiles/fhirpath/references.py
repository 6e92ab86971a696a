"""`resolve()`: from a reference to what it points to, or at least to its type (https://hl7.org/fhir/R4/references.html).

Search parameters say `subject.where(resolve() is Patient)`: to answer that, the form of the reference is enough.
"""

import re
from collections.abc import Mapping
from typing import Any

from profiles.fhirpath.environment import Environment, node_of
from profiles.fhirpath.nodes import Node

# A relative or absolute literal reference, with or without a version: `Patient/1`, `https://…/Patient/1/_history/2`.
_LITERAL = re.compile(r"(?:.*/)?([A-Z][A-Za-z]{1,60})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


def resolve(env: Environment, node: Node) -> Node | None:
    """The target of a Reference, canonical or uri node; None when neither it nor its type can be told.

    Where the target itself is not at hand the node has only `resourceType` (and `id`, when the reference tells it).
    """
    value = node.value
    if isinstance(value, Mapping):
        reference, kind = value.get("reference"), value.get("type")
        kind = kind if isinstance(kind, str) and kind in env.model.definitions.types else None
        if isinstance(reference, str):
            return resolve_text(env, reference, kind)
        return Node({"resourceType": kind}, kind) if kind else None
    return resolve_text(env, value, None) if isinstance(value, str) else None


def resolve_text(env: Environment, reference: str, kind: str | None) -> Node | None:
    """The target of the text of a reference; `kind` is the type that the reference states beside it, if any."""
    if reference.startswith("#"):
        return _contained(env, reference[1:])
    if env.context.resolver is not None:
        found = env.context.resolver(reference)
        if found is not None:
            return node_of(found)
    literal = _LITERAL.fullmatch(reference)
    if literal is not None and literal[1] in env.model.definitions.types:
        return Node({"resourceType": literal[1], "id": literal[2]}, literal[1])
    return Node({"resourceType": kind}, kind) if kind else None


def _contained(env: Environment, identifier: str) -> Node | None:
    """The contained resource of the root; `#` alone is the root itself."""
    if not identifier:
        return env.root
    contained: Any = env.root.value.get("contained") if isinstance(env.root.value, Mapping) else None
    for index, resource in enumerate(contained if isinstance(contained, list) else ()):
        if isinstance(resource, Mapping) and resource.get("id") == identifier:
            name = resource.get("resourceType")
            if isinstance(name, str):
                return Node(resource, name, None, env.root, "contained", index)
    return None

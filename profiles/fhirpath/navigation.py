"""Walking from nodes to their children (http://hl7.org/fhirpath/N1/#path-selection)."""

from collections.abc import Iterator, Sequence
from typing import Any

from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.model import Model, Step
from profiles.fhirpath.nodes import Items, Node

TYPE_INFO = "System.TypeInfo"


def _children_at(node: Node, value: dict[str, Any], step: Step, out: Items) -> None:
    """Append to `out` what the JSON key of `step` holds in `value`, primitives together with their twins."""
    name, twin, code, resource = step
    found = value.get(name)
    if twin:
        extra = value.get(twin)
        if extra is not None:
            _append_with_twins(node, found, extra, step, out)
            return
    if found is None:
        return
    if type(found) is list:
        for index, child in enumerate(found):
            if child is not None:
                out.append(Node(child, _resource_type(child, code) if resource else code, None, node, name, index))
    else:
        out.append(Node(found, _resource_type(found, code) if resource else code, None, node, name))


def _append_with_twins(node: Node, found: Any, extra: Any, step: Step, out: Items) -> None:
    if type(found) is not list and type(extra) is not list:
        out.append(Node(found, step.type, extra if type(extra) is dict else None, node, step.key))
        return
    values: Sequence[Any] = found if type(found) is list else ()
    twins: Sequence[Any] = extra if type(extra) is list else ()
    for index in range(max(len(values), len(twins))):
        child = values[index] if index < len(values) else None
        twin = twins[index] if index < len(twins) else None
        if child is not None or twin is not None:
            out.append(Node(child, step.type, twin if type(twin) is dict else None, node, step.key, index))


def _resource_type(value: Any, code: str) -> str:
    name = value.get("resourceType") if type(value) is dict else None
    return name if type(name) is str else code


def _object(node: Node) -> dict[str, Any] | None:
    """The JSON object that holds the children of a node: its value, or the twin of a primitive."""
    value = node.value
    if type(value) is dict:
        return value
    return node.extra if type(node.extra) is dict else None


def step_into(env: Environment, items: Items, name: str) -> Items:
    """The children of `items` called `name`, for a choice whatever its type.

    A key of JSON (`valueQuantity`) works too unless the context is strict, where it is an error, as is a name that the
    type does not have.
    """
    out: Items = []
    model = env.model
    for node in items:
        if type(node) is not Node:
            if env.context.strict:
                raise FhirPathError(f"`{name}` is no element of a System type")
            continue
        steps = model.names(node.type).get(name)
        if steps is None:
            _step_by_key(env, node, name, out)
            continue
        value = node.value
        if type(value) is not dict:
            value = node.extra
            if type(value) is not dict:
                continue
        if len(steps) == 1:
            _children_at(node, value, steps[0], out)
        else:
            for step in steps:
                if step.key in value or step.twin in value:
                    _children_at(node, value, step, out)
    env.steps -= len(out)  # checked at the next charge: every loop has one
    return out


def _step_by_key(env: Environment, node: Node, name: str, out: Items) -> None:
    value = _object(node)
    if node.type == TYPE_INFO and value is not None:
        out.append(value[name]) if name in value else None
        return
    if env.context.strict:
        raise FhirPathError(f"`{name}` is no element of `{node.type}`")
    step = env.model.keys(node.type).get(name)
    if step is not None and value is not None:
        _children_at(node, value, step, out)


def children(model: Model, node: Node) -> Items:
    """All children of a node, in the order of its JSON."""
    value = _object(node)
    out: Items = []
    if value is None:
        return out
    keys = model.keys(node.type)
    for name in value:
        step = keys.get(name)
        if step is not None:
            _children_at(node, value, step, out)
        elif name[:1] == "_":
            step = keys.get(name[1:])
            if step is not None and step.key not in value:
                _children_at(node, value, step, out)
    return out


def descendants(env: Environment, items: Items) -> Items:
    """All children of `items`, their children, and so on, level by level."""
    out: Items = []
    level = items
    while level:
        below: Items = []
        for node in level:
            if type(node) is Node:
                below += children(env.model, node)
        env.charge(len(below))
        out += below
        level = below
    return out


def ancestors(node: Node) -> Iterator[Node]:
    """The parent of a node, its parent, up to where the evaluation started."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent

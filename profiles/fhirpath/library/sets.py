"""Subsetting, combining and comparing collections (http://hl7.org/fhirpath/N1/#subsetting, #combining)."""

from profiles.fhirpath.environment import Environment
from profiles.fhirpath.equality import key
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.functions import Table, on_collections, on_items, register
from profiles.fhirpath.navigation import children, descendants
from profiles.fhirpath.nodes import Items, Node, system
from profiles.fhirpath.operators import distinct

TABLE: Table = {}


def _single(env: Environment, items: Items) -> Items:
    if len(items) > 1:
        raise FhirPathError("`single` found several items")
    return items


register(TABLE, "single")(on_items(_single))
register(TABLE, "first")(on_items(lambda env, items: items[:1]))
register(TABLE, "last")(on_items(lambda env, items: items[-1:]))
register(TABLE, "tail")(on_items(lambda env, items: items[1:]))
register(TABLE, "distinct")(on_items(distinct))
register(TABLE, "isDistinct")(on_items(lambda env, items: [len(distinct(env, items)) == len(items)]))


def _number(given: Items, name: str) -> int:
    value = system(given[0]) if len(given) == 1 else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise FhirPathError(f"`{name}` needs a single integer")
    return max(0, value)


register(TABLE, "skip", 1)(on_collections(lambda env, items, given: items[_number(given, "skip") :] if given else []))
register(TABLE, "take", 1)(on_collections(lambda env, items, given: items[: _number(given, "take")] if given else []))


def _keys(env: Environment, items: Items) -> set[object]:
    env.charge(len(items))
    env.weigh(items)
    return {key(item) for item in items}


def _combine(env: Environment, items: Items, others: Items) -> Items:
    env.charge(len(items) + len(others))
    return items + others


def _intersect(env: Environment, items: Items, others: Items) -> Items:
    if not items or not others:
        return []
    kept = _keys(env, others)
    env.weigh(items)
    return distinct(env, [item for item in items if key(item) in kept])


def _exclude(env: Environment, items: Items, others: Items) -> Items:
    left_out = _keys(env, others)
    env.weigh(items)
    return [item for item in items if key(item) not in left_out]


register(TABLE, "union", 1)(on_collections(lambda env, items, others: distinct(env, items + others)))
register(TABLE, "combine", 1)(on_collections(_combine))
register(TABLE, "intersect", 1)(on_collections(_intersect))
register(TABLE, "exclude", 1)(on_collections(_exclude))
register(TABLE, "subsetOf", 1)(on_collections(lambda env, items, others: [_keys(env, items) <= _keys(env, others)]))
register(TABLE, "supersetOf", 1)(on_collections(lambda env, items, others: [_keys(env, items) >= _keys(env, others)]))


def _children(env: Environment, items: Items) -> Items:
    out: Items = []
    for item in items:
        if type(item) is Node:
            out += children(env.model, item)
    env.charge(len(out))
    return out


register(TABLE, "children")(on_items(_children))
register(TABLE, "descendants")(on_items(descendants))

"""Boolean logic, equality, order and membership (http://hl7.org/fhirpath/N1/#operations)."""

from typing import Any

from profiles.fhirpath import operators
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.equality import all_equal, all_equivalent, compare, equal, key
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.nodes import Items, system
from profiles.fhirpath.operators import Closure

_MANY = 16  # items from which a set pays


def truth(items: Items) -> bool | None:
    """The truth of a collection: None when empty, an item that is no boolean counts as true (N1 § 4.5).

    Raises FhirPathError when there is more than one item.
    """
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError("a single boolean is needed where the expression gives several items")
    value = system(items[0])
    return value if isinstance(value, bool) else True


def _and(left: Closure, right: Closure) -> Closure:
    def conjunction(env: Environment, focus: Items) -> Items:
        first = truth(left(env, focus))
        if first is False:
            return [False]
        second = truth(right(env, focus))
        if second is False:
            return [False]
        return [True] if first and second else []

    return conjunction


def _or(left: Closure, right: Closure) -> Closure:
    def disjunction(env: Environment, focus: Items) -> Items:
        first = truth(left(env, focus))
        if first:
            return [True]
        second = truth(right(env, focus))
        if second:
            return [True]
        return [] if first is None or second is None else [False]

    return disjunction


def _xor(left: Closure, right: Closure) -> Closure:
    def exclusive(env: Environment, focus: Items) -> Items:
        first, second = truth(left(env, focus)), truth(right(env, focus))
        return [] if first is None or second is None else [first != second]

    return exclusive


def _implies(left: Closure, right: Closure) -> Closure:
    def implication(env: Environment, focus: Items) -> Items:
        first = truth(left(env, focus))
        if first is False:
            return [True]
        second = truth(right(env, focus))
        if second:
            return [True]
        return [] if first is None or second is None else [False]

    return implication


def _equality(left: Closure, right: Closure, wanted: bool) -> Closure:
    def equality(env: Environment, focus: Items) -> Items:
        first, second = left(env, focus), right(env, focus)
        if env.untrusted:
            env.weigh(first)
            env.weigh(second)
        same = all_equal(first, second)
        return [] if same is None else [same is wanted]

    return equality


def _equivalence(left: Closure, right: Closure, wanted: bool) -> Closure:
    def equivalence(env: Environment, focus: Items) -> Items:
        first, second = left(env, focus), right(env, focus)
        env.charge(len(first) * len(second) // 8)
        env.weigh(first * min(len(second), 1000))
        return [all_equivalent(first, second) is wanted]

    return equivalence


def _order(left: Closure, right: Closure, accepted: tuple[int, ...]) -> Closure:
    def order(env: Environment, focus: Items) -> Items:
        first, second = left(env, focus), right(env, focus)
        if not first or not second:
            return []
        if len(first) > 1 or len(second) > 1:
            raise FhirPathError("only single items can be ordered")
        found = compare(first[0], second[0])
        return [] if found is None else [found in accepted]

    return order


def _keys(env: Environment, collection: Items) -> frozenset[Any]:
    """The keys of a collection, kept for the next item of a loop that looks into the same one, as dom-3 does."""
    known = env.keys.get(id(collection))
    if known is None:
        env.charge(len(collection))
        env.weigh(collection)
        # The collection is kept too: its id must not be given to another one meanwhile.
        known = env.keys[id(collection)] = (collection, frozenset(map(key, collection)))
    return known[1]


def membership(env: Environment, items: Items, collection: Items) -> Items:
    """`items in collection`: empty when `items` is."""
    if not items:
        return []
    if len(items) > 1:
        raise FhirPathError("`in` and `contains` look for a single item")
    wanted = items[0]
    if len(collection) > _MANY and isinstance(system(wanted), str):
        return [system(wanted) in _keys(env, collection)]
    env.charge(len(collection) // 8)
    env.weigh(collection)
    return [any(equal(wanted, item) for item in collection)]


def binary(operator: str, left: Closure, right: Closure) -> Closure:
    """The closure of `left operator right`."""
    match operator:
        case "and":
            return _and(left, right)
        case "or":
            return _or(left, right)
        case "xor":
            return _xor(left, right)
        case "implies":
            return _implies(left, right)
        case "=" | "!=":
            return _equality(left, right, operator == "=")
        case "~" | "!~":
            return _equivalence(left, right, operator == "~")
        case "<":
            return _order(left, right, (-1,))
        case "<=":
            return _order(left, right, (-1, 0))
        case ">":
            return _order(left, right, (1,))
        case ">=":
            return _order(left, right, (0, 1))
        case "in":
            return lambda env, focus: membership(env, left(env, focus), right(env, focus))
        case "contains":
            return lambda env, focus: membership(env, right(env, focus), left(env, focus))
        case "|":
            return lambda env, focus: operators.distinct(env, left(env, focus) + right(env, focus))
        case _:
            return operators.arithmetic(operator, left, right)

"""Equality, equivalence and order of FHIRPath items (http://hl7.org/fhirpath/N1/#equality, #comparison)."""

from decimal import Decimal
from typing import Any

from profiles.fhirpath import quantity, temporal
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.nodes import Item, Items, Node, is_primitive, system, type_of
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import Temporal


def key(item: Item) -> Any:
    """A hashable that equal items share, so that sets do the work of distinct, union and membership."""
    value = system(item)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, (int, Decimal)):
        return ("number", value)
    if isinstance(value, Temporal):
        return temporal.key(value)
    if isinstance(value, Quantity):
        return ("quantity", quantity.canonical(value) or (value.value, value.unit))
    return ("node", _frozen(value.value), _frozen(value.extra))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _frozen(child)) for name, child in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return ("boolean", value) if isinstance(value, bool) else value


def equal(left: Item, right: Item) -> bool | None:
    """Whether two items are equal; None when their precision cannot tell."""
    first, second = system(left), system(right)
    if isinstance(first, str) or isinstance(second, str):
        return isinstance(first, str) and isinstance(second, str) and first == second
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, Temporal) and isinstance(second, Temporal):
        if (first.kind == "time") != (second.kind == "time"):
            return False
        order = temporal.compare(first, second)
        return None if order is None else order == 0
    if isinstance(first, Quantity) or isinstance(second, Quantity):
        mine, yours = _as_quantity(first), _as_quantity(second)
        return quantity.equal(mine, yours) if mine and yours else False
    if isinstance(first, Node) and isinstance(second, Node):
        return bool(key(first) == key(second))
    if isinstance(first, (int, Decimal)) and isinstance(second, (int, Decimal)):
        return first == second
    return False


def all_equal(left: Items, right: Items) -> bool | None:
    """`left = right`: None when either is empty; the items are compared in order."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answer: bool | None = True
    for mine, yours in zip(left, right):
        same = equal(mine, yours)
        if same is False:
            return False
        if same is None:
            answer = None
    return answer


def equivalent(left: Item, right: Item) -> bool:
    """Whether two items are equivalent: case, white space and surplus precision do not count."""
    first, second = system(left), system(right)
    if isinstance(first, str) and isinstance(second, str):
        return " ".join(first.split()).casefold() == " ".join(second.split()).casefold()
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, Quantity) or isinstance(second, Quantity):
        mine, yours = _as_quantity(first), _as_quantity(second)
        return bool(mine and yours and quantity.equivalent(mine, yours))
    if isinstance(first, (int, Decimal)) and isinstance(second, (int, Decimal)):
        return quantity.rounded_equal(Decimal(first), Decimal(second))
    if isinstance(first, Node) and isinstance(second, Node):
        return _json_equivalent(first.value, second.value)
    return equal(first, second) is True


def _json_equivalent(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_json_equivalent(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        rest = list(right)
        for mine in left:
            found = next((at for at, yours in enumerate(rest) if _json_equivalent(mine, yours)), None)
            if found is None:
                return False
            del rest[found]
        return not rest
    if isinstance(left, str) and isinstance(right, str):
        return equivalent(left, right)
    return bool(_frozen(left) == _frozen(right))


def all_equivalent(left: Items, right: Items) -> bool:
    """`left ~ right`: never empty; order does not count."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for mine in left:
        found = next((at for at, yours in enumerate(rest) if equivalent(mine, yours)), None)
        if found is None:
            return False
        del rest[found]
    return True


def compare(left: Item, right: Item) -> int | None:
    """-1, 0 or 1 for the order of two items; None when it cannot be told.

    Raises FhirPathError when their types have no common order.
    """
    first, second = system(left), system(right)
    if isinstance(first, str) and isinstance(second, str):
        return (first > second) - (first < second)
    if isinstance(first, Temporal) and isinstance(second, Temporal):
        if (first.kind == "time") == (second.kind == "time"):
            return temporal.compare(first, second)
    elif isinstance(first, Quantity) or isinstance(second, Quantity):
        mine, yours = _as_quantity(first), _as_quantity(second)
        if mine and yours:
            return quantity.compare(mine, yours)
    elif _is_number(first) and _is_number(second):
        return (first > second) - (first < second)  # type: ignore[operator]
    for value in (first, second):
        if isinstance(value, Node) and is_primitive(value):
            return None  # a primitive that has only extensions, or a malformed value that its own rule reports
    raise FhirPathError(f"`{_name(first)}` and `{_name(second)}` cannot be ordered")


def _is_number(value: Item) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _as_quantity(value: Item) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    return Quantity(Decimal(value), "1") if _is_number(value) else None  # type: ignore[arg-type]


def _name(value: Item) -> str:
    return value.type if isinstance(value, Node) else type_of(value)

"""Arithmetic, concatenation and distinct (http://hl7.org/fhirpath/N1/#math)."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation, Overflow
from typing import TypeAlias

from profiles import ucum
from profiles.fhirpath import quantity, temporal
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.equality import key
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.nodes import Item, Items, Node, System, is_primitive, system, type_of
from profiles.fhirpath.quantity import CALENDAR, CALENDAR_OF_UCUM, NUMBERS, Quantity
from profiles.fhirpath.temporal import Temporal

Closure: TypeAlias = Callable[[Environment, Items], Items]

INTEGER_MAX = 2**63 - 1


def distinct(env: Environment, items: Items) -> Items:
    """`items` without those that equal an earlier one."""
    if len(items) < 2:
        return items
    env.charge(len(items))
    env.weigh(items)
    return list({key(item): item for item in reversed(items)}.values())[::-1]


def single(items: Items, what: str) -> System | Node | None:
    """The one item as a System value (the node itself when it is complex), None for empty.

    Raises FhirPathError, naming `what` needs it, when there are several.
    """
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"`{what}` needs a single item")
    return system(items[0])


def number_items(value: int | Decimal | None) -> Items:
    """A computed number as a collection; empty when it overflowed (N1 § 6.6: overflow gives empty)."""
    if value is None or (isinstance(value, int) and abs(value) > INTEGER_MAX):
        return []
    return [value]


def is_number(value: object) -> bool:
    """Whether `value` is an Integer or a Decimal."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def sign(operator: str, operand: Closure) -> Closure:
    """`-operand` and `+operand`."""

    def signed(env: Environment, focus: Items) -> Items:
        value = single(operand(env, focus), operator)
        if value is None:
            return []
        if isinstance(value, Quantity):
            return [Quantity(-value.value, value.unit, value.calendar, value.system)] if operator == "-" else [value]
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            return [-value] if operator == "-" else [value]
        raise FhirPathError(f"`{operator}` needs a number or a quantity")

    return signed


def arithmetic(operator: str, left: Closure, right: Closure) -> Closure:
    """`+ - * / div mod &`."""
    if operator == "&":
        return _concatenate(left, right)
    compute = {"+": _add, "-": _subtract, "*": _multiply, "/": _divide, "div": _whole, "mod": _rest}[operator]

    def computed(env: Environment, focus: Items) -> Items:
        first, second = single(left(env, focus), operator), single(right(env, focus), operator)
        if first is None or second is None:
            return []
        env.charge(1)
        if isinstance(first, str) and isinstance(second, str) and operator == "+":
            env.text(len(first) + len(second))
            return [first + second]
        for value in (first, second):
            if isinstance(value, Node) and is_primitive(value):
                return []
        try:
            result = compute(first, second)
        except (InvalidOperation, Overflow):
            return []
        if result is None:
            return []
        if isinstance(result, int):
            return number_items(result)
        return [result]

    return computed


def _concatenate(left: Closure, right: Closure) -> Closure:
    def concatenated(env: Environment, focus: Items) -> Items:
        texts = []
        for side in (left, right):
            value = single(side(env, focus), "&")
            if value is not None and not isinstance(value, str):
                if isinstance(value, Node) and is_primitive(value):
                    value = ""
                else:
                    raise _mismatch("&", value)
            texts.append(value or "")
        env.text(len(texts[0]) + len(texts[1]))
        return [texts[0] + texts[1]]

    return concatenated


def _mismatch(operator: str, *values: Item) -> FhirPathError:
    names = " and ".join(f"`{value.type if isinstance(value, Node) else type_of(value)}`" for value in values)
    return FhirPathError(f"`{operator}` does not apply to {names}")


def _add(left: Item, right: Item, operator: str = "+") -> Item | None:
    if is_number(left) and is_number(right):
        return _numbers(operator, left, right)
    if isinstance(left, Temporal) and isinstance(right, Quantity):
        return _move(left, right, operator)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return _sum(left, right, operator)
    raise _mismatch(operator, left, right)


def _subtract(left: Item, right: Item) -> Item | None:
    if isinstance(right, Quantity) and isinstance(left, (Temporal, Quantity)):
        negative = Quantity(-right.value, right.unit, right.calendar, right.system)
        return _add(left, negative, "-")
    if is_number(left) and is_number(right):
        return _numbers("-", left, right)
    raise _mismatch("-", left, right)


def _numbers(operator: str, left: Item, right: Item) -> int | Decimal:
    assert isinstance(left, (int, Decimal))
    assert isinstance(right, (int, Decimal))
    if isinstance(left, int) and isinstance(right, int):
        return {"+": left + right, "-": left - right, "*": left * right}[operator]
    first, second = Decimal(left), Decimal(right)
    compute = {"+": NUMBERS.add, "-": NUMBERS.subtract, "*": NUMBERS.multiply}[operator]
    return compute(first, second)


def _move(moment: Temporal, by: Quantity, operator: str) -> Temporal | None:
    """A date or time moved by a duration. UCUM's year and month are averages and no calendar unit (N1 § 6.7)."""
    unit = by.unit if by.calendar else CALENDAR_OF_UCUM.get(by.unit, CALENDAR.get(by.unit))
    if unit is None or by.system or (not by.calendar and by.unit in ("a", "mo")):
        raise FhirPathError(f"`{operator}` needs a calendar duration beside a date or time")
    if abs(by.value) > 10**12:
        return None
    return temporal.add(moment, by.value, unit)


def _sum(left: Quantity, right: Quantity, operator: str) -> Quantity | None:
    if left.unit == right.unit and left.calendar == right.calendar and left.system == right.system:
        return Quantity(NUMBERS.add(left.value, right.value), left.unit, left.calendar, left.system)
    if left.system or right.system:
        return None
    first, second = quantity.ucum_unit(left), quantity.ucum_unit(right)
    there = ucum.convert(right.value, second, first)
    return None if there is None else Quantity(NUMBERS.add(left.value, there), left.unit, left.calendar)


def _multiply(left: Item, right: Item) -> Item | None:
    if is_number(left) and is_number(right):
        return _numbers("*", left, right)
    first, second = _quantities("*", left, right)
    return quantity.multiply(first, second)


def _quantities(operator: str, left: Item, right: Item) -> tuple[Quantity, Quantity]:
    pair = []
    for value in (left, right):
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            value = Quantity(Decimal(value), "1")
        if not isinstance(value, Quantity) or value.system:
            raise _mismatch(operator, left, right)
        pair.append(value)
    return pair[0], pair[1]


def _divide(left: Item, right: Item) -> Item | None:
    if isinstance(left, (int, Decimal)) and isinstance(right, (int, Decimal)) and is_number(left) and is_number(right):
        return NUMBERS.divide(Decimal(left), Decimal(right)) if right else None
    first, second = _quantities("/", left, right)
    return quantity.divide(first, second) if second.value else None


def _whole(left: Item, right: Item) -> Item | None:
    if (
        not isinstance(left, (int, Decimal))
        or not isinstance(right, (int, Decimal))
        or bool in (type(left), type(right))
    ):
        raise _mismatch("div", left, right)
    if not right:
        return None
    return int(NUMBERS.divide_int(Decimal(left), Decimal(right)))


def _rest(left: Item, right: Item) -> Item | None:
    if (
        not isinstance(left, (int, Decimal))
        or not isinstance(right, (int, Decimal))
        or bool in (type(left), type(right))
    ):
        raise _mismatch("mod", left, right)
    if not right:
        return None
    rest = NUMBERS.remainder(Decimal(left), Decimal(right))
    return int(rest) if isinstance(left, int) and isinstance(right, int) else rest

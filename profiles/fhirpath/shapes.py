"""Boolean expressions over a JSON object of a known type, as closures without nodes (http://hl7.org/fhirpath/N1/).

A closure takes the JSON object and the context and returns True, False or None (empty). `Unsupported` says that an
expression has no such form; the answer of a form is always that of the general evaluation: the tests hold it to that.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from profiles.fhirpath import temporal
from profiles.fhirpath.environment import Context
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.nodes import INTEGER_TYPES, STRING_TYPES, UCUM_SYSTEM
from profiles.fhirpath.paths import Object, Paths, Truth, Unsupported, Values
from profiles.fhirpath.syntax import Binary, Call, Expr, Literal, Member, Variable

Number: TypeAlias = Callable[[Object, Context], int]

_MOMENTS = {"date": "date", "dateTime": "dateTime", "instant": "dateTime"}


class Shapes(Paths):
    """Builds the closures of boolean expressions for one model."""

    def truth(self, expr: Expr, type_name: str) -> Truth:
        """The truth of a boolean expression; raises Unsupported."""
        match expr:
            case Literal(value=bool(value)):
                constant = value
                return lambda focus, context: constant
            case Call():
                return self._call(expr, type_name)
            case Binary(operator="and" | "or" | "xor" | "implies" as operator, left=left, right=right):
                return self.connective(operator, self.truth(left, type_name), self.truth(right, type_name))
            case Binary(operator="=" | "!=" as operator, left=left, right=right):
                return self._equality(operator, left, right, type_name)
            case Binary(operator="in", left=left, right=right):
                return self._membership(left, right, type_name)
            case Binary(operator="<" | "<=" | ">" | ">=" as operator, left=left, right=right):
                return self._order(operator, left, right, type_name)
            case Member():
                values, code = self.values(expr, type_name)
                if code != "boolean":
                    raise Unsupported
                return lambda value, context: _as_truth(values(value, context))
        raise Unsupported

    def connective(self, operator: str, left: Truth, right: Truth) -> Truth:
        """Three-valued logic (N1 § 6.5)."""
        if operator == "and":

            def both(value: Object, context: Context) -> bool | None:
                first = left(value, context)
                if first is False:
                    return False
                second = right(value, context)
                return False if second is False else True if first and second else None

            return both
        if operator == "xor":

            def one(value: Object, context: Context) -> bool | None:
                first, second = left(value, context), right(value, context)
                return None if first is None or second is None else first != second

            return one
        decisive = operator == "or"

        def either(value: Object, context: Context) -> bool | None:
            # `a implies b` is `not a or b`.
            first = left(value, context)
            if first is decisive:
                return True
            second = right(value, context)
            return True if second else None if first is None or second is None else False

        return either

    def _call(self, call: Call, type_name: str) -> Truth:
        source = call.source
        match call.name, call.arguments:
            case "exists", ():
                return self.exists(source, type_name)
            case "exists", (criterion,):
                return self.exists(Call(source, "where", (criterion,)), type_name)
            case "empty", ():
                there = self.exists(source, type_name)
                return lambda value, context: not there(value, context)
            case "not", ():
                inner = self.truth(source, type_name)
                return lambda value, context: _negated(inner(value, context))
            case "hasValue", ():
                values, _ = self.values(source, type_name)
                return lambda value, context: _has_value(values(value, context))
            case "all", (criterion,):
                found, inner_type = self.objects(source, type_name)
                keep = self.truth(criterion, inner_type)
                return lambda value, context: all(keep(each, context) for each in found(value, context))
            case "matches" | "startsWith" | "contains" as name, (Literal(value=str(text)),):
                return self._text(name, source, text, type_name)
        raise Unsupported

    def _text(self, name: str, source: Expr, text: str, type_name: str) -> Truth:
        values, code = self.values(source, type_name)
        if code not in STRING_TYPES:
            raise Unsupported
        pattern = re.compile(text, re.DOTALL) if name == "matches" else None

        def test(value: Object, context: Context) -> bool | None:
            found = _single(values(value, context), name)
            if type(found) is not str:
                return None
            if pattern is not None:
                return pattern.search(found) is not None
            return found.startswith(text) if name == "startsWith" else text in found

        return test

    def _equality(self, operator: str, left: Expr, right: Expr, type_name: str) -> Truth:
        wanted = operator == "="
        if isinstance(left, (Literal, Variable)):
            left, right = right, left
        if isinstance(right, (Literal, Variable)):
            return self._equals_literal(self.values(left, type_name), _literal(right), wanted)
        first, second = self.truth(left, type_name), self.truth(right, type_name)

        def same(value: Object, context: Context) -> bool | None:
            mine, yours = first(value, context), second(value, context)
            return None if mine is None or yours is None else (mine == yours) is wanted

        # Only for what is a boolean by its own: a path could hold several values, which `=` compares one by one.
        if isinstance(left, Member) or isinstance(right, Member):
            raise Unsupported
        return same

    def _equals_literal(self, path: tuple[Values, str], literal: bool | int | str, wanted: bool) -> Truth:
        values, code = path
        if not _comparable(code, literal):
            raise Unsupported

        def equals(value: Object, context: Context) -> bool | None:
            found = values(value, context)
            if not found:
                return None
            return (len(found) == 1 and found[0] == literal and type(found[0]) is type(literal)) is wanted

        return equals

    def _membership(self, left: Expr, right: Expr, type_name: str) -> Truth:
        values, code = self.values(left, type_name)
        members = frozenset(_union_of_strings(right))
        if code not in STRING_TYPES:
            raise Unsupported

        def member(value: Object, context: Context) -> bool | None:
            found = values(value, context)
            if not found:
                return None
            if len(found) > 1:
                raise FhirPathError("`in` and `contains` look for a single item")
            return type(found[0]) is str and found[0] in members

        return member

    def _order(self, operator: str, left: Expr, right: Expr, type_name: str) -> Truth:
        if isinstance(left, Member) and isinstance(right, Member):
            return self._moments(operator, left, right, type_name)
        if isinstance(left, Member) and isinstance(right, Literal):
            return self._bound(operator, left, right, type_name)
        first, second = self._number(left, type_name), self._number(right, type_name)
        match operator:
            case "<":
                return lambda value, context: first(value, context) < second(value, context)
            case "<=":
                return lambda value, context: first(value, context) <= second(value, context)
            case ">":
                return lambda value, context: first(value, context) > second(value, context)
        return lambda value, context: first(value, context) >= second(value, context)

    def _number(self, expr: Expr, type_name: str) -> Number:
        match expr:
            case Literal(value=int(number)) if not isinstance(expr.value, bool):
                constant = number
                return lambda value, context: constant
            case Call(source=Member() as source, name="count", arguments=()):
                return self._count(source, type_name)
            case Binary(operator="+", left=left, right=right):
                first, second = self._number(left, type_name), self._number(right, type_name)
                return lambda value, context: first(value, context) + second(value, context)
        raise Unsupported

    def _count(self, source: Member, type_name: str) -> Number:
        try:
            values, _ = self.values(source, type_name)
            return lambda value, context: len(values(value, context))
        except Unsupported:
            found, _ = self.objects(source, type_name)
            return lambda value, context: len(found(value, context))

    def _bound(self, operator: str, left: Member, right: Literal, type_name: str) -> Truth:
        values, code = self.values(left, type_name)
        limit = right.value
        if code not in INTEGER_TYPES | {"decimal"} or not isinstance(limit, (int, Decimal)) or isinstance(limit, bool):
            raise Unsupported
        accepted = _accepted(operator)
        bound = limit

        def within(value: Object, context: Context) -> bool | None:
            found = _single(values(value, context), operator)
            if not isinstance(found, (int, Decimal)) or isinstance(found, bool):
                return None
            return (found > bound) - (found < bound) in accepted

        return within

    def _moments(self, operator: str, left: Member, right: Member, type_name: str) -> Truth:
        (firsts, code), (seconds, other) = self.values(left, type_name), self.values(right, type_name)
        if code not in _MOMENTS or other not in _MOMENTS:
            raise Unsupported
        accepted = _accepted(operator)

        def ordered(value: Object, context: Context) -> bool | None:
            first, second = _single(firsts(value, context), operator), _single(seconds(value, context), operator)
            if type(first) is not str or type(second) is not str:
                return None
            if _same_form(first, second):
                return (first > second) - (first < second) in accepted
            mine, yours = temporal.parse(first, _MOMENTS[code]), temporal.parse(second, _MOMENTS[other])
            found = None if mine is None or yours is None else temporal.compare(mine, yours)
            return None if found is None else found in accepted

        return ordered


def _single(values: list[Any], what: str) -> Any:
    if len(values) > 1:
        raise FhirPathError(f"`{what}` needs a single item")
    return values[0] if values else None


def _as_truth(values: list[Any]) -> bool | None:
    value = _single(values, "a boolean")
    return value is not False if values else None  # an item that is no boolean counts as true (N1 § 4.5)


def _same_form(first: str, second: str) -> bool:
    """Whether two moments have the same precision and zone, so that their texts are ordered as they are."""
    if len(first) != len(second):
        return False
    return len(first) <= 10 or first[-1] == second[-1] == "Z" or (first[-6] in "+-" and first[-6:] == second[-6:])


def _has_value(values: list[Any]) -> bool:
    return len(values) == 1 and values[0] is not None


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _accepted(operator: str) -> tuple[int, ...]:
    return {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[operator]


def _literal(expr: Literal | Variable) -> bool | int | str:
    if isinstance(expr, Variable):
        if expr.name != "ucum":
            raise Unsupported
        return UCUM_SYSTEM
    if isinstance(expr.value, (bool, int, str)):
        return expr.value
    raise Unsupported


def _comparable(code: str, literal: bool | int | str) -> bool:
    if isinstance(literal, bool):
        return code == "boolean"
    return code in (STRING_TYPES if isinstance(literal, str) else INTEGER_TYPES)


def _union_of_strings(expr: Expr) -> list[str]:
    match expr:
        case Literal(value=str(text)):
            return [text]
        case Binary(operator="|", left=left, right=right):
            return _union_of_strings(left) + _union_of_strings(right)
    raise Unsupported

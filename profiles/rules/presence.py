"""What an invariant comes to when all that is known is which elements are present.

Most invariants only ask what is there: `code.empty() or system.exists()`. Evaluated once for each combination of
present elements that occurs, they cost one dictionary look-up per value. The interpretation is sound: it answers TRUE,
FALSE or EMPTY only where every value with those elements present gives that answer, else SOME or UNKNOWN, and then the
expression itself is evaluated. http://hl7.org/fhirpath/N1/#boolean-logic
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from profiles.fhirpath.syntax import Binary, Call, Expr, Index, Literal, Member, This, TypeTest


class Outcome(Enum):
    """An abstract collection."""

    TRUE = "true"
    FALSE = "false"
    EMPTY = "empty"
    SOME = "at least one item"
    UNKNOWN = "anything"


@dataclass(frozen=True, slots=True)
class Count:
    """An integer known to lie between `low` and `high`, None is no upper bound."""

    low: int
    high: int | None


Abstract = Outcome | Count


class Presence(Protocol):
    """What is known of the focus: a value whose structure is valid."""

    def element(self, name: str) -> Outcome:
        """SOME when the focus has the element, EMPTY when it has not, UNKNOWN when `name` is none of its elements."""

    def mandatory(self, name: str, child: str) -> bool:
        """Whether each value of the element `name` has to have the element `child`."""


TRUE: Final = Outcome.TRUE
FALSE: Final = Outcome.FALSE
EMPTY: Final = Outcome.EMPTY
SOME: Final = Outcome.SOME
UNKNOWN: Final = Outcome.UNKNOWN

# Functions that give the empty collection for an empty input, whatever their arguments.
_EMPTY_OF_EMPTY = frozenset(
    """where select repeat ofType as trace first last tail skip take single children descendants resolve extension
    not matches startsWith endsWith contains length substring indexOf replace replaceMatches upper lower
    toString toInteger toDecimal toBoolean toQuantity intersect distinct is""".split()  # noqa: SIM905
)
# Functions that keep at least one item of a collection that has one.
_SOME_OF_SOME = frozenset({"trace", "first", "last", "distinct"})
# The answer of a function about an empty collection.
_OF_EMPTY = {"exists": FALSE, "empty": TRUE, "hasValue": FALSE, "all": TRUE, "isDistinct": TRUE}


def outcome(expression: Expr, present: Presence) -> Outcome:
    """Return TRUE, FALSE or EMPTY where the elements present decide the expression, else SOME or UNKNOWN.

    Every root element that the expression mentions outside the arguments of functions is asked of `present`.
    """
    value = _abstract(expression, present)
    return UNKNOWN if isinstance(value, Count) else value


def _abstract(node: Expr, present: Presence) -> Abstract:
    if isinstance(node, Member):
        return _member(node, present)
    if isinstance(node, Call):
        return _call(node, present)
    if isinstance(node, Binary):
        return _binary(node.operator, _abstract(node.left, present), _abstract(node.right, present))
    if isinstance(node, Literal):
        return _literal(node)
    if isinstance(node, Index):
        return EMPTY if _abstract(node.source, present) is EMPTY else UNKNOWN
    if isinstance(node, TypeTest):
        return EMPTY if _abstract(node.operand, present) is EMPTY else UNKNOWN
    return UNKNOWN


def _member(node: Member, present: Presence) -> Abstract:
    source = node.source
    if isinstance(source, This):
        return present.element(node.name) if source.name == "this" else UNKNOWN
    before = _abstract(source, present)
    if before is EMPTY:
        return EMPTY
    child_of_element = isinstance(source, Member) and source.source == This("this")
    if before is SOME and child_of_element and present.mandatory(source.name, node.name):  # type: ignore[union-attr]
        return SOME
    return UNKNOWN


def _literal(node: Literal) -> Abstract:
    if isinstance(node.value, bool):
        return TRUE if node.value else FALSE
    if isinstance(node.value, int):
        return Count(node.value, node.value)
    return EMPTY if node.value is None else SOME


def _call(node: Call, present: Presence) -> Abstract:
    source = _abstract(node.source, present)
    name = node.name
    if name == "count":
        return Count(0, 0) if source is EMPTY else Count(1 if source is SOME else 0, None)
    if source is EMPTY:
        return _OF_EMPTY.get(name) or (EMPTY if name in _EMPTY_OF_EMPTY else UNKNOWN)
    if name == "not":
        return {TRUE: FALSE, FALSE: TRUE}.get(source, UNKNOWN) if isinstance(source, Outcome) else UNKNOWN
    if source in (SOME, TRUE, FALSE):
        if name == "exists" and not node.arguments:
            return TRUE
        if name == "empty":
            return FALSE
        if name in _SOME_OF_SOME:
            return source
    return UNKNOWN


def _binary(operator: str, left: Abstract, right: Abstract) -> Abstract:
    if operator in _LOGIC:
        return _LOGIC[operator](_truth(left), _truth(right))
    if operator == "|":
        if SOME in (left, right):
            return SOME
        return EMPTY if left is right is EMPTY else UNKNOWN
    if operator in ("in", "contains"):
        return EMPTY if (left if operator == "in" else right) is EMPTY else UNKNOWN
    if operator in ("=", "!=", "<", ">", "<=", ">=", "+"):
        if EMPTY in (left, right):
            return EMPTY
        if isinstance(left, Count) and isinstance(right, Count):
            return _arithmetic(operator, left, right)
        if operator in ("=", "!=") and left in (TRUE, FALSE) and right in (TRUE, FALSE):
            return TRUE if (left is right) == (operator == "=") else FALSE
    return UNKNOWN


def _truth(value: Abstract) -> Outcome:
    return value if isinstance(value, Outcome) and value is not SOME else UNKNOWN


def _and(left: Outcome, right: Outcome) -> Outcome:
    if FALSE in (left, right):
        return FALSE
    if UNKNOWN in (left, right):
        return UNKNOWN
    return EMPTY if EMPTY in (left, right) else TRUE


def _or(left: Outcome, right: Outcome) -> Outcome:
    return _not(_and(_not(left), _not(right)))


def _not(value: Outcome) -> Outcome:
    return {TRUE: FALSE, FALSE: TRUE}.get(value, value)


def _xor(left: Outcome, right: Outcome) -> Outcome:
    if UNKNOWN in (left, right):
        return UNKNOWN
    if EMPTY in (left, right):
        return EMPTY
    return FALSE if left is right else TRUE


def _implies(left: Outcome, right: Outcome) -> Outcome:
    # The three-valued table of the specification is that of `left.not() or right`.
    return _or(_not(left), right)


_LOGIC = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}


def _arithmetic(operator: str, left: Count, right: Count) -> Abstract:
    if operator == "+":
        bounded = left.high is not None and right.high is not None
        return Count(left.low + right.low, left.high + right.high if bounded else None)  # type: ignore[operator]
    if operator in ("<", "<="):
        return _arithmetic(">" if operator == "<" else ">=", right, left)
    if operator == "!=":
        return _not(_truth(_arithmetic("=", left, right)))
    above = left.low > right.high if right.high is not None else False
    below = left.high < right.low if left.high is not None else False
    if operator == "=":
        same = left.low == left.high == right.low == right.high
        return TRUE if same else FALSE if above or below else UNKNOWN
    if operator == ">":
        at_most = left.high is not None and left.high <= right.low
        return TRUE if above else FALSE if at_most else UNKNOWN
    at_least = right.high is not None and left.low >= right.high
    return TRUE if at_least else FALSE if below else UNKNOWN

"""Invariants as functions of the raw JSON value, for a validator that runs them on every write.

`compile_rule` knows the type of the value it will be given. It turns the shapes that nearly all invariants have
(existence, comparison with a literal, counting, boolean logic) into closures over the JSON object itself; the rest is
evaluated as any expression, but only when an element it looks at is there.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from profiles.fhirpath.compiler import TYPED
from profiles.fhirpath.environment import Context
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.expression import compile as compile_expression
from profiles.fhirpath.expression import from_tree
from profiles.fhirpath.library import FOCUSED
from profiles.fhirpath.logic import truth
from profiles.fhirpath.model import Model, default
from profiles.fhirpath.nodes import Node
from profiles.fhirpath.parser import parse
from profiles.fhirpath.paths import Unsupported
from profiles.fhirpath.shapes import Shapes
from profiles.fhirpath.syntax import Binary, Call, Expr, Index, Literal, Member, This, TypeTest, Unary, Variable

Rule: TypeAlias = Callable[[Any, Mapping[str, Any] | None, Context], bool | None]
_Truth: TypeAlias = Callable[[dict[str, Any], Context], bool | None]

# ele-1 is stated on every element of FHIR, so it has a form of its own.
_ELE_1 = parse("hasValue() or (children().count() > id.count())")


def compile_rule(expression: str, type_name: str, model: Model | None = None) -> Rule:
    """The invariant `expression` on values of `type_name` as a function `(value, twin, context) -> truth`.

    The truth is None when the result is empty; whether that breaks the rule is the caller's to say. `value` is the JSON
    value, None for a primitive that only has its `_element` `twin`. `context` gives the resource and, for a contained
    resource, the root. The JSON is taken to have the shape of its
    type (no nulls but in arrays of primitives, no empty arrays); where it has not, the answer may be wrong, as that
    shape already is. Raises FhirPathSyntaxError; the function raises FhirPathError when the expression does not apply
    to the value.
    """
    return _compile_rule(expression, type_name) if model is None else _build(expression, type_name, model)


@cache
def _compile_rule(expression: str, type_name: str) -> Rule:
    return _build(expression, type_name, default())


def _build(text: str, type_name: str, model: Model) -> Rule:
    tree = parse(text)
    if tree == _ELE_1:
        return _has_content
    expression = compile_expression(text)

    def general(value: Any, twin: Mapping[str, Any] | None, context: Context) -> bool | None:
        return truth(expression.items(Node(value, type_name, twin), context, model))

    definition = model.definitions.types.get(type_name)
    if definition is None or definition.kind == "primitive":
        return general
    judge = _judge(tree, type_name, model)

    def rule(value: Any, twin: Mapping[str, Any] | None, context: Context) -> bool | None:
        if type(value) is not dict:
            return general(value, twin, context)
        try:
            return judge(value, context)
        except (AttributeError, TypeError):
            return general(value, twin, context)  # malformed JSON below: the nodes of the evaluation step over it

    return rule


def _has_content(value: Any, twin: Mapping[str, Any] | None, context: Context) -> bool:
    """ele-1: a value, or children other than the id."""
    if type(value) is dict:
        return len(value) > ("id" in value)
    return value is not None or (twin is not None and len(twin) > ("id" in twin))


def _judge(tree: Expr, type_name: str, model: Model) -> _Truth:
    """The truth of a boolean expression: by its shape, else operand by operand, else by evaluating it."""
    shapes = Shapes(model)
    try:
        return shapes.truth(tree, type_name)
    except Unsupported:
        pass
    if isinstance(tree, Binary) and tree.operator in ("and", "or", "implies"):
        left, right = _judge(tree.left, type_name, model), _judge(tree.right, type_name, model)
        return shapes.connective(tree.operator, left, right)
    return _guarded(tree, type_name, model)


def _guarded(tree: Expr, type_name: str, model: Model) -> _Truth:
    """Evaluation, except where nothing that the expression looks at is there: what it then says is known beforehand."""
    expression = from_tree(tree)

    def evaluate(value: dict[str, Any], context: Context) -> bool | None:
        return truth(expression.items(Node(value, type_name), context, model))

    names: set[str] = set()
    if not _names_read(tree, names):
        return evaluate
    steps = [step for name in names for step in model.names(type_name).get(name, ())]
    keys = frozenset(key for step in steps for key in (step.key, step.twin) if key)
    try:
        absent = evaluate({}, Context())
    except FhirPathError:
        return evaluate

    def guarded(value: dict[str, Any], context: Context) -> bool | None:
        return absent if keys.isdisjoint(value) else evaluate(value, context)

    return guarded


def _names_read(expr: Expr, names: set[str]) -> bool:
    """Collect the elements of the focus that decide `expr`; False when something else does too, as `$this` does."""
    match expr:
        case Literal():
            return True
        case This() | Variable():
            return False
        case Member(source=source, name=name, root=root):
            if root:
                names.add(name)
                return not name[0].isupper()
            return _names_read(source, names)
        case Call(source=source, name=name, arguments=arguments):
            # What a criterion reads of its items does not matter while there are none; a type is no path.
            inner = () if name in FOCUSED - {"iif"} or name in TYPED else arguments
            return _names_read(source, names) and all(_names_read(each, names) for each in inner)
        case Index(source=source, position=position):
            return _names_read(source, names) and _names_read(position, names)
        case Unary(operand=operand) | TypeTest(operand=operand):
            return _names_read(operand, names)
        case Binary(left=left, right=right):
            return _names_read(left, names) and _names_read(right, names)

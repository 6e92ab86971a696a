"""Syntax tree → closures `(environment, focus) -> items` (http://hl7.org/fhirpath/N1/#expressions).

The focus is what `$this` stands for: the input of the whole expression, or the item at hand inside `where(…)`. A
closure never changes the list it is given.
"""

from collections.abc import Callable
from itertools import count
from typing import TypeAlias

from profiles.fhirpath import logic, operators
from profiles.fhirpath.environment import Environment, node_of
from profiles.fhirpath.errors import FhirPathError, FhirPathSyntaxError
from profiles.fhirpath.navigation import step_into
from profiles.fhirpath.nodes import Items, Node, system
from profiles.fhirpath.operators import Closure
from profiles.fhirpath.syntax import Binary, Call, Expr, Index, Literal, Member, This, TypeTest, Unary, Variable
from profiles.fhirpath.types import Specifier

Builder: TypeAlias = Callable[["Compiler", Closure, tuple[Expr, ...]], Closure]

_SLOTS = count(1)
TYPED = frozenset({"is", "as", "ofType"})
_CODE_SYSTEMS = {"sct": "http://snomed.info/sct", "loinc": "http://loinc.org", "ucum": "http://unitsofmeasure.org"}


class Compiler:
    """Compiles one expression with a table of functions."""

    def __init__(self, functions: dict[str, tuple[int, int, Builder]], focused: frozenset[str]) -> None:
        self.functions = functions
        self.focused = focused  # functions whose arguments are evaluated for each item of their input
        self.loops = 0

    def compile(self, expr: Expr) -> Closure:
        """The closure of `expr`; raises FhirPathSyntaxError for what is not supported."""
        closure = self._compile(expr)
        # Inside a loop, what does not depend on the item (`%resource.descendants()…` in dom-3) is worked out once.
        if self.loops and not isinstance(expr, (Literal, Variable)) and self.constant(expr):
            return _once(closure)
        return closure

    def compile_loop(self, expr: Expr) -> Closure:
        """The closure of an argument that is evaluated for each item of the input."""
        self.loops += 1
        try:
            return self.compile(expr)
        finally:
            self.loops -= 1

    def constant(self, expr: Expr) -> bool:
        """Whether `expr` is the same for every focus."""
        match expr:
            case Literal() | Variable():
                return True
            case This():
                return False
            case Member(source=source):
                return self.constant(source)
            case Call(source=source, name=name, arguments=arguments):
                # `$this`, `$index` and `$total` in the arguments of `where` and its like are their own.
                # The argument of `as` and its like is a type and no path.
                free = name in self.focused or name in TYPED
                return self.constant(source) and (free or all(map(self.constant, arguments)))
            case Index(source=source, position=position):
                return self.constant(source) and self.constant(position)
            case Unary(operand=operand) | TypeTest(operand=operand):
                return self.constant(operand)
            case Binary(left=left, right=right):
                return self.constant(left) and self.constant(right)

    def _compile(self, expr: Expr) -> Closure:
        match expr:
            case Literal(value=value):
                items: Items = [] if value is None else [value]
                return lambda env, focus: items
            case This(name=name):
                return _this(name)
            case Variable(name=name):
                return _variable(name)
            case Member(source=source, name=name, root=root):
                return _root_member(name) if root else _member(self.compile(source), name)
            case Call(source=source, name=name, arguments=arguments):
                return self._call(source, name, arguments)
            case Index(source=source, position=position):
                return _index(self.compile(source), self.compile(position))
            case Unary(operator=operator, operand=operand):
                return operators.sign(operator, self.compile(operand))
            case TypeTest(operator=operator, operand=operand, type=type_):
                specifier = Specifier(type_)
                return (is_type if operator == "is" else as_type)(self.compile(operand), specifier)
            case Binary(operator=operator, left=left, right=right):
                return logic.binary(operator, self.compile(left), self.compile(right))

    def _call(self, source: Expr, name: str, arguments: tuple[Expr, ...]) -> Closure:
        found = self.functions.get(name)
        if found is None:
            raise FhirPathSyntaxError(f"function `{name[:40]}` is not supported")
        least, most, builder = found
        if not least <= len(arguments) <= most:
            raise FhirPathSyntaxError(f"function `{name}` takes {least} to {most} arguments, not {len(arguments)}")
        return builder(self, self.compile(source), arguments)


def _once(closure: Closure) -> Closure:
    slot = next(_SLOTS)

    def once(env: Environment, focus: Items) -> Items:
        known = env.memo.get(slot)
        if known is None:
            known = env.memo[slot] = closure(env, focus)
        return known

    return once


def _this(name: str) -> Closure:
    if name == "index":
        return lambda env, focus: [env.index]
    if name == "total":
        return lambda env, focus: env.total
    return lambda env, focus: focus


def _variable(name: str) -> Closure:
    """`%name`; `%vs-…` and `%ext-…` are the canonical URLs of the standard's own value sets and extensions."""
    fixed = _CODE_SYSTEMS.get(name)
    if name.startswith("vs-"):
        fixed = "http://hl7.org/fhir/ValueSet/" + name[3:]
    elif name.startswith("ext-"):
        fixed = "http://hl7.org/fhir/StructureDefinition/" + name[4:]
    if fixed is not None:
        constant: Items = [fixed]
        return lambda env, focus: constant
    if name == "resource":
        return lambda env, focus: [env.resource]
    if name == "rootResource":
        return lambda env, focus: [env.root]
    if name == "context":
        return lambda env, focus: [env.start]

    def variable(env: Environment, focus: Items) -> Items:
        if name not in env.context.variables:
            raise FhirPathError(f"`%{name[:40]}` is not defined")
        value = env.context.variables[name]
        values = value if isinstance(value, list) else [value]
        return [node_of(each) if isinstance(each, dict) else each for each in values]

    return variable


def _root_member(name: str) -> Closure:
    """The first name of a path: an element of the focus, or its type when it begins with a capital as types do."""
    if not name[0].isupper():
        return lambda env, focus: step_into(env, focus, name)

    def root(env: Environment, focus: Items) -> Items:
        out: Items = []
        for node in focus:
            if type(node) is Node and env.model.is_subtype(node.type, name):
                out.append(node)
            elif env.context.strict:
                raise FhirPathError(f"the context is no `{name[:40]}`")
        return out

    return root


def _member(source: Closure, name: str) -> Closure:
    def member(env: Environment, focus: Items) -> Items:
        items = source(env, focus)
        return step_into(env, items, name) if items else items

    return member


def _index(source: Closure, position: Closure) -> Closure:
    def index(env: Environment, focus: Items) -> Items:
        items, at = source(env, focus), position(env, focus)
        if not at:
            return []
        number = system(at[0])
        if len(at) > 1 or not isinstance(number, int) or isinstance(number, bool):
            raise FhirPathError("an index is a single integer")
        return items[number : number + 1] if number >= 0 else []

    return index


def is_type(source: Closure, specifier: Specifier) -> Closure:
    """`source is type`: empty for empty."""

    def test(env: Environment, focus: Items) -> Items:
        items = source(env, focus)
        if not items:
            return []
        if len(items) > 1:
            raise FhirPathError("`is` needs a single item")
        return [specifier.includes(items[0], env.model)]

    return test


def as_type(source: Closure, specifier: Specifier) -> Closure:
    """`source as type`: the items of that type.

    N1 allows a single item only; R4's search parameters and dom-3 use it on several, so only a strict context objects.
    """

    def cast(env: Environment, focus: Items) -> Items:
        items = source(env, focus)
        if len(items) > 1 and env.context.strict:
            raise FhirPathError("`as` needs a single item")
        return [item for item in items if specifier.selects(item, env.model)]

    return cast

"""The public face: `compile(text)` gives an Expression that evaluates, locates and tells whether a rule holds.

https://hl7.org/fhir/R4/fhirpath.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from profiles.fhirpath.compiler import Compiler
from profiles.fhirpath.environment import Context, Environment, node_of
from profiles.fhirpath.errors import FhirPathError, FhirPathLimitError, FhirPathSyntaxError
from profiles.fhirpath.library import FOCUSED, FUNCTIONS
from profiles.fhirpath.logic import truth
from profiles.fhirpath.model import Model, default
from profiles.fhirpath.nodes import Items, Node, type_of
from profiles.fhirpath.operators import Closure
from profiles.fhirpath.parser import parse
from profiles.fhirpath.syntax import Expr

_EMPTY = Context()


@dataclass(frozen=True, slots=True)
class Location:
    """Where a node stands: `container[key]`, or `container[key][index]` when `index` is not None.

    `container` is the JSON object itself, so an edit of it is an edit of the resource; it is None for the resource as a
    whole. The `_key` twin of a primitive stands in the same container. `path` is the FHIRPath of the node:
    `Patient.name[1].given[0]`.
    """

    node: Node
    container: dict[str, Any] | None = field(repr=False)
    key: str
    index: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; immutable and safe to share."""

    text: str
    _closure: Closure
    _untrusted: bool = False

    def evaluate(
        self, focus: Node | Mapping[str, Any], context: Context = _EMPTY, model: Model | None = None
    ) -> list[Node]:
        """The nodes that the expression selects in `focus`, a whole resource or a node of one.

        Values that the expression computes have a type such as `System.Boolean`, and a value of bool, int, Decimal,
        str, Temporal or Quantity. Raises FhirPathError when the expression does not apply, FhirPathLimitError when its
        cost is over the budget.
        """
        return [
            item if type(item) is Node else Node(item, "System." + type_of(item))  # type: ignore[arg-type]
            for item in self.items(focus, context, model)
        ]

    def __call__(self, focus: Node | Mapping[str, Any], context: Context = _EMPTY) -> list[Node]:
        """Short for `evaluate`."""
        return self.evaluate(focus, context)

    def holds(self, focus: Node | Mapping[str, Any], context: Context = _EMPTY, model: Model | None = None) -> bool:
        """Whether `focus` keeps the rule that the expression states. An empty result breaks no rule.

        Raises as `evaluate`.
        """
        return truth(self.items(focus, context, model)) is not False

    def locate(
        self, resource: Node | Mapping[str, Any], context: Context = _EMPTY, model: Model | None = None
    ) -> list[Location]:
        """The places in `resource` that the expression selects; raises FhirPathError for a result that is no place."""
        start = resource if type(resource) is Node else node_of(resource)  # type: ignore[arg-type]
        return [_location(item, start) for item in self.items(start, context, model)]

    def items(self, focus: Node | Mapping[str, Any], context: Context, model: Model | None) -> Items:
        """The result as the engine holds it: nodes, and bare values for what was computed. Raises as `evaluate`."""
        start = focus if type(focus) is Node else node_of(focus)  # type: ignore[arg-type]
        env = Environment(context, model or default(), start, self._untrusted)
        try:
            return self._closure(env, [start])
        except RecursionError:
            raise FhirPathLimitError("the expression is nested too deeply") from None


def _location(item: Any, start: Node) -> Location:
    top = item
    while type(top) is Node and top.parent is not None and top is not start:
        top = top.parent
    # What `resolve()` or `type()` made hangs in no resource or in another one.
    if type(top) is not Node or top.value is not start.value:
        raise FhirPathError("the expression computes a value where a place in the resource is needed")
    path = place(item)
    if item.parent is None:
        return Location(item, None, "", None, path)
    container: Any = item.parent.value if isinstance(item.parent.value, dict) else item.parent.extra
    assert isinstance(container, dict)
    return Location(item, container, item.key, item.index if item.index >= 0 else None, path)


def place(node: Node) -> str:
    """The FHIRPath of a node from where the evaluation started: `Patient.name[1].given[0]`."""
    steps: list[str] = []
    while node.parent is not None:
        steps.append(f".{node.key}[{node.index}]" if node.index >= 0 else f".{node.key}")
        node = node.parent
    return node.type + "".join(reversed(steps))


def from_tree(tree: Expr, text: str = "", untrusted: bool = False) -> Expression:
    """The compiled form of a syntax tree; raises FhirPathSyntaxError."""
    try:
        return Expression(text, Compiler(FUNCTIONS, FOCUSED).compile(tree), untrusted)
    except RecursionError:
        raise FhirPathSyntaxError("the expression is nested too deeply") from None


@lru_cache(maxsize=4096)
def _trusted(text: str) -> Expression:
    return from_tree(parse(text), text)


def compile(expression: str, *, untrusted: bool = False) -> Expression:
    """The compiled form of `expression`; raises FhirPathSyntaxError.

    `untrusted` is for text that a client sent (FHIRPath Patch): it is not cached, its regular expressions are bounded,
    and its evaluation stops at a smaller budget.
    """
    if untrusted:
        return from_tree(parse(expression), expression, untrusted=True)
    return _trusted(expression)

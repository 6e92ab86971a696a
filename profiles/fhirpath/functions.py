"""The table of FHIRPath's functions: name → (least arguments, most arguments, builder) (http://hl7.org/fhirpath/N1/#functions)."""

from collections.abc import Callable

from profiles.fhirpath.compiler import Builder, Compiler
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.nodes import Items, Node, System, system, type_of
from profiles.fhirpath.operators import Closure
from profiles.fhirpath.syntax import Expr

Table = dict[str, tuple[int, int, Builder]]


def register(table: Table, name: str, least: int = 0, most: int | None = None) -> Callable[[Builder], Builder]:
    """Put a builder in the table: from the compiler, the closure of the input and the arguments it makes a closure."""

    def put(builder: Builder) -> Builder:
        table[name] = (least, least if most is None else most, builder)
        return builder

    return put


def on_items(function: Callable[[Environment, Items], Items]) -> Builder:
    """The builder of a function of the whole input without arguments."""

    def build(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
        return lambda env, focus: function(env, source(env, focus))

    return build


def on_collections(function: Callable[[Environment, Items, Items], Items]) -> Builder:
    """The builder of a function of the input and of one other collection."""

    def build(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
        other = compiler.compile(arguments[0])
        return lambda env, focus: function(env, source(env, focus), other(env, focus))

    return build


def on_value(name: str, accepted: type | tuple[type, ...], function: Callable[..., Items]) -> Builder:
    """The builder of a function of a single value of an `accepted` type and of single arguments.

    Empty input gives empty, and so does an empty argument. The function gets the environment, the value, then the
    values of the arguments that were given.
    """

    def build(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
        others = [compiler.compile(argument) for argument in arguments]

        def applied(env: Environment, focus: Items) -> Items:
            items = source(env, focus)
            if not items:
                return []
            value = _single(items, name, accepted)
            values = []
            for other in others:
                given = other(env, focus)
                if not given:
                    return []
                values.append(_single(given, name, object))
            if value is None or None in values:
                return []
            if isinstance(value, str):
                env.text(len(value))
            return function(env, value, *values)

        return applied

    return build


def _single(items: Items, name: str, accepted: type | tuple[type, ...]) -> System | Node | None:
    """The one value, None for a primitive without one; raises FhirPathError for several or for another type."""
    if len(items) > 1:
        raise FhirPathError(f"`{name}` needs a single item")
    value = system(items[0])
    if isinstance(value, accepted) and not (
        isinstance(value, bool) and accepted is not object and accepted is not bool
    ):
        return value
    if isinstance(value, Node) and value.value is None:
        return None
    raise FhirPathError(f"`{name}` does not apply to `{value.type if isinstance(value, Node) else type_of(value)}`")

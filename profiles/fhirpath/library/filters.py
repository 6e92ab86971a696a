"""Existence, filtering and projection (http://hl7.org/fhirpath/N1/#existence, #filtering-and-projection)."""

from functools import cmp_to_key

from profiles.fhirpath.compiler import Compiler, as_type, is_type
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.equality import compare, key
from profiles.fhirpath.errors import FhirPathError, FhirPathSyntaxError
from profiles.fhirpath.functions import Table, on_items, register
from profiles.fhirpath.logic import truth
from profiles.fhirpath.nodes import Item, Items, system
from profiles.fhirpath.operators import Closure
from profiles.fhirpath.syntax import Expr, Unary, type_name
from profiles.fhirpath.types import Specifier

TABLE: Table = {}


def _booleans(items: Items, name: str) -> list[bool]:
    values = [system(item) for item in items]
    if not all(isinstance(value, bool) for value in values):
        raise FhirPathError(f"`{name}` needs booleans")
    return [value is True for value in values]


register(TABLE, "empty")(on_items(lambda env, items: [not items]))
register(TABLE, "count")(on_items(lambda env, items: [len(items)]))
register(TABLE, "allTrue")(on_items(lambda env, items: [all(_booleans(items, "allTrue"))]))
register(TABLE, "anyTrue")(on_items(lambda env, items: [any(_booleans(items, "anyTrue"))]))
register(TABLE, "allFalse")(on_items(lambda env, items: [not any(_booleans(items, "allFalse"))]))
register(TABLE, "anyFalse")(on_items(lambda env, items: [not all(_booleans(items, "anyFalse"))]))


def _not(env: Environment, items: Items) -> Items:
    value = truth(items)
    return [] if value is None else [not value]


register(TABLE, "not")(on_items(_not))


@register(TABLE, "exists", 0, 1)
def _exists(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    if not arguments:
        return lambda env, focus: [bool(source(env, focus))]
    criterion = compiler.compile_loop(arguments[0])

    def exists(env: Environment, focus: Items) -> Items:
        items, outer, found = source(env, focus), env.index, False
        for index, item in enumerate(items):
            env.charge(1)
            env.index = index
            if truth(criterion(env, [item])):
                found = True
                break
        env.index = outer  # `$index` belongs to the innermost loop
        return [found]

    return exists


@register(TABLE, "all", 1)
def _all(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    criterion = compiler.compile_loop(arguments[0])

    def every(env: Environment, focus: Items) -> Items:
        items, outer, kept = source(env, focus), env.index, True
        for index, item in enumerate(items):
            env.charge(1)
            env.index = index
            if not truth(criterion(env, [item])):
                kept = False
                break
        env.index = outer
        return [kept]

    return every


@register(TABLE, "where", 1)
def _where(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    criterion = compiler.compile_loop(arguments[0])

    def where(env: Environment, focus: Items) -> Items:
        out: Items = []
        items, outer = source(env, focus), env.index
        for index, item in enumerate(items):
            env.charge(1)
            env.index = index
            if truth(criterion(env, [item])):
                out.append(item)
        env.index = outer
        return out

    return where


@register(TABLE, "select", 1)
def _select(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    projection = compiler.compile_loop(arguments[0])

    def select(env: Environment, focus: Items) -> Items:
        out: Items = []
        items, outer = source(env, focus), env.index
        for index, item in enumerate(items):
            env.index = index
            found = projection(env, [item])
            env.charge(1 + len(found))
            out += found
        env.index = outer
        return out

    return select


@register(TABLE, "repeat", 1)
def _repeat(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    projection = compiler.compile_loop(arguments[0])

    def repeat(env: Environment, focus: Items) -> Items:
        out: Items = []
        seen = set()
        waiting = list(source(env, focus))
        outer = env.index
        while waiting:
            following: Items = []
            for index, item in enumerate(waiting):
                env.index = index
                produced = projection(env, [item])
                env.charge(len(produced))
                env.weigh(produced)
                for found in produced:
                    if (mark := key(found)) not in seen:
                        seen.add(mark)
                        following.append(found)
            out += following
            waiting = following
        env.index = outer
        return out

    return repeat


@register(TABLE, "aggregate", 1, 2)
def _aggregate(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    aggregator = compiler.compile_loop(arguments[0])
    start = compiler.compile(arguments[1]) if len(arguments) > 1 else None

    def aggregate(env: Environment, focus: Items) -> Items:
        total: Items = start(env, focus) if start else []
        items, outer = source(env, focus), (env.index, env.total)
        for index, item in enumerate(items):
            env.charge(1)
            env.index, env.total = index, total
            total = aggregator(env, [item])
        env.index, env.total = outer
        return total

    return aggregate


@register(TABLE, "iif", 2, 3)
def _iif(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    """Only the branch that is chosen is evaluated; the arguments see the input as their focus."""
    criterion, *branches = (compiler.compile(argument) for argument in arguments)

    def iif(env: Environment, focus: Items) -> Items:
        items = source(env, focus)
        if len(items) > 1:
            raise FhirPathError("`iif` needs a single item as input")
        found = criterion(env, items)
        if found and env.context.strict and not isinstance(system(found[0]), bool):
            raise FhirPathError("the criterion of `iif` is no boolean")
        if truth(found):
            return branches[0](env, items)
        return branches[1](env, items) if len(branches) > 1 else []

    return iif


@register(TABLE, "trace", 1, 2)
def _trace(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    """The input unchanged. Nothing is written: what would be traced is somebody's data."""
    for argument in arguments:
        compiler.compile_loop(argument)  # a trace with a mistake in it is still a mistake
    return source


@register(TABLE, "sort", 0, 9)
def _sort(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    """Ascending by each key, descending where the key is written with `-`; an empty key counts as the highest."""
    keys = []
    for argument in arguments:
        descending = isinstance(argument, Unary) and argument.operator == "-"
        inner = argument.operand if isinstance(argument, Unary) and descending else argument
        keys.append((compiler.compile_loop(inner), -1 if descending else 1))

    def sort(env: Environment, focus: Items) -> Items:
        rows = []
        for item in source(env, focus):
            env.charge(8)
            rows.append((item, [by(env, [item]) for by, _ in keys] or [[item]]))
        directions = [direction for _, direction in keys] or [1]

        def order(left: tuple[Item, list[Items]], right: tuple[Item, list[Items]]) -> int:
            for mine, yours, direction in zip(left[1], right[1], directions):
                if len(mine) > 1 or len(yours) > 1:
                    raise FhirPathError("a key of `sort` is a single item")
                if not mine or not yours:
                    found = bool(yours) - bool(mine)
                else:
                    found = compare(mine[0], yours[0]) or 0
                if found:
                    return found * direction
            return 0

        return [item for item, _ in sorted(rows, key=cmp_to_key(order))]

    return sort


def _specifier(name: str, arguments: tuple[Expr, ...]) -> Specifier:
    text = type_name(arguments[0])
    if text is None:
        raise FhirPathSyntaxError(f"the argument of `{name}` is a type name")
    return Specifier(text)


@register(TABLE, "is", 1)
def _is(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    return is_type(source, _specifier("is", arguments))


@register(TABLE, "as", 1)
def _as(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    return as_type(source, _specifier("as", arguments))


@register(TABLE, "ofType", 1)
def _of_type(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    specifier = _specifier("ofType", arguments)

    def of_type(env: Environment, focus: Items) -> Items:
        return [item for item in source(env, focus) if specifier.selects(item, env.model)]

    return of_type

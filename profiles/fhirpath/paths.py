"""Paths over a JSON object of a known type, as closures without nodes (http://hl7.org/fhirpath/N1/#path-selection)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

from profiles.fhirpath.environment import Context
from profiles.fhirpath.model import Model, Step
from profiles.fhirpath.syntax import Binary, Call, Expr, Member, This

Object: TypeAlias = dict[str, Any]
Truth: TypeAlias = Callable[[Object, Context], bool | None]
Objects: TypeAlias = Callable[[Object, Context], list[Object]]
Values: TypeAlias = Callable[[Object, Context], list[Any]]


class Unsupported(Exception):
    """The expression has no form of its own here."""


class Paths(ABC):
    """Builds the closures of paths for one model; what a path has in its criteria, `truth` builds."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def steps(self, name: str, type_name: str) -> tuple[Step, ...]:
        found = self.model.names(type_name).get(name)
        if found is None:
            raise Unsupported
        return found

    def objects(self, expr: Expr, type_name: str) -> tuple[Objects, str]:
        """The complex elements that a path leads to, with their type."""
        match expr:
            case This(name="this"):
                return (lambda value, context: [value]), type_name
            case Member(name=name, root=True) if name[0].isupper():
                if not self.model.is_subtype(type_name, name):
                    raise Unsupported
                return (lambda value, context: [value]), type_name
            case Member(source=source, name=name):
                inner, inner_type = self.objects(source, type_name)
                return self._complex(inner, isinstance(source, This), self.steps(name, inner_type))
            case Call(source=source, name="where", arguments=(criterion,)):
                inner, inner_type = self.objects(source, type_name)
                keep = self.truth(criterion, inner_type)
                return (
                    lambda value, context: [each for each in inner(value, context) if keep(each, context)]
                ), inner_type
        raise Unsupported

    def _complex(self, inner: Objects, direct: bool, steps: tuple[Step, ...]) -> tuple[Objects, str]:
        if len(steps) != 1 or steps[0].twin or steps[0].resource or steps[0].type not in self.model.definitions.types:
            raise Unsupported
        key = steps[0].key

        def of_one(value: Object, context: Context) -> list[Object]:
            found = value.get(key)
            if found is None:
                return []
            return found if type(found) is list else [found]

        def of_each(value: Object, context: Context) -> list[Object]:
            out: list[Object] = []
            for each in inner(value, context):
                found = each.get(key)
                if type(found) is list:
                    out += found
                elif found is not None:
                    out.append(found)
            return out

        return (of_one if direct else of_each), steps[0].type

    def values(self, expr: Expr, type_name: str) -> tuple[Values, str]:
        """The values of the primitive elements of a path, with their type; None stands for one without a value."""
        if not isinstance(expr, Member) or (expr.root and expr.name[0].isupper()):
            raise Unsupported
        inner, inner_type = self.objects(expr.source, type_name)
        steps = self.steps(expr.name, inner_type)
        if len(steps) != 1 or not steps[0].twin:
            raise Unsupported
        key, twin, code, _ = steps[0]

        def of_object(value: Object) -> list[Any]:
            found = value.get(key)
            if twin in value:
                other = value[twin]
                if type(other) is list:
                    listed = found if type(found) is list else []
                    twins = other + [None] * (len(listed) - len(other))
                    listed = listed + [None] * (len(other) - len(listed))
                    return [each for each, extra in zip(listed, twins) if each is not None or extra is not None]
                return [found]
            if found is None:
                return []
            return [each for each in found if each is not None] if type(found) is list else [found]

        if isinstance(expr.source, This):
            return (lambda value, context: of_object(value)), code
        return (lambda value, context: [each for one in inner(value, context) for each in of_object(one)]), code

    def exists(self, expr: Expr, type_name: str) -> Truth:
        """Whether a path leads anywhere."""
        match expr:
            case Member(name=name, root=True) if name[0].isupper():
                raise Unsupported
            case Member(source=source, name=name):
                inner, inner_type = self.objects(source, type_name)
                return _presence(inner, isinstance(source, This), self.steps(name, inner_type))
            case Binary(operator="|", left=left, right=right):
                first, second = self.exists(left, type_name), self.exists(right, type_name)
                return lambda value, context: first(value, context) or second(value, context)
        found, _ = self.objects(expr, type_name)
        return lambda value, context: bool(found(value, context))

    @abstractmethod
    def truth(self, expr: Expr, type_name: str) -> Truth:
        """The truth of a criterion; raises Unsupported."""


def _presence(inner: Objects, direct: bool, steps: tuple[Step, ...]) -> Truth:
    keys = [key for step in steps for key in (step.key, step.twin) if key]
    if len(keys) <= 2:
        first, last = keys[0], keys[-1]
        if direct and first == last:
            return lambda value, context: first in value
        if direct:
            return lambda value, context: first in value or last in value
        return lambda value, context: any(first in each or last in each for each in inner(value, context))
    any_of = frozenset(keys)
    if direct:
        return lambda value, context: not any_of.isdisjoint(value)
    return lambda value, context: any(not any_of.isdisjoint(each) for each in inner(value, context))

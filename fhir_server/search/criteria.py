"""One `name[:modifier]=value` as a predicate: plain, chained, or about the resources that refer here.

https://hl7.org/fhir/R4/search.html#modifiers, #chaining and #has
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import CHAIN_ATTEMPTS_MAX, CHAIN_DEPTH_MAX, CHAIN_LINKS_MAX, Context
from fhir_server.search.normal import words
from fhir_server.search.parameters import COLUMNS, FULL_TEXT, Parameter
from fhir_server.search.query import (
    EVERYTHING,
    NOTHING,
    Chain,
    FullText,
    Has,
    Ids,
    Missing,
    Not,
    Or,
    Predicate,
)
from fhir_server.search.types import composite, date, number, quantity, reference, special, string, token, uri
from fhir_server.search.values import (
    Asked,
    UnknownParameterError,
    alternatives,
    refused,
    shown,
    unescape,
    unsupported,
)

_CRITERIA: Mapping[str, composite.Criterion] = {
    "number": number.criterion,
    "date": date.criterion,
    "string": string.criterion,
    "token": token.criterion,
    "reference": reference.criterion,
    "quantity": quantity.criterion,
    "uri": uri.criterion,
    "special": special.criterion,
    "composite": lambda asked, value: composite.criterion(asked, value, _CRITERIA.__getitem__),
}
_NEGATIONS = frozenset(("not", "not-in"))
SYSTEM_LEVEL = ""  # the type name of a search over several types


class _NotAReferenceError(FhirError):
    """A chain goes on where there is no reference."""


@dataclass(slots=True)
class Reader:
    """Reads the criteria of one search; counts what its chains cost."""

    context: Context
    links: int = 0
    attempts: int = 0

    def parameters_of(self, type_name: str) -> Mapping[str, Parameter]:
        parameters = self.context.parameters
        return parameters.of(type_name) if type_name else parameters.of_all()

    def parameter(self, type_name: str, name: str) -> Parameter:
        """Return the parameter. Raises UnknownParameterError."""
        found = self.parameters_of(type_name).get(name)
        if found is None or name == "_filter":
            raise UnknownParameterError(name, type_name or "a search over several types")
        return found

    def criterion(self, type_name: str, key: str, text: str, depth: int = 0) -> Predicate:
        """Return what `key=text` asks of `type_name`. Raises FhirError."""
        if depth > CHAIN_DEPTH_MAX:
            raise refused(key, f"chains more than {CHAIN_DEPTH_MAX} links")
        if key.startswith("_has:"):
            return self._has(type_name, key, text, depth)
        head, dot, rest = key.partition(".")
        name, colon, modifier = head.partition(":")
        if dot:
            return self._chain(type_name, name, modifier, rest, text, depth)
        if colon and not modifier:
            raise refused(name, "has an empty modifier")
        if name == "_list":
            return self._list(modifier, text)
        return self.plain(type_name, self.parameter(type_name, name), modifier, text)

    def asked(self, type_name: str, parameter: Parameter, modifier: str) -> Asked:
        types = self.context.parameters.value_types(type_name or "Basic", parameter)
        return Asked(type_name or "Resource", parameter, modifier, types, self.context)

    def plain(self, type_name: str, parameter: Parameter, modifier: str, text: str) -> Predicate:
        """Return what the alternatives in `text` ask of one parameter. Raises FhirError."""
        asked = self.asked(type_name, parameter, modifier)
        values = alternatives(parameter.code, text)
        if modifier == "missing":
            return _missing(asked, values)
        if parameter.code == "_id":
            return _ids(asked, values)
        if parameter.code in FULL_TEXT:
            return any_of([_full_text(asked, value) for value in values])
        found = any_of([_CRITERIA[parameter.kind](asked, value) for value in values])
        return Not(found) if modifier in _NEGATIONS else found

    def link(self, name: str) -> None:
        """Count a link of a chain. Raises FhirError when a search has too many."""
        self.links += 1
        if self.links > CHAIN_LINKS_MAX:
            raise _too_wide(name)

    def targets(self, parameter: Parameter, modifier: str) -> tuple[str, ...]:
        """Return the types that a chain through the parameter leads to. Raises FhirError."""
        if parameter.kind != "reference":
            raise _NotAReferenceError(
                Category.VALUE,
                f"search parameter `{parameter.code}`: is of type {parameter.kind} and cannot be chained through",
            )
        if not modifier:
            return parameter.targets
        if modifier not in parameter.targets:
            raise refused(parameter.code, f"does not refer to `{shown(modifier)}`")
        return (modifier,)

    def _chain(self, type_name: str, name: str, modifier: str, rest: str, text: str, depth: int) -> Predicate:
        parameter = self.parameter(type_name, name)

        def read(target: str) -> Predicate:
            return self.criterion(target, rest, text, depth + 1)

        return self.chained(parameter, modifier, read)

    def chained(self, parameter: Parameter, modifier: str, read: Callable[[str], Predicate]) -> Predicate:
        """Return the chain to each type that the reference may lead to and that `read` makes sense of.

        Raises the error of the type that came nearest when it makes sense of none.
        """
        children: list[Predicate] = []
        error: FhirError | None = None
        for target in self.targets(parameter, modifier):
            self.attempts += 1
            if self.attempts > CHAIN_ATTEMPTS_MAX:
                raise _too_wide(parameter.code)
            try:
                child = read(target)
            except FhirError as one:
                if one.category is Category.TOO_COSTLY:
                    raise
                if error is None or _nearness(one) > _nearness(error):
                    error = one
                continue
            self.link(parameter.code)
            children.append(Chain(parameter.code, target, child))
        if not children and error is not None:
            raise error
        return any_of(children)

    def _has(self, type_name: str, key: str, text: str, depth: int) -> Predicate:
        parts = key.split(":", 3)
        if len(parts) < 4 or not all(parts):
            raise refused("_has", "needs `_has:type:reference:parameter`")
        _, source, name, rest = parts
        if source not in self.context.registry.resource_types:
            raise refused("_has", f"`{shown(source)}` is not a resource type")
        parameter = self.parameter(source, name)
        targets = self.targets(parameter, "")
        if type_name and type_name not in targets:
            raise refused("_has", f"`{shown(name)}` of {source} does not refer to {type_name}")
        self.link("_has")
        return Has(source, name, self.criterion(source, rest, text, depth + 1))

    def _list(self, modifier: str, text: str) -> Predicate:
        if modifier:
            raise refused("_list", "takes no modifier")
        ids = tuple(unescape(value) for value in alternatives("_list", text))
        if any(one.startswith("$") for one in ids):
            raise unsupported("_list", "functional lists (`$current-problems`) are not kept here")
        return Has("List", "item", Ids(tuple(one.removeprefix("List/") for one in ids)))


def _nearness(error: FhirError) -> int:
    """How far a reading of a chain came: what went wrong at its end says more than that it led elsewhere."""
    return 0 if isinstance(error, _NotAReferenceError) else 1 if isinstance(error, UnknownParameterError) else 2


def _too_wide(name: str) -> FhirError:
    return FhirError(
        Category.TOO_COSTLY,
        f"search parameter `{shown(name)}` may lead to too many types; name the type, as in `subject:Patient`",
    )


def any_of(children: list[Predicate]) -> Predicate:
    """Return the only child, or Or of them."""
    return children[0] if len(children) == 1 else Or(tuple(children))


def _missing(asked: Asked, values: list[str]) -> Predicate:
    if values not in (["true"], ["false"]):
        raise asked.invalid("`:missing` needs true or false")
    missing = values == ["true"]
    if asked.name in COLUMNS:  # every resource has them
        return NOTHING if missing else EVERYTHING
    if asked.name in FULL_TEXT:
        raise asked.modifier_refused()
    return Missing(f"{asked.name}$0" if asked.parameter.kind == "composite" else asked.name, missing)


def _ids(asked: Asked, values: list[str]) -> Predicate:
    if asked.modifier not in ("", "not"):
        raise asked.modifier_refused()
    ids = Ids(tuple(unescape(value) for value in values))
    return Not(ids) if asked.modifier else ids


def _full_text(asked: Asked, value: str) -> Predicate:
    if asked.modifier:
        raise asked.modifier_refused()
    found = words(unescape(value))
    if not found:
        raise asked.invalid("has no word in it")
    return FullText("_text" if asked.name == "_text" else "_content", found)

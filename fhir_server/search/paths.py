"""The expressions of search parameters as direct routes through the JSON of a resource.

Nearly every expression of R4 is a plain path with at most a type or a simple test on the way. Such a path is resolved
once, against the definitions, into JSON keys; whatever is more than that is left to the FHIRPath engine.
https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from fhir_server.search.places import refers_to
from profiles.records import union_branches
from profiles.registry import Registry

Test = Callable[[Any], bool]

_TOKEN = re.compile(r"\s*(?:(?P<name>%?[A-Za-z_]\w*)|'(?P<text>[^'\\]*)'|(?P<number>\d+)|(?P<sign>[.()\[\]=]))")


@dataclass(frozen=True, slots=True)
class Edge:
    """One step: a JSON key, of its array only the first item if `first`, of its items only those that pass `test`."""

    key: str
    first: bool = False
    test: Test | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where values are and of which data type; `from_resource` if the way starts at the resource (`%resource`).

    `binding` is the value set of a required binding on the last element, '' if there is none.
    """

    edges: tuple[Edge, ...]
    code: str
    binding: str = ""
    from_resource: bool = False

    def values(self, start: Any) -> list[Any]:
        """Return the values at the end of the route, in document order."""
        here = [start]
        for edge in self.edges:
            found: list[Any] = []
            for value in here:
                item = value.get(edge.key)
                if item is None:
                    continue
                if type(item) is list:
                    items = item[:1] if edge.first else item
                    found += [one for one in items if one is not None and (edge.test is None or edge.test(one))]
                elif edge.test is None or edge.test(item):
                    found.append(item)
            if not found:
                return found
            here = found
        return here


class _NotDirectError(Exception):
    """The expression is more than a path."""


def compile_routes(expression: str, type_name: str, registry: Registry) -> tuple[Route, ...] | None:
    """Return the routes of a FHIRPath expression that starts at a value of `type_name`; None if it is more than paths.

    An element that the type does not have gives no route: R4 shares expressions between types.
    """
    try:
        routes = [
            route for branch in union_branches(expression) for route in _Reader(branch, type_name, registry).routes()
        ]
    except _NotDirectError:
        return None
    return tuple(dict.fromkeys(routes))


class _Reader:
    def __init__(self, branch: str, type_name: str, registry: Registry) -> None:
        self.tokens = _tokens(branch)
        self.at = 0
        self.type_name = type_name
        self.registry = registry

    def routes(self) -> list[Route]:
        found = self._path()
        if self.at != len(self.tokens):
            raise _NotDirectError
        return [
            leaf for route in found for leaf in ([route] if route.code != "Extension" else self._step([route], "value"))
        ]

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self._peek()
        if not token or (expected and token != expected):
            raise _NotDirectError
        self.at += 1
        return token

    def _path(self) -> list[Route]:
        if self._peek() == "(":
            self._take()
            found = self._path()
            self._take(")")
        else:
            found = self._start(self._take())
        while True:
            sign = self._peek()
            if sign == ".":
                self._take()
                name = self._take()
                found = self._function(found, name) if self._peek() == "(" else self._step(found, name)
            elif sign == "[":
                self._take()
                self._take("0")
                self._take("]")
                found = _on_last_edge(found, first=True)
            elif sign == "as":
                self._take()
                found = self._only(found, self._take())
            else:
                return found

    def _start(self, name: str) -> list[Route]:
        root = Route((), self.type_name)
        if name == "%resource":
            return [replace(root, code=self.type_name.partition(".")[0], from_resource=True)]
        if name[0].isupper():
            if not self.registry.is_subtype(self.type_name, name):
                raise _NotDirectError
            return [root]
        return self._step([root], name)

    def _step(self, routes: list[Route], name: str) -> list[Route]:
        if not re.fullmatch(r"[a-z]\w*", name):
            raise _NotDirectError
        found = []
        for route in routes:
            holder = self.registry.types.get(route.code)
            for element in holder.elements if holder else ():
                if element.name == name:
                    for code in element.types:
                        key = name + code[0].upper() + code[1:] if element.choice else name
                        found.append(
                            replace(route, edges=(*route.edges, Edge(key)), code=code, binding=element.binding)
                        )
        return found

    def _only(self, routes: list[Route], type_name: str) -> list[Route]:
        # R4 writes `value.as(DateTime)` for the type dateTime; a canonical is not meant where it says `as uri`.
        return [route for route in routes if route.code.lower() == type_name.lower()]

    def _function(self, routes: list[Route], name: str) -> list[Route]:
        self._take("(")
        if name in ("as", "ofType"):
            found = self._only(routes, self._take())
        elif name == "extension":
            found = _on_last_edge(self._step(routes, "extension"), test=_equals("url", _text(self._take())))
        elif name == "where":
            found = _on_last_edge(routes, test=self._condition())
        else:
            raise _NotDirectError
        self._take(")")
        return found

    def _condition(self) -> Test:
        name = self._take()
        if name == "resolve":
            for expected in ("(", ")", "is"):
                self._take(expected)
            return refers_to(self._take())
        if name == "hasExtension":
            self._take("(")
            test = _has_extension(_text(self._take()))
            self._take(")")
            return test
        self._take("=")
        return _equals(name, _text(self._take()))


def _tokens(branch: str) -> list[str]:
    tokens, at = [], 0
    while at < len(branch.rstrip()):
        found = _TOKEN.match(branch, at)
        if found is None:
            raise _NotDirectError
        tokens.append("'" + found["text"] if found["text"] is not None else found[0].strip())
        at = found.end()
    return tokens


def _text(token: str) -> str:
    if not token.startswith("'"):
        raise _NotDirectError
    return token[1:]


def _on_last_edge(routes: list[Route], first: bool = False, test: Test | None = None) -> list[Route]:
    changed = []
    for route in routes:
        if not route.edges or route.edges[-1].test is not None:
            raise _NotDirectError
        last = route.edges[-1]
        changed.append(replace(route, edges=(*route.edges[:-1], replace(last, first=first or last.first, test=test))))
    return changed


# Cached, so that two parameters with the same test share one edge.
@lru_cache(maxsize=512)
def _equals(key: str, text: str) -> Test:
    return lambda value: type(value) is dict and value.get(key) == text


@lru_cache(maxsize=64)
def _has_extension(url: str) -> Test:
    return lambda value: type(value) is dict and any(one.get("url") == url for one in value.get("extension", ()))

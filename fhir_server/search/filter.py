"""`_filter`: criteria written as an expression with and, or, not and parentheses.

https://hl7.org/fhir/R4/search_filter.html
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from fhir_server.outcome import FhirError
from fhir_server.search.context import CHAIN_DEPTH_MAX, FILTER_DEPTH_MAX, VALUE_LENGTH_MAX
from fhir_server.search.criteria import Reader
from fhir_server.search.normal import normal
from fhir_server.search.parameters import FULL_TEXT, Parameter
from fhir_server.search.query import And, Compare, Date, Ids, LastUpdated, Not, Or, Predicate, String
from fhir_server.search.values import check_characters, escape, refused, shown

_TOKEN = re.compile(r"\s*(?:(?P<sign>[()\[\]])|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<word>[^\s()\[\]\"]+))", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(?::[A-Za-z]+)?")
_ORDERED = frozenset(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))
_STRING_MODES = {"eq": "equals", "co": "contains", "sw": "starts", "ew": "ends"}
_TOKEN_MODIFIERS = {"eq": "", "in": "in", "ss": "below", "sb": "above"}
OPERATORS = _ORDERED | {"co", "sw", "ew", "pr", "po", "ss", "sb", "in", "ni", "re"}


def read_filter(text: str, type_name: str, reader: Reader) -> Predicate:
    """Return what the filter asks of `type_name`. Raises FhirError that says where the text cannot be read."""
    if len(text) > VALUE_LENGTH_MAX:
        raise refused("_filter", f"has more than {VALUE_LENGTH_MAX} characters")
    check_characters("_filter", text)
    return _Filter(text, reader).whole(type_name)


class _Filter:
    def __init__(self, text: str, reader: Reader) -> None:
        self.reader = reader
        self.tokens = _tokens(text)
        self.at = 0

    def whole(self, type_name: str) -> Predicate:
        found = self._logical(type_name, 0)
        if self._peek():
            raise self._unexpected("and, or, or the end")
        return found

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, what: str) -> str:
        if not self._peek():
            raise self._unexpected(what)
        self.at += 1
        return self.tokens[self.at - 1]

    def _unexpected(self, expected: str) -> FhirError:
        found = self._peek()
        return refused(
            "_filter", f"`{shown(found)}` where {expected} should be" if found else f"ends before {expected}"
        )

    def _logical(self, type_name: str, depth: int) -> Predicate:
        """`and` and `or` have no precedence over each other: they are taken from left to right."""
        if depth > FILTER_DEPTH_MAX:
            raise refused("_filter", f"is nested more than {FILTER_DEPTH_MAX} deep")
        left = self._operand(type_name, depth)
        while self._peek() in ("and", "or"):
            word = self._take("and")
            right = self._operand(type_name, depth)
            left = And((left, right)) if word == "and" else Or((left, right))
        return left

    def _operand(self, type_name: str, depth: int) -> Predicate:
        if self._peek() == "not" and self.tokens[self.at + 1 : self.at + 2] == ["("]:
            self._take("not")
            return Not(self._group(type_name, depth))
        if self._peek() == "(":
            return self._group(type_name, depth)
        return self._comparison(type_name, self._take("a search parameter"), depth, 0)

    def _group(self, type_name: str, depth: int) -> Predicate:
        self._take("(")
        found = self._logical(type_name, depth + 1)
        if self._take("a closing parenthesis") != ")":
            self.at -= 1
            raise self._unexpected("a closing parenthesis")
        return found

    def _comparison(self, type_name: str, path: str, depth: int, links: int) -> Predicate:
        """`path operator value`, where path is `name`, `name.path` or `name[filter].path`."""
        if links > CHAIN_DEPTH_MAX:
            raise refused("_filter", f"chains more than {CHAIN_DEPTH_MAX} links")
        head, dot, rest = path.partition(".")
        if not _NAME.fullmatch(head):
            raise refused("_filter", f"`{shown(head)}` is not the name of a search parameter")
        name, _, modifier = head.partition(":")
        parameter = self.reader.parameter(type_name, name)
        if self._peek() == "[" and not dot:
            return self._bracketed(parameter, modifier, depth, links)
        if dot:
            return self._chained(parameter, modifier, lambda target: self._comparison(target, rest, depth, links + 1))
        if modifier:
            raise refused("_filter", f"`{shown(head)}`: a type stands before a dot only")
        operator = self._take("an operator")
        if operator not in OPERATORS:
            raise refused("_filter", f"`{shown(operator)}` is not an operator")
        return self._compared(type_name, parameter, operator, self._take("a value"))

    def _bracketed(self, parameter: Parameter, modifier: str, depth: int, links: int) -> Predicate:
        """`subject[active eq true].name eq "x"`: both hold of the same resource that is referred to."""

        def both(target: str) -> Predicate:
            self._take("[")
            condition = self._logical(target, depth + 1)
            if self._take("a closing bracket") != "]":
                self.at -= 1
                raise self._unexpected("a closing bracket")
            path = self._take("`.` and a search parameter")
            if not path.startswith("."):
                self.at -= 1
                raise self._unexpected("`.` and a search parameter")
            return And((condition, self._comparison(target, path[1:], depth, links + 1)))

        return self._chained(parameter, modifier, both)

    def _chained(self, parameter: Parameter, modifier: str, read: Callable[[str], Predicate]) -> Predicate:
        """The rest of the comparison is read once for each type that the reference may lead to."""
        start, end = self.at, self.at

        def again(target: str) -> Predicate:
            nonlocal end
            self.at = start
            found = read(target)
            end = self.at
            return found

        found = self.reader.chained(parameter, modifier, again)
        self.at = end
        return found

    def _compared(self, type_name: str, parameter: Parameter, operator: str, value: str) -> Predicate:
        text = _unquoted(value)
        plain = self.reader.plain
        if operator == "pr":
            if text not in ("true", "false"):
                raise refused("_filter", "`pr` needs true or false")
            return plain(type_name, parameter, "missing", "false" if text == "true" else "true")
        if operator == "ne":
            return Not(self._compared(type_name, parameter, "eq", value))
        if operator == "ni":
            return Not(self._compared(type_name, parameter, "in", value))
        kind = parameter.kind
        if parameter.code == "_id" and operator == "eq":
            return Ids((text,))
        if kind == "string" and operator in _STRING_MODES and parameter.code not in FULL_TEXT:
            folded = normal(text)
            if not folded:
                raise refused("_filter", "has nothing in it to compare")
            return String(parameter.code, _STRING_MODES[operator], folded)  # type: ignore[arg-type]
        # `|` separates system and code here as elsewhere; the other separators of a search do not.
        value = escape(text).replace("\\|", "|")
        if kind in ("date", "number", "quantity") and operator in _ORDERED:
            return plain(type_name, parameter, "", operator + value)
        if kind == "date" and operator == "po":
            found = plain(type_name, parameter, "", "eq" + value)
            assert isinstance(found, (Date, LastUpdated))
            return replace(found, compare=Compare.AP)
        if kind == "token" and operator in _TOKEN_MODIFIERS:
            return plain(type_name, parameter, _TOKEN_MODIFIERS[operator], value)
        if (kind == "reference" and operator in ("eq", "re")) or (kind == "uri" and operator == "eq"):
            return plain(type_name, parameter, "", value)
        raise refused("_filter", f"`{operator}` does not apply to `{shown(parameter.code)}` of type {kind}")


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:  # the only sign that no token begins with is a quote that is never closed
            raise refused("_filter", "has a text without a closing quote")
        tokens.append(found[found.lastgroup or 0])
        at = found.end()
    return tokens


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        return token
    try:
        text = json.loads(token)
    except ValueError:
        raise refused("_filter", f"{shown(token)} is not a JSON string") from None
    assert isinstance(text, str)
    check_characters("_filter", text)
    return text

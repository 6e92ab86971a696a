"""String functions (http://hl7.org/fhirpath/N1/#string-manipulation)."""

import base64
import binascii
import html
import json
import re
from typing import Any

from profiles.fhirpath import patterns
from profiles.fhirpath.compiler import Compiler
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.functions import Table, on_value, register
from profiles.fhirpath.nodes import Items, Node, system
from profiles.fhirpath.operators import Closure
from profiles.fhirpath.syntax import Expr

TABLE: Table = {}


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise FhirPathError(f"an argument of `{name}` is no string")
    return value


def _substring(env: Environment, text: str, start: Any, length: Any = None) -> Items:
    if not isinstance(start, int) or not (length is None or isinstance(length, int)):
        raise FhirPathError("the arguments of `substring` are integers")
    if not 0 <= start < len(text):
        return []
    return [text[start:] if length is None else text[start : start + max(0, length)]]


def _replace(env: Environment, text: str, old: Any, new: Any) -> Items:
    old, new = _text(old, "replace"), _text(new, "replace")
    found = text.count(old)
    env.text(len(text) + found * max(0, len(new) - len(old)))
    return [text.replace(old, new)]


def _matches(env: Environment, text: str, pattern: Any) -> Items:
    return [patterns.found(_text(pattern, "matches"), text, env) is not None]


def _matches_full(env: Environment, text: str, pattern: Any) -> Items:
    return [patterns.whole(_text(pattern, "matchesFull"), text, env) is not None]


def _replace_matches(env: Environment, text: str, pattern: Any, new: Any) -> Items:
    if not pattern:
        return [text]
    return [patterns.replaced(_text(pattern, "replaceMatches"), _text(new, "replaceMatches"), text, env)]


def _chars(env: Environment, text: str) -> Items:
    env.charge(len(text))
    return list(text)


def _split(env: Environment, text: str, separator: Any) -> Items:
    parts = text.split(separator) if _text(separator, "split") else list(text)
    env.charge(len(parts))
    return list(parts)


register(TABLE, "indexOf", 1)(on_value("indexOf", str, lambda env, text, part: [text.find(_text(part, "indexOf"))]))
register(TABLE, "substring", 1, 2)(on_value("substring", str, _substring))
register(TABLE, "startsWith", 1)(
    on_value("startsWith", str, lambda env, text, part: [text.startswith(_text(part, "startsWith"))])
)
register(TABLE, "endsWith", 1)(
    on_value("endsWith", str, lambda env, text, part: [text.endswith(_text(part, "endsWith"))])
)
register(TABLE, "contains", 1)(on_value("contains", str, lambda env, text, part: [_text(part, "contains") in text]))
register(TABLE, "upper")(on_value("upper", str, lambda env, text: [text.upper()]))
register(TABLE, "lower")(on_value("lower", str, lambda env, text: [text.lower()]))
register(TABLE, "trim")(on_value("trim", str, lambda env, text: [text.strip()]))
register(TABLE, "length")(on_value("length", str, lambda env, text: [len(text)]))
register(TABLE, "replace", 2)(on_value("replace", str, _replace))
register(TABLE, "matches", 1)(on_value("matches", str, _matches))
register(TABLE, "matchesFull", 1)(on_value("matchesFull", str, _matches_full))
register(TABLE, "replaceMatches", 2)(on_value("replaceMatches", str, _replace_matches))
register(TABLE, "toChars")(on_value("toChars", str, _chars))
register(TABLE, "split", 1)(on_value("split", str, _split))


@register(TABLE, "join", 0, 1)
def _join(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    separator = compiler.compile(arguments[0]) if arguments else None

    def join(env: Environment, focus: Items) -> Items:
        items = source(env, focus)
        if not items:
            return []
        between = separator(env, focus) if separator else [""]
        glue = _text(system(between[0]), "join") if between else ""
        texts = [_text(value, "join") for value in map(system, items) if not isinstance(value, Node)]
        env.text(sum(map(len, texts)) + len(glue) * len(texts))
        return [glue.join(texts)]

    return join


def _encode(env: Environment, text: str, form: Any) -> Items:
    env.text(2 * len(text))
    data = text.encode()
    if form == "hex":
        return [data.hex()]
    if form == "base64":
        return [base64.b64encode(data).decode()]
    return [base64.urlsafe_b64encode(data).decode()] if form == "urlbase64" else []


def _decode(env: Environment, text: str, form: Any) -> Items:
    try:
        if form == "hex":
            return [bytes.fromhex(text).decode()]
        if form == "base64":
            return [base64.b64decode(text, validate=True).decode()]
        return [base64.urlsafe_b64decode(text).decode()] if form == "urlbase64" else []
    except (ValueError, binascii.Error):
        return []


def _escape(env: Environment, text: str, form: Any) -> Items:
    env.text(6 * len(text))
    if form == "html":
        return [html.escape(text)]
    return [json.dumps(text, ensure_ascii=False)[1:-1]] if form == "json" else []


_JSON_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|(["\\/bfnrt]))')
_JSON_CHARACTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _json_character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _JSON_CHARACTERS.get(found[2], found[2])


def _unescape(env: Environment, text: str, form: Any) -> Items:
    if form == "html":
        return [html.unescape(text)]
    return [_JSON_ESCAPE.sub(_json_character, text)] if form == "json" else []


register(TABLE, "encode", 1)(on_value("encode", str, _encode))
register(TABLE, "decode", 1)(on_value("decode", str, _decode))
register(TABLE, "escape", 1)(on_value("escape", str, _escape))
register(TABLE, "unescape", 1)(on_value("unescape", str, _unescape))

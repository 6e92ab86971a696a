"""Token: codes, identifiers, booleans, contact points.

https://hl7.org/fhir/R4/search.html#token
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_server.search.normal import normal
from fhir_server.search.query import OfType, Or, Predicate, Token, TokenIn, TokenText
from fhir_server.search.rows import IndexRows, OfTypeRow, TextRow, TokenRow
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, shown, split, unescape, unsupported

PRIMITIVES = frozenset(
    ("code", "boolean", "string", "markdown", "id", "uri", "url", "canonical", "oid", "uuid", "integer", "positiveInt")
)
_PHONE = frozenset(("phone", "fax", "pager", "sms"))
_PUNCTUATION = re.compile(r"[\s().\-/]+")


def dialled(number: str) -> str:
    """Return a telephone number without the punctuation that people put in it: `045 - 123 45 67` → `0451234567`."""
    return _PUNCTUATION.sub("", number)


def emitter(param: str, code: str, systems: Mapping[str, str]) -> Emit | None:
    """Return what files a value of the data type `code`; None if a token cannot be made of it.

    `systems` gives the implied system of each code of a bound `code` element, empty if there is none.
    """
    if code == "code" and systems:
        return _bound_code(param, systems)
    if code in PRIMITIVES:
        return _primitive(param)
    maker = _COMPLEX.get(code)
    return maker(param) if maker else None


def _bound_code(param: str, systems: Mapping[str, str]) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        rows.tokens.append(TokenRow(param, systems.get(value, ""), str(value), group))

    return emit


def _primitive(param: str) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        rows.tokens.append(TokenRow(param, "", text, group))

    return emit


def _coding(param: str) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        rows.tokens.append(TokenRow(param, value.get("system", ""), value.get("code", ""), group))
        display = value.get("display")
        if display and not group:
            rows.texts.append(TextRow(param, normal(display)))

    return emit


def _codeable_concept(param: str) -> Emit:
    coding = _coding(param)

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        codings = value.get("coding")
        if codings:
            for one in codings:
                coding(one, rows, group)
        else:  # still a value: `:missing` has to see it
            rows.tokens.append(TokenRow(param, "", "", group))
        text = value.get("text")
        if text and not group:
            rows.texts.append(TextRow(param, normal(text)))

    return emit


def _identifier(param: str) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        number = value.get("value", "")
        rows.tokens.append(TokenRow(param, value.get("system", ""), number, group))
        kind = value.get("type")
        if kind and not group:
            for coding in kind.get("coding", ()):
                if number and "code" in coding:
                    rows.of_types.append(OfTypeRow(param, coding.get("system", ""), coding["code"], number))
            if "text" in kind:
                rows.texts.append(TextRow(param, normal(kind["text"])))

    return emit


def _contact_point(param: str) -> Emit:
    """`phone|…` finds telephone numbers: R4 leaves the system of a contact point to the server."""

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        text, system = value.get("value", ""), value.get("system", "")
        rows.tokens.append(TokenRow(param, system, text, group))
        if system in _PHONE and (number := dialled(text)) != text:
            rows.tokens.append(TokenRow(param, system, number, group))

    return emit


_COMPLEX: Mapping[str, Callable[[str], Emit]] = {
    "Coding": _coding,
    "CodeableConcept": _codeable_concept,
    "Identifier": _identifier,
    "ContactPoint": _contact_point,
}


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what the value asks, for `:not` and `:not-in` without the negation. Raises FhirError."""
    match asked.modifier:
        case "" | "not":
            return _equal(asked, value)
        case "text":
            folded = normal(unescape(value))
            if not folded:
                raise asked.invalid("has nothing in it to compare")
            return TokenText(asked.name, folded)
        case "in" | "not-in":
            return _in_valueset(asked, unescape(value))
        case "below" | "above":
            return _subsumed(asked, value)
        case "of-type":
            parts = [unescape(part) for part in split(value, "|")]
            if len(parts) != 3 or not all(parts):
                raise asked.invalid("`:of-type` needs system|code|value")
            return OfType(asked.name, *parts)
    raise asked.modifier_refused()


def _equal(asked: Asked, value: str) -> Predicate:
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) > 2:
        raise asked.invalid("needs code, system|code, |code or system|")
    code = parts[-1]
    system = parts[0] if len(parts) == 2 else None
    if not code and not system:
        raise asked.invalid("needs a code or a system")
    types = asked.value_types
    if types and not types - {"boolean"} and code not in ("true", "false"):
        raise asked.invalid(f"`{shown(code)}` is not true or false")
    if system == "" and types and types <= PRIMITIVES:
        system = None  # a code has no system of its own, whatever the one that its binding implies
    if "ContactPoint" in types:
        # E-mail addresses are compared without case, telephone numbers without punctuation as well.
        number = dialled(code)
        spellings = dict.fromkeys((code.casefold(), number if number.lstrip("+").isdigit() else code.casefold()))
        found = tuple(Token(asked.name, system or None, spelling, folded=True) for spelling in spellings if spelling)
        return found[0] if len(found) == 1 else Or(found)
    return Token(asked.name, system, code or None)


def _in_valueset(asked: Asked, url: str) -> Predicate:
    valueset = asked.context.registry.valueset(url)
    if valueset is None:
        raise unsupported(asked.name, f"value set `{shown(url)}` is not known here or cannot be enumerated")
    return TokenIn(asked.name, tuple(valueset.codes))


def _subsumed(asked: Asked, value: str) -> Predicate:
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) != 2 or not all(parts):
        raise asked.invalid(f"`:{asked.modifier}` needs system|code")
    system, code = parts
    codesystem = asked.context.registry.codesystem(system)
    if codesystem is None:
        raise unsupported(asked.name, f"the hierarchy of code system `{shown(system)}` is not known here")
    codes = codesystem.descendants(code) if asked.modifier == "below" else codesystem.ancestors(code)
    return TokenIn(asked.name, tuple((system, one) for one in sorted(codes)))

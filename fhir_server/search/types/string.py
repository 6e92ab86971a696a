"""String: names, addresses, titles; a search finds what starts with the value.

https://hl7.org/fhir/R4/search.html#string
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_server.search.normal import normal
from fhir_server.search.rows import IndexRows, StringRow
from fhir_server.search.types.emit import Emit

PRIMITIVES = frozenset(("string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid"))

_SOUNDS = {
    letter: digit
    for digit, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}


def emitter(param: str, code: str, phonetic: bool) -> Emit | None:
    """Return what files a value of the data type `code`; None if it is no text."""
    if code in PRIMITIVES:
        parts: Callable[[Any], Iterator[str]] = _itself
    elif code in _PARTS:
        parts = _PARTS[code]
    else:
        return None
    if phonetic:
        return _phonetic(param, parts)
    if parts is _itself:
        return _primitive(param)

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        for part in parts(value):
            rows.strings.append(StringRow(param, normal(part), part, group))

    return emit


def _primitive(param: str) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        rows.strings.append(StringRow(param, normal(str(value)), str(value), group))

    return emit


def _phonetic(param: str, parts: Callable[[Any], Iterator[str]]) -> Emit:
    def emit(value: Any, rows: IndexRows, group: int) -> None:
        for part in parts(value):
            for word in part.split():
                sound = soundex(word)
                if sound:
                    rows.strings.append(StringRow(param, sound, word, group))

    return emit


def _itself(value: Any) -> Iterator[str]:
    yield str(value)


def _human_name(value: Mapping[str, Any]) -> Iterator[str]:
    """Every part, and the whole as it is written: R4 asks that a search on a name may match any of them."""
    family = value.get("family")
    given = [part for part in value.get("given", ()) if part]
    prefix = [part for part in value.get("prefix", ()) if part]
    suffix = [part for part in value.get("suffix", ()) if part]
    parts = [*prefix, *given, *([family] if family else ()), *suffix]
    yield from parts
    if len(given) + bool(family) > 1:
        yield " ".join([*given, *([family] if family else ())])
    if "text" in value:
        yield value["text"]


def _address(value: Mapping[str, Any]) -> Iterator[str]:
    lines = [line for line in value.get("line", ()) if line]
    yield from lines
    for key in ("city", "district", "state", "postalCode", "country", "text"):
        if key in value:
            yield value[key]
    place = [value[key] for key in ("postalCode", "city") if key in value]
    if len(lines) + len(place) > 1:
        yield " ".join([*lines, *place])


_PARTS: Mapping[str, Callable[[Any], Iterator[str]]] = {"HumanName": _human_name, "Address": _address}


def soundex(word: str) -> str:
    """Return the four-sign Soundex code of a word in lower case, '' if it has no Latin letter.

    https://www.archives.gov/research/census/soundex: the first letter, then a digit for each run of like sounds.
    """
    letters = [sign for sign in normal(word) if "a" <= sign <= "z"]
    if not letters:
        return ""
    code, last = letters[0], _SOUNDS.get(letters[0], "")
    for letter in letters[1:]:
        digit = _SOUNDS.get(letter, "")
        if digit and digit != last:
            code += digit
            if len(code) == 4:
                break
        if letter not in "hw":  # like sounds on both sides of h or w count once
            last = digit
    return code.ljust(4, "0")

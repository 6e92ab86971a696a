"""String: names, addresses, titles; a search finds what starts with the value.

https://hl7.org/fhir/R4/search.html#string
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_server.search.normal import normal
from fhir_server.search.query import And, Or, Predicate, String
from fhir_server.search.rows import IndexRows, StringRow
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, unescape

PRIMITIVES = frozenset(("string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid"))

_SOUNDS = {
    letter: digit
    for digit, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}

_SURNAMES = frozenset(f"http://hl7.org/fhir/StructureDefinition/humanname-{whose}-name" for whose in ("own", "partner"))
_POSTCODE = re.compile(r"(\d{4}) ?([a-z]{2})", re.ASCII)
_POSTCODED = frozenset(("address", "address-postalcode"))


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
    # A Dutch family name has its prefix in it: `van der Berg` is looked for as `Berg`, which nl-core keeps in an
    # extension, as it does the name of the partner. http://hl7.org/fhir/R4/extension-humanname-own-name.html
    for extension in value.get("_family", {}).get("extension", ()):
        if extension.get("url") in _SURNAMES and "valueString" in extension:
            yield extension["valueString"]


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
    # Dutch writes one sound as ij and y: Meijer and Meyer.
    letters = [sign for sign in normal(word).replace("ij", "y") if "a" <= sign <= "z"]
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


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what the value asks: a beginning, with `:exact` the whole, with `:contains` any part. Raises FhirError."""
    text = unescape(value)
    if asked.modifier == "exact":
        return String(asked.name, "exact", text)
    if asked.modifier not in ("", "contains"):
        raise asked.modifier_refused()
    if asked.parameter.phonetic:
        sounds = [sound for word in text.split() if (sound := soundex(word))]
        if asked.modifier or not sounds:
            raise asked.invalid("sounds like nothing" if not sounds else "is compared by sound as a whole")
        found = tuple(String(asked.name, "starts", sound) for sound in sounds)
        return found[0] if len(found) == 1 else And(found)
    folded = normal(text)
    if not folded:
        raise asked.invalid("has nothing in it to compare")
    postcode = _POSTCODE.fullmatch(folded)
    if postcode and asked.name in _POSTCODED:  # people write a Dutch postcode with a space and without
        spellings = (f"{postcode[1]} {postcode[2]}", f"{postcode[1]}{postcode[2]}")
        return Or(tuple(String(asked.name, "contains" if asked.modifier else "starts", one) for one in spellings))
    return String(asked.name, "contains" if asked.modifier else "starts", folded)

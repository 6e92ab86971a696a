"""The text of a search value: escapes, separators, prefixes, and how it is refused.

https://hl7.org/fhir/R4/search.html#escaping and https://hl7.org/fhir/R4/search.html#prefix
"""

import re
from dataclasses import dataclass

from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import OR_VALUES_MAX, VALUE_LENGTH_MAX, Context
from fhir_server.search.parameters import Parameter
from fhir_server.search.query import Compare

_ESCAPED = re.compile(r"\\([\\,|$])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[+\-.\d])")


class UnknownParameterError(FhirError):
    """A name that no search parameter has: the only thing that `handling=lenient` passes over."""

    def __init__(self, name: str, type_name: str) -> None:
        super().__init__(
            Category.UNKNOWN_PARAMETER, f"search parameter `{shown(name)}` is not known for {type_name}", ()
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One search parameter as it was asked: which, on which type, by which modifier ('' for none)."""

    type_name: str
    parameter: Parameter
    modifier: str
    value_types: frozenset[str]  # data types that the parameter finds, empty if not known
    context: Context

    @property
    def name(self) -> str:
        return self.parameter.code

    def invalid(self, reason: str) -> FhirError:
        return refused(self.name, reason)

    def modifier_refused(self) -> FhirError:
        return FhirError(
            Category.INVALID,
            f"search parameter `{self.name}`: modifier `:{shown(self.modifier)}` does not apply to type "
            f"{self.parameter.kind}",
        )


def shown(text: str) -> str:
    """Return the text as it may stand in a message: at most 40 signs, all of them printable."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:40])
    return plain if len(text) <= 40 else plain[:39] + "…"


def refused(name: str, reason: str) -> FhirError:
    """The error for a value that breaks a rule of its parameter."""
    return FhirError(Category.VALUE, f"search parameter `{shown(name)}`: {reason}")


def unsupported(name: str, reason: str) -> FhirError:
    """The error for what R4 allows and this server does not do."""
    return FhirError(Category.UNKNOWN_PARAMETER, f"search parameter `{shown(name)}`: {reason}")


def split(text: str, separator: str) -> list[str]:
    """Split at the separators that are not escaped; escapes stay as they are."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == separator:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    """Return the text with `\\,` `\\|` `\\$` `\\\\` read; any other backslash stands for itself."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def escape(text: str) -> str:
    """Return the text such that `unescape` gives it back and no separator is seen in it."""
    return re.sub(r"([\\,|$])", r"\\\1", text)


def alternatives(name: str, text: str) -> list[str]:
    """Return the values that commas join, still escaped. Raises FhirError for an empty, long or overlong list."""
    values = split(text, ",")
    if len(values) > OR_VALUES_MAX:
        raise refused(name, f"has more than {OR_VALUES_MAX} values")
    for value in values:
        if not value.strip():
            raise refused(name, "has an empty value")
        if len(value) > VALUE_LENGTH_MAX:
            raise refused(name, f"has a value of more than {VALUE_LENGTH_MAX} characters")
        check_characters(name, value)
    return values


def check_characters(name: str, text: str) -> None:
    """Raise FhirError for what is no text to a database: NUL and half of a surrogate pair."""
    if "\0" in text or _SURROGATE.search(text):
        raise refused(name, "has a value with a character that is not allowed")


def prefixed(text: str) -> tuple[Compare, str]:
    """Split the prefix off an ordered value; no prefix is `eq`."""
    found = _PREFIX.match(text)
    return (Compare(found[1]), text[2:]) if found else (Compare.EQ, text)

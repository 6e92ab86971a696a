"""Scope strings: what of them this server knows, what two have in common, whether one lies within another.

They are kept in version 2, each type once with its letters combined (`patient/Observation.rs`), and answered so to all
but who asks in version 1.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final
from urllib.parse import quote, urlencode

from fhir_server.gateway.scopes import Context, Scope, parse

OPENID: Final = "openid"
FHIR_USER: Final = "fhirUser"
LAUNCH: Final = "launch"
LAUNCH_PATIENT: Final = "launch/patient"
OFFLINE: Final = "offline_access"
ONLINE: Final = "online_access"

# What grants no access to a type by itself.
WORDS: Final = (OPENID, "profile", FHIR_USER, LAUNCH, LAUNCH_PATIENT, OFFLINE, ONLINE)

Parameters = tuple[tuple[str, str], ...]

_OVERLAPS_MAX: Final = 1000

_LETTERS: Final = re.compile(r"(?:patient|user|system)/[^.?]+\.(.*)")
_VERSION_1: Final = {"rs": "read", "cud": "write", "cruds": "*"}

# A comma that is not escaped stands between choices. `:not` turns them round, and a filter is an expression.
_COMMA: Final = re.compile(r"(?<!\\),")
_CHOOSES_NOTHING: Final = re.compile(r":|^_filter$")


def known(text: str, types: Collection[str]) -> str:
    """The scopes in `text` that mean something here: the others are dropped, those of one type become one."""
    return written(words(text), parse(text, types))


def words(text: str) -> tuple[str, ...]:
    """Those of WORDS that are in the text, each once, in the order of the text.

    No role of a patient is known here: who asks for one gets the patient (`launch/patient?role=…`).
    """
    plain = (LAUNCH_PATIENT if word.startswith(f"{LAUNCH_PATIENT}?") else word for word in text.split())
    return tuple(dict.fromkeys(word for word in plain if word in WORDS))


def asks_version_1(text: str) -> bool:
    """Whether whoever wrote it speaks version 1 of SMART, and nothing of version 2."""
    letters = [match[1] for word in text.split() if (match := _LETTERS.fullmatch(word))]
    return bool(letters) and set(letters) <= set(_VERSION_1.values())


def in_version_1(text: str) -> str:
    """The same scopes, each in the words of version 1 as far as it has any; `text` is as `written` has it."""
    return " ".join(map(_word_of_version_1, text.split()))


def _word_of_version_1(word: str) -> str:
    match = _LETTERS.fullmatch(word)
    return word if match is None else word[: match.start(1)] + _VERSION_1.get(match[1], match[1])


def of_context(text: str, context: Context, types: Collection[str]) -> str:
    """Only the FHIR scopes of one context, such as `system`."""
    return written((), [scope for scope in parse(text, types) if scope.context == context])


def within(subset: str, superset: str, types: Collection[str]) -> bool:
    """Whether everything that is known in `subset` was allowed by `superset`, letter by letter, constraint included."""
    allowed = parse(superset, types)
    return set(words(subset)) <= set(words(superset)) and all(
        any(letter in other.actions and _reaches(other, scope) for other in allowed)
        for scope in parse(subset, types)
        for letter in scope.actions
    )


def common(one: str, other: str, types: Collection[str]) -> str:
    """What both allow, in the order of `one`.

    Of `patient/*.rs` and `patient/Observation.cruds` that is `patient/Observation.rs`; two constraints apply together.
    """
    others = parse(other, types)
    # Two long lists of constraints have more pairs than anybody means: what comes after so many is not granted.
    shared = islice((both for scope in parse(one, types) for both in _overlaps(scope, others)), _OVERLAPS_MAX)
    allowed = words(other)
    # Known once more, so that what came of several pairs is merged.
    return known(written([word for word in words(one) if word in allowed], shared), types)


def _overlaps(scope: Scope, others: Sequence[Scope]) -> Iterator[Scope]:
    if any(_reaches(other, scope) and set(scope.actions) <= set(other.actions) for other in others):
        yield scope
        return
    for other in others:
        letters = "".join(letter for letter in scope.actions if letter in other.actions)
        if letters and scope.context == other.context and (scope.type == other.type or "*" in (scope.type, other.type)):
            # INVARIANT: no constraint of `scope` is left out, and one of `other` only if those already say as much.
            more = [pair for pair in other.parameters if not _implied(pair, scope.parameters)]
            narrower = other.type if scope.type == "*" else scope.type
            yield Scope(scope.context, narrower, letters, (*scope.parameters, *more))


def _reaches(wider: Scope, narrower: Scope) -> bool:
    """Whether `wider` reaches all that `narrower` does, actions aside."""
    return (
        wider.context == narrower.context
        and wider.type in (narrower.type, "*")
        and all(_implied(pair, narrower.parameters) for pair in wider.parameters)
    )


def _implied(constraint: tuple[str, str], parameters: Parameters) -> bool:
    """Whether whatever meets all `parameters` meets the constraint: one of them says the same, or less by a choice."""
    name, value = constraint
    choices = {value} if _CHOOSES_NOTHING.search(name) else set(_COMMA.split(value))
    return any(key == name and (given == value or set(_COMMA.split(given)) <= choices) for key, given in parameters)


def written(names: Iterable[str], scopes: Iterable[Scope]) -> str:
    """The scope string of these WORDS and FHIR scopes."""
    return " ".join([*names, *map(_scope_text, scopes)])


def _scope_text(scope: Scope) -> str:
    # RFC 6749, section 3.3: neither spaces, quotes nor backslashes; what a code system's URL needs stays legible.
    query = urlencode(scope.parameters, safe="/:|,$", quote_via=quote)
    return f"{scope.context}/{scope.type}.{scope.actions}" + (f"?{query}" if query else "")

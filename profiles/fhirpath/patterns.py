"""Regular expressions of `matches` and `replaceMatches`, with their work bounded (http://hl7.org/fhirpath/N1/#matches).

Patterns of published definitions are trusted. For an untrusted expression a pattern may not repeat a repetition, may
hold two repetitions at most, and works on short texts only, so that backtracking stays polynomial and small.
"""

import re
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError, FhirPathLimitError

PATTERN_MAX = 2_000
UNTRUSTED_PATTERN_MAX = 200
UNTRUSTED_TEXT_MAX = 256
UNTRUSTED_REPEATS_MAX = 2
REPEAT_MAX = 1_000  # of `{n,m}` in an untrusted pattern

_REPEATS = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT})


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > PATTERN_MAX:
        raise FhirPathLimitError(f"a regular expression is longer than {PATTERN_MAX} characters")
    try:
        # N1: matching is case-sensitive and `.` stands for a line feed too.
        return re.compile(pattern, re.DOTALL)
    except (re.error, RecursionError, OverflowError):
        raise FhirPathError("a regular expression is malformed") from None


@lru_cache(maxsize=512)
def _check_untrusted(pattern: str) -> None:
    if len(pattern) > UNTRUSTED_PATTERN_MAX:
        raise FhirPathLimitError(f"a regular expression is longer than {UNTRUSTED_PATTERN_MAX} characters")
    _compiled(pattern)
    repeats = _count_repeats(_parser.parse(pattern), inside=False)
    if repeats > UNTRUSTED_REPEATS_MAX:
        raise FhirPathLimitError("a regular expression holds too many repetitions")


def _count_repeats(tree: Any, inside: bool) -> int:
    """The number of variable repetitions; raises FhirPathLimitError for one inside another and for a back-reference."""
    repeats = 0
    for operation, argument in tree:
        within = inside
        if operation in (_constants.GROUPREF, _constants.GROUPREF_EXISTS):
            raise FhirPathLimitError("a regular expression refers back to a group")
        if operation in _REPEATS:
            least, most, _ = argument
            if most is not _constants.MAXREPEAT and most > REPEAT_MAX:
                raise FhirPathLimitError(f"a regular expression repeats more than {REPEAT_MAX} times")
            if most != least or most > 1:
                if inside:
                    raise FhirPathLimitError("a regular expression repeats a repetition")
                repeats, within = repeats + (most != least), True
        repeats += sum(_count_repeats(part, within) for part in _parts(argument))
    return repeats


def _parts(argument: Any) -> list[Any]:
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [part for each in argument for part in _parts(each)]
    return []


def _prepared(pattern: str, text: str, env: Environment) -> re.Pattern[str]:
    if env.untrusted:
        if len(text) > UNTRUSTED_TEXT_MAX:
            raise FhirPathLimitError(f"a text to match is longer than {UNTRUSTED_TEXT_MAX} characters")
        _check_untrusted(pattern)
        env.charge(100 + len(text))
    return _compiled(pattern)


def found(pattern: str, text: str, env: Environment) -> re.Match[str] | None:
    """The first match anywhere in `text`."""
    return _prepared(pattern, text, env).search(text)


def whole(pattern: str, text: str, env: Environment) -> re.Match[str] | None:
    """The match of all of `text`."""
    return _prepared(pattern, text, env).fullmatch(text)


def replaced(pattern: str, new: str, text: str, env: Environment) -> str:
    """`text` with every match replaced by `new`, in which `$1` or `${name}` stands for a group."""
    prepared = _prepared(pattern, text, env)
    env.text(len(text) + len(new) * (len(text) + 1))
    template = re.sub(r"\$(\d+)", r"\\g<\1>", re.sub(r"\$\{(\w+)\}", r"\\g<\1>", new.replace("\\", "\\\\")))
    try:
        return prepared.sub(template, text)
    except (re.error, IndexError):
        raise FhirPathError("a replacement refers to a group that the regular expression does not have") from None

"""Regular expressions of `matches` and `replaceMatches`, with their work bounded (http://hl7.org/fhirpath/N1/#matches).

Patterns of published definitions are trusted. In an untrusted expression a pattern may repeat single characters only,
and the number of ways in which it can be tried on a (short) text is estimated first: what could backtrack for long is
refused.
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
UNTRUSTED_WORK_MAX = 2**25  # ways to try a pattern on a text, about 10 ms at the most
FEW = 16  # a repetition that varies by no more counts as so many alternatives

_REPEATS = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT})
_SINGLE = frozenset({_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN})


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
def _ways(pattern: str) -> tuple[int, int]:
    """(alternatives, open repetitions) of an untrusted pattern; raises FhirPathLimitError for what may explode."""
    if len(pattern) > UNTRUSTED_PATTERN_MAX:
        raise FhirPathLimitError(f"a regular expression is longer than {UNTRUSTED_PATTERN_MAX} characters")
    _compiled(pattern)
    return _count(_parser.parse(pattern))


def _count(tree: Any) -> tuple[int, int]:
    alternatives, repetitions = 1, 0
    for operation, argument in tree:
        if operation in (_constants.GROUPREF, _constants.GROUPREF_EXISTS):
            raise FhirPathLimitError("a regular expression refers back to a group")
        if operation in _REPEATS:
            least, most, body = argument
            if most > 1 and (len(body) != 1 or body[0][0] not in _SINGLE):
                raise FhirPathLimitError("a regular expression repeats more than a single character")
            if most - least <= FEW:
                alternatives *= most - least + 1
            else:
                repetitions += 1
        elif operation is _constants.BRANCH:
            alternatives *= len(argument[1])
        for part in _parts(argument):
            inner, deeper = _count(part)
            alternatives, repetitions = alternatives * inner, repetitions + deeper
    return alternatives, repetitions


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
        alternatives, repetitions = _ways(pattern)
        # One more power of the length: a match may begin anywhere.
        work = alternatives * max(len(text), 16) ** (repetitions + 1)
        if work > UNTRUSTED_WORK_MAX:
            raise FhirPathLimitError("a regular expression could take too many steps")
        env.charge(100 + work // 256)
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

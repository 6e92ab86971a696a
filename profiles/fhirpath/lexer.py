"""FHIRPath text → tokens (http://hl7.org/fhirpath/N1/#tokens)."""

import re
from typing import NamedTuple

from profiles.fhirpath.errors import FhirPathSyntaxError

LENGTH_MAX = 10_000  # the longest R4 search parameter has about 3,000 characters


class Token(NamedTuple):
    """One token: `kind` is 'name', 'string', 'number', 'temporal', 'variable', 'this', 'operator' or 'end'."""

    kind: str
    text: str
    at: int
    quoted: bool = False  # a delimited identifier: never a keyword


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<temporal>@(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?
        |\d{4}(?:-\d\d(?:-\d\d)?)?
         (?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?))
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<variable>%(?:[A-Za-z_][A-Za-z0-9_-]*|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"))
    |(?P<this>\$(?:this|index|total)\b)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<quoted>`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*")
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<operator><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "\\": "\\", "/": "/", "'": "'", '"': '"', "`": "`"}


def _unescape(body: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            # R4's own eld-19 and sdf-19 escape letters of a regular expression once more; N1 keeps them as they stand.
            return found[0]
        return _ESCAPES[code]

    return _ESCAPE.sub(replaced, body) if "\\" in body else body


def tokens(text: str) -> list[Token]:
    """The tokens of `text`, the last one of kind 'end'; raises FhirPathSyntaxError with the place of what is none."""
    if len(text) > LENGTH_MAX:
        raise FhirPathSyntaxError(f"expression is longer than {LENGTH_MAX} characters")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FhirPathSyntaxError(f"unexpected `{text[at : at + 12]}` at character {at + 1} of the expression")
        kind = match.lastgroup or ""
        body = match[0]
        if kind == "variable":
            name = body[1:]
            found.append(Token(kind, _unescape(name[1:-1]) if name[0] in "'`\"" else name, at))
        elif kind == "quoted":
            found.append(Token("name", _unescape(body[1:-1]), at, quoted=True))
        elif kind == "string":
            found.append(Token(kind, _unescape(body[1:-1]), at))
        elif kind != "space":
            found.append(Token(kind, body, at))
        at = match.end()
    found.append(Token("end", "", at))
    return found

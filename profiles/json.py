"""Read and write FHIR JSON exactly: decimals keep their digits; what FHIR or I-JSON forbids is refused with a location.

https://hl7.org/fhir/R4/json.html, https://www.rfc-editor.org/rfc/rfc8259, https://www.rfc-editor.org/rfc/rfc7493
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from profiles.json_location import locate

# FHIR sets no depth; real resources stay below 20. This keeps recursive readers far from the stack limit.
DEPTH_MAX = 64
# https://hl7.org/fhir/R4/datatypes.html#decimal asks for at least 18 digits. Longer numbers than this only cost time.
DIGITS_MAX = 64
# Numbers stay inside the range of an IEEE double, so an index of doubles never meets infinity.
EXPONENT_MAX = 307
# Finding the place of an error costs far more than finding the error: larger bodies are refused without a location.
LOCATED_BYTES_MAX = 256 * 1024

_BOM = b"\xef\xbb\xbf"
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class JsonError(ValueError):
    """A body that is not acceptable JSON: what rule it breaks, and where (`name[0].given`, empty when not known)."""

    def __init__(self, diagnostics: str, expression: str = "") -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        self.expression = expression


class TooDeepError(JsonError):
    """JSON all right, but nested deeper than a resource may be here."""


class _RefusedError(ValueError):
    """A rule broken inside the decoder, where the location is not known yet."""


def parse(data: bytes, *, depth_max: int = DEPTH_MAX) -> dict[str, Any]:
    """Return the JSON object in `data`: str, int, Decimal (as many digits as were written), bool, None, dict and list.

    One leading byte order mark is skipped (RFC 8259 section 8.1 allows that). Raises JsonError for anything that is not
    one well-formed UTF-8 JSON object, for a property that occurs twice in an object, for NUL, lone surrogates, NaN and
    Infinity, for objects and arrays nested deeper than `depth_max`, and for numbers of more than `DIGITS_MAX`
    characters or with an exponent beyond ±`EXPONENT_MAX`.
    """
    try:
        value = _DECODER.decode(data.removeprefix(_BOM).decode())
    except _RefusedError as error:
        _refuse(str(error), data, depth_max)
    except json.JSONDecodeError as error:
        raise JsonError(f"malformed json: {_lower(error.msg)} (line {error.lineno} column {error.colno})") from None
    except UnicodeDecodeError as error:
        raise JsonError(f"malformed json: not valid utf-8 (byte {error.start})") from None
    except RecursionError:
        _refuse(_too_deep(depth_max), data, depth_max, TooDeepError)
    if type(value) is not dict:
        raise JsonError("the body is not a json object")
    # Brackets in strings make this count too high, never too low: most resources are spared the walk.
    if data.count(b"{") + data.count(b"[") > depth_max and _is_deeper(value, depth_max):
        _refuse(_too_deep(depth_max), data, depth_max, TooDeepError)
    if b"\\u" in data:
        if _ESCAPED_NUL.search(data):
            _refuse("a string holds the character NUL", data, depth_max)
        try:
            _ENCODER.encode(value)
        except UnicodeEncodeError:
            _refuse("a string holds half of a surrogate pair", data, depth_max)
    return value


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """Return `value` as UTF-8 JSON, compact unless `pretty`; a Decimal is a number with its own digits (`1.00`).

    Decimals have to be finite, as all that `parse` returns are.
    """
    data = _ENCODER.encode(value)
    return msgspec.json.format(data, indent=2) if pretty else data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these properties. https://hl7.org/fhir/R4/json.html#xml: a property SHALL be unique."""
    properties = dict(pairs)
    if len(properties) != len(pairs):
        names = [name for name, _ in pairs]
        raise _RefusedError(_twice(next(name for name in names if names.count(name) > 1)))
    return properties


def _integer(text: str) -> int:
    _check_length(text)
    return int(text)


def _decimal(text: str) -> Decimal:
    _check_length(text)
    try:
        number = Decimal(text)
        bounded = -EXPONENT_MAX <= number.adjusted() <= EXPONENT_MAX
    except InvalidOperation:  # an exponent that Decimal itself cannot hold
        bounded = False
    if not bounded:
        raise _RefusedError(f"number `{text[:40]}` has an exponent beyond ±{EXPONENT_MAX}")
    return number


def _constant(text: str) -> NoReturn:
    raise _RefusedError(f"`{text}` is not a json number")


def _check_length(text: str) -> None:
    if len(text) > DIGITS_MAX:
        raise _RefusedError(f"number of {len(text)} characters, at most {DIGITS_MAX} are taken")


def _twice(name: str) -> str:
    return f"property `{name[:40]}` occurs twice in one object"


def _too_deep(depth_max: int) -> str:
    return f"objects and arrays are nested deeper than {depth_max}"


def _is_deeper(value: Any, depth_max: int) -> bool:
    """Return whether objects and arrays are nested more than `depth_max` deep."""
    level: list[Any] = [value]
    for _ in range(depth_max):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _refuse(diagnostics: str, data: bytes, depth_max: int, error: type[JsonError] = JsonError) -> NoReturn:
    raise error(diagnostics, locate(data, _violates, depth_max) if len(data) <= LOCATED_BYTES_MAX else "")


def _violates(written: str) -> bool:
    """Return whether a scalar token breaks a rule of `parse`."""
    if written[0] in "-0123456789" and written != "-Infinity":
        try:
            _decimal(written)
        except _RefusedError:
            return True
        return False
    if written[0] != '"':
        return written not in ("true", "false", "null")
    if "\\u" not in written:
        return False
    text = json.loads(written)
    return "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

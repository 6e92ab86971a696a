"""The formats of the FHIR primitive types, as predicates on the values of a parsed JSON resource.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

# "Note that FHIR strings SHALL NOT exceed 1,048,576 characters in size": https://hl7.org/fhir/R4/datatypes.html#string
STRING_CHARS_MAX = 1_048_576
INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1

_YEAR = r"(?!0000)[0-9]{4}"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

# A resource has to have an XML form too, and these characters have none: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WHITE_SPACE = " \t\r\n"  # of XML and JSON; a no-break space counts as a sign
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_DATE = re.compile(f"{_YEAR}(?:-{_MONTH}(?:-{_DAY})?)?")
_DATE_TIME = re.compile(f"{_YEAR}(?:-{_MONTH}(?:-{_DAY}(?:T{_TIME}{_ZONE})?)?)?")
_INSTANT = re.compile(f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_string(value: Any) -> bool:
    """A string of 1 to `STRING_CHARS_MAX` characters that are not all white space and that XML can carry.

    The standard calls a string of white space alone an invalid value, and says that control characters SHOULD NOT
    occur; we refuse them, since they cannot be written in XML.
    """
    return is_xml_text(value) and len(value) <= STRING_CHARS_MAX


def is_xml_text(value: Any) -> bool:
    """A string of any length, not only white space, that XML can carry."""
    return (
        type(value) is str
        and value.strip(_WHITE_SPACE) != ""
        and (value.isprintable() or _NOT_XML.search(value) is None)
    )


def is_boolean(value: Any) -> bool:
    """A JSON true or false."""
    return type(value) is bool


def is_integer(value: Any) -> bool:
    """A JSON number without fraction or exponent in 32 bits, signed."""
    return type(value) is int and INTEGER_MIN <= value <= INTEGER_MAX


def is_unsigned_int(value: Any) -> bool:
    """An integer from 0."""
    return type(value) is int and 0 <= value <= INTEGER_MAX


def is_positive_int(value: Any) -> bool:
    """An integer from 1."""
    return type(value) is int and 1 <= value <= INTEGER_MAX


def is_decimal(value: Any) -> bool:
    """A finite JSON number, kept as int or Decimal."""
    return type(value) is int or (type(value) is Decimal and value.is_finite())


def is_date(value: Any) -> bool:
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD`, a day that the calendar has."""
    return type(value) is str and _DATE.fullmatch(value) is not None and _is_in_calendar(value)


def is_date_time(value: Any) -> bool:
    """A date, or a date with time, seconds and time zone, on a day that the calendar has."""
    return type(value) is str and _DATE_TIME.fullmatch(value) is not None and _is_in_calendar(value)


def is_instant(value: Any) -> bool:
    """A date with time, seconds and time zone, on a day that the calendar has."""
    return type(value) is str and _INSTANT.fullmatch(value) is not None and _is_in_calendar(value)


def is_base64_binary(value: Any) -> bool:
    """Base64 with padding, white space between the signs allowed; not empty."""
    if type(value) is not str:
        return False
    signs = value if value.isalnum() else "".join(value.split())
    return len(signs) % 4 == 0 and _BASE64.fullmatch(signs) is not None


def _is_in_calendar(value: str) -> bool:
    """Return whether the day exists, for a text of the form `YYYY[-MM[-DD…]]`."""
    if len(value) < 10 or value[8:10] < "29":
        return True
    month, day = int(value[5:7]), int(value[8:10])
    if month == 2 and day == 29:
        year = int(value[:4])
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= _DAYS[month - 1]


def _matches(pattern: str) -> Callable[[Any], bool]:
    fullmatch = re.compile(pattern, re.ASCII).fullmatch
    return lambda value: type(value) is str and fullmatch(value) is not None and _NOT_XML.search(value) is None


_is_uri = _matches(r"\S+")

# By type code: whether a JSON value (not null) is in the value space of the type, and that rule in words.
PRIMITIVES: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "base64Binary": (is_base64_binary, "base64 text"),
        "boolean": (is_boolean, "true or false"),
        "canonical": (_is_uri, "a uri without white space"),
        "code": (_matches(r"\S+(?: \S+)*"), "text without white space other than single spaces inside"),
        "date": (is_date, "an existing date YYYY, YYYY-MM or YYYY-MM-DD"),
        "dateTime": (is_date_time, "an existing date YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with time zone"),
        "decimal": (is_decimal, "a number"),
        "id": (_matches(r"[A-Za-z0-9\-.]{1,64}"), "1 to 64 letters, digits, `-` and `.`"),
        "instant": (is_instant, "an existing moment YYYY-MM-DDThh:mm:ss with time zone"),
        "integer": (is_integer, "a whole number of 32 bits"),
        "markdown": (is_string, "text that is not empty and has no control characters"),
        "oid": (_matches(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"), "an oid like urn:oid:1.2.3"),
        "positiveInt": (is_positive_int, "a whole number from 1 to 2147483647"),
        "string": (is_string, "text that is not empty and has no control characters"),
        "time": (_matches(_TIME), "a time hh:mm:ss"),
        "unsignedInt": (is_unsigned_int, "a whole number from 0 to 2147483647"),
        "uri": (_is_uri, "a uri without white space"),
        "url": (_is_uri, "a uri without white space"),
        "uuid": (
            _matches("urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            "a uuid like urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        ),
        "xhtml": (is_xml_text, "an xhtml div"),
    }
)


def violation(type_code: str, value: Any) -> str | None:
    """Return what a value of this primitive type has to be, None when `value` is that.

    Raises KeyError when `type_code` is not a primitive type. `value` is not null: that is the business of `_element`.
    """
    holds, rule = PRIMITIVES[type_code]
    return None if holds(value) else rule

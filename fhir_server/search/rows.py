"""Index rows: what a resource can be found by. `search.index` extracts them, a store keeps them.

`group` ties the components of one composite occurrence together (0 elsewhere); a component's rows are filed under
`{code}${n}`. https://hl7.org/fhir/R4/search.html#ptypes
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class TokenRow(NamedTuple):
    param: str
    system: str  # '' if none
    code: str  # '' if only a text is given
    group: int = 0


class TextRow(NamedTuple):
    """Display or text of a token or reference, normalised, for `:text`."""

    param: str
    value: str


class OfTypeRow(NamedTuple):
    param: str
    system: str
    code: str
    value: str


class StringRow(NamedTuple):
    param: str
    normal: str  # casefolded, without accents and with folded white space
    exact: str
    group: int = 0


class NumberRow(NamedTuple):
    param: str
    low: float  # equal to high for a plain number; -inf / inf where a range is open
    high: float
    group: int = 0


class DateRow(NamedTuple):
    param: str
    low: int  # microseconds since 1970 UTC, inclusive
    high: int  # exclusive; open ends are MIN_TIME / MAX_TIME
    group: int = 0


class QuantityRow(NamedTuple):
    param: str
    low: float
    high: float
    system: str
    code: str
    unit: str  # the human unit
    canonical_low: float  # equal to low if the unit is not UCUM
    canonical_high: float
    canonical_code: str  # '' if the unit is not UCUM
    group: int = 0


class UriRow(NamedTuple):
    param: str
    value: str
    group: int = 0


class ReferenceRow(NamedTuple):
    param: str
    type: str  # '' if unknown
    id: str  # '' unless it is a reference to a resource on this server
    url: str  # absolute or canonical (without |version), '' if local
    version: str  # of a canonical or a version-specific reference
    identifier_system: str  # logical references
    identifier_value: str
    group: int = 0


class PointRow(NamedTuple):
    param: str
    latitude: float
    longitude: float


class FiledRow(NamedTuple):
    """What the gateway wants to find a resource by, besides its search parameters."""

    kind: str
    value: str


MIN_TIME = -(2**62)
MAX_TIME = 2**62


@dataclass(slots=True)
class IndexRows:
    """Everything one version of a resource can be found by; `narrative` and `content` feed `_text` and `_content`.

    `filed` and `span` ([low, high) in microseconds, None if no time is known) are the gateway's: no search parameter
    asks for them.
    """

    tokens: list[TokenRow] = field(default_factory=list)
    texts: list[TextRow] = field(default_factory=list)
    of_types: list[OfTypeRow] = field(default_factory=list)
    strings: list[StringRow] = field(default_factory=list)
    numbers: list[NumberRow] = field(default_factory=list)
    dates: list[DateRow] = field(default_factory=list)
    quantities: list[QuantityRow] = field(default_factory=list)
    uris: list[UriRow] = field(default_factory=list)
    references: list[ReferenceRow] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    filed: list[FiledRow] = field(default_factory=list)
    span: tuple[int, int] | None = None
    narrative: str = ""
    content: str = ""

"""The query AST: what a search asks, free of any URL and of any database.

`search.parse` makes it, `gateway.narrow` restricts it to what the requester may read, a store answers it.
Every leaf speaks of one search parameter, by its code, of the type that
the Query (or the Chain / Has around it) is about.
https://hl7.org/fhir/R4/search.html
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias


class Compare(Enum):
    """Prefixes; `eq` is `range of the value within the range asked`. https://hl7.org/fhir/R4/search.html#prefix"""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    LT = "lt"
    GE = "ge"
    LE = "le"
    SA = "sa"
    EB = "eb"
    AP = "ap"  # parse widens [low, high) first: a store treats it as `overlaps`


# --- Boolean structure -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    """All of them; `And(())` matches everything."""

    children: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; `Or(())` matches nothing."""

    children: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The resources of the type that do not match `child` (also those that lack the element: `:not`)."""

    child: "Predicate"


EVERYTHING = And(())
NOTHING = Or(())

# --- Leaves ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Missing:
    """`:missing=true|false`: whether the resource has no value for the parameter."""

    param: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Token:
    """`system` None: any; '' : none. `code` None: any code of the system. Codes compare case-sensitively, unless
    `folded`: then `code` is casefolded and compared with the casefolded value."""

    param: str
    system: str | None
    code: str | None
    folded: bool = False


@dataclass(frozen=True, slots=True)
class TokenIn:
    """`:in`, `:below`, `:above`: any of these (system, code) pairs; a system of None is any."""

    param: str
    codings: tuple[tuple[str | None, str], ...]


@dataclass(frozen=True, slots=True)
class TokenText:
    """`:text` on a token (display, text) or a reference (display): normalised words start with `value`."""

    param: str
    value: str


@dataclass(frozen=True, slots=True)
class OfType:
    """`:of-type`: an identifier whose type has (system, code) and whose value is `value`."""

    param: str
    system: str
    code: str
    value: str


@dataclass(frozen=True, slots=True)
class String:
    """`exact` compares with the value, the other modes with the normalised value (casefolded, unaccented).

    `equals` and `ends` come from `_filter` only.
    """

    param: str
    mode: Literal["starts", "contains", "exact", "equals", "ends"]
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number's implicit range [low, high) against the value asked. https://hl7.org/fhir/R4/search.html#number"""

    param: str
    compare: Compare
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Date:
    """[low, high) in microseconds since 1970 UTC. https://hl7.org/fhir/R4/search.html#date"""

    param: str
    compare: Compare
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """[low, high) in `code` of `system`; `unit` is what the code or the human unit must equal if there is no system.

    With `canonical`, low and high are in that UCUM canonical unit, and rows are compared by their canonical value.
    """

    param: str
    compare: Compare
    low: float
    high: float
    system: str | None = None
    code: str | None = None
    canonical: bool = False


@dataclass(frozen=True, slots=True)
class Uri:
    param: str
    mode: Literal["exact", "below", "above"]
    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to `type`/`id` on this server, to a `url` (absolute or canonical, `version` of it if given), or, if
    `identifier` is set, a logical reference with (system | None, value). `type` None with an id: any type."""

    param: str
    type: str | None = None
    id: str | None = None
    url: str | None = None
    version: str | None = None
    identifier: tuple[str | None, str] | None = None


@dataclass(frozen=True, slots=True)
class Composite:
    """All components hold of the same occurrence; their `param`s are the index names `{code}${n}`, n from 0."""

    param: str
    components: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Within `km` kilometres of the point. https://hl7.org/fhir/R4/location.html#positional"""

    param: str
    latitude: float
    longitude: float
    km: float


@dataclass(frozen=True, slots=True)
class FullText:
    """`_text` (narrative) and `_content` (everything): all words occur."""

    param: Literal["_text", "_content"]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """`_id`: the logical id is one of these."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LastUpdated:
    """[low, high) in microseconds since 1970 UTC."""

    compare: Compare
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class OwnedBy:
    """About exactly one patient, and that one is among `patients` (logical ids). Made by the gateway only."""

    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unowned:
    """About no patient at all: directory and knowledge resources. Made by the gateway only."""


@dataclass(frozen=True, slots=True)
class ByOwner:
    """Each patient it is about has, in one of `groups`, a predicate that holds for it; there is at least one patient.

    A group is (logical ids, predicate). For a patient in no group `otherwise` must hold. No patient is in two groups.
    The predicates are of And, Or, Not, TypeIn, Ids, Filed and FiledSpan. What was never filed, because it was written
    before there was filing, is held to match none that has a Filed or FiledSpan in any group.
    Made by the gateway only; a store may keep what it works out for as long as it is asked the same object.
    """

    groups: tuple[tuple[tuple[str, ...], "Predicate"], ...]
    otherwise: "Predicate"


@dataclass(frozen=True, slots=True)
class Filed:
    """Under `kind` one of `values` is filed with the resource (`IndexRows.filed`). Made by the gateway only."""

    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FiledSpan:
    """The time filed with the resource lies within [low, high); `partly`: overlaps it. One without a time never does.

    Microseconds since 1970 UTC (`IndexRows.span`). Made by the gateway only.
    """

    low: int
    high: int
    partly: bool


@dataclass(frozen=True, slots=True)
class TypeIn:
    """The resource is of one of these types. For queries about several types."""

    types: tuple[str, ...]


# --- Criteria on other resources -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference in `param` leads to a current resource of `target` that matches `child`."""

    param: str
    target: str
    child: "Predicate"


@dataclass(frozen=True, slots=True)
class Has:
    """A current resource of `source` refers to this one in its `param` and matches `child`."""

    source: str
    param: str
    child: "Predicate"


Predicate: TypeAlias = (
    And
    | Or
    | Not
    | Missing
    | Token
    | TokenIn
    | TokenText
    | OfType
    | String
    | Number
    | Date
    | Quantity
    | Uri
    | Reference
    | Composite
    | Near
    | FullText
    | Ids
    | LastUpdated
    | OwnedBy
    | Unowned
    | ByOwner
    | Filed
    | FiledSpan
    | TypeIn
    | Chain
    | Has
)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One `_sort` criterion; resources without a value come last. `_id`, `_lastUpdated` are params like the others.

    `origin` is the (latitude, longitude) for a sort by distance on `near`.
    """

    param: str
    kind: Literal["string", "token", "date", "number", "quantity", "uri", "reference", "id", "updated", "near"]
    descending: bool = False
    origin: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What a store answers: current, not deleted resources of `types` that match `where`.

    `where` speaks of each of `types` alike; several types occur in system-level searches, whose parameters are those of
    Resource only. Without `sort` the order is the store's own, fixed and the same for every page.
    """

    types: tuple[str, ...]
    where: Predicate
    sort: tuple[SortKey, ...] = ()

"""The values the engine speaks in: who asks, what a resource is about, what a Consent says, what was decided.

https://hl7.org/fhir/R4/consent.html. Instants are microseconds since 1970 UTC; an interval is [low, high).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Final, Generic, TypeAlias, TypeVar

Coding: TypeAlias = tuple[str, str]
"""(system, code); versions are left out, because they are not compared."""

BEGINNING: Final = -(2**63)
FOREVER: Final = 2**63 - 1
EMERGENCY_WINDOW_MAX: Final = 3600 * 1_000_000

# About a patient, and for the patient and their proxy alone.
PERSONAL: Final = frozenset({"AuditEvent", "Consent"})
# Of these some are, as ResourceFacts says: what a server recorded by itself of who wrote what.
PERSONAL_IN_PART: Final = frozenset({"Provenance"})

T = TypeVar("T")


class Answer(IntEnum):
    """Does it match? `min` is the answer to *all of them*, `max` to *any of them*."""

    NO = 0
    UNKNOWN = 1  # a fact is missing: counts as a match for a deny, as none for a permit
    YES = 2


class Effect(Enum):
    PERMIT = "permit"
    DENY = "deny"


class Action(Enum):
    """https://terminology.hl7.org/CodeSystem/consentaction"""

    ACCESS = "access"
    COLLECT = "collect"
    CORRECT = "correct"
    DISCLOSE = "disclose"
    USE = "use"


READS: Final = frozenset({Action.ACCESS, Action.DISCLOSE, Action.USE})


class Role(Enum):
    """What an actor's role asks about: the requester, the custodian of the resource, or its author."""

    RECIPIENT = "recipient"
    CUSTODIAN = "custodian"
    AUTHOR = "author"


# --- Who asks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody by reference, `Practitioner/1`."""

    reference: str


@dataclass(frozen=True, slots=True)
class Category:
    """Everybody of a kind: a role, a specialty or an organisation type, on resources of the type."""

    type: str
    system: str
    code: str


Actor: TypeAlias = Party | Category


class User(IntEnum):
    """How closely a provision names the requester."""

    ANY = 0
    ROLE = 1
    ORGANISATION = 2
    TEAM = 3
    INDIVIDUAL = 4


@dataclass(frozen=True, slots=True)
class Closure:
    """Everything a requester counts as, at one instant. References are `Type/id`.

    `individuals`: the login and the person behind it; `devices`: the app they use, which is named as closely, but
    whose work is not theirs; `teams`: CareTeams and Groups of which they
    are a member now; `organisations`: those of the roles and their `partOf` ancestors; `categories`: the codes of
    those roles and organisations. `professional`: acts as a care professional or a service, not as a resident.
    `valid_until`: the instant at which one of the memberships ends or another starts.
    """

    individuals: frozenset[str]
    teams: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    categories: frozenset[Category] = frozenset()
    devices: frozenset[str] = frozenset()
    professional: bool = False
    valid_until: int = FOREVER
    levels: Mapping[Actor, User] = field(init=False, repr=False, compare=False)
    """Every actor that names the requester, and how closely."""
    actors: frozenset[Actor] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked of every provision, so worked out once; the closest level is written last.
        levels: dict[Actor, User] = dict.fromkeys(self.categories, User.ROLE)
        levels.update((Party(reference), User.ORGANISATION) for reference in self.organisations)
        levels.update((Party(reference), User.TEAM) for reference in self.teams)
        levels.update((Party(reference), User.INDIVIDUAL) for reference in self.individuals | self.devices)
        object.__setattr__(self, "levels", MappingProxyType(levels))
        object.__setattr__(self, "actors", frozenset(levels))


@dataclass(frozen=True, slots=True)
class Emergency:
    """The window a professional opened with purpose BTG. `allowed`: whether they are one who may use it."""

    allowed: bool
    reason: str
    opened: int
    closes: int


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Who asks, to what end, to do what, when.

    `purpose` is a v3 ActReason code, '' if the token says none (a resident's own is PATRQT). `represents`: the ids of
    the patients whose verified proxy the requester is at the instant; `treats`: of those with whom there is a treatment
    relation. `valid_until`: the instant at which one of those two could change.
    """

    closure: Closure
    purpose: str
    action: Action
    instant: int
    represents: frozenset[str] = frozenset()
    treats: frozenset[str] = frozenset()
    emergency: Emergency | None = None
    valid_until: int = FOREVER


# --- What is asked for -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """What the rules can ask about one version of a resource. `…_unclear`: there is more, but it can't be read.

    `confidentiality` is 0 (U) to 5 (V), the strictest label, 3 (N) if there is none; `interval` the clinical time, None
    if nothing tells it; `documents` a document's type, category and format; `types_within` the types of a stored
    Bundle's entries; `references` all literal references out, `Type/id`; `personal`: for the patient and their proxy
    alone, as what a server recorded of who wrote what, which would tell of records that are hidden.
    """

    type: str
    id: str
    patients: tuple[str, ...] = ()
    confidentiality: int = 3
    labels: frozenset[Coding] = frozenset()
    labels_unclear: bool = False
    codes: frozenset[Coding] = frozenset()
    codes_unclear: bool = False
    contained_codes: frozenset[Coding] = frozenset()
    contained_codes_unclear: bool = False
    documents: frozenset[Coding] = frozenset()
    documents_unclear: bool = False
    types_within: frozenset[str] = frozenset()
    interval: tuple[int, int] | None = None
    authors: frozenset[str] = frozenset()
    authors_unclear: bool = True
    custodians: frozenset[str] = frozenset()
    custodians_unclear: bool = True
    references: frozenset[str] = frozenset()
    personal: bool = False

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


# --- What a Consent says -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """What cannot be enforced: the element as FHIRPath, and the rule it breaks."""

    expression: str
    diagnostics: str


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """The values of one element, any of which will do. `unclear`: one of them could not be understood."""

    values: frozenset[T]
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """[low, high). `unclear`: it was stated, but not understood."""

    low: int = BEGINNING
    high: int = FOREVER
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """`meaning` is instance, related, dependents or authoredby. https://hl7.org/fhir/R4/valueset-consent-data-meaning"""

    meaning: str
    reference: str


@dataclass(frozen=True, slots=True)
class Condition:
    """The elements of a provision that narrow it, None where absent; inherited ones included.

    `label_direction` is the effect under which the label was stated: "nobody sees R" is about R and above, and so is
    its exception "but my GP does", which inherits the label.
    """

    period: Period | None = None
    recipients: Stated[Actor] | None = None
    custodians: Stated[Actor] | None = None
    authors: Stated[Actor] | None = None
    action: Stated[Action] | None = None
    security_label: Stated[Coding] | None = None
    purpose: Stated[str] | None = None
    class_: Stated[Coding] | None = None
    code: Stated[Coding] | None = None
    data_period: Period | None = None
    data: Stated[Data] | None = None
    label_direction: Effect | None = None


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision with its effective condition. Provisions stand in document order, parents first.

    `parent` is an index (-1: the root), `end` the index after its last descendant; `effect` None: it says nothing.
    """

    path: str
    parent: int
    end: int
    effect: Effect | None
    condition: Condition
    restated: frozenset[str] = frozenset()


class Scope(Enum):
    """What a Consent's scope makes of it."""

    PRIVACY = "patient-privacy"
    RESEARCH = "research"
    CLINICAL = "clinical"  # treatment and adr: never about access
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One version of a Consent. `patient` is a logical id ('' if it names none), `performers` are `Type/id`.

    `verified`: some verification says true. If there are `problems` its permits are void and its denies stand.
    """

    id: str
    version: str
    patient: str
    active: bool
    scope: Scope
    performers: frozenset[str]
    verified: bool
    provisions: tuple[Provision, ...]
    problems: tuple[Problem, ...] = ()


# --- What was decided --------------------------------------------------------------------------------------------


class Fate(Enum):
    """What became of a provision."""

    STANDS = "stands"
    NO_MATCH = "no-match"
    EXCEPTION = "exception"  # a deeper provision of its branch spoke
    BRANCHES_DISAGREE = "branches-disagree"  # a permit beside a deny of the same Consent
    BEATEN = "beaten"  # by a more specific one of another Consent
    OVERRULED = "overruled"  # a permit, when a deny stands
    NO_TREATMENT_RELATION = "no-treatment-relation"
    SELF_SERVING = "self-serving"  # the performer is the professional it favours
    UNVERIFIED = "unverified"
    UNENFORCEABLE = "unenforceable"
    LIFTED = "lifted"  # a deny, by the emergency button


@dataclass(frozen=True, slots=True)
class Finding:
    """One provision's part in a decision: which Consent version, where in it, what it says and what became of it.

    `elements` are the stated elements and their answers; `by`: whoever made it lose, as (Consent id, path).
    `escapes`: a permit that matches where its parent does not.
    """

    consent: str
    version: str
    path: str
    effect: Effect
    fate: Fate
    elements: tuple[tuple[str, Answer], ...] = ()
    by: tuple[str, str] | None = None
    escapes: bool = False


class Rule(Enum):
    """What the decision about one patient rests on."""

    OWN = "own"
    PROXY = "proxy"
    CONSENT = "consent"
    AUTHOR = "author"
    BASE = "base"
    EMERGENCY = "emergency"
    PERSONAL = "personal"  # a Consent or AuditEvent: patient and proxy only
    DIRECTORY = "directory"  # carries no patient
    NOBODY_KNOWN = "nobody-known"  # names no patient, and is on no list


class Obligation(Enum):
    AUDIT_EMERGENCY = "audit-emergency"
    TELL_PATIENT = "tell-patient"


@dataclass(frozen=True, slots=True)
class Basis:
    """Why it was decided so for one patient ('' if the resource is about none). `findings` is what mattered."""

    patient: str
    effect: Effect
    rule: Rule
    combiner: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and why. `valid_until`: the next instant at which it could change, FOREVER if nothing is due."""

    effect: Effect
    basis: tuple[Basis, ...]
    obligations: frozenset[Obligation] = field(default_factory=frozenset)
    valid_until: int = FOREVER

    @property
    def permitted(self) -> bool:
        return self.effect is Effect.PERMIT

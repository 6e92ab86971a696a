"""What an expression is evaluated in: the resource, the variables, the clock, the budget.

http://hl7.org/fhirpath/N1/#environment-variables, https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from profiles.fhirpath.errors import FhirPathError, FhirPathLimitError
from profiles.fhirpath.model import Model
from profiles.fhirpath.nodes import Items, Node

STEPS_MAX = 20_000_000  # trusted definitions on the largest Bundle that is accepted
UNTRUSTED_STEPS_MAX = 100_000
TEXT_MAX = 1_000_000  # characters of a computed string
UNTRUSTED_TEXT_MAX = 100_000

Resolver = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller knows about the evaluation; every field may be left out.

    `resource` is `%resource` (the innermost resource that holds the node), `root_resource` is `%rootResource` (its
    container when it is contained); both default to the resource evaluated. `resolver` answers `resolve()` for a
    reference (`Patient/1`, `urn:uuid:…`) with the resource or None; without it, or when it gives None, the reference's
    own form still tells its type (`resolve() is Patient`). `now` is the clock. `strict` makes an unknown element, a
    wrong type at the start of a path, and `as` on several items an error; published R4 definitions need it off.
    """

    resource: Mapping[str, Any] | None = None
    root_resource: Mapping[str, Any] | None = None
    resolver: Resolver | None = None
    now: datetime | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False


class Environment:
    """The state of one evaluation."""

    __slots__ = (
        "context",
        "index",
        "keys",
        "memo",
        "model",
        "now",
        "resource",
        "root",
        "start",
        "steps",
        "total",
        "untrusted",
    )

    def __init__(self, context: Context, model: Model, start: Node, untrusted: bool) -> None:
        self.context = context
        self.model = model
        self.start = start
        self.untrusted = untrusted
        self.steps = UNTRUSTED_STEPS_MAX if untrusted else STEPS_MAX
        self.memo: dict[int, Items] = {}
        self.keys: dict[int, tuple[Items, frozenset[Any]]] = {}
        self.index = 0
        self.total: Items = []
        self.now: datetime | None = None
        top = start
        while top.parent is not None:
            top = top.parent
        self.resource = node_of(context.resource) if context.resource is not None else top
        self.root = node_of(context.root_resource) if context.root_resource is not None else self.resource

    def charge(self, steps: int) -> None:
        """Take `steps` from the budget; raises FhirPathLimitError when it is used up."""
        self.steps -= steps
        if self.steps < 0:
            raise FhirPathLimitError("the evaluation of the expression takes too many steps")

    def text(self, length: int) -> None:
        """Check and charge the length of a string about to be made or read."""
        most = UNTRUSTED_TEXT_MAX if self.untrusted else TEXT_MAX
        if length > most:
            raise FhirPathLimitError(f"a computed string is longer than {most} characters")
        self.charge(length // 64)

    def weigh(self, items: Items) -> None:
        """Charge an untrusted expression for the whole content of items that are about to be compared."""
        if self.untrusted:
            self.charge(sum(_weight(item.value) for item in items if type(item) is Node))

    def clock(self) -> datetime:
        """The moment of this evaluation, the same at every call."""
        if self.now is None:
            self.now = self.context.now or datetime.now(UTC)
        return self.now


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_weight, value.values()))
    return 1 + sum(map(_weight, value)) if isinstance(value, list) else 1


def node_of(resource: Mapping[str, Any]) -> Node:
    """The node of a whole resource; raises FhirPathError when it does not say its type."""
    name = resource.get("resourceType")
    if not isinstance(name, str):
        raise FhirPathError("resourceType is missing")
    return Node(resource, name)

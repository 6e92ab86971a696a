"""The elements that narrow a provision, read into a Condition; whatever is not understood becomes a Problem.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final, TypeVar

from consent.instants import period
from consent.model import Action, Actor, Category, Coding, Condition, Data, Party, Period, Problem, Role, Stated
from consent.references import local
from consent.vocabulary import ACT_CODE, ACT_REASON, CONFIDENTIALITY, CONSENT_ACTION, RESOURCE_TYPES, Vocabulary

T = TypeVar("T")

_PARTIES: Final = frozenset(
    {"CareTeam", "Device", "Group", "Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"}
)
# Tuples, because what stands in the place of a code may be anything, and a list can't be looked up in a set.
_CATEGORIES: Final = ("Organization", "PractitionerRole")
_MEANINGS: Final = ("instance", "related", "dependents", "authoredby")
_ACTIONS: Final = {action.value: action for action in Action}
_TOKEN_SHOWN_MAX: Final = 40
# Of a whole Consent: each value may have to be looked up, and becomes a term of every search in the dossier.
VALUES_MAX: Final = 2_000
# Who has to mend a Consent is helped by the first of them; the answer to a write stays readable.
PROBLEMS_MAX: Final = 100
ELEMENTS: Final = ("period", "actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data")


class Reader:
    """Reads provisions one by one and keeps the first problems it meets, in document order."""

    def __init__(self, vocabulary: Vocabulary, zone: tzinfo) -> None:
        self.problems: list[Problem] = []
        self._vocabulary = vocabulary
        self._zone = zone
        self._room = VALUES_MAX
        self._readers: dict[str, Callable[[Any, str], dict[str, Any]]] = {
            "period": lambda value, path: {"period": self._period(value, path)},
            "actor": self._actors,
            "action": lambda value, path: {"action": self._stated(value, path, self._action)},
            "securityLabel": lambda value, path: {"security_label": self._stated(value, path, self._label)},
            "purpose": lambda value, path: {"purpose": self._stated(value, path, self._purpose)},
            "class": lambda value, path: {"class_": self._stated(value, path, self._class)},
            "code": lambda value, path: {"code": self._stated(value, path, self._code)},
            "dataPeriod": lambda value, path: {"data_period": self._period(value, path)},
            "data": lambda value, path: {"data": self._stated(value, path, self._data)},
        }

    def problem(self, expression: str, diagnostics: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(expression, diagnostics))

    def modifiers(self, element: Mapping[str, Any], path: str) -> None:
        """A modifier extension may turn the meaning around, and none is known here."""
        if "modifierExtension" in element:
            self.problem(f"{path}.modifierExtension", "an unknown modifier extension can't be enforced")

    def condition(self, provision: Mapping[str, Any], path: str, inherited: Condition) -> Condition:
        """The inherited condition with the elements that the provision restates replaced."""
        self.modifiers(provision, path)
        stated: dict[str, Any] = {}
        for name in ELEMENTS:
            if name in provision:
                stated.update(self._readers[name](provision[name], f"{path}.{name}"))
        return replace(inherited, **stated) if stated else inherited

    def codings(self, concept: Any) -> Iterator[Coding]:
        """The codings of a CodeableConcept that have both a system and a code."""
        several = concept.get("coding") if isinstance(concept, Mapping) else None
        for coding in several if isinstance(several, list) else ():
            found = _coding(coding)
            if found is not None:
                yield found

    def _stated(self, values: Any, path: str, read: Callable[[Any, str], frozenset[T]]) -> Stated[T]:
        """What `read` makes of each value; an empty set from it says that the value was not understood."""
        found: set[T] = set()
        unclear = False
        for value, place in self._several(values, path):
            understood = read(value, place) if self._fits(1, path) else frozenset()
            found |= understood
            unclear = unclear or not understood
        return Stated(frozenset(found), unclear or not found)

    def _several(self, values: Any, path: str) -> Iterator[tuple[Any, str]]:
        """Each value with its path, none after the first for which there is no room."""
        if not isinstance(values, list) or not values:
            self.problem(path, "must be a list of at least one")
            return
        for index, value in enumerate(values):
            yield value, f"{path}[{index}]"
            if self._room < 0:
                return

    def _fits(self, count: int, path: str) -> bool:
        """Whether there is room for so many values more; the first time that there is not is a problem."""
        if self._room >= 0:
            self._room -= count
            if self._room < 0:
                self.problem(path, f"a Consent holds at most {VALUES_MAX} values")
        return self._room >= 0

    def _period(self, value: Any, path: str) -> Period:
        found = period(value, self._zone)
        if found is None:
            self.problem(path, "is not a period, or ends before it starts")
            return Period(unclear=True)
        return Period(*found)

    def _actors(self, values: Any, path: str) -> dict[str, Any]:
        found: dict[Role, set[Actor]] = {}
        unclear: set[Role] = set()
        for value, place in self._several(values, path):
            role = self._role(value, place)
            actor = self._actor(value, place) if self._fits(1, path) else None
            found.setdefault(role, set())
            if actor is None:
                unclear.add(role)
            else:
                found[role].add(actor)
        if not found:  # not a list: nobody can tell whom it asks about
            found, unclear = {Role.RECIPIENT: set()}, {Role.RECIPIENT}
        names = {Role.RECIPIENT: "recipients", Role.CUSTODIAN: "custodians", Role.AUTHOR: "authors"}
        return {
            name: Stated(frozenset(found[role]), role in unclear) if role in found else None
            for role, name in names.items()
        }

    def _role(self, actor: Any, path: str) -> Role:
        concept = actor.get("role") if isinstance(actor, Mapping) else None
        roles = {self._vocabulary.roles[c] for c in self.codings(concept) if c in self._vocabulary.roles}
        if len(roles) == 1:
            return roles.pop()
        self.problem(f"{path}.role", "is not a role of a recipient, a custodian or an author")
        return Role.RECIPIENT

    def _actor(self, actor: Any, path: str) -> Actor | None:
        reference = actor.get("reference") if isinstance(actor, Mapping) else None
        if not isinstance(reference, Mapping):
            self.problem(f"{path}.reference", "is missing")
            return None
        self.modifiers(actor, path)
        if "reference" in reference:
            literal = local(reference)
            if literal.partition("/")[0] in _PARTIES:
                return Party(literal)
            self.problem(f"{path}.reference.reference", "does not refer to somebody on this server")
            return None
        identifier = reference.get("identifier")
        if not isinstance(identifier, Mapping):
            self.problem(f"{path}.reference", "a display alone names nobody: use a reference or an identifier")
            return None
        kind, system, value = reference.get("type"), identifier.get("system"), identifier.get("value")
        if kind in _CATEGORIES and isinstance(system, str) and isinstance(value, str) and system and value:
            return Category(kind, system, value)
        self.problem(
            f"{path}.reference",
            "a category is a type (PractitionerRole, Organization) and an identifier with system and value",
        )
        return None

    def _action(self, value: Any, path: str) -> frozenset[Action]:
        found = {
            _ACTIONS[code] for system, code in self.codings(value) if system == CONSENT_ACTION and code in _ACTIONS
        }
        if not found:
            self.problem(path, f"is not an action of {CONSENT_ACTION}")
        return frozenset(found)

    def _label(self, value: Any, path: str) -> frozenset[Coding]:
        found = _coding(value)
        if found is None:
            self.problem(path, "needs a system and a code")
            return frozenset()
        if found[0] in (ACT_CODE, CONFIDENTIALITY) and found not in self._vocabulary.labels:
            self.problem(path, f"unknown code {_shown(found[1])} of {found[0]}")
            return frozenset()
        return frozenset({found})

    def _purpose(self, value: Any, path: str) -> frozenset[str]:
        found = _coding(value)
        if found is not None and found[0] == ACT_REASON and found[1] in self._vocabulary.purposes:
            return frozenset({found[1]})
        self.problem(path, f"is not a purpose of use of {ACT_REASON}")
        return frozenset()

    def _class(self, value: Any, path: str) -> frozenset[Coding]:
        found = _coding(value)
        if found is None:
            self.problem(path, "needs a system and a code")
            return frozenset()
        if found[0] == RESOURCE_TYPES and found[1] not in self._vocabulary.resource_types:
            self.problem(path, f"unknown resource type {_shown(found[1])}")
            return frozenset()
        return frozenset({found})

    def _code(self, value: Any, path: str) -> frozenset[Coding]:
        found = frozenset(self.codings(value))
        if not found:
            self.problem(path, "a code in words only can't be enforced: it needs a coding with a system and a code")
        elif not self._fits(len(found) - 1, path):  # the first is the value itself
            return frozenset()
        return found

    def _data(self, value: Any, path: str) -> frozenset[Data]:
        if not isinstance(value, Mapping) or value.get("meaning") not in _MEANINGS:
            self.problem(f"{path}.meaning", "is not instance, related, dependents or authoredby")
            return frozenset()
        self.modifiers(value, path)
        literal = local(value.get("reference"))
        if not literal:
            self.problem(f"{path}.reference", "does not refer to a resource on this server")
            return frozenset()
        if literal.startswith("Consent/"):
            # Consents that name each other would go round in circles, and none can open or close another.
            self.problem(f"{path}.reference", "a Consent can't be about a Consent")
            return frozenset()
        return frozenset({Data(value["meaning"], literal)})


def _coding(value: Any) -> Coding | None:
    if not isinstance(value, Mapping):
        return None
    system, code = value.get("system"), value.get("code")
    if isinstance(system, str) and isinstance(code, str) and system and code:
        return system, code
    return None


def _shown(token: str) -> str:
    return f"`{token[:_TOKEN_SHOWN_MAX]}`"

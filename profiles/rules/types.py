"""Prepare the rules of each type from the registry, once, when the first value of that type comes by.

https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/elementdefinition.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from profiles.fhirpath.model import Model
from profiles.primitives import PRIMITIVES
from profiles.registry import Element, Registry, Type, ValueSet
from profiles.rules.binding import code_rule, coding_rule, concept_rule
from profiles.rules.bundle import check_entry
from profiles.rules.contained import check_contained
from profiles.rules.extensions import check_modifier, check_url
from profiles.rules.invariants import STRUCTURAL, Rule, judge
from profiles.rules.issue import Finding, Findings, moved, token
from profiles.rules.narrative import check_narrative
from profiles.rules.objects import (
    OBJECT,
    OBJECTS,
    OTHER,
    TEXT,
    VALUE,
    WORD,
    ObjectCheck,
    ObjectRules,
    OtherCheck,
    Slot,
    check_object,
    not_an_array,
)
from profiles.rules.primitives import Holds, array_of_values, explain, twin_of_array, twin_of_value
from profiles.rules.references import is_canonical, reference_rule
from profiles.rules.scope import Resource, Scope
from profiles.rules.structure_definition import check_structure_definition

_Key = tuple[str, tuple[str, ...], str, tuple[str, ...], str]


class TypeRules:
    """The prepared rules of one registry. Immutable to its users; it only grows by what it prepares."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.model = Model(registry)
        self.resource_types = frozenset(registry.resource_types)
        self._rules: dict[_Key, ObjectRules] = {}
        self._element = self.of("Element")

    def check_resource(self, value: Any, scope_of: Callable[[Resource], Scope], expected: str = "") -> Findings | None:
        """Return what is wrong with a resource; its scope is made when it is known to be an object."""
        if not isinstance(value, dict):
            return [Finding("error", "structure", f"a resource is a json object, not {token(value)}")]
        name = value.get("resourceType")
        if not isinstance(name, str) or name not in self.resource_types:
            what = f"{token(name)} is no resource type" if "resourceType" in value else "`resourceType` is missing"
            return [Finding("error", "structure", what)]
        if expected and name != expected:
            return [Finding("error", "structure", f"a `{expected}` is expected here, not a `{name}`")]
        scope = scope_of(value)
        found = check_object(self.of(name), value, scope)
        if "contained" in value and scope.root is value:
            found = [*(found or ()), *check_contained(value, self.registry)]
        return found

    def of(
        self,
        name: str,
        constraints: tuple[str, ...] = (),
        binding: str = "",
        targets: tuple[str, ...] = (),
        place: str = "",
    ) -> ObjectRules:
        """Return the rules of a type where an element adds `constraints`, a required `binding` or `targets`.

        `place` is `extension` or `modifierExtension` for the extensions that stand there.
        """
        key = (name, constraints, binding, targets, place)
        rules = self._rules.get(key)
        if rules is None:
            rules = ObjectRules(name, lambda rules: self._build(rules, *key))
            self._rules[key] = rules
        return rules

    def _build(
        self,
        rules: ObjectRules,
        name: str,
        constraints: tuple[str, ...],
        binding: str,
        targets: tuple[str, ...],
        place: str,
    ) -> dict[str, Slot]:
        """Fill in the rules of a type for one kind of place, and return their table."""
        definition = self.registry.types[name]
        table: dict[str, Slot] = {}
        bits: dict[str, int] = {}
        missing: list[tuple[int, Finding]] = []
        choices: dict[int, tuple[str, tuple[str, ...]]] = {}
        for number, element in enumerate(definition.elements):
            bit = bits[element.name] = 1 << number
            keys = tuple(_json_key(element, code) for code in element.types)
            for key, code in zip(keys, element.types, strict=True):
                self._add(table, name, element, key, code, bit)
            if element.choice:
                choices[bit] = (element.name, keys)
            if element.min > 0:
                missing.append((bit, _missing(element, name)))
        if definition.kind == "resource":
            bit = 1 << len(definition.elements)
            table["resourceType"] = Slot(bit, VALUE, name.__eq__, "", None)
        elif name != "Element":  # of the twin of a primitive, the value beside it is content too
            rules.content = -1 & ~bits["id"]
        keys_of_rules = [key for key in (*definition.constraints, *constraints) if key not in STRUCTURAL]
        prepared = [Rule(self.registry.invariants[key], name, self.model) for key in dict.fromkeys(keys_of_rules)]
        rules.judge, rules.relevant = judge(prepared, bits, self._mandatory_children(definition), missing)
        rules.choices = choices
        rules.beyond = self._beyond(name, definition, binding, targets, place)
        rules.table = table
        return table

    def _add(self, table: dict[str, Slot], owner: str, element: Element, key: str, code: str, bit: int) -> None:
        """Add the slot of a JSON key, and for a primitive that of its twin."""
        many = element.max != 1
        step = f".{element.name}"
        own = tuple(key for key in element.constraints if key not in STRUCTURAL)
        if code == "xhtml":
            table[key] = Slot(bit, OTHER, lambda owner, value, scope: check_narrative(value), step)
            table["_" + key] = Slot(bit, OTHER, twin_of_value(key, self._element), step)
        elif code in PRIMITIVES:
            holds, tell = self._primitive(element, key, code, "" if many else step)
            assert not (many and own), key  # INVARIANT: R4 states none on a repeating primitive
            if many:
                table[key] = Slot(bit, OTHER, array_of_values(key, holds, tell), step)
                table["_" + key] = Slot(bit, OTHER, twin_of_array(key, self._element), step)
            else:
                kind = {"string": TEXT, "markdown": TEXT, "uri": WORD, "url": WORD}.get(code, VALUE)
                if code == "code" and not self._valueset(element):
                    kind = WORD
                slot = Slot(bit, kind, holds, step, tell)
                table[key] = self._with_invariants(slot, code, own) if own else slot
                table["_" + key] = Slot(bit, OTHER, twin_of_value(key, self._element), step)
        elif self.registry.types[code].kind == "resource":
            table[key] = Slot(bit, OTHER, self._resources(key) if many else self._resource(), step)
        else:
            binding = element.binding if code in ("CodeableConcept", "Coding") else ""
            targets = element.targets if code == "Reference" else ()
            # Extensions inside an extension have relative urls; those that modify want a warning.
            place = key if code == "Extension" and (owner == code or element.modifier) else ""
            rules = self.of(code, own, binding, targets, place)
            table[key] = Slot(bit, OBJECTS if many else OBJECT, rules, step)

    def _primitive(self, element: Element, key: str, code: str, step: str) -> tuple[Holds, Callable[[Any], Finding]]:
        holds, rule = PRIMITIVES[code]
        valueset = self._valueset(element) if code == "code" else None
        if valueset is not None:
            return code_rule(valueset), explain(key, "code-invalid", f"in the value set `{valueset.url}`", step)
        if code == "canonical":
            return is_canonical, explain(key, "value", "a canonical url: an absolute uri, or #id", step)
        return holds, explain(key, "value", rule, step)

    def _valueset(self, element: Element) -> ValueSet | None:
        return self.registry.valueset(element.binding) if element.binding else None

    def _with_invariants(self, slot: Slot, code: str, keys: tuple[str, ...]) -> Slot:
        rules = [Rule(self.registry.invariants[key], code, self.model) for key in keys]

        def check(owner: Mapping[str, Any], value: Any, scope: Scope) -> Findings | None:
            if not slot.check(value):
                return [Finding(f.severity, f.code, f.text)] if (f := slot.explain and slot.explain(value)) else None
            return [found for rule in rules if (found := rule.check(value, scope)) is not None]

        return slot._replace(kind=OTHER, check=check, explain=None)

    def _resource(self) -> OtherCheck:
        """The check of an element that holds one resource, an entry of a Bundle or a parameter."""

        def check(owner: Mapping[str, Any], value: Any, scope: Scope) -> Findings | None:
            url = owner.get("fullUrl")
            bundle, full_url = scope.siblings, url if isinstance(url, str) else ""
            return self.check_resource(value, lambda resource: Scope(resource, None, bundle, full_url))

        return check

    def _resources(self, key: str) -> OtherCheck:
        """The check of `contained`."""

        def check(owner: Mapping[str, Any], values: Any, scope: Scope) -> Findings | None:
            if type(values) is not list or not values:
                return [not_an_array(key, values, "")]
            findings: Findings = []
            for index, value in enumerate(values):
                below = self.check_resource(value, lambda resource: Scope(resource, scope)) or []
                # "Contained resources SHOULD NOT contain a narrative": dom-6 is about the others.
                kept = [found for found in below if found.path or not found.text.startswith("dom-6:")]
                findings += moved(kept, f"[{index}]")
            return findings

        return check

    def _mandatory_children(self, definition: Type) -> frozenset[tuple[str, str]]:
        return frozenset(
            (element.name, child.name)
            for element in definition.elements
            if len(element.types) == 1 and self.registry.types[element.types[0]].kind in ("complex", "backbone")
            for child in self.registry.types[element.types[0]].elements
            if child.min > 0
        )

    def _beyond(
        self, name: str, definition: Type, binding: str, targets: tuple[str, ...], place: str
    ) -> ObjectCheck | None:
        """The rules of a type that are no cardinality, type, format or invariant."""
        if name == "Reference":
            return reference_rule(targets, self.resource_types)
        if name == "Extension":
            return {"extension": None, "modifierExtension": check_modifier}.get(place, check_url)
        if name == "Bundle.entry":
            return check_entry
        if name == "StructureDefinition":
            registry = self.registry
            return lambda value, scope: check_structure_definition(value, registry)
        valueset = self.registry.valueset(binding) if binding else None
        if valueset is not None:
            return concept_rule(valueset) if name == "CodeableConcept" else coding_rule(valueset)
        return None


def _json_key(element: Element, code: str) -> str:
    return element.name + code[0].upper() + code[1:] if element.choice else element.name


def _missing(element: Element, owner: str) -> Finding:
    name = f"{element.name}[x]" if element.choice else element.name
    text = f"`{name}` is missing: a `{owner}` has at least {element.min}"
    return Finding("error", "required", text)

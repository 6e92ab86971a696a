"""Invariants and minimum cardinalities: one verdict for each combination of present elements.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from profiles import fhirpath
from profiles.fhirpath.model import Model
from profiles.fhirpath.parser import parse
from profiles.fhirpath.syntax import Expr
from profiles.records import Invariant
from profiles.rules import presence
from profiles.rules.issue import Finding, Findings
from profiles.rules.native import NATIVE
from profiles.rules.presence import EMPTY, FALSE, SOME, UNKNOWN, Outcome
from profiles.rules.scope import Scope

# These are checked elsewhere: see `objects` (ele-1), `contained` (dom-3), `references` (ref-1) and `narrative` (txt-*).
# Tests hold the first three against the expression.
STRUCTURAL: Final = frozenset({"ele-1", "dom-3", "ref-1", "txt-1", "txt-2"})

# An expression has to be true (https://hl7.org/fhir/R4/fhirpath.html#constraints), so an empty result breaks the rule,
# as in `code.exists() or abstract = true`. In these, empty only says that what the rule speaks of is absent or, of
# other precision or unit, cannot be compared; so do those with a key that ends in -0, about an optional name.
_EMPTY_IS_FINE: Final = frozenset({"bdl-8", "inv-1", "md-1", "mdd-1", "per-1", "ras-2", "rng-2"})

# Errata. que-7: no FHIR element is of the type `Boolean`; R4B writes `boolean`, and so means R4.
_CORRECTED: Final = {"que-7": "operator = 'exists' implies (answer is boolean)"}

Verdict = Callable[[Mapping[str, Any], Scope], Findings] | tuple[()]
Judge = Callable[[int], Verdict]


class Known:
    """The presence of the elements of one type, from the bits of those that a value has."""

    __slots__ = ("asked", "bits", "mask", "required")

    def __init__(self, bits: Mapping[str, int], required: frozenset[tuple[str, str]], mask: int) -> None:
        self.bits = bits
        self.required = required
        self.mask = mask
        self.asked: set[str] = set()

    def element(self, name: str) -> Outcome:
        bit = self.bits.get(name)
        if bit is None:
            return UNKNOWN
        self.asked.add(name)
        return SOME if self.mask & bit else EMPTY

    def mandatory(self, name: str, child: str) -> bool:
        return (name, child) in self.required


class Rule:
    """One invariant of one type, parsed and compiled."""

    __slots__ = ("compiled", "empty_is_fine", "expression", "invariant", "model", "native", "type_name")

    def __init__(self, invariant: Invariant, type_name: str, model: Model) -> None:
        self.invariant = invariant
        self.type_name = type_name
        self.model = model
        text = _CORRECTED.get(invariant.key, invariant.expression)
        self.expression: Expr = parse(text)
        self.compiled = fhirpath.compile(text)
        self.native = NATIVE.get(invariant.key)
        self.empty_is_fine = invariant.key in _EMPTY_IS_FINE or invariant.key.endswith("-0")

    def finding(self, reason: str = "") -> Finding:
        return Finding(self.invariant.severity, "invariant", f"{self.invariant.key}: {self.invariant.human}{reason}")

    def check(self, value: Any, scope: Scope, extra: Mapping[str, Any] | None = None) -> Finding | None:
        """Evaluate the expression on a value of the rule's type: the finding when it is not true, else None."""
        known = self.native(value, scope) if self.native is not None else None
        if known is not None:
            return None if known else self.finding()
        try:
            result = self.compiled.evaluate(fhirpath.Node(value, self.type_name, extra), scope.context, self.model)
        except fhirpath.FhirPathError as error:
            return self.finding(f" (cannot be evaluated: {error})")
        holds = result[0].value is not False if result else self.empty_is_fine
        return None if holds else self.finding()


def judge(
    rules: Sequence[Rule],
    bits: Mapping[str, int],
    required: frozenset[tuple[str, str]],
    missing: Sequence[tuple[int, Finding]],
) -> tuple[Judge, int]:
    """Return the judge of a type and the bits it looks at.

    `bits` are those of the elements by name, `required` the (element, child) pairs where each value of the element has
    the child, `missing` the finding for each mandatory element by its bit. The verdict for a mask of present elements
    is `()` when all is well; else it takes the value and gives findings.
    """
    everything = Known(bits, required, 0)
    for rule in rules:
        presence.outcome(rule.expression, everything)
    relevant = 0
    for name in everything.asked:
        relevant |= bits[name]
    for bit, _ in missing:
        relevant |= bit

    def verdict_of(mask: int) -> Verdict:
        known = Known(bits, required, mask)
        certain = [finding for bit, finding in missing if not mask & bit]
        open_rules: list[Rule] = []
        for rule in rules:
            outcome = presence.outcome(rule.expression, known)
            if outcome is FALSE or (outcome is EMPTY and not rule.empty_is_fine):
                certain.append(rule.finding())
            elif outcome in (SOME, UNKNOWN):
                open_rules.append(rule)
        if not certain and not open_rules:
            return ()

        def verdict(value: Mapping[str, Any], scope: Scope) -> Findings:
            findings = [Finding(f.severity, f.code, f.text, f.path) for f in certain]  # locations grow: copies
            findings += [found for rule in open_rules if (found := rule.check(value, scope)) is not None]
            return findings

        return verdict

    return verdict_of, relevant

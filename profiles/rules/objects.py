"""One pass over a value by the prepared table of its type; a valid value costs a few dictionary look-ups an element.

https://hl7.org/fhir/R4/json.html
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from profiles.rules.invariants import Judge, Verdict
from profiles.rules.issue import Finding, Findings, moved, token
from profiles.rules.scope import Scope

# What stands behind a JSON key.
TEXT: Final = 0  # a string, and a VALUE: most pass at a glance
WORD: Final = 1  # a code or uri, and a VALUE: most pass at a glance
VALUE: Final = 2  # one primitive: `check(value)` is true when it is valid
OBJECT: Final = 3  # one complex value: `check` is the ObjectRules of its type
OBJECTS: Final = 4  # an array of complex values
OTHER: Final = 5  # anything else: `check(owner, value, scope)` gives findings
GLANCE_MAX: Final = 10_000  # characters of a string that is judged at a glance, far below what the standard allows

Explain = Callable[[Any], Finding]
ObjectCheck = Callable[[Mapping[str, Any], Scope], Findings | None]
OtherCheck = Callable[[Mapping[str, Any], Any, Scope], Findings | None]


class Slot(NamedTuple):
    """The row of one JSON key: the element's bit, the kind of check, the check, its step in a location."""

    bit: int
    kind: int
    check: Any
    step: str
    explain: Explain | None = None


class ObjectRules:
    """What a value of one type has to be, in one place of the tree (bindings and targets belong to the element).

    The table is made when the first such value comes by, because types contain themselves.
    """

    __slots__ = ("beyond", "build", "choices", "content", "judge", "name", "relevant", "table", "verdicts")

    def __init__(self, name: str, build: "Callable[[ObjectRules], dict[str, Slot]]") -> None:
        self.name = name
        self.build = build
        self.table: dict[str, Slot] | None = None
        self.content = -1  # bits of the elements that count as content: ele-1
        self.relevant = 0  # bits that invariants and minimum cardinalities ask for
        self.choices: Mapping[int, tuple[str, tuple[str, ...]]] = {}  # bit → `value`, its JSON keys
        self.judge: Judge | None = None
        self.verdicts: dict[int, Verdict] = {}
        self.beyond: ObjectCheck | None = None


def check_object(rules: ObjectRules, value: Any, scope: Scope) -> Findings | None:
    """Return everything that is wrong with `value` and below it, None when nothing is."""
    if type(value) is not dict:
        return [Finding("error", "structure", f"a `{rules.name}` is a json object, not {token(value)}")]
    table = rules.table
    if table is None:
        table = rules.build(rules)
    found: Findings = []
    mask = 0
    for key, item in value.items():
        slot = table.get(key)
        if slot is None:
            found.append(_unknown(rules, table, key))
            continue
        bit, kind, check, step, explain = slot
        mask |= bit
        if kind <= VALUE:
            # Printable has no control character and no white space but the space itself.
            if (
                kind != VALUE
                and type(item) is str
                and item.isprintable()
                and item[:1] > " "
                and (kind == TEXT or " " not in item)
                and len(item) < GLANCE_MAX
            ):
                continue
            if not check(item):
                found.append(explain(item))  # type: ignore[misc]  # INVARIANT: such a slot has `explain`
        elif kind == OBJECTS:
            if type(item) is not list or not item:
                found.append(not_an_array(key, item, step))
            else:
                for index, one in enumerate(item):
                    below = check_object(check, one, scope)
                    if below:
                        found += moved(below, f"{step}[{index}]")
        elif kind == OBJECT:
            below = check_object(check, item, scope)
            if below:
                found += moved(below, step)
        else:
            below = check(value, item, scope)
            if below:
                found += moved(below, step)
    if not mask & rules.content and not found:
        # ele-1, natively: "All FHIR elements must have a @value or children", and an id is no content.
        text = f"ele-1: a `{rules.name}` must have content" + (" besides its id" if value else "")
        found.append(Finding("error", "invariant", text))
    relevant = mask & rules.relevant
    verdict = rules.verdicts.get(relevant)
    if verdict is None:
        verdict = _judge(rules, relevant)
    if verdict:
        found += verdict(value, scope)
    if rules.choices and len(value) > mask.bit_count():  # two keys of one element: twins, or two types of a choice
        found += _check_choices(rules, value)
    if rules.beyond is not None:
        below = rules.beyond(value, scope)
        if below:
            found += below
    return found or None


VERDICTS_MAX: Final = 4096  # combinations kept per type: input must not be able to fill the memory


def _judge(rules: ObjectRules, mask: int) -> Verdict:
    assert rules.judge is not None  # INVARIANT: set together with the table
    verdict = rules.judge(mask)
    if len(rules.verdicts) < VERDICTS_MAX:
        rules.verdicts[mask] = verdict
    return verdict


def _check_choices(rules: ObjectRules, value: Mapping[str, Any]) -> Findings:
    """https://hl7.org/fhir/R4/formats.html#choice: one type of a choice, never two."""
    findings: Findings = []
    for name, keys in rules.choices.values():
        present = [key for key in keys if key in value or "_" + key in value]
        if len(present) > 1:
            listed = ", ".join(f"`{key}`" for key in present[:5])
            text = f"`{name}[x]` has a value of one type only, found {listed}"
            findings.append(Finding("error", "structure", text, f".{name}"))
    return findings


def not_an_array(key: str, item: Any, step: str) -> Finding:
    """The finding for a value that should be an array with something in it."""
    if item == []:
        return Finding("error", "structure", f"array `{key}` must not be empty", step)
    return Finding("error", "structure", f"`{key}` may repeat, so it is a json array, not {token(item)}", step)


def _unknown(rules: ObjectRules, table: Mapping[str, Slot], key: str) -> Finding:
    for name, keys in rules.choices.values():
        if key.removeprefix("_").startswith(name) and keys:
            kind = key.removeprefix("_")[len(name) :]
            return Finding("error", "structure", f"`{name}[x]` of `{rules.name}` cannot be of type {token(kind)}")
    if key[:1] == "_" and key[1:] in table:
        text = f"`{key[1:]}` of `{rules.name}` is no primitive, so there is no {token(key)}"
        return Finding("error", "structure", text)
    return Finding("error", "structure", f"element {token(key)} is unknown in `{rules.name}`")

"""The verdicts that are kept per type have a bound, so that input cannot fill the memory.

https://hl7.org/fhir/R4/security.html
"""

from itertools import islice, product

from profiles.registry import load
from profiles.rules.objects import VERDICTS_MAX, check_object
from profiles.rules.scope import Scope
from profiles.rules.types import TypeRules
from tests.profiles.rules.minimal import exactly


def test_verdicts_are_kept_up_to_a_bound_and_right_beyond_it() -> None:
    types = TypeRules(load())
    rules = types.of("ElementDefinition")
    scope = Scope({"resourceType": "StructureDefinition"})
    names = [e.name for e in load().types["ElementDefinition"].elements if e.min == 0 and not e.choice]
    asked = [n for n in names if n in ("sliceName", "sliceIsConstraining", "contentReference", "min", "max", "type")]
    asked += [
        "isModifier",
        "isModifierReason",
        "binding",
        "constraint",
        "fixed",
        "pattern",
        "meaningWhenMissing",
        "defaultValue",
    ]
    for chosen in islice(product((False, True), repeat=len(asked)), VERDICTS_MAX + 500):
        present = {name for name, is_chosen in zip(asked, chosen) if is_chosen}
        found = check_object(rules, exactly(load(), "ElementDefinition", *present), scope) or []
        both = {"fixed", "pattern"} <= present
        assert any(finding.text.startswith("eld-8") for finding in found) == both
    assert len(rules.verdicts) == VERDICTS_MAX

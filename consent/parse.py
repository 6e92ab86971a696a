"""R4 Consent to ConsentRecord: the tree laid flat, every provision with the condition it has in effect.

https://hl7.org/fhir/R4/consent.html. Nothing is raised: what can't be enforced is kept as a Problem with its element.
What can't be read at all is taken for a deny that may match, so that a broken Consent never opens anything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo
from itertools import islice
from typing import Any, Final

from consent.model import Condition, ConsentRecord, Effect, Provision, Scope, Stated
from consent.parse_elements import ELEMENTS, Reader
from consent.references import local
from consent.vocabulary import ACT_CODE, ACT_REASON, CONSENT_SCOPE, Vocabulary

# Nobody can oversee more than this, and what is asked of a Consent grows with the product of both: every exception is
# weighed against all above it, and every provision of a new Consent against every one of the others.
PROVISIONS_MAX: Final = 500
NESTING_MAX: Final = 20

ROOT_PATH: Final = "Consent.provision"
POLICY_PATH: Final = "Consent.policyRule"

_SCOPES: Final = {
    "patient-privacy": Scope.PRIVACY,
    "research": Scope.RESEARCH,
    "treatment": Scope.CLINICAL,
    "adr": Scope.CLINICAL,
}
_POLICY_RULES: Final = {"OPTIN": Effect.PERMIT, "OPTOUT": Effect.DENY, "EMRGONLY": Effect.DENY}
_OPPOSITE: Final = {Effect.PERMIT: Effect.DENY, Effect.DENY: Effect.PERMIT, None: None}
_EVERYTHING: Final = Condition()
_PERHAPS: Final = Condition(recipients=Stated(frozenset(), unclear=True))


def parse(resource: Mapping[str, Any], vocabulary: Vocabulary, zone: tzinfo) -> ConsentRecord:
    """One version of a Consent, its dates read in `zone` where they have no offset."""
    logical_id = str(resource.get("id") or "")
    meta = resource.get("meta")
    reader = Reader(vocabulary, zone)
    reader.modifiers(resource, "Consent")
    if "implicitRules" in resource:
        reader.problem("Consent.implicitRules", "implicit rules can't be enforced")
    patient_type, _, patient = local(resource.get("patient")).partition("/")
    if patient_type != "Patient":
        reader.problem("Consent.patient", "does not refer to a patient on this server")
        patient = ""
    scope = _scope(resource, reader)
    policy = _policy(resource, reader)
    provisions = _provisions(resource, policy, reader)
    return ConsentRecord(
        id=logical_id,
        version=str(meta.get("versionId") or "") if isinstance(meta, Mapping) else "",
        patient=patient,
        active=resource.get("status") == "active",
        scope=scope,
        performers=frozenset(local(performer) for performer in _elements(resource, "performer")),
        verified=_verified(resource, reader),
        provisions=provisions,
        problems=tuple(reader.problems),
    )


def _scope(resource: Mapping[str, Any], reader: Reader) -> Scope:
    found = {
        _SCOPES[code]
        for system, code in reader.codings(resource.get("scope"))
        if system == CONSENT_SCOPE and code in _SCOPES
    }
    if len(found) == 1:
        return found.pop()
    reader.problem("Consent.scope", f"is not one scope of {CONSENT_SCOPE}")
    return Scope.UNCLEAR


def _policy(resource: Mapping[str, Any], reader: Reader) -> str:
    """OPTIN, OPTOUT or EMRGONLY; '' if the Consent says none that is understood."""
    for index, policy in enumerate(_elements(resource, "policy")):
        if isinstance(policy, Mapping):
            reader.modifiers(policy, f"Consent.policy[{index}]")
    if "policyRule" not in resource:
        return ""
    found = {
        code for system, code in reader.codings(resource["policyRule"]) if system == ACT_CODE and code in _POLICY_RULES
    }
    if len(found) == 1:
        return found.pop()
    reader.problem(POLICY_PATH, "unsupported: must be one of OPTIN, OPTOUT, EMRGONLY")
    return ""


def _verified(resource: Mapping[str, Any], reader: Reader) -> bool:
    verified = False
    for index, entry in enumerate(_elements(resource, "verification")):
        if isinstance(entry, Mapping):
            reader.modifiers(entry, f"Consent.verification[{index}]")
            verified = verified or entry.get("verified") is True
    return verified


def _provisions(resource: Mapping[str, Any], policy: str, reader: Reader) -> tuple[Provision, ...]:
    root = resource.get("provision", {})
    by_policy = _POLICY_RULES.get(policy)
    found: list[Provision] = []
    # Parents first and children in order, without recursion: nesting is data, not stack.
    waiting: list[tuple[Any, int, str, int]] = [(root, -1, ROOT_PATH if "provision" in resource else POLICY_PATH, 0)]
    while waiting:
        node, parent, path, depth = waiting.pop()
        above = found[parent] if parent >= 0 else None
        if len(found) == PROVISIONS_MAX:
            reader.problem(ROOT_PATH, f"holds more than {PROVISIONS_MAX} provisions")
            found.append(Provision(ROOT_PATH, parent, 0, Effect.DENY, _PERHAPS))
            break
        if not isinstance(node, Mapping):
            reader.problem(path, "is not a provision")
            found.append(Provision(path, parent, 0, Effect.DENY, _PERHAPS))
            continue
        condition = reader.condition(node, path, above.condition if above else _EVERYTHING)
        effect = _effect(node, path, _OPPOSITE[above.effect] if above else by_policy, reader)
        if condition.security_label is not None and ("securityLabel" in node or condition.label_direction is None):
            condition = replace(condition, label_direction=effect)
        restated = frozenset(name for name in ELEMENTS if name in node)
        index = len(found)
        found.append(Provision(path, parent, 0, effect, condition, restated))
        if depth == NESTING_MAX and "provision" in node:
            reader.problem(f"{path}.provision", f"is nested more than {NESTING_MAX} deep")
            found.append(Provision(f"{path}.provision", index, 0, Effect.DENY, _PERHAPS))
            continue
        children = [(child, index, place, depth + 1) for child, place in _children(node, path, reader)]
        waiting.extend(reversed(children))
    if policy == "EMRGONLY" and isinstance(root, Mapping) and "type" not in root:
        # EMRGONLY: deny, and permit the treatment of an emergency.
        emergency = reader.condition(
            {"purpose": [{"system": ACT_REASON, "code": "ETREAT"}]},
            POLICY_PATH,
            found[0].condition,
        )
        found.append(Provision(POLICY_PATH, 0, 0, Effect.PERMIT, emergency, frozenset({"purpose"})))
    return _with_ends(found)


def _children(node: Mapping[str, Any], path: str, reader: Reader) -> Iterator[tuple[Any, str]]:
    if "provision" not in node:
        return
    children = node["provision"]
    if not isinstance(children, list) or not children:
        reader.problem(f"{path}.provision", "must be a list of at least one")
        children = [children] if children else []
    for index, child in enumerate(islice(children, PROVISIONS_MAX)):
        yield child, f"{path}.provision[{index}]"


def _effect(node: Mapping[str, Any], path: str, otherwise: Effect | None, reader: Reader) -> Effect | None:
    if "type" not in node:
        return otherwise
    if node["type"] == "permit":
        return Effect.PERMIT
    if node["type"] != "deny":
        reader.problem(f"{path}.type", "is not permit or deny")
    return Effect.DENY


def _with_ends(found: list[Provision]) -> tuple[Provision, ...]:
    ends = [index + 1 for index in range(len(found))]
    for index in range(len(found) - 1, 0, -1):
        parent = found[index].parent
        ends[parent] = max(ends[parent], ends[index])
    return tuple(Provision(p.path, p.parent, end, p.effect, p.condition, p.restated) for p, end in zip(found, ends))


def _elements(resource: Mapping[str, Any], name: str) -> list[Any]:
    several = resource.get(name)
    return several if isinstance(several, list) else []

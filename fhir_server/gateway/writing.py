"""Who may write what in a dossier, besides what the Consents say of `collect` and `correct`.

The patient, or their verified proxy, may always add and may always remove. Nobody changes what somebody else authored,
except that whoever a Task waits for works on it.
Only they touch Consents; what a professional records of a wish is `proposed` and waits for them.
https://hl7.org/fhir/R4/valueset-consent-state-codes.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from consent.bind import Bound
from consent.compile import Rules
from consent.decide import unowned
from consent.model import AccessRequest, Action, Effect, ResourceFacts
from consent.references import local
from fhir_server.gateway.audit import Ground


class Leave(NamedTuple):
    """Whether something may be written, and what the decision rested on."""

    granted: bool
    grounds: tuple[Ground, ...] = ()


WriteAction = Literal["create", "update", "delete"]

# A log that its subjects can't edit (NEN 7513), and what makes somebody a proxy, which the operator alone may say.
_NOBODYS: Final = frozenset({"AuditEvent", "VerificationResult"})
CONSENT_ACTION: Final[Mapping[WriteAction, Action]] = {
    "create": Action.COLLECT,
    "update": Action.CORRECT,
    "delete": Action.CORRECT,
}


def may_write(
    action: WriteAction,
    resource: Mapping[str, Any],
    facts: ResourceFacts,
    bounds: Sequence[Bound],
    request: AccessRequest,
    login: str,
    rules: Rules,
) -> bool:
    """Whether `login` (`Practitioner/1` …) may write this resource, which has these facts.

    `request` asks for what CONSENT_ACTION gives; `bounds` are the rules of each patient the resource is about, bound to
    such requests.
    """
    if facts.type in _NOBODYS or facts.personal:
        return False
    if not bounds:
        return unowned(request, facts, rules).permitted
    own = all(bound.always is not None for bound in bounds)
    if facts.type == "Consent":
        if own:
            return True  # also what a professional proposed: to confirm it is to change it
        treated = all(bound.policy.patient in bound.request.treats for bound in bounds)
        return action == "create" and resource.get("status") == "proposed" and treated
    if not own and any(bound.verdict(facts).effect is not Effect.PERMIT for bound in bounds):
        return False
    if action == "create" or (own and action == "delete"):
        return True
    if not facts.authors or not facts.authors.isdisjoint(_selves(bounds, request, login, own)):
        return True
    return action == "update" and facts.type == "Task" and _takes_up(resource, request, login)


def _takes_up(task: Mapping[str, Any], request: AccessRequest, login: str) -> bool:
    """Whether the requester is whom a Task waits for: its owner, or anybody if it has none.

    A Task is there to be worked on by another than who wrote it. https://hl7.org/fhir/R4/task.html#statemachine
    """
    if "owner" not in task:
        return True
    closure = request.closure
    return local(task["owner"]) in closure.individuals | closure.teams | closure.organisations | {login}


def _selves(bounds: Sequence[Bound], request: AccessRequest, login: str, own: bool) -> frozenset[str]:
    """Who counts as the requester where it matters who wrote something: patient and proxies are one party."""
    selves = request.closure.individuals | {login}
    if own:
        for bound in bounds:
            selves |= bound.policy.proxies | {f"Patient/{bound.policy.patient}"}
    return selves

"""The code systems the rules need, as immutable tables made from hierarchies that the caller passes in.

https://terminology.hl7.org/CodeSystem-v3-ActReason.html, https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from consent.model import Coding, Role

_THO: Final = "http://terminology.hl7.org/CodeSystem/"
ACT_REASON: Final = _THO + "v3-ActReason"
ACT_CODE: Final = _THO + "v3-ActCode"
CONFIDENTIALITY: Final = _THO + "v3-Confidentiality"
CONSENT_ACTION: Final = _THO + "consentaction"
CONSENT_SCOPE: Final = _THO + "consentscope"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
MEDIA_TYPES: Final = "urn:ietf:bcp:13"
PARTICIPATION: Final = _THO + "v3-ParticipationType"
ROLE_CODE: Final = _THO + "v3-RoleCode"
_SIGNERS: Final = _THO + "contractsignertypecodes"
_SECURITY_ROLES: Final = _THO + "extra-security-role-type"

LEVELS: Final[Mapping[str, int]] = MappingProxyType({"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5})
NORMAL: Final = LEVELS["N"]
RESTRICTED: Final = LEVELS["R"]

# Besides v3 ParticipationType: the other systems of R4's security-role-type whose codes ask about who receives.
_RECIPIENTS: Final = (
    (ROLE_CODE, "GRANTEE"),
    (ROLE_CODE, "DELEGATEE"),
    (_SIGNERS, "GRANTEE"),
    (_SIGNERS, "DELEGATEE"),
    (_SIGNERS, "PRIRECIP"),
    (_SIGNERS, "RECIP"),
    (_SECURITY_ROLES, "humanuser"),
    (_SECURITY_ROLES, "dataprocessor"),
    (_SECURITY_ROLES, "datacollector"),
)


class CodeSystem(Protocol):
    """A complete code system: its codes, and of each all that is above or below it, itself included."""

    @property
    def codes(self) -> tuple[str, ...]: ...

    def ancestors(self, code: str) -> frozenset[str]: ...

    def descendants(self, code: str) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`purposes`: of each purpose of use, the purposes that cover it. `labels`: of each label of a known system, itself
    and all below it. `roles`: what each actor role asks about."""

    purposes: Mapping[str, frozenset[str]]
    labels: Mapping[Coding, frozenset[Coding]]
    roles: Mapping[Coding, Role]
    resource_types: frozenset[str]

    def covers(self, purpose: str, asked: str) -> bool:
        """Whether a provision about `purpose` is about the purpose `asked`."""
        return purpose in self.purposes.get(asked, ())


def build(codesystem: Callable[[str], CodeSystem | None], resource_types: Iterable[str]) -> Vocabulary:
    """The vocabulary of the code systems by URL. Raises LookupError if one that the rules need is missing."""
    reasons = _required(codesystem, ACT_REASON)
    purposes = {code: reasons.ancestors(code) for code in reasons.codes}
    # The emergency button is pressed, never implied: v3 has BTG below ETREAT and TREAT, the rules don't.
    purposes["BTG"] = frozenset({"BTG"})
    labels: dict[Coding, frozenset[Coding]] = {}
    for url in (ACT_CODE, CONFIDENTIALITY):
        system = _required(codesystem, url)
        for code in system.codes:
            labels[url, code] = frozenset((url, below) for below in system.descendants(code))
    participation = _required(codesystem, PARTICIPATION)
    roles: dict[Coding, Role] = {(PARTICIPATION, code): Role.RECIPIENT for code in participation.descendants("IRCP")}
    roles.update(dict.fromkeys(_RECIPIENTS, Role.RECIPIENT))
    for system_url in (PARTICIPATION, _SIGNERS):
        roles[system_url, "AUT"] = Role.AUTHOR
    roles[PARTICIPATION, "CST"] = Role.CUSTODIAN
    return Vocabulary(
        purposes=MappingProxyType(purposes),
        labels=MappingProxyType(labels),
        roles=MappingProxyType(roles),
        resource_types=frozenset(resource_types),
    )


def _required(codesystem: Callable[[str], CodeSystem | None], url: str) -> CodeSystem:
    found = codesystem(url)
    if found is None:
        raise LookupError(f"the consent rules need the code system `{url}`")
    return found

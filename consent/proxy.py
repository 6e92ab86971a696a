"""Who acts for a patient: guardians and holders of a power of attorney, once that is verified, for as long as it lasts.

A RelatedPerson alone proves nothing. Verified means: a VerificationResult with status `validated` targets them, or an
active Consent of the patient names them with purpose PWATRNY.
https://hl7.org/fhir/R4/relatedperson.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from consent.facts import values
from consent.instants import period
from consent.model import (
    BEGINNING,
    FOREVER,
    Action,
    Coding,
    Condition,
    ConsentRecord,
    Effect,
    Party,
    Provision,
    Scope,
)
from consent.references import local
from consent.vocabulary import ROLE_CODE, Vocabulary

_PROXY_ROLES: Final[tuple[Coding, ...]] = tuple(
    (ROLE_CODE, code) for code in ("GUARD", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT")
)
_EVERY_DAY: Final = frozenset({Action.ACCESS, Action.COLLECT, Action.CORRECT})


@dataclass(frozen=True, slots=True)
class Representative:
    """A RelatedPerson of a patient (logical id), and whether a VerificationResult that is validated targets them."""

    reference: str
    patient: str
    active: bool
    low: int
    high: int
    may_represent: bool
    validated: bool


def representative(related_person: Mapping[str, Any], validated: bool, zone: tzinfo) -> Representative:
    """What counts of a RelatedPerson; a period that can't be read never holds."""
    span: tuple[int, int] | None = (BEGINNING, FOREVER)
    if "period" in related_person:
        span = period(related_person["period"], zone)
    kind, _, patient = local(related_person.get("patient")).partition("/")
    return Representative(
        reference=f"RelatedPerson/{related_person.get('id')}",
        patient=patient if kind == "Patient" else "",
        # R4: inactive only if it says so; an absent `active` leaves the record in use.
        active=related_person.get("active", True) is True and span is not None,
        low=span[0] if span else FOREVER,
        high=span[1] if span else FOREVER,
        may_represent=any(
            isinstance(coding, Mapping) and (coding.get("system"), coding.get("code")) in _PROXY_ROLES
            for coding in values(related_person, "relationship.coding")
        ),
        validated=validated,
    )


def proxies(
    patient: str,
    representatives: Iterable[Representative],
    consents: Iterable[ConsentRecord],
    instant: int,
    vocabulary: Vocabulary,
) -> frozenset[str]:
    """The references of those who are the patient's verified proxy at the instant.

    A Consent that its own beneficiary signed makes nobody a proxy: it has to be the patient's, or that of a proxy who
    was validated otherwise.
    """
    eligible = [
        r
        for r in representatives
        if r.patient == patient and r.active and r.may_represent and r.low <= instant < r.high
    ]
    validated = frozenset(r.reference for r in eligible if r.validated)
    signers = validated | {f"Patient/{patient}"}
    active = [c for c in consents if c.active and c.scope is Scope.PRIVACY and c.patient == patient]
    named = {
        r.reference
        for r in eligible
        if any(_names(c, r.reference, instant) for c in active if _signed(c, signers))
        and not any(_refuses(c, r.reference, instant, vocabulary) for c in active)
    }
    return validated | named


def _signed(consent: ConsentRecord, signers: frozenset[str]) -> bool:
    return not consent.problems and (not consent.performers or not consent.performers.isdisjoint(signers))


def _names(consent: ConsentRecord, reference: str, instant: int) -> bool:
    """Whether a permit that holds for the whole dossier names them with purpose PWATRNY."""
    return any(_is_naming(provision, reference, instant) for provision in consent.provisions)


def _is_naming(provision: Provision, reference: str, instant: int) -> bool:
    condition = provision.condition
    return (
        provision.effect is Effect.PERMIT
        and _about(condition, reference, instant)
        and condition.purpose is not None
        and "PWATRNY" in condition.purpose.values
        and (condition.action is None or condition.action.values >= _EVERY_DAY)
    )


def _refuses(consent: ConsentRecord, reference: str, instant: int, vocabulary: Vocabulary) -> bool:
    """Whether a deny of the whole dossier names them, and nothing below it names them as proxy after all."""
    for index, provision in enumerate(consent.provisions):
        purpose = provision.condition.purpose
        if (
            provision.effect is Effect.DENY
            and _about(provision.condition, reference, instant)
            and (purpose is None or any(vocabulary.covers(stated, "PWATRNY") for stated in purpose.values))
            and not any(_is_naming(below, reference, instant) for below in consent.provisions[index : provision.end])
        ):
            return True
    return False


def _about(condition: Condition, reference: str, instant: int) -> bool:
    """Whether the condition names them, now, and is about the dossier as a whole."""
    when = condition.period
    parts = (
        condition.custodians,
        condition.authors,
        condition.security_label,
        condition.class_,
        condition.code,
        condition.data_period,
        condition.data,
    )
    return (
        condition.recipients is not None
        and Party(reference) in condition.recipients.values
        and (when is None or (not when.unclear and when.low <= instant < when.high))
        and all(part is None for part in parts)
    )

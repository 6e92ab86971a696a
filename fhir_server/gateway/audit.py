"""The audit trail: one compact record per interaction, durable before the answer.

Who, in what role, to what end; what was asked, what was shown, written or refused, and the rule that decided. Resources
that tell it in FHIR are made of it on demand (`unfolding`), and can be made again: the entries are kept.
NEN 7513; https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec

from fhir_server.gateway.redaction import redact_text
from fhir_server.gateway.requester import Requester
from fhir_server.store.protocol import AuditEntry, StoredVersion

# https://terminology.hl7.org/CodeSystem-v3-DataOperation.html
Wrote = Literal["", "create", "update", "delete"]


class Ground(msgspec.Struct, frozen=True, array_like=True):
    """What decided for one patient ('' if for nobody in particular).

    `rule` is the value of a consent.model.Rule. `consent`, `version` and `path` (`Consent.provision.provision[0]`) name
    the provision that decided; they are '' where none did.
    """

    patient: str
    rule: str
    consent: str = ""
    version: str = ""
    path: str = ""


class Touched(msgspec.Struct, frozen=True):
    """A resource that an interaction showed, wrote, or refused; `version` 0 if it is not known.

    `grounds`: what decided that, () if nobody says; `wrote`: what was done to it, '' if nothing.
    """

    type: str
    id: str
    version: int
    owners: tuple[str, ...]
    grounds: tuple[Ground, ...] = ()
    wrote: Wrote = ""


class Standing(msgspec.Struct, frozen=True):
    """As whom the requester is known here: references, `PractitionerRole/1`, `Organization/2`."""

    individuals: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


UNKNOWN: Final = Standing()


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A Touched as it is kept: `because` is an index into Record.because, -1 for none."""

    type: str
    id: str
    version: int
    owners: tuple[str, ...]
    because: int = -1
    wrote: Wrote = ""


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What happened: `interaction` as in https://hl7.org/fhir/R4/valueset-type-restful-interaction.html or `operation`.

    `outcome` is the HTTP status. `detail` says what more there is to say: the operation's name, or why it was refused.
    `because` are the grounds that rows refer to: the same ones stand behind most rows of a search. `source` is how this
    server names itself, '' for its plain name.

    INVARIANT: fields are only ever added, at the end and with a default: records of years ago are still read.
    """

    interaction: str
    outcome: int
    user: str
    client: str
    purpose: str = ""
    reason: str = ""
    target: str = ""  # what the request named: `Patient/1`, `Observation`; '' for the whole system
    query: str = ""
    detail: str = ""
    rows: tuple[Row, ...] = ()
    because: tuple[tuple[Ground, ...], ...] = ()
    individuals: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    emergency: bool = False
    source: str = ""

    def touched(self) -> tuple[Touched, ...]:
        """The rows with their grounds."""
        return tuple(
            Touched(
                row.type,
                row.id,
                row.version,
                row.owners,
                self.because[row.because] if row.because >= 0 else (),
                row.wrote,
            )
            for row in self.rows
        )


_ENCODE: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(Record).decode


def record(
    requester: Requester,
    interaction: str,
    outcome: int,
    *,
    target: str = "",
    query: str = "",
    detail: str = "",
    touched: Sequence[Touched] = (),
    standing: Standing = UNKNOWN,
    emergency: bool = False,
    source: str = "",
) -> Record:
    """The record of what this requester did; a BSN that stands where an id belongs is left out of `target`."""
    because: dict[tuple[Ground, ...], int] = {}
    rows = [
        Row(
            one.type,
            one.id,
            one.version,
            one.owners,
            because.setdefault(one.grounds, len(because)) if one.grounds else -1,
            one.wrote,
        )
        for one in touched
    ]
    return Record(
        interaction,
        outcome,
        requester.user,
        requester.client,
        requester.purpose,
        requester.reason,
        redact_text(target),
        query,
        detail,
        tuple(rows),
        tuple(because),
        standing.individuals,
        standing.organisations,
        emergency,
        source,
    )


def entry(id: str, at: int, what: Record) -> AuditEntry:
    return AuditEntry(id, at, _ENCODE(what))


Grounds = Callable[[StoredVersion], tuple[Ground, ...]]


def touched(stored: Iterable[StoredVersion], grounds: Grounds | None = None) -> tuple[Touched, ...]:
    """`grounds` says of each version what decided about it."""
    if grounds is None:
        return tuple([Touched(one.type, one.id, one.version, one.owners) for one in stored])
    return tuple([Touched(one.type, one.id, one.version, one.owners, grounds(one)) for one in stored])

"""When a Consent last let somebody do something, and when an app was last used: told by the access log.

https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from fhir_server.gateway.session import Session
from fhir_server.operations.access_log_events import EVENTS
from fhir_server.operations.access_log_reading import client_of
from fhir_server.search.context import Context
from fhir_server.search.dates import microseconds
from fhir_server.search.parse import parse
from fhir_server.search.query import And, Or, Query
from fhir_server.search.values import escape

_AT_ONCE: Final = 200
_SEARCHES_MAX: Final = 20
_PERMITTED: Final = "0"


@dataclass(frozen=True, slots=True)
class LastUsed:
    """Microseconds since 1970 UTC by Consent id and by client id; who is in none of them was never used.

    `whole` False: the log is so long that it was not read to the end, so nothing is known of the others.
    """

    consents: Mapping[str, int]
    clients: Mapping[str, int]
    whole: bool


async def last_used(session: Session, patient: str, consents: Collection[str], clients: Collection[str]) -> LastUsed:
    """For the dossier of the patient (a logical id). Reading the log is logged too, with the lines that told it."""
    context = session.context()
    found: dict[tuple[str, str], int] = {}
    missing = {*(("consent", one) for one in consents), *(("client", one) for one in clients)}
    position = b""
    for _ in range(_SEARCHES_MAX):
        if not missing:
            break
        news: dict[tuple[str, str], int] = {}
        chosen = _Newest(missing, news)
        page = await session.search(
            _query(patient, missing, context),
            target=f"Patient/{patient}",
            parameters=(("$access-log", patient),),
            count=_AT_ONCE,
            position=position,
            interaction="operation",
            choose=chosen,
        )
        found |= news
        position = page.position
        if not position:
            missing.clear()
        elif news:
            # A cursor is good for one question; the next one is about the others only, so it starts afresh.
            missing -= news.keys()
            position = b""
    consents_used = {name: at for (kind, name), at in found.items() if kind == "consent"}
    clients_used = {name: at for (kind, name), at in found.items() if kind == "client"}
    return LastUsed(consents_used, clients_used, whole=not missing)


class _Newest:
    """Chooses, of a page of the log, the newest event that tells of each one that is still missing."""

    def __init__(self, missing: Collection[tuple[str, str]], news: dict[tuple[str, str], int]) -> None:
        self._missing = missing
        self._news = news

    def __call__(self, events: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        chosen = []
        for index, event in enumerate(events):
            told = [one for one in _tells(event) if one in self._missing and one not in self._news]
            if told:
                chosen.append(index)
                self._news.update(dict.fromkeys(told, _instant(event)))
        return chosen


def _instant(event: Mapping[str, Any]) -> int:
    return microseconds(datetime.fromisoformat(event["recorded"]))


def _tells(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if event.get("outcomeDesc") not in EVENTS:  # to be let in, or given a token, is not to have looked
        yield "client", client_of(event)
    for entity in event.get("entity", ()):
        # A Consent that decided is of this type; one that was read or written itself is not.
        if entity.get("type", {}).get("code") == "Consent":
            yield "consent", entity["what"]["reference"].removeprefix("Consent/").partition("/")[0]


def _query(patient: str, missing: Collection[tuple[str, str]], context: Context) -> Query:
    """What was allowed in the dossier, newest first, by one of these Consents or to one of these apps."""
    any_of = [parse(("AuditEvent",), _telling_of(*one), context).query.where for one in sorted(missing)]
    allowed = [("entity", f"Patient/{patient}"), ("outcome", _PERMITTED), ("_sort", "-date")]
    query = parse(("AuditEvent",), allowed, context).query
    return replace(query, where=And((query.where, Or(tuple(any_of)))))


def _telling_of(kind: str, name: str) -> list[tuple[str, str]]:
    if kind == "client":
        return [("agent:identifier", escape(name))]
    return [("entity", f"Consent/{name}"), ("entity-type", "Consent")]

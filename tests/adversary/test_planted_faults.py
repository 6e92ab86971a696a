"""The suite is worth what it catches: each fault that servers are known for is planted, and has to be found.

A fault is found by the same made-up questions, in the same worlds, that find none in the server as it is; by what is
answered, not by what the server logs against itself.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from fhir_server.gateway import narrow, session
from fhir_server.gateway.access import SHOWN, ScopedJudge
from fhir_server.gateway.apps import AppPolicy
from fhir_server.gateway.knowledge import Knowledge
from fhir_server.gateway.narrow import conjunction, disjunction
from fhir_server.gateway.release import Released, release
from fhir_server.gateway.session import Session
from fhir_server.gateway.sight import Sight
from fhir_server.gateway.thinning import Fetch, Permits
from fhir_server.gateway.unit import Unit, _forbidden
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.read import read
from fhir_server.interactions.routes import ROUTER
from fhir_server.interactions.versions import not_modified, version_headers
from fhir_server.search.query import EVERYTHING, And, ByOwner, Or, OwnedBy, Predicate, Query, Unowned
from fhir_server.store.protocol import Page, Snapshot, StoredVersion
from fhir_server.store.sqlite import filed, index_tables, judges
from fhir_server.store.sqlite.snapshot import SqliteSnapshot
from tests.adversary import questions
from tests.adversary.comparing import Template
from tests.adversary.consents import random_consent
from tests.adversary.dossiers import KINDS, PRIVACY, STEPS, A
from tests.adversary.dossiers import pair as pair_of
from tests.adversary.oracle import Oracle, pair
from tests.adversary.pools import chunks, pool
from tests.adversary.surface import Ask, Change
from tests.adversary.turns import Turned, random_turn, with_labels
from tests.adversary.worlds import World, owners, random_world
from tests.consent.wijk import actor, confidentiality, provision

ASKS_MAX = 1_200
ASKS = 20
WORLDS = 3
TURNS = 2
Plant = Callable[[pytest.MonkeyPatch], None]


def minted(stored: StoredVersion) -> Released:
    released = release(stored, lambda _: True)
    assert released is not None
    return released


def unrestricted(predicate: Predicate) -> Predicate:
    """The predicate without what the gateway put into it, at the top."""
    if isinstance(predicate, OwnedBy | Unowned | ByOwner):
        return EVERYTHING
    if isinstance(predicate, And):
        return conjunction(*map(unrestricted, predicate.children))
    if isinstance(predicate, Or):
        return disjunction(*map(unrestricted, predicate.children))
    return predicate


def filter_after_limit(plant: pytest.MonkeyPatch) -> None:
    search = SqliteSnapshot.search

    async def unfiltered(self: SqliteSnapshot, query: Query, **more: Any) -> Page:
        return await search(self, replace(query, where=unrestricted(query.where)), **more)

    plant.setattr(SqliteSnapshot, "search", unfiltered)


def unfiltered_total(plant: pytest.MonkeyPatch) -> None:
    total = SqliteSnapshot.total

    async def unfiltered(self: SqliteSnapshot, query: Query) -> int:
        return await total(self, replace(query, where=unrestricted(query.where)))

    plant.setattr(SqliteSnapshot, "total", unfiltered)


def unfiltered_chain(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(narrow, "within", lambda predicate, visible: predicate)


def unfiltered_include(plant: pytest.MonkeyPatch) -> None:
    async def visible(self: Sight, type: str, actions: str) -> Predicate:
        return EVERYTHING if actions == SHOWN else await everything(self, type, actions)

    def permits(self: Sight, row: StoredVersion, actions: str) -> bool:
        return actions == SHOWN or decided(self, row, actions)

    everything, decided = Sight.visible, Sight.permits
    plant.setattr(Sight, "visible", visible)
    plant.setattr(Sight, "permits", permits)
    plant.setattr(session, "_release_shown", lambda sight, stored: minted(stored))


def read_without_decision(plant: pytest.MonkeyPatch) -> None:
    async def read_whole(self: Sight, type: str, id: str, actions: str) -> StoredVersion | None:
        return await self.snapshot.read(type, id)

    def hasty(sight: Sight, stored: StoredVersion | None) -> Released:
        return minted(stored) if stored is not None and stored.body else real(sight, stored)

    real = session._release
    plant.setattr(session, "_release", hasty)
    plant.setattr(Sight, "read", read_whole)


def not_modified_before_decision(plant: pytest.MonkeyPatch) -> None:
    async def hasty(request: Request) -> Response:
        type, id = request.segments
        async with request.session._store.snapshot() as snapshot:
            stored = await snapshot.read(type, id)
        if stored is not None and not_modified(request.headers, minted(stored)):
            return Response(304, None, version_headers(minted(stored)))
        return await read(request)

    methods = ROUTER.methods(("Patient", "1"))
    plant.setitem(methods, "GET", msgspec.structs.replace(methods["GET"], handler=hasty))  # type: ignore[arg-type]


def history_of_every_version(plant: pytest.MonkeyPatch) -> None:
    """The query tells owners apart, and nothing else was judged."""
    thinned = session.thinned

    async def all_of_it(fetch: Fetch, permits: Permits, count: int, position: bytes) -> Any:
        async def always(row: StoredVersion) -> bool:
            return True

        return await thinned(fetch, always, count, position)

    plant.setattr(session, "thinned", all_of_it)
    plant.setattr(session, "_release_shown", lambda sight, stored: minted(stored))


def history_of_every_owner(plant: pytest.MonkeyPatch) -> None:
    history_of_every_version(plant)

    async def everything(self: ScopedJudge, type: str, actions: str) -> Predicate:
        return EVERYTHING

    plant.setattr(ScopedJudge, "visible_by_owner", everything)


def history_cut_before_it_is_decided(plant: pytest.MonkeyPatch) -> None:
    async def cut(fetch: Fetch, permits: Permits, count: int, position: bytes) -> tuple[list[StoredVersion], bytes]:
        page = await fetch(count, position)
        return [row for row in page.rows if await permits(row)], page.next_cursor

    plant.setattr(session, "thinned", cut)


def version_without_the_current_one(plant: pytest.MonkeyPatch) -> None:
    async def hasty(self: Session, type: str, id: str, version: int) -> Released:
        async with self._store.snapshot() as snapshot:
            sight = await self._look(snapshot)
            return session._release(sight, await sight.vread(type, id, version, "r"))

    plant.setattr(Session, "vread", hasty)


def condition_on_what_is_hidden(plant: pytest.MonkeyPatch) -> None:
    async def unfiltered(self: Unit, query: Query) -> tuple[Released, ...]:
        page = await self._sight.snapshot.search(query, count=2)
        return tuple(minted(row) for row in page.rows)

    plant.setattr(Unit, "matches", unfiltered)


def any_id_may_be_chosen(plant: pytest.MonkeyPatch) -> None:
    async def always(self: Unit, type: str) -> bool:
        return True

    plant.setattr(Unit, "_may_choose_id", always)


def forbidden_instead_of_absent(plant: pytest.MonkeyPatch) -> None:
    def told(sight: Sight, stored: StoredVersion | None) -> Released:
        if stored is not None and not sight.permits(stored, "r"):
            raise _forbidden(stored.type)
        return real(sight, stored)

    real = session._release
    plant.setattr(session, "_release", told)


# --- What was true once and is used again --------------------------------------------------------------------------------


def consents_of_before(plant: pytest.MonkeyPatch) -> None:
    """What is known of the world is never looked at again."""
    refresh = Knowledge.refresh

    async def once(self: Knowledge, snapshot: Snapshot) -> None:
        if self._epoch == -1:
            await refresh(self, snapshot)
        self._epoch = snapshot.epoch

    plant.setattr(Knowledge, "refresh", once)


def facts_of_the_first_version(plant: pytest.MonkeyPatch) -> None:
    """An update leaves what is filed with the resource for queries as it was."""
    statements = tuple(one for one in index_tables._DELETE if one != filed.DELETE)
    plant.setattr(index_tables, "_DELETE", statements)
    plant.setattr(filed, "_INSERT", filed._INSERT.replace("INSERT", "INSERT OR IGNORE"))


def verdicts_of_before(plant: pytest.MonkeyPatch) -> None:
    """The store takes any two sets of rules for the same, and what it found under the first for found."""

    def same(tree: judges.Tree) -> object:
        return "the rules" if isinstance(tree, ByOwner) else key(tree)

    key = judges._key
    plant.setattr(judges, "_key", same)


def app_taken_for_the_person(plant: pytest.MonkeyPatch) -> None:
    async def visible(self: AppPolicy, type: str, about: frozenset[str] | None) -> Predicate:
        return await self._person.visible(type, about)

    plant.setattr(AppPolicy, "visible", visible)
    plant.setattr(AppPolicy, "permits", lambda self, stored: self._person.permits(stored))


@dataclass(frozen=True, slots=True)
class Fault:
    """`routes`: where it shows; the questions are those of the suite for these routes, to find it sooner.

    `kind` is one of KINDS or APP, or '' for random worlds.
    """

    plant: Plant
    routes: Sequence[tuple[str, str]]
    kind: str = ""


SEARCHES = [("GET", "{type}"), ("POST", "{type}/_search"), ("GET", "{type}/{id}/{member}")]
READS = [("GET", "{type}/{id}")]
HISTORIES = [("GET", "{type}/_history"), ("GET", "_history"), ("GET", "{type}/{id}/_history")]
VITAL_SIGNS = "an app for vital signs"
APP = "an app of the patient"
FAULTS = {
    f"{fault.plant.__name__} {fault.kind} {fault.routes[0][1]}".replace("  ", " "): fault
    for fault in (
        Fault(filter_after_limit, SEARCHES),
        Fault(unfiltered_total, SEARCHES),
        Fault(unfiltered_chain, SEARCHES),
        Fault(unfiltered_include, SEARCHES),
        Fault(read_without_decision, READS),
        Fault(forbidden_instead_of_absent, READS),
        Fault(not_modified_before_decision, READS),
        Fault(history_of_every_version, HISTORIES),
        Fault(history_of_every_version, HISTORIES, VITAL_SIGNS),
        Fault(history_of_every_owner, HISTORIES),
        Fault(history_cut_before_it_is_decided, HISTORIES),
        Fault(version_without_the_current_one, [("GET", "{type}/{id}/_history/{vid}")]),
        Fault(condition_on_what_is_hidden, [("POST", "{type}"), ("DELETE", "{type}"), ("PUT", "{type}")]),
        Fault(any_id_may_be_chosen, [("PUT", "{type}/{id}")]),
        Fault(app_taken_for_the_person, SEARCHES, APP),
        Fault(app_taken_for_the_person, READS, APP),
    )
}
STALE = (consents_of_before, facts_of_the_first_version, verdicts_of_before)
ASKING = ("the GP", "the GP by role", "the nurse")
FOUND = r"full …|told mrk|a next link|[45]\d\d to"


def rich(world: World) -> bool:
    """Whether much of the dossiers is hidden and much is not, and some resources have been both."""
    oracle = Oracle(world)
    seen = {True: set[tuple[str, str]](), False: set[tuple[str, str]]()}
    for batch, flags in zip(world.batches, oracle.shown(), strict=True):
        for change, flag in zip(batch, flags, strict=True):
            if owners(change.place[1]):
                seen[flag].add(change.place)
    return min(len(seen[True]), len(seen[False])) >= 12 and len(seen[True] & seen[False]) >= 1


def worlds(asking: tuple[str, ...] = ASKING) -> list[World]:
    return list(islice((w for n in count() if rich(w := random_world(n, asking))), WORLDS))


def closing(turned: Turned) -> bool:
    """Whether the change hides a good deal that was open."""
    before, after = Oracle(turned.before), Oracle(turned.after)
    return len(before.visible("Observation") - after.visible("Observation")) >= 1


def revoked() -> Iterator[Turned]:
    """Changes of a Consent."""
    made = (random_turn(n, random_world(n, ASKING)) for n in count())
    return (turned for turned in made if turned.change.place[0] == "Consent" and closing(turned))


def relabelled() -> Iterator[Turned]:
    """Labels, where the only Consent opens to the GP what has no stricter one."""
    named = provision("permit", actor=[actor("Practitioner/doctor")], securityLabel=[confidentiality("N")])
    consent = {
        **random_consent(Random(0), "a-consent-0", A, []),
        "status": "active",
        "scope": PRIVACY,
        "provision": named,
    }
    for n in count():
        world = random_world(n, ("the GP",))
        world = replace(world, batches=(*world.batches[:-2], (Change(consent),)), base_policy="deny")
        yield from islice((turned for turned in with_labels(world) if closing(turned)), 1)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Template]]:
    steps = [step for step in STEPS if step.audience != "moved"]
    return {
        "": [Template(tmp_path_factory.mktemp("pair"), pair(world)) for world in worlds()],
        APP: [Template(tmp_path_factory.mktemp("pair"), pair(world)) for world in worlds((APP,))],
        VITAL_SIGNS: [Template(tmp_path_factory.mktemp("pair"), pair_of(KINDS[VITAL_SIGNS], steps))],
    }


def compare_all(asked: Sequence[Ask], pairs: Iterable[tuple[Template, Turned | None]]) -> None:
    for (template, turned), asks in zip(pairs, chunks(asked, ASKS)):
        asyncio.run(template.compare(asks, turned.turn(asks) if turned else None, quiet=False))


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(
    name: str, templates: dict[str, list[Template]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FAULTS[name]
    fault.plant(monkeypatch)
    asked = pool(st.one_of([questions.BY_ROUTE[route] for route in fault.routes]), ASKS_MAX)
    with pytest.raises(AssertionError, match=FOUND):
        compare_all(asked, cycle((template, None) for template in templates[fault.kind]))


@pytest.mark.parametrize("plant", STALE)
def test_what_is_stale_is_found(plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = list(islice(relabelled() if plant is facts_of_the_first_version else revoked(), TURNS))
    templates = [Template(tmp_path / str(n), turned.pair()) for n, turned in enumerate(changes)]
    plant(monkeypatch)

    asked = pool(st.one_of([questions.BY_ROUTE[route] for route in SEARCHES]), ASKS_MAX)
    with pytest.raises(AssertionError, match=FOUND):
        compare_all(asked, cycle(zip(templates, changes, strict=True)))

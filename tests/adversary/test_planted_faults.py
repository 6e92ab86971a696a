"""The suite is worth what it catches: each fault that servers are known for is planted, and has to be found.

A fault is found by the same made-up questions that find none in the server as it is.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fhir_server.gateway import narrow, session, unit
from fhir_server.gateway.access import Access
from fhir_server.gateway.release import Released, release
from fhir_server.gateway.session import Session
from fhir_server.gateway.thinning import Fetch, Permits
from fhir_server.gateway.unit import Unit
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.read import read
from fhir_server.interactions.routes import ROUTER
from fhir_server.interactions.versions import not_modified, version_headers
from fhir_server.search.query import EVERYTHING, And, Or, OwnedBy, Predicate, Query, Unowned
from fhir_server.store.protocol import Page, StoredVersion
from fhir_server.store.sqlite.snapshot import SqliteSnapshot
from tests.adversary import questions
from tests.adversary.comparing import Template
from tests.adversary.dossiers import KINDS, STEPS, pair
from tests.adversary.surface import Ask

EXAMPLES_MAX = 60
Plant = Callable[[pytest.MonkeyPatch], None]


def minted(stored: StoredVersion) -> Released:
    released = release(stored, lambda _: True)
    assert released is not None
    return released


def unrestricted(predicate: Predicate) -> Predicate:
    """The predicate without what the gateway put into it, at the top."""
    if isinstance(predicate, OwnedBy | Unowned):
        return EVERYTHING
    if isinstance(predicate, And):
        return narrow.conjunction(*map(unrestricted, predicate.children))
    if isinstance(predicate, Or):
        return narrow.disjunction(*map(unrestricted, predicate.children))
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
    plant.setattr(Session, "_shown", lambda self, stored: True)
    plant.setattr(Session, "_visible_shown", lambda self, type: EVERYTHING)
    plant.setattr(Session, "_release_shown", lambda self, stored: minted(stored))


def read_without_decision(plant: pytest.MonkeyPatch) -> None:
    def hasty(self: Session, stored: StoredVersion | None, actions: str) -> Released:
        return minted(stored) if stored is not None and stored.body else real(self, stored, actions)

    real = Session._release
    plant.setattr(Session, "_release", hasty)


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
    plant.setattr(Session, "_release_shown", lambda self, stored: minted(stored))


def history_of_every_owner(plant: pytest.MonkeyPatch) -> None:
    history_of_every_version(plant)
    plant.setattr(Access, "visible_by_owner", lambda self, type, actions: EVERYTHING)


def history_cut_before_it_is_decided(plant: pytest.MonkeyPatch) -> None:
    async def cut(fetch: Fetch, permits: Permits, count: int, position: bytes) -> tuple[list[StoredVersion], bytes]:
        page = await fetch(count, position)
        return [row for row in page.rows if await permits(row)], page.next_cursor

    plant.setattr(session, "thinned", cut)


def version_without_the_current_one(plant: pytest.MonkeyPatch) -> None:
    async def hasty(self: Session, type: str, id: str, version: int) -> Released:
        async with self._store.snapshot() as snapshot:
            return self._release(await snapshot.vread(type, id, version), "r")

    plant.setattr(Session, "vread", hasty)


def condition_on_what_is_hidden(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(unit, "narrow", lambda query, visible: query)
    plant.setattr(unit, "release", lambda stored, permits: minted(stored))


def any_id_may_be_chosen(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Unit, "_may_choose_id", lambda self, type: True)


def forbidden_instead_of_absent(plant: pytest.MonkeyPatch) -> None:
    def told(self: Session, stored: StoredVersion | None, actions: str) -> Released:
        if stored is not None and not self._permits(stored, actions):
            raise unit._forbidden(stored.type)
        return real(self, stored, actions)

    real = Session._release
    plant.setattr(Session, "_release", told)


@dataclass(frozen=True, slots=True)
class Fault:
    """`routes`: where it shows; the questions are those of the suite for these routes, to find it sooner."""

    plant: Plant
    routes: Sequence[tuple[str, str]]
    kind: str = "the resident"


SEARCHES = [("GET", "{type}"), ("POST", "{type}/_search"), ("GET", "{type}/{id}/{member}")]
READS = [("GET", "{type}/{id}")]
HISTORIES = [("GET", "{type}/_history"), ("GET", "_history")]
FAULTS = {
    fault.plant.__name__: fault
    for fault in (
        Fault(filter_after_limit, SEARCHES),
        Fault(unfiltered_total, SEARCHES),
        Fault(unfiltered_chain, SEARCHES),
        Fault(unfiltered_include, SEARCHES),
        Fault(read_without_decision, READS),
        Fault(forbidden_instead_of_absent, READS),
        Fault(not_modified_before_decision, READS),
        Fault(history_of_every_version, HISTORIES, "an app for vital signs"),
        Fault(history_of_every_owner, HISTORIES),
        Fault(history_cut_before_it_is_decided, HISTORIES, "an app for vital signs"),
        Fault(version_without_the_current_one, [("GET", "{type}/{id}/_history/{vid}")], "an app for vital signs"),
        Fault(condition_on_what_is_hidden, [("POST", "{type}"), ("DELETE", "{type}"), ("PUT", "{type}")]),
        Fault(any_id_may_be_chosen, [("PUT", "{type}/{id}")]),
    )
}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    steps = [step for step in STEPS if step.audience != "moved"]
    return {
        kind: Template(tmp_path_factory.mktemp("pair"), pair(KINDS[kind], steps))
        for kind in {f.kind for f in FAULTS.values()}
    }


def compare_until_different(template: Template, asks: st.SearchStrategy[Ask]) -> None:
    @settings(
        max_examples=EXAMPLES_MAX,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(st.lists(asks, min_size=20, max_size=20))
    def alike(several: list[Ask]) -> None:
        asyncio.run(template.compare(several))

    alike()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, templates: dict[str, Template], monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    fault.plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"full …|told mrk|a next link|[45]\d\d to"):
        compare_until_different(templates[fault.kind], st.one_of([questions.BY_ROUTE[route] for route in fault.routes]))

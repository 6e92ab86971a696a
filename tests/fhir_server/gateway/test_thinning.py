"""A thinned page is as long, and has as much behind it, as if what is withheld had never been there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.gateway import thinning
from fhir_server.gateway.thinning import thinned
from fhir_server.outcome import FhirError
from fhir_server.store.protocol import Page, StoredVersion

pytestmark = pytest.mark.anyio


def version(number: int, shown: bool) -> StoredVersion:
    return StoredVersion("Observation", "shown" if shown else "hidden", number, 0, "update", b"{}", (), b"")


def store(rows: list[StoredVersion]) -> thinning.Fetch:
    """A list as a history: a cursor is the index to go on from."""

    async def fetch(count: int, cursor: bytes) -> Page:
        start = int(cursor or b"0")
        end = start + count
        return Page(tuple(rows[start:end]), b"%d" % end if end < len(rows) else b"")

    return fetch


async def permits(row: StoredVersion) -> bool:
    return row.id == "shown"


async def pages(rows: list[StoredVersion], count: int) -> list[list[int]]:
    found: list[list[int]] = []
    position = b""
    while True:
        page, position = await thinned(store(rows), permits, count, position)
        found.append([row.version for row in page])
        if not position:
            return found


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6), st.integers(1, 5))
async def test_pages_are_those_of_a_history_without_what_is_withheld(flags: list[bool], count: int, chunk: int) -> None:
    everything = [version(number, shown) for number, shown in enumerate(flags)]
    only_shown = [row for row in everything if row.id == "shown"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(thinning, "_CHUNK_COUNT", chunk)
        assert await pages(everything, count) == await pages(only_shown, count)


async def test_a_history_too_long_to_go_through_is_refused() -> None:
    hidden = [version(number, False) for number in range(thinning.EXAMINED_MAX + 1)]
    with pytest.raises(FhirError, match="_since"):
        await thinned(store(hidden), permits, 10, b"")

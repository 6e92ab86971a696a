"""What everybody sees of the example wijk, asked of a whole server by searches with tokens.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from examples import bundle_paths
from fhir_server.interactions.load import load
from profiles import json
from tests.examples.askers import REASON, Asker
from tests.fhir_server.inprocess import Caller, House, opened

MOMENT = 1_795_341_600_000_000  # 22 November 2026, 11:00 in the wijk
HOUR = 3_600_000_000


@asynccontextmanager
async def wijk_server() -> AsyncIterator[House]:
    """A server with the example wijk, on a Sunday in November 2026."""
    async with opened() as house:
        house.clock.now = MOMENT
        for path in bundle_paths():
            loaded = await load(house.maintenance, json.parse(path.read_bytes()), strict_references=True)
            assert not loaded.refused, [(one.name, one.error.diagnostics) for one in loaded.refused]
        yield house


async def caller(house: House, asker: Asker) -> Caller:
    """A client with a token of the asker's. The emergency button gets its reason, and an hour."""
    now = house.clock()
    return await house.caller(
        asker.login,
        "patient/*.rs user/*.rs" if asker.login.startswith("Patient/") else "user/*.rs",
        client="mijn-bloeddruk" if asker.login.startswith("Device/") else "tabel",
        purpose="" if asker.purpose == "PATRQT" else asker.purpose,
        reason=REASON if asker.purpose == "BTG" else "",
        issued=now,
        expires=now + HOUR,
    )


async def seen(ask: Caller, types: Iterable[str]) -> frozenset[str]:
    """`Type/id` of all that the caller finds of these types, as many as the server counts."""
    found: set[str] = set()
    for type in types:
        page = await ask.get(f"{type}?_elements=id&_count=1000")
        count = await ask.get(f"{type}?_summary=count")
        assert page.status == count.status == 200, (type, page.text, count.text)
        assert page.json["total"] == count.json["total"] == len(page.ids), type
        found |= {f"{type}/{logical_id}" for logical_id in page.ids}
    return frozenset(found)


async def counted(ask: Caller, type: str, patient: str) -> int:
    """How many of the type the caller counts that are about the patient (a logical id)."""
    answer = await ask.get(f"{type}?{'_id' if type == 'Patient' else 'patient'}={patient}&_summary=count")
    assert answer.status == 200, answer.text
    total: int = answer.json["total"]
    return total

"""Readers and writers over two worker processes: no lost update, no torn page, no duplicate across pages."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.live import SYSTEM, Live, live, token

pytestmark = pytest.mark.anyio

WRITERS = 6
INCREMENTS = 25


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("workers") / "data", "--base-policy", "permit", "--workers", "2") as server:
        yield server


def client(server: Live) -> httpx.AsyncClient:
    """Every client keeps one connection, so that the clients spread over the workers."""
    headers = {"Authorization": f"Bearer {token(server.data, 'system', SYSTEM)}"}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60, limits=httpx.Limits(max_connections=1))


async def test_increments_with_if_match_are_never_lost(server: Live) -> None:
    clients = [client(server) for _ in range(WRITERS)]
    made = (await clients[0].post("/Basic", json={"resourceType": "Basic", "code": {"text": "0"}, "id": "x"})).json()

    async def increment(one: httpx.AsyncClient) -> int:
        conflicts = 0
        done = 0
        while done < INCREMENTS:
            current = await one.get(f"/Basic/{made['id']}")
            basic = current.json()
            basic["code"]["text"] = str(int(basic["code"]["text"]) + 1)
            answer = await one.put(f"/Basic/{made['id']}", json=basic, headers={"If-Match": current.headers["etag"]})
            assert answer.status_code in (200, 412), answer.text
            done += answer.status_code == 200
            conflicts += answer.status_code == 412
        return conflicts

    conflicts = sum(await asyncio.gather(*(increment(one) for one in clients)))
    final = (await clients[1].get(f"/Basic/{made['id']}")).json()
    assert final["code"]["text"] == str(WRITERS * INCREMENTS)
    assert final["meta"]["versionId"] == str(WRITERS * INCREMENTS + 1)
    assert conflicts > 0, "the writers never met: this test shows nothing"
    history = (await clients[2].get(f"/Basic/{made['id']}/_history", params={"_count": 1000})).json()
    texts = [entry["resource"]["code"]["text"] for entry in history["entry"]]
    assert texts == [str(n) for n in range(WRITERS * INCREMENTS, -1, -1)]
    for one in clients:
        await one.aclose()


async def test_conditional_creates_of_twins_make_one_resource(server: Live) -> None:
    clients = [client(server) for _ in range(WRITERS)]
    twin = {
        "resourceType": "Basic",
        "code": {"text": "x"},
        "identifier": [{"system": "urn:test", "value": "twin"}],
    }
    answers = await asyncio.gather(
        *(
            one.post("/Basic", json=twin, headers={"If-None-Exist": "identifier=urn:test|twin"})
            for one in clients
            for _ in range(3)
        )
    )
    assert Counter(answer.status_code for answer in answers)[201] == 1
    found = (await clients[0].get("/Basic", params={"identifier": "urn:test|twin", "_total": "accurate"})).json()
    assert found["total"] == 1
    for one in clients:
        await one.aclose()


@pytest.mark.parametrize("order", ["", "code", "-_lastUpdated", "_id"])
async def test_pages_hold_every_lasting_resource_once_while_others_come_and_go(server: Live, order: str) -> None:
    writer, reader = client(server), client(server)
    tag = {"system": "urn:pages", "code": f"order{order}"}
    lasting = [await _create(writer, tag, f"{n:03}") for n in range(60)]
    stop = asyncio.Event()

    async def churn() -> int:
        count = 0
        while not stop.is_set():
            passing = await _create(writer, tag, f"{count % 60:03}")
            assert (await writer.delete(f"/Basic/{passing}")).status_code in (200, 204)
            count += 1
        return count

    churning = asyncio.create_task(churn())
    try:
        for _ in range(5):
            sorting = f"&_sort={order}" if order else ""
            seen = await _all_pages(reader, f"/Basic?_tag=urn:pages|{tag['code']}&_count=7{sorting}")
            counted = Counter(seen)
            assert [id for id, times in counted.items() if times > 1] == []
            assert set(lasting) <= set(counted)
    finally:
        stop.set()
    assert await churning > 0
    await writer.aclose()
    await reader.aclose()


async def test_a_transaction_is_seen_whole_or_not_at_all(server: Live) -> None:
    writer, reader = client(server), client(server)
    stop = asyncio.Event()

    async def write() -> int:
        count = 0
        while not stop.is_set():
            entries = [
                {
                    "resource": {
                        "resourceType": "Basic",
                        "id": f"pair-{n}",
                        "code": {"text": str(count)},
                        "meta": {"tag": [{"system": "urn:test", "code": "pair"}]},
                    },
                    "request": {"method": "PUT", "url": f"Basic/pair-{n}"},
                }
                for n in range(5)
            ]
            answer = await writer.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
            assert answer.status_code == 200, answer.text
            count += 1
        return count

    writing = asyncio.create_task(write())
    try:
        torn = []
        for _ in range(60):
            page = (await reader.get("/Basic?_tag=urn:test|pair")).json()
            texts = {entry["resource"]["code"]["text"] for entry in page.get("entry", [])}
            if len(texts) > 1 or len(page.get("entry", [])) not in (0, 5):
                torn.append(texts)
        assert torn == []
    finally:
        stop.set()
    assert await writing > 1
    await writer.aclose()
    await reader.aclose()


async def _create(writer: httpx.AsyncClient, tag: dict[str, str], text: str) -> str:
    answer = await writer.post("/Basic", json={"resourceType": "Basic", "code": {"text": text}, "meta": {"tag": [tag]}})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def _all_pages(reader: httpx.AsyncClient, path: str) -> list[str]:
    seen: list[str] = []
    while path:
        answer = await reader.get(path)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [entry["resource"]["id"] for entry in page.get("entry", [])]
        path = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    return seen

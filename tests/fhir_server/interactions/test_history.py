"""history of an instance, a type and the system. https://hl7.org/fhir/R4/http.html#history"""

import pytest

from tests.fhir_server.inprocess import BASE, Caller, organization

pytestmark = pytest.mark.anyio


async def lived(operator: Caller) -> None:
    """Organization a: created, changed, deleted. b: created."""
    await operator.put("Organization/a", organization("a"))
    await operator.put("Organization/a", organization("a", active=True))
    await operator.put("Organization/b", organization("b"))
    await operator.delete("Organization/a")


def told(answer: object) -> list[str]:
    return [f"{e['request']['method']} {e['request']['url']}" for e in answer.json["entry"]]  # type: ignore[attr-defined]


async def test_versions_come_newest_first_with_how_they_came_to_be(operator: Caller) -> None:
    await lived(operator)
    answer = await operator.get("Organization/a/_history")
    assert answer.json["type"] == "history"
    assert told(answer) == ["DELETE Organization/a", "PUT Organization/a", "POST Organization"]
    deletion, change, creation = answer.json["entry"]
    assert "resource" not in deletion
    assert change["resource"]["active"] is True
    assert creation["response"]["etag"] == 'W/"1"'
    assert creation["fullUrl"] == f"{BASE}/Organization/a"


async def test_type_and_system_tell_of_every_resource(operator: Caller) -> None:
    await lived(operator)
    expected = ["DELETE Organization/a", "POST Organization", "PUT Organization/a", "POST Organization"]
    assert told(await operator.get("Organization/_history")) == expected
    assert [line for line in told(await operator.get("_history")) if "Organization" in line] == expected


async def test_pages_follow_each_other(operator: Caller) -> None:
    await lived(operator)
    url: str | None = "Organization/_history?_count=3"
    seen: list[str] = []
    while url:
        answer = await operator.get(url)
        seen += told(answer)
        url = answer.link("next")
    assert len(seen) == 4


async def test_since_and_at_choose_by_time(operator: Caller) -> None:
    await lived(operator)
    change = (await operator.get("Organization/a/_history/2")).json["meta"]["lastUpdated"]
    assert told(await operator.get(f"Organization/a/_history?_since={change}")) == [
        "DELETE Organization/a",
        "PUT Organization/a",
    ]
    assert told(await operator.get(f"Organization/a/_history?_at={change}")) == ["PUT Organization/a"]
    assert (await operator.get("Organization/a/_history?_since=yesterday")).status == 400
    assert (await operator.get("Organization/a/_history?name=a")).status == 400

"""100 Synthea transactions: all of them load, the counts are right, and what comes back is what was sent."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.live import Live, live, load


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()), parse_float=Decimal)
    return content


@pytest.fixture(scope="module")
def files(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "synthea").glob("*.json.gz"))


@pytest.fixture(scope="module")
def server(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data = tmp_path_factory.mktemp("synthea") / "data"
    summary = load(data, files)
    assert "0 refused" in summary, summary[-2000:]
    with live(data, "--base-policy", "permit") as server:
        yield server


def expected_counts(files: list[Path]) -> Counter[str]:
    """Counted from the files alone: an entry is a resource, unless its If-None-Exist finds one that came before."""
    counts: Counter[str] = Counter()
    known: set[tuple[str, str]] = set()
    for file in files:
        for entry in read(file)["entry"]:
            kind = entry["resource"]["resourceType"]
            condition = entry["request"].get("ifNoneExist")
            if condition is not None and (kind, condition) in known:
                continue
            known.add((kind, condition))
            counts[kind] += 1
    return counts


def test_counts_per_type_are_those_of_the_files(server: Live, files: list[Path]) -> None:
    expected = expected_counts(files)
    with server.client() as client:
        found = {kind: client.get(f"/{kind}", params={"_summary": "count"}).json()["total"] for kind in expected}
    assert found == dict(expected)


def test_what_is_read_back_is_what_was_sent_to_the_last_digit(server: Live, files: list[Path]) -> None:
    """Ids are given by the server and urn:uuid references rewritten; everything else is equal in value and in digits."""
    bundle = read(files[3])
    with server.client() as client:
        answer = client.post("", content=_dumps(bundle), headers={"Content-Type": "application/fhir+json"})
        assert answer.status_code == 200, answer.text[:1000]
        places = [
            "/".join(
                entry["response"]["location"].split("/")[-4:-2] if "_history" in entry["response"]["location"] else []
            )
            for entry in answer.json()["entry"]
        ]
        assert all(places), "every entry has a versioned location"
        names = {
            entry["fullUrl"]: place for entry, place in zip(bundle["entry"], places, strict=True) if "fullUrl" in entry
        }
        compared = 0
        for entry, place in list(zip(bundle["entry"], places, strict=True))[::7]:
            if "ifNoneExist" in entry["request"]:
                continue
            text = client.get(f"/{place}").text
            stored = json.loads(text, parse_float=Decimal)
            sent = _renamed(entry["resource"], names)
            for resource in (stored, sent):
                resource.pop("id", None)
                meta = resource.get("meta", {})
                meta.pop("versionId", None), meta.pop("lastUpdated", None)
                if not meta:
                    resource.pop("meta", None)
            assert _dumps(stored) == _dumps(sent)
            compared += 1
    assert compared > 10


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _dumps(value: Any) -> bytes:
    """Sorted keys, and decimals digit for digit: each goes in as a marked string, and loses its quotes afterwards."""
    return json.dumps(_marked(value), sort_keys=True).replace('"\\u0001', "").replace('\\u0001"', "").encode()


def _marked(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"\x01{value}\x01"
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value

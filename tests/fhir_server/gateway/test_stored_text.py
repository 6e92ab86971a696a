"""The stored text keeps what the client wrote, apart from what is the server's to say."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.gateway.stored_text import body, complete, with_id
from fhir_server.store.sqlite.body import text as store_text
from profiles import json


@pytest.mark.parametrize(
    ("resource", "keys"),
    [
        ({"resourceType": "Patient", "active": True}, ["resourceType", "id", "meta", "active"]),
        ({"id": "x", "resourceType": "Patient", "active": True}, ["id", "meta", "resourceType", "active"]),
        ({"meta": {"tag": [{"code": "t"}]}, "id": "x", "resourceType": "Patient"}, ["meta", "id", "resourceType"]),
        ({"resourceType": "Patient", "active": True, "meta": {"versionId": "9"}}, None),
        ({"resourceType": "Patient"}, ["resourceType", "id", "meta"]),
    ],
)
def test_the_text_is_json_with_keys_in_order_and_the_servers_meta(
    resource: dict[str, Any], keys: list[str] | None
) -> None:
    parsed = json.parse(complete(body(with_id(resource, "new")), 7, 1_790_000_000_123_000))
    assert parsed["id"] == "new"
    assert parsed["meta"]["versionId"] == "7"
    assert parsed["meta"]["lastUpdated"] == "2026-09-21T14:13:20.123Z"
    if keys:
        assert list(parsed) == keys


def test_decimals_keep_their_digits() -> None:
    parsed = body(with_id({"resourceType": "Observation", "valueQuantity": {"value": Decimal("1.00")}}, "o"))
    assert b'"value":1.00' in parsed.tail


def test_the_gateway_and_the_store_agree_on_the_text() -> None:
    parts = body(with_id({"resourceType": "Patient", "active": True}, "p"))
    assert complete(parts, 3, 1_790_000_000_123_000) == store_text(parts, 3, b"2026-09-21T14:13:20.123Z")


def test_what_a_client_says_of_version_and_time_is_dropped_and_the_rest_of_meta_stays() -> None:
    meta = {"versionId": "9", "_lastUpdated": {"id": "x"}, "lastUpdated": "x", "profile": ["http://p"], "source": "#s"}
    assert with_id({"resourceType": "Patient", "id": "a", "meta": meta}, "a")["meta"] == {
        "profile": ["http://p"],
        "source": "#s",
    }

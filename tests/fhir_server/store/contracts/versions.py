"""Create, update, delete, bring back: every version stays."""

import json
import os

import msgspec
import pytest

from fhir_server.search.rows import IndexRows
from fhir_server.store.protocol import Body, ResourceStore, StoredVersion, Write
from tests.fhir_server.store.contracts.backend import Backend
from tests.fhir_server.store.contracts.material import (
    START,
    Clock,
    by_code,
    deletion,
    history,
    matches,
    present,
    read,
    write,
)


class Versions(Backend):
    async def test_a_resource_that_never_was_is_none(self, store: ResourceStore) -> None:
        assert await read(store, "Patient", "1") is None
        await store.commit([write("Patient", "1")])
        assert await read(store, "Patient", "2") is None
        assert await read(store, "Observation", "1") is None

    async def test_a_created_resource_is_read_as_it_was_written(self, store: ResourceStore, clock: Clock) -> None:
        clock.time = START + 123_456
        (committed,) = await store.commit([write("Patient", "1", owners=("1",), text="Jo")])
        assert committed.version == 1
        assert committed.updated == START + 123_000, "whole milliseconds"
        found = await present(store, "Patient", "1")
        assert found == StoredVersion("Patient", "1", 1, START + 123_000, "create", found.body, ("1",), b"facts of Jo")
        meta = b'"meta":{"versionId":"1","lastUpdated":"2026-01-01T00:00:00.123Z"}'
        assert found.body == b'{"resourceType": "Patient", "id": "1", "text": "Jo", "code": "8480-6",' + meta + b"}"

    async def test_a_long_body_comes_back_byte_for_byte(self, store: ResourceStore) -> None:
        tail = b',"text":"' + "é€ ".encode() * 5000 + b'"}'
        body = Body(b'{"resourceType":"Basic","id":"1","meta":{', b"}" + tail)
        await store.commit([Write("create", "Basic", "1", 0, body, (), b"", IndexRows())])
        found = await present(store, "Basic", "1")
        assert found.body.endswith(b'.000Z"}' + tail)
        assert json.loads(found.body)["meta"]["versionId"] == "1"

    async def test_a_large_body_comes_only_if_it_is_wanted(self, store: ResourceStore) -> None:
        """Fetching what is then withheld would tell, by its time, that it is there."""
        tail = b',"data":"' + os.urandom(50_000).hex().encode() + b'"}'
        body = Body(b'{"resourceType":"Binary","id":"1","meta":{', b"}" + tail)
        await store.commit([Write("create", "Binary", "1", 0, body, ("1",), b"facts", IndexRows())])
        whole = await present(store, "Binary", "1")
        asked: list[StoredVersion] = []

        def wanted(found: StoredVersion) -> bool:
            asked.append(found)
            return len(asked) > 2

        async with store.snapshot() as snapshot:
            without = msgspec.structs.replace(whole, body=b"")
            assert await snapshot.read("Binary", "1", wanted) == without
            assert await snapshot.vread("Binary", "1", 1, wanted) == without
            assert asked == [without, without], "all but the body is known when the store asks"
            assert await snapshot.read("Binary", "1", wanted) == whole
            assert await snapshot.vread("Binary", "1", 1, wanted) == whole

    async def test_every_version_stays_readable_by_its_number(self, store: ResourceStore) -> None:
        await store.commit([write("Patient", "1", text="a")])
        await store.commit([write("Patient", "1", 1, text="b")])
        async with store.snapshot() as snapshot:
            first = await snapshot.vread("Patient", "1", 1)
            second = await snapshot.vread("Patient", "1", 2)
            assert first is not None
            assert second is not None
            assert (json.loads(first.body)["text"], first.method) == ("a", "create")
            assert (json.loads(second.body)["text"], second.method) == ("b", "update")
            assert json.loads(second.body)["meta"]["versionId"] == "2"
            assert await snapshot.read("Patient", "1") == second
            assert await snapshot.vread("Patient", "1", 3) is None
            assert await snapshot.vread("Patient", "1", 0) is None
            assert await snapshot.vread("Patient", "2", 1) is None

    @pytest.mark.parametrize("owners", [(), ("1",), ("1", "2", "3")])
    async def test_a_deletion_is_a_version_with_the_owners_and_facts_of_the_one_before(
        self, store: ResourceStore, owners: tuple[str, ...]
    ) -> None:
        await store.commit([write("Observation", "1", owners=owners, text="x")])
        (committed,) = await store.commit([deletion("Observation", "1", 1)])
        assert committed.version == 2
        found = await present(store, "Observation", "1")
        assert found.deleted
        assert (found.version, found.body, found.owners, found.facts) == (2, b"", owners, b"facts of x")
        assert await matches(store, by_code("8480-6")) == []

    async def test_a_deleted_resource_can_be_brought_back(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", owners=("1", "2"))])
        await store.commit([deletion("Observation", "1", 1)])
        (committed,) = await store.commit([write("Observation", "1", 2, owners=("3",))])
        assert committed.version == 3
        found = await present(store, "Observation", "1")
        assert (found.deleted, found.owners) == (False, ("3",))
        assert await matches(store, by_code("8480-6")) == ["1"]

    async def test_owners_follow_each_version(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", owners=("1", "2"))])
        await store.commit([write("Observation", "1", 1, owners=("2", "3"))])
        await store.commit([write("Observation", "1", 2, owners=())])
        async with store.snapshot() as snapshot:
            page = await history(snapshot, "Observation", "1")
        assert [row.owners for row in page.rows] == [(), ("2", "3"), ("1", "2")]

    async def test_an_update_is_found_by_its_new_content_only(self, store: ResourceStore) -> None:
        await store.commit([write("Observation", "1", code="a")])
        await store.commit([write("Observation", "1", 1, code="b")])
        assert await matches(store, by_code("a")) == []
        assert await matches(store, by_code("b")) == ["1"]

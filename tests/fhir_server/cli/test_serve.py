"""What `serve` does before it serves: the definitions of its operations are there, once, and make no store look used."""

import asyncio
from pathlib import Path

from fhir_server.cli import serve
from fhir_server.cli.opening import opened
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.operations.definitions import OPERATIONS
from fhir_server.search.query import Query, TypeIn
from fhir_server.settings import Settings
from tests.live import live


def test_serving_again_with_several_workers_makes_no_new_versions(tmp_path: Path) -> None:
    for options in ((), ("--workers", "2")):
        with live(tmp_path, *options) as server, server.client(user="") as anyone:
            found = anyone.get("OperationDefinition?_summary=count").json()
            assert found["total"] == len(OPERATIONS)
            one = anyone.get("OperationDefinition/patient-explain-access").json()
            assert (one["code"], one["meta"]["versionId"]) == ("explain-access", "1")
            assert anyone.get("OperationDefinition?code=explain-access").json()["entry"][0]["resource"] == one


def test_a_store_that_was_only_served_still_takes_the_example_wijk(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)

    async def served() -> int:
        await serve._provide(settings)
        async with opened(settings) as (store, gateway):
            await Maintenance(gateway, "test").unfold_audit()
            async with store.snapshot() as snapshot:
                kinds = ("AuditEvent", "OperationDefinition", "Provenance")
                return await snapshot.total(Query(kinds, TypeIn(kinds)))

    assert asyncio.run(served()) > len(OPERATIONS)
    assert asyncio.run(serve._is_empty(settings))

"""Whatever is sent, the server answers: never a 5xx, a refusal is an OperationOutcome, and what is refused is not stored.

WIJKDOSSIER_LONG=1 sends tens of thousands of requests.
"""

import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from examples import bundle_paths
from fhir_server.gateway.tokens import Terms
from fhir_server.store.sqlite.connection import FILE_NAME
from tests.adversary.dossiers import STEPS, A
from tests.adversary.hostile import Hostility, Raw
from tests.adversary.surface import HOST, Answer, Surface, folder_settings, furnish, running

pytestmark = pytest.mark.anyio

LONG = os.environ.get("WIJKDOSSIER_LONG") == "1"
SEEDS = range(int(os.environ.get("WIJKDOSSIER_SEED", "0")), 1_000_000)[: 20 if LONG else 2]
REQUESTS = 2_500 if LONG else 900
WIJK_BUNDLES = 4
TOKENS = {
    "operator": Terms(user="system", client="fuzz", scope="system/*.cruds"),
    "practitioner": Terms(user="Practitioner/doctor", client="fuzz", scope="user/*.cruds"),
    "resident": Terms(user=f"Patient/{A}", client="fuzz", scope="patient/*.cruds"),
}


def seeds() -> list[dict[str, Any]]:
    """Valid resources: the two dossiers and a part of the example wijk."""
    found = [dict(step.change.resource) for step in STEPS if not step.change.deleted]
    for path in bundle_paths()[:WIJK_BUNDLES]:
        found += [entry["resource"] for entry in json.loads(path.read_text())["entry"] if "id" in entry["resource"]]
    return found


class Counted:
    """How many versions a store holds, apart from what the server itself makes of its audit trail when it is asked."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / FILE_NAME)

    def __call__(self) -> int:
        (count,) = self._connection.execute(
            "SELECT count(*) FROM version v JOIN type_name t ON t.num = v.type "
            "WHERE t.name NOT IN ('AuditEvent', 'Provenance')"
        ).fetchone()
        return int(count)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[tuple[Surface, dict[str, str], Counted]]:
    settings = folder_settings(tmp_path / "data", base_policy="permit", body_bytes_max=200_000)
    furnished = await furnish(settings, [[step.change] for step in STEPS], TOKENS)
    async with running(settings) as surface:
        counted = Counted(settings.data)
        yield surface, dict(furnished.tokens), counted
        counted.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_hostile_requests_are_refused_in_good_order(
    seed: int, target: tuple[Surface, dict[str, str], Counted], caplog: pytest.LogCaptureFixture
) -> None:
    surface, tokens, counted = target
    caplog.set_level(logging.WARNING)
    hostility = Hostility(seed, seeds())
    statuses: dict[int, int] = {}
    for number in range(REQUESTS):
        raw = hostility.request()
        before = counted()
        who = ("operator", "operator", "operator", "practitioner", "resident", "")[number % 6]
        answer = await ask(surface, raw, tokens.get(who, ""))
        what = f"seed {seed}, request {number} by {who or 'nobody'}: {raw}"
        # What names a record that a later request deleted is told to the operator, as it should be.
        said = [record for record in caplog.records if "can't be enforced" not in record.getMessage()]
        assert not said, f"{caplog.text} after {what}"
        assert answer.status < 500, f"{answer.status} {answer.body[:300]!r} to {what}"
        if answer.status >= 400:
            assert counted() == before, f"something was stored by a refused {what}"
            if raw.method != "HEAD":
                assert is_outcome(answer), f"{answer.status} {answer.body[:200]!r} to {what}"
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    # Requests that all fail at the door would prove little.
    assert statuses[200] + statuses[201] > REQUESTS / 20, statuses


async def ask(surface: Surface, raw: Raw, token: str) -> Answer:
    headers = dict(raw.headers)
    headers.setdefault(b"host", HOST.encode())
    if token:
        headers.setdefault(b"authorization", f"Bearer {token}".encode())
    return await surface.raw(raw.method, raw.target, headers.items(), raw.body)


def is_outcome(answer: Answer) -> bool:
    if answer.headers["content-type"].startswith("application/fhir+xml"):
        return answer.body.startswith((b"<OperationOutcome ", b"<?xml"))
    outcome = answer.json
    return outcome["resourceType"] == "OperationOutcome" and all(issue["diagnostics"] for issue in outcome["issue"])

"""How much longer a denied read takes than an absent one: neither may tell the other by its time.

Measured in the process, interleaved, so that what else the machine does falls on both alike. The median gap is printed
(`pytest -s`); the bound is wide, because one laptop's noise is larger than the gap.
"""

import base64
import os
import time
from pathlib import Path
from statistics import median

import pytest

from fhir_server.gateway.tokens import Terms
from tests.adversary.dossiers import STEPS, A, B, ref
from tests.adversary.surface import Ask, Change, folder_settings, furnish, running

pytestmark = pytest.mark.anyio

ROUNDS = 2_000 if os.environ.get("WIJKDOSSIER_LONG") == "1" else 250
GAP_MAX = 0.25  # of the median time of an absent read


# Two megabytes that no compression makes less of.
LARGE = Change(
    {
        "resourceType": "Binary",
        "id": "b-large",
        "contentType": "application/pdf",
        "securityContext": ref(f"Patient/{B}"),
        "data": base64.b64encode(os.urandom(2_000_000)).decode(),
    }
)


@pytest.mark.parametrize("suffix", ["", "/_history", "/_history/1", "/$meta"])
@pytest.mark.parametrize("place", ["Observation/{}-weight", "Binary/{}-large"])
async def test_denied_takes_as_long_as_absent(place: str, suffix: str, tmp_path: Path) -> None:
    settings = folder_settings(tmp_path / "data")
    terms = {"resident": Terms(user=f"Patient/{A}", client="app", scope="patient/*.rs")}
    furnished = await furnish(settings, [*([step.change] for step in STEPS), [LARGE]], terms)
    token = furnished.tokens["resident"]
    asks = {
        "denied": Ask("GET", f"/{place.format('b')}{suffix}"),
        "absent": Ask("GET", f"/{place.format('c')}{suffix}"),
    }
    times: dict[str, list[int]] = {name: [] for name in asks}
    async with running(settings) as surface:
        for round in range(ROUNDS + 20):
            for name in sorted(asks, reverse=round % 2 == 1):
                started = time.perf_counter_ns()
                answer = await surface.ask(asks[name], token)
                took = time.perf_counter_ns() - started
                assert answer.status == 404
                if round >= 20:  # the first ones fill caches
                    times[name].append(took)
    denied, absent = median(times["denied"]) / 1000, median(times["absent"]) / 1000
    print(f"{place.format('*')}{suffix}: denied {denied:.0f} µs, absent {absent:.0f} µs, gap {denied - absent:+.1f} µs")
    assert abs(denied - absent) < GAP_MAX * absent

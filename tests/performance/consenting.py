"""What Consents cost whoever is let in by them: reads and searches, against the same without any.

A professional asks for treatment, at a store in which each patient has a Consent that opens the dossier to their
practice with exceptions, and at its twin in which nobody has one and base policy `permit` opens everything. Both are
decided and audited; the difference is what the Consents say.
"""

import asyncio
import statistics
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from fhir_server.store.sqlite import open_store
from tests.performance import samples, wishes
from tests.performance.asking import Connection
from tests.performance.load_client import request_bytes
from tests.performance.measure import METADATA, Cost, Row, Scale, interleaved, load, put_token, serve_arguments
from tests.performance.samples import PAGE
from tests.performance.server_process import ServerProcess, serving
from tests.performance.stores import Wijk

READ_TARGET = 0.10
PATIENT_SEARCH_TARGET = 0.15
SEARCH_TARGET = 0.50
SIZE_BYTES = 2_000
TOKEN = "bench-professional"  # these are good for an hour, in a store of the bench only
PATIENT_TOKEN = "bench-consenter"
OPERATOR_TOKEN = "bench-operator"
READS = 60  # different resources
PATIENT_KINDS = ("date", "token", "composite", "reference")
EXACT = "&_total=accurate"
_ROUND_SECONDS = 0.4
_FIRSTS = 8


def prepare(wijk: Wijk) -> None:
    """Hand out the tokens."""

    async def put(data: Path) -> None:
        store = await open_store(data)
        try:
            await put_token(store, TOKEN, wishes.PROFESSIONAL, "user/*.rs", "TREAT")
            await put_token(store, OPERATOR_TOKEN, "system", "system/*.rs")
            await put_token(store, PATIENT_TOKEN, f"Patient/{wijk.patients[0]}", "patient/*.cruds")
        finally:
            await store.close()

    for data in (wijk.silent, wijk.ruled):
        asyncio.run(put(data))


def rows(wijk: Wijk, scale: Scale) -> list[Row]:
    prepare(wijk)
    with ExitStack() as stack:
        ruled = stack.enter_context(serving(serve_arguments(wijk.ruled, "deny"), METADATA))
        silent = stack.enter_context(serving(serve_arguments(wijk.silent, "permit"), METADATA))
        table = _firsts(ruled, wijk)
        table += _reads(ruled, silent, wijk, scale)
        table += _patient_searches(ruled, silent, wijk, scale)
        table += _searches(ruled, silent, wijk, scale)
    return table


def _firsts(ruled: ServerProcess, wijk: Wijk) -> list[Row]:
    """What it costs to learn the Consents of all patients, and to learn that one of them changed."""
    url = samples.urls(wijk.known, "token", of_one_patient=False)[0]
    asking, consenting = Connection(ruled, TOKEN), Connection(ruled, PATIENT_TOKEN)
    before = ruled.cpu_seconds()
    cold = asking.get(url).ms
    cold_cpu = ruled.cpu_seconds() - before
    patient = wijk.patients[0]
    changed, others, changed_cpu = [], [], 0.0
    for number in range(_FIRSTS):
        consent = wijk.consent(patient) | {"dateTime": f"2026-01-{number % 28 + 1:02}"}
        if (answer := consenting.put(f"/fhir/Consent/{consent['id']}", consent)).status != 200:
            raise RuntimeError(f"a Consent was answered with {answer.status}")
        before = ruled.cpu_seconds()
        changed.append(asking.get(url).ms)
        changed_cpu += ruled.cpu_seconds() - before
        others += [asking.get(url).ms for _ in range(_FIRSTS)]
    asking.close()
    consenting.close()
    people = f"{len(wijk.patients):,} patients"
    return [
        Row(
            f"first search over {people} after a start",
            "",
            f"{cold:,.0f} ms",
            None,
            f"CPU {cold_cpu * 1000:.0f} ms; the next ones {statistics.median(others):.1f} ms",
        ),
        Row(
            f"first search over {people} after one Consent changed",
            "",
            f"{statistics.median(changed):.0f} ms",
            None,
            f"CPU {changed_cpu / _FIRSTS * 1000:.0f} ms",
        ),
    ]


def _reads(ruled: ServerProcess, silent: ServerProcess, wijk: Wijk, scale: Scale) -> list[Row]:
    paths = _opened(ruled, wijk)
    asked = [request_bytes(path, TOKEN) for path in paths]
    by_operator = [request_bytes(path, OPERATOR_TOKEN) for path in paths]
    consented, permitted, undecided = interleaved(
        [(ruled, asked), (silent, asked), (silent, by_operator)],
        rounds=scale.rounds,
        count=scale.requests,
        connections=scale.connections,
    )
    return [_share("a read", consented, permitted, READ_TARGET, undecided)]


def _patient_searches(ruled: ServerProcess, silent: ServerProcess, wijk: Wijk, scale: Scale) -> list[Row]:
    urls = [url for kind in PATIENT_KINDS for url in samples.urls(wijk.known, kind, of_one_patient=True)]
    table = []
    for words, more in (("", ""), (", exact total", EXACT)):
        asked, by_operator = ([request_bytes(url + more, token) for url in urls] for token in (TOKEN, OPERATOR_TOKEN))
        consented, permitted, undecided = interleaved(
            [(ruled, asked), (silent, asked), (silent, by_operator)],
            rounds=scale.rounds,
            count=scale.requests // 2,
            connections=scale.connections,
        )
        table.append(_share(f"a patient search{words}", consented, permitted, PATIENT_SEARCH_TARGET, undecided))
    return table


def _searches(ruled: ServerProcess, silent: ServerProcess, wijk: Wijk, scale: Scale) -> list[Row]:
    kinds = {
        "code": samples.urls(wijk.known, "token", of_one_patient=False),
        "date": samples.urls(wijk.known, "date", of_one_patient=False),
        "status": [f"/fhir/Observation?status=final&{PAGE}"],
    }
    table = []
    for words, more in (("", ""), (", exact total", EXACT)):
        for kind, urls in kinds.items():
            asked = [request_bytes(url + more, TOKEN) for url in urls]
            count = _count((ruled, silent), asked, scale)
            consented, permitted = interleaved(
                [(ruled, asked), (silent, asked)],
                rounds=scale.rounds,
                count=count,
                connections=min(scale.connections, 4),
            )
            what = f"a search of {len(wijk.patients):,} patients, {wijk.policies} policies, by {kind}{words}"
            table.append(_share(what, consented, permitted, SEARCH_TARGET))
    return table


def _count(servers: Iterable[ServerProcess], asked: Sequence[bytes], scale: Scale) -> int:
    """How many of these requests make a round of a useful length."""
    warm = [load(server, asked, count=min(len(asked), 20), connections=1) for server in servers]
    slowest = max(cost.p50_ms for cost in warm) / 1000
    return max(2, min(scale.requests, int(_ROUND_SECONDS / slowest)))


def _share(what: str, consented: Cost, permitted: Cost, target: float, undecided: Cost | None = None) -> Row:
    """`undecided`: what it costs `system`, of whom no rules are asked."""
    share = (consented.cpu_us - permitted.cpu_us) / permitted.cpu_us
    return Row(
        f"consent's share of {what}",
        f"≤ {target:.0%}",
        f"{share:+.1%} ({consented.cpu_us:,.0f} against {permitted.cpu_us:,.0f} µs)",
        # A share of nothing or less is noise around nothing.
        target / max(share, target / 10),
        "" if undecided is None else f"without any rules to ask (`system`) {undecided.cpu_us:,.0f} µs",
    )


def _opened(ruled: ServerProcess, wijk: Wijk) -> list[str]:
    """Resources nearest to 2 kB of ten patients, which their Consents open to the professional."""
    asking = Connection(ruled, TOKEN)
    found: list[tuple[int, str]] = []
    for patient in wijk.patients[:10]:
        for type in ("Observation", "Encounter", "Procedure", "Condition", "MedicationRequest"):
            page = asking.get(f"/fhir/{type}?patient={patient}&{PAGE}").json
            for entry in page.get("entry", ()):
                path = f"/fhir/{type}/{entry['resource']['id']}"
                found.append((abs(len(asking.get(path).body) - SIZE_BYTES), path))
    asking.close()
    return [path for _, path in sorted(found)[:READS]]

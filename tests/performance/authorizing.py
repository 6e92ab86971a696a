"""What it costs to know who asks: the bearer check within a read, and tokens for signed assertions."""

import asyncio
import json
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter_ns, time_ns
from typing import Any, Final

from msgspec import structs

from fhir_server.cli.opening import opened
from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.interactions.load import Loaded, load_resources
from fhir_server.settings import Settings
from fhir_server.smart.records import digest
from fhir_server.store.auth import AccessToken
from profiles import json as fhir_json
from tests.performance.load_client import request_bytes
from tests.performance.measure import METADATA, Row, Scale, interleaved, serve_arguments
from tests.performance.samples import Samples
from tests.performance.server_process import serving

BEARER_TARGET: Final = 0.05
_PATIENT_TOKEN: Final = "bench-own"
_APP_TOKEN: Final = "bench-app"
_APP: Final = "bench-app"
_CONSENT: Final = "bench-app-consent"
_THO: Final = "http://terminology.hl7.org/CodeSystem/"
_CHECKS: Final = 50  # in a row, between two looks at the clock
_HOUR_US: Final = 3_600_000_000


def rows(data: Path, known: Samples, scale: Scale) -> list[Row]:
    patient = known.people[0][0]
    checks = asyncio.run(_checks(data, patient, scale))
    reads = {token: [request_bytes(f"/fhir/Patient/{patient}", token)] for token in (_PATIENT_TOKEN, _APP_TOKEN)}
    with ExitStack() as stack:
        server = stack.enter_context(serving(serve_arguments(data, "deny"), METADATA))
        costs = interleaved(
            [(server, requests) for requests in reads.values()],
            rounds=scale.rounds,
            count=scale.requests,
            connections=scale.connections,
        )
    found = []
    for (token, who), cost in zip(((_PATIENT_TOKEN, "the patient"), (_APP_TOKEN, "an app")), costs, strict=True):
        share = checks[token] / cost.cpu_us
        found.append(
            Row(
                f"the bearer check's share of a read by {who}",
                f"≤ {BEARER_TARGET:.0%}",
                f"{share:.1%} ({checks[token]:.1f} of {cost.cpu_us:.0f} µs)",
                BEARER_TARGET / share,
            )
        )
    return found


async def _checks(data: Path, patient: str, scale: Scale) -> dict[str, float]:
    """Microseconds that it takes to make a Session of each token, once each is known; median."""
    async with opened(Settings(data=data)) as (_, gateway):
        await _let_in(gateway, patient)
        found = {}
        for token in (_PATIENT_TOKEN, _APP_TOKEN):
            header = f"Bearer {token}"
            times = []
            for _ in range(scale.repeats):
                started = perf_counter_ns()
                for _ in range(_CHECKS):
                    await gateway.session(header)
                times.append((perf_counter_ns() - started) / _CHECKS / 1_000)
            found[token] = median(times)
        return found


async def _let_in(gateway: Gateway, patient: str) -> None:
    """The patient has a token, and has let in an app that has one too."""
    loaded = Loaded()
    made = [fhir_json.parse(json.dumps(one).encode()) for one in _resources(patient)]
    await load_resources(Maintenance(gateway, "bench"), made, loaded)
    assert not loaded.refused, "the Consent of the bench can be enforced"
    now = time_ns() // 1_000
    own = AccessToken("bench", f"Patient/{patient}", "patient/*.rs", now, now + _HOUR_US, patient=patient)
    app = structs.replace(own, client=_APP, app=f"Device/{_APP}", consent=_CONSENT)
    issue = [(bytes.fromhex(digest(token)), terms) for token, terms in ((_PATIENT_TOKEN, own), (_APP_TOKEN, app))]
    await gateway.store.commit_auth(issue=issue)


def _resources(patient: str) -> list[dict[str, Any]]:
    return [
        {"resourceType": "Device", "id": _APP, "identifier": [{"value": _APP}]},
        {
            "resourceType": "Consent",
            "id": _CONSENT,
            "status": "active",
            "scope": {"coding": [{"system": f"{_THO}consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": f"Patient/{patient}"},
            "performer": [{"reference": f"Patient/{patient}"}],
            "policyRule": {"coding": [{"system": f"{_THO}v3-ActCode", "code": "OPTOUT"}]},
            "provision": {
                "type": "deny",
                "actor": [
                    {
                        "role": {"coding": [{"system": f"{_THO}v3-ParticipationType", "code": "IRCP"}]},
                        "reference": {"reference": f"Device/{_APP}"},
                    }
                ],
                "provision": [
                    {"type": "permit", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]}
                ],
            },
        },
    ]

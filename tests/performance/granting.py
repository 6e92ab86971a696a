"""Tokens for backend services: an assertion signed with RS384 for each, beside the check of its signature alone."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter_ns, time
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from fhir_server.cli.opening import authorization_server
from fhir_server.settings import Settings
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.assertions import ASSERTION_TYPE
from fhir_server.smart.clients import Clients
from fhir_server.smart.records import Client
from tests.performance.load_client import form_bytes
from tests.performance.measure import METADATA, Row, Scale, load, serve_arguments
from tests.performance.server_process import serving

ISSUER: Final = Addresses("https://bench.example")
ALGORITHM: Final = "RS384"
_CLIENT: Final = "bench-backend"
_ROUNDS: Final = 3
_REGISTRY: Final = JWSRegistry(algorithms=[ALGORITHM])


def rows(data: Path, scale: Scale) -> list[Row]:
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    asyncio.run(_register(data, key))
    count = max(scale.requests // 2, 1)
    arguments = [*serve_arguments(data, "deny"), "--base-url", ISSUER.base]
    costs = []
    checks = []
    with serving(arguments, METADATA) as server:
        for _ in range(_ROUNDS):
            assertions = [_assertion(key) for _ in range(count)]
            checks.append(_check_us(assertions, key))
            costs.append(load(server, _requests(assertions), count=count, connections=scale.connections))
    check, cost = median(checks), sorted(costs, key=lambda one: one.cpu_us)[_ROUNDS // 2]
    return [
        Row(
            f"a token for an {ALGORITHM} assertion, CPU a request, beside the check of its signature alone",
            "-",
            f"{cost.cpu_us:.0f} against {check:.0f} µs",
            None,
            f"{cost.rate:,.0f} tokens a second by the wall, {1e6 / check:,.0f} checks a second on one core",
        )
    ]


async def _register(data: Path, key: RSAKey) -> None:
    settings = Settings(data=data, base_url=ISSUER.base)
    async with authorization_server(settings) as server:
        client = Client(
            id=_CLIENT,
            name="Bench",
            kind="asymmetric",
            scope="system/*.rs",
            grants=("client_credentials",),
            jwks=json.dumps(KeySet([key]).as_dict(private=False)),
            user="Organization/bench",
            purpose="TREAT",
        )
        if await Clients(server).get(_CLIENT) is not None:
            await Clients(server).remove(_CLIENT, "bench")
        await Clients(server).add(client, "bench")


def _assertion(key: RSAKey) -> str:
    claims = {
        "iss": _CLIENT,
        "sub": _CLIENT,
        "aud": ISSUER.endpoint("token"),
        "jti": str(uuid4()),
        "exp": int(time()) + 240,
    }
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}
    return jws.serialize_compact(header, json.dumps(claims), key, registry=_REGISTRY)


def _check_us(assertions: Sequence[str], key: RSAKey) -> float:
    """Microseconds of this process for each signature; mean."""
    started = perf_counter_ns()
    for text in assertions:
        jws.deserialize_compact(text, key, registry=_REGISTRY)
    return (perf_counter_ns() - started) / len(assertions) / 1_000


def _requests(assertions: Sequence[str]) -> list[bytes]:
    """Each from another address, as a proxy tells it: what is measured is not how often one of them may ask."""
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion_type": ASSERTION_TYPE}
    return [
        form_bytes(
            "/auth/token", urlencode({**form, "client_assertion": text}), f"X-Forwarded-For: 10.1.{n >> 8}.{n & 255}"
        )
        for n, text in enumerate(assertions)
    ]

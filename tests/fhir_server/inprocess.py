"""A whole server without sockets: a real SQLite store, the gateway, the routes and the writer of representations."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.gateway.policies import Policy
from fhir_server.interactions.exchange import Request
from fhir_server.interactions.load import Loaded, load_resources
from fhir_server.interactions.routes import perform
from fhir_server.outcome import FhirError
from fhir_server.representation.negotiation import negotiate
from fhir_server.representation.render import render
from fhir_server.settings import Settings
from fhir_server.store.auth import AccessToken
from fhir_server.store.sqlite import open_store
from fhir_server.store.sqlite.store import SqliteStore
from profiles import registry

BASE = "http://wijk.test/fhir"
FAR = 2**60
OPERATOR = "system"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(frozen=True)
class Answer:
    """A response as a client gets it."""

    status: int
    headers: Mapping[str, str]
    text: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def issue(self) -> Any:
        """The first issue of an OperationOutcome."""
        return self.json["issue"][0]

    @property
    def resources(self) -> list[Any]:
        """The resources in a Bundle."""
        return [entry["resource"] for entry in self.json.get("entry", []) if "resource" in entry]

    @property
    def ids(self) -> list[str]:
        return [resource["id"] for resource in self.resources]

    def link(self, relation: str) -> str | None:
        return next((link["url"] for link in self.json.get("link", []) if link["relation"] == relation), None)


class Clock:
    """Microseconds since 1970 that move on by a millisecond whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000_000

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


class Caller:
    """One requester: every request carries the same token (None: none)."""

    def __init__(self, house: "House", authorization: str | None) -> None:
        self._house = house
        self._authorization = authorization

    async def __call__(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        content_type: str = "application/fhir+json",
        **headers: str,
    ) -> Answer:
        """`url` is relative to the base or absolute; a dict body is sent as JSON; `if_match="…"` is a header."""
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if payload:
            sent["content-type"] = content_type
        parts = urlsplit(url.removeprefix(BASE).lstrip("/"))
        segments = tuple(unquote(part) for part in parts.path.split("/") if part)
        parameters = tuple(parse_qsl(parts.query, keep_blank_values=True))
        try:
            session = await self._house.gateway.session(self._authorization)
        except FhirError as error:
            return Answer(error.category.status, dict(error.headers), json.dumps(error.outcome()).encode())
        response = await perform(Request(method, segments, parameters, sent, payload, BASE, session))
        preferences = negotiate(sent, parameters)
        text, _ = render(response.content, preferences, self._house.gateway.registry)
        return Answer(response.status, dict(response.headers), b"" if method == "HEAD" else text)

    async def get(self, url: str, **headers: str) -> Answer:
        return await self("GET", url, **headers)

    async def post(self, url: str, body: Any, **headers: str) -> Answer:
        return await self("POST", url, body, **headers)

    async def put(self, url: str, body: Any, **headers: str) -> Answer:
        return await self("PUT", url, body, **headers)

    async def delete(self, url: str, **headers: str) -> Answer:
        return await self("DELETE", url, **headers)


class House:
    """An open server."""

    def __init__(self, store: SqliteStore, gateway: Gateway, clock: Clock) -> None:
        self.store = store
        self.gateway = gateway
        self.clock = clock
        self.maintenance = Maintenance(gateway, "test")
        self._tokens = 0

    async def caller(self, user: str = OPERATOR, scope: str = "system/*.cruds", **terms: Any) -> Caller:
        """Somebody with a token of their own."""
        self._tokens += 1
        token = f"token-{self._tokens}"
        granted = AccessToken(**{"client": "app", "user": user, "scope": scope, "issued": 0, "expires": FAR, **terms})
        await self.store.commit_auth(issue=[(sha256(token.encode()).digest(), granted)])
        return Caller(self, f"Bearer {token}")

    def anonymous(self) -> Caller:
        return Caller(self, None)

    def bearer(self, authorization: str) -> Caller:
        """Whoever sends this Authorization header."""
        return Caller(self, authorization)

    async def given(self, *resources: Mapping[str, Any]) -> None:
        """These resources are there, stored by the operator under their own ids."""
        loaded = Loaded()
        for resource in resources:
            await load_resources(self.maintenance, [resource], loaded)
        assert not loaded.refused, [(one.name, one.error.diagnostics) for one in loaded.refused]


@asynccontextmanager
async def opened(policy: Policy | None = None, **settings: Any) -> AsyncIterator[House]:
    """A server on a new store, in memory where the system offers that: these tests do not ask whether disks keep data."""
    with TemporaryDirectory(dir=MEMORY, ignore_cleanup_errors=True) as name:
        folder, clock = Path(name), Clock()
        store = await open_store(folder, clock=clock)
        try:
            chosen = Settings(data=folder, **settings)
            gateway = Gateway(store, registry.load(), chosen, clock=clock, cursor_key=b"k" * 32, policy=policy)
            yield House(store, gateway, clock)
        finally:
            await store.close()


def patient(id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, **more}


def observation(id: str, patient_id: str, code: str = "weight", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://test/codes", "code": code}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        **more,
    }


def organization(id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Organization", "id": id, "name": id, **more}

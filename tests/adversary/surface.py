"""The whole application in this process, spoken to in ASGI: real stores, real tokens, and bytes that no client would send.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from msgspec import structs

from fhir_server.app import Application, microseconds
from fhir_server.cli.opening import opened
from fhir_server.gateway.gateway import Gateway
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.gateway.tokens import Terms, issue
from fhir_server.gateway.unit import Staged, Unit
from fhir_server.interactions.load import Loaded, load_resources
from fhir_server.settings import Settings
from profiles import json as profiles_json

HOST = "wijk.test"
BASE = f"http://{HOST}/fhir"
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it goes over the wire; of a repeated header the last value, except of Set-Cookie."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: `target` is what follows `/fhir`, query included; `body` is sent as it is, or as JSON."""

    method: str
    target: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return json.dumps(self.body).encode()


class Complaints(logging.Handler):
    """What the server logs as an error while it answers: that its own checks caught it at something.

    That a Consent can't be enforced is about the Consent.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.endswith(".dossier"):
            self.said.append(record.getMessage())


class Surface:
    """A running application."""

    def __init__(self, application: Application, complaints: Complaints) -> None:
        self.application = application
        self.complaints = complaints

    async def ask(self, ask: Ask, token: str = "") -> Answer:
        headers = [("host", HOST), *ask.headers]
        if token:
            headers.append(("authorization", f"Bearer {token}"))
        if ask.content and not any(name == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/fhir+json"))
        raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        return await self.raw(ask.method, f"/fhir{ask.target}".encode(), raw, ask.content)

    async def raw(
        self, method: str, target: bytes, headers: Iterable[Header], body: bytes, *, peer: str = "127.0.0.1"
    ) -> Answer:
        """The answer to these bytes, as an HTTP server would hand them on. Raises what the application lets through."""
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in headers],
            "server": ("127.0.0.1", 80),
            "client": (peer, 50_000),
        }
        sent: list[Any] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        start = sent[0]
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        cookies = tuple(value.decode("latin-1") for name, value in start["headers"] if name == b"set-cookie")
        return Answer(start["status"], told, b"".join(part.get("body", b"") for part in sent[1:]), cookies)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Surface]:
    """The application between its startup and its shutdown, as the ASGI lifespan protocol has them."""
    application = Application(settings)
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = asyncio.ensure_future(application({"type": "lifespan", "asgi": {}}, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    started = await outbox.get()
    assert started["type"] == "lifespan.startup.complete", started
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    try:
        yield Surface(application, complaints)
    finally:
        logging.getLogger().removeHandler(complaints)
        await inbox.put({"type": "lifespan.shutdown"})
        await outbox.get()
        await lifespan


@dataclass(frozen=True, slots=True)
class Change:
    """One step of what befell a store: the resource as it became, or at least its type and id if it was deleted.

    `writer` is who wrote it (`Type/id`), '' for the operator's import.
    """

    resource: Mapping[str, Any]
    deleted: bool = False
    writer: str = ""

    @property
    def place(self) -> tuple[str, str]:
        return self.resource["resourceType"], self.resource["id"]


@dataclass(frozen=True, slots=True)
class Furnished:
    """A token for each of the terms, and for each batch a moment between it and the next one, in microseconds."""

    tokens: Mapping[str, str]
    moments: list[int]


@dataclass(frozen=True, slots=True)
class AppTerms(Terms):
    """Those of an app that a patient let in by a Consent: `app` is `Device/1`, `consent` a logical id."""

    app: str = ""
    consent: str = ""


async def _issue(gateway: Gateway, terms: Terms) -> str:
    token = await issue(gateway, "test", terms)
    if isinstance(terms, AppTerms):
        digest = sha256(token.encode()).digest()
        issued = await gateway.store.token(digest)
        assert issued is not None
        hung = structs.replace(issued, app=terms.app, consent=terms.consent)
        await gateway.store.commit_auth(issue=[(digest, hung)])
    return token


async def furnish(settings: Settings, batches: Sequence[Sequence[Change]], terms: Mapping[str, Terms]) -> Furnished:
    """Write the changes as an operator's imports, each batch at once, and issue a token on each of the terms."""
    moments: list[int] = []
    async with opened(settings) as (_, gateway):
        maintenance = Maintenance(gateway, "test")
        for batch in batches:
            loaded = Loaded()
            written = [change.resource for change in batch if not change.deleted]
            await load_resources(
                maintenance, [profiles_json.parse(json.dumps(one).encode()) for one in written], loaded
            )
            assert not loaded.refused, [(one.name, one.error.diagnostics) for one in loaded.refused]
            for change in batch:
                if change.deleted:
                    await maintenance.write("delete", "", partial(_delete, *change.place))
            moments.append(microseconds() + 1_000)
            await asyncio.sleep(0.003)  # update times are whole milliseconds, and the moment lies between two of them
        return Furnished({name: await _issue(gateway, one) for name, one in terms.items()}, moments)


def _delete(type: str, id: str, unit: Unit) -> Awaitable[Staged | None]:
    return unit.delete(type, id)


def folder_settings(folder: Path, **chosen: Any) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    return Settings(data=folder, **chosen)

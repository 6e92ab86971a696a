"""The composition root of a worker: opens the store, hands it to the gateway, and joins the ASGI surfaces.

FastAPI carries the portal, health and metrics. Everything below `/fhir` goes to one pure ASGI dispatcher beside it,
which costs a read far less than a route would; so do the endpoints of the authorization server that answer in JSON.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from fhir_server.collector import keep_what_is_loaded
from fhir_server.gateway.added_parameters import in_force
from fhir_server.gateway.gateway import Gateway
from fhir_server.http.authorization import AuthorizationEndpoints
from fhir_server.http.cors import Cors, Origins
from fhir_server.http.dispatch import FhirApplication
from fhir_server.http.metrics import Metrics
from fhir_server.http.reading import Receive, Scope, Send
from fhir_server.keys import key
from fhir_server.portal.pages import router
from fhir_server.settings import Settings, from_environment
from fhir_server.smart.addresses import FHIR_PREFIX
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import State
from fhir_server.store.protocol import ResourceStore
from fhir_server.store.sqlite import open_store
from profiles import registry as definitions

logger = logging.getLogger("wijkdossier.app")

IDLE_SECONDS = 5.0


class Application:
    """The ASGI application of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = Metrics(settings.workers > 1)
        self._store: ResourceStore | None = None
        self._fhir: FhirApplication | None = None
        self._authorization: AuthorizationEndpoints | None = None
        # No slash is put right: the redirect that does so names the host that the request named, and takes forms along.
        self._api = FastAPI(
            title="wijkdossier", lifespan=self._lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
        )
        self._api.add_api_route("/", self.root, methods=["GET"], include_in_schema=False)
        self._api.add_api_route("/health/live", self.live, methods=["GET"])
        self._api.add_api_route("/health/ready", self.ready, methods=["GET"])
        self._api.add_api_route("/metrics", self.metrics, methods=["GET"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._fhir is not None and self._authorization is not None:
            path: str = scope["path"]
            if path in self._authorization.paths:
                await self._authorization(scope, receive, send)
                return
            if path.startswith(FHIR_PREFIX) and path[len(FHIR_PREFIX) : len(FHIR_PREFIX) + 1] in ("", "/"):
                await self._fhir(scope, receive, send)
                return
        await self._api(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        settings = self._settings
        registry = definitions.load()
        store = await open_store(settings.data)
        try:
            gateway = Gateway(
                store,
                registry,
                settings,
                clock=microseconds,
                cursor_key=key(settings.data, "cursor"),
                added=in_force(settings.data),
            )
            keys = SigningKeys(settings.data, settings.key_passphrase)
            server = AuthorizationServer(gateway, State(store), settings, keys)
            cors = Cors(Origins(server.state))
            self._authorization = AuthorizationEndpoints(server, cors)
            self._fhir = FhirApplication(gateway, registry, settings, self._metrics, cors, FHIR_PREFIX)
            self._api.include_router(router(server))
            self._store = store
            keep_what_is_loaded()
            unfolding = asyncio.create_task(_unfold_when_idle(self._fhir, store, gateway))
            yield
            unfolding.cancel()
        finally:
            self._fhir = self._authorization = self._store = None
            await store.close()

    async def root(self) -> PlainTextResponse:
        """For whoever opens the address in a browser."""
        return PlainTextResponse(f"wijkdossier: FHIR R4 at {FHIR_PREFIX}, what it offers at {FHIR_PREFIX}/metadata\n")

    async def live(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    async def ready(self) -> JSONResponse:
        """The store answers too."""
        if self._store is None:
            return JSONResponse({"status": "starting"}, status_code=503)
        async with self._store.snapshot() as snapshot:
            await snapshot.read("CapabilityStatement", "none")
        return JSONResponse({"status": "ready"})

    async def metrics(self) -> Response:
        text, content_type = self._metrics.exposition()
        return Response(text, headers={"content-type": content_type})


async def _unfold_when_idle(fhir: FhirApplication, store: ResourceStore, gateway: Gateway) -> None:
    """Make AuditEvents of the audit trail while nobody asks anything, so that whoever asks for them waits briefly."""
    answered = -1
    while True:
        await asyncio.sleep(IDLE_SECONDS)
        if fhir.answered == answered:
            try:
                await store.unfold_audit(gateway.expand)
            except Exception as error:  # the next request for AuditEvents tries again, and tells who asked
                logger.error("the audit trail could not be unfolded: %s", type(error).__name__)
        answered = fhir.answered


def microseconds() -> int:
    """Since 1970 UTC."""
    return time.time_ns() // 1000


def application() -> Application:
    """What uvicorn calls in each worker: settings come from the environment that `serve` prepared."""
    sys.setrecursionlimit(2000)
    return Application(from_environment())

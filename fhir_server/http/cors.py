"""Which scripts of other origins may read our answers: anybody's where all is public, else those of registered apps.

Nothing here is let in by a cookie, so `Access-Control-Allow-Credentials` is never said.
https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from fhir_server.smart.records import Client
from fhir_server.smart.state import State

Headers = tuple[tuple[bytes, bytes], ...]

# How long a change of the clients may take to be seen here.
REFRESH_SECONDS: Final = 5.0
# An origin that is not known may be new: it is looked for again, though not for every one that is made up.
MISS_SECONDS: Final = 1.0
# The answer to one origin is not the answer to another.
VARY: Final = (b"vary", b"Origin")
EXPOSED: Final = (
    b"access-control-expose-headers",
    b"Content-Location, ETag, Last-Modified, Location, Retry-After, Warning, WWW-Authenticate, X-Request-Id",
)
_ANYBODY: Final = ((b"access-control-allow-origin", b"*"), EXPOSED)
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, "
        b"X-Correlation-Id, X-Request-Id, X-Requested-With",
    ),
    # A browser asks again after ten minutes.
    (b"access-control-max-age", b"600"),
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origins:
    """The origins of registered clients, in this worker: those of redirect URIs, and those they name besides."""

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._read_at = -math.inf

    async def knows(self, origin: str) -> bool:
        """Whether a client has it, as of some seconds ago."""
        age = self._clock() - self._read_at
        if age >= REFRESH_SECONDS or (age >= MISS_SECONDS and origin not in self._known):
            self._known = frozenset(one for kept in await self._state.clients.all() for one in origins(kept.value))
            self._read_at = self._clock()
        return origin in self._known


def origins(client: Client) -> frozenset[str]:
    """The origins whose scripts are the client's, as browsers write them: `https://app.example`."""
    found = [_origin(uri) for uri in (*client.origins, *client.redirect_uris)]
    return frozenset(origin for origin in found if origin)


def _origin(uri: str) -> str:
    """'' for a URI whose scheme has no origin, such as that of an app on a phone. https://www.rfc-editor.org/rfc/rfc6454"""
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        return ""
    host = parts.netloc.lower()
    return f"{parts.scheme}://{host.removesuffix(f':{_DEFAULT_PORTS[parts.scheme]}')}"


class Cors:
    """What an answer says to the browser of a script. Every answer has VARY besides."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    async def headers(self, asked: Mapping[str, str], *, public: bool) -> Headers:
        """Those of an answer to who sends `asked`; `public`: any script may read it. None: no script may."""
        if public:
            return _ANYBODY
        origin = asked.get("origin")
        if origin is None or not await self._origins.knows(origin):
            return ()
        return ((b"access-control-allow-origin", origin.encode("latin-1")), EXPOSED)

    async def preflight(self, asked: Mapping[str, str], *, public: bool) -> Headers | None:
        """Those of the answer (204) if a browser asks whether a script may; None if this is no such question."""
        if "origin" not in asked or "access-control-request-method" not in asked:
            return None
        found = await self.headers(asked, public=public)
        return (*found, *_PREFLIGHT) if found else ()

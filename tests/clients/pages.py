"""The two pages of an app, served on an origin of their own with the stock build of fhirclient beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from tests.clients.node import PACKAGES

APP: Final = Path(__file__).with_name("app")
LIBRARY: Final = PACKAGES / "node_modules" / "fhirclient" / "build" / "fhir-client.js"


class _Pages(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        return str(LIBRARY) if path == "/fhir-client.js" else super().translate_path(path)

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing: the addresses hold codes."""


@contextmanager
def served() -> Iterator[str]:
    """The origin of the app, another site to a browser than 127.0.0.1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=str(APP))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()

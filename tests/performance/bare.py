"""The yardstick: an ASGI application that does nothing but return bytes, on the same server as ours.

Run as `python tests/performance/bare.py FILE --port PORT`.
"""

import argparse
from pathlib import Path
from typing import Any

import uvicorn


def application(body: bytes) -> Any:
    headers = [(b"content-type", b"application/fhir+json"), (b"content-length", b"%d" % len(body))]

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return bare


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    uvicorn.run(
        application(chosen.file.read_bytes()),
        host="127.0.0.1",
        port=chosen.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )

"""The FHIR routes as data, and the one way to perform a request.

https://hl7.org/fhir/R4/http.html#summary
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from fhir_server.interactions.exchange import Request, Response

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Route(msgspec.Struct, frozen=True, eq=False):
    """`pattern` reads as in the specification: `{type}/{id}/_history/{vid}`; `name` is the interaction's name there."""

    name: str
    method: str
    pattern: str
    handler: Handler


def shape(segments: Sequence[str]) -> str:
    """The pattern that segments have once types and ids are taken out: `{}/{}/_history/{}`."""
    return "/".join(
        part if part[:1] in "_$" or (part == "metadata" and len(segments) == 1) else "{}" for part in segments
    )


class Router:
    """Finds the route of a method and path by one look-up."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._by_shape: dict[str, dict[str, Route]] = {}
        for route in routes:
            segments = route.pattern.split("/") if route.pattern else []
            key = shape(["{}" if part.startswith("{") else part for part in segments])
            methods = self._by_shape.setdefault(key, {})
            if route.method in methods:
                raise ValueError(f"two routes for {route.method} {route.pattern}")
            methods[route.method] = route

    def methods(self, segments: Sequence[str]) -> Mapping[str, Route]:
        """The routes of a path by method; empty if the path is none of ours."""
        return self._by_shape.get(shape(segments), {})

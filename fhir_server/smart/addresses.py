"""Where this server is, as its clients address it: the issuer, the FHIR base and the endpoints.

An assertion or a launch names the server it is meant for, so no header that anybody can send may decide that. The
setting `base_url` does; without it the server is known by its own port on this machine, under the names of loopback.
https://datatracker.ietf.org/doc/html/rfc8414#section-2
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.settings import Settings

FHIR_PREFIX: Final = "/fhir"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Addresses:
    """`issuer` is scheme and host, and the path in front of `/fhir` if there is one, without a slash at the end."""

    issuer: str

    @property
    def base(self) -> str:
        return self.issuer + FHIR_PREFIX

    def endpoint(self, name: str) -> str:
        """`authorize`, `token`, `introspect`, `revoke`, `register`, `jwks`."""
        return f"{self.issuer}/auth/{name}"

    def page(self, path: str = "") -> str:
        """A page of the portal, `apps` for instance."""
        return f"{self.issuer}/portal/{path}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over TLS, so that cookies can insist on that."""
        return self.issuer.startswith("https://")


def addresses(settings: Settings, headers: Mapping[str, str]) -> Addresses:
    """How the sender of these headers (names in lower case) addresses this server, if that is one of its names."""
    if settings.base_url:
        return Addresses(settings.base_url.rstrip("/").removesuffix(FHIR_PREFIX))
    names = (
        dict.fromkeys((settings.host, *_LOOPBACK)) if settings.host in (*_LOOPBACK, "::1") else {settings.host: None}
    )
    own = [f"{name}:{settings.port}" for name in names]
    host = headers.get("host", "")
    return Addresses(f"http://{host if host in own else own[0]}")

"""Key sets that clients publish: fetched over TLS from public addresses only, kept for a while.

Whoever registers a URL has this server ask for it: it must not become a way to reach what only this server can reach.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys,
https://datatracker.ietf.org/doc/html/rfc7517
"""

import asyncio
import re
import socket
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from fhir_server.smart import keysets
from fhir_server.smart.keysets import KeyFault

if TYPE_CHECKING:
    import httpx

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[Address]]]

SECONDS_MAX: Final = 5.0
KEPT_SECONDS_MAX: Final = 300.0
URLS_MAX: Final = 256
# After a key set could not be had, or did not have the kid it was fetched for, the next try is not before this: whoever
# makes up kids makes this server ask no more often.
FRUITLESS_SECONDS: Final = 10.0

_NAT64: Final = IPv6Network("64:ff9b::/96")
# Of the IANA registries of special purposes, what older Pythons take for public.
_SPECIAL: Final = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "2001::/23", "3fff::/20", "5f00::/16")
)
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A key set as it was published, and for how many seconds its publisher lets it be kept."""

    keys: list[Mapping[str, Any]]
    seconds: float


class Fetcher:
    """Asks for a key set. `reachable` decides of each address whether this server may connect to it.

    `trust` are the authorities whose certificates count, those of the system unless given; `seconds` is what it may
    all take.
    """

    def __init__(
        self,
        resolve: Resolve | None = None,
        reachable: Callable[[Address], bool] | None = None,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS_MAX,
    ) -> None:
        self._resolve = resolve or system_resolve
        self._reachable = reachable or is_public
        self._trust = trust
        self._seconds = seconds

    async def __call__(self, url: str) -> Fetched:
        """Raises KeyFault if the set can't be had, whatever the reason."""
        import httpx  # here: it takes a fifth of the time to start a worker, and few workers need it

        try:
            async with asyncio.timeout(self._seconds):
                return await self._fetch(url)
        except (TimeoutError, OSError, httpx.HTTPError, httpx.InvalidURL):
            raise KeyFault("the key set of this client could not be fetched") from None

    async def _fetch(self, url: str) -> Fetched:
        import httpx

        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise KeyFault("the key set of this client is not at an https URL")
        addresses = await self._resolve(parts.hostname, parts.port or 443)
        if not addresses or not all(self._reachable(address) for address in addresses):
            raise KeyFault("the key set of this client is not at a public address")
        # The connection goes to the address that was looked at, so that no second answer of the name server counts;
        # name and certificate are still those of the URL.
        address = addresses[0]
        host = f"[{address}]" if address.version == 6 else str(address)
        numbered = parts._replace(netloc=f"{host}:{parts.port or 443}", fragment="").geturl()
        async with (
            httpx.AsyncClient(
                verify=self._trust or ssl.create_default_context(),
                trust_env=False,
                follow_redirects=False,
                timeout=self._seconds,
            ) as http,
            http.stream(
                "GET",
                numbered,
                headers={"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "identity"},
                extensions={"sni_hostname": parts.hostname},
            ) as answer,
        ):
            if answer.status_code != 200:
                raise KeyFault(f"the key set of this client was answered with {answer.status_code}")
            return Fetched(keysets.read(await _body(answer)), _seconds(answer.headers.get("cache-control", "")))


class KeySets:
    """The key sets of one worker: each is kept as long as its publisher says, and five minutes at most."""

    def __init__(self, fetch: Callable[[str], Awaitable[Fetched]], clock: Callable[[], float] = monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def keys(self, url: str, kid: str) -> list[Mapping[str, Any]]:
        """The set at the URL: as it was kept if the kid is in it, else as it is now. Raises KeyFault."""
        kept = self._kept.get(url)
        if kept is None:
            kept = self._kept[url] = _Kept()
            while len(self._kept) > URLS_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end(url)
        if kept.holds(kid, self._clock()):
            return kept.keys
        async with kept.turn:  # who comes while it is being fetched gets what that brings
            now = self._clock()
            if kept.holds(kid, now):
                return kept.keys
            if now < kept.fruitless_until:
                raise KeyFault("kid is that of no key of this client, as of a moment ago")
            kept.fruitless_until = now + FRUITLESS_SECONDS
            fetched = await self._fetch(url)
            kept.keys, kept.until = fetched.keys, now + min(fetched.seconds, KEPT_SECONDS_MAX)
            if kept.has(kid):
                kept.fruitless_until = 0.0
            return kept.keys


class _Kept:
    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.keys: list[Mapping[str, Any]] = []
        self.until = 0.0
        self.fruitless_until = 0.0

    def holds(self, kid: str, now: float) -> bool:
        return now < self.until and self.has(kid)

    def has(self, kid: str) -> bool:
        return any(key.get("kid") == kid for key in self.keys)


async def system_resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name as this machine looks them up. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(entry[4][0]) for entry in found]


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet, also if it is IPv4 in the dress of IPv6."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def _body(answer: "httpx.Response") -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise KeyFault("the key set of this client came compressed")
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > keysets.BYTES_MAX:
            raise KeyFault(f"the key set of this client is more than {keysets.BYTES_MAX} bytes")
    return body


def _seconds(cache_control: str) -> float:
    """https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2"""
    directives = cache_control.lower()
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    found = _MAX_AGE.search(directives)
    return float(found[1]) if found else KEPT_SECONDS_MAX

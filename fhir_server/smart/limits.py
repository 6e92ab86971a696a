"""Rate limits: how often one address or one client may try; kept in each worker by itself.

With several workers the limits are as many times higher: they keep guessing and flooding slow, they count nothing else.
https://datatracker.ietf.org/doc/html/rfc6585#section-4, https://datatracker.ietf.org/doc/html/rfc6749#section-10.10
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final

from fhir_server.settings import Settings

KEYS_MAX: Final = 10_000
# A household or a tenant has at least this much of IPv6, and every address in it: https://www.rfc-editor.org/rfc/rfc6177
_IPV6_NETWORK: Final = (1 << 128) - (1 << 64)


class Limiter:
    """A bucket of `burst` attempts per key, of which `per_minute` come back; `clock` tells seconds.

    Of more than `keys_max` keys those that were used longest ago are forgotten, which fills their bucket.
    """

    def __init__(
        self, burst: int, per_minute: float, *, clock: Callable[[], float] = time.monotonic, keys_max: int = KEYS_MAX
    ) -> None:
        self._burst = float(burst)
        self._per_second = per_minute / 60
        self._clock = clock
        self._keys_max = keys_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was

    def wait(self, key: str) -> int:
        """Count an attempt: 0 if it may go on, else in how many seconds one may; an attempt that is refused is free."""
        now = self._clock()
        left, then = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_second)
        refused = left < 1
        self._buckets[key] = (left if refused else left - 1, now)
        if len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)
        return math.ceil((1 - left) / self._per_second) if refused else 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limiters of one worker.

    By the address that asks (`address`): `authorize`, `token`, `introspect`, `revoke`, `register`, `login`; a
    hospital's outgoing proxy is one address. By address and client id: `client`. What counts by account is in
    `attempts`.
    """

    authorize: Limiter = field(default_factory=lambda: Limiter(300, 120))  # each is kept until long after it expired
    token: Limiter = field(default_factory=lambda: Limiter(300, 1200))
    client: Limiter = field(default_factory=lambda: Limiter(120, 600))
    introspect: Limiter = field(default_factory=lambda: Limiter(1000, 12_000))
    revoke: Limiter = field(default_factory=lambda: Limiter(120, 600))
    register: Limiter = field(default_factory=lambda: Limiter(20, 10))
    login: Limiter = field(default_factory=lambda: Limiter(30, 20))


def address(peer: str, headers: Mapping[str, str], settings: Settings) -> str:
    """Who asks, as a key of the limits: an IPv4 address, or the network of an IPv6 one.

    Where a proxy stands in front (`base_url` is set) and the connection comes from a private address, it is what that
    proxy added last to X-Forwarded-For; what stands before it anybody can have written.
    https://datatracker.ietf.org/doc/html/rfc7239#section-8.1
    """
    if settings.base_url and _is_private(peer):
        forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return _network(forwarded) or _network(peer) or peer
    return _network(peer) or peer


def _is_private(peer: str) -> bool:
    try:
        return ip_address(peer).is_private
    except ValueError:
        return True  # a Unix socket has no address


def _network(text: str) -> str:
    """'' for what is no address."""
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) & _IPV6_NETWORK)}/64"
    return str(found)

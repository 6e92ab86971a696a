"""How often a password or a code may be tried, kept in the store for every worker, so that nobody locks others out.

Wrong answers are counted for an account and where they come from together, so a stranger's count against nobody but the
stranger. A browser that has logged in to the account before shows a signed cookie and has a count of its own, wherever
it is: not even somebody behind the same address keeps the owner's browser out.
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import hmac
import secrets
from hashlib import sha256
from typing import Final

import msgspec

from fhir_server.smart import records
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import AuthConflict

_SECOND: Final = 1_000_000
FREE: Final = 5  # wrong answers before anybody has to wait
WAIT_FIRST: Final = 30 * _SECOND
WAIT_MAX: Final = 900 * _SECOND
FORGOTTEN: Final = 24 * 3600 * _SECOND
# How many accounts one browser is remembered for: a family has one computer.
ACCOUNTS_MAX: Final = 5


class Locked(Exception):
    """It is too early for another attempt: `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many attempts")
        self.seconds = seconds


class Attempts:
    """`key` signs device cookies and hides in the store whose count is whose; the same for every worker."""

    def __init__(self, server: AuthorizationServer, key: bytes) -> None:
        self._server = server
        self._shelf = server.state.attempts
        self._key = key

    def counter(self, *parts: str) -> str:
        """The key of the count for these: what is tried, for whom, from where."""
        return self._sign("counter", *parts)

    async def begin(self, counter: str) -> None:
        """Count an attempt as wrong before it is looked at, so that many at once are not one. Raises Locked."""
        while True:
            now = self._server.now()
            kept = await self._shelf.get(counter)
            failures = 0
            if kept is not None and kept.expires > now:
                failures = kept.value.failures
                wait = kept.value.last + _wait(failures) - now
                if wait > 0:
                    raise Locked(-(-wait // _SECOND))
            value = records.Attempts(failures=failures + 1, last=now)
            expires = now + FORGOTTEN
            write = (
                self._shelf.add(counter, value, expires=expires)
                if kept is None
                else self._shelf.change(kept, value, expires=expires)
            )
            try:
                await self._server.state.commit(write)
            except AuthConflict:
                continue
            return

    async def succeeded(self, counter: str) -> None:
        """The answer was right: the count starts over."""
        while (kept := await self._shelf.get(counter)) is not None:
            try:
                await self._server.state.commit(self._shelf.remove(kept))
            except AuthConflict:
                continue
            return

    def device(self, cookie: str, account: str) -> str:
        """What the browser with this device cookie is counted by; '' if it never logged in to the account (its id)."""
        nonce, _, signatures = cookie.partition(".")
        expected = self._sign("device", nonce, account)
        known = any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split("."))
        return nonce if nonce and known else ""

    def device_cookie(self, cookie: str, account: str) -> str:
        """The device cookie of a browser that has `cookie` ('' for none) and just logged in to the account (its id)."""
        if cookie and self.device(cookie, account):
            return cookie
        nonce, _, signatures = cookie.partition(".")
        if not (signatures and len(nonce) == 43 and nonce.replace("-", "").replace("_", "").isalnum()):
            nonce, signatures = secrets.token_urlsafe(32), ""
        kept = [one for one in signatures.split(".") if len(one) == 64 and one.isalnum()][: ACCOUNTS_MAX - 1]
        return ".".join((nonce, self._sign("device", nonce, account), *kept))

    def _sign(self, *parts: str) -> str:
        return hmac.digest(self._key, msgspec.msgpack.encode(parts), sha256).hex()


def _wait(failures: int) -> int:
    """How long after the last of so many wrong answers, in microseconds: each one doubles it."""
    return min(WAIT_MAX, WAIT_FIRST << min(failures - FREE, 10)) if failures >= FREE else 0
